import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from './cluster.ts';
import { PREPARED } from './prepared.ts';

/**
 * Before all tests: a PostgreSQL server for those that want one. `TEST_DATABASE_URL` names it (a user who may create
 * databases); else one is started from the machine's own programs; else those tests are skipped, and this says so. And
 * an embedded database as it is when nothing was done with it yet: to copy one is ten times as fast as to make one.
 */
export default async function startForAll(): Promise<void> {
  prepareEmbeddedDatabase();
  if (process.env.TEST_DATABASE_URL) return;
  const cluster = await startCluster();
  if (!cluster) {
    console.warn('\nno PostgreSQL on this machine: what needs it is skipped; read models are tested on PGlite');
    return;
  }
  process.env.TEST_DATABASE_URL = cluster.url;
  (globalThis as { stopCluster?: () => void }).stopCluster = cluster.stop;
}

/** In a process of its own: making it takes memory that only the end of its process gives back. */
function prepareEmbeddedDatabase(): void {
  const directory = join(mkdtempSync(join(tmpdir(), 'leadger-prepared-')), 'pglite');
  const program = `import { PGlite } from '@electric-sql/pglite'; await (await PGlite.create(${JSON.stringify(directory)})).close();`;
  execFileSync(process.execPath, ['--liftoff-only', '--input-type=module', '--eval', program]);
  process.env[PREPARED] = directory;
}
