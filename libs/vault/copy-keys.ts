import { CannotOpenStore } from '#event-store/port';
import type { KeyStore, StoredKey } from './key-store.ts';
import { openKeys, readSecrets, type VaultOptions } from './opened-keys.ts';

const KEYS_COPIED_AT_ONCE = 1000;

/**
 * Copies all keys of one vault, and the key of its keyed hashes, into another vault that is new or holds some of them.
 * Both vaults have the same master key. What is destroyed in the first one is destroyed in the second one.
 * @returns the number of keys
 * @throws CannotOpenStore when the target belongs to another store
 */
export async function copyKeys(from: VaultOptions, to: VaultOptions, onProgress: (keys: number) => void) {
  const existing = { ...from, readOnly: true, mustExist: true };
  const source = await openKeys(existing);
  const target = await openKeys(to);
  try {
    const { matchingSecret } = await readSecrets(source.keys, source.masterKeys, existing);
    const there = await readSecrets(target.keys, target.masterKeys, { ...to, matchingSecret });
    if (Buffer.compare(there.matchingSecret, matchingSecret) !== 0)
      throw new CannotOpenStore('wrong-key', 'the target of the copy already holds the keys of another store');
    return await copyRows(source.keys, target.keys, onProgress);
  } finally {
    await source.keys.close();
    await target.keys.close();
  }
}

async function copyRows(from: KeyStore, to: KeyStore, onProgress: (keys: number) => void): Promise<number> {
  let copied = 0;
  for await (const keys of pagesOf(from)) {
    await to.put(keys);
    copied += keys.length;
    onProgress(copied);
  }
  return copied;
}

/** All keys of a store, some at once. */
export async function* pagesOf(keys: KeyStore): AsyncGenerator<readonly StoredKey[]> {
  let page: StoredKey[] = [];
  for await (const key of keys.each()) {
    page.push(key);
    if (page.length < KEYS_COPIED_AT_ONCE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
