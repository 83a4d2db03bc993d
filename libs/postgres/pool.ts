import pg from 'pg';
import type { Outages } from '#domain/kernel/outages';
import { explained } from './failures.ts';
import { connected, serverOf } from './reach.ts';
import { type ServerState, Watch } from './watch.ts';

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

interface PostgresPoolConfig extends Pick<pg.PoolConfig, 'max' | 'application_name' | 'options' | 'types'> {
  /** Without them the database cannot be used: with their schemas. */
  readonly tables: readonly string[];
}

/** How long a connection may take, and how long a query waits for one that is free. */
const CONNECTION_WITHIN_MILLISECONDS = 10_000;
/** Finds out that the other machine is gone, while a query waits for its answer. */
const MILLISECONDS_UNTIL_KEEP_ALIVE = 10_000;

interface WatchInUse {
  readonly watch: Watch;
  users: number;
}

/** The pools of a program share one watch a server. */
const watches = new Map<string, WatchInUse>();

function useWatch(url: string): Watch {
  const found = watches.get(url) ?? { watch: new Watch(url), users: 0 };
  found.users += 1;
  watches.set(url, found);
  return found.watch;
}

function leaveWatch(url: string): void {
  const found = watches.get(url);
  if (!found) return;
  found.users -= 1;
  if (found.users > 0) return;
  watches.delete(url);
  found.watch.close();
}

/**
 * Connections to a PostgreSQL that may go away at any time: then queries fail, and later ones succeed. The only way to it of
 * all parts of a program.
 */
export class PostgresPool extends pg.Pool {
  readonly #url: string;
  readonly #watch: Watch;

  /** @throws PostgresRefused when the address is malformed */
  constructor(url: string, { tables, ...config }: PostgresPoolConfig) {
    serverOf(url);
    super({
      connectionString: url,
      connectionTimeoutMillis: CONNECTION_WITHIN_MILLISECONDS,
      keepAlive: true,
      keepAliveInitialDelayMillis: MILLISECONDS_UNTIL_KEEP_ALIVE,
      ...config,
    });
    this.#url = url;
    this.#watch = useWatch(url);
    this.#watch.lookFor(tables);
    // When an idle connection breaks, the pool makes another one. One that is in use has a listener of its own.
    this.on('error', () => {});
    this.on('connect', (client) => this.#watch.guard(client as pg.Client));
  }

  get state(): ServerState {
    return this.#watch.state;
  }

  get outages(): Outages {
    return this.#watch.outages;
  }

  /** While the server is away, it fails at once: a frozen one would never answer. @throws PostgresAway */
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.PoolClient> | undefined {
    const { failure } = this.#watch;
    if (!callback) return failure ? Promise.reject(failure) : super.connect();
    if (failure) callback(failure, undefined, () => {});
    else super.connect(callback);
    return undefined;
  }

  override async end(): Promise<void> {
    leaveWatch(this.#url);
    await super.end();
  }

  /** Prepares the tables. @throws PostgresAway, PostgresRefused, in one line that names the server */
  async prepare(statements: string): Promise<void> {
    await this.query(statements).catch((error) => {
      throw explained(serverOf(this.#url), error);
    });
  }
}

/** A connection for one user, who closes it. @throws PostgresAway, PostgresRefused */
export async function connectTo(url: string, config: pg.ClientConfig): Promise<pg.Client> {
  const server = serverOf(url);
  try {
    return await connected({ ...config, connectionString: url });
  } catch (error) {
    throw explained(server, error);
  }
}
