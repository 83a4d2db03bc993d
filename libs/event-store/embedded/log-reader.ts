import type Database from 'better-sqlite3';
import { BadEvent, BEFORE_FIRST, type EventFilter, type Position, type RecordedEvent } from '../port.ts';
import { faultsIn } from './faults.ts';

const POSITION = /^\d{16}$/;

export const positionOf = (number: number): Position =>
  number === 0 ? BEFORE_FIRST : (String(number).padStart(16, '0') as Position);

export const isPosition = (position: Position): boolean => POSITION.test(position);

/** @throws BadEvent */
export function numberOf(position: Position): number {
  if (position === BEFORE_FIRST) return 0;
  if (!POSITION.test(position)) throw new BadEvent(`"${position}" is not a position of this store`);
  return Number(position);
}

interface EventRow {
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

interface Page {
  readonly events: readonly RecordedEvent[];
  /** Everything up to here (or down to here) is in the page or was filtered out. */
  readonly reached: number;
}

export const EVENTS_PER_PAGE = 500;
/** A filtered read scans this many positions at a time, so that it does not block the process and reports its progress. */
const POSITIONS_PER_PAGE = 20_000;

const COLUMNS = 'position, name AS stream, events.revision, id, type, data, metadata, recorded_at, hash';
const EVENTS = 'events JOIN streams USING (stream_id)';

/** Reads the tables of the log. Positions are plain numbers here: 1 for the first event. */
export class LogReader {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement<unknown[], unknown>>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  head(): number {
    return this.#get<{ head: number | null }>('SELECT max(position) AS head FROM events').head ?? 0;
  }

  identity(): string {
    return this.#get<{ id: string }>('SELECT id FROM identity').id;
  }

  idAt(position: number): string | undefined {
    return this.#prepare<{ id: string }>('SELECT id FROM events WHERE position = ?').get(position)?.id;
  }

  faults(): readonly string[] {
    return faultsIn(this.#database);
  }

  /** A number that changes when another process writes to the log. */
  dataVersion(): number {
    return this.#database.pragma('data_version', { simple: true }) as number;
  }

  eventsOfStream(stream: string, from: number, direction: 'forwards' | 'backwards', limit: number): RecordedEvent[] {
    const [comparison, order] = direction === 'forwards' ? ['>=', 'ASC'] : ['<=', 'DESC'];
    return this.#events(
      `name = ? AND events.revision ${comparison} ? ORDER BY events.revision ${order} LIMIT ?`,
      stream,
      from,
      limit,
    );
  }

  /** Events after a position, up to the head. */
  pageAfter(at: number, head: number, filter: EventFilter | undefined, limit = EVENTS_PER_PAGE): Page {
    const until = filter ? Math.min(head, at + POSITIONS_PER_PAGE) : head;
    const { where, values } = conditionsOf(filter);
    const condition = `position > ? AND position <= ? ${where} ORDER BY position LIMIT ?`;
    return pageOf(this.#events(condition, at, until, ...values, limit), limit, until);
  }

  /** Events before a position, the newest first. */
  pageBefore(at: number, filter: EventFilter | undefined, limit: number): Page {
    const from = filter ? Math.max(1, at - POSITIONS_PER_PAGE) : 1;
    const { where, values } = conditionsOf(filter);
    const condition = `position < ? AND position >= ? ${where} ORDER BY position DESC LIMIT ?`;
    return pageOf(this.#events(condition, at, from, ...values, limit), limit, from);
  }

  close(): void {
    this.#database.close();
  }

  #events(condition: string, ...values: unknown[]): RecordedEvent[] {
    const statement = this.#prepare<EventRow>(`SELECT ${COLUMNS} FROM ${EVENTS} WHERE ${condition}`);
    return statement.all(...values).map(recordedEventOf);
  }

  #get<Row>(sql: string): Row {
    return this.#prepare<Row>(sql).get() as Row;
  }

  #prepare<Row>(sql: string): Database.Statement<unknown[], Row> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement as Database.Statement<unknown[], Row>;
  }
}

const pageOf = (events: readonly RecordedEvent[], limit: number, end: number): Page => ({
  events,
  reached: events.length < limit ? end : Number(events.at(-1)?.position),
});

function recordedEventOf(row: EventRow): RecordedEvent {
  const { position, stream, revision, id, type, data, metadata, recorded_at, hash } = row;
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
