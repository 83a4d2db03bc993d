import { randomUUID } from 'node:crypto';
import { openEmbeddedStore } from './embedded/embedded-store.ts';
import type { EventStore, ReadAllOptions, ReadStreamOptions } from './port.ts';
import { readsInTurn } from './reads-in-turn.ts';

const MOST_AT_ONCE = 10;
const EVENTS = 1200;

let store: EventStore;
let open: number;
let most: number;
let pages: number[];
beforeAll(async () => {
  store = await openEmbeddedStore();
  const bytes = new TextEncoder().encode('{}');
  const event = () => ({ id: randomUUID(), type: 'Happened', data: bytes, metadata: bytes });
  await store.append('long-1', Array.from({ length: EVENTS }, event), 'no-stream');
});
afterAll(() => store.close());
beforeEach(() => {
  open = 0;
  most = 0;
  pages = [];
});

/** Counts the reads that are open, and notes how many events each yields. */
function watched(): EventStore {
  const { limits } = store;
  async function* counted<Item>(read: AsyncIterable<Item>): AsyncGenerator<Item> {
    open += 1;
    most = Math.max(most, open);
    let count = 0;
    try {
      for await (const item of read) {
        count += 1;
        yield item;
      }
    } finally {
      pages.push(count);
      open -= 1;
    }
  }
  const reads = {
    readStream: (stream: string, options?: ReadStreamOptions) => counted(store.readStream(stream, options)),
    readAll: (options?: ReadAllOptions) => counted(store.readAll(options)),
  };
  return { limits, ...reads } as Partial<EventStore> as EventStore;
}

async function revisionsIn(read: AsyncIterable<{ readonly revision: number }>): Promise<number[]> {
  const revisions: number[] = [];
  for await (const { revision } of read) revisions.push(revision);
  return revisions;
}
const upwards = Array.from({ length: EVENTS }, (_, index) => index);

test('however many read at the same time, ten reads are open, and each reader gets all', async () => {
  const reads = readsInTurn(watched());
  const read = await Promise.all(Array.from({ length: 40 }, () => revisionsIn(reads.readStream('long-1'))));
  for (const revisions of read) expect(revisions).toEqual(upwards);
  expect([most, open]).toEqual([MOST_AT_ONCE, 0]);
});

test('readers that do not go on keep no call open: others read meanwhile, also within their reads', async () => {
  const reads = readsInTurn(watched());
  const slow = Array.from({ length: 2 * MOST_AT_ONCE }, () => reads.readAll()[Symbol.asyncIterator]());
  for (const reader of slow) await reader.next();
  expect(open).toBe(0);
  expect(await revisionsIn(reads.readStream('long-1', { maxCount: 3 }))).toEqual([0, 1, 2]);
});

test.each([
  ['a stream, forwards', (reads: EventStore) => reads.readStream('long-1'), upwards, [500, 500, 200]],
  [
    'a stream, backwards',
    (reads: EventStore) => reads.readStream('long-1', { direction: 'backwards' }),
    upwards.toReversed(),
    [500, 500, 200],
  ],
  [
    'the log, backwards',
    (reads: EventStore) => reads.readAll({ direction: 'backwards' }),
    upwards.toReversed(),
    [500, 500, 200],
  ],
  ['a part of the log', (reads: EventStore) => reads.readAll({ maxCount: 600 }), upwards.slice(0, 600), [500, 100]],
  [
    'the end of a stream that ends with a page',
    (reads: EventStore) => reads.readStream('long-1', { from: 499, direction: 'backwards' }),
    upwards.slice(0, 500).toReversed(),
    [500],
  ],
] as const)('%s comes in pages', async (_, read, expected, expectedPages) => {
  expect(await revisionsIn(read(readsInTurn(watched())))).toEqual(expected);
  expect(pages).toEqual(expectedPages);
});

test('what is known of the outages of its server is told', () => {
  const outages = { count: 2, awaySeconds: 3 };
  expect(readsInTurn({ ...watched(), outages: () => outages }).outages?.()).toEqual(outages);
});
