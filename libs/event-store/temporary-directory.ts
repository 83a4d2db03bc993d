import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Copies of stores for `leadger clock` and `leadger sql`, and stores in memory: events and keys. */
type Purpose = 'clock' | 'sql' | 'events' | 'keys';

/** As `mkdtemp` makes them. */
const OURS = /^leadger-(clock|sql|events|keys)-[A-Za-z0-9]{6}$/;
/** Locked while its program runs. The lock is SQLite's and ends with the process, however that ends. */
const LOCK = 'owner.sqlite';
/** Written after the lock was taken: without it, nobody knows whether the program is dead or just beginning. */
const OWNED = 'owned';

/** A lock that nobody refers to would be closed by the garbage collector. */
const held = new Set<Database.Database>();

interface TemporaryDirectory {
  readonly path: string;
  remove(): void;
}

/** A directory that the program removes at its end. If it cannot, the next program that opens a store does. */
export function makeTemporaryDirectory(purpose: Purpose): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), `leadger-${purpose}-`));
  const lock = new Database(join(path, LOCK), { timeout: 0 });
  lock.exec('BEGIN EXCLUSIVE');
  held.add(lock);
  writeFileSync(join(path, OWNED), '');
  return {
    path,
    remove() {
      held.delete(lock);
      lock.close();
      removeDirectory(path);
    },
  };
}

/** Removes the directories of programs that were killed. They hold personal data, and keys. */
export function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name);
    try {
      if (OURS.test(name) && isMine(path) && isLeft(path)) removeDirectory(path);
    } catch {
      // It disappears meanwhile, or cannot be removed: a store opens all the same.
    }
  }
}

function isMine(path: string): boolean {
  const found = lstatSync(path);
  return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
}

/** What has no mark may be somebody's store that only has such a name. */
const isLeft = (path: string): boolean => existsSync(join(path, OWNED)) && isFree(join(path, LOCK));

function isFree(file: string): boolean {
  const lock = new Database(file, { timeout: 0, fileMustExist: true });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch {
    return false;
  } finally {
    lock.close();
  }
}

/** Threads that still write may add a file while the directory is emptied: it is tried again. */
const removeDirectory = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
