import { setTimeout as wait } from 'node:timers/promises';
import { AccessRefused, StoreUnavailable } from '#event-store/port';
import { reachPostgres } from '#postgres/reach';
import { masterKeysFromEnvironment } from '#vault/master-key';

/** The servers of one program. */
interface Servers {
  readonly eventStoreDb?: string | undefined;
  readonly databaseUrl?: string | undefined;
}

const PATIENCE_OF_A_LOOK_MILLISECONDS = 1000;
const MILLISECONDS_BETWEEN_LOOKS = 500;

/**
 * Waits for PostgreSQL. What does not mend by itself ends the wait, also where the event store has it: whoever starts the
 * program would else read of it only when PostgreSQL is back. All addresses are checked before any server is asked.
 * @throws PostgresRefused, CannotConnect, AccessRefused, CannotOpenStore
 */
export async function reachServers({ eventStoreDb, databaseUrl }: Servers): Promise<void> {
  await checkAddress({ eventStoreDb });
  if (databaseUrl === undefined) return;
  if (eventStoreDb === undefined) return reachPostgres(databaseUrl, { waits: true });
  masterKeysFromEnvironment();
  const over = new AbortController();
  const { signal } = over;
  const asked = [reachPostgres(databaseUrl, { waits: true, signal }), whyUseless(eventStoreDb, signal)];
  await Promise.race(asked).finally(() => over.abort());
}

/** The client is loaded only where events are on a server. @throws CannotConnect when the address is malformed */
export async function checkAddress({ eventStoreDb }: Pick<Servers, 'eventStoreDb'>): Promise<void> {
  if (eventStoreDb === undefined) return;
  const { parseConnectionString } = await import('#event-store/eventstoredb/connection-string');
  parseConnectionString(eventStoreDb);
}

/** Never resolves: an event store that answers, or is away, is no reason to go on. @throws why it cannot be used */
async function whyUseless(connectionString: string, signal: AbortSignal): Promise<never> {
  const { openEventStoreDb } = await import('#event-store/eventstoredb/eventstoredb-store');
  for (;;) {
    try {
      const patienceMilliseconds = PATIENCE_OF_A_LOOK_MILLISECONDS;
      await (await openEventStoreDb({ connectionString, patienceMilliseconds })).close();
      return await new Promise<never>(() => {});
    } catch (error) {
      if (error instanceof AccessRefused || !(error instanceof StoreUnavailable)) throw error;
    }
    await wait(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal });
  }
}
