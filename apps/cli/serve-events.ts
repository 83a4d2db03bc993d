import { isWrittenByLedger } from '#domain/codec';
import { isOfLedger } from '#domain/ledger';
import { openDataDirectory } from '#event-store/data-directory';
import type { EventStore } from '#event-store/port';
import { PLAIN_MANNERS, SERVER_MANNERS } from '#event-store/wire-node/manners';
import { startWireNode, type WireNode } from '#event-store/wire-node/wire-node';
import { openEvents, openTogether } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { printLines } from './print.ts';

interface ServeOptions {
  readonly port: number;
  readonly writable?: boolean;
  /** With the manners of a server: see `docs/stores.md`. */
  readonly likeAServer?: boolean;
}

/**
 * Serves the events of a data directory in EventStoreDB's protocol until it is stopped: for reading while the store may
 * run, or for writing while no other process uses the directory. No client can delete or cut a stream of the ledger.
 * A damaged event is not served: its hash does not go over the wire, so no client could notice.
 * @throws CommandFailed, CannotOpenStore
 */
export async function serveEvents(directory: string, options: ServeOptions): Promise<void> {
  const { node, close } = await openNode(directory, options);
  try {
    printLines(
      `The events of ${directory} are served at ${node.connectionString}`,
      `${options.writable ? 'Clients may write.' : 'Clients may read and subscribe, not write.'} It listens on this machine only. Ctrl-C stops it.`,
    );
    await new Promise<void>((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
    });
  } finally {
    await close();
  }
}

const openNode = (directory: string, { port, writable = false, likeAServer }: ServeOptions) =>
  openTogether(async (keep): Promise<{ node: WireNode }> => {
    keep(openDataDirectory(directory, { readOnly: !writable }));
    const store = keep(await openEvents({ directory, readOnly: !writable, checked: true }));
    const manners = likeAServer ? SERVER_MANNERS : PLAIN_MANNERS;
    // A log that is empty, or of others, may become anything.
    const accepts = (await holdsLedger(store)) ? isWrittenByLedger : undefined;
    const starting = startWireNode({
      store,
      port,
      writable,
      manners,
      isProtected: isOfLedger,
      ...(accepts && { accepts }),
    });
    const node = await starting.catch((error: Error) => {
      throw new CommandFailed(`the events of ${directory} cannot be served on port ${port}: ${error.message}`);
    });
    return { node: keep(node) };
  });

/** By its first event: a ledger's own is written by the ledger. */
async function holdsLedger(events: EventStore): Promise<boolean> {
  for await (const event of events.readAll({ maxCount: 1 })) return isWrittenByLedger(event);
  return false;
}
