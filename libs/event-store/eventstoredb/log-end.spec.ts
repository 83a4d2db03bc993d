import { setTimeout as wait } from 'node:timers/promises';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { waitUntil } from '#test/wait-until';
import { all, event, follow } from '../contract/event-store-contract.ts';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import { BEFORE_FIRST, type EventStore, type RecordedEvent } from '../port.ts';
import { startWireNode, type WireNode } from '../wire-node/wire-node.ts';
import { openEventStoreDb } from './eventstoredb-store.ts';

/** Many more than the server looks through at a time. */
const OTHERS = 600;
const FEW = 100;

let log: EventStore;
let node: WireNode;
let store: EventStore;
let eventsLookedAt: number;
/** How long the log looks through before it has an event that passes a filter. */
let millisecondsToFilter: number;
beforeEach(async () => {
  log = await openEmbeddedStore();
  eventsLookedAt = 0;
  millisecondsToFilter = 0;
  const counted: EventStore['readAll'] = async function* (options): AsyncIterable<RecordedEvent> {
    if (options?.filter) await wait(millisecondsToFilter);
    for await (const read of log.readAll(options)) {
      eventsLookedAt += 1;
      yield read;
    }
  };
  const counting = new Proxy(log, { get: (target, key) => (key === 'readAll' ? counted : bound(target, key)) });
  node = await startWireNode({ store: counting, writable: true });
  store = await openEventStoreDb({ connectionString: node.connectionString, streamPrefixes: ['a-'] });
  await store.append('a-1', [event(0)], 'no-stream');
});
afterEach(async () => {
  await store.close();
  await node.close();
  await log.close();
});

function bound(target: EventStore, key: string | symbol): unknown {
  const value = Reflect.get(target, key);
  return typeof value === 'function' ? value.bind(target) : value;
}

async function othersWrite(): Promise<void> {
  const administrator = EventStoreDBClient.connectionString(node.connectionString as never);
  const events = Array.from({ length: OTHERS }, () => jsonEvent({ type: 'Sold', data: {} }));
  await administrator.appendToStream('shop-1', events);
  await administrator.dispose();
}

async function lookedAtBy(asked: () => Promise<unknown>): Promise<number> {
  eventsLookedAt = 0;
  await asked();
  return eventsLookedAt;
}

describe('behind the newest event of the ledger, events of others', () => {
  it('are filtered out by the server', async () => {
    await othersWrite();
    expect(await lookedAtBy(() => store.head())).toBeLessThan(FEW);
    expect(await lookedAtBy(() => all(store.readAll({ filter: { types: ['Other'] } })))).toBeLessThan(FEW);
    expect(await lookedAtBy(() => all(store.readAll({ direction: 'backwards' })))).toBeLessThan(FEW);
  });

  it('are looked through once, and then no more', async () => {
    await othersWrite();
    const first = await store.head();
    expect(await lookedAtBy(() => store.head())).toBeLessThan(FEW);
    expect(await store.head()).toBe(first);
    const { position } = await store.append('a-1', [event(1)], 0);
    expect(await store.head()).toBe(position);
    expect(await lookedAtBy(() => all(store.readAll({ direction: 'backwards', maxCount: 1 })))).toBeLessThan(FEW);
  });

  it('are not looked through to say that the server answers', async () => {
    await othersWrite();
    expect(await lookedAtBy(async () => store.answers?.())).toBeLessThan(FEW);
  });

  it('are passed by who follows the log, and a new follower at its end looks through none', async () => {
    const first = follow(store, { after: BEFORE_FIRST });
    await first.caughtUp(await store.head());
    await othersWrite();
    await waitUntil(async () => (await lookedAtBy(() => store.head())) < FEW);
    const lookedAt = await lookedAtBy(async () => {
      const second = follow(store, { after: await store.head() });
      await second.caughtUp(await store.head());
      await second.stop();
    });
    expect(lookedAt).toBeLessThan(FEW);
    await first.stop();
  });
});

describe('a server that says nothing while it looks through events of others', () => {
  const ANSWER_WITHIN = 500;
  const reader = async () => {
    millisecondsToFilter = 5 * ANSWER_WITHIN;
    await store.close();
    const { connectionString } = node;
    const limits = { answerWithinMilliseconds: ANSWER_WITHIN, patienceMilliseconds: 2 * ANSWER_WITHIN };
    store = await openEventStoreDb({ connectionString, streamPrefixes: ['a-'], ...limits });
  };
  beforeEach(reader);

  it('is waited for, forwards and backwards, as long as it answers others', async () => {
    const written = await all(store.readAll());
    expect(written).toHaveLength(1);
    expect(await all(store.readAll({ direction: 'backwards' }))).toEqual(written);
    expect(await all(store.readAll({ filter: { types: ['Other'] } }))).toEqual([]);
  });

  it('is asked once for all who want to know the newest event; who gives up leaves the look to the next one', async () => {
    await othersWrite();
    const hurried = () => store.head({ until: performance.now() + ANSWER_WITHIN });
    await expect(hurried()).rejects.toMatchObject({ code: 'store-unavailable' });
    await waitUntil(async () => (await hurried().catch(() => undefined)) !== undefined);
    await othersWrite();
    await waitUntil(async () => (await hurried().catch(() => undefined)) !== undefined);
  });
});
