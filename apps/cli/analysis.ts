import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type DataDirectory, openDataDirectory, partOf } from '#event-store/data-directory';
import { CannotOpenStore, type Position } from '#event-store/port';
import { openReadModels } from '#read-models/read-models';
import { openEvents, openTogether, type StoreLocation, type Stores } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { printError } from './print.ts';
import { progressUpTo } from './rebuild.ts';

/** What analysts query. */
interface Analysis extends Pick<Stores, 'events' | 'readModels' | 'close'> {
  /** The directory of the read models. */
  readonly files: string;
  /** How far the read models have read the log. */
  readonly position: Position;
}

/** Embedded read models to ask, current up to the end of the log. @throws CannotOpenStore, CommandFailed */
export async function openAtHead({ directory, eventStoreDb }: StoreLocation): Promise<Analysis> {
  if (directory === undefined)
    throw new CommandFailed('read models for analysts need a directory: name it with --data');
  const analysis = await openForAnalysis({ directory, eventStoreDb }, (why) => printError(`${why}: waiting for it`));
  try {
    const position = await analysis.events.head();
    const progress = progressUpTo(position);
    await analysis.readModels.catchUp({ onProgress: progress.at });
    progress.end();
    // An analyst then reads that there are damaged streams, before the answer.
    await analysis.events.damages?.searched();
    return { ...analysis, position };
  } catch (error) {
    await analysis.close();
    throw error;
  }
}

/**
 * Embedded read models for analysts. They are computed from the same log as the store's own ones, and kept apart from them
 * in the folder `analysts` of its directory. So it does not matter whether the store runs. One program at a time can use
 * them.
 * @param onWait called once, when another program uses them
 * @throws CannotOpenStore
 */
async function openForAnalysis(
  { directory: store, eventStoreDb }: { directory: string; eventStoreDb?: string | undefined },
  onWait: (why: string) => void,
): Promise<Omit<Analysis, 'position'>> {
  openDataDirectory(store, { readOnly: true });
  return openTogether(async (keep) => {
    const events = keep(await openEvents({ directory: store, eventStoreDb, readOnly: true }));
    const directory = keep(await whenFree(partOf(store, 'analysts'), onWait));
    const files = partOf(directory.path, 'read-models');
    const readModels = await openReadModels({ store: events, directory: files });
    keep({ close: () => readModels.stop() });
    return { events, readModels, files };
  });
}

const MILLISECONDS_BETWEEN_TRIES = 200;

async function whenFree(path: string, onWait: (why: string) => void): Promise<DataDirectory> {
  for (let hasCalled = false; ; ) {
    try {
      return openDataDirectory(path);
    } catch (error) {
      if (!(error instanceof CannotOpenStore)) throw error;
      if (error.code === 'locked') {
        if (!hasCalled) onWait(error.message);
        hasCalled = true;
        await wait(MILLISECONDS_BETWEEN_TRIES);
      } else if (error.code === 'damaged') {
        printError(`leadger: ${error.message}: what analysts read is rebuilt from the log`);
        rmSync(path, { recursive: true });
      } else throw error;
    }
  }
}
