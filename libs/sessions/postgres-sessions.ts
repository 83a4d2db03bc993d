import type { Instant } from '#domain/kernel/events';
import { addDays } from '#domain/kernel/instants';
import { StoreUnavailable } from '#event-store/port';
import { reasonOf } from '#postgres/failures';
import { PostgresPool } from '#postgres/pool';
import { type Row, sessionIn, sessionTable, signInIn, signInOf, signInTable } from './session-rows.ts';
import {
  type Challenge,
  DAYS_OF_A_SIGN_IN,
  MOST_SIGN_INS_KEPT,
  type RenewedSession,
  type Session,
  type SessionStore,
  type SignIn,
} from './session-store.ts';

const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS sessions;
  CREATE TABLE IF NOT EXISTS sessions.sessions (${sessionTable.definitions('text COLLATE "C"')});
  CREATE UNIQUE INDEX IF NOT EXISTS by_token ON sessions.sessions (token_hash);
  CREATE INDEX IF NOT EXISTS by_actor ON sessions.sessions (actor);
  CREATE TABLE IF NOT EXISTS sessions.sign_ins (${signInTable.definitions('text COLLATE "C"')});
  CREATE INDEX IF NOT EXISTS sign_ins_by_actor ON sessions.sign_ins (actor, at);
  CREATE TABLE IF NOT EXISTS sessions.key_uses (key_id text PRIMARY KEY, used_at text COLLATE "C" NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions.factor_uses (factor_id text PRIMARY KEY, step bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions.challenges (
    challenge_hash text PRIMARY KEY, use text NOT NULL, expires_at text COLLATE "C" NOT NULL);`;
const MAX_CONNECTIONS = 4;

const insertInto = (table: string, { names }: { names: readonly string[] }) =>
  `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`;
const INSERT = insertInto('sessions.sessions', sessionTable);
const INSERT_SIGN_IN = insertInto('sessions.sign_ins', signInTable);
const SIGN_INS = 'SELECT * FROM sessions.sign_ins WHERE actor = $1 ORDER BY at DESC, session_id';
// The newest ones, and the newest of each browser: whoever signs in often forgets none.
const REMOVE_OLDER = `DELETE FROM sessions.sign_ins WHERE actor = $1
  AND session_id NOT IN (
    SELECT session_id FROM sessions.sign_ins WHERE actor = $1 ORDER BY at DESC, session_id LIMIT ${MOST_SIGN_INS_KEPT})
  AND session_id NOT IN (
    SELECT session_id FROM (
      SELECT session_id, at, ROW_NUMBER() OVER (PARTITION BY browser ORDER BY at DESC, session_id) AS place
      FROM sessions.sign_ins WHERE actor = $1) AS of_browsers
    WHERE place = 1 ORDER BY at DESC, session_id LIMIT ${MOST_SIGN_INS_KEPT})`;
const LIVE = 'idle_until > $2 AND ends_at > $2';
const BY_TOKENS = `SELECT * FROM sessions.sessions WHERE token_hash = ANY($1) AND ${LIVE}`;
const BY_ACTOR = `SELECT * FROM sessions.sessions WHERE actor = $1 AND ${LIVE} ORDER BY started_at DESC, session_id`;
const TOUCH = 'UPDATE sessions.sessions SET seen_at = $2, idle_until = $3 WHERE session_id = $1 AND seen_at < $2';
const RENEW = `UPDATE sessions.sessions SET token_hash = $2, credential = $3, factor = $4, proved_at = $5
  WHERE session_id = $1`;
const USE_STEP = `INSERT INTO sessions.factor_uses (factor_id, step) VALUES ($1, $2)
  ON CONFLICT (factor_id) DO UPDATE SET step = excluded.step WHERE factor_uses.step < excluded.step`;
const TAKE_CHALLENGE = 'DELETE FROM sessions.challenges WHERE challenge_hash = $1 AND use = $2 AND expires_at > $3';
const NOTE_USE = `INSERT INTO sessions.key_uses (key_id, used_at) VALUES ($1, $2)
  ON CONFLICT (key_id) DO UPDATE SET used_at = excluded.used_at WHERE key_uses.used_at < excluded.used_at`;

/** @throws PostgresRefused, PostgresAway */
export async function openPostgresSessions(url: string): Promise<SessionStore> {
  const pool = new PostgresPool(url, {
    max: MAX_CONNECTIONS,
    application_name: 'leadger sessions',
    tables: [
      'sessions.sessions',
      'sessions.sign_ins',
      'sessions.key_uses',
      'sessions.factor_uses',
      'sessions.challenges',
    ],
  });
  try {
    // Programs that start at once create the tables once. No other program uses this lock number.
    await pool.prepare(`BEGIN; SELECT pg_advisory_xact_lock(4709219); ${SCHEMA} COMMIT;`);
    return new PostgresSessions(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** Sessions that many programs share. */
class PostgresSessions implements SessionStore {
  readonly #pool: PostgresPool;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async start(session: Session, browser: string): Promise<void> {
    await this.#ask(INSERT, sessionTable.valuesOf(session));
    await this.#ask(INSERT_SIGN_IN, signInTable.valuesOf(signInOf(session, browser)));
    await this.#ask(REMOVE_OLDER, [session.actor]);
  }

  async signInsOf(actor: string): Promise<readonly SignIn[]> {
    return (await this.#ask<Row>(SIGN_INS, [actor])).rows.map(signInIn);
  }

  async forget(actor: string): Promise<void> {
    for (const table of ['sessions', 'sign_ins'])
      await this.#ask(`DELETE FROM sessions.${table} WHERE actor = $1`, [actor]);
  }

  async findAmong(tokenHashes: readonly string[], now: Instant): Promise<readonly Session[]> {
    const { rows } = await this.#ask<Row>(BY_TOKENS, [tokenHashes, now]);
    return rows.map(sessionIn);
  }

  async touch(sessionId: string, seenAt: Instant, idleUntil: Instant): Promise<void> {
    await this.#ask(TOUCH, [sessionId, seenAt, idleUntil]);
  }

  async renew(sessionId: string, { tokenHash, credential, factor, provedAt }: RenewedSession): Promise<boolean> {
    const renewed = await this.#ask(RENEW, [sessionId, tokenHash, credential, factor, provedAt]);
    return renewed.rowCount !== 0;
  }

  async useStep(factorId: string, step: number): Promise<boolean> {
    return (await this.#ask(USE_STEP, [factorId, step])).rowCount !== 0;
  }

  async hasUsedStep(factorId: string): Promise<boolean> {
    const { rows } = await this.#ask('SELECT step FROM sessions.factor_uses WHERE factor_id = $1', [factorId]);
    return rows.length > 0;
  }

  async addChallenge({ challengeHash, use, expiresAt }: Challenge): Promise<void> {
    await this.#ask('INSERT INTO sessions.challenges VALUES ($1, $2, $3)', [challengeHash, use, expiresAt]);
  }

  async takeChallenge(challengeHash: string, use: string, now: Instant): Promise<boolean> {
    return (await this.#ask(TAKE_CHALLENGE, [challengeHash, use, now])).rowCount !== 0;
  }

  async end(actor: string, sessionId: string): Promise<boolean> {
    const ended = await this.#ask('DELETE FROM sessions.sessions WHERE actor = $1 AND session_id = $2', [
      actor,
      sessionId,
    ]);
    return ended.rowCount !== 0;
  }

  async endAllOf(actor: string, except = ''): Promise<number> {
    const ended = await this.#ask('DELETE FROM sessions.sessions WHERE actor = $1 AND session_id <> $2', [
      actor,
      except,
    ]);
    return ended.rowCount ?? 0;
  }

  async listOf(actor: string, now: Instant): Promise<readonly Session[]> {
    const { rows } = await this.#ask<Row>(BY_ACTOR, [actor, now]);
    return rows.map(sessionIn);
  }

  async sweep(now: Instant): Promise<void> {
    await this.#ask('DELETE FROM sessions.sessions WHERE idle_until <= $1 OR ends_at <= $1', [now]);
    await this.#ask('DELETE FROM sessions.sign_ins WHERE at <= $1', [addDays(now, -DAYS_OF_A_SIGN_IN)]);
    await this.#ask('DELETE FROM sessions.challenges WHERE expires_at <= $1', [now]);
  }

  async noteKeyUse(keyId: string, at: Instant): Promise<void> {
    await this.#ask(NOTE_USE, [keyId, at]);
  }

  async keyUses(): Promise<ReadonlyMap<string, Instant>> {
    const { rows } = await this.#ask<{ key_id: string; used_at: string }>(
      'SELECT key_id, used_at FROM sessions.key_uses',
      [],
    );
    return new Map(rows.map(({ key_id, used_at }) => [key_id, used_at]));
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #ask<Row extends object>(statement: string, parameters: unknown[]) {
    try {
      return await this.#pool.query<Row>(statement, parameters);
    } catch (error) {
      throw new StoreUnavailable(`the sessions in PostgreSQL cannot be reached: ${reasonOf(error)}`, { cause: error });
    }
  }
}
