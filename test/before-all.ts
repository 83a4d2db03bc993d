import { makeTemplate } from '../libs/read-models/engine/template.ts';
import { directoryOfPrograms } from './postgres/cluster.ts';
import { offerCluster } from './postgres/shared-cluster.ts';

/** Runs before all tests. It must cost nothing in a run of pure specs. */
export default async function beforeAllTests(): Promise<void> {
  // Does something once per clone. Copies of the template save seconds wherever read models are opened.
  await makeTemplate();
  if (process.env.TEST_DATABASE_URL) return;
  if (directoryOfPrograms() === undefined)
    console.warn('\nno PostgreSQL on this machine: what needs it is skipped; read models are tested on PGlite');
  else (globalThis as { stopCluster?: () => void }).stopCluster = await offerCluster();
}
