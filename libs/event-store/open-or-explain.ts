import { CannotOpenStore } from './port.ts';

type Reason = ConstructorParameters<typeof CannotOpenStore>[0];
const reasons: Readonly<Record<string, readonly [Reason, string]>> = {
  EACCES: ['read-only', 'cannot be written by this user'],
  EPERM: ['read-only', 'cannot be written by this user'],
  EROFS: ['read-only', 'is on a file system that is read-only'],
  ENOSPC: ['full', 'is on a full disk'],
  EDQUOT: ['full', 'has used up its disk quota'],
  // Node's `cpSync` reports a full disk so.
  EIO: ['full', 'cannot be written: its disk is probably full, else it is damaged'],
  ENOTDIR: ['damaged', 'is not a directory'],
  EEXIST: ['damaged', 'is not a directory'],
  SQLITE_FULL: ['full', 'is on a full disk'],
  SQLITE_READONLY: ['read-only', 'cannot be written'],
  SQLITE_CANTOPEN: ['read-only', 'cannot be opened for writing'],
  SQLITE_BUSY: ['locked', 'is in use by another process'],
  SQLITE_CORRUPT: ['damaged', 'is damaged'],
  SQLITE_NOTADB: ['damaged', 'holds a file that is not a database'],
};

/**
 * Turns failures of the operating system and of SQLite into one line that says what is wrong with which directory.
 * @throws CannotOpenStore
 */
export function openOrExplain<Result>(path: string, open: () => Result): Result {
  try {
    return open();
  } catch (error) {
    const { code = '' } = error as { code?: string };
    const reason = reasons[code] ?? reasons[code.split('_').slice(0, 2).join('_')];
    if (!reason) throw error;
    throw new CannotOpenStore(reason[0], `${path} ${reason[1]}`);
  }
}
