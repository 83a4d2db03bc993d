import { join } from 'node:path';
import { isOfLedger } from '#domain/ledger';
import { openDataDirectory } from '#event-store/data-directory';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { PLAIN_MANNERS, SERVER_MANNERS } from '#event-store/wire-node/manners';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { CommandFailed } from './command-failed.ts';
import { printLines } from './print.ts';

/**
 * Serves the events of a data directory in EventStoreDB's protocol until it is stopped: for reading while the store may
 * run, or for writing while no other process uses the directory. No client can delete or cut a stream of the ledger.
 * @throws CommandFailed, CannotOpenStore
 */
export async function serveEvents(
  directory: string,
  { port, writable = false, likeAServer = false }: { port: number; writable?: boolean; likeAServer?: boolean },
): Promise<void> {
  const dataDirectory = openDataDirectory(directory, { readOnly: !writable });
  const store = await openEmbeddedStore({ directory: join(directory, 'events'), readOnly: !writable });
  const manners = likeAServer ? SERVER_MANNERS : PLAIN_MANNERS;
  const node = await startWireNode({ store, port, writable, manners, isProtected: isOfLedger }).catch(
    (error: Error) => {
      throw new CommandFailed(`the events of ${directory} cannot be served on port ${port}: ${error.message}`);
    },
  );
  printLines(
    `The events of ${directory} are served at ${node.connectionString}`,
    `${writable ? 'Clients may write.' : 'Clients may read and subscribe, not write.'} It listens on this machine only. Ctrl-C stops it.`,
  );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await node.close();
  await store.close();
  dataDirectory.close();
}
