import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { FAR_AWAY_MILLISECONDS } from '#test/wait-until';
import { copyTemplate } from './engine/template.ts';
import { allTables, openReadModels, type ReadModels } from './read-models.ts';

// Makes the template, where the build has not made it.
await import('./make-template.ts');

let store: EventStore;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  store = await openEmbeddedStore();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

async function register(customerId: string): Promise<void> {
  const business = { businessAssociation: { keyId: 'key', box: 'AAAA' }, businessKey: 'abc' };
  const data = { at: '2026-05-01T10:00:00.000Z', storeId: 'main', timeZone: 'America/New_York', ...business };
  const id = deriveId('spec', customerId);
  const cause = { commandId: id, correlationId: id, actor: 'staff:spec' };
  const event = encode(`customer-${customerId}`, { type: 'CustomerRegistered', data }, cause);
  await store.append(`customer-${customerId}`, [{ id, ...event }], 'any');
}

const isWhole = async (models: ReadModels) => (await models.status()).map(({ whole }) => whole);
const digests = (models: ReadModels) => Promise.all(models.names.map((name) => models.digest(name)));

describe.each([
  { place: 'in a directory', inFiles: true },
  { place: 'in memory', inFiles: false },
])('a new database $place', ({ inFiles }) => {
  const open = () => openReadModels({ store, ...(inFiles && { directory }) });

  it('has whole tables from the beginning when the log is empty, and follows it', async () => {
    const models = await open();
    expect(new Set(await isWhole(models))).toEqual(new Set([true]));
    models.start();
    await register('c1');
    expect(await models.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    const followed = await digests(models);
    for (const name of models.names) await models.rebuild(name);
    expect(await digests(models)).toEqual(followed);
    await models.stop();
  });

  it('does not answer before it has read a log that has events', async () => {
    await register('c1');
    const models = await open();
    expect(new Set(await isWhole(models))).toEqual(new Set([false]));
    models.start();
    expect(await models.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    expect(new Set(await isWhole(models))).toEqual(new Set([true]));
    await models.stop();
  });
});

it('the template has the tables, and its copy has a write-ahead log of full length', async () => {
  const files = join(directory, 'pglite');
  expect(copyTemplate(files, allTables)).toBe(true);
  const tables = (path: string) => readdirSync(join(path, 'base/5')).length;
  const without = join(directory, 'empty');
  expect(copyTemplate(without, 'no such tables')).toBe(true);
  expect(tables(files)).toBeGreaterThan(tables(without));
  for (const path of [files, without]) expect(existsSync(join(path, 'base/1'))).toBe(false);
});
