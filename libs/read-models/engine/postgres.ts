import { PostgresDialect } from 'kysely';
import pg from 'pg';

const { builtins, getTypeParser } = pg.types;

/** As PGlite reads them: instants as the ledger writes them, whole numbers as numbers. */
const parsers: Readonly<Record<number, (written: string) => unknown>> = {
  [builtins.TIMESTAMPTZ]: (written) => new Date(written).toISOString(),
  [builtins.INT8]: Number,
};

const MOST_CONNECTIONS = 10;

/** A PostgreSQL that many programs share. A connection that is lost is replaced by the next query. */
export function openPostgres(url: string) {
  const pool = new pg.Pool({
    connectionString: url,
    max: MOST_CONNECTIONS,
    application_name: 'leadger',
    options: '-c timezone=UTC',
    types: { getTypeParser: (oid: number, format?: 'text') => parsers[oid] ?? getTypeParser(oid, format) } as never,
  });
  // An idle connection that breaks is no event for anybody: the pool makes another one.
  pool.on('error', () => {});
  return { dialect: new PostgresDialect({ pool }), closed: () => {} };
}

/** Connections that are refused or lost, a server that starts or stops, one that has no room: later it may go. */
const OUT_OF_REACH = /^(ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|08...|53...|57P..)$/;

export const isOutOfReach = (error: unknown): boolean =>
  error instanceof Error &&
  (OUT_OF_REACH.test(String((error as { code?: unknown }).code)) || error.message.startsWith('Connection terminated'));
