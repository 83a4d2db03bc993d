import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { AnalystConnection, RowBatch } from './analysis.ts';
import { parsers, parsersOfAnswers } from './parsers.ts';

const { getTypeParser } = pg.types;
const typesReadBy = (own: typeof parsers) =>
  ({ getTypeParser: (oid: number, format?: 'text') => own[oid] ?? getTypeParser(oid, format) }) as never;

const MOST_CONNECTIONS = 10;

/** A PostgreSQL that many programs share. A connection that is lost is replaced by the next query. */
export function openPostgres(url: string) {
  const pool = new pg.Pool({
    connectionString: url,
    max: MOST_CONNECTIONS,
    application_name: 'leadger',
    options: '-c timezone=UTC',
    types: typesReadBy(parsers),
  });
  // When an idle connection breaks, the pool makes another one.
  pool.on('error', () => {});
  return { dialect: new PostgresDialect({ pool }), closed: () => {}, connect: () => connectTo(url) };
}

/** A connection for one question of an analyst. */
export async function connectTo(url: string): Promise<AnalystConnection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'leadger query',
    options: '-c timezone=UTC',
    types: typesReadBy(parsersOfAnswers),
  });
  // When the connection breaks, its query fails: that is where the error is handled.
  client.on('error', () => {});
  await client.connect();
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
