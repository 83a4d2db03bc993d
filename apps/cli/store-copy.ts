import { asOfNow, copyLog } from '#audit/copy-log';
import { copyKeys } from '#vault/copy-keys';
import { masterKeysOf } from '#vault/opened-keys';
import { keysOf, openForReading, openStores, type StoreLocation, type Stores } from '#wiring/stores';

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
    // After the end of the log was read: everything sealed before it has its key by now.
    await copyKeys(keysOf(of), { ...keysOf({ directory }), ...masterKeys }, () => {});
    const stores = await openStores({ directory, ...masterKeys });
    try {
      await copyLog(log, stores.events, onProgress);
    } catch (error) {
      await stores.close();
      throw error;
    }
    return stores;
  } finally {
    await source.close();
  }
}
