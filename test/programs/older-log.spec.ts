import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#test/wait-until';
import { cli, type Program, serve } from './program.ts';

/* A customer is erased, and then the log is restored from an older backup. The destroyed keys say who was erased. */

let directory: string;
let program: Program;
let url: string;
let customerId: string;

const headers = { 'content-type': 'application/json', 'leadger-actor': 'staff:ada', 'leadger-reason': 'test' };
const post = async (path: string, body: object) =>
  (await (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as Record<
    string,
    string
  >;
type Row = Readonly<Record<string, unknown>>;
/** Nothing while the read model is being built. */
const listed = async (what: string) => {
  const answer = await fetch(`${url}/api/${what}?customerId=${customerId}`, { headers });
  return ((await answer.json()) as { items?: Row[] }).items ?? [];
};

beforeAll(async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'leadger-older-log-'));
  directory = join(temporary, 'data');
  ({ program, url } = await serve(directory));
  const customer = { storeId: 'main', businessAssociation: 'ABC', timeZone: 'UTC', email: 'buyer@example.org' };
  customerId = (await post('/api/customers', customer)).customerId as string;
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' };
  await post('/api/orders', { ...order, loyalty: { cadence: 'weekly' } });
  await post('/api/tickets', { customerId, subject: 'Leads', message: 'Where?' });
  await waitUntil(async () => (await listed('orders'))[0]?.status === 'open');
  await program.stop();
  await cp(join(directory, 'events'), join(temporary, 'events'), { recursive: true });
  const erased = await cli('person', 'erase', '--customer', customerId, '--reason', 'asked', '--data', directory);
  expect(erased).toMatchObject({ code: 0, stderr: '' });
  await rm(join(directory, 'events'), { recursive: true });
  await cp(join(temporary, 'events'), join(directory, 'events'), { recursive: true });
  await rm(join(directory, 'read-models'), { recursive: true });
});
afterAll(async () => {
  await program.kill();
  await rm(join(directory, '..'), { recursive: true });
});

test('the start says that there are erasures which this log does not know, once', async () => {
  ({ program, url } = await serve(directory));
  expect(program.stderr).toMatch(/^leadger: 1 destroyed key belongs to a person whose erasure this log does not know/);
  await waitUntil(async () => (await listed('orders'))[0]?.status === 'cancelled');
  await program.stop();
  ({ program, url } = await serve(directory));
  expect(program.stderr).toBe('');
});

test('what the customer had ends, and no lead arrives any more', async () => {
  const statusOf = async (what: string) => (await listed(what)).map(({ status }) => status);
  await waitUntil(async () => (await statusOf('tickets'))[0] === 'closed');
  for (const what of ['orders', 'programmes']) await waitUntil(async () => (await statusOf(what))[0] === 'cancelled');
  const { leadId } = await post('/api/leads', {
    leadTypeId: 'exclusive-fresh',
    source: 'web',
    contact: { firstName: 'Zed', telephone: '+1 501 555 1234' },
  });
  await waitUntil(async () => (await fetch(`${url}/api/leads/${leadId}`, { headers })).status === 200);
  expect(await listed('orders')).toMatchObject([{ status: 'cancelled', deliveredLeads: 0 }]);
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 2, paymentToken: 'tok_ok' };
  expect(await post('/api/orders', order)).toMatchObject({ code: 'person-erased' });
  await program.stop();
  expect((await cli('verify', '--data', directory)).stdout).toContain('all laws hold');
});
