import { createHash } from 'node:crypto';
import type { Fact } from '#domain/codec';
import type { AnyModel } from '#read-models/engine/model';
import { take } from '#read-models/engine/project';
import { Rows } from '#read-models/engine/rows';
import { models } from '#read-models/models';
import { sampleFacts, variantsOf } from './sample-facts.ts';

const HEX_DIGITS = 16;

/** What `libs/read-models/row-digests.ts` must say. */
export const digestsOfRows = (): Readonly<Record<string, string>> =>
  Object.fromEntries(models.map((model) => [model.name, digestOfRows(model)]));

/**
 * A digest over the rows that a model makes from the sample events: first the events that create its rows, then every pair
 * of other events. It does not detect a change of `evolve` that no two events show.
 */
export function digestOfRows(model: AnyModel): string {
  const samples = sampleFacts.filter(({ type }) => model.eventTypes.includes(type));
  const creators = creatorsOf(model);
  const variants = samples.flatMap(variantsOf);
  const digest = createHash('sha256');
  for (const first of variants)
    for (const second of variants) digest.update(rowsAfter([...creators, first, second], model));
  return digest.digest('hex').slice(0, HEX_DIGITS);
}

/** The facts that add rows, one after the other: a lead is received before it is delivered. */
export function creatorsOf(model: AnyModel): readonly Fact[] {
  const samples = sampleFacts.filter(({ type }) => model.eventTypes.includes(type));
  const creators: Fact[] = [];
  for (const candidate of [...samples, ...samples]) {
    const [before, after] = [creators, [...creators, candidate]].map((facts) => countRows(facts, model));
    if ((after as number) > (before as number)) creators.push(candidate);
  }
  return creators;
}

function projected(facts: readonly Fact[], model: AnyModel): Rows {
  const rows = new Rows();
  facts.forEach((fact, revision) => {
    try {
      take(rows, model, { ...fact, revision });
    } catch {
      // A fact that is refused leaves the rows as they are.
    }
  });
  return rows;
}

const countRows = (facts: readonly Fact[], model: AnyModel): number => {
  const rows = projected(facts, model);
  return model.tables.reduce((count, table) => count + rows.changed(table).length, 0);
};

function rowsAfter(facts: readonly Fact[], model: AnyModel): string {
  const rows = projected(facts, model);
  return JSON.stringify(
    model.tables.map((table) =>
      rows.changed(table).map((row) => Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))),
    ),
  );
}
