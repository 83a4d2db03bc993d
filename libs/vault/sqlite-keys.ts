import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { openOrExplain } from '#event-store/open-or-explain';
import { StoreUnavailable } from '#event-store/port';
import type { SqliteReader } from '#event-store/sqlite-reader';
import { makeTemporaryDirectory } from '#event-store/temporary-directory';
import { openKeysForReading, openKeysForWriting } from './key-database.ts';
import { ErasureIncomplete, type KeyStore, type NewKey, type Rewrapped, type StoredKey } from './key-store.ts';
import { KeyWriterThread } from './key-writer-thread.ts';

interface SqliteKeysOptions {
  /** Undefined: a temporary directory, removed when it is closed. */
  readonly directory?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Fail where there are no keys, instead of making a new store of keys. */
  readonly mustExist?: boolean | undefined;
  /** For tests: the most pages that the file may have. */
  readonly maxPages?: number | undefined;
}

/** @throws CannotOpenStore */
export async function openSqliteKeys({
  directory,
  readOnly = false,
  mustExist = false,
  maxPages,
}: SqliteKeysOptions): Promise<SqliteKeys> {
  const temporary = directory === undefined ? makeTemporaryDirectory('keys') : undefined;
  const path = directory ?? (temporary?.path as string);
  if (mustExist && !temporary) openKeysForReading(path).close();
  if (!readOnly) openKeysForWriting(path, !temporary).close();
  const database = openKeysForReading(path);
  const writer = readOnly ? undefined : await KeyWriterThread.start({ directory: path, durable: !temporary, maxPages });
  return new SqliteKeys(path, database, writer, temporary?.remove);
}

interface KeyRow {
  readonly key_id: string;
  readonly subject: string;
  readonly wrapped: Uint8Array | null;
}

const keyOf = ({ key_id: keyId, subject, wrapped }: KeyRow): StoredKey => ({ keyId, subject, wrapped });

/** Null where it is destroyed: it is all zeros, and at least one. An empty key is damaged. */
const WRAPPED = 'nullif(wrapped, zeroblob(max(1, length(wrapped))))';
const KEYS = `SELECT key_id, subject, ${WRAPPED} AS wrapped FROM keys`;
const BY_ID = `${KEYS} WHERE key_id = ?`;
const BY_SUBJECT = `${KEYS} WHERE subject = ?`;
const PAGE = `${KEYS} WHERE key_id > ? ORDER BY key_id LIMIT ?`;
const DESTROYED = `SELECT subject FROM keys WHERE ${WRAPPED} IS NULL ORDER BY number`;
const ROWS_READ_AT_ONCE = 1000;
const MILLISECONDS_BETWEEN_TRIES = 20;
const TRIES_TO_CLEAR = 100;

/** Keys of one machine. One program writes at a time, in a separate thread. */
class SqliteKeys implements KeyStore {
  readonly shared = false;
  readonly directory: string;
  readonly #database: SqliteReader;
  readonly #writer: KeyWriterThread | undefined;
  /** Only of a temporary directory. */
  readonly #remove: (() => void) | undefined;

  constructor(
    directory: string,
    database: SqliteReader,
    writer: KeyWriterThread | undefined,
    remove: (() => void) | undefined,
  ) {
    this.directory = directory;
    this.#database = database;
    this.#writer = writer;
    this.#remove = remove;
  }

