import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { hashOfEvent } from '../event-hash.ts';
import { openOrExplain } from '../open-or-explain.ts';
import { CannotOpenStore, type ExpectedRevision, type NewEvent } from '../port.ts';
import { openForWriting, type WriterSettings } from './database.ts';
import { KnownIds } from './known-ids.ts';

/** Appends that are written together. `bytes` holds the bytes of all events: data, metadata, data, … */
export interface AppendBatch {
  readonly appends: readonly AppendRequest[];
  readonly bytes: Uint8Array;
}

interface EventOfBatch extends Pick<NewEvent, 'id' | 'type'> {
  readonly json: boolean | undefined;
  readonly dataLength: number;
  readonly metadataLength: number;
}

export interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** Whether an id that the stream has is refused, where it is no repeat. */
  readonly idsOnce: boolean;
  readonly events: readonly EventOfBatch[];
}

type WriterRequest = AppendBatch | 'close';

/** For each append of a batch: where its last event was written, the stream's actual revision, or an id that it has. */
export type AppendReply =
  | { readonly revision: number; readonly position: number }
  | { readonly actual: number | 'no-stream' }
  | { readonly taken: string };

export type WriterReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'cannot-open'; readonly code: string; readonly message: string }
  | { readonly kind: 'written'; readonly replies: readonly AppendReply[] }
  /** Nothing of the batch was written. */
  | { readonly kind: 'full'; readonly message: string }
  /** It is not known whether the batch was written. Nothing will be written any more. */
  | { readonly kind: 'broken'; readonly message: string };

/** `json`: undefined when nobody said whether the data is JSON. */
type NewRow = Omit<NewEvent, 'json'> & Pick<EventOfBatch, 'json'>;

/** The one writer of a log. */
class Writer {
  readonly #database: Database.Database;
  readonly #findStream: Database.Statement<[string], { stream_id: number; revision: number }>;
  readonly #addStream: Database.Statement;
  readonly #moveStream: Database.Statement;
  readonly #addEvent: Database.Statement;
  readonly #findEvent: Database.Statement<[number, string], number>;
  readonly #ids: KnownIds;
  readonly #idsFrom: Database.Statement<[number, number, number], { id: string; position: number }>;
  #position: number;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#findStream = database.prepare('SELECT stream_id, revision FROM streams WHERE name = ?');
    this.#addStream = database.prepare('INSERT INTO streams (name, revision) VALUES (?, -1)');
    this.#moveStream = database.prepare('UPDATE streams SET revision = ? WHERE stream_id = ?');
    this.#addEvent = database.prepare(
      'INSERT INTO events (position, stream_id, revision, id, type, data, metadata, recorded_at, hash, is_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#findEvent = database
      .prepare<[number, string], number>('SELECT revision FROM events WHERE stream_id = ? AND id = ?')
      .pluck();
    const idsIn = database.prepare<[number], string>('SELECT id FROM events WHERE stream_id = ?').pluck();
    this.#ids = new KnownIds((streamId) => idsIn.iterate(streamId));
    this.#idsFrom = database.prepare(
      'SELECT id, position FROM events WHERE stream_id = ? AND revision >= ? ORDER BY revision LIMIT ?',
    );
    this.#position = this.#head();
  }

  /** Writes a batch in one transaction, so that one fsync serves all appends. */
  write({ appends, bytes }: AppendBatch): WriterReply {
    const rowsOf = unpacking(bytes);
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const replies = appends.map((append) => this.#append(append, rowsOf(append)));
      this.#database.exec('COMMIT');
      return { kind: 'written', replies };
    } catch (error) {
      return this.#failed(error as Error & { code?: string });
    }
  }

  close(): void {
    this.#database.close();
  }

  #append({ stream, expected, idsOnce }: AppendRequest, rows: readonly NewRow[]): AppendReply {
    const known = this.#findStream.get(stream);
    const actual = known?.revision ?? -1;
    const first = known && this.#firstResult(known.stream_id, expected, actual, rows);
    if (first) return first;
    if (!holds(expected, actual)) return { actual: actual < 0 ? 'no-stream' : actual };
    const taken = known && idsOnce && rows.find(({ id }) => this.#has(known.stream_id, id));
    if (taken) return { taken: taken.id };
    const streamId = known?.stream_id ?? (this.#addStream.run(stream).lastInsertRowid as number);
    for (const [index, row] of rows.entries()) this.#write(streamId, stream, actual + 1 + index, row);
    const revision = actual + rows.length;
    this.#moveStream.run(revision, streamId);
    return { revision, position: this.#position };
  }

  #write(streamId: number, stream: string, revision: number, row: NewRow): void {
    this.#position += 1;
    const now = Date.now();
    const hash = hashOfEvent({ stream, revision, ...row, recordedAt: new Date(now).toISOString() });
    const { id, type, data, metadata, json } = row;
    const isJson = json === undefined ? null : Number(json);
    this.#ids.wrote(streamId, id);
    this.#addEvent.run(this.#position, streamId, revision, id, type, data, metadata, now, hash, isJson);
  }

  /**
   * The result of the first time, when the same events are already where they should be appended. Without an expected
   * revision, an append of which only a part is there is a conflict.
   */
  #firstResult(
    streamId: number,
    expected: ExpectedRevision,
    actual: number,
    rows: readonly NewRow[],
  ): AppendReply | undefined {
    const from = this.#firstRevisionOf(streamId, expected, rows);
    if (from === undefined || from > actual) return undefined;
    const found = this.#idsFrom.all(streamId, from, rows.length);
    if (found.length === rows.length && found.every(({ id }, index) => id === rows[index]?.id))
      return { revision: from + rows.length - 1, position: (found.at(-1) as { position: number }).position };
    return expected === 'any' || expected === 'stream-exists' ? { actual } : undefined;
  }

  #firstRevisionOf(streamId: number, expected: ExpectedRevision, rows: readonly NewRow[]): number | undefined {
    if (typeof expected === 'number') return expected + 1;
    if (expected === 'no-stream') return 0;
    return this.#findEvent.get(streamId, (rows[0] as NewRow).id);
  }

  #has(streamId: number, id: string): boolean {
    return this.#ids.mayHave(streamId, id) && this.#findEvent.get(streamId, id) !== undefined;
  }

  #failed(error: Error & { code?: string }): WriterReply {
    this.#ids.forget();
    try {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      this.#position = this.#head();
    } catch (rollbackError) {
      return { kind: 'broken', message: `${error.message}; ${(rollbackError as Error).message}` };
    }
    return { kind: error.code === 'SQLITE_FULL' ? 'full' : 'broken', message: error.message };
  }

  #head(): number {
    return (this.#database.prepare('SELECT max(position) FROM events').pluck().get() as number | null) ?? 0;
  }
}

