import pg from 'pg';
import { StoreUnavailable } from '#event-store/port';
import type { KeyStore, StoredKey } from './key-store.ts';

const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS vault;
  CREATE TABLE IF NOT EXISTS vault.keys (key_id text PRIMARY KEY, subject text NOT NULL, wrapped bytea);
  CREATE UNIQUE INDEX IF NOT EXISTS one_key_of_a_subject ON vault.keys (subject) WHERE wrapped IS NOT NULL;
  CREATE TABLE IF NOT EXISTS vault.secrets (name text PRIMARY KEY, wrapped bytea NOT NULL);`;
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
  readonly key: { readonly keyId: string; readonly wrapped: Uint8Array };
  readonly resolve: (key: StoredKey) => void;
  readonly reject: (error: Error) => void;
}

/** @throws StoreUnavailable */
export async function openPostgresKeys(url: string): Promise<KeyStore> {
  const pool = new pg.Pool({ connectionString: url, max: MAX_CONNECTIONS, application_name: 'leadger keys' });
  pool.on('error', () => {});
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
  readonly #pool: pg.Pool;
  #waiting: AddRequest[] = [];
  #writing: Promise<void> | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Programs that start at once create the tables once. No other program uses this lock number. */
  async prepare(): Promise<void> {
    await this.#ask(`BEGIN; SELECT pg_advisory_xact_lock(4709218); ${SCHEMA} COMMIT;`);
  }

  async find(keyId: string): Promise<StoredKey | undefined> {
    const [row] = await this.#ask<KeyRow>('SELECT key_id, subject, wrapped FROM vault.keys WHERE key_id = $1', [keyId]);
    return row && keyOf(row);
  }

  async findOf(subject: string): Promise<StoredKey | undefined> {
    const [row] = await this.#ask<KeyRow>(
      'SELECT key_id, subject, wrapped FROM vault.keys WHERE subject = $1 AND wrapped IS NOT NULL',
      [subject],
    );
    return row && keyOf(row);
  }

  add(subject: string, key: { keyId: string; wrapped: Uint8Array }): Promise<StoredKey> {
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
        for (const { subject, resolve } of batch) resolve(keys.get(subject) as StoredKey);
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
  }

  /** Two statements, because only the second one sees keys that other programs committed at the same moment. */
  async #addAll(batch: readonly AddRequest[]): Promise<ReadonlyMap<string, StoredKey>> {
    const subjects = batch.map(({ subject }) => subject);
    await this.#ask(
      `INSERT INTO vault.keys (key_id, subject, wrapped) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])
        ON CONFLICT (subject) WHERE wrapped IS NOT NULL DO NOTHING`,
      [batch.map(({ key }) => key.keyId), subjects, batch.map(({ key }) => key.wrapped)],
    );
    const rows = await this.#ask<KeyRow>(
      'SELECT key_id, subject, wrapped FROM vault.keys WHERE subject = ANY($1) AND wrapped IS NOT NULL',
      [subjects],
    );
    const found = new Map(rows.map((row) => [row.subject, keyOf(row)]));
    if (subjects.some((subject) => !found.has(subject)))
      throw new StoreUnavailable('a person was erased while a key was made for them: try again');
    return found;
  }

  async erase(subject: string): Promise<void> {
    await this.#ask('UPDATE vault.keys SET wrapped = NULL WHERE subject = $1 AND wrapped IS NOT NULL', [subject]);
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
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#pool.end();
  }

  async #ask<Row extends object>(statement: string, parameters?: unknown[]): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row & pg.QueryResultRow>(statement, parameters)).rows;
    } catch (error) {
      throw new StoreUnavailable(`the keys in PostgreSQL cannot be reached: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
