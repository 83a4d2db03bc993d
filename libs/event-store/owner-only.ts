import { chmodSync, type Dirent, existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { CannotOpenStore } from './port.ts';

/** Group and others. An access control list shows here, too: its mask stands in the bits of the group. */
const OTHERS = 0o077;

/**
 * From here on, whatever this process creates can be opened by its own user only, from the first byte: also what SQLite
 * creates, and in all threads. (A thread cannot set it.)
 */
export function createForOwnerOnly(): void {
  process.umask(OTHERS);
}

/**
 * PGlite sets the modes of its files itself, past the umask, and a crash may leave a new folder of it half copied. So its
 * folders are closed as a whole, and nobody looks at the files in them.
 */
const CLOSED_AS_A_WHOLE: ReadonlySet<string> = new Set(['pglite', 'pglite.new']);

/** A file or directory that more users than its owner can open. */
export interface OpenToOthers {
  readonly place: string;
  readonly mode: number;
  /** What the command that mends it is to go through: a directory, not a link. */
  readonly root: string;
}

/** What others can open of a directory itself, and of all that is in some of its parts. Windows has no modes. */
export function openToOthers(directory: string, parts: readonly string[]): OpenToOthers[] {
  if (process.platform === 'win32') return [];
  const top = { place: directory, root: realPlace(directory) };
  return [
    ...ifOpen(top.place, top.root),
    ...parts.flatMap((part) => (isLink(part) ? openIn(part, realPlace(part)) : openIn(part, top.root))),
  ];
}

function openIn(place: string, root: string): OpenToOthers[] {
  const found = entriesOf(place).flatMap((entry) => {
    const inner = `${place}/${entry.name}`;
    if (entry.isSymbolicLink()) return openBehind(inner);
    const isWalked = entry.isDirectory() && !CLOSED_AS_A_WHOLE.has(entry.name);
    return isWalked ? openIn(inner, root) : ifOpen(inner, root);
  });
  return [...ifOpen(place, root), ...found];
}

/** Of SQLite, which creates them beside the file that a link leads to. */
const BESIDE = ['', '-wal', '-shm'];

/** What a link leads to. A directory there is looked at as a whole: when it is closed, so is what is in it. */
function openBehind(link: string): OpenToOthers[] {
  const target = realPlace(link);
  return BESIDE.flatMap((end) => ifOpen(`${target}${end}`, `${target}${end}`));
}

function ifOpen(place: string, root: string): OpenToOthers[] {
  // A program that is running may remove files meanwhile.
  const mode = (statSync(place, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
  return mode & OTHERS ? [{ place, mode, root }] : [];
}

function entriesOf(place: string): Dirent[] {
  try {
    return readdirSync(place, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

const isLink = (place: string): boolean => lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/** A link that leads nowhere stays as it is: nothing is there that somebody could open. */
const realPlace = (place: string): string => (isLink(place) && existsSync(place) ? realpathSync(place) : place);

/** Takes the rights of others away, where this user may. */
export function closeToOthers(found: readonly OpenToOthers[]): void {
  for (const { place, mode } of found) {
    try {
      chmodSync(place, mode & ~OTHERS);
    } catch (error) {
      // It belongs to another user. It is refused next, by name.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    }
  }
}

/** @throws CannotOpenStore in one line, with the command that mends it */
export function refuseOpenToOthers([first]: readonly OpenToOthers[]): void {
  if (!first) return;
  throw new CannotOpenStore(
    'not-private',
    `${describeOpen(first)}: its owner can stop that with: chmod -R go-rwx ${quoted(first.root)}`,
  );
}

export const describeOpen = ({ place, mode }: OpenToOthers): string =>
  `other users can open ${place} (mode ${mode.toString(8)})`;

/** As a shell takes it. */
const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
