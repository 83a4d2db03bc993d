import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Instant } from '#domain/kernel/events';
import { addDays } from '#domain/kernel/instants';
import { openOrExplain } from '#event-store/open-or-explain';
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
  CREATE TABLE IF NOT EXISTS sessions (${sessionTable.definitions('TEXT')}) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS by_token ON sessions (token_hash);
  CREATE INDEX IF NOT EXISTS by_actor ON sessions (actor);
  CREATE TABLE IF NOT EXISTS sign_ins (${signInTable.definitions('TEXT')}) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sign_ins_by_actor ON sign_ins (actor, at);
  CREATE TABLE IF NOT EXISTS key_uses (key_id TEXT PRIMARY KEY, used_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS factor_uses (factor_id TEXT PRIMARY KEY, step INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS challenges (challenge_hash TEXT PRIMARY KEY, use TEXT NOT NULL, expires_at TEXT NOT NULL) STRICT, WITHOUT ROWID;`;

const insertInto = (table: string, { names }: { names: readonly string[] }) =>
  `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
const INSERT = insertInto('sessions', sessionTable);
const INSERT_SIGN_IN = insertInto('sign_ins', signInTable);
const SIGN_INS = 'SELECT * FROM sign_ins WHERE actor = ? ORDER BY at DESC, session_id';
// The newest ones, and the newest of each browser: whoever signs in often forgets none.
const REMOVE_OLDER = `DELETE FROM sign_ins WHERE actor = ?
  AND session_id NOT IN (
    SELECT session_id FROM sign_ins WHERE actor = ? ORDER BY at DESC, session_id LIMIT ${MOST_SIGN_INS_KEPT})
  AND session_id NOT IN (
    SELECT session_id FROM (
      SELECT session_id, at, ROW_NUMBER() OVER (PARTITION BY browser ORDER BY at DESC, session_id) AS place
      FROM sign_ins WHERE actor = ?) AS of_browsers
    WHERE place = 1 ORDER BY at DESC, session_id LIMIT ${MOST_SIGN_INS_KEPT})`;
const LIVE = 'idle_until > ? AND ends_at > ?';
const BY_TOKEN = `SELECT * FROM sessions WHERE token_hash = ? AND ${LIVE}`;
const BY_ACTOR = `SELECT * FROM sessions WHERE actor = ? AND ${LIVE} ORDER BY started_at DESC, session_id`;
const TOUCH = 'UPDATE sessions SET seen_at = ?, idle_until = ? WHERE session_id = ? AND seen_at < ?';
const RENEW = 'UPDATE sessions SET token_hash = ?, credential = ?, factor = ?, proved_at = ? WHERE session_id = ?';
const USE_STEP = `INSERT INTO factor_uses (factor_id, step) VALUES (?, ?)
  ON CONFLICT (factor_id) DO UPDATE SET step = excluded.step WHERE step < excluded.step`;
const TAKE_CHALLENGE = 'DELETE FROM challenges WHERE challenge_hash = ? AND use = ? AND expires_at > ?';
const NOTE_USE = `INSERT INTO key_uses (key_id, used_at) VALUES (?, ?)
  ON CONFLICT (key_id) DO UPDATE SET used_at = excluded.used_at WHERE used_at < excluded.used_at`;

/** @param directory undefined: in memory @throws CannotOpenStore */
export const openSqliteSessions = (directory: string | undefined): SessionStore =>
  new SqliteSessions(directory ?? 'the memory', opened(directory));

const opened = (directory: string | undefined): Database.Database =>
  openOrExplain(directory ?? '', () => {
    if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
    const database = new Database(directory === undefined ? ':memory:' : join(directory, 'sessions.sqlite'));
    database.pragma('journal_mode = WAL');
    // A session that was ended does not come back with a power cut.
    database.pragma('synchronous = FULL');
    database.pragma('secure_delete = ON');
    database.exec(SCHEMA);
    return database;
  });

/** The sessions of one machine. */
class SqliteSessions implements SessionStore {
  readonly #place: string;
  readonly #database: Database.Database;

  constructor(place: string, database: Database.Database) {
    this.#place = place;
    this.#database = database;
  }

  async start(session: Session, browser: string): Promise<void> {
    const { actor } = session;
    this.#change(INSERT, ...sessionTable.valuesOf(session));
    this.#change(INSERT_SIGN_IN, ...signInTable.valuesOf(signInOf(session, browser)));
    this.#change(REMOVE_OLDER, actor, actor, actor);
  }

  async signInsOf(actor: string): Promise<readonly SignIn[]> {
    return this.#rows<Row>(SIGN_INS, actor).map(signInIn);
  }

  async forget(actor: string): Promise<void> {
    for (const table of ['sessions', 'sign_ins']) this.#change(`DELETE FROM ${table} WHERE actor = ?`, actor);
  }

  async findAmong(tokenHashes: readonly string[], now: Instant): Promise<readonly Session[]> {
    return tokenHashes.flatMap((tokenHash) => this.#rows<Row>(BY_TOKEN, tokenHash, now, now)).map(sessionIn);
  }

  async touch(sessionId: string, seenAt: Instant, idleUntil: Instant): Promise<void> {
    this.#change(TOUCH, seenAt, idleUntil, sessionId, seenAt);
  }

  async renew(sessionId: string, { tokenHash, credential, factor, provedAt }: RenewedSession): Promise<boolean> {
    return this.#change(RENEW, tokenHash, credential, factor, provedAt, sessionId) > 0;
  }

  async useStep(factorId: string, step: number): Promise<boolean> {
    return this.#change(USE_STEP, factorId, step) > 0;
  }

  async hasUsedStep(factorId: string): Promise<boolean> {
    return this.#rows('SELECT step FROM factor_uses WHERE factor_id = ?', factorId).length > 0;
  }

  async addChallenge({ challengeHash, use, expiresAt }: Challenge): Promise<void> {
    this.#change('INSERT INTO challenges VALUES (?, ?, ?)', challengeHash, use, expiresAt);
  }

  async takeChallenge(challengeHash: string, use: string, now: Instant): Promise<boolean> {
    return this.#change(TAKE_CHALLENGE, challengeHash, use, now) > 0;
  }

  async end(actor: string, sessionId: string): Promise<boolean> {
    return this.#change('DELETE FROM sessions WHERE actor = ? AND session_id = ?', actor, sessionId) > 0;
  }

  async endAllOf(actor: string, except = ''): Promise<number> {
    return this.#change('DELETE FROM sessions WHERE actor = ? AND session_id <> ?', actor, except);
  }

  async listOf(actor: string, now: Instant): Promise<readonly Session[]> {
    return this.#rows<Row>(BY_ACTOR, actor, now, now).map(sessionIn);
  }

  async sweep(now: Instant): Promise<void> {
    this.#change('DELETE FROM sessions WHERE idle_until <= ? OR ends_at <= ?', now, now);
    this.#change('DELETE FROM sign_ins WHERE at <= ?', addDays(now, -DAYS_OF_A_SIGN_IN));
    this.#change('DELETE FROM challenges WHERE expires_at <= ?', now);
  }

  async noteKeyUse(keyId: string, at: Instant): Promise<void> {
    this.#change(NOTE_USE, keyId, at);
  }

  async keyUses(): Promise<ReadonlyMap<string, Instant>> {
    const rows = this.#rows<{ key_id: string; used_at: string }>('SELECT key_id, used_at FROM key_uses');
    return new Map(rows.map(({ key_id, used_at }) => [key_id, used_at]));
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #rows = <Row>(sql: string, ...values: string[]): Row[] =>
    openOrExplain(this.#place, () => this.#database.prepare<string[], Row>(sql).all(...values));

  #change = (sql: string, ...values: (string | number)[]): number =>
    openOrExplain(this.#place, () => this.#database.prepare(sql).run(...values).changes);
}
