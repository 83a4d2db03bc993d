import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openOrExplain } from '#event-store/open-or-explain';
import { CannotOpenStore } from '#event-store/port';
import { PgliteDialect, PgliteThread } from './pglite.ts';

/**
 * PGlite in a directory, or in memory. Closing it removes the mark, so that its files are trusted.
 * @param tables those that a new database should have (see template.ts)
 */
export async function openEmbeddedDatabase(directory: string | undefined, tables?: string) {
  const thread = await openFiles(directory, tables);
  return {
    dialect: new PgliteDialect(thread),
    closed: () => directory !== undefined && leaveCleanly(directory),
    connect: (timeoutMilliseconds: number) => thread.connect(timeoutMilliseconds),
    server: () => undefined,
    outages: () => undefined,
    explained: (error: unknown) => error,
  };
}

/** Where PGlite keeps its files. */
export const filesOf = (directory: string): string => join(directory, 'pglite');

/**
 * PGlite writes without fsync: its files survive a crash of the program, but not one of the machine. A mark names the boot
 * of the machine in which they were last written.
 */
async function openFiles(directory: string | undefined, tables?: string): Promise<PgliteThread> {
  if (directory === undefined) return PgliteThread.start(undefined, tables);
  const files = filesOf(directory);
  if (existsSync(files) && writtenBeforeTheMachineWentDown(directory)) {
    console.warn(`leadger: the machine went down while ${files} was written: it is rebuilt from the log`);
    rmSync(files, { recursive: true });
  }
  openOrExplain(directory, () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'in-use'), bootOfTheMachine());
  });
  try {
    return await PgliteThread.start(files, tables);
  } catch (error) {
    if (error instanceof CannotOpenStore) throw error;
    console.warn(`leadger: ${files} cannot be opened (${(error as Error).message}): it is rebuilt from the log`);
    rmSync(files, { recursive: true, force: true });
    return PgliteThread.start(files, tables);
  }
}

function writtenBeforeTheMachineWentDown(directory: string): boolean {
  const mark = join(directory, 'in-use');
  return existsSync(mark) && readFileSync(mark, 'utf8') !== bootOfTheMachine();
}

const leaveCleanly = (directory: string): void => rmSync(join(directory, 'in-use'), { force: true });

/** Where the system does not say, every boot counts as another one: a needless rebuild is better than damaged rows. */
function bootOfTheMachine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  } catch {
    return crypto.randomUUID();
  }
}
