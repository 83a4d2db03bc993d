import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { explained, isOutOfReach, PostgresRefused, reasonOf } from './failures.ts';

const CONNECT_WITHIN_MILLISECONDS = 4000;
const MILLISECONDS_BETWEEN_TRIES = 500;
const MILLISECONDS_BETWEEN_LINES = 5000;

const ADDRESS = /^(postgres(ql)?:\/\/|socket:|\/)/;
const MALFORMED =
  'its address is malformed: it is like postgres://user:password@host:5432/database, with % codes for special characters';

const HIGHEST_PORT = 65_535;

/** The host and port of a connection string. @throws PostgresRefused when it is malformed, or names a missing file */
export function serverOf(url: string): string {
  if (!ADDRESS.test(url)) throw new PostgresRefused('an unknown host', MALFORMED);
  try {
    const { host, port } = new pg.Client(url);
    if (host.startsWith('/')) return host;
    if (!(port >= 1 && port <= HIGHEST_PORT)) throw new PostgresRefused(host, `there is no port ${port}`);
    return `${host}:${port}`;
  } catch (error) {
    if (error instanceof PostgresRefused) throw error;
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_INVALID_URL') throw new PostgresRefused('an unknown host', MALFORMED);
    throw new PostgresRefused('its host', path ? `the file ${path} of its address cannot be read (${code})` : message);
  }
}

/**
 * Connects once. With `waits`, a server that is away is waited for until the signal is aborted, and named on standard error
 * from time to time.
 * @throws PostgresRefused when no later try can succeed; PostgresAway without `waits`
 */
export async function reachPostgres(
  url: string,
  { waits = false, signal }: { waits?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const server = serverOf(url);
  let namedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const failure = await failureOfConnecting(url);
    if (failure === undefined) return;
    if (!waits || !isOutOfReach(failure)) throw explained(server, failure);
    if (performance.now() - namedAt >= MILLISECONDS_BETWEEN_LINES) {
      namedAt = performance.now();
      console.warn(`leadger: waiting for PostgreSQL at ${server}: ${reasonOf(failure)}`);
    }
    await wait(MILLISECONDS_BETWEEN_TRIES, undefined, { signal });
  }
}

async function failureOfConnecting(url: string): Promise<unknown> {
  try {
    const client = await connected({ connectionString: url, application_name: 'leadger start' });
    await client.end();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A client outside a pool. When its connection breaks, its query fails: that is where the error is handled. */
export async function connected(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ connectionTimeoutMillis: CONNECT_WITHIN_MILLISECONDS, keepAlive: true, ...config });
  client.on('error', () => {});
  await client.connect();
  return client;
}
