import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { makeTemplate } from '../libs/read-models/engine/template.ts';
import { directoryOfPrograms } from './postgres/cluster.ts';
import { offerCluster } from './postgres/shared-cluster.ts';

/** Jest has this file as CommonJS, which cannot load that one. */
const MAKE_TEMPLATE = 'libs/read-models/make-template.ts';

/** Runs before all tests. It must cost nothing in a run of pure specs. */
export default async function beforeAllTests({ nonFlagArgs }: { nonFlagArgs: readonly string[] }): Promise<void> {
  // Does something once per clone. Copies of the template save seconds wherever read models are opened.
  await makeTemplate();
  // The one with tables, too, as the build does: a run of all tests opens read models some hundred times.
  if (nonFlagArgs.length === 0)
    execFileSync(process.execPath, ['--conditions=source', MAKE_TEMPLATE], { stdio: 'inherit' });
  // Keys in a database need one. The workers of the tests inherit it.
  if (process.env.LEADGER_TEST_EVENTS && process.env.LEADGER_TEST_DATABASE)
    process.env.LEADGER_MASTER_KEY ||= randomBytes(32).toString('base64');
  if (process.env.TEST_DATABASE_URL) return;
  if (directoryOfPrograms() === undefined)
    console.warn('\nno PostgreSQL on this machine: what needs it is skipped; read models are tested on PGlite');
  else (globalThis as { stopCluster?: () => void }).stopCluster = await offerCluster();
}
