import { join } from 'node:path';
import { type DataDirectory, openDataDirectory } from '#event-store/data-directory';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import type { EventStore } from '#event-store/port';
import { openReadModels, type ReadModels } from '#read-models/read-models';
import { openVault, type Vault } from '#vault/vault';

/** All that remembers: events, keys, and what is computed from them. */
export interface Stores {
  /** Undefined in memory. */
  readonly directory: DataDirectory | undefined;
  readonly events: EventStore;
  readonly vault: Vault;
  readonly readModels: ReadModels;
  close(): Promise<void>;
}

/** Where a store lives. */
export interface Place {
  readonly directory: string;
  /** Connection string of an EventStoreDB or KurrentDB; undefined: the events lie in the directory too. */
  readonly eventStoreDb?: string | undefined;
}

export interface OpenStoresOptions extends Partial<Place> {
  /** Made when it does not exist. Undefined: in memory, gone when closed. */
  readonly directory?: string;
  /** Do not make a new store where there is none. */
  readonly mustExist?: boolean;
  /** 32 bytes; default: `LEADGER_MASTER_KEY`, else a file beside the keys. */
  readonly masterKey?: Uint8Array;
  /** For a demo: what keyed hashes of persons are made with, so that its log is the same each time. */
  readonly matchingSecret?: Uint8Array;
}

/** @throws CannotOpenStore: locked, read-only, full, damaged, of a newer format. What was opened before is closed. */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { directory: path, eventStoreDb, mustExist, ...secrets } = options;
  if (path !== undefined && mustExist) openDataDirectory(path, { readOnly: true });
  const opened: { close(): unknown }[] = [];
  const close = async () => {
    for (const part of opened.splice(0).reverse()) await part.close();
  };
  try {
    const directory = path === undefined ? undefined : openDataDirectory(path);
    if (directory) opened.push(directory);
    const events = await openEvents({ ...(path !== undefined && { directory: path }), eventStoreDb });
    opened.push(events);
    const vault = await openVault({ ...inside(path, 'keys'), ...secrets });
    opened.push(vault);
    const readModels = await openReadModels({ store: events, ...inside(path, 'read-models') });
    opened.push({ close: () => readModels.stop() });
    return { directory, events, vault, readModels, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Events and keys for reading only, beside a running instance or on a copy. */
export async function openForReading({
  directory: path,
  eventStoreDb,
}: Place): Promise<Pick<Stores, 'events' | 'vault' | 'close'>> {
  const directory = openDataDirectory(path, { readOnly: true });
  const events = await openEvents({ directory: path, eventStoreDb, readOnly: true });
  const vault = await openVault({ ...inside(path, 'keys'), readOnly: true });
  return {
    events,
    vault,
    async close() {
      await vault.close();
      await events.close();
      directory.close();
    },
  };
}

/** The events alone: of a directory, of a server, or in memory. @throws CannotOpenStore, StoreUnavailable */
export const openEvents = ({
  directory,
  eventStoreDb: connectionString,
  ...options
}: Partial<Place> & { readOnly?: boolean }): Promise<EventStore> =>
  connectionString === undefined
    ? openEmbeddedStore({ ...inside(directory, 'events'), ...options })
    : openEventStoreDb({ connectionString });

const inside = (path: string | undefined, name: string) => (path === undefined ? {} : { directory: join(path, name) });
