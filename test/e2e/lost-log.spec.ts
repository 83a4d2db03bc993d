import { type RestorableLog, restorableLog } from '#event-store/contract/restorable-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { waitUntil } from '#test/wait-until';
import { type Server, startServer } from './server.ts';

let ours: EventStore;
let empty: EventStore;
let log: RestorableLog;
let node: WireNode;
let server: Server;
beforeAll(async () => {
  ours = await openEmbeddedStore();
  empty = await openEmbeddedStore();
  log = restorableLog(ours);
  node = await startWireNode({ store: log.store, writable: true });
  server = await startServer({ eventStoreDb: node.connectionString });
});
afterAll(async () => {
  await server.stop();
  await node.close();
  for (const store of [ours, empty]) await store.close();
});

/** As a server that comes back with another volume. */
async function comeBackWith(other: EventStore): Promise<void> {
  log.restore(other);
  node.dropConnections();
}

const customer = { storeId: 'main', businessAssociation: 'ABC', timeZone: 'America/New_York', email: 'a@example.org' };
const isReady = async () => (await server.call('GET', '/health/ready')).status === 200;

test('the event store comes back empty: the program is not ready, says why, writes nothing, and keeps its read models until the log is put back', async () => {
  const { body } = await server.call('POST', '/api/customers', customer);
  await server.call('GET', `/api/customers/${body.customerId}?waitFor=${await server.position()}`);
  await comeBackWith(empty);
  await waitUntil(async () => !(await isReady()));
  const health = await server.call('GET', '/health');
  expect([health.status, health.body.status]).toEqual([503, 'red']);
  expect(health.body.store.reason).toMatch(/holds the keys of vault \S+, but their log is empty: put the log back/);
  for (const path of ['/api/customers', '/api/stores']) {
    const order = path.endsWith('stores') ? { storeId: 'x', name: 'X', webAddress: 'http://x.example' } : customer;
    const refused = await server.call('POST', path, order);
    expect([refused.status, refused.body.code]).toEqual([503, 'store-unavailable']);
    expect(refused.headers.get('retry-after')).toBe('5');
  }
  expect(await empty.head()).toBe('');
  expect((await server.call('GET', `/api/customers/${body.customerId}`)).status).toBe(200);
  await comeBackWith(ours);
  await waitUntil(isReady);
  expect((await server.call('POST', '/api/customers', { ...customer, email: 'b@example.org' })).status).toBe(201);
  expect((await server.call('GET', `/api/customers/${body.customerId}`)).status).toBe(200);
});
