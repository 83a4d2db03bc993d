import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { BEFORE_FIRST, type EventStore, type Position } from '#event-store/port';
import { append, sampleFacts } from '#test/sample-facts';
import { waitUntil } from '#test/wait-until';
import { Owners } from '../owners.ts';
import { halfOfTheTime } from '../turns.ts';
import { ChangeLog } from './change-log.ts';
import { Feed } from './feed.ts';
import type { ChangeMessage } from './messages.ts';

const PAGE = 500;
const MOST_READS = 3;

let store: EventStore;
let reads: { after: Position | undefined }[];
let hold: Promise<void>;
beforeAll(async () => {
  store = await openEmbeddedStore();
});
afterAll(() => store.close());
beforeEach(() => {
  reads = [];
  hold = Promise.resolve();
});

/** The store; reads of the log are recorded, and wait as long as the test says so. */
const watched = (): EventStore =>
  new Proxy(store, {
    get(target, name) {
      if (name === 'readAll')
        return async function* (options: Parameters<EventStore['readAll']>[0]) {
          reads.push({ after: options?.after });
          await hold;
          yield* target.readAll(options);
        };
      if (name === 'placeAt')
        return (position: Position) => {
          reads.push({ after: position });
          return target.placeAt(position);
        };
      const value = target[name as keyof EventStore];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

const changeLog = (): ChangeLog => {
  const events = watched();
  return new ChangeLog({ events, owners: new Owners({ events, rows: { owners: { ofFamily: async () => [] } } }) });
};

const sampleOf = (type: string) => sampleFacts.find((fact) => fact.type === type) as (typeof sampleFacts)[number];
let customers = 0;
/** @returns the position of the last one */
async function register(count: number): Promise<Position> {
  const registered = sampleOf('CustomerRegistered');
  for (let left = count; left > 0; left -= 1) {
    customers += 1;
    await append(store, [{ ...registered, stream: `customer-${customers}` }]);
  }
  return store.head();
}

/** Reads a feed until the test ends it. */
function readFeed(log: ChangeLog, after: Position) {
  const over = new AbortController();
  const feed = new Feed(log, { scope: 'all', after, signal: over.signal, turn: halfOfTheTime() });
  const messages: ChangeMessage[] = [];
  const read = (async () => {
    for await (const some of feed.changes()) messages.push(...some);
  })();
  const end = async () => {
    over.abort();
    await read;
  };
  return { feed, messages, end };
}

test('feeds from the beginning of a long log share their pages, and each gets each change once, in order', async () => {
  const head = await register(2 * PAGE + 10);
  const log = changeLog();
  const feeds = Array.from({ length: 50 }, () => readFeed(log, BEFORE_FIRST));
  await waitUntil(() => feeds.every(({ feed }) => feed.reached >= head));
  for (const { messages } of feeds) {
    const ids = messages.map((message) => message.kind === 'change' && message.change.id);
    expect(ids).toEqual(Array.from({ length: 2 * PAGE + 10 }, (_, index) => String(index + 1)));
  }
  // Three pages. How many feeds come too late for one depends on the machine; alone they would read 150.
  expect(reads.length).toBeLessThan(feeds.length);
  for (const { end } of feeds) await end();
});

test('a few reads are under way at a time, and each feed gets a page that begins where it is', async () => {
  const log = changeLog();
  const held = Promise.withResolvers<void>();
  hold = held.promise;
  const recent = await log.recent();
  const places = Array.from({ length: 8 }, (_, place) => String(place + 1).padStart(16, '0') as Position);
  const { signal } = new AbortController();
  const pages = places.toReversed().map((after) => log.pageAfter(after, recent.upTo, signal));
  await waitUntil(() => reads.length > 0);
  await new Promise(setImmediate);
  expect(reads).toHaveLength(MOST_READS);
  held.resolve();
  const found = await Promise.all(pages);
  for (const [index, after] of places.toReversed().entries()) {
    const page = found[index];
    expect((page?.after ?? after) <= after && (page?.reached ?? '') > after).toBe(true);
  }
});

test('a position that the recent changes know is not looked up; another one is', async () => {
  const log = changeLog();
  const { upTo } = await log.recent();
  expect([await log.has(upTo, 'staff:ada'), reads.length]).toEqual([true, 0]);
  expect([await log.has('0000000000000001' as Position, 'staff:ada'), reads.length]).toEqual([true, 1]);
  expect([await log.has('9999999999999999' as Position, 'staff:ada'), reads.length]).toEqual([false, 2]);
});

test('a feed whose reader left while it waited for its turn reads nothing', async () => {
  const log = changeLog();
  const { upTo } = await log.recent();
  const left = new AbortController();
  left.abort();
  expect((await log.pageAfter(BEFORE_FIRST, upTo, left.signal)).messages).toEqual([]);
  expect(reads).toEqual([]);
});
