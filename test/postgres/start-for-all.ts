import { execFileSync } from 'node:child_process';
import { startCluster } from './cluster.ts';

/**
 * Before all tests: a PostgreSQL server for those that want one. `TEST_DATABASE_URL` names it (a user who may create
 * databases); else one is started from the machine's own programs; else those tests are skipped, and this says so.
 */
export default async function startForAll(): Promise<void> {
  buildPrograms();
  if (process.env.TEST_DATABASE_URL) return;
  const cluster = await startCluster();
  if (!cluster) {
    console.warn('\nno PostgreSQL on this machine: what needs it is skipped; read models are tested on PGlite');
    return;
  }
  process.env.TEST_DATABASE_URL = cluster.url;
  (globalThis as { stopCluster?: () => void }).stopCluster = cluster.stop;
}

/** Programs are tested as they are built, and a build has an embedded database to copy. */
function buildPrograms(): void {
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  } catch {
    console.warn('\nthe build says no: tests of whole programs may run an older one');
  }
}
