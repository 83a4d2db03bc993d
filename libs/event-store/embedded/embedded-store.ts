import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { checkAppend } from '../append-checks.ts';
import { News } from '../news.ts';
import {
  type AppendResult,
  BadEvent,
  BEFORE_FIRST,
  DEFAULT_LIMITS,
  type EventFilter,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  StoreUnavailable,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '../port.ts';
import { checkCount, checkFilter, passes } from '../read-checks.ts';
import { openForReading, type WriterSettings } from './database.ts';
import { WriterThread } from './writer-thread.ts';

export { hashOfEvent } from './event-hash.ts';

export interface EmbeddedStoreOptions {
  /** Undefined: a directory of its own, gone when the store is closed. */
  readonly directory?: string;
  /** Beside a running instance, or on a copy: appending is refused. */
  readonly readOnly?: boolean;
  /** For tests: pages that the file may have at most. */
  readonly maxPages?: number;
}

/** Opens the event store of one machine: one SQLite file, one writer. @throws CannotOpenStore */
export async function openEmbeddedStore(options: EmbeddedStoreOptions = {}): Promise<EventStore> {
  const { directory: given, readOnly = false, maxPages } = options;
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'leadger-events-')));
  const temporary = given === undefined;
  const settings: WriterSettings = { directory, durable: !temporary, ...(maxPages !== undefined && { maxPages }) };
  const writer = readOnly ? undefined : await WriterThread.start(settings);
  try {
    const reader = openForReading(directory);
    return new EmbeddedStore(reader, writer, temporary ? () => rm(directory, { recursive: true }) : async () => {});
  } catch (error) {
    await writer?.close();
    throw error;
  }
}

const EVENTS_PER_PAGE = 500;
/** How far a filtered read looks at a time, so that it neither holds up the process nor hides how far it has come. */
const POSITIONS_PER_PAGE = 20_000;
/** As many are kept for those who follow: what they are behind by when much is appended. */
const NEWEST_EVENTS = 1000;
const MILLISECONDS_BETWEEN_LOOKS = 250;
const POSITION = /^\d{16}$/;

const positionOf = (number: number): Position =>
  number === 0 ? BEFORE_FIRST : (String(number).padStart(16, '0') as Position);

interface Row {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  readonly recorded_at: number;
  readonly hash: Uint8Array;
}

const COLUMNS = 'position, name AS stream, events.revision, id, type, data, metadata, recorded_at, hash';
const EVENTS = 'events JOIN streams USING (stream_id)';

class EmbeddedStore implements EventStore {
  readonly limits = DEFAULT_LIMITS;
  readonly #reader: Database.Database;
  readonly #writer: WriterThread | undefined;
  readonly #remove: () => Promise<void>;
  readonly #closing = new AbortController();
  readonly #news = new News();
  readonly #statements = new Map<string, Database.Statement<unknown[], unknown>>();
  /** The events after one position up to another, read once for all who follow: each wants few of them. */
  #newest: { after: Position; until: number; events: RecordedEvent[] } = { after: BEFORE_FIRST, until: 0, events: [] };
  #looking: NodeJS.Timeout | undefined;
  #dataVersion = 0;

