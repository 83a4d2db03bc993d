import { once } from 'node:events';
import { constants } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Position } from '#event-store/port';
import { makeTemporaryDirectory } from '#event-store/temporary-directory';
import { filesOf } from '#read-models/engine/embedded-database';
import { ANALYTICS } from '#read-models/engine/views';
import type { StoreLocation } from '#wiring/stores';
import { openAtHead } from './analysis.ts';
import { CommandFailed } from './command-failed.ts';
import { printLines } from './print.ts';
import type { SqlReply } from './sql-worker.ts';

const fromSource = import.meta.url.endsWith('.ts');

/**
 * Opens a port for psql and similar tools until it is stopped, on a copy of the embedded read models as they are now. A
 * client may do anything to the copy, and nothing to the store, which may run at the same time.
 * @throws CommandFailed, CannotOpenStore
 */
export async function serveSql(location: StoreLocation, { port }: { port: number }): Promise<void> {
  if (location.databaseUrl !== undefined)
    throw new CommandFailed(
      'the read models are on a PostgreSQL: connect there, with a login for analysts (docs/analytics.md)',
    );
  const temporary = makeTemporaryDirectory('sql');
  const copy = join(temporary.path, 'database');
  let worker: Worker | undefined;
  try {
    const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    const position = await copyReadModels(location, copy);
    worker = new Worker(new URL(`./sql-worker.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: { directory: copy, port },
    });
    const [reply] = (await once(worker, 'message')) as [SqlReply];
    if (reply.kind === 'cannot-listen') throw new CommandFailed(`port ${port} cannot be opened: ${reply.message}`);
    printLines(...invitation(reply.port, position).split('\n'));
    // A database that breaks ends the command with an error.
    await Promise.race([stopped, once(worker, 'exit')]).catch((error: Error) => {
      throw new CommandFailed(`the copy broke (${error.message}): run the command again, which makes another copy`);
    });
  } finally {
    // Also in the middle of a query, because it is only a copy.
    await worker?.terminate();
    temporary.remove();
  }
}

/** No process writes to the files while they are copied. */
async function copyReadModels(location: StoreLocation, to: string): Promise<Position> {
  const { readModels, position, files, close } = await openAtHead(location);
  try {
    await readModels.stop();
    await cp(filesOf(files), to, { recursive: true, mode: constants.COPYFILE_FICLONE });
    return position;
  } finally {
    await close();
  }
}

const invitation = (port: number, position: Position): string => `\
The views for analysts, and all tables behind them, at position ${position} of the log:
  psql "postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable"
Each client is a superuser, without a password, from this machine only. This is a copy: changes do not reach the store,
and the copy is deleted at the end. Transactions are read-only unless they say otherwise. The search path is ${ANALYTICS}.
One connection at a time; the next one waits. Queries have no time limit. Ctrl-C here cancels them and closes the port.`;
