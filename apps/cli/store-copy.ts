import { asOfNow, copyLog } from '#audit/copy-log';
import { markHalfCopy, markWhole, openDataDirectory } from '#event-store/data-directory';
import { erasedIn } from '#requests/vault-link';
import { copyKeys } from '#vault/copy-keys';
import { masterKeysOf } from '#vault/opened-keys';
import { keysOf, openEvents, openForReading, openStores, type StoreLocation, type Stores } from '#wiring/stores';

/**
 * Copies a store into an empty directory, with the events and keys that it has now. The original may be running, and
 * changes of the copy do not affect it. The master key is not written into the copy.
 */
export async function openCopy(
  of: StoreLocation,
  directory: string,
  onProgress: (events: number) => void = () => {},
): Promise<Stores> {
  const source = await openForReading(of);
  try {
    const masterKeys = masterKeysOf(keysOf(of));
    const log = await asOfNow(source.events);
    openDataDirectory(directory).close();
    markHalfCopy(directory, await source.events.identity());
    // After the end of the log was read: everything sealed before it has its key by now.
    const keys = { ...keysOf(of), erased: await erasedIn(source.events) };
    await copyKeys(keys, { ...keysOf({ directory }), ...masterKeys }, () => {});
    // Keys of a log do not open with an empty one.
    const events = await openEvents({ directory, completes: true });
    try {
      await copyLog(log, events, { onProgress });
      markWhole(directory);
    } finally {
      await events.close();
    }
    return await openStores({ directory, ...masterKeys });
  } finally {
    await source.close();
  }
}
