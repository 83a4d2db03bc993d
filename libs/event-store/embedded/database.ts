import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openOrExplain } from '../open-or-explain.ts';
import { CannotOpenStore } from '../port.ts';
import { SqliteReader } from '../sqlite-reader.ts';

/** Older versions may lose the last commits of a write-ahead log that is reset while it is being read. */
const OLDEST_SQLITE = [3, 51, 3];

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS streams (
    stream_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    metadata BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    is_json INTEGER,
    UNIQUE (stream_id, revision)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS identity (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL) STRICT;`;

export const databaseFile = (directory: string): string => join(directory, 'events.sqlite');

export interface WriterSettings {
  readonly directory: string;
  /** False for a temporary store. */
  readonly durable: boolean;
  /** For tests: the most pages that the file may have. */
  readonly maxPages?: number;
}

/** Whether the log keeps what writers said of the data. A log of an older version that nobody has written to since does not. */
export const KNOWS_JSON = "SELECT 1 FROM pragma_table_info('events') WHERE name = 'is_json'";

/** Opens the log for its one writer. @throws CannotOpenStore */
export function openForWriting({ directory, durable, maxPages }: WriterSettings): Database.Database {
  return openOrExplain(directory, () => {
    mkdirSync(directory, { recursive: true });
    const database = new Database(databaseFile(directory));
    database.pragma('journal_mode = WAL');
    database.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`);
    database.exec(SCHEMA);
    // Logs of older versions do not have it: for their events nobody said whether they are JSON.
    if (!database.prepare(KNOWS_JSON).get()) database.exec('ALTER TABLE events ADD COLUMN is_json INTEGER');
    database.prepare('INSERT INTO identity (only, id) VALUES (1, ?) ON CONFLICT DO NOTHING').run(randomUUID());
    if (durable) proveDurable(database);
    if (maxPages !== undefined) database.pragma(`max_page_count = ${maxPages}`);
    return database;
  });
}

/** Opens the log for reading, while this process or another one may write. @throws CannotOpenStore */
export function openDatabaseForReading(directory: string): SqliteReader {
  if (!existsSync(databaseFile(directory))) throw new CannotOpenStore('damaged', `${directory} holds no events`);
  return new SqliteReader(directory, databaseFile(directory));
}

/** SQLite may ignore a setting, so read each one back. @throws CannotOpenStore */
function proveDurable(database: Database.Database): void {
  const version = database.prepare('SELECT sqlite_version()').pluck().get() as string;
  const numbers = version.split('.').map(Number);
  const differing = OLDEST_SQLITE.findIndex((number, index) => number !== numbers[index]);
  if (differing >= 0 && (numbers[differing] as number) < (OLDEST_SQLITE[differing] as number))
    throw new CannotOpenStore('unsafe-settings', `SQLite ${version} is older than ${OLDEST_SQLITE.join('.')}`);
  // Settings of a connection may take effect only at its first read.
  database.prepare('SELECT max(position) FROM events').get();
  const journal = database.pragma('journal_mode', { simple: true });
  const synchronous = database.pragma('synchronous', { simple: true });
  if (journal !== 'wal' || synchronous !== 2)
    throw new CannotOpenStore(
      'unsafe-settings',
      `the log must be written with journal_mode=wal and synchronous=FULL (2), not with ${journal} and ${synchronous}`,
    );
}
