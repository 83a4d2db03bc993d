import { counted } from '#domain/kernel/counted';
import { openDataDirectory } from '#event-store/data-directory';
import { restoredAndDestroyed } from '#requests/keys-at-start';
import { erasedIn } from '#requests/vault-link';
import { rotateMasterKey } from '#vault/rotate-master-key';
import { keysOf, openEvents, type StoreLocation } from '#wiring/stores';
import { printLines } from './print.ts';
import { Progress } from './progress.ts';
import { noteCounts } from './telling.ts';

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
  const progress = new Progress((count) => counted(count, 'key'));
  try {
    const erased = await erasedInItsLog(location);
    const rotation = await rotateMasterKey({ ...keys, erased }, (count) => progress.update(count));
    progress.end();
    noteCounts({ keys: rotation.keys });
    if (rotation.restored) printLines(restoredAndDestroyed(rotation.restored));
    printLines(
      `${counted(rotation.keys, 'key is', 'keys are')} wrapped with the new master key, and all others were before`,
    );
    printLines(
      rotation.replaced
        ? `${keys.directory}/master.key holds the new master key: back it up`
        : 'give the new master key to every program as LEADGER_MASTER_KEY now, without LEADGER_MASTER_KEY_NEXT',
    );
  } finally {
    lock?.close();
  }
}

/** The keys of a half copy are left as they are: they must stay those of the original until the copy is whole. */
async function erasedInItsLog(location: StoreLocation): Promise<ReadonlySet<string>> {
  const events = await openEvents({ ...location, readOnly: true });
  try {
    return await erasedIn(events);
  } finally {
    await events.close();
  }
}