  find = (keyId: string) => keyIn(this.#database.get(BY_ID, keyId));
  findOf = (subject: string) => keyIn(this.#database.get(BY_SUBJECT, subject));

  findAllOf = async (subjects: readonly string[]) =>
    subjects.map((subject) => this.findOf(subject)).filter((key) => key !== undefined);

  findAmong = async (keyIds: readonly string[]) =>
    keyIds.map((keyId) => this.find(keyId)).filter((key) => key !== undefined);

  async add(subject: string, { keyId, wrapped }: NewKey): Promise<StoredKey> {
    await this.#mustWrite().write({ added: [{ keyId, subject, wrapped }] });
    return this.findOf(subject) as StoredKey;
  }

  async erase(subjects: readonly string[]): Promise<void> {
    await this.#mustWrite().write({ erased: subjects.map((subject) => ({ keyId: randomUUID(), subject })) });
    await this.#clearLog();
  }

  async findSecret(name: string): Promise<Uint8Array | undefined> {
    return this.#database.get<{ wrapped: Uint8Array }>('SELECT wrapped FROM secrets WHERE name = ?', name)?.wrapped;
  }

  async addSecret(name: string, wrapped: Uint8Array): Promise<Uint8Array> {
    this.#changeAtOnce((database) =>
      database.prepare('INSERT OR IGNORE INTO secrets (name, wrapped) VALUES (?, ?)').run(name, wrapped),
    );
    return (await this.findSecret(name)) as Uint8Array;
  }

  async rewrapSecret(name: string, before: Uint8Array, after: Uint8Array): Promise<void> {
    this.#changeAtOnce((database) =>
      database.prepare('UPDATE secrets SET wrapped = ? WHERE name = ? AND wrapped = ?').run(after, name, before),
    );
  }

  async rewrap(keys: readonly Rewrapped[]): Promise<void> {
    this.#changeAtOnce((database) => {
      const update = database.prepare('UPDATE keys SET wrapped = ? WHERE key_id = ? AND wrapped = ?');
      for (const { keyId, before, after } of keys) update.run(after, keyId, before);
    });
  }

  /** Keys that were wrapped in an older, shorter form have moved, which left copies behind. */
  async removeTraces(): Promise<void> {
    this.#change((database) => database.exec('VACUUM'));
    await this.#clearLog();
  }

  /** A transaction that reads may end at any moment. Meanwhile, the writer goes on. */
  async #clearLog(): Promise<void> {
    const writer = this.#mustWrite();
    for (let tries = 1; !(await writer.write({ clears: true })).cleared; tries += 1) {
      if (tries === TRIES_TO_CLEAR) throw stillRead(this.directory);
      await wait(MILLISECONDS_BETWEEN_TRIES);
    }
  }

  destroyedSubjects = async () => this.#database.all<{ subject: string }>(DESTROYED).map(({ subject }) => subject);

  /** Page by page, because a reader keeps the write-ahead log, and with it the keys that are destroyed meanwhile. */
  async *each() {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const rows: KeyRow[] = this.#database.all(PAGE, after, ROWS_READ_AT_ONCE);
      yield* rows.map(keyOf);
      after = rows.at(-1)?.key_id;
    }
  }

  async put(keys: readonly StoredKey[]): Promise<void> {
    this.#changeAtOnce((database) => {
      const add = database.prepare('INSERT OR IGNORE INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)');
      for (const { keyId, subject, wrapped } of keys) add.run(keyId, subject, wrapped ?? new Uint8Array(1));
    });
    const destroyed = keys.filter(({ wrapped }) => wrapped === null).map(({ subject }) => subject);
    if (destroyed.length > 0) await this.erase(destroyed);
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#database.close();
    this.#remove?.();
  }

  /** In one transaction. */
  #changeAtOnce(make: (database: Database.Database) => void): void {
    this.#change((database) => database.transaction(() => make(database)).immediate());
  }

  /** Changes of a rare kind, beside the writer. @throws CannotOpenStore */
  #change(make: (database: Database.Database) => void): void {
    this.#mustWrite();
    openOrExplain(this.directory, () => {
      const database = openKeysForWriting(this.directory, !this.#remove);
      try {
        make(database);
      } finally {
        database.close();
      }
    });
  }

  #mustWrite(): KeyWriterThread {
    if (!this.#writer) throw new StoreUnavailable('this vault was opened for reading only');
    return this.#writer;
  }
}

const keyIn = (row: KeyRow | undefined): StoredKey | undefined => row && keyOf(row);

const stillRead = (directory: string): ErasureIncomplete =>
  new ErasureIncomplete(
    `another program has been reading ${directory} since before: no key that was destroyed opens anything any more, but its bytes are still on the disk; end that program, and do it again`,
  );
