import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { StoreUnavailable } from '#event-store/port';
import { openKeysForReading, openKeysForWriting } from './key-database.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import { KeyWriterThread } from './key-writer-thread.ts';

interface SqliteKeysOptions {
  /** Undefined: a temporary directory, removed when it is closed. */
  readonly directory?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Fail where there are no keys, instead of making a new store of keys. */
  readonly mustExist?: boolean | undefined;
}

/** @throws CannotOpenStore */
export async function openSqliteKeys({
  directory,
  readOnly = false,
  mustExist = false,
}: SqliteKeysOptions): Promise<SqliteKeys> {
  const temporary = directory === undefined;
  const path = directory ?? (await mkdtemp(join(tmpdir(), 'leadger-keys-')));
  if (mustExist && !temporary) openKeysForReading(path).close();
  if (!readOnly) openKeysForWriting(path, !temporary).close();
  const database = openKeysForReading(path);
  const writer = readOnly ? undefined : await KeyWriterThread.start(path, !temporary);
  return new SqliteKeys(path, database, writer, temporary);
}

interface KeyRow {
  readonly key_id: string;
  readonly subject: string;
  readonly wrapped: Uint8Array | null;
}

const keyOf = (row: KeyRow | undefined): StoredKey | undefined =>
  row && { keyId: row.key_id, subject: row.subject, wrapped: row.wrapped };

/** Keys of one machine. One program writes at a time, in a separate thread. */
class SqliteKeys implements KeyStore {
  readonly shared = false;
  readonly directory: string;
  readonly #database: Database.Database;
  readonly #writer: KeyWriterThread | undefined;
  readonly #temporary: boolean;
  readonly #byId: Database.Statement<[string], KeyRow>;
  readonly #bySubject: Database.Statement<[string], KeyRow>;

  constructor(directory: string, database: Database.Database, writer: KeyWriterThread | undefined, temporary: boolean) {
    this.directory = directory;
    this.#database = database;
    this.#writer = writer;
    this.#temporary = temporary;
    this.#byId = database.prepare('SELECT key_id, subject, wrapped FROM keys WHERE key_id = ?');
    this.#bySubject = database.prepare(
      'SELECT key_id, subject, wrapped FROM keys WHERE subject = ? AND wrapped IS NOT NULL',
    );
  }

  find = (keyId: string) => keyOf(this.#byId.get(keyId));
  findOf = (subject: string) => keyOf(this.#bySubject.get(subject));

  async add(subject: string, { keyId, wrapped }: { keyId: string; wrapped: Uint8Array }): Promise<StoredKey> {
    await this.#mustWrite().write({ added: { keyId, subject, wrapped } });
    return { keyId, subject, wrapped };
  }

  erase = async (subject: string): Promise<void> => this.#mustWrite().write({ erased: subject });

  async findSecret(name: string): Promise<Uint8Array | undefined> {
    return this.#database.prepare('SELECT wrapped FROM secrets WHERE name = ?').pluck().get(name) as
      | Uint8Array
      | undefined;
  }

  async addSecret(name: string, wrapped: Uint8Array): Promise<Uint8Array> {
    this.#mustWrite();
    const writing = openKeysForWriting(this.directory, !this.#temporary);
    writing.prepare('INSERT OR IGNORE INTO secrets (name, wrapped) VALUES (?, ?)').run(name, wrapped);
    writing.close();
    return (await this.findSecret(name)) as Uint8Array;
  }

  async *each() {
    const rows = this.#database.prepare<[], KeyRow>('SELECT key_id, subject, wrapped FROM keys');
    for (const { key_id: keyId, subject, wrapped } of rows.iterate()) yield { keyId, subject, wrapped };
  }

  async put(keys: readonly StoredKey[]): Promise<void> {
    this.#mustWrite();
    const writing = openKeysForWriting(this.directory, !this.#temporary);
    const add = writing.prepare('INSERT OR IGNORE INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)');
    writing.transaction(() => {
      for (const { keyId, subject, wrapped } of keys) add.run(keyId, subject, wrapped);
    })();
    writing.close();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#database.close();
    if (this.#temporary) await rm(this.directory, { recursive: true });
  }

  #mustWrite(): KeyWriterThread {
    if (!this.#writer) throw new StoreUnavailable('this vault was opened for reading only');
    return this.#writer;
  }
}
