import { connectLeases, type Leases } from '#postgres/leases';
import { reachServers } from './reach-servers.ts';

interface LeasesOptions {
  readonly databaseUrl: string;
  /** The event store of the same program: what is wrong there is found while the database is waited for. */
  readonly eventStoreDb?: string;
  /** How long a lease holds without being renewed. */
  readonly termMilliseconds: number;
}

/**
 * A server that is away is waited for.
 * @throws PostgresRefused, CannotConnect, AccessRefused, CannotOpenStore; PostgresAway when it goes away at this moment
 */
export async function openLeases({ termMilliseconds, ...servers }: LeasesOptions): Promise<Leases> {
  await reachServers(servers);
  return connectLeases(servers.databaseUrl, termMilliseconds);
}
