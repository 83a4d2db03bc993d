import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStores } from '#wiring/stores';
import { cli, Program } from './program.ts';

const MARK = 'geheim-7a2c';
let temporary: string;
let here: string;
let store: string;
beforeAll(async () => {
  here = process.cwd();
  temporary = mkdtempSync(join(tmpdir(), 'leadger-mistyped-'));
  store = join(temporary, 'store');
  await (await openStores({ directory: store })).close();
});
afterAll(() => rmSync(temporary, { recursive: true }));

const schemes = ['esdb+discovery://', 'esdb+x://', 'kurrent://', 'ESDB+DISCOVERY://', 'esdb:/'];
const places = schemes.map((scheme) => `${scheme}admin:${MARK}@127.0.0.1:2113`);

/** It fails, says so without the password, and makes nothing that is named after it. */
async function isRefused(ended: ReturnType<typeof cli>, why: RegExp): Promise<void> {
  const { code, stdout, stderr } = await ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(why);
  expect(stderr).not.toContain(MARK);
  expect(readdirSync(here).filter((name) => name.includes(':'))).toEqual([]);
}

test.each(places)('a copy to or from an address that is none of an event store is refused: %s', async (address) => {
  await isRefused(
    cli('copy', '--from', store, '--to', address),
    /the connection string of the event store is not esdb/,
  );
  await isRefused(
    cli('copy', '--from', address, '--to', store),
    /the connection string of the event store is not esdb/,
  );
});

test.each(places.slice(0, 2))('an address is said to be wrong, and no directory is looked for: %s', async (address) => {
  await isRefused(cli('verify', '--events', address), /the connection string of the event store is not esdb/);
  await isRefused(
    cli('digest', '--data', store, '--events', address),
    /the connection string of the event store is not/,
  );
});

test.each(places.slice(0, 2))('an address is no directory: %s', async (address) => {
  await isRefused(cli('verify', '--data', address), /is an address, and no directory for a store/);
  await isRefused(
    new Program('standalone', ['--port', '0', '--data', address]).ended,
    /is an address, and no directory/,
  );
});
