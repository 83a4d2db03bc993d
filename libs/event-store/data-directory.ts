import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { isAddress, withoutPasswords } from '#domain/kernel/connection-string';
import { openOrExplain } from './open-or-explain.ts';
import { closeToOthers, createForOwnerOnly, describeOpen, openToOthers, refuseOpenToOthers } from './owner-only.ts';
import { CannotOpenStore } from './port.ts';

/** Raised when an older program cannot read the directory any more. */
const FORMAT = 1;

/**
 * Says that all parts of the directory were once for their owner only. Versions before this one did not write it, and left
 * modes as the user's umask was; they ignore it.
 */
const OWNER_ONLY = 'owner-only';

const formatFile = z.object({
  format: z.int().positive(),
  files: z.literal(OWNER_ONLY).optional(),
  /** The identity of the log of which the directory has only a part, until its copy is whole. */
  halfCopyOf: z.string().optional(),
});
const holderFile = z.object({ pid: z.int().positive(), url: z.url().optional() });

/** The process that uses a data directory. */
type Holder = z.infer<typeof holderFile>;

/** The folders of a data directory. They hold the log, keys, sessions, rows and mails. */
const PARTS = ['events', 'keys', 'sessions', 'read-models', 'analysts', 'mails'] as const;
export type Part = (typeof PARTS)[number];
const FILES = /^(format\.json|holder\.json|lock\.sqlite|api-key$)/;

export const partOf = (path: string, part: Part): string => join(path, part);

export interface DataDirectory {
  readonly path: string;
  /** Records for other processes where this one can be reached. */
  setUrl(url: string): void;
  close(): void;
}

/**
 * Opens a data directory: creates it if it does not exist, checks its format and that only its owner can open its files, and
 * locks it against a second process. The lock is SQLite's and ends with the process, however that ends. From then on, the
 * process creates files for its own user only. Opened for reading only, nothing is created, changed or locked.
 * @throws CannotOpenStore with one line that names the directory: locked, read-only, full, newer format, damaged, not private
 */
export function openDataDirectory(path: string, { readOnly = false }: { readOnly?: boolean } = {}): DataDirectory {
  refuseAddress(path);
  return openOrExplain(path, () => (readOnly ? openForReading(path) : openForWriting(path)));
}

/** A mistyped scheme would else make a directory that is named after a password. */
function refuseAddress(path: string): void {
  if (!isAddress(path)) return;
  throw new CannotOpenStore('unsafe-settings', `${withoutPasswords(path)} is an address, and no directory for a store`);
}

function openForReading(path: string): DataDirectory {
  if (!existsSync(join(path, 'format.json')))
    throw new CannotOpenStore('damaged', `there is no store in ${path}: choose its directory with --data`);
  // One of an older version is closed to others when it is next opened for writing.
  if (readFormat(path)?.files === OWNER_ONLY) refuseOpenToOthers(openInStore(path));
  return { path, setUrl() {}, close() {} };
}

function openForWriting(path: string): DataDirectory {
  createForOwnerOnly();
  mkdirSync(path, { recursive: true });
  refuseFolderOfOthers(path);
  const lock = takeLock(path);
  try {
    keepForOwnerOnly(path, readFormat(path));
    writeJson(path, 'holder.json', { pid: process.pid });
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    path,
    setUrl: (url) => writeJson(path, 'holder.json', { pid: process.pid, url }),
    close() {
      if (!lock.open) return;
      rmSync(join(path, 'holder.json'), { force: true });
      lock.close();
    },
  };
}

/**
 * The log of a directory that is a half copy: `copy` was interrupted. The mark is not in the log, which is equal to the
 * original from the first event on. @returns undefined where it is whole, or says itself what it is
 */
export const halfCopyIn = (path: string): string | undefined => readFormat(path)?.halfCopyOf;

/** Called before the first event of a copy is written, by the program that has opened the directory. */
export const markHalfCopy = (path: string, halfCopyOf: string): void =>
  writeJson(path, 'format.json', { ...readFormat(path), halfCopyOf });

/** The copy is whole. */
export function markWhole(path: string): void {
  const { halfCopyOf: _, ...whole } = readFormat(path) ?? { format: FORMAT };
  writeJson(path, 'format.json', whole);
}

/** The process that uses a directory now; undefined if none does. */
export function directoryHolder(path: string): Holder | undefined {
  if (!existsSync(join(path, 'lock.sqlite'))) return undefined;
  try {
    takeLock(path).close();
    return undefined;
  } catch (error) {
    if (error instanceof CannotOpenStore) return readHolder(path) ?? { pid: process.pid };
    throw error;
  }
}

function takeLock(path: string): Database.Database {
  const lock = new Database(join(path, 'lock.sqlite'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new CannotOpenStore('locked', `${path} is in use ${describe(readHolder(path))}`);
  }
}

const describe = (holder: Holder | undefined): string =>
  holder ? `by process ${holder.pid}${holder.url ? `, which answers at ${holder.url}` : ''}` : 'by another process';

/** @returns undefined when there is no store yet. @throws CannotOpenStore: damaged, newer format */
function readFormat(path: string): z.infer<typeof formatFile> | undefined {
  const file = join(path, 'format.json');
  if (!existsSync(file)) return undefined;
  const found = parse(formatFile, file);
  if (found === undefined) throw new CannotOpenStore('damaged', `${file} does not say which format ${path} has`);
  if (found.format > FORMAT)
    throw new CannotOpenStore(
      'newer-format',
      `${path} has format ${found.format}, this version of Leadger knows formats up to ${FORMAT}: use a newer one`,
    );
  return found;
}

/** Closes a new directory, or one of an older version, to other users, once. What is open to them later is refused. */
function keepForOwnerOnly(path: string, format: z.infer<typeof formatFile> | undefined): void {
  const isMarked = format?.files === OWNER_ONLY;
  const found = openInStore(path);
  if (!isMarked) closeToOthers(found);
  refuseOpenToOthers(isMarked ? found : openInStore(path));
  if (isMarked) return;
  if (format && found.length > 0)
    console.warn(`leadger: other users could open files in ${path}: from now on only their owner can`);
  writeJson(path, 'format.json', { format: FORMAT, ...format, files: OWNER_ONLY });
}

/** A new store in a shared folder, such as /tmp, must not close that folder to everybody. */
function refuseFolderOfOthers(path: string): void {
  if (existsSync(join(path, 'format.json'))) return;
  const [folder] = openToOthers(path, []);
  if (folder && readdirSync(path).some((name) => !isOfStore(name)))
    throw new CannotOpenStore(
      'not-private',
      `${describeOpen(folder)}, and it holds other files: choose a new directory for the store`,
    );
}

const isOfStore = (name: string): boolean => PARTS.some((part) => part === name) || FILES.test(name);

/** Other files in the directory are not ours, and out of the reach of others when the directory is. */
const openInStore = (path: string) =>
  openToOthers(
    path,
    readdirSync(path)
      .filter(isOfStore)
      .map((name) => join(path, name)),
  );

const readHolder = (path: string): Holder | undefined => parse(holderFile, join(path, 'holder.json'));

function parse<Schema extends z.ZodType>(schema: Schema, file: string): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Atomic: a crash leaves the old file. */
function writeJson(path: string, name: string, content: object): void {
  const draft = join(path, `${name}.new`);
  writeFileSync(draft, `${JSON.stringify(content)}\n`, { flush: true });
  renameSync(draft, join(path, name));
}
