import { constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * An embedded database in which nothing was done yet, kept beside the programs. PGlite takes seconds to make one, and a
 * copy takes a fraction of that: it is made once, by `npm run build`. Where there is none, or none that this user may
 * read, each database is made by PGlite.
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
  mkdirSync(dirname(place), { recursive: true });
  const draft = mkdtempSync(`${place}-`);
  // Loaded only when there is something to make.
  const { PGlite } = await import('@electric-sql/pglite');
  await (await PGlite.create(draft)).close();
  try {
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another one was faster.
    if (!existsSync(place)) throw error;
  }
}

/** Half of a database is never there under its name. @returns whether there was a template */
export async function copyTemplate(directory: string): Promise<boolean> {
  const place = placeOfTemplate();
  if (!existsSync(place)) return false;
  const draft = `${directory}.new`;
  rmSync(draft, { recursive: true, force: true });
  try {
    await cp(place, draft, { recursive: true, mode: constants.COPYFILE_FICLONE });
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Whoever built the programs may be another user than the one who runs them.
    if ((error as { code?: string }).code !== 'EACCES') throw error;
    return false;
  }
  renameSync(draft, directory);
  return true;
}