function holds(expected: ExpectedRevision, actual: number): boolean {
  switch (expected) {
    case 'any':
      return true;
    case 'no-stream':
      return actual < 0;
    case 'stream-exists':
      return actual >= 0;
    default:
      return actual === expected;
  }
}

/** Takes the data and metadata of the appends, in their order, from the bytes of their batch. */
function unpacking(bytes: Uint8Array): (append: AppendRequest) => NewRow[] {
  let offset = 0;
  const take = (length: number): Uint8Array => {
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  return ({ events }) =>
    events.map(({ id, type, json, dataLength, metadataLength }) => {
      const data = take(dataLength);
      return { id, type, json, data, metadata: take(metadataLength) };
    });
}

/** Runs in a worker thread: answers each batch, until it is closed or can no longer write. */
function main(port: MessagePort): void {
  const writer = openWriter(port);
  if (!writer) return;
  const close = () => {
    writer.close();
    port.close();
  };
  port.on('message', (request: WriterRequest) => {
    if (request === 'close') return close();
    const result = writer.write(request);
    reply(port, result);
    if (result.kind === 'broken') close();
  });
  reply(port, { kind: 'ready' });
}

const reply = (port: MessagePort, message: WriterReply): void => port.postMessage(message);

function openWriter(port: MessagePort): Writer | undefined {
  try {
    const settings = workerData as WriterSettings;
    return openOrExplain(settings.directory, () => new Writer(openForWriting(settings)));
  } catch (error) {
    if (!(error instanceof CannotOpenStore)) throw error;
    reply(port, { kind: 'cannot-open', code: error.code, message: error.message });
    port.close();
    return undefined;
  }
}

if (!parentPort) throw new Error('the writer runs in a worker thread');
main(parentPort);
