import { setTimeout as wait } from 'node:timers/promises';
import {
  ANY,
  BACKWARDS,
  type AppendResult as ClientResult,
  END,
  type EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  type ResolvedEvent,
  START,
  STREAM_EXISTS,
  type StreamingRead,
} from '@eventstore/db-client';
import { checkAppend } from '../append-checks.ts';
import {
  type AppendResult,
  BEFORE_FIRST,
  DEFAULT_LIMITS,
  type EventFilter,
  type EventStore,
  EventStoreError,
  type ExpectedRevision,
  type NewEvent,
  OutcomeUnknown,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  StoreUnavailable,
  type SubscribeOptions,
  type SubscriptionMessage,
  WrongExpectedRevision,
} from '../port.ts';
import { checkCount, checkFilter, passes } from '../read-checks.ts';
import { AppendQueue, Lost } from './append-queue.ts';
import { catchUp } from './catch-up.ts';
import { finalError, neverSent, unavailable } from './failures.ts';
import { guardedClient } from './guarded-client.ts';
import { type Follower, Tail } from './tail.ts';
import { eventDataOf, isEmpty, positionOf, recordedEventOf, serverPositionOf } from './translation.ts';

export interface EventStoreDbOptions {
  /** `esdb://…` or `kurrentdb://…`: hosts, TLS, credentials, as the client reads it. */
  readonly connectionString: string;
  /** After so long a request without answer has failed. */
  readonly answerWithinMilliseconds?: number;
  /** So long requests are tried again while the server is away. */
  readonly patienceMilliseconds?: number;
}

/** A position beyond the end of the log: it is of another store, or the log was restored from an older copy. */
export class PositionBeyondLog extends EventStoreError {
  constructor(position: Position, head: Position) {
    super(
      'position-beyond-log',
      `position ${position} lies beyond the end of the log (${head || 'which is empty'}): it is of another store, or the log was restored from an older copy`,
    );
  }
}