  constructor(reader: Database.Database, writer: WriterThread | undefined, remove: () => Promise<void>) {
    this.#reader = reader;
    this.#writer = writer;
    this.#remove = remove;
    writer?.onWritten(() => this.#news.tell());
  }

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    checkAppend(stream, events, expected, this.limits);
    this.#mustBeOpen();
    if (!this.#writer) throw new StoreUnavailable('this store was opened for reading only');
    const { revision, position } = await this.#writer.append(stream, events, expected);
    return { revision, position: positionOf(position) };
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    const { from, direction = 'forwards', maxCount = Number.POSITIVE_INFINITY, signal } = options;
    checkCount('maxCount', maxCount);
    if (from !== undefined) checkCount('from', from);
    const forwards = direction === 'forwards';
    const page = this.#prepare<Row>(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE name = ? AND events.revision ${forwards ? '>=' : '<='} ?
       ORDER BY events.revision ${forwards ? 'ASC' : 'DESC'} LIMIT ?`,
    );
    let next = from ?? (forwards ? 0 : Number.MAX_SAFE_INTEGER);
    let left = maxCount;
    while (left > 0 && next >= 0 && !signal?.aborted) {
      this.#mustBeOpen();
      const limit = Math.min(left, EVENTS_PER_PAGE);
      const rows = page.all(stream, next, limit);
      for (const row of rows) {
        if (signal?.aborted) return;
        yield recorded(row);
      }
      const last = rows.at(-1);
      if (!last || rows.length < limit) return;
      left -= rows.length;
      next = last.revision + (forwards ? 1 : -1);
      await nextTurn();
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after, direction = 'forwards', filter, maxCount = Number.POSITIVE_INFINITY, signal } = options;
    checkCount('maxCount', maxCount);
    checkFilter(filter);
    this.#mustBeOpen();
    // What is appended after this moment is not part of the read: it ends.
    const head = this.#head();
    const forwards = direction === 'forwards';
    let at = after === undefined ? (forwards ? 0 : head + 1) : this.#numberOf(after);
    let left = maxCount;
    while (left > 0 && !signal?.aborted && (forwards ? at < head : at > 1)) {
      this.#mustBeOpen();
      const { rows, reached } = forwards
        ? this.#pageAfter(at, head, filter, Math.min(left, EVENTS_PER_PAGE))
        : this.#pageBefore(at, filter, Math.min(left, EVENTS_PER_PAGE));
      for (const row of rows) {
        if (signal?.aborted) return;
        yield recorded(row);
      }
      left -= rows.length;
      at = reached;
      await nextTurn();
    }
  }

  async *subscribe({ after, filter, signal }: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    checkFilter(filter);
    this.#mustBeOpen();
    let at = this.#numberOf(after);
    const over = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    let told = -1;
    this.#lookForOthers(1);
    try {
      while (!over.aborted) {
        const news = this.#news.next();
        const head = this.#head();
        const newest = this.#newestAfter(at, head);
        for (const event of newest ?? []) {
          if (!passes(filter, event)) continue;
          yield { kind: 'event', event };
          if (over.aborted) return;
        }
        if (newest && at < head) at = head;
        while (at < head) {
          const { rows, reached } = this.#pageAfter(at, head, filter, EVENTS_PER_PAGE);
          for (const row of rows) {
            yield { kind: 'event', event: recorded(row) };
            if (over.aborted) return;
          }
          at = reached;
          if (at < head) yield { kind: 'checkpoint', position: positionOf(at) };
          if (over.aborted) return;
        }
        if (told !== at) {
          told = at;
          yield { kind: 'caught-up', position: positionOf(at) };
        }
        if (over.aborted) return;
        await news.orAborted(over);
      }
    } finally {
      this.#lookForOthers(-1);
    }
  }

  async head(): Promise<Position> {
    this.#mustBeOpen();
    return positionOf(this.#head());
  }

  async identity(): Promise<string> {
    this.#mustBeOpen();
    return (this.#prepare<{ id: string }>('SELECT id FROM identity').get() as { id: string }).id;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#looking);
    await this.#writer?.close();
    this.#reader.close();
    await this.#remove();
  }

  /** All events after a position, up to the head; undefined when that many are not kept. */
  #newestAfter(at: number, head: number): readonly RecordedEvent[] | undefined {
    const newest = this.#newest;
    if (head - newest.until > EVENTS_PER_PAGE) {
      this.#newest = { after: positionOf(head), until: head, events: [] };
      return undefined;
    }
    if (head > newest.until) {
      newest.events.push(...this.#pageAfter(newest.until, head, undefined, EVENTS_PER_PAGE).rows.map(recorded));
      newest.until = head;
      const tooMany = newest.events.length - NEWEST_EVENTS;
      if (tooMany > 0) newest.after = (newest.events.splice(0, tooMany).at(-1) as RecordedEvent).position;
    }
    const position = positionOf(at);
    if (position < newest.after) return undefined;
    return newest.events.slice(newest.events.findLastIndex((event) => event.position <= position) + 1);
  }

  /** Events after a position, up to the head; and how far was looked. */
  #pageAfter(at: number, head: number, filter: EventFilter | undefined, limit: number): Page {
    const until = filter ? Math.min(head, at + POSITIONS_PER_PAGE) : head;
    const { where, values } = conditionsOf(filter);
    const rows = this.#prepare<Row>(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE position > ? AND position <= ? ${where} ORDER BY position LIMIT ?`,
    ).all(at, until, ...values, limit);
    return { rows, reached: rows.length < limit ? until : (rows.at(-1) as Row).position };
  }

  #pageBefore(at: number, filter: EventFilter | undefined, limit: number): Page {
    const from = filter ? Math.max(1, at - POSITIONS_PER_PAGE) : 1;
    const { where, values } = conditionsOf(filter);
    const rows = this.#prepare<Row>(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE position < ? AND position >= ? ${where} ORDER BY position DESC LIMIT ?`,
    ).all(at, from, ...values, limit);
    return { rows, reached: rows.length < limit ? from : (rows.at(-1) as Row).position };
  }

  #head(): number {
    return (
      (
        this.#prepare<{ head: number | null }>('SELECT max(position) AS head FROM events').get() as {
          head: number | null;
        }
      ).head ?? 0
    );
  }

  #numberOf(position: Position): number {
    if (position === BEFORE_FIRST) return 0;
    if (!POSITION.test(position)) throw new BadEvent(`"${position}" is no position of this store`);
    return Number(position);
  }

  #prepare<Result>(sql: string): Database.Statement<unknown[], Result> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#reader.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement as Database.Statement<unknown[], Result>;
  }

  /** While somebody subscribes, looks now and then whether another process wrote. */
  #subscribers = 0;
  #lookForOthers(change: 1 | -1): void {
    this.#subscribers += change;
    if (this.#subscribers === 0 || this.#closing.signal.aborted) {
      clearInterval(this.#looking);
      this.#looking = undefined;
      return;
    }
    if (this.#looking) return;
    this.#looking = setInterval(() => {
      const version = this.#reader.pragma('data_version', { simple: true }) as number;
      if (version === this.#dataVersion) return;
      this.#dataVersion = version;
      this.#news.tell();
    }, MILLISECONDS_BETWEEN_LOOKS);
    this.#looking.unref();
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the event store was closed');
  }
}

interface Page {
  readonly rows: readonly Row[];
  readonly reached: number;
}

function recorded({ position, stream, revision, id, type, data, metadata, recorded_at, hash }: Row): RecordedEvent {
  const recordedAt = new Date(recorded_at).toISOString();
  return { stream, revision, id, type, data, metadata, position: positionOf(position), recordedAt, hash };
}

function conditionsOf(filter: EventFilter | undefined): { where: string; values: string[] } {
  const { types, streamPrefixes } = filter ?? {};
  const conditions: string[] = [];
  if (types) conditions.push(`type IN (${types.map(() => '?').join(', ')})`);
  if (streamPrefixes)
    conditions.push(`(${streamPrefixes.map(() => 'substr(name, 1, length(?)) = ?').join(' OR ') || 'FALSE'})`);
  return {
    where: conditions.map((condition) => `AND ${condition}`).join(' '),
    values: [...(types ?? []), ...(streamPrefixes ?? []).flatMap((prefix) => [prefix, prefix])],
  };
}
