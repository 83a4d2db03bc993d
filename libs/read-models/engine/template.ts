import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * An embedded database in which nothing was done yet, kept beside the programs: as files, and as one archive for databases
 * in memory. PGlite takes seconds to make a database, and a copy takes a fraction of that: it is made once, by
 * `npm run build`. Where there is none, or none that this user may read, each database is made by PGlite.
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
    // Another one was faster.
    if (!existsSync(place)) throw error;
  }
}

/** Half of a database is never there under its name. @returns whether there was a template */
export function copyTemplate(directory: string): boolean {
  const place = placeOfTemplate();
  if (!existsSync(place)) return false;
  const draft = `${directory}.new`;
  rmSync(draft, { recursive: true, force: true });
  try {
    // Synchronous: for a thousand small files the asynchronous one takes twice the time of the processor.
    cpSync(place, draft, { recursive: true, mode: constants.COPYFILE_FICLONE });
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Whoever built the programs may be another user than the one who runs them.
    if ((error as { code?: string }).code !== 'EACCES') throw error;
    return false;
  }
  renameSync(draft, directory);
  return true;
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
