import { statSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openOrExplain } from '../open-or-explain.ts';
import { CannotOpenStore, EventStoreError, StoreUnavailable } from '../port.ts';
import { databaseFile } from './database.ts';

/** As much as the log grows by in a busy moment: a disk that has room for less counts as full. */
const PROBE_BYTES = 64 * 1024;
const MILLISECONDS_BETWEEN_PROBES = 2000;

/**
 * Finds out whether the log can still be written while nobody writes. SQLite would not notice that its file was removed, and
 * would go on writing to a file that is gone when the program ends.
 */
export class WritableProbe {
  readonly #directory: string;
  readonly #file: number;
  #probed: { readonly at: number; readonly result: Promise<EventStoreError | undefined> } | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = statSync(databaseFile(directory)).ino;
  }

  /** @returns why the log cannot be written; undefined when it can */
  failure(): Promise<EventStoreError | undefined> {
    const now = performance.now();
    if (!this.#probed || now - this.#probed.at > MILLISECONDS_BETWEEN_PROBES)
      this.#probed = { at: now, result: this.#probe() };
    return this.#probed.result;
  }

  async #probe(): Promise<EventStoreError | undefined> {
    try {
      if ((await stat(databaseFile(this.#directory))).ino !== this.#file)
        return new CannotOpenStore('damaged', `another log was put into ${this.#directory}: start the program again`);
      await writeSome(join(this.#directory, 'probe'));
      return undefined;
    } catch (error) {
      return explained(this.#directory, error);
    }
  }
}

async function writeSome(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.write(Buffer.alloc(PROBE_BYTES));
    await file.sync();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

function explained(directory: string, error: unknown): EventStoreError {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return new CannotOpenStore('damaged', `the log in ${directory} was removed`);
  try {
    return openOrExplain(directory, () => {
      throw error;
    });
  } catch (found) {
    return found instanceof EventStoreError ? found : new StoreUnavailable((found as Error).message);
  }
}
