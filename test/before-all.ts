import { makeTemplate } from '../libs/read-models/engine/template.ts';
import { directoryOfPrograms } from './postgres/cluster.ts';
import { offerCluster } from './postgres/shared-cluster.ts';

/** Before all tests, whichever they are: only what costs nothing in a run that does not need it. */
export default async function beforeAllTests(): Promise<void> {
  // Once for each clone; copies of it save seconds wherever read models are opened.
  await makeTemplate();
  if (process.env.TEST_DATABASE_URL) return;
  if (directoryOfPrograms() === undefined)
    console.warn('\nno PostgreSQL on this machine: what needs it is skipped; read models are tested on PGlite');
  else (globalThis as { stopCluster?: () => void }).stopCluster = await offerCluster();
}
