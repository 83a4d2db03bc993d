import { type Family, ledger } from '#domain/ledger';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { creatorsOf } from '#test/row-digests';
import { append, marked, sampleFacts } from '#test/sample-facts';
import { models } from './models.ts';
import { openReadModels } from './read-models.ts';

/** Every event type of every family that has a row with its revision. */
const cases = models.flatMap((model) =>
  model.tables.flatMap((table) => {
    const family = table.family && (ledger[table.family] as Family);
    return Object.keys(family?.events ?? {}).map((type) => ({ model, table, type, family: table.family as string }));
  }),
);

it('after every event, whether or not the model uses it, a row has the revision of its stream', async () => {
  const store = await openEmbeddedStore();
  const revisions = new Map<string, number>();
  for (const { model, type } of cases) {
    const facts = [...creatorsOf(model), ...sampleFacts.filter((fact) => fact.type === type)];
    for (const [stream, revision] of await append(store, marked(facts, type))) revisions.set(stream, revision);
  }
  const readModels = await openReadModels({ store });
  await readModels.catchUp();
  const found: unknown[] = [];
  const expected: unknown[] = [];
  for (const { model, table, type, family } of cases) {
    const [stream, revision] =
      [...revisions].find(([name]) => name.startsWith(`${family}-`) && name.endsWith(`-${type}`)) ?? [];
    const key = stream?.slice(family.length + 1);
    for await (const row of readModels.rowsOf(model.name) as AsyncIterable<Record<string, unknown>>)
      if (row[table.key] === key && 'revision' in row) found.push([stream, row.revision]);
    expected.push([stream, revision]);
  }
  expect(cases.length).toBeGreaterThan(40);
  expect(found).toEqual(expected);
  await readModels.stop();
  await store.close();
});
