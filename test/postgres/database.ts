import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { directoryOfPrograms } from './cluster.ts';
import { urlOfCluster } from './shared-cluster.ts';

/** `TEST_DATABASE_URL` names a PostgreSQL server, with a user who may create databases. Without it a server is started. */
const named = process.env.TEST_DATABASE_URL;

/** `describe` where there is a PostgreSQL server for tests, skipped where there is none. */
export const describeWithPostgres = named || directoryOfPrograms() ? describe : describe.skip;

/** PostgreSQL's own client, where it is installed. */
export const PSQL = join(directoryOfPrograms() ?? '', 'psql');
export const describeWithPsql = directoryOfPrograms() === undefined ? describe.skip : describe;

/** `describe` where a server can be started that no other test uses. */
export const describeWithOwnPostgres = describeWithPsql;

interface FreshDatabase {
  readonly url: string;
  /** Runs one statement. @returns its rows */
  // biome-ignore lint/suspicious/noExplicitAny: the test knows what it selects
  query(sql: string): Promise<any[]>;
  /** Also closes open connections. */
  drop(): Promise<void>;
}

/** A new, empty database. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = named ?? (await urlOfCluster());
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const execute = async (database: string, sql: string) => {
    const client = new Client(database);
    await client.connect();
    const { rows } = await client.query(sql).finally(() => client.end());
    return rows;
  };
  await execute(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: (sql) => execute(url.href, sql),
    drop: async () => void (await execute(server, `DROP DATABASE ${name} WITH (FORCE)`)),
  };
}
