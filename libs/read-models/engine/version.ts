import { hash } from 'node:crypto';
import type { VersionedModel } from './copies.ts';
import { type AnyModel, typesFollowedBy } from './model.ts';

const HEX_DIGITS = 12;
/** What the engine does to every event before a model takes it. Since 2, no text of an event stops its stream (ADR 49). */
const ENGINE = 2;

/**
 * The version of a model: a hash over its tables, the events that it follows, and a digest of the rows that it makes of
 * the sample events. The text of `evolve` is not part of it: compilers write it differently.
 */
export function versioned(model: AnyModel, digestOfRows: string): VersionedModel {
  const tables = model.tables.map(({ name, key, columns, indexes, family }) => [name, key, columns, indexes, family]);
  const described = JSON.stringify([tables, [...typesFollowedBy(model)].sort(), digestOfRows, ENGINE]);
  return { ...model, version: hash('sha256', described).slice(0, HEX_DIGITS) };
}
