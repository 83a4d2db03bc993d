import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Answer, Connection } from '../analysis.ts';
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
  // An idle connection that breaks is no event for anybody: the pool makes another one.
  pool.on('error', () => {});
  return { dialect: new PostgresDialect({ pool }), closed: () => {}, connect: () => connectTo(url) };
}

/** A connection for one question. */
export async function connectTo(url: string): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'leadger query',
    options: '-c timezone=UTC',
    types: typesReadBy(parsersOfAnswers),
  });
  // A connection that breaks is told by the question that it was for.
  client.on('error', () => {});
  await client.connect();
  return {
    async ask(text): Promise<Answer> {
      // In the extended protocol a second statement is refused, behind whatever semicolon it may stand.
      const { fields, rows } = await client.query({
        text,
        rowMode: 'array',
        queryMode: 'extended',
      } as pg.QueryArrayConfig);
      return { columns: fields.map(({ name }) => name), types: fields.map(({ dataTypeID }) => dataTypeID), rows };
    },
    close: () => client.end(),
  };
}

/** Connections that are refused or lost, a server that starts or stops, one that has no room: later it may go. */
const OUT_OF_REACH = /^(ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|08...|53...|57P..)$/;

export const isOutOfReach = (error: unknown): boolean =>
  error instanceof Error &&
  (OUT_OF_REACH.test(String((error as { code?: unknown }).code)) || error.message.startsWith('Connection terminated'));
