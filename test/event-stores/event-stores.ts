import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyLog } from '#audit/copy-log';
import { sharedLog } from '#event-store/contract/shared-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import type { EventStore } from '#event-store/port';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { type GivenServer, isServerGiven, startGivenServer } from './given-server.ts';

/** Whether the events of a store that a test starts are not in its directory. */
export const eventsAreElsewhere = isServerGiven || process.env.LEADGER_TEST_EVENTS === 'wire';

interface Elsewhere {
  readonly connectionString: string;
  close(): Promise<void>;
}

/**
 * Where the events of the store in this directory are.
 * With `LEADGER_TEST_EVENTS=wire` they go through the EventStoreDB adapter and a node that speaks its protocol; the log of that
 * node has events of another program, too. With `LEADGER_TEST_EVENTS=server` they are on a server that is given.
 */
export const eventsElsewhere = async (directory: string): Promise<Elsewhere | undefined> =>
  isServerGiven ? serverOf(directory) : eventsAreElsewhere ? nodeOf(join(directory, 'events')) : undefined;

async function nodeOf(directory: string): Promise<Elsewhere> {
  const store = sharedLog(await openEmbeddedStore({ directory }));
  const node = await startWireNode({ store, writable: true });
  const close = async () => {
    await node.close();
    await store.close();
  };
  return { connectionString: node.connectionString, close };
}

const servers = new Map<string, GivenServer>();

/** A store that is opened again finds its events on the same server. A log that is in the directory is copied to it. */
async function serverOf(directory: string): Promise<Elsewhere> {
  // The server ends when its directory is gone.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const known = servers.get(directory);
  const server = known ?? (await startGivenServer(directory));
  servers.set(directory, server);
  const log = join(directory, 'events');
  if (!known && existsSync(log)) await copyTo(server, log);
  return { connectionString: server.connectionString, close: async () => {} };
}

async function copyTo(server: GivenServer, directory: string): Promise<void> {
  const [from, to] = [await openEmbeddedStore({ directory, readOnly: true }), await openEventStoreDb(server)];
  await copyLog(from, to);
  await to.close();
  await from.close();
}

/** The log of a store that was stopped, as it is. */
export async function openLogOf(directory: string): Promise<EventStore> {
  const server = servers.get(directory);
  return server
    ? openEventStoreDb(server)
    : openEmbeddedStore({ directory: join(directory, 'events'), readOnly: true });
}

/** For tests that name a server to their programs. */
export interface TestEventStoreDb {
  readonly port: number;
  readonly connectionString: string;
  /** What is in it. */
  readonly log: EventStore;
  close(): Promise<void>;
}

/** An EventStoreDB with an empty log: a node of ours or, with `LEADGER_TEST_EVENTS=server`, a server that is given. */
export async function startEventStoreDb(port?: number): Promise<TestEventStoreDb> {
  if (!isServerGiven) {
    const log = await openEmbeddedStore();
    const node = await startWireNode({ store: log, writable: true, ...(port && { port }) });
    return together(node, log);
  }
  const server = await startGivenServer('/', port);
  return together(server, await openEventStoreDb(server));
}

const together = (server: Omit<TestEventStoreDb, 'log'>, log: EventStore): TestEventStoreDb => ({
  port: server.port,
  connectionString: server.connectionString,
  log,
  async close() {
    await server.close();
    await log.close();
  },
});
