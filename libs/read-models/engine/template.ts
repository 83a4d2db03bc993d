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
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openOrExplain } from '#event-store/open-or-explain';

/*
 * A new, empty embedded database, kept beside the programs: as files, and as one archive for databases in memory. PGlite
 * takes seconds to make a database; a copy takes a fraction of that. `npm run build` makes it once. Where there is none, or
 * this user may not read it, PGlite makes each database.
 */

const programs = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url);
const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');

function placeOfTemplate(): string {
  const { version } = JSON.parse(readFileSync(join(pglite, '../../package.json'), 'utf8')) as { version: string };
  return fileURLToPath(new URL(`pglite-${version}`, programs));
}

const archiveAt = (place: string): string => `${place}.tar`;

/** Does nothing when there is one. */
export async function makeTemplate(): Promise<void> {
  const place = placeOfTemplate();
  if (existsSync(place) && existsSync(archiveAt(place))) return;
  mkdirSync(dirname(place), { recursive: true });
  const draft = mkdtempSync(`${place}-`);
  // Loaded only when there is something to make.
  const { PGlite } = await import('@electric-sql/pglite');
  const database = await PGlite.create(draft);
  const archive = await database.dumpDataDir('none');
  await database.close();
  try {
    writeFileSync(`${draft}.tar`, new Uint8Array(await archive.arrayBuffer()));
    renameSync(`${draft}.tar`, archiveAt(place));
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another process made it first.
    if (!existsSync(place)) throw error;
  }
}

/**
 * The copy appears under its name only when it is complete.
 * @returns whether there was a template
 * @throws CannotOpenStore, when the disk is full
 */
export function copyTemplate(directory: string): boolean {
  const place = placeOfTemplate();
  if (!existsSync(place)) return false;
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
  closeFilesToOthers(draft);
}

/** A copied file has the mode of the original, which everybody may read, whatever the umask is. */
function closeFilesToOthers(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o600);
}

/** @returns the path of the archive that a database in memory may begin with */
export function archiveOfTemplate(): string | undefined {
  const archive = archiveAt(placeOfTemplate());
  try {
    accessSync(archive, constants.R_OK);
    return archive;
  } catch {
    return undefined;
  }
}
