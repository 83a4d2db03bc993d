import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openOrExplain } from '#event-store/open-or-explain';
import { CannotOpenStore } from '#event-store/port';

/** A row without its key means that the person was erased. A missing row means that the keys belong to another log. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    wrapped BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS one_key_of_a_subject ON keys (subject) WHERE wrapped IS NOT NULL;
  CREATE TABLE IF NOT EXISTS secrets (
    name TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;`;

const keyFile = (directory: string): string => join(directory, 'keys.sqlite');

/** @throws CannotOpenStore */
export const openKeysForWriting = (directory: string, durable: boolean): Database.Database =>
  openOrExplain(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const database = new Database(keyFile(directory));
    database.pragma('journal_mode = WAL');
    database.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`);
    database.pragma('secure_delete = ON');
    database.exec(SCHEMA);
    return database;
  });

/** @throws CannotOpenStore */
export const openKeysForReading = (directory: string): Database.Database =>
  openOrExplain(directory, () => {
    if (!existsSync(keyFile(directory))) throw noKeysIn(directory);
    const database = new Database(keyFile(directory), { readonly: true });
    try {
      if (!hasTables(database)) throw noKeysIn(directory);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });

/** A copy of a database that was cut off may hold nothing at all. */
const hasTables = (database: Database.Database): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'secrets'").get() !== undefined;

export const noKeysIn = (place: string): CannotOpenStore =>
  new CannotOpenStore('wrong-key', `${place} holds no keys: put the keys of this log there, from their backup`);
