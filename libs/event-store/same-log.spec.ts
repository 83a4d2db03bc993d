import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { all, event, follow } from './contract/event-store-contract.ts';
import { type RestorableLog, restorableLog } from './contract/restorable-log.ts';
import { openEmbeddedStore } from './embedded/embedded-store.ts';
import { openEventStoreDb } from './eventstoredb/eventstoredb-store.ts';
import { BEFORE_FIRST, type EventStore, LogLost } from './port.ts';
import { sameLogOf } from './same-log.ts';
import { wholeStreamsOf } from './whole-streams.ts';
import { startWireNode, type WireNode } from './wire-node/wire-node.ts';

const lines: string[] = [];
/** What is opened first is closed last. */
const opened: (() => unknown)[] = [];
let ours: EventStore;
let log: RestorableLog;
let node: WireNode;
/** What is watched, whichever log it is. */
let whole: EventStore;
let store: EventStore;

async function logOf(...numbers: readonly number[]): Promise<EventStore> {
  const made = await openEmbeddedStore();
  opened.unshift(() => made.close());
  for (const number of numbers) await made.append(`s-${number}`, [event(number)], 'no-stream');
  return made;
}

/** This log begins with event 1. */
async function whyAnother(asked: EventStore): Promise<string | undefined> {
  for await (const { id } of asked.readStream('s-1')) return id === event(1).id ? undefined : 'it is of others';
  return 'it is empty';
}

beforeEach(async () => {
  lines.length = 0;
  ours = await logOf(1, 2);
  log = restorableLog(ours);
  node = await startWireNode({ store: log.store, writable: true });
  const connection = await openEventStoreDb({
    connectionString: node.connectionString,
    patienceMilliseconds: FAR_AWAY_MILLISECONDS,
  });
  const now = () => '2026-01-01T00:00:00.000Z';
  whole = wholeStreamsOf(connection, { isOurs: () => true, now, cuts: connection });
  store = sameLogOf(whole, { whyAnother, log: (line) => lines.push(line) });
  opened.push(
    () => node.close(),
    () => store.close(),
  );
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function serve(other: EventStore): Promise<void> {
  const before = store.breaks?.() as number;
  log.restore(other);
  node.dropConnections();
  await waitUntil(() => (store.breaks?.() as number) > before);
}

test('nothing is written into an empty log, or read from it, in place of the one of before; that goes on when it is back', async () => {
  const subscription = follow(store, { after: BEFORE_FIRST });
  await subscription.caughtUp(await store.head());
  const empty = await logOf();
  await serve(empty);
  await expect(store.append('s-3', [event(3)], 'no-stream')).rejects.toThrow(LogLost);
  for (const asked of [
    store.head(),
    store.placeAt(await ours.head()),
    all(store.readAll()),
    all(store.readStream('s-2')),
  ])
    await expect(asked).rejects.toThrow('it is empty');
  expect(await all(empty.readAll())).toEqual([]);
  await serve(ours);
  await waitUntil(() => lines.length === 2);
  expect(lines).toEqual([
    'it is empty: until then nothing is read or written',
    'the log of the event store is the right one again',
  ]);
  await store.append('s-3', [event(3)], 'no-stream');
  await subscription.caughtUp(await store.head());
  expect(subscription.events.map(({ id }) => id)).toEqual([1, 2, 3].map((number) => event(number).id));
  await subscription.stop();
});

test('an append that was not answered is not sent again into an empty log', async () => {
  await store.append('s-3', [event(3)], 'no-stream');
  node.misbehave({ kind: 'lose-reply' });
  const unknown = expect(store.append('s-4', [event(4)], 'no-stream')).rejects.toThrow('it is not known whether');
  await waitUntil(async () => (await all(ours.readStream('s-4'))).length === 1);
  const empty = await logOf();
  await serve(empty);
  await unknown;
  expect(await all(empty.readAll())).toEqual([]);
});

test('who waits for the end of the log without an end waits until it is back', async () => {
  await serve(await logOf(7));
  await expect(store.head()).rejects.toThrow('it is empty');
  const head = store.head({ until: Number.POSITIVE_INFINITY });
  await serve(ours);
  expect(await head).toBe(await store.head());
});

test('a connection that breaks while the log is looked at makes nobody fail: it is looked at once more', async () => {
  let breaksWhileLooking = 2;
  const breaking = async (asked: EventStore): Promise<string | undefined> => {
    const why = await whyAnother(asked);
    if (breaksWhileLooking > 0) {
      breaksWhileLooking -= 1;
      await serve(ours);
    }
    return why;
  };
  const watched = sameLogOf(whole, { whyAnother: breaking, log: (line) => lines.push(line) });
  opened.push(() => watched.close());
  await serve(ours);
  expect(await watched.head()).toBe(await whole.head());
  expect(breaksWhileLooking).toBe(0);
});

test('an older copy of the same log is taken as one: its followers are told', async () => {
  const subscription = follow(store, { after: BEFORE_FIRST });
  await subscription.caughtUp(await store.head());
  const told = expect(subscription.ended).rejects.toThrow('restored from an older copy');
  await serve(await logOf(1));
  await told;
});

test('what others do to streams is not watched while the log is another one', async () => {
  const sight = () => store.damages?.sight;
  await waitUntil(() => sight() === 'watching');
  await serve(await logOf(7));
  await expect(store.head()).rejects.toThrow('it is empty');
  await waitUntil(() => whole.damages?.sight === 'watching');
  expect(sight()).toBe('away');
  await serve(ours);
  await waitUntil(() => sight() === 'watching');
});
