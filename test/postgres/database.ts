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

/** A new, empty database. `drop` also closes open connections. */
export async function freshDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = named ?? (await urlOfCluster());
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const execute = async (sql: string) => {
    const client = new Client(server);
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await execute(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(`DROP DATABASE ${name} WITH (FORCE)`) };
}
