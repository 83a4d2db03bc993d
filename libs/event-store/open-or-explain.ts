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
  // Also on a file system that is read-only: Node's `mkdirSync` says so.
  ENOENT_MKDIR: ['read-only', 'cannot be created: its disk is read-only, a link leads nowhere, or the name is empty'],
  ELOOP: ['read-only', 'is a link that leads to itself'],
  ENAMETOOLONG: ['read-only', 'has a name that is too long'],
  SQLITE_FULL: ['full', 'is on a full disk'],
  SQLITE_READONLY: ['read-only', 'cannot be written'],
  SQLITE_CANTOPEN: ['read-only', 'cannot be opened for writing'],
  SQLITE_BUSY: ['locked', 'is in use by another process'],
  SQLITE_CORRUPT: ['damaged', 'is damaged'],
  SQLITE_NOTADB: ['damaged', 'holds a file that is not a database'],
  SQLITE_SCHEMA_MISSING: ['damaged', 'holds a database that was emptied: its tables are missing'],
  // The index of the write-ahead log cannot grow.
  SQLITE_IOERR_SHMSIZE: ['full', 'is on a full disk'],
  SQLITE_IOERR: ['damaged', 'cannot be read or written: its disk fails, or the file was cut off'],
};

/**
 * Turns failures of the operating system and of SQLite into one line that says what is wrong with which directory.
 * @throws CannotOpenStore
 */
export function openOrExplain<Result>(path: string, open: () => Result): Result {
  try {
    return open();
  } catch (error) {
    const code = codeOf(error as Failure);
    const reason = reasons[code] ?? reasons[code.split('_').slice(0, 2).join('_')];
    if (!reason) throw error;
    throw new CannotOpenStore(reason[0], `${path || "''"} ${reason[1]}`, { cause: error });
  }
}

interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly syscall?: string;
}

function codeOf({ code = '', message, syscall }: Failure): string {
  if (code === 'ENOENT' && syscall === 'mkdir') return 'ENOENT_MKDIR';
  if (code === 'SQLITE_ERROR' && message.startsWith('no such table')) return 'SQLITE_SCHEMA_MISSING';
  return code;
}
