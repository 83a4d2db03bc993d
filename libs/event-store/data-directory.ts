import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { openOrExplain } from './open-or-explain.ts';
import { CannotOpenStore } from './port.ts';

/** Raised when an older program cannot read the directory any more. */
const FORMAT = 1;

const formatFile = z.object({ format: z.int().positive() });
const holderFile = z.object({ pid: z.int().positive(), url: z.url().optional() });

/** The process that uses a data directory. */
type Holder = z.infer<typeof holderFile>;

export interface DataDirectory {
  readonly path: string;
  /** Records for other processes where this one can be reached. */
  setUrl(url: string): void;
  close(): void;
}

/**
 * Opens a data directory: creates it if it does not exist, checks its format, and locks it against a second process. The
 * lock is SQLite's and ends with the process, however that ends. Opened for reading only, nothing is created or locked.
 * @throws CannotOpenStore with one line that names the directory: locked, read-only, full, newer format, damaged
 */
export function openDataDirectory(path: string, { readOnly = false }: { readOnly?: boolean } = {}): DataDirectory {
  return openOrExplain(path, () => (readOnly ? openForReading(path) : openForWriting(path)));
}

function openForReading(path: string): DataDirectory {
  if (!existsSync(join(path, 'format.json')))
    throw new CannotOpenStore('damaged', `there is no store in ${path}: choose its directory with --data`);
  checkFormat(path);
  return { path, setUrl() {}, close() {} };
}

function openForWriting(path: string): DataDirectory {
  mkdirSync(path, { recursive: true });
  const lock = takeLock(path);
  try {
    checkFormat(path);
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

function checkFormat(path: string): void {
  const file = join(path, 'format.json');
  if (!existsSync(file)) {
    writeJson(path, 'format.json', { format: FORMAT });
    return;
  }
  const { format } = parse(formatFile, file) ?? {};
  if (format === undefined) throw new CannotOpenStore('damaged', `${file} does not say which format ${path} has`);
  if (format > FORMAT)
    throw new CannotOpenStore(
      'newer-format',
      `${path} has format ${format}, this version of Leadger knows formats up to ${FORMAT}: use a newer one`,
    );
}

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
