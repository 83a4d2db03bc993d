import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
let others: EventStoreDBClient;
let server: Server;
let directory: string;
beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  log = await openEmbeddedStore();
  node = await startWireNode({ store: log, writable: true });
  others = EventStoreDBClient.connectionString(node.connectionString as never);
  directory = mkdtempSync(join(tmpdir(), 'leadger-e2e-'));
  server = await startServer({ directory, eventStoreDb: node.connectionString });
});
afterAll(async () => {
  await server.stop();
  await others.dispose();
  await node.close();
  await log.close();
  rmSync(directory, { recursive: true });
});

const asStaff = { 'leadger-actor': 'staff:7', 'leadger-reason': 'looks' };
const read = async (path: string) => (await server.call('GET', path, undefined, asStaff)).body;
const damaged = async (): Promise<string[]> =>
  (await read('/api/damaged-streams')).items.map(({ stream }: { stream: string }) => stream);

const note = (stream: string) =>
  others.appendToStream(stream, [jsonEvent({ type: 'Note', data: { x: 1 }, metadata: { by: 'crm' } })]);
const link = (stream: string) => others.appendToStream(stream, [jsonEvent({ type: '$>', data: { to: '0@shop-1' } })]);
/** Written as the ledger writes, by a version that is newer. */
const fromTheFuture = (stream: string) => {
  const metadata = { commandId: 'c', correlationId: 'c', actor: 'staff:7' };
  return others.appendToStream(stream, [jsonEvent({ type: 'OrderBlessed', data: { at: 'soon' }, metadata })]);
};

const { placeOrder: placeOrderOf, sendLead } = ordersAndLeads(() => server);
const placeOrder = (quantity = 20) => placeOrderOf(quantity);

const deliveredTo = async (orderId: string): Promise<string[]> =>
  (await read(`/api/orders/${orderId}/history`)).events
    .filter(({ type }: { type: string }) => type === 'LeadDelivered')
    .map(({ data }: { data: { leadId: string } }) => data.leadId);

test('an event of another program in an order, a lead or a customer damages that, and everybody else is served', async () => {
  const inStock = await sendLead();
  const [noted, linked] = [await placeOrder(), await placeOrder()];
  await note(`order-${noted.orderId}`);
  await link(`order-${linked.orderId}`);
  await note(`lead-${inStock}`);
  await link(`customer-${noted.customerId}`);
  await waitUntil(async () => (await damaged()).length === 4);
  const served = await placeOrder();
  const given = [await sendLead(), await sendLead()];
  expect(await deliveredTo(served.orderId)).toEqual(given);
  expect(await server.call('POST', `/api/orders/${noted.orderId}/pause`)).toMatchObject({ status: 423 });
  expect(await read('/health')).toMatchObject({ ok: true, status: 'yellow', streams: { foreign: 4 } });
  await server.call('POST', `/api/orders/${served.orderId}/pause`);
});

test('an event of ours that this version does not know holds up its order only', async () => {
  const blessed = await placeOrder(1);
  await fromTheFuture(`order-${blessed.orderId}`);
  const served = await placeOrder();
  const given = [await sendLead(), await sendLead(), await sendLead()];
  expect(await deliveredTo(served.orderId)).toEqual(expect.arrayContaining([given[2]]));
  const refused = await server.call('POST', `/api/orders/${blessed.orderId}/pause`);
  expect(refused).toMatchObject({ status: 500, body: { code: 'unreadable-event' } });
  expect(await read('/health')).toMatchObject({ ok: true });
});

test('an event of another program in the catalogue ends no program, and it starts again', async () => {
  const before = await placeOrder();
  const pause = () => server.call('POST', `/api/orders/${before.orderId}/pause`);
  await note('catalogue-main');
  await waitUntil(async () => (await damaged()).includes('catalogue-main'));
  expect(await pause()).toMatchObject({ status: 423, body: { code: 'stream-damaged' } });
  await server.settle();
  expect(await read('/health')).toMatchObject({ ok: true, status: 'yellow' });
  await server.stop();
  server = await startServer({ directory, eventStoreDb: node.connectionString });
  await waitUntil(async () => (await damaged()).includes('catalogue-main'));
  await server.settle();
  expect(await pause()).toMatchObject({ status: 423 });
  expect(await read('/health')).toMatchObject({ ok: true, status: 'yellow' });
});
