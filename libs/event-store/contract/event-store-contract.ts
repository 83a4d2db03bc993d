import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { deriveId } from '#domain/kernel/ids';
import {
  AppendTooLarge,
  BadEvent,
  BEFORE_FIRST,
  type EventFilter,
  EventIdTaken,
  type EventStore,
  type NewEvent,
  NoSuchPosition,
  type Position,
  type ReadAllOptions,
  type RecordedEvent,
  StoreUnavailable,
  type SubscribeOptions,
  type SubscriptionMessage,
  WrongExpectedRevision,
} from '../port.ts';

interface StoreUnderTest {
  readonly store: EventStore;
  /** Closes it and removes its files. */
  dispose(): Promise<void>;
}

/**
 * What the rest of Leadger relies on, with any store. Every adapter passes this suite.
 * @param open opens an empty store for each test
 * @param usedIds what an append at the right revision gets whose id is in the stream before it. A server writes it.
 */
export function describeEventStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { usedIds = 'refused' }: { usedIds?: 'refused' | 'written' } = {},
): void {
  describe(`${name} keeps the contract of an event store`, () => {
    let opened: StoreUnderTest;
    let store: EventStore;

    beforeEach(async () => {
      test = randomUUID();
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.dispose());

    describe('append', () => {
      it('numbers the events of a stream from 0', async () => {
        expect(await store.append('a-1', [event(0), event(1)], 'no-stream')).toMatchObject({ revision: 1 });
        expect(await store.append('a-1', [event(2)], 1)).toMatchObject({ revision: 2 });
        expect(revisions(await all(store.readStream('a-1')))).toEqual([0, 1, 2]);
      });

      it.each([
        ['no-stream', 'a-1', 1],
        [0, 'a-1', 1],
        [2, 'a-1', 1],
        [0, 'b-1', 'no-stream'],
        ['stream-exists', 'b-1', 'no-stream'],
      ] as const)('expecting %s of %s is refused with the actual revision', async (expected, stream, actual) => {
        await store.append('a-1', [event(0), event(1)], 'no-stream');
        const refused = await store.append(stream, [event(2)], expected).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(WrongExpectedRevision);
        expect(refused).toMatchObject({ stream, expected, actual });
        expect(await all(store.readAll())).toHaveLength(2);
      });

      it('accepts any revision, or any existing stream, when asked to', async () => {
        await store.append('a-1', [event(0)], 'any');
        await store.append('a-1', [event(1)], 'any');
        await store.append('a-1', [event(2)], 'stream-exists');
        expect(revisions(await all(store.readStream('a-1')))).toEqual([0, 1, 2]);
      });

      it.each([['no-stream'], ['any']] as const)(
        'repeated with the same ids (%s) is the first append',
        async (expected) => {
          const first = await store.append('a-1', [event(0), event(1)], expected);
          await store.append('a-1', [event(2)], 1);
          expect(await store.append('a-1', [event(0), event(1)], expected)).toEqual(first);
          expect(await all(store.readStream('a-1'))).toHaveLength(3);
        },
      );

      it('repeated with the same ids at a revision is the first append', async () => {
        await store.append('a-1', [event(0)], 'no-stream');
        const first = await store.append('a-1', [event(1), event(2)], 0);
        await store.append('a-1', [event(3)], 2);
        expect(await store.append('a-1', [event(1), event(2)], 0)).toEqual(first);
        expect(await all(store.readStream('a-1'))).toHaveLength(4);
      });

      it('sent ten times at once has the place of the first append each time', async () => {
        const again = () => store.append('a-1', [event(0), event(1)], 'no-stream');
        const results = await Promise.all(Array.from({ length: 10 }, again));
        const { revision, position } = (await all(store.readStream('a-1')))[1] as RecordedEvent;
        expect(results).toEqual(results.map(() => ({ revision, position })));
        expect(await all(store.readStream('a-1'))).toHaveLength(2);
      });

      it('repeated in part is a conflict', async () => {
        await store.append('a-1', [event(0), event(1)], 'no-stream');
        for (const expected of ['no-stream', 'any'] as const) {
          const append = (...numbers: number[]) => store.append('a-1', numbers.map(event), expected);
          await expect(append(0, 2)).rejects.toThrow(WrongExpectedRevision);
          await expect(append(0, 1, 2)).rejects.toThrow(WrongExpectedRevision);
        }
      });

      it('with ids of the stream in another order, or from before the expected revision, is a conflict', async () => {
        await store.append('a-1', [event(0), event(1)], 'no-stream');
        await store.append('a-1', [event(2)], 1);
        await expect(store.append('a-1', [event(1), event(0)], 'no-stream')).rejects.toThrow(WrongExpectedRevision);
        await expect(store.append('a-1', [event(1)], 'no-stream')).rejects.toThrow(WrongExpectedRevision);
        await expect(store.append('a-1', [event(0)], 1)).rejects.toThrow(WrongExpectedRevision);
        expect(await all(store.readStream('a-1'))).toHaveLength(3);
      });

      it('with the ids of a repeat and another body is the first append, with its body', async () => {
        const first = await store.append('a-1', [event(0)], 'no-stream');
        expect(await store.append('a-1', [{ ...event(1), id: event(0).id }], 'no-stream')).toEqual(first);
        const [read] = await all(store.readStream('a-1'));
        expect(Buffer.from((read as RecordedEvent).data).toString()).toBe('{"number":0}');
      });

      it(`at the right revision, with an id that the stream has before it, is ${usedIds}`, async () => {
        await store.append('a-1', [event(0), event(1)], 'no-stream');
        await store.append('b-1', [event(0)], 'no-stream');
        const again = [event(2), { ...event(3), id: event(0).id }];
        const outcome = await store.append('a-1', again, 1).catch((error: unknown) => error);
        if (usedIds === 'refused') expect(outcome).toBeInstanceOf(EventIdTaken);
        else expect(outcome).toMatchObject({ revision: 3 });
        expect(await all(store.readStream('a-1'))).toHaveLength(usedIds === 'refused' ? 2 : 4);
        expect(await all(store.readStream('b-1'))).toHaveLength(1);
        expect(await store.append('a-1', [event(4)], 'stream-exists')).toMatchObject({
          revision: usedIds === 'refused' ? 2 : 4,
        });
      });

      it('accepts exactly one of many appends that expect the same revision', async () => {
        await store.append('a-1', [event(0)], 'no-stream');
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, index) => store.append('a-1', [event(100 + index)], 0)),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(await all(store.readStream('a-1'))).toHaveLength(2);
      });

      it('refuses one of several appends that wait together, and accepts the others', async () => {
        const outcomes = await Promise.allSettled([
          store.append('a-1', [event(0)], 'no-stream'),
          store.append('b-1', [event(1)], 7),
          store.append('a-1', [event(2)], 0),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      });

      it('keeps bytes as they are', async () => {
        const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        const metadata = new Uint8Array(0);
        await store.append('a-1', [{ ...event(0), data, metadata }], 'no-stream');
        const [read] = await all(store.readStream('a-1'));
        expect([...(read as RecordedEvent).data]).toEqual([...data]);
        expect((read as RecordedEvent).metadata).toHaveLength(0);
      });

      it.each(['äöü-ß', '订单-1', '🐘-🦣', "o'reilly-1;--", 'a b-c\td'])(
        'accepts a stream called %s',
        async (stream) => {
          await store.append(stream, [event(0)], 'no-stream');
          expect(await all(store.readStream(stream))).toMatchObject([{ stream, revision: 0 }]);
          const prefix = stream.slice(0, stream.indexOf('-'));
          expect(await all(store.readAll({ filter: { streamPrefixes: [prefix] } }))).toHaveLength(1);
        },
      );

      it.each<[string, string, NewEvent[], unknown]>([
        ['a stream without name', '', [event(0)], 'any'],
        ['a name that is too long', 'x'.repeat(501), [event(0)], 'any'],
        ['a name that is reserved for the server', '$all', [event(0)], 'any'],
        ['a name that is not well-formed Unicode', 'a-\ud800', [event(0)], 'any'],
        ['a name with NUL', 'a-\0', [event(0)], 'any'],
        ['no events', 'a-1', [], 'any'],
        ['an id that is not a UUID', 'a-1', [{ ...event(0), id: 'x' }], 'any'],
        ['an id twice', 'a-1', [event(0), event(0)], 'any'],
        ['an event without type', 'a-1', [{ ...event(0), type: '' }], 'any'],
        ['a revision below 0', 'a-1', [event(0)], -1],
        ['half a revision', 'a-1', [event(0)], 0.5],
      ])('refuses %s', async (_, stream, events, expected) => {
        await expect(store.append(stream, events, expected as 'any')).rejects.toThrow(BadEvent);
        expect(await all(store.readAll())).toEqual([]);
      });

      it('refuses an append that is too large, before anything is written', async () => {
        const { maxAppendBytes, maxAppendEvents } = store.limits;
        const large = { ...event(0), data: new Uint8Array(maxAppendBytes + 1) };
        await expect(store.append('a-1', [large], 'any')).rejects.toThrow(AppendTooLarge);
        const many = Array.from({ length: maxAppendEvents + 1 }, (_, index) => event(index));
        await expect(store.append('a-1', many, 'any')).rejects.toThrow(AppendTooLarge);
        expect(await all(store.readAll())).toEqual([]);
        await store.append('a-1', many.slice(1), 'no-stream');
      });
    });

    describe('reading', () => {
      it('yields nothing for a stream that does not exist, and for an empty log', async () => {
        expect(await all(store.readStream('a-1'))).toEqual([]);
        expect(await all(store.readAll())).toEqual([]);
        expect(await store.head()).toBe(BEFORE_FIRST);
      });

      it('yields the whole log in the order of its positions', async () => {
        await fill(store, 1203);
        const events = await all(store.readAll());
        expect(events).toHaveLength(1203);
        expect(positions(events)).toEqual([...new Set(positions(events))].sort());
        expect(events.at(-1)?.position).toBe(await store.head());
      });

      it('goes backwards, starts at a position, and ends after a count', async () => {
        await fill(store, 30);
        const events = await all(store.readAll());
        const after = events[9]?.position as Position;
        const read = async (options: ReadAllOptions) => positions(await all(store.readAll(options)));
        expect(await read({ after })).toEqual(positions(events.slice(10)));
        expect(await read({ after, maxCount: 5 })).toEqual(positions(events.slice(10, 15)));
        expect(await read({ direction: 'backwards' })).toEqual(positions(events).reverse());
        expect(await read({ direction: 'backwards', after, maxCount: 3 })).toEqual(
          positions(events.slice(6, 9)).reverse(),
        );
        expect(await read({ after: await store.head() })).toEqual([]);
        expect(await read({ maxCount: 0 })).toEqual([]);
      });

      it('reads a long stream in both directions', async () => {
        for (let first = 0; first < 1200; first += 400)
          await store.append(
            'a-1',
            Array.from({ length: 400 }, (_, index) => event(first + index)),
            'any',
          );
        expect(revisions(await all(store.readStream('a-1')))).toEqual(
          Array.from({ length: 1200 }, (_, index) => index),
        );
        expect(revisions(await all(store.readStream('a-1', { from: 1190 })))).toHaveLength(10);
        expect(revisions(await all(store.readStream('a-1', { direction: 'backwards', maxCount: 3 })))).toEqual([
          1199, 1198, 1197,
        ]);
        expect(revisions(await all(store.readStream('a-1', { direction: 'backwards', from: 2 })))).toEqual([2, 1, 0]);
        expect(await all(store.readStream('a-1', { from: 1200 }))).toEqual([]);
      });

      it('filters by type and by the beginning of the stream’s name', async () => {
        await fill(store, 60);
        const types = await all(store.readAll({ filter: { types: ['Type1', 'Type2'] } }));
        expect(new Set(types.map(({ type }) => type))).toEqual(new Set(['Type1', 'Type2']));
        const streams = await all(store.readAll({ filter: { streamPrefixes: ['s-1'], types: ['Type1'] } }));
        expect(streams.length).toBeGreaterThan(0);
        expect(streams.every(({ stream, type }) => stream.startsWith('s-1') && type === 'Type1')).toBe(true);
        expect(await all(store.readAll({ filter: { types: [] } }))).toEqual([]);
      });

      it.each(['a-1', 'a.b-(c)', 'ö+*?[x]{2}|^$'])('follows the streams whose names begin with %s', async (prefix) => {
        await store.append(`${prefix}1`, [event(0)], 'no-stream');
        await store.append('other-1', [event(1)], 'no-stream');
        await store.append(`${prefix}2`, [event(2)], 'no-stream');
        const streams: string[] = [];
        for await (const message of store.subscribe({ after: BEFORE_FIRST, filter: { streamPrefixes: [prefix] } })) {
          if (message.kind === 'event') streams.push(message.event.stream);
          if (message.kind === 'caught-up') break;
        }
        expect(streams).toEqual([`${prefix}1`, `${prefix}2`]);
      });

      it('ends without an error when it is aborted', async () => {
        await fill(store, 20);
        const aborting = new AbortController();
        const seen: RecordedEvent[] = [];
        for await (const event of store.readAll({ signal: aborting.signal })) {
          seen.push(event);
          if (seen.length === 3) aborting.abort();
        }
        expect(seen).toHaveLength(3);
        expect(await all(store.readStream('s-1', { signal: AbortSignal.abort() }))).toEqual([]);
      });

      it('ends, although others append at the same time', async () => {
        await fill(store, 10);
        let read = 0;
        for await (const _ of store.readAll()) {
          read += 1;
          await store.append(`more-${read}`, [event(10_000 + read)], 'no-stream');
        }
        expect(read).toBe(10);
      });

      it.each([{ maxCount: -1 }, { maxCount: 1.5 }])('refuses %j', async (options) => {
        await expect(all(store.readAll(options))).rejects.toThrow(BadEvent);
      });

      it('tells which event is at a position, also beyond its end and where no log has one', async () => {
        await fill(store, 5);
        for (const { position, id } of await all(store.readAll()))
          expect(await store.placeAt(position)).toEqual({ kind: 'event', id });
        expect(await store.placeAt(BEYOND)).toEqual({ kind: 'none' });
        expect(await store.placeAt('here' as Position)).toEqual({ kind: 'none' });
      });

      it('refuses a position that no store has', async () => {
        await expect(all(store.readAll({ after: 'here' as Position }))).rejects.toThrow(BadEvent);
      });
    });

    describe('a subscription', () => {
      it('yields the existing events, says when it has caught up, and continues with new events', async () => {
        await fill(store, 3);
        const subscription = follow(store, { after: BEFORE_FIRST });
        await subscription.caughtUp(await store.head());
        expect(subscription.events).toHaveLength(3);
        const { position } = await store.append('later-1', [event(50)], 'no-stream');
        await subscription.caughtUp(position);
        expect(subscription.events.map(({ stream }) => stream)).toEqual(['s-0', 's-1', 's-2', 'later-1']);
        await subscription.stop();
      });

      it('has caught up at the head, also when its filter lets no event pass', async () => {
        const subscription = follow(store, { after: BEFORE_FIRST, filter: { types: ['Never'] } });
        await subscription.caughtUp(BEFORE_FIRST);
        await fill(store, 5);
        await subscription.caughtUp(await store.head());
        expect(subscription.events).toEqual([]);
        await subscription.stop();
      });

      it('gives each of many subscribers its own events, at any speed and with any number of new events at once', async () => {
        const sizes = [1, 3, 700, 1, 499, 501, 40, 40, 2];
        let next = 0;
        const bursts = sizes.map((size, burst) => ({
          stream: `burst-${burst}`,
          events: Array.from({ length: size }, () => event(next++)),
        }));
        const everything = bursts.flatMap(({ stream, events }) => events.map((one) => ({ ...one, stream })));
        const take = async (filter: EventFilter, restAfter: number) => {
          const { types = ['Type0', 'Type1', 'Type2', 'Type3', 'Type4'], streamPrefixes = [''] } = filter;
          const expected = everything
            .filter(
              ({ type, stream }) => types.includes(type) && streamPrefixes.some((start) => stream.startsWith(start)),
            )
            .map(({ id }) => id);
          const seen: string[] = [];
          for await (const message of store.subscribe({ after: BEFORE_FIRST, filter })) {
            if (message.kind !== 'event') continue;
            seen.push(message.event.id);
            if (seen.length % restAfter === 0) await wait(20);
            if (seen.length === expected.length) break;
          }
          expect(seen).toEqual(expected);
        };
        const filters = [{}, { types: ['Type1', 'Type3'] }, { streamPrefixes: ['burst-2', 'burst-3'] }];
        const takers = filters.flatMap((filter) => [40, 1000].map((restAfter) => take(filter, restAfter)));
        for (const { stream, events } of bursts) {
          await store.append(stream, events, 'no-stream');
          await wait(10);
        }
        await Promise.all(takers);
      });

      it('skips and repeats no event when it is stopped and resumed while four writers append', async () => {
        const perWriter = 150;
        const writing = Promise.all(
          Array.from({ length: 4 }, async (_, writer) => {
            for (let index = 0; index < perWriter; index += 1)
              await store.append(`w${writer}-1`, [event(writer * 1000 + index)], index === 0 ? 'no-stream' : index - 1);
          }),
        );
        const seen: RecordedEvent[] = [];
        let after = BEFORE_FIRST;
        while (seen.length < 4 * perWriter) {
          const stopAt = seen.length + 37;
          for await (const message of store.subscribe({ after })) {
            if (message.kind === 'event') {
              seen.push(message.event);
              after = message.event.position;
            } else after = message.position;
            if (seen.length >= stopAt || seen.length === 4 * perWriter) break;
          }
        }
        await writing;
        expect(positions(seen)).toEqual(positions(await all(store.readAll())));
      });

      it('after a position that the log does not have is refused', async () => {
        await fill(store, 3);
        await expect(all(store.subscribe({ after: BEYOND }))).rejects.toThrow(NoSuchPosition);
      });

      it('ends when it is aborted, also while it waits', async () => {
        const aborting = new AbortController();
        const subscription = follow(store, { after: BEFORE_FIRST, signal: aborting.signal });
        await subscription.caughtUp(BEFORE_FIRST);
        aborting.abort();
        await subscription.ended;
        const { position } = await store.append('a-1', [event(0)], 'no-stream');
        expect(await store.head()).toBe(position);
        expect(subscription.events).toEqual([]);
      });
    });

    it('has an identity that no other log has', async () => {
      const identity = await store.identity();
      expect(identity).not.toBe('');
      await fill(store, 3);
      expect(await store.identity()).toBe(identity);
      const other = await open();
      expect(await other.store.identity()).not.toBe(identity);
      await other.dispose();
    });

    it('refuses everything after it is closed, and ends its subscriptions', async () => {
      const subscription = follow(store, { after: BEFORE_FIRST });
      await subscription.caughtUp(BEFORE_FIRST);
      const last = store.append('a-1', [event(0)], 'no-stream');
      await store.close();
      expect(await last).toMatchObject({ revision: 0 });
      await subscription.ended;
      await expect(store.append('a-1', [event(1)], 'any')).rejects.toThrow(StoreUnavailable);
      await expect(store.head()).rejects.toThrow(StoreUnavailable);
      await expect(all(store.readAll())).rejects.toThrow(StoreUnavailable);
    });
  });
}

const encoder = new TextEncoder();

const BEYOND = '0000099999999999' as Position;

/** Names the test that runs. A server remembers the ids of events, so tests that share one must not share ids. */
let test = '';

/** Event number n, always the same in one test. */
export const event = (number: number): NewEvent => ({
  id: deriveId(`contract ${test}`, String(number)),
  type: `Type${number % 5}`,
  data: encoder.encode(JSON.stringify({ number })),
  metadata: encoder.encode('{"actor":"contract"}'),
});

/** Events 0 to count - 1 over seven streams. */
export async function fill(store: EventStore, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, number) => store.append(`s-${number % 7}`, [event(number)], 'any')),
  );
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const revisions = (events: readonly RecordedEvent[]): number[] => events.map(({ revision }) => revision);
const positions = (events: readonly RecordedEvent[]): Position[] => events.map(({ position }) => position);

/** Subscribes in the background; `caughtUp` waits until it has caught up with a position. */
export function follow(store: EventStore, options: SubscribeOptions) {
  const events: RecordedEvent[] = [];
  let reached: Position | undefined;
  let wake = () => {};
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal;
  const receive = (message: SubscriptionMessage) => {
    if (message.kind === 'event') events.push(message.event);
    if (message.kind === 'caught-up') reached = message.position;
    wake();
  };
  const ended = (async () => {
    for await (const message of store.subscribe({ ...options, signal })) receive(message);
  })();
  return {
    events,
    ended,
    async caughtUp(position: Position): Promise<void> {
      while (reached === undefined || reached < position)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
    async stop(): Promise<void> {
      stopping.abort();
      await ended;
    },
  };
}
