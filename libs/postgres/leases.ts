import { randomUUID } from 'node:crypto';
import { PostgresPool } from './pool.ts';

const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS coordination;
  CREATE TABLE IF NOT EXISTS coordination.leases (
    unit text PRIMARY KEY, holder text NOT NULL, token bigint NOT NULL, expires_at timestamptz NOT NULL);
  CREATE TABLE IF NOT EXISTS coordination.workers (
    worker text PRIMARY KEY, seen_at timestamptz NOT NULL, report jsonb NOT NULL);
  CREATE TABLE IF NOT EXISTS coordination.retries (item text PRIMARY KEY, asked_at timestamptz NOT NULL);`;

/** A worker that did not report for this many terms counts as stopped. */
const TERMS_UNTIL_GONE = 1;
/** A share of the term, for clocks that run differently, and for commands that are under way when the term ends. */
const MARGIN = 0.2;
const MOST_CONNECTIONS = 2;

/** The right to act for one unit for a limited time. Its holder has the highest token ever issued for the unit. */
export interface Lease {
  readonly unit: string;
  readonly token: number;
  /** Whether it holds now, by this machine's monotonic clock. So a pause of the whole program cannot extend it. */
  holds(): boolean;
}

/** @throws PostgresRefused, CannotConnect; PostgresAway when it goes away at this moment */
export async function connectLeases(databaseUrl: string, termMilliseconds: number): Promise<Leases> {
  const pool = new PostgresPool(databaseUrl, {
    max: MOST_CONNECTIONS,
    application_name: 'leadger leases',
    tables: ['coordination.leases', 'coordination.workers'],
  });
  try {
    // Of programs that start at the same time, one creates the tables. No other program uses this lock number.
    await pool.prepare(`BEGIN; SELECT pg_advisory_xact_lock(4709219); ${SCHEMA} COMMIT;`);
    return new Leases(pool, termMilliseconds);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/**
 * Leases in PostgreSQL. The database's clock decides when a lease ends for others. The holder counts its own time from
 * before it asked, so it stops earlier. Leases decide who acts; the streams guard what must never happen twice.
 */
export class Leases {
  /** The id of this worker: a new one at each start. */
  readonly worker = randomUUID();
  readonly termMilliseconds: number;
  readonly #pool: PostgresPool;
  readonly #term: string;

  constructor(pool: PostgresPool, termMilliseconds: number) {
    this.#pool = pool;
    this.termMilliseconds = termMilliseconds;
    this.#term = `${termMilliseconds} milliseconds`;
  }

  /** Reports that this worker runs, and its state. @returns all workers that run */
  async appear(report: object): Promise<readonly string[]> {
    await this.#pool.query(
      `INSERT INTO coordination.workers (worker, seen_at, report) VALUES ($1, clock_timestamp(), $2)
        ON CONFLICT (worker) DO UPDATE SET seen_at = excluded.seen_at, report = excluded.report`,
      [this.worker, JSON.stringify(report)],
    );
    const { rows } = await this.#pool.query<{ worker: string }>(
      `SELECT worker FROM coordination.workers WHERE seen_at > clock_timestamp() - $1::interval * ${TERMS_UNTIL_GONE}`,
      [this.#term],
    );
    return rows.map(({ worker }) => worker);
  }

  /** The last reports of the workers that run. */
  async reports<Report>(): Promise<readonly Report[]> {
    const { rows } = await this.#pool.query<{ report: Report }>(
      `SELECT report FROM coordination.workers WHERE seen_at > clock_timestamp() - $1::interval * ${TERMS_UNTIL_GONE}
        ORDER BY worker`,
      [this.#term],
    );
    return rows.map(({ report }) => report);
  }

  /** Takes leases, or renews them. @returns those that this worker has now, without those that another one holds */
  async take(units: readonly string[]): Promise<readonly Lease[]> {
    if (units.length === 0) return [];
    const until = performance.now() + this.termMilliseconds * (1 - MARGIN);
    const { rows } = await this.#pool.query<{ unit: string; token: string }>(
      `INSERT INTO coordination.leases AS lease (unit, holder, token, expires_at)
        SELECT unit, $2, 1, clock_timestamp() + $3::interval FROM unnest($1::text[]) AS unit
        ON CONFLICT (unit) DO UPDATE SET
          holder = excluded.holder,
          expires_at = excluded.expires_at,
          token = lease.token
            + CASE WHEN lease.holder = excluded.holder AND lease.expires_at > clock_timestamp() THEN 0 ELSE 1 END
        WHERE lease.holder = excluded.holder OR lease.expires_at <= clock_timestamp()
        RETURNING unit, token`,
      [[...units].sort(), this.worker, this.#term],
    );
    return rows.map(({ unit, token }) => ({ unit, token: Number(token), holds: () => performance.now() < until }));
  }

  /** Gives leases back, so that another worker need not wait for the end of their term. */
  async release(units: readonly string[]): Promise<void> {
    if (units.length === 0) return;
    await this.#pool.query(
      'UPDATE coordination.leases SET expires_at = clock_timestamp() WHERE holder = $1 AND unit = ANY($2)',
      [this.worker, [...units]],
    );
  }

  /** Asks the worker that parked an item to try it again. */
  async askForRetry(item: string): Promise<void> {
    await this.#pool.query(
      'INSERT INTO coordination.retries (item, asked_at) VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING',
      [item],
    );
  }

  /** Of these items, those that are to be tried again. Each is returned once. */
  async takeRetries(items: readonly string[]): Promise<readonly string[]> {
    if (items.length === 0) return [];
    const { rows } = await this.#pool.query<{ item: string }>(
      'DELETE FROM coordination.retries WHERE item = ANY($1) RETURNING item',
      [[...items]],
    );
    return rows.map(({ item }) => item);
  }

  /** Ends this worker's leases and removes it from the list of workers. */
  async leave(): Promise<void> {
    await this.#pool.query('UPDATE coordination.leases SET expires_at = clock_timestamp() WHERE holder = $1', [
      this.worker,
    ]);
    await this.#pool.query('DELETE FROM coordination.workers WHERE worker = $1', [this.worker]);
  }

  close = (): Promise<void> => this.#pool.end();
}
