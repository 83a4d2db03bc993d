import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkAppend } from '../append-checks.ts';
import { Notifier } from '../notifier.ts';
import {
  type AppendOptions,
  type AppendResult,
  DEFAULT_LIMITS,
  type EventFilter,
  type EventStore,
  type EventStoreError,
  type ExpectedRevision,
  type NewEvent,
  NoSuchPosition,
  type Place,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  StoreUnavailable,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '../port.ts';
import { checkCount, checkFilter, passes } from '../read-checks.ts';
import type { SqliteReader } from '../sqlite-reader.ts';
import { makeTemporaryDirectory } from '../temporary-directory.ts';
import { openDatabaseForReading } from './database.ts';
import { mustBeComplete } from './log-check.ts';
import { EVENTS_PER_PAGE, isPosition, LogReader, numberOf, positionOf } from './log-reader.ts';
import { NewestEvents } from './newest-events.ts';
import { WritableProbe } from './writable.ts';
import { type AppendToWrite, WriterThread } from './writer-thread.ts';

interface EmbeddedStoreOptions {
  /** Undefined: a temporary directory, removed when the store is closed. */
  readonly directory?: string;
  /** Beside a running instance, or on a copy: appends are refused. */
  readonly readOnly?: boolean;
  /** Refuse a log that lacks events, and compare each event that is read with its hash: reads throw DamagedEvent. */
  readonly checked?: boolean;
  /** For tests: the most pages that the file may have. */
  readonly maxPages?: number;
}

/** Opens the event store of one machine: one SQLite file, one writer. @throws CannotOpenStore */
export async function openEmbeddedStore(options: EmbeddedStoreOptions = {}): Promise<EventStore> {
  const { directory: given, readOnly = false, checked = false, maxPages } = options;
  const temporary = given === undefined ? makeTemporaryDirectory('events') : undefined;
  const directory = given ?? (temporary?.path as string);
  const settings = { directory, durable: !temporary, ...(maxPages !== undefined && { maxPages }) };
  const writer = readOnly ? undefined : await WriterThread.start(settings);
  let database: SqliteReader | undefined;
  try {
    database = openDatabaseForReading(directory);
    if (checked) mustBeComplete(database, directory);
    const probe = new WritableProbe(directory);
    return new EmbeddedStore(new LogReader(database, checked), writer, probe, temporary?.remove ?? (() => {}));
  } catch (error) {
    database?.close();
    await writer?.close();
    throw error;
  }
}

const MILLISECONDS_BETWEEN_LOOKS = 250;
const EVENTS_OF_FIRST_PAGE = 8;
const PAGE_GROWTH = 8;

class EmbeddedStore implements EventStore {
  readonly limits = DEFAULT_LIMITS;
  readonly #reader: LogReader;
  readonly #writer: WriterThread | undefined;
  readonly #probe: WritableProbe;
  readonly #removeDirectory: () => void;
  readonly #closing = new AbortController();
  readonly #appended = new Notifier();
  readonly #newest: NewestEvents;
  #subscribers = 0;
  #looking: NodeJS.Timeout | undefined;
  #dataVersion = 0;

  constructor(reader: LogReader, writer: WriterThread | undefined, probe: WritableProbe, removeDirectory: () => void) {
    this.#reader = reader;
    this.#writer = writer;
    this.#probe = probe;
    this.#removeDirectory = removeDirectory;
    this.#newest = new NewestEvents(reader);
    writer?.onWritten(() => this.#appended.notify());
  }

  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    { isCopy = false }: AppendOptions = {},
  ): Promise<AppendResult> {
    checkAppend(stream, events, expected, this.limits);
    return this.#append({ stream, events, expected, idsOnce: !isCopy });
  }

  appendAsServer(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    return this.#append({ stream, events, expected, idsOnce: false });
  }

  async #append(append: AppendToWrite): Promise<AppendResult> {
    this.#mustBeOpen();
    if (!this.#writer) throw new StoreUnavailable('this store was opened for reading only');
    const { revision, position } = await this.#writer.append(append);
    return { revision, position: positionOf(position) };
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    const { from, direction = 'forwards', maxCount = Number.POSITIVE_INFINITY, signal } = options;
    checkCount('maxCount', maxCount);
    if (from !== undefined) checkCount('from', from);
    const forwards = direction === 'forwards';
    let next = from ?? (forwards ? 0 : Number.MAX_SAFE_INTEGER);
    let left = maxCount;
    while (left > 0 && next >= 0 && !signal?.aborted) {
      this.#mustBeOpen();
      const limit = Math.min(left, EVENTS_PER_PAGE);
      const { events, isFull } = this.#reader.eventsOfStream(stream, next, direction, limit);
      for (const event of untilAborted(events, signal)) yield event;
      const last = events.at(-1);
      if (!last || !isFull) return;
      left -= events.length;
      next = last.revision + (forwards ? 1 : -1);
      await nextTurn();
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after, direction, filter, maxCount = Number.POSITIVE_INFINITY, signal } = options;
    checkCount('maxCount', maxCount);
    checkFilter(filter);
    this.#mustBeOpen();
    // What is appended after this moment is not part of the read: it ends.
    const head = this.#reader.head();
    const forwards = direction !== 'backwards';
    let at = after === undefined ? (forwards ? 0 : head + 1) : numberOf(after);
    let left = maxCount;
    // Most readers want one event from an end. Who wants the whole log soon reads whole pages.
    let page = EVENTS_OF_FIRST_PAGE;
    while (left > 0 && !signal?.aborted && (forwards ? at < head : at > 1)) {
      this.#mustBeOpen();
      const limit = Math.min(left, page);
      page = Math.min(EVENTS_PER_PAGE, page * PAGE_GROWTH);
      const { events, reached } = forwards
        ? this.#reader.pageAfter(at, head, filter, limit)
        : this.#reader.pageBefore(at, filter, limit);
      for (const event of untilAborted(events, signal)) yield event;
      left -= events.length;
      at = reached;
      await nextTurn();
    }
  }

  async *subscribe({ after, filter, signal }: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    checkFilter(filter);
    this.#mustBeOpen();
    let at = numberOf(after);
    if (at > this.#reader.head()) throw new NoSuchPosition(after);
    const over = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    let caughtUpAt = -1;
    this.#addSubscriber();
    try {
      while (!over.aborted) {
        const appended = this.#appended.next();
        const head = this.#reader.head();
        for (const message of this.#messagesUpTo(head, at, filter, over)) yield message;
        if (over.aborted) return;
        at = Math.max(at, head);
        if (caughtUpAt !== at) {
          caughtUpAt = at;
          yield { kind: 'caught-up', position: positionOf(at) };
        }
        await appended.orAborted(over);
      }
    } finally {
      this.#removeSubscriber();
    }
  }

  /** Ends at the head, or when it is aborted. */
  *#messagesUpTo(
    head: number,
    after: number,
    filter: EventFilter | undefined,
    over: AbortSignal,
  ): Generator<SubscriptionMessage> {
    const newest = this.#newest.after(after, head);
    if (newest) {
      yield* eventMessages(
        newest.filter((event) => passes(filter, event)),
        over,
      );
      return;
    }
    for (let at = after; at < head && !over.aborted; ) {
      const { events, reached } = this.#reader.pageAfter(at, head, filter);
      yield* eventMessages(events, over);
      at = reached;
      if (at < head && !over.aborted) yield { kind: 'checkpoint', position: positionOf(at) };
    }
  }

  async head(): Promise<Position> {
    this.#mustBeOpen();
    return positionOf(this.#reader.head());
  }

  async placeAt(position: Position): Promise<Place> {
    this.#mustBeOpen();
    const id = isPosition(position) ? this.#reader.idAt(Number(position)) : undefined;
    return id === undefined ? { kind: 'none' } : { kind: 'event', id };
  }

  async identity(): Promise<string> {
    this.#mustBeOpen();
    return this.#reader.identity();
  }

  async whyNotWritable(): Promise<EventStoreError | undefined> {
    if (!this.#writer) return new StoreUnavailable('this store was opened for reading only');
    return this.#writer.failure ?? this.#probe.failure();
  }

  async faults(): Promise<readonly string[]> {
    this.#mustBeOpen();
    return this.#reader.faults();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#looking);
    await this.#writer?.close();
    this.#reader.close();
    this.#removeDirectory();
  }

  /** While there are subscribers, looks now and then whether another process has written. */
  #addSubscriber(): void {
    this.#subscribers += 1;
    if (this.#looking || this.#closing.signal.aborted) return;
    this.#looking = setInterval(() => {
      const version = this.#reader.dataVersion();
      if (version === this.#dataVersion) return;
      this.#dataVersion = version;
      this.#appended.notify();
    }, MILLISECONDS_BETWEEN_LOOKS);
    this.#looking.unref();
  }

  #removeSubscriber(): void {
    this.#subscribers -= 1;
    if (this.#subscribers > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the event store was closed');
  }
}

function* untilAborted(events: readonly RecordedEvent[], signal: AbortSignal | undefined): Generator<RecordedEvent> {
  for (const event of events) {
    if (signal?.aborted) return;
    yield event;
  }
}

function* eventMessages(events: readonly RecordedEvent[], over: AbortSignal): Generator<SubscriptionMessage> {
  for (const event of untilAborted(events, over)) yield { kind: 'event', event };
}
