import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { all, event } from '../contract/event-store-contract.ts';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import { type EventStore, StoreUnavailable } from '../port.ts';
import { startWireNode, type WireNode } from '../wire-node/wire-node.ts';
import { openEventStoreDb } from './eventstoredb-store.ts';

const READERS = 150;
/** A server has 100 calls of one connection open. */
const MOST = 50;

describe('an event store that many read at once', () => {
  let store: EventStore;
  let node: WireNode;
  let adapter: EventStore;
  let reads: { begun: number; open: number; most: number };
  let answer: () => void;

  beforeEach(async () => {
    store = await openEmbeddedStore();
    await store.append('s-1', [event(0)], 'no-stream');
    reads = { begun: 0, open: 0, most: 0 };
    node = await serve();
    adapter = await openEventStoreDb({
      connectionString: node.connectionString,
      answerWithinMilliseconds: FAR_AWAY_MILLISECONDS,
      patienceMilliseconds: FAR_AWAY_MILLISECONDS,
    });
  });
  afterEach(async () => {
    answer();
    await adapter.close();
    await node.close();
    await store.close();
  });

  /** Reads of one stream are answered when the test says so. A node looks for its end before it reads it. */
  function serve(port = 0): Promise<WireNode> {
    const answered = Promise.withResolvers<void>();
    answer = answered.resolve;
    const readStream: EventStore['readStream'] = async function* (stream, options) {
      if (stream !== 's-1' || options?.direction === 'backwards') return yield* store.readStream(stream, options);
      reads.begun += 1;
      reads.open += 1;
      reads.most = Math.max(reads.most, reads.open);
      await answered.promise;
      reads.open -= 1;
      yield* store.readStream(stream, options);
    };
    const slow = new Proxy(store, { get: (target, key) => (key === 'readStream' ? readStream : bound(target, key)) });
    return startWireNode({ store: slow, writable: true, port });
  }

  const readAtOnce = (count: number, options?: Parameters<EventStore['readStream']>[1]) =>
    Array.from({ length: count }, () => all(adapter.readStream('s-1', options)));

  it('has few of these calls open, and answers all in the end', async () => {
    const reading = readAtOnce(READERS);
    await waitUntil(() => reads.open >= MOST);
    answer();
    for (const events of await Promise.all(reading)) expect(events).toHaveLength(1);
    expect(reads).toEqual({ begun: READERS, open: 0, most: MOST });
  });

  it('is not asked for what nobody waits for any more', async () => {
    const reading = readAtOnce(MOST);
    await waitUntil(() => reads.open === MOST);
    const aborting = new AbortController();
    const aborted = readAtOnce(READERS, { signal: aborting.signal });
    const late = readAtOnce(READERS, { until: performance.now() + 1 });
    aborting.abort();
    for (const events of await Promise.all(aborted)) expect(events).toEqual([]);
    for (const one of await Promise.allSettled(late))
      expect(one).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
    answer();
    await Promise.all(reading);
    expect(reads.begun).toBe(MOST);
  });

  it('is asked by a few of them at once when it comes back from an outage', async () => {
    const reading = readAtOnce(READERS);
    await waitUntil(() => reads.open === MOST);
    const { port } = node;
    await node.close();
    answer();
    await waitUntil(() => reads.open === 0);
    reads.begun = 0;
    reads.most = 0;
    node = await serve(port);
    await waitUntil(() => reads.open === MOST);
    answer();
    for (const events of await Promise.all(reading)) expect(events).toHaveLength(1);
    expect(reads).toEqual({ begun: READERS, open: 0, most: MOST });
  });

  it('that is closed answers nobody who still waits', async () => {
    const reading = readAtOnce(READERS);
    await waitUntil(() => reads.open === MOST);
    await adapter.close();
    for (const one of await Promise.allSettled(reading))
      expect(one).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
    expect(reads.begun).toBe(MOST);
  });
});

function bound(target: EventStore, key: string | symbol): unknown {
  const value = Reflect.get(target, key);
  return typeof value === 'function' ? value.bind(target) : value;
}
