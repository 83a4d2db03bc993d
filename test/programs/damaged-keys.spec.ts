import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { waitUntil } from '#test/wait-until';
import { cli, type Program, serve } from './program.ts';

/*
 * A store in whose keys the disk damaged one, and in whose log one box. It costs the persons whose they are, and nobody else.
 */

let directory: string;
let program: Program;
let url: string;

const headers = { 'content-type': 'application/json', 'leadger-actor': 'staff:ada', 'leadger-reason': 'test' };
const names = ['Kim', 'Pat', 'Lee'];
let customerId: string;
const leadOf: Record<string, string> = {};

async function post(path: string, body: object, actor = 'staff:ada') {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...headers, 'leadger-actor': actor },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, string>;
}

type Lead = Record<string, unknown> & { readonly leadId: string; readonly contact: { firstName: string } | null };

const read = async (path: string) =>
  (await (await fetch(`${url}${path}`, { headers })).json()) as { readonly items: readonly Lead[] };

const leads = async () => (await read(`/api/customers/${customerId}/leads`)).items;

function damage(part: 'keys' | 'events', sql: string, ...values: unknown[]): void {
  const database = new Database(join(directory, part, `${part}.sqlite`));
  expect(database.prepare(sql).run(...values)).toMatchObject({ changes: 1 });
  database.close();
}

/** One character of the first box in an event. */
const damageBox = (stream: string) =>
  damage(
    'events',
    `UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '"box":"', '"box":"AAAA') AS BLOB)
     WHERE revision = 0 AND stream_id = (SELECT stream_id FROM streams WHERE name = ?)`,
    stream,
  );

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-damaged-keys-'));
  ({ program, url } = await serve(directory));
  const registration = { storeId: 'main', businessAssociation: 'Example', timeZone: 'UTC', email: 'a@example.org' };
  const registered = await post('/api/customers', { ...registration, password: 'correct horse battery' });
  customerId = registered.customerId as string;
  await post('/api/orders', { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' });
  for (const [index, firstName] of names.entries()) {
    const contact = { firstName, lastName: 'Example', telephone: `+1 212 555 014${index}` };
    await post('/api/leads', { leadTypeId: 'exclusive-fresh', source: 'web', contact }, 'system:web');
  }
  await waitUntil(async () => (await leads()).length === names.length);
  for (const { leadId, contact } of await leads()) leadOf[contact?.firstName as string] = leadId;
  await program.stop();
  damage('keys', 'UPDATE keys SET wrapped = substr(wrapped, 1, 20) WHERE subject = ?', `lead-${leadOf.Kim}`);
  damageBox(`lead-${leadOf.Pat}`);
  await rm(join(directory, 'read-models'), { recursive: true });
  ({ program, url } = await serve(directory));
  await waitUntil(async () => (await leads())?.length === names.length);
});
afterAll(async () => {
  await program.kill();
  await rm(directory, { recursive: true });
});

test('leads are listed and downloaded; those that are damaged are marked', async () => {
  const byId = new Map((await leads()).map((lead) => [lead.leadId, lead]));
  for (const firstName of ['Kim', 'Pat'])
    expect(byId.get(leadOf[firstName] as string)).toMatchObject({ contact: null, keyMissing: true });
  expect(byId.get(leadOf.Lee as string)).toMatchObject({ contact: { firstName: 'Lee' }, keyMissing: false });
  const csv = await (await fetch(`${url}/api/customers/${customerId}/leads.csv`, { headers })).text();
  expect(csv.trim().split('\r\n').slice(1).sort()).toHaveLength(3);
  expect(csv.match(/,yes\r$/gm)).toHaveLength(2);
});

test('health is yellow, and the metrics and the start say how many', async () => {
  expect(await read('/health')).toMatchObject({ status: 'yellow', keys: { missing: 0, damaged: 2 } });
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^leadger_keys_damaged 2$/m);
  expect(program.stderr).toMatch(/^leadger: 1 key of the newest events is damaged: /m);
});

test('the export goes on behind them, and marks them', async () => {
  const { code, stdout } = await cli('export', '--opened', '--data', directory);
  expect(code).toBe(0);
  expect(stdout.match(/"contact":\{"damaged":true\}/g)).toHaveLength(2);
  expect(stdout).toContain('"firstName":"Lee"');
});

test('verify counts damaged keys, and names the event whose box was changed', async () => {
  const { code, stdout } = await cli('verify', '--data', directory);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^1 key is damaged: /m);
  expect(stdout).toContain(`lead-${leadOf.Pat}@0`);
});

test('whose key was damaged and who is erased is counted no longer, without a start', async () => {
  for (const [firstName, damaged] of [
    ['Kim', 1],
    ['Pat', 0],
  ] as const) {
    await post('/api/persons/erasures', { person: { leadId: leadOf[firstName] } });
    expect(await read('/health')).toMatchObject({ keys: { missing: 0, damaged } });
  }
  expect(await read('/health')).toMatchObject({ status: 'green', degradedBy: [] });
});
