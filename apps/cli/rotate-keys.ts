import { openDataDirectory } from '#event-store/data-directory';
import { rotateMasterKey } from '#vault/rotate-master-key';
import { keysOf, type StoreLocation } from '#wiring/stores';
import { printLines } from './print.ts';
import { Progress, thousands } from './progress.ts';

/**
 * Replaces the master key. Programs that share keys in a PostgreSQL go on; a data directory is locked meanwhile.
 * @throws CannotOpenStore, ErasureIncomplete when another program has been reading the keys all the time
 */
export async function rotateKeys(location: StoreLocation): Promise<void> {
  const keys = keysOf(location);
  const { directory } = location;
  const isHere = keys.databaseUrl === undefined && directory !== undefined;
  if (isHere) openDataDirectory(directory, { readOnly: true });
  const lock = isHere ? openDataDirectory(directory) : undefined;
  const progress = new Progress((count) => `${thousands(count)} keys`);
  try {
    const rotation = await rotateMasterKey(keys, (count) => progress.update(count));
    progress.end();
    printLines(`${thousands(rotation.keys)} keys are wrapped with the new master key, and all others were before`);
    printLines(
      rotation.replaced
        ? `${keys.directory}/master.key holds the new master key: back it up`
        : 'give the new master key to every program as LEADGER_MASTER_KEY now, without LEADGER_MASTER_KEY_NEXT',
    );
  } finally {
    lock?.close();
  }
}
