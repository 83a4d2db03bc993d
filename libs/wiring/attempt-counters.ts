import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import { PostgresPool } from '#postgres/pool';

/** As `RateLimiterPostgres` writes it. */
const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS coordination;
  CREATE TABLE IF NOT EXISTS coordination.attempts (
    key varchar(255) PRIMARY KEY, points integer NOT NULL DEFAULT 0, expire bigint);`;
const MOST_CONNECTIONS = 2;

export interface Limit {
  readonly name: string;
  /** So much is allowed … */
  readonly points: number;
  /** … in this time from the first of it on. */
  readonly seconds: number;
}

/** Counts what callers do. A key names nobody: it is made of keyed hashes. */
export interface AttemptCounters {
  of(limit: Limit): RateLimiterAbstract;
  close(): Promise<void>;
}

const memoryFor = ({ name, points, seconds: duration }: Limit): RateLimiterMemory =>
  new RateLimiterMemory({ keyPrefix: name, points, duration });

/** Of one program, until it ends. */
export const countersInMemory = (): AttemptCounters => ({ of: memoryFor, close: async () => {} });

/**
 * Of all programs that share a PostgreSQL. While it is away, each program counts for itself.
 * @throws PostgresRefused, PostgresAway
 */
export async function openAttemptCounters({ databaseUrl }: { databaseUrl?: string | undefined }) {
  if (databaseUrl === undefined) return countersInMemory();
  const pool = new PostgresPool(databaseUrl, {
    max: MOST_CONNECTIONS,
    application_name: 'leadger attempts',
    tables: ['coordination.attempts'],
  });
  try {
    // The same lock as that of the leases, which create the schema, too.
    await pool.prepare(`BEGIN; SELECT pg_advisory_xact_lock(4709219); ${SCHEMA} COMMIT;`);
    return countersIn(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

const countersIn = (pool: PostgresPool): AttemptCounters => ({
  of: (limit) =>
    new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      schemaName: 'coordination',
      tableName: 'attempts',
      tableCreated: true,
      keyPrefix: limit.name,
      points: limit.points,
      duration: limit.seconds,
      insuranceLimiter: memoryFor(limit),
    }),
  close: () => pool.end(),
});
