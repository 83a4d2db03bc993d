import { type RestorableLog, restorableLog } from '#event-store/contract/restorable-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import { watchLog } from '#event-store/log-watch';
import type { EventStore } from '#event-store/port';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { systemClock } from '#gateways/clock';
import { ProcessEngine } from '#processes/engine/engine';
import { StreamCache } from '#requests/stream-cache';
import { register, toUtc } from '#test/moves-to-utc';
import { waitUntil } from '#test/wait-until';

/** Customers are registered in this order. */
async function storeOf(customers: readonly string[]): Promise<EventStore> {
  const store = await openEmbeddedStore();
  opened.unshift(() => store.close());
  for (const stream of customers) await register(store, stream);
  return store;
}

/** What is opened first is closed last. */
const opened: (() => unknown)[] = [];
let log: RestorableLog;
let node: WireNode;
let store: EventStore;
beforeEach(async () => {
  log = restorableLog(await storeOf(['customer-1', 'customer-2']));
  node = await startWireNode({ store: log.store, writable: true });
  store = await openEventStoreDb({ connectionString: node.connectionString, answerWithinMilliseconds: 250 });
  opened.push(
    () => node.close(),
    () => store.close(),
  );
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function restore(customers: readonly string[]): Promise<void> {
  log.restore(await storeOf(customers));
  node.dropConnections();
}

test('processes fold a log anew that was restored from an older copy and has grown, and act on what is in it', async () => {
  const sent: string[] = [];
  const engine = new ProcessEngine({
    store,
    clock: systemClock(),
    processes: [toUtc('to-utc')],
    send: async ({ stream }) => {
      sent.push(stream);
      return { position: await store.head(), events: [] };
    },
    effects: {} as never,
  });
  const running = engine.start();
  opened.push(() => engine.stop());
  await waitUntil(() => sent.length === 2);
  await restore(['customer-1', 'customer-3', 'customer-4']);
  await waitUntil(() => sent.length === 5);
  expect(sent.slice(2)).toEqual(['customer-1', 'customer-3', 'customer-4']);
  await waitUntil(() => engine.status().idle);
  expect(engine.status().position).toBe(await store.head());
  await engine.stop();
  await running;
});

test('what a program keeps of streams in memory is forgotten', async () => {
  const streams = new StreamCache(store);
  const stopping = new AbortController();
  const { ended } = await watchLog(store, () => streams.clear(), stopping.signal);
  const revisionOf = async (stream: 'customer-1' | 'customer-2') => (await streams.read<'customer'>(stream)).revision;
  expect(await revisionOf('customer-2')).toBe(0);
  await restore(['customer-1']);
  await waitUntil(async () => (await revisionOf('customer-2')) === -1);
  expect(await revisionOf('customer-1')).toBe(0);
  stopping.abort();
  await ended;
});
