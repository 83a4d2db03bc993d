import { isWrittenByLedger } from '#domain/codec';
import { Activities } from '#domain/kernel/activities';
import { type FamilyName, families, familiesWith, isOfLedger } from '#domain/ledger';
import { type DataDirectory, halfCopyIn, openDataDirectory, type Part, partOf } from '#event-store/data-directory';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStoreDbOptions } from '#event-store/eventstoredb/connection';
import { type ForeignEvents, foreignEventsIn } from '#event-store/foreign-events';
import { NotedForeignStreams } from '#event-store/foreign-streams';
import { ownEventsOf } from '#event-store/own-events';
import type { EventStore } from '#event-store/port';
import { sameLogOf } from '#event-store/same-log';
import { removeLeftovers } from '#event-store/temporary-directory';
import { wholeStreamsOf } from '#event-store/whole-streams';
import { systemClock } from '#gateways/clock';
import { reachPostgres } from '#postgres/reach';
import { openReadModels, type ReadModels } from '#read-models/read-models';
import { halfCopyOf, refuseHalfCopy } from '#requests/log-origin';
import { openVaultOf, whyNotTogether } from '#requests/vault-link';
import { openSessions, type SessionStore } from '#sessions/session-store';
import type { VaultOptions } from '#vault/opened-keys';
import type { Vault } from '#vault/vault';
import { checkAddress, reachServers } from './reach-servers.ts';

/** Everything that is stored: events, keys, and the read models that are computed from them. */
export interface Stores {
  /** Undefined for a store in memory. */
  readonly directory: DataDirectory | undefined;
  readonly events: EventStore;
  readonly vault: Vault;
  readonly readModels: ReadModels;
  /** Who is signed in. */
  readonly sessions: SessionStore;
  /** Where is told what is done with them. */
  readonly activities: Activities;
  close(): Promise<void>;
}

/** Where a store is kept. On many machines it needs no directory: events, read models and keys are on servers. */
export interface StoreLocation {
  /** Created when it does not exist. Undefined: everything that is not on a server is kept in memory and lost when closed. */
  readonly directory?: string | undefined;
  /** Connection string of an EventStoreDB or KurrentDB; undefined: the events are in the directory. */
  readonly eventStoreDb?: string | undefined;
  /** `postgres://…`: the read models are there, and so are the keys when the events are on a server, too. */
  readonly databaseUrl?: string | undefined;
}

interface OpenStoresOptions extends StoreLocation {
  /** Wait for a server that is away, instead of failing. */
  readonly waits?: boolean;
  /** Fail where there is no store, instead of creating one. */
  readonly mustExist?: boolean;
  /** 32 bytes; default: `LEADGER_MASTER_KEY`, else a file beside the keys. */
  readonly masterKey?: Uint8Array;
  /** The master key that replaces it, while that is under way. */
  readonly nextMasterKey?: Uint8Array | undefined;
  /** For a program: wait for an event store that is away. Default: fail after some seconds. */
  readonly waitForServer?: boolean;
  /** For a demo: the key of hashes of persons, so that its log is the same each time. */
  readonly matchingSecret?: Uint8Array;
  /** Where is told what is done with the stores. */
  readonly activities?: Activities;
}

/**
 * @throws CannotOpenStore: locked, read-only, full, damaged, of a newer format; PostgresRefused, PostgresAway. Everything opened
 * before is closed.
 */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const {
    waits,
    mustExist,
    masterKey,
    nextMasterKey,
    matchingSecret,
    activities = new Activities(),
    ...location
  } = options;
  removeLeftovers();
  await checkAddress(location);
  if (waits) await reachServers(location);
  else if (location.databaseUrl !== undefined) await reachPostgres(location.databaseUrl);
  const path = directoryOf(location);
  if (path !== undefined && mustExist) openDataDirectory(path, { readOnly: true });
  return openTogether(async (keep) => {
    const directory = path === undefined ? undefined : keep(openDataDirectory(path));
    const events = keep(await openEvents({ ...location, waits }));
    const vault = keep(await openVaultOf(events, { ...keysOf(location), masterKey, nextMasterKey, matchingSecret }));
    const sessions = keep(await openSessions(placeOf(location, 'sessions')));
    const log = keep(sameLog(events, vault, location));
    const files = inside(path, 'read-models');
    const readModels = await openReadModels({ store: log, databaseUrl: location.databaseUrl, activities, ...files });
    keep({ close: () => readModels.stop() });
    return { directory, events: log, vault, readModels, sessions, activities };
  });
}

/** While a program runs, the server may come back with another log: what holds at the start holds then, too. */
const sameLog = (events: EventStore, vault: Vault, location: StoreLocation): EventStore =>
  events.breaks
    ? sameLogOf(events, {
        whyAnother: async (store) => (await whyNotTogether(store, vault, keysOf(location)))?.[1],
        log: warn,
      })
    : events;

