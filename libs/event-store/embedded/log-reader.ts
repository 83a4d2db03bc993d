import {
  BadEvent,
  BEFORE_FIRST,
  CannotOpenStore,
  type EventFilter,
  type Position,
  type RecordedEvent,
} from '../port.ts';
import type { SqliteReader } from '../sqlite-reader.ts';
import { KNOWS_JSON } from './database.ts';
import { faultsIn } from './faults.ts';
import { mustBeAsWritten } from './log-check.ts';

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
  readonly is_json: number | null;
}

interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** There may be more. */
  readonly isFull: boolean;
}

interface Page extends EventPage {
  /** Everything up to here (or down to here) is in the page or was filtered out. */
  readonly reached: number;
}

export const EVENTS_PER_PAGE = 500;
/** A page ends with the event that reaches it. */
const BYTES_PER_PAGE = 4 * 1024 * 1024;
/** A filtered read scans this many positions at a time, so that it does not block the process and reports its progress. */
const POSITIONS_PER_PAGE = 20_000;

const COLUMNS = 'position, name AS stream, events.revision, id, type, data, metadata, recorded_at, hash';
const EVENTS = 'events JOIN streams USING (stream_id)';

/** Reads the tables of the log. Positions are plain numbers here: 1 for the first event. */
export class LogReader {
  readonly #database: SqliteReader;
  readonly #checked: boolean;
  readonly #columns: string;

  /** @param checked compare each event with its hash. Reads throw DamagedEvent then. */
  constructor(database: SqliteReader, checked = false) {
    this.#database = database;
    this.#checked = checked;
    this.#columns = `${COLUMNS}, ${database.get(KNOWS_JSON) ? 'is_json' : 'NULL AS is_json'}`;
  }

  head(): number {
    return this.#database.get<{ head: number | null }>('SELECT max(position) AS head FROM events')?.head ?? 0;
  }

  identity(): string {
    const row = this.#database.get<{ id: string }>('SELECT id FROM identity');
    if (!row) throw new CannotOpenStore('damaged', 'the log is damaged: its identity is missing');
    return row.id;
  }

  idAt(position: number): string | undefined {
    return this.#database.get<{ id: string }>('SELECT id FROM events WHERE position = ?', position)?.id;
  }

  faults(): readonly string[] {
    return faultsIn(this.#database);
  }

  /** A number that changes when another process writes to the log. */
  dataVersion(): number {
    return this.#database.dataVersion();
  }

  eventsOfStream(stream: string, from: number, direction: 'forwards' | 'backwards', limit: number): EventPage {
    const [comparison, order] = direction === 'forwards' ? ['>=', 'ASC'] : ['<=', 'DESC'];
    return this.#page(
      limit,
      `name = ? AND events.revision ${comparison} ? ORDER BY events.revision ${order} LIMIT ?`,
      stream,
      from,
    );
  }

  /** Events after a position, up to the head. */
  pageAfter(at: number, head: number, filter: EventFilter | undefined, limit = EVENTS_PER_PAGE): Page {
    const until = filter ? Math.min(head, at + POSITIONS_PER_PAGE) : head;
    const { where, values } = conditionsOf(filter);
    const condition = `position > ? AND position <= ? ${where} ORDER BY position LIMIT ?`;
    return pageOf(this.#page(limit, condition, at, until, ...values), until);
  }

  /** Events before a position, the newest first. */
  pageBefore(at: number, filter: EventFilter | undefined, limit: number): Page {
    const from = filter ? Math.max(1, at - POSITIONS_PER_PAGE) : 1;
    const { where, values } = conditionsOf(filter);
    const condition = `position < ? AND position >= ? ${where} ORDER BY position DESC LIMIT ?`;
    return pageOf(this.#page(limit, condition, at, from, ...values), from);
  }

  close(): void {
    this.#database.close();
  }

  #page(limit: number, condition: string, ...values: (string | number)[]): EventPage {
    const events: RecordedEvent[] = [];
    let bytes = 0;
    const takes = (row: EventRow): boolean => {
      const event = recordedEventOf(row);
      if (this.#checked) mustBeAsWritten(event);
      events.push(event);
      bytes += row.data.length + row.metadata.length;
      return bytes < BYTES_PER_PAGE;
    };
    this.#database.while(takes, `SELECT ${this.#columns} FROM ${EVENTS} WHERE ${condition}`, ...values, limit);
    return { events, isFull: events.length === limit || bytes >= BYTES_PER_PAGE };
  }
}

const pageOf = (page: EventPage, end: number): Page => ({
  ...page,
  reached: page.isFull ? Number(page.events.at(-1)?.position) : end,
});

function recordedEventOf(row: EventRow) {
  const { position, stream, revision, id, type, data, metadata, hash, is_json } = row;
  const recordedAt = instantOf(row);
  const json = is_json !== null && { json: is_json === 1 };
  return { stream, revision, id, type, data, metadata, ...json, position: positionOf(position), recordedAt, hash };
}

/** @throws CannotOpenStore that names the event */
function instantOf({ recorded_at, position, stream, revision }: EventRow): string {
  const instant = new Date(recorded_at);
  if (!Number.isNaN(instant.getTime())) return instant.toISOString();
  const event = `revision ${revision} of ${stream}, at position ${position}`;
  throw new CannotOpenStore('damaged', `the log is damaged: ${event}, was recorded at no possible instant`);
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