/** Opens the ledger's home on an EventStoreDB or KurrentDB server or cluster. @throws StoreUnavailable, AccessRefused */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  const store = new EventStoreDbStore(options);
  try {
    await store.head();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

const READ_TO_THE_END = Number.MAX_SAFE_INTEGER;
const EVENTS_LOOKED_BACK = 32;
const BACKOFF_MILLISECONDS = [50, 100, 200, 500, 1000, 2000];

const EXPECTED = { 'no-stream': NO_STREAM, 'stream-exists': STREAM_EXISTS, any: ANY } as const;

class EventStoreDbStore implements EventStore {
  readonly limits = DEFAULT_LIMITS;
  readonly #client: EventStoreDBClient;
  readonly #answerWithin: number;
  readonly #patience: number;
  readonly #closing = new AbortController();
  readonly #appends = new AppendQueue();
  readonly #appending = new Set<Promise<unknown>>();
  readonly #tail: Tail;

  constructor({ connectionString, answerWithinMilliseconds, patienceMilliseconds }: EventStoreDbOptions) {
    this.#client = guardedClient(connectionString);
    this.#tail = new Tail(this.#client);
    this.#answerWithin = answerWithinMilliseconds ?? 10_000;
    this.#patience = patienceMilliseconds ?? 30_000;
  }

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    checkAppend(stream, events, expected, this.limits);
    this.#mustBeOpen();
    const appending = this.#appends.add({
      send: () => this.#send(stream, events, expected),
      insist: (sentBefore) => this.#insist(stream, events, expected, sentBefore),
    });
    this.#appending.add(appending);
    try {
      return await appending;
    } finally {
      this.#appending.delete(appending);
    }
  }

  async #send(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    try {
      return await this.#appendOnce(stream, events, expected);
    } catch (error) {
      throw finalError(error, this.limits.maxAppendBytes) ?? new Lost('no answer', { cause: error });
    }
  }

  /** Looks whether the events are there, and sends them again where they are not, until somebody answers. */
  async #insist(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    sentBefore: boolean,
  ): Promise<AppendResult> {
    const until = performance.now() + this.#patience;
    let mayBeThere = sentBefore;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return (
          (mayBeThere && (await this.#find(stream, events, expected))) ||
          (await this.#appendOnce(stream, events, expected))
        );
      } catch (error) {
        const final = finalError(error, this.limits.maxAppendBytes);
        // A conflict may be with an earlier attempt of ours that arrived after all.
        const mine = final instanceof WrongExpectedRevision && mayBeThere;
        const found = mine ? await this.#find(stream, events, expected).catch(() => undefined) : undefined;
        if (found) return found;
        if (final && !(final instanceof StoreUnavailable)) throw final;
        mayBeThere ||= !neverSent(error);
        if (this.#closing.signal.aborted || performance.now() > until) {
          const what = `${events.length} events for ${stream}`;
          if (mayBeThere) throw new OutcomeUnknown(`nobody knows whether ${what} were appended`, { cause: error });
          throw unavailable(error);
        }
        await this.#pause(attempt);
      }
    }
  }

  async #appendOnce(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    let result: ClientResult;
    try {
      const expectedRevision = typeof expected === 'number' ? BigInt(expected) : EXPECTED[expected];
      result = await this.#answered(this.#client.appendToStream(stream, events.map(eventDataOf), { expectedRevision }));
    } catch (error) {
      const { type, actualVersion } = error as { type?: string; actualVersion?: bigint | 'no_stream' };
      if (type !== 'wrong-expected-version') throw error;
      const actual = typeof actualVersion === 'bigint' ? Number(actualVersion) : 'no-stream';
      throw new WrongExpectedRevision(stream, expected, actual);
    }
    const revision = Number(result.nextExpectedRevision);
    // Told by a connection string not to throw, the client does not say where the stream is: look.
    if (!result.success) throw new WrongExpectedRevision(stream, expected, await this.#lastRevision(stream));
    const { position } = result;
    if (position) return { revision, position: positionOf(position) };
    for await (const event of this.readStream(stream, { from: revision, maxCount: 1 }))
      return { revision, position: event.position };
    throw new OutcomeUnknown(`the event that was appended to ${stream} cannot be found`);
  }

  async #lastRevision(stream: string): Promise<number | 'no-stream'> {
    for await (const { revision } of this.readStream(stream, { direction: 'backwards', maxCount: 1 })) return revision;
    return 'no-stream';
  }

  /** Looks for events where an append would have put them. */
  async #find(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendResult | undefined> {
    const first = expected === 'no-stream' ? 0 : typeof expected === 'number' ? expected + 1 : undefined;
    const from = first ?? (await this.#revisionOf(stream, (events[0] as NewEvent).id));
    if (from === undefined) return undefined;
    let index = 0;
    let last: RecordedEvent | undefined;
    for await (const event of this.readStream(stream, { from, maxCount: events.length })) {
      if (event.id !== events[index]?.id) return undefined;
      index += 1;
      last = event;
    }
    return last && index === events.length ? { revision: last.revision, position: last.position } : undefined;
  }

  async #revisionOf(stream: string, id: string): Promise<number | undefined> {
    const options = { direction: 'backwards', maxCount: this.limits.maxAppendEvents } as const;
    for await (const event of this.readStream(stream, options)) if (event.id === id) return event.revision;
    return undefined;
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    const { from, direction = 'forwards', maxCount = READ_TO_THE_END, signal } = options;
    checkCount('maxCount', maxCount);
    if (from !== undefined) checkCount('from', from);
    this.#mustBeOpen();
    const forwards = direction === 'forwards';
    let next = from;
    let left = maxCount;
    const read = () =>
      this.#client.readStream(stream, {
        direction: forwards ? FORWARDS : BACKWARDS,
        fromRevision: next !== undefined ? BigInt(next) : forwards ? START : END,
        maxCount: left,
      });
    const goOn = () => left > 0 && (next === undefined || next >= 0);
    for await (const resolved of this.#reading(read, goOn, signal)) {
      const event = recordedEventOf(resolved);
      if (!event) continue;
      left -= 1;
      next = event.revision + (forwards ? 1 : -1);
      yield event;
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after, direction = 'forwards', filter, maxCount = READ_TO_THE_END, signal } = options;
    checkCount('maxCount', maxCount);
    checkFilter(filter);
    if (after !== undefined) serverPositionOf(after);
    this.#mustBeOpen();
    if (maxCount === 0 || isEmpty(filter)) return;
    // What is appended after this moment is not part of the read: it ends.
    const head = await this.head();
    const events =
      direction === 'backwards'
        ? this.#readBackwards(after ?? head, after === undefined, signal)
        : filter
          ? this.#readFiltered(after ?? BEFORE_FIRST, head, filter, signal)
          : this.#readForwards(after ?? BEFORE_FIRST, head, signal);
    let left = maxCount;
    for await (const event of events) {
      if (!passes(filter, event)) continue;
      yield event;
      left -= 1;
      if (left === 0) return;
    }
  }

  async *#readForwards(after: Position, head: Position, signal: AbortSignal | undefined) {
    let at = after;
    const read = () => this.#client.readAll({ fromPosition: serverPositionOf(at), maxCount: READ_TO_THE_END });
    for await (const resolved of this.#reading(read, () => at < head, signal)) {
      const event = recordedEventOf(resolved);
      // A read begins at its position, not behind it.
      if (!event || event.position <= at) continue;
      if (event.position > head) return;
      at = event.position;
      yield event;
      if (at === head) return;
    }
  }

  /** @param included whether the event at that position, the head, is read too */
  async *#readBackwards(before: Position, included: boolean, signal: AbortSignal | undefined) {
    let at = before;
    let includes = included;
    const read = () => {
      const fromPosition = includes ? END : serverPositionOf(at);
      return this.#client.readAll({ direction: BACKWARDS, fromPosition, maxCount: READ_TO_THE_END });
    };
    for await (const resolved of this.#reading(read, () => at !== BEFORE_FIRST, signal)) {
      const event = recordedEventOf(resolved);
      if (!event || (includes ? event.position > at : event.position >= at)) continue;
      includes = false;
      at = event.position;
      yield event;
    }
  }

  /** The server filters subscriptions only: one is followed until it has caught up. */
  async *#readFiltered(after: Position, head: Position, filter: EventFilter, signal: AbortSignal | undefined) {
    if (after >= head) return;
    const over = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    for await (const message of this.#catchUp(after, filter, over)) {
      if (message.kind !== 'event') continue;
      if (message.event.position > head) return;
      yield message.event;
    }
    this.#mustBeOpen();
  }

  /**
   * Reads, and begins anew where it was when the connection breaks or falls silent. The call is cancelled however the
   * reader leaves: the client would leave it open.
   */
  async *#reading(
    begin: () => StreamingRead<ResolvedEvent>,
    goOn: () => boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ResolvedEvent> {
    let until = performance.now() + this.#patience;
    for (let attempt = 0; goOn() && !signal?.aborted; attempt += 1) {
      this.#mustBeOpen();
      const reading = begin();
      const silence = new Watchdog(this.#answerWithin, (error) => reading.destroy(error));
      const stop = () => reading.destroy();
      const over = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
      over.addEventListener('abort', stop);
      try {
        for await (const resolved of reading) {
          silence.rest();
          yield resolved;
          if (signal?.aborted) return;
          silence.watch();
          attempt = 0;
          until = performance.now() + this.#patience;
        }
        this.#mustBeOpen();
        return;
      } catch (error) {
        if (signal?.aborted) return;
        this.#mustBeOpen();
        if ((error as { type?: string }).type === 'stream-not-found') return;
        const final = finalError(error, this.limits.maxAppendBytes);
        if (final) throw final;
        if (performance.now() > until) throw unavailable(error);
        await this.#pause(attempt);
      } finally {
        over.removeEventListener('abort', stop);
        silence.end();
        reading.cancel().catch(() => {});
      }
    }
  }

  async *subscribe({ after, filter, signal }: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    checkFilter(filter);
    serverPositionOf(after);
    this.#mustBeOpen();
    const over = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    if (over.aborted) return;
    if (after !== BEFORE_FIRST) {
      const head = await this.head();
      if (after > head) throw new PositionBeyondLog(after, head);
    }
    yield* this.#follow(after, filter, over);
  }

  /**
   * First what is there, filtered by the server; then what comes, which the process hears of anyway. It listens for what
   * comes before it asks for what is there, so that nothing falls in between.
   */
  async *#follow(
    after: Position,
    filter: EventFilter | undefined,
    over: AbortSignal,
  ): AsyncGenerator<SubscriptionMessage> {
    let at = after;
    let told: Position | undefined;
    for (let failures = 0; !over.aborted; failures += 1) {
      let follower: Follower;
      try {
        follower = await this.#tail.join();
      } catch (error) {
        this.#mustGoOn(error);
        await this.#pause(failures, over);
        continue;
      }
      try {
        const head = await this.head();
        for await (const message of this.#catchUp(at, filter, over)) {
          at = message.kind === 'event' ? message.event.position : message.position;
          yield message;
        }
        if (head > at) at = head;
        failures = 0;
        while (!over.aborted && !follower.lost) {
          const event = follower.take();
          if (!event) {
            if (told !== at) {
              told = at;
              yield { kind: 'caught-up', position: at };
            } else await follower.more(over);
            continue;
          }
          if (event.position <= at) continue;
          at = event.position;
          if (passes(filter, event)) yield { kind: 'event', event };
        }
      } catch (error) {
        if (!over.aborted) this.#mustGoOn(error);
        await this.#pause(failures, over);
      } finally {
        this.#tail.leave(follower);
      }
    }
  }

  /** {@link catchUp}, which goes on where it was when the connection breaks. */
  async *#catchUp(after: Position, filter: EventFilter | undefined, over: AbortSignal) {
    let at = after;
    for (let failures = 0; !over.aborted && !isEmpty(filter); failures += 1) {
      try {
        for await (const message of catchUp(this.#client, at, filter, over)) {
          failures = 0;
          at = message.kind === 'event' ? message.event.position : message.position;
          yield message;
          if (over.aborted) return;
        }
        return;
      } catch (error) {
        if (over.aborted) return;
        this.#mustGoOn(error);
        await this.#pause(failures, over);
      }
    }
  }

  /** A subscription survives everything but what no repetition would change. */
  #mustGoOn(error: unknown): void {
    const final = finalError(error, this.limits.maxAppendBytes);
    if (final && !(final instanceof StoreUnavailable)) throw final;
  }

  async head(): Promise<Position> {
    this.#mustBeOpen();
    for (let maxCount = 1; ; maxCount *= EVENTS_LOOKED_BACK) {
      let seen = 0;
      const read = () => this.#client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount });
      for await (const resolved of this.#reading(read, () => true, undefined)) {
        seen += 1;
        const event = recordedEventOf(resolved);
        if (!event) continue;
        return event.position;
      }
      // Nothing but the server's own events so far: look further back.
      if (seen < maxCount) return BEFORE_FIRST;
    }
  }

  /** The id of the very first event: a server begins its log with one of its own, and makes the id up. */
  async identity(): Promise<string> {
    this.#mustBeOpen();
    const read = () => this.#client.readAll({ fromPosition: START, maxCount: 1 });
    for await (const { event } of this.#reading(read, () => true, undefined)) return event?.id ?? '';
    return '';
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await Promise.race([Promise.allSettled(this.#appending), wait(this.#answerWithin, undefined, { ref: false })]);
    this.#closing.abort();
    await this.#client.dispose();
    await closeChannel(this.#client);
  }

  /** @throws an error when nothing comes back in time: the client itself would wait for ever */
  /** A timer of its own for each append would be its dearest part if it were made of promises and signals. */
  #answered<Result>(asked: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer within ${this.#answerWithin} ms`)), this.#answerWithin);
      asked.then(
        (result) => {
          clearTimeout(late);
          resolve(result);
        },
        (error) => {
          clearTimeout(late);
          reject(error);
        },
      );
    });
  }

  async #pause(attempt: number, over: AbortSignal = this.#closing.signal): Promise<void> {
    const milliseconds = BACKOFF_MILLISECONDS[attempt] ?? (BACKOFF_MILLISECONDS.at(-1) as number);
    await wait(milliseconds, undefined, { signal: over }).catch(() => {});
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the event store was closed');
  }
}

/** Ends what is waited for too long. */
class Watchdog {
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #waitingSince: number | undefined = performance.now();

  constructor(limitMilliseconds: number, bark: (error: Error) => void) {
    this.#limit = limitMilliseconds;
    this.#timer = setInterval(() => {
      if (this.#waitingSince === undefined || performance.now() - this.#waitingSince < this.#limit) return;
      bark(new Error(`nothing was heard for ${this.#limit} ms`));
    }, limitMilliseconds / 4);
    this.#timer.unref();
  }

  watch(): void {
    this.#waitingSince = performance.now();
  }

  rest(): void {
    this.#waitingSince = undefined;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/** Disposing a client ends its calls and leaves its connection open. */
async function closeChannel(client: EventStoreDBClient): Promise<void> {
  const { getChannel } = client as unknown as { getChannel(): Promise<{ close(): void }> };
  (await getChannel().catch(() => undefined))?.close();
}
