import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openOrExplain } from '#event-store/open-or-explain';

/*
 * New embedded databases, one empty and one with empty tables, kept beside the programs: as files, and as one archive for
 * databases in memory. PGlite takes seconds to make a database; a copy takes a fraction of that. `npm run build` makes them
 * once. Where there are none, or this user may not read them, PGlite makes each database.
 *
 * They are without what is of no use in a new PostgreSQL: two databases that others would be made from, maps of the
 * free places in its tables, and the zeros that fill up its write-ahead log. That leaves a third of the files and a fifth
 * of the bytes.
 */

const programs = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url);
const { resolve } = createRequire(import.meta.url);
const pglite = resolve('@electric-sql/pglite');

/** The libraries of TypeScript declare it for browsers only. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

let postgres: Promise<object> | undefined;

/**
 * PostgreSQL, for all databases of this program: V8 compiles a function when it is first called, and a second database
 * finds it compiled.
 */
export function compiledPostgres(): Promise<object> {
  postgres ??= readFile(resolve('@electric-sql/pglite/pglite.wasm')).then((bytes) => WebAssembly.compile(bytes));
  return postgres;
}

/** A database without tables. */
const EMPTY = 'empty';

function placeOfTemplate(contents: string): string {
  const { version } = JSON.parse(readFileSync(join(pglite, '../../package.json'), 'utf8')) as { version: string };
  return fileURLToPath(new URL(`pglite-${version}-${contents}`, programs));
}

/** A segment of the write-ahead log has this length (`wal_segment_size`), and a name of 24 hexadecimal digits. Pages are read whole. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
const PAGE_BYTES = 8192;
const IS_SEGMENT = /^[0-9A-F]{24}$/;

const archiveAt = (place: string): string => `${place}.tar`;

/** Does nothing when there is one. */
export const makeTemplate = (): Promise<void> => makeOnce(EMPTY, makeSmallDatabase);

/**
 * Does nothing when there is one.
 * @param tables a name that is another one for other tables
 * @param fill makes them in a database, and closes it
 */
export const makeTemplateWith = (tables: string, fill: (directory: string) => Promise<void>): Promise<void> =>
  makeOnce(tables, async (directory) => {
    rmSync(directory, { recursive: true });
    await fill(directory);
    removeWhatIsMadeAgain(directory);
  });

async function makeOnce(contents: string, make: (directory: string) => Promise<void>): Promise<void> {
  const place = placeOfTemplate(contents);
  if (existsSync(place) && existsSync(archiveAt(place))) return;
  mkdirSync(dirname(place), { recursive: true });
  const draft = mkdtempSync(`${place}-`);
  await make(draft);
  const archive = await archiveOf(draft);
  try {
    writeFileSync(`${draft}.tar`, archive);
    renameSync(`${draft}.tar`, archiveAt(place));
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another process made it first.
    if (!existsSync(place)) throw error;
  }
}

async function makeSmallDatabase(directory: string): Promise<void> {
  // Loaded only when there is something to make.
  const { PGlite } = await import('@electric-sql/pglite');
  const database = await PGlite.create(directory);
  await database.exec(`UPDATE pg_database SET datistemplate = false`);
  for (const unused of ['template0', 'template1']) await database.exec(`DROP DATABASE ${unused}`);
  // The log of all this is not needed any more: a new segment begins, and the old one is removed.
  await database.exec('SET wal_recycle = off; SELECT pg_switch_wal(); CHECKPOINT');
  await database.close();
  removeWhatIsMadeAgain(directory);
}

/** It is made of an open database, so of one that begins with a short log. */
async function archiveOf(directory: string): Promise<Uint8Array> {
  const { PGlite } = await import('@electric-sql/pglite');
  const database = await PGlite.create(directory);
  const archive = await database.dumpDataDir('none');
  await database.close();
  removeWhatIsMadeAgain(directory);
  return new Uint8Array(await archive.arrayBuffer());
}

const segmentsIn = (directory: string): string[] => {
  const log = join(directory, 'pg_wal');
  return readdirSync(log).flatMap((name) => (IS_SEGMENT.test(name) ? join(log, name) : []));
};

/** PostgreSQL makes these maps again where they are missing. */
const IS_MAP = /^\d+_(fsm|vm)$/;

function removeWhatIsMadeAgain(directory: string): void {
  for (const { name, parentPath } of readdirSync(directory, { recursive: true, withFileTypes: true }))
    if (IS_MAP.test(name)) rmSync(join(parentPath, name));
  for (const segment of segmentsIn(directory)) {
    const used = readFileSync(segment).findLastIndex((byte) => byte !== 0) + 1;
    truncateSync(segment, Math.ceil(used / PAGE_BYTES) * PAGE_BYTES);
  }
}

/** As holes: they take no room on the disk, and no time. */
function restoreZeros(directory: string): void {
  for (const segment of segmentsIn(directory))
    if (statSync(segment).size < SEGMENT_BYTES) truncateSync(segment, SEGMENT_BYTES);
}

/**
 * The copy appears under its name only when it is complete.
 * @param tables those that the copy should have: where there is no such template, it has none
 * @returns whether there was a template
 * @throws CannotOpenStore, when the disk is full
 */
export function copyTemplate(directory: string, tables: string): boolean {
  const place = [tables, EMPTY].map(placeOfTemplate).find((template) => existsSync(template));
  if (place === undefined) return false;
  const draft = `${directory}.new`;
  rmSync(draft, { recursive: true, force: true });
  try {
    copyForOwnerOnly(place, draft);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // The programs may have been built by another user.
    if ((error as { code?: string }).code === 'EACCES') return false;
    return openOrExplain(directory, () => {
      throw error;
    });
  }
  renameSync(draft, directory);
  return true;
}

/** Synchronous: for a thousand small files, an asynchronous copy takes twice the time of the processor. */
function copyForOwnerOnly(place: string, draft: string): void {
  cpSync(place, draft, { recursive: true, mode: constants.COPYFILE_FICLONE });
  restoreZeros(draft);
  closeFilesToOthers(draft);
}

/** A copied file has the mode of the original, which everybody may read, whatever the umask is. */
function closeFilesToOthers(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o600);
}

/** @returns the path of the archive that a database in memory may begin with */
export const archiveOfTemplate = (tables: string): string | undefined =>
  [tables, EMPTY].map((contents) => archiveAt(placeOfTemplate(contents))).find(mayRead);

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
