import { constants, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';

/*
 * A new, empty embedded database, kept beside the programs. PGlite takes seconds to make one; a copy takes a fraction of
 * that. `npm run build` makes it once. Where there is none, or this user may not read it, PGlite makes each database.
 */

const programs = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url);
const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');

function placeOfTemplate(): string {
  const { version } = JSON.parse(readFileSync(join(pglite, '../../package.json'), 'utf8')) as { version: string };
  return fileURLToPath(new URL(`pglite-${version}`, programs));
}

/** Does nothing when there is one. */
export async function makeTemplate(): Promise<void> {
  const place = placeOfTemplate();
  if (existsSync(place)) return;
  const draft = mkdtempSync(`${place}-`);
  await (await PGlite.create(draft)).close();
  try {
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another process made it first.
    if (!existsSync(place)) throw error;
  }
}

/** The copy appears under its name only when it is complete. @returns whether there was a template */
export async function copyTemplate(directory: string): Promise<boolean> {
  const place = placeOfTemplate();
  if (!existsSync(place)) return false;
  const draft = `${directory}.new`;
  rmSync(draft, { recursive: true, force: true });
  try {
    await cp(place, draft, { recursive: true, mode: constants.COPYFILE_FICLONE });
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // The programs may have been built by another user.
    if ((error as { code?: string }).code !== 'EACCES') throw error;
    return false;
  }
  renameSync(draft, directory);
  return true;
}
