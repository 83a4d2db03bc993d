import { PostgresDialect } from 'kysely';
import pg from 'pg';
import { explained, isOfServer } from '#postgres/failures';
import { connectTo as connectToServer, PostgresPool } from '#postgres/pool';
import { serverOf } from '#postgres/reach';
import type { AnalystConnection, RowBatch } from './analysis.ts';
import { registerTables } from './copies.ts';
import { parsers, parsersOfAnswers } from './parsers.ts';

export type { ServerState } from '#postgres/watch';

const { getTypeParser } = pg.types;
const typesReadBy = (own: typeof parsers) =>
  ({ getTypeParser: (oid: number, format?: 'text') => own[oid] ?? getTypeParser(oid, format) }) as never;

const MOST_CONNECTIONS = 10;

/** A PostgreSQL that many programs share. A connection that is lost is replaced by the next query. */
export function openPostgres(url: string) {
  const pool = new PostgresPool(url, {
    max: MOST_CONNECTIONS,
    application_name: 'leadger',
    options: '-c timezone=UTC',
    types: typesReadBy(parsers),
    tables: registerTables,
  });
  return {
    dialect: new PostgresDialect({ pool }),
    closed: () => {},
    connect: () => connectTo(url),
    server: () => pool.state,
    outages: () => pool.outages,
    explained: (error: unknown) => (isOfServer(error) ? explained(serverOf(url), error) : error),
  };
}

/** A connection for one question of an analyst. @throws PostgresAway, PostgresRefused */
export async function connectTo(url: string): Promise<AnalystConnection> {
  const client = await connectToServer(url, {
    application_name: 'leadger query',
    options: '-c timezone=UTC',
    types: typesReadBy(parsersOfAnswers),
  });
  return { ask: (statement) => ask(client, statement), close: () => client.end() };
}

/** The extended protocol refuses a second statement, however it is separated. */
async function ask(client: pg.Client, text: string): Promise<RowBatch> {
  const { fields, rows } = await client.query({
    text,
    rowMode: 'array',
    queryMode: 'extended',
  } as pg.QueryArrayConfig);
  return { columns: fields.map(({ name }) => name), types: fields.map(({ dataTypeID }) => dataTypeID), rows };
}
