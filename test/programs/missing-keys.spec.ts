import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { proveAddress } from '#test/mail-copies';
import { waitUntil } from '#test/wait-until';
import { cli, type Program, serve } from './program.ts';

/*
 * A store whose keys are an older backup: the keys of one customer, of the reason for a look at them, and of one lead are missing.
 * It costs these two, and nobody else.
 */

let directory: string;
let program: Program;
let url: string;

const password = 'correct horse battery staple';
const contacts = [
  { firstName: 'Kim', lastName: 'Example', telephone: '+1 212 555 0144' },
  { firstName: 'Pat', lastName: 'Example', telephone: '+1 212 555 0143' },
];
const ids = { whole: '', keyless: '', order: '' };

const headers = { 'content-type': 'application/json', 'leadger-actor': 'staff:ada', 'leadger-reason': 'test' };

async function post(path: string, body: object, actor = 'staff:ada') {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...headers, 'leadger-actor': actor },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

type Answer = Record<string, unknown> & { readonly items: (Record<string, unknown> & { readonly contact?: object })[] };

const read = async (path: string) => (await (await fetch(`${url}${path}`, { headers })).json()) as Answer;

async function register(email: string): Promise<string> {
  const registration = { storeId: 'main', businessAssociation: email, timeZone: 'UTC', email, password };
  const customerId = (await post('/api/customers', registration)).body.customerId as string;
  const isMailed = async () => (await read(`/api/mails?customerId=${customerId}`)).items[0]?.status === 'sent';
  await waitUntil(isMailed);
  await proveAddress({ read, ask }, customerId);
  return customerId;
}

async function ask(method: string, path: string, body?: unknown) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${url}${path}`, { method, headers, ...sent });
  return path.endsWith('/copy') ? answer.text() : answer.json();
}

const leadsOf = async (customerId: string) => (await read(`/api/customers/${customerId}/leads`)).items;

function loseKeys(...subjects: string[]): void {
  const keys = new Database(join(directory, 'keys', 'keys.sqlite'));
  for (const subject of subjects)
    expect(keys.prepare('DELETE FROM keys WHERE subject GLOB ?').run(subject)).toMatchObject({ changes: 1 });
  keys.close();
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-missing-keys-'));
  ({ program, url } = await serve(directory));
  ids.whole = await register('whole@example.org');
  ids.keyless = await register('keyless@example.org');
  // The key of the reasons of erasures is made with the first one: no backup lacks it.
  await post('/api/persons/erasures', { person: { customerId: await register('gone@example.org') } });
  const order = { customerId: ids.whole, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' };
  ids.order = (await post('/api/orders', order)).body.orderId as string;
  for (const contact of contacts)
    await post('/api/leads', { leadTypeId: 'exclusive-fresh', source: 'web', contact }, 'system:web');
  await waitUntil(async () => (await leadsOf(ids.whole)).length === 2);
  const [newest] = await leadsOf(ids.whole);
  await read(`/api/customers/${ids.keyless}/whole-history`);
  await program.stop();
  loseKeys(`customer-${ids.keyless}`, `looks-${ids.keyless}/*`, `lead-${newest?.leadId}`);
  ({ program, url } = await serve(directory));
});
afterAll(async () => {
  await program.kill();
  await rm(directory, { recursive: true });
});

test('a list shows everybody, and marks who has no key', async () => {
  const { items } = await read('/api/customers');
  expect(items).toHaveLength(3);
  const byId = new Map(items.map((item) => [item.customerId, item]));
  expect(byId.get(ids.whole)).toMatchObject({ email: 'whole@example.org', keyMissing: false });
  expect(byId.get(ids.keyless)).toMatchObject({ email: null, keyMissing: true });
  expect(await read(`/api/customers/${ids.keyless}`)).toMatchObject({ email: null, keyMissing: true });
});

test('leads are listed, searched and downloaded; one of them is marked', async () => {
  const [newest, oldest] = await leadsOf(ids.whole);
  expect(newest).toMatchObject({ contact: null, keyMissing: true });
  expect(oldest?.contact).toMatchObject({ lastName: 'Example' });
  expect((await read(`/api/customers/${ids.whole}/leads?search=example`)).items).toEqual([oldest]);
  const csv = await (await fetch(`${url}/api/customers/${ids.whole}/leads.csv`, { headers })).text();
  const [head, ...lines] = csv.trim().split('\r\n');
  expect(head).toMatch(/,keyMissing$/);
  expect(lines).toEqual([expect.stringMatching(/,yes$/), expect.stringMatching(/Example.*,$/)]);
});

test('others sign in; who has no key does not', async () => {
  const signIn = (email: string) => post('/api/sign-ins', { email, password });
  expect((await signIn('whole@example.org')).status).toBe(200);
  expect(await signIn('keyless@example.org')).toMatchObject({ status: 401, body: { code: 'sign-in-failed' } });
});

test('health is yellow, the metrics and the start say how many, and verify counts them', async () => {
  expect(await read('/health')).toMatchObject({ ok: true, status: 'yellow', keys: { missing: 3 } });
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^leadger_keys_missing 3$/m);
  expect(program.stderr).toMatch(/^leadger: 3 keys of the newest events are missing/);
  const { code, stdout } = await cli('verify', '--data', directory);
  expect(code).toBe(0);
  expect(stdout).toContain('3 keys are missing');
});

describe('a person without a key who is erased', () => {
  const erase = (person: object) => post('/api/persons/erasures', { person });
  const restart = async (meanwhile: () => Promise<void>) => {
    await program.stop();
    await meanwhile();
    ({ program, url } = await serve(directory));
  };
  const backup = () => join(directory, 'keys-of-before');

  const expectErased = async () => {
    expect(await read('/health')).toMatchObject({ status: 'green', degradedBy: [], keys: { missing: 0 } });
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^leadger_keys_missing 0$/m);
    expect(await read(`/api/customers/${ids.keyless}`)).toMatchObject({ email: null, keyMissing: false });
    expect(await leadsOf(ids.whole)).toMatchObject([{ contact: null, keyMissing: false }, {}]);
    const { stdout } = await cli('timeline', 'customer', ids.keyless, '--data', directory);
    expect(stdout).toMatch(/email\.erased +true/);
    expect(stdout).not.toContain('keyMissing');
  };
  const expectVerified = async () => {
    const { code, stdout } = await cli('verify', '--data', directory);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/keys? (is|are) missing/);
  };

  test('is erased like anybody, at once: nothing asks for a backup any more', async () => {
    await cp(join(directory, 'keys'), backup(), { recursive: true });
    expect(await erase({ customerId: ids.keyless })).toMatchObject({ body: { customers: 1, leads: 0 } });
    const [newest] = await leadsOf(ids.whole);
    expect(await erase({ leadId: newest?.leadId })).toMatchObject({ body: { customers: 0, leads: 1 } });
    await expectErased();
    await expectVerified();
  });

  test('stays so after a start', async () => {
    await restart(async () => {});
    await expectErased();
    expect(program.stderr).not.toMatch(/missing|older than the log/);
  });

  test('stays so when the older keys are restored once more, before a start and after it', async () => {
    await restart(async () => {
      await rm(join(directory, 'keys'), { recursive: true });
      await cp(backup(), join(directory, 'keys'), { recursive: true });
      await expectVerified();
    });
    await expectErased();
    expect(program.stderr).not.toMatch(/missing|older than the log/);
    await expectVerified();
  });
});
