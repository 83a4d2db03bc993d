import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { whenStopped } from './stopped.ts';

/**
 * A file that is being written. It gets its name when it is complete, in place of an older file or link of that name; what a
 * link points to is not written to. Only its owner can open it. What a program that was ended has written is removed: it may
 * hold personal data in clear text.
 */
export interface NewFile {
  readonly handle: FileHandle;
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** @throws Error for a name of a file that this program has open: the output of both would be mixed, or its link be replaced */
export async function newPrivateFile(file: string): Promise<NewFile> {
  if (isNoFile(file)) return toWhatIsNoFile(file);
  if (existsSync(file) && isDescriptor(resolve(file))) throw new Error('it is what this program writes to or reads');
  removeLeftParts(file);
  const part = `${file}.${process.pid}.part`;
  rmSync(part, { force: true });
  const handle = await open(part, 'wx', 0o600);
  const stopRemoving = whenStopped(() => rmSync(part, { force: true }));
  const end = async (how: () => Promise<void>) => {
    try {
      await handle.close();
      await how();
    } finally {
      stopRemoving();
    }
  };
  return { handle, keep: () => end(() => rename(part, file)), discard: () => end(() => rm(part, { force: true })) };
}

/** A terminal, a pipe or /dev/null is not ours to replace. */
const isNoFile = (file: string): boolean => existsSync(file) && !statSync(file).isFile();

/** Whether a path is, or leads over links to, a descriptor of a process, like /dev/stdout. */
export const isDescriptor = (path: string, links = 0): boolean =>
  /^\/(proc|dev\/fd)\//.test(path) ||
  (links < MOST_LINKS &&
    (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false) &&
    isDescriptor(resolve(dirname(path), readlinkSync(path)), links + 1));
const MOST_LINKS = 40;

async function toWhatIsNoFile(file: string): Promise<NewFile> {
  const handle = await open(file, 'w');
  const close = () => handle.close();
  return { handle, keep: close, discard: close };
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
