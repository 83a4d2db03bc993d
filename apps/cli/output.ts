import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandFailed } from './command-failed.ts';
import { openPrivateFile } from './private-file.ts';

type Pieces = AsyncIterable<string | Uint8Array>;

/**
 * Writes to a file, or to standard output, at the speed of the reader. A file gets its name when it is complete; an older
 * file of that name stays until then. Only its owner can open it. What a program that was ended has written is removed: it
 * may hold personal data in clear text.
 * @throws CommandFailed when the file cannot be written
 */
export const writeOut = (pieces: Pieces, file?: string): Promise<void> =>
  file === undefined ? toStandardOutput(pieces) : toFile(pieces, file);

async function toStandardOutput(pieces: Pieces): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

async function toFile(pieces: Pieces, file: string): Promise<void> {
  removeLeftParts(file);
  const part = `${file}.${process.pid}.part`;
  const handle = await openPrivateFile(part).catch((error) => {
    throw cannotWrite(file, error);
  });
  const stopRemoving = removeWhenStopped(part);
  try {
    for await (const piece of pieces) await handle.writeFile(piece);
    await handle.close();
    await rename(part, file);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    throw (error as NodeJS.ErrnoException).syscall ? cannotWrite(file, error as Error) : error;
  } finally {
    stopRemoving();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The signal still ends the program. @returns what ends this */
function removeWhenStopped(part: string): () => void {
  const stopped = (signal: NodeJS.Signals) => {
    rmSync(part, { force: true });
    off();
    process.kill(process.pid, signal);
  };
  const off = () => {
    for (const signal of SIGNALS) process.off(signal, stopped);
  };
  for (const signal of SIGNALS) process.on(signal, stopped);
  return off;
}

/** Of programs that could not remove theirs: they were killed, or the machine went down. */
function removeLeftParts(file: string): void {
  const prefix = `${basename(file)}.`;
  for (const name of namesIn(dirname(file))) {
    const [, pid] = (name.startsWith(prefix) && /^(\d+)\.part$/.exec(name.slice(prefix.length))) || [];
    if (pid && !isRunning(Number(pid))) rmSync(join(dirname(file), name), { force: true });
  }
}

/** None where the directory cannot be read: that the file cannot be written is found out next. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const cannotWrite = (file: string, { message }: Error) => new CommandFailed(`${file} cannot be written: ${message}`);
