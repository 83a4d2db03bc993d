import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { customerStream } from '#domain/accounts/customer';
import type { Vault } from '#vault/vault';
import { VAULT } from '#wiring/tokens';
import { type Server, startServer } from './server.ts';

/** What must not be found anywhere: a reason that names a person. */
const MARKER = 'Quittenkuchen';
const why = { 'leadger-actor': 'staff:7', 'leadger-reason': `${MARKER} called` };

let directory: string;
let server: Server;
let customerId: string;
let orderId: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-reasons-'));
  server = await startServer({ directory });
  const registration = { storeId: 'main', businessAssociation: 'Abc', timeZone: 'America/New_York' };
  customerId = (await server.call('POST', '/api/customers', registration, why)).body.customerId;
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 3, paymentToken: 'tok_ok' };
  orderId = (await server.call('POST', '/api/orders', order, why)).body.orderId;
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

/** What a request with a reason does to each kind of stream. Each is accepted. */
const requests: readonly (readonly [title: string, method: string, path: () => string, body?: () => object])[] = [
  ['an order', 'POST', () => `/api/orders/${orderId}/pause`],
  ['an account', 'PUT', () => `/api/customers/${customerId}/time-zone`, () => ({ timeZone: 'America/Denver' })],
  ['a ticket', 'POST', () => '/api/tickets', () => ({ customerId, subject: 'Leads', message: 'Where are they?' })],
  ['a lead', 'POST', () => '/api/leads', () => lead('+1 212 555 0142')],
  ['leads in a file', 'POST', () => '/api/leads/batches', () => lead('+1 212 555 0143')],
  ['the catalogue', 'PUT', () => '/api/statement-descriptor', () => ({ statementDescriptor: 'LEADS' })],
  [
    'a coupon',
    'POST',
    () => '/api/coupons',
    () => ({ couponCode: 'TEN', storeIds: ['main'], discount: { percent: 10 } }),
  ],
  ['a look at the whole history', 'GET', () => `/api/customers/${customerId}/whole-history`],
];

const lead = (telephone: string) => ({ leadTypeId: 'exclusive-fresh', source: 'page', contact: { telephone } });

test('a reason is in no byte of the data directory, in no metric and in no log line', async () => {
  for (const [title, method, path, body] of requests) {
    const isFile = title === 'leads in a file';
    const headers = isFile ? { ...why, 'content-type': 'application/x-ndjson' } : why;
    const sent = isFile ? `${JSON.stringify(body?.())}\n` : body?.();
    const { status } = await server.call(method, path(), sent, headers);
    expect([title, status < 300]).toEqual([title, true]);
  }
  await server.settle();
  const { text: metrics } = await server.call('GET', '/metrics');
  expect(metrics).not.toContain(MARKER);
  expect(server.errors.join()).not.toContain(MARKER);
  expect(await filesWith(MARKER)).toEqual([]);
});

test('a history shows it, until the customer is erased', async () => {
  const reason = async () => (await server.call('GET', `/api/orders/${orderId}/history`)).body.events[0].reason;
  expect(await reason()).toBe(`${MARKER} called`);
  await server.application.get<Vault>(VAULT).erase(customerStream(customerId));
  expect(await reason()).toEqual({ erased: true });
});

test('a history shows what was read for a decision, by whom and how it is known', async () => {
  const { events } = (await server.call('GET', `/api/orders/${orderId}/history`)).body;
  expect(events[0]).toMatchObject({
    actor: 'staff:7',
    authenticated: 'trial-header',
    basis: { [`customer-${customerId}`]: 0, 'catalogue-main': expect.any(Number), 'policy-main': 0 },
    effectiveAt: server.clock.now(),
  });
  expect(events[1]).toMatchObject({ authenticated: 'process', eventsSeen: expect.any(Number) });
});

/** The text as it is, or in base64 at any offset. */
const formsOf = (text: string): readonly string[] => [
  text,
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${'.'.repeat(before)}${text}`)
      .toString('base64')
      .slice(before === 0 ? 0 : 4, 4 * Math.floor((before + text.length) / 3)),
  ),
];

async function filesWith(text: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    if (formsOf(text).some((form) => bytes.includes(form))) found.push(file);
  }
  return found;
}
