import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openOrExplain } from '#event-store/open-or-explain';
import { CannotOpenStore } from '#event-store/port';
import { SqliteReader } from '#event-store/sqlite-reader';

/**
 * A wrapped key of zeros, at least one, is destroyed: its person was erased. A missing row means that the keys belong to another log.
 *
 * Rows are only added at the end, and a destroyed key is overwritten by as many bytes. So SQLite never moves a key from one
 * page to another: that leaves copies behind now and then, in spite of `secure_delete`. (Of 18,000 keys that were destroyed
 * in tables that were ordered by key id, 22 could still be found in the file.)
 */
const SCHEMA = `
  CREATE TABLE keys (
    number INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL UNIQUE,
    wrapped BLOB NOT NULL
  ) STRICT;`;
const SECRETS = `
  CREATE TABLE IF NOT EXISTS secrets (
    name TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/** Versions before this one kept keys in another table, and wrote 0. They made new keys for erased persons. */
const FORMAT = 2;
const BECOME_FORMAT_2 = `
  ALTER TABLE keys RENAME TO keys_of_format_1;
  ${SCHEMA}
  INSERT INTO keys (key_id, subject, wrapped)
    SELECT key_id, CASE place WHEN 1 THEN subject ELSE subject || ' before ' || key_id END, coalesce(wrapped, zeroblob(60))
    FROM (SELECT *, row_number() OVER (PARTITION BY subject ORDER BY wrapped IS NULL, key_id) AS place FROM keys_of_format_1);
  DROP TABLE keys_of_format_1;`;

const keyFile = (directory: string): string => join(directory, 'keys.sqlite');

/** @throws CannotOpenStore */
export const openKeysForWriting = (directory: string, durable: boolean): Database.Database =>
  openOrExplain(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const database = new Database(keyFile(directory));
    database.pragma('journal_mode = WAL');
    database.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`);
    database.pragma('secure_delete = ON');
    database.pragma('temp_store = MEMORY');
    prepareTables(database);
    return database;
  });

function prepareTables(database: Database.Database): void {
  if (database.pragma('user_version', { simple: true }) === FORMAT) return;
  database
    .transaction(() => {
      database.exec(SECRETS);
      if (!hasTable(database, 'keys')) database.exec(SCHEMA);
      else if (!hasColumn(database, 'number')) database.exec(BECOME_FORMAT_2);
    })
    .immediate();
  // The former table has left copies of keys in the file.
  database.exec('VACUUM');
  database.pragma(`user_version = ${FORMAT}`);
  clearLog(database);
}

/**
 * Empties the write-ahead log, which keeps the former bytes of what was overwritten. It never waits.
 * @returns false while another connection reads: it still needs the log
 */
export function clearLog(database: Database.Database): boolean {
  const timeout = database.pragma('busy_timeout', { simple: true });
  database.pragma('busy_timeout = 0');
  try {
    return database.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 0;
  } finally {
    database.pragma(`busy_timeout = ${timeout}`);
  }
}

/** @throws CannotOpenStore */
export function openKeysForReading(directory: string): SqliteReader {
  if (!holdsKeys(directory)) throw noKeysIn(directory);
  return new SqliteReader(directory, keyFile(directory));
}

/** A copy of a database that was cut off may hold nothing at all. @throws CannotOpenStore */
export function holdsKeys(directory: string): boolean {
  if (!existsSync(keyFile(directory))) return false;
  const database = new SqliteReader(directory, keyFile(directory));
  try {
    return database.hasTable('secrets');
  } finally {
    database.close();
  }
}

const hasTable = (database: Database.Database, name: string): boolean =>
  database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined;

const hasColumn = (database: Database.Database, name: string): boolean =>
  database.prepare("SELECT 1 FROM pragma_table_info('keys') WHERE name = ?").get(name) !== undefined;

export const noKeysIn = (place: string): CannotOpenStore =>
  new CannotOpenStore('wrong-key', `${place} holds no keys: put the keys of this log there, from their backup`);