/** Events and keys for reading only, beside a running instance or on a copy. */
export async function openForReading(
  location: StoreLocation & Checks,
): Promise<Pick<Stores, 'events' | 'vault' | 'close'>> {
  removeLeftovers();
  await checkAddress(location);
  const path = directoryOf(location);
  return openTogether(async (keep) => {
    if (path !== undefined) keep(openDataDirectory(path, { readOnly: true }));
    const events = keep(await openEvents({ ...location, readOnly: true }));
    const vault = keep(await openVaultOf(events, { ...keysOf(location), readOnly: true }));
    return { events, vault };
  });
}

type Keep = <Part extends { close(): unknown }>(part: Part) => Part;

/** Opens parts that are closed together, the last one first: by `close`, or at once when one of them cannot be opened. */
export async function openTogether<Parts extends object>(
  open: (keep: Keep) => Promise<Parts>,
): Promise<Parts & { close(): Promise<void> }> {
  const kept: { close(): unknown }[] = [];
  const keep: Keep = (part) => {
    kept.push(part);
    return part;
  };
  const close = async () => {
    for (const part of kept.splice(0).reverse()) await part.close();
  };
  try {
    return { ...(await open(keep)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Checks {
  /** For what makes another log of this one: a log in a directory that is damaged is not read as if it were whole. */
  readonly checked?: boolean;
}

interface OpenEventsOptions extends StoreLocation, Checks {
  /** Wait for a server that is away, instead of failing. */
  readonly waits?: boolean | undefined;
  readonly readOnly?: boolean;
  /** Only for the program that completes a half copy: it opens one. */
  readonly completes?: boolean;
}

/**
 * The events alone: of a directory, of a server, or in memory. Every program opens its log here, and none opens a half copy.
 * @throws CannotOpenStore, StoreUnavailable
 */
export async function openEvents({ completes = false, ...options }: OpenEventsOptions): Promise<EventStore> {
  const { directory, eventStoreDb } = options;
  const original = directory !== undefined && eventStoreDb === undefined ? halfCopyIn(directory) : undefined;
  if (original !== undefined && !completes) throw halfCopyOf(original);
  const events = await openLog(options);
  try {
    if (!completes) await refuseHalfCopy(events);
    return events;
  } catch (error) {
    await events.close();
    throw error;
  }
}

async function openLog({
  directory,
  eventStoreDb,
  waits = false,
  readOnly = false,
  checked = false,
}: OpenEventsOptions): Promise<EventStore> {
  if (eventStoreDb === undefined) return openEmbeddedStore({ ...inside(directory, 'events'), readOnly, checked });
  const store = await openServer({
    connectionString: eventStoreDb,
    streamPrefixes: prefixesOf(families),
    waitForServer: waits,
  });
  const prefixesOfTypes = (types: readonly string[]) => prefixesOf(familiesWith(types));
  const { now } = systemClock();
  const foreign = new NotedForeignStreams(now);
  const own = ownEventsOf(store, { wrote: isWrittenByLedger, prefixesOf: prefixesOfTypes, foreign });
  return wholeStreamsOf(own, { isOurs: isOfLedger, now, cuts: store });
}

/** The client is loaded only where events are on a server: with gRPC, it is a tenth of what a program would load. */
const openServer = async (options: EventStoreDbOptions) =>
  (await import('#event-store/eventstoredb/eventstoredb-store')).openEventStoreDb({
    log: warn,
    ...options,
  });

const warn = (line: string): void => console.warn(`leadger: ${line}`);

/** What others wrote into the log. The log in a directory has no other users. */
export async function foreignEventsOf({ eventStoreDb: connectionString }: StoreLocation): Promise<ForeignEvents> {
  if (connectionString === undefined) return { events: 0, namedLikeOurs: [] };
  const all = await openServer({ connectionString });
  try {
    return await foreignEventsIn(all, isWrittenByLedger, isOfLedger);
  } finally {
    await all.close();
  }
}

const prefixesOf = (names: readonly FamilyName[]): readonly string[] => names.map((name) => `${name}-`);

/** Where the keys are: with the read models when the events are on a server, too, else in the directory. */
export const keysOf = (location: StoreLocation): Pick<VaultOptions, 'directory' | 'databaseUrl'> =>
  placeOf(location, 'keys');

/** Sessions are beside the keys: neither is in the log, nor in what a rebuild brings back. */
const placeOf = (location: StoreLocation, part: Part): Pick<VaultOptions, 'directory' | 'databaseUrl'> =>
  isOnServers(location) ? { databaseUrl: location.databaseUrl } : inside(location.directory, part);

const isOnServers = ({ eventStoreDb, databaseUrl }: StoreLocation): boolean =>
  eventStoreDb !== undefined && databaseUrl !== undefined;

const directoryOf = (location: StoreLocation): string | undefined =>
  isOnServers(location) ? undefined : location.directory;

const inside = (path: string | undefined, part: Part) => (path === undefined ? {} : { directory: partOf(path, part) });
