import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { jest } from '@jest/globals';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { waitUntil } from '#test/wait-until';
import { ordersAndLeads } from './orders-and-leads.ts';
import { type Server, startServer } from './server.ts';

let log: EventStore;
let node: WireNode;
let administrator: EventStoreDBClient;
let server: Server;
beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  log = await openEmbeddedStore();
  node = await startWireNode({ store: log, writable: true });
  administrator = EventStoreDBClient.connectionString(node.connectionString as never);
  server = await startServer({ eventStoreDb: node.connectionString });
});
afterAll(async () => {
  await server.stop();
  await administrator.dispose();
  await node.close();
  await log.close();
});

const asStaff = { 'leadger-actor': 'staff:7', 'leadger-reason': 'looks' };
const read = async (path: string) => (await server.call('GET', path, undefined, asStaff)).body;
const isDamaged = async (stream: string) =>
  (await read('/api/damaged-streams')).items.some((item: { stream: string }) => item.stream === stream);

const { placeOrder: placeOrderOf, sendLead } = ordersAndLeads(() => server);
const placeOrder = (quantity = 5) => placeOrderOf(quantity);

const marksOfOrders = async (): Promise<Record<string, boolean>> =>
  Object.fromEntries(
    (await read('/api/orders')).items.map((order: { orderId: string; damaged: boolean }) => [
      order.orderId,
      order.damaged,
    ]),
  );

const deliveredTo = async (orderId: string): Promise<string[]> =>
  (await server.call('GET', `/api/orders/${orderId}/history`, undefined, asStaff)).body.events
    .filter(({ type }: { type: string }) => type === 'LeadDelivered')
    .map(({ data }: { data: { leadId: string } }) => data.leadId);

test('an order whose stream is cut is not decided on; others get the leads, and it goes on when that is taken back', async () => {
  const { orderId } = await placeOrder();
  const other = await placeOrder();
  await administrator.setStreamMetadata(`order-${orderId}`, { maxCount: 1 });
  await waitUntil(() => isDamaged(`order-${orderId}`));
  const refused = await server.call('POST', `/api/orders/${orderId}/pause`);
  expect(refused).toMatchObject({ status: 423, body: { code: 'stream-damaged' } });
  const history = await read(`/api/orders/${orderId}/history`);
  expect(history).toMatchObject({ state: null, damaged: expect.stringContaining('before revision 1') });
  expect(history.events).toHaveLength(2);
  const shown = await server.call('GET', `/api/orders/${orderId}`);
  expect(shown.headers.get('leadger-damaged')).toBe(`order-${orderId}`);
  expect((await server.call('GET', `/api/orders/${other.orderId}`)).headers.get('leadger-damaged')).toBeNull();
  expect(await marksOfOrders()).toEqual({ [orderId]: true, [other.orderId]: false });
  await server.settle();
  const given = [await sendLead(), await sendLead()];
  expect(await deliveredTo(other.orderId)).toEqual(given);

  const attention = (await read('/api/attention?reason=damaged')).items;
  expect(attention).toMatchObject([{ orderId, customerId: expect.any(String), damaged: true }]);
  expect(await read('/health')).toMatchObject({
    ok: true,
    status: 'yellow',
    streams: { damaged: 1, sight: 'watching' },
  });
  expect((await server.call('GET', '/metrics')).text).toMatch(/^leadger_streams_damaged 1$/m);

  await administrator.setStreamMetadata(`order-${orderId}`, {});
  await waitUntil(async () => !(await isDamaged(`order-${orderId}`)));
  expect(await marksOfOrders()).toMatchObject({ [orderId]: false });
  await server.settle();
  const next = await sendLead();
  expect(await deliveredTo(orderId)).toEqual([next]);
  expect(await server.call('POST', `/api/orders/${orderId}/pause`)).toMatchObject({ status: 200 });
  await server.call('POST', `/api/orders/${other.orderId}/pause`);
});

test('a lead whose stream was ended for ever cannot be returned; its history is marked, and shows what the log has', async () => {
  const { orderId, customerId } = await placeOrder();
  const leadId = await sendLead();
  const leads = `/api/customers/${customerId}/leads`;
  expect((await read(leads)).items).toMatchObject([{ leadId, damaged: false }]);
  await administrator.tombstoneStream(`lead-${leadId}`);
  await waitUntil(() => isDamaged(`lead-${leadId}`));
  const returned = await server.call('POST', '/api/replacements', { orderId, leadId, reason: 'wrong number' });
  expect(returned).toMatchObject({ status: 423, body: { code: 'stream-damaged' } });
  const history = await read(`/api/leads/${leadId}/history`);
  expect(history).toMatchObject({ state: null, damaged: 'it was deleted for ever' });
  expect(history.events.map(({ type }: { type: string }) => type)).toEqual(['LeadReceived', 'LeadAssigned']);
  expect((await read(leads)).items).toMatchObject([{ leadId, damaged: true }]);
  expect((await read(`${leads}?fields=damaged`)).items).toEqual([{ damaged: true }]);
  const [head, row] = (await server.call('GET', `${leads}.csv`, undefined, asStaff)).text.trim().split('\r\n');
  expect([head, row]).toEqual([expect.stringMatching(/,damaged,keyMissing$/), expect.stringMatching(/,yes,$/)]);
  const [listed] = (await read('/api/damaged-streams')).items.slice(-1);
  expect(listed).toMatchObject({ how: 'tombstoned', refused: true, wayBack: expect.stringContaining('leadger copy') });
  expect(await server.call('POST', `/api/orders/${orderId}/pause`)).toMatchObject({ status: 200 });
});

test('an order to whose stream another program writes is named within seconds', async () => {
  const { orderId } = await placeOrder();
  const foreign = jsonEvent({ type: 'InvoiceSent', data: { cents: 100 } });
  await administrator.appendToStream(`order-${orderId}`, [foreign]);
  await waitUntil(() => isDamaged(`order-${orderId}`));
  const [listed] = (await read('/api/damaged-streams')).items.slice(-1);
  expect(listed).toMatchObject({ how: 'foreign', firstRevision: 2, wayBack: expect.stringContaining('leadger copy') });
  expect(await read('/health')).toMatchObject({ ok: true, status: 'yellow', streams: { foreign: 1 } });
  expect((await server.call('GET', '/metrics')).text).toMatch(/^leadger_streams_foreign 1$/m);
  const attention = (await read('/api/attention?reason=damaged')).items;
  expect(attention.map((item: { orderId: string }) => item.orderId)).toContain(orderId);
  expect(await marksOfOrders()).toMatchObject({ [orderId]: true });
  const refused = await server.call('POST', `/api/orders/${orderId}/pause`);
  expect(refused).toMatchObject({ status: 423, body: { code: 'stream-damaged' } });
  const history = await read(`/api/orders/${orderId}/history`);
  expect(history).toMatchObject({ state: null, damaged: expect.stringContaining('another program writes to it') });
  expect(history.events.map(({ type }: { type: string }) => type)).toEqual(['OrderPlaced', 'PaymentCaptured']);
});

test('an order whose stream was deleted is not taken for one that never was', async () => {
  const { orderId } = await placeOrder();
  await administrator.deleteStream(`order-${orderId}`);
  await waitUntil(() => isDamaged(`order-${orderId}`));
  expect(await server.call('POST', `/api/orders/${orderId}/pause`)).toMatchObject({ status: 423 });
  const history = await read(`/api/orders/${orderId}/history`);
  expect(history).toMatchObject({ state: null, damaged: 'it was deleted' });
  expect(history.events).toHaveLength(2);
});
