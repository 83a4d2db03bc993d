import { randomUUID } from 'node:crypto';
import { StoreUnavailable } from '#event-store/port';
import { reasonOf } from '#postgres/failures';
import { PostgresPool } from '#postgres/pool';
import { type KeyStore, MasterKeyReplaced, type NewKey, type Rewrapped, type StoredKey } from './key-store.ts';

/**
 * A key that is null is destroyed. Versions before this one made new keys for erased persons: of several rows of a subject,
 * all but one lose its name, so that each subject has one row, ever.
 */
const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS vault;
  CREATE TABLE IF NOT EXISTS vault.keys (key_id text PRIMARY KEY, subject text NOT NULL, wrapped bytea);
  CREATE TABLE IF NOT EXISTS vault.secrets (name text PRIMARY KEY, wrapped bytea NOT NULL);
  DO $$ BEGIN
    IF to_regclass('vault.one_row_of_a_subject') IS NULL THEN
      LOCK TABLE vault.keys IN SHARE ROW EXCLUSIVE MODE;
      UPDATE vault.keys SET subject = keys.subject || ' before ' || keys.key_id
        FROM (SELECT key_id, row_number() OVER (PARTITION BY subject ORDER BY wrapped IS NULL, key_id) AS place
          FROM vault.keys) AS numbered
        WHERE numbered.key_id = keys.key_id AND place > 1;
      CREATE UNIQUE INDEX one_row_of_a_subject ON vault.keys (subject);
      DROP INDEX IF EXISTS vault.one_key_of_a_subject;
    END IF;
  END $$;`;
const MAX_CONNECTIONS = 4;
const MAX_ROWS_PER_STATEMENT = 4096;

interface KeyRow {
  readonly key_id: string;
  readonly subject: string;
  readonly wrapped: Uint8Array | null;
}

const keyOf = ({ key_id: keyId, subject, wrapped }: KeyRow): StoredKey => ({ keyId, subject, wrapped });

interface AddRequest {
  readonly subject: string;
  readonly key: NewKey;
  readonly resolve: (key: StoredKey) => void;
  readonly reject: (error: Error) => void;
}

/** @throws PostgresRefused, PostgresAway */
export async function openPostgresKeys(url: string): Promise<KeyStore> {
  const pool = new PostgresPool(url, {
    max: MAX_CONNECTIONS,
    application_name: 'leadger keys',
    tables: ['vault.keys', 'vault.secrets'],
  });
  const keys = new PostgresKeys(pool);
  try {
    await keys.prepare();
    return keys;
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** Keys that many programs share. Keys that are added while a statement runs go into the next one. */
class PostgresKeys implements KeyStore {
  readonly shared = true;
  readonly #pool: PostgresPool;
  #waiting: AddRequest[] = [];
  #writing: Promise<void> | undefined;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  /** Programs that start at once create the tables once. No other program uses this lock number. */
  async prepare(): Promise<void> {
    await this.#pool.prepare(`BEGIN; SELECT pg_advisory_xact_lock(4709218); ${SCHEMA} COMMIT;`);
  }

  async find(keyId: string): Promise<StoredKey | undefined> {
    const [row] = await this.#ask<KeyRow>('SELECT key_id, subject, wrapped FROM vault.keys WHERE key_id = $1', [keyId]);
    return row && keyOf(row);
  }

  async findOf(subject: string): Promise<StoredKey | undefined> {
    const [row] = await this.#ask<KeyRow>('SELECT key_id, subject, wrapped FROM vault.keys WHERE subject = $1', [
      subject,
    ]);
    return row && keyOf(row);
  }

  async findAllOf(subjects: readonly string[]): Promise<readonly StoredKey[]> {
    const rows = await this.#ask<KeyRow>('SELECT key_id, subject, wrapped FROM vault.keys WHERE subject = ANY($1)', [
      subjects,
    ]);
    return rows.map(keyOf);
  }

  async findAmong(keyIds: readonly string[]): Promise<readonly StoredKey[]> {
    const rows = await this.#ask<KeyRow>('SELECT key_id, subject, wrapped FROM vault.keys WHERE key_id = ANY($1)', [
      keyIds,
    ]);
    return rows.map(keyOf);
  }

  add(subject: string, key: NewKey): Promise<StoredKey> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ subject, key, resolve, reject });
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  async #write(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_ROWS_PER_STATEMENT);
      try {
        const keys = await this.#addAll(batch);
        for (const { subject, resolve, reject } of batch) {
          const key = keys.get(subject);
          if (key) resolve(key);
          else reject(new MasterKeyReplaced());
        }
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
  }

  /**
   * Two statements, because only the second one sees keys that other programs committed at the same moment. A key that was
   * wrapped beside a former form of the matching secret is not added: see `rewrapSecret`.
   */
  async #addAll(batch: readonly AddRequest[]): Promise<ReadonlyMap<string, StoredKey>> {
    const subjects = batch.map(({ subject }) => subject);
    const keys = batch.map(({ key }) => key);
    await this.#ask(
      `INSERT INTO vault.keys (key_id, subject, wrapped) SELECT made.key_id, made.subject, made.wrapped
        FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) AS made (key_id, subject, wrapped, beside)
        WHERE EXISTS (SELECT 1 FROM vault.secrets WHERE secrets.wrapped = made.beside)
        ON CONFLICT (subject) DO NOTHING`,
      [keys.map(({ keyId }) => keyId), subjects, keys.map(({ wrapped }) => wrapped), keys.map(({ beside }) => beside)],
    );
    return new Map((await this.findAllOf(subjects)).map((key) => [key.subject, key]));
  }

  async erase(subjects: readonly string[]): Promise<void> {
    await this.#ask(
      `INSERT INTO vault.keys (key_id, subject) SELECT * FROM unnest($1::text[], $2::text[])
        ON CONFLICT (subject) DO UPDATE SET wrapped = NULL WHERE keys.wrapped IS NOT NULL`,
      [subjects.map(() => randomUUID()), subjects],
    );
  }

  async findSecret(name: string): Promise<Uint8Array | undefined> {
    const [row] = await this.#ask<{ wrapped: Uint8Array }>('SELECT wrapped FROM vault.secrets WHERE name = $1', [name]);
    return row?.wrapped;
  }

  async addSecret(name: string, wrapped: Uint8Array): Promise<Uint8Array> {
    await this.#ask('INSERT INTO vault.secrets (name, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      name,
      wrapped,
    ]);
    return (await this.findSecret(name)) as Uint8Array;
  }

  /**
   * The lock waits for statements that add keys. Those that begin later see the secret's new form, because a statement
   * takes its snapshot after its locks. They add nothing, and are repeated with keys wrapped anew.
   */
  async rewrapSecret(name: string, before: Uint8Array, after: Uint8Array): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('UPDATE vault.secrets SET wrapped = $1 WHERE name = $2 AND wrapped = $3', [
        after,
        name,
        before,
      ]);
      await client.query('LOCK TABLE vault.keys IN SHARE MODE');
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(true);
      throw unreachable(error);
    }
  }

  async rewrap(keys: readonly Rewrapped[]): Promise<void> {
    await this.#ask(
      `UPDATE vault.keys SET wrapped = made.after
        FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS made (key_id, before, after)
        WHERE keys.key_id = made.key_id AND keys.wrapped = made.before`,
      [keys.map(({ keyId }) => keyId), keys.map(({ before }) => before), keys.map(({ after }) => after)],
    );
  }

  /** The server keeps former bytes in pages until they are used again, in its log and in backups (docs/stores.md). */
  async removeTraces(): Promise<void> {
    await this.#ask('VACUUM vault.keys');
  }

  async destroyedSubjects(): Promise<readonly string[]> {
    const rows = await this.#ask<KeyRow>('SELECT subject FROM vault.keys WHERE wrapped IS NULL ORDER BY subject');
    return rows.map(({ subject }) => subject);
  }

  async *each() {
    let after = '';
    for (;;) {
      const rows = await this.#ask<KeyRow>(
        'SELECT key_id, subject, wrapped FROM vault.keys WHERE key_id > $1 ORDER BY key_id LIMIT $2',
        [after, MAX_ROWS_PER_STATEMENT],
      );
      yield* rows.map(keyOf);
      const last = rows.at(-1);
      if (!last) return;
      after = last.key_id;
    }
  }

  async put(keys: readonly StoredKey[]): Promise<void> {
    await this.#ask(
      `INSERT INTO vault.keys (key_id, subject, wrapped) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])
        ON CONFLICT DO NOTHING`,
      [keys.map(({ keyId }) => keyId), keys.map(({ subject }) => subject), keys.map(({ wrapped }) => wrapped)],
    );
    const destroyed = keys.filter(({ wrapped }) => wrapped === null).map(({ subject }) => subject);
    if (destroyed.length > 0) await this.erase(destroyed);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#pool.end();
  }

  async #ask<Row extends object>(statement: string, parameters?: unknown[]): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(statement, parameters)).rows;
    } catch (error) {
      throw unreachable(error);
    }
  }
}

const unreachable = (error: unknown): StoreUnavailable =>
  new StoreUnavailable(`the keys in PostgreSQL cannot be reached: ${reasonOf(error)}`, { cause: error });
