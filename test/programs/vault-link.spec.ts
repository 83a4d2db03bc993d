import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyLog } from '#audit/copy-log';
import { ownEventsOf } from '#event-store/own-events';
import { openEvents, openStores } from '#wiring/stores';
import { cli, Program, serve } from './program.ts';

let temporary: string;
/** A stopped store in which one customer is registered. */
let zoes: string;
let zoe: string;
/** Another one, with keys of its own. */
let other: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-vault-link-'));
  [zoes, other] = [join(temporary, 'zoes'), join(temporary, 'other')];
  zoe = await registerIn(zoes, 'Zoë');
  await registerIn(other, 'Zoë');
});
afterAll(() => rm(temporary, { recursive: true }));

/** Starts the store, registers a customer, and stops it. @returns the id of the customer */
async function registerIn(directory: string, firstName: string): Promise<string> {
  const { program, url } = await serve(directory);
  const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
  const body = JSON.stringify({ ...customer, name: { firstName, lastName: 'Doe' } });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/customers`, { method: 'POST', headers, body });
  expect(answer.status).toBe(201);
  expect(await program.stop()).toMatchObject({ code: 0, stderr: '' });
  return ((await answer.json()) as { customerId: string }).customerId;
}

/** A copy of {@link zoes}: to copy a store takes less than to start one. */
async function storeIn(name: string): Promise<string> {
  const directory = join(temporary, name);
  await cp(zoes, directory, { recursive: true });
  return directory;
}

/** The same store as the version before wrote it: with the same keys, and a log that names no vault. */
async function olderOf(directory: string, name: string): Promise<string> {
  const older = join(temporary, name);
  await cp(directory, older, { recursive: true });
  for (const part of ['events', 'read-models']) await rm(join(older, part), { recursive: true });
  const [source, target] = [await openEvents({ directory, readOnly: true }), await openEvents({ directory: older })];
  await copyLog(ownEventsOf(source, { wrote: ({ stream }) => stream !== 'vault-main' }), target);
  await source.close();
  await target.close();
  return older;
}

async function eventsIn(directory: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const { code, stdout } = await cli('export', '--data', directory);
  expect(code).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const namesOfVault = async (directory: string) =>
  (await eventsIn(directory)).flatMap(({ type, data }) => (type === 'VaultNamed' ? [data.fingerprint] : []));

const startAndStop = async (directory: string) => (await serve(directory)).program.stop();

/** The program does not start, and says why in one line. */
async function refuses(directory: string, why: RegExp): Promise<void> {
  const { code, stdout, stderr } = await new Program('standalone', ['--data', directory, '--port', '0']).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^leadger: [^\n]+\n$/);
  expect(stderr).toMatch(why);
}

const NO_KEYS = /keys holds no keys: put the keys of this log there, from their backup/;
const OTHER_KEYS = /keys holds the keys of another log: .*put the keys of this log there, from their backup/;

test('the log of a new store begins with the fingerprint of its vault, and later starts do not repeat it', async () => {
  const directory = await storeIn('new');
  const [first] = await eventsIn(directory);
  expect(first).toMatchObject({ type: 'VaultNamed', data: { fingerprint: expect.stringMatching(/^[\w-]{22}$/) } });
  await startAndStop(directory);
  expect(await namesOfVault(directory)).toEqual([first?.data.fingerprint]);
});

test('a store without its keys does not start and makes no new ones; with them it starts again', async () => {
  const directory = await storeIn('missing');
  const [keys, away] = [join(directory, 'keys'), join(temporary, 'away')];
  await rename(keys, away);
  await refuses(directory, NO_KEYS);
  expect(existsSync(keys)).toBe(false);
  for (const command of [['verify'], ['timeline', 'policy', 'main'], ['rebuild', '--all']])
    expect(await cli(...command, '--data', directory)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^leadger: .*holds no keys.*\n$/),
    });
  await rename(away, keys);
  expect(await startAndStop(directory)).toMatchObject({ code: 0, stderr: '' });
});

test.each(['empty', 'cut'])('a key store that is half written does not start: %s', async (how) => {
  const directory = await storeIn(`half-${how}`);
  const file = join(directory, 'keys', 'keys.sqlite');
  for (const name of await readdir(join(directory, 'keys')))
    if (name.startsWith('keys.sqlite')) await rm(join(directory, 'keys', name));
  await writeFile(file, how === 'empty' ? '' : 'SQLite format 3\0 and no more', { mode: 0o600 });
  await refuses(directory, how === 'empty' ? NO_KEYS : /keys (is damaged|holds a file that is not a database)/);
});

test('a store with the keys of another one does not start, and nothing reads it', async () => {
  const one = await storeIn('one');
  const own = join(temporary, 'own-keys');
  await rename(join(one, 'keys'), own);
  await cp(join(other, 'keys'), join(one, 'keys'), { recursive: true });
  await refuses(one, OTHER_KEYS);
  const command = ['export', '--opened', '--data', one];
  expect(await cli(...command)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(OTHER_KEYS) });
  const toServers = ['--to', 'esdb://127.0.0.1:1?tls=false', '--keys-to', 'postgres://127.0.0.1:1/none'];
  expect(await cli('copy', '--from', one, ...toServers)).toMatchObject({ stderr: expect.stringMatching(OTHER_KEYS) });
  await rm(join(one, 'keys'), { recursive: true });
  await rename(own, join(one, 'keys'));
  expect(await startAndStop(one)).toMatchObject({ code: 0, stderr: '' });
});

test('keys from an older backup open the log; what has no key is marked, and the rest is shown', async () => {
  const directory = await storeIn('restored');
  await cp(join(directory, 'keys'), join(temporary, 'backup'), { recursive: true });
  const after = await registerIn(directory, 'Ann');
  await rm(join(directory, 'keys'), { recursive: true });
  await rename(join(temporary, 'backup'), join(directory, 'keys'));
  const { program, url } = await serve(directory);
  const nameIn = async (customerId: string) => {
    const headers = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'a complaint' };
    const answer = await fetch(`${url}/api/customers/${customerId}/whole-history`, { headers });
    const { items } = (await answer.json()) as { items: { type: string; data: { name?: unknown } }[] };
    return items.find(({ type }) => type === 'CustomerRegistered')?.data.name;
  };
  expect(await nameIn(zoe)).toEqual({ firstName: 'Zoë', lastName: 'Doe' });
  expect(await nameIn(after)).toEqual({ keyMissing: true });
  const warning = expect.stringMatching(/^leadger: 1 key of the newest events is missing: [^\n]+\n$/);
  expect(await program.stop()).toMatchObject({ code: 0, stderr: warning });
  const exported = await cli('export', '--opened', '--data', directory);
  expect(exported.code).toBe(0);
  expect(exported.stdout).toContain('Zoë');
  expect(exported.stdout).toContain('"name":{"keyMissing":true}');
  const timeline = await cli('timeline', 'customer', after, '--data', directory);
  expect(timeline).toMatchObject({ code: 0, stderr: '' });
});

test('a crash after the keys were made and before the log names them is mended by the next start', async () => {
  const directory = join(temporary, 'crashed');
  await (await openStores({ directory })).close();
  expect(existsSync(join(directory, 'keys', 'keys.sqlite'))).toBe(true);
  await startAndStop(directory);
  expect(await namesOfVault(directory)).toHaveLength(1);
});

describe('keys whose log is gone do not start as a new shop; with the log they start again', () => {
  const LOST_LOG = /keys holds the keys of vault [\w-]{22}, but their log is empty: put the log back from its backup/;

  test.each(['removed', 'emptied', 'of 0 bytes'])('the log is %s', async (how) => {
    const directory = await storeIn(`log-${how}`);
    const [events, backup] = [join(directory, 'events'), join(temporary, `log-backup-${how}`)];
    await cp(events, backup, { recursive: true });
    await rm(events, { recursive: true });
    if (how !== 'removed') await mkdir(events, { mode: 0o700 });
    if (how === 'of 0 bytes') await writeFile(join(events, 'events.sqlite'), '', { mode: 0o600 });
    await refuses(directory, LOST_LOG);
    await refuses(directory, LOST_LOG);
    // Over what is there, as somebody does who follows the message.
    await cp(backup, events, { recursive: true });
    expect(await startAndStop(directory)).toMatchObject({ code: 0, stderr: '' });
    expect(await namesOfVault(directory)).toEqual(await namesOfVault(zoes));
  });

  test('a store without persons, too', async () => {
    const directory = join(temporary, 'no-persons');
    await startAndStop(directory);
    await rm(join(directory, 'events'), { recursive: true });
    await refuses(directory, LOST_LOG);
  });
});

describe('a store of the version before', () => {
  test('gets the fingerprint of its vault at its first start, once, and is then bound to it', async () => {
    const older = await olderOf(zoes, 'older');
    expect(await namesOfVault(older)).toEqual([]);
    // Its customers were registered on a vault's stream, which this copy lacks.
    const { stdout } = await cli('verify', '--data', older);
    expect(stdout.match(/BROKEN.*/g)).toEqual([expect.stringContaining('decided on events that the log did not have')]);
    await startAndStop(older);
    await startAndStop(older);
    expect(await namesOfVault(older)).toEqual(await namesOfVault(zoes));
  });

  test('does not start without its keys, or with keys that open none of its boxes', async () => {
    const older = await olderOf(zoes, 'older-2');
    await rm(join(older, 'keys'), { recursive: true });
    await refuses(older, NO_KEYS);
    await cp(join(other, 'keys'), join(older, 'keys'), { recursive: true });
    await refuses(older, OTHER_KEYS);
  });
});

test('a copy of a log starts with the keys of the original only', async () => {
  const copy = join(temporary, 'copy');
  expect(await cli('copy', '--from', zoes, '--to', copy)).toMatchObject({ code: 0 });
  await refuses(copy, NO_KEYS);
  await cp(join(zoes, 'keys'), join(copy, 'keys'), { recursive: true });
  expect(await startAndStop(copy)).toMatchObject({ code: 0, stderr: '' });
  expect(await namesOfVault(copy)).toEqual(await namesOfVault(zoes));
});
