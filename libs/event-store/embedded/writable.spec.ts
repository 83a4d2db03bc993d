import { chmodSync, cpSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewEvent } from '../port.ts';
import { openEmbeddedStore } from './embedded-store.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-writable-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const large = (): NewEvent => ({
  id: crypto.randomUUID(),
  type: 'Something',
  data: new Uint8Array(200_000),
  metadata: new Uint8Array(2),
});
const openIn = (options: { maxPages?: number; readOnly?: boolean } = {}) =>
  openEmbeddedStore({ directory, ...options });
const failureOf = async (store: Awaited<ReturnType<typeof openIn>>) => (await store.whyNotWritable?.())?.code;

test('a log that can be written has nothing against it, and no file stays behind', async () => {
  const store = await openIn();
  expect(await failureOf(store)).toBeUndefined();
  expect(readdirSync(directory).filter((name) => !name.startsWith('events.sqlite'))).toEqual([]);
  await store.close();
});

test('a log that was removed is found, although it could still be appended to', async () => {
  const store = await openIn();
  rmSync(directory, { recursive: true });
  expect(await failureOf(store)).toBe('damaged');
  await store.close();
});

test('a log in whose place another one was put is found', async () => {
  const store = await openIn();
  const moved = `${directory}-moved`;
  renameSync(directory, moved);
  cpSync(moved, directory, { recursive: true });
  expect(await failureOf(store)).toBe('damaged');
  await store.close();
  rmSync(moved, { recursive: true });
});

/** The superuser may write everywhere. */
const testAsUser = process.getuid?.() === 0 ? test.skip : test;

testAsUser('a directory that cannot be written is found', async () => {
  const store = await openIn();
  chmodSync(directory, 0o500);
  expect(await failureOf(store)).toBe('read-only');
  chmodSync(directory, 0o700);
  await store.close();
});

test('a full disk is found by the append that failed, until one succeeds', async () => {
  const store = await openIn({ maxPages: 40 });
  await expect(store.append('some-1', [large()], 'any')).rejects.toMatchObject({ code: 'store-full' });
  expect(await failureOf(store)).toBe('store-full');
  await store.append('some-1', [{ ...large(), data: new Uint8Array(2) }], 'any');
  expect(await failureOf(store)).toBeUndefined();
  await store.close();
});

test('a log that was opened for reading says so', async () => {
  const store = await openIn();
  const reader = await openIn({ readOnly: true });
  expect(await failureOf(reader)).toBe('store-unavailable');
  await reader.close();
  await store.close();
});
