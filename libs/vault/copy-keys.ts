import { CannotOpenStore } from '#event-store/port';
import { destroyRestored } from './erased-keys.ts';
import { holdsKeys } from './key-database.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import { mustTakeMasterKey } from './master-key.ts';
import { openKeys, readSecrets, type VaultOptions } from './opened-keys.ts';

const KEYS_COPIED_AT_ONCE = 1000;

/**
 * Copies all keys of one vault, and the key of its keyed hashes, into another vault that is new or holds some of them.
 * Both vaults have the same master key. What is destroyed in the first one is destroyed in the second one, and so
 * are the keys of subjects that the log says were erased, with or without a key in the first one.
 * @returns the number of keys
 * @throws CannotOpenStore when the target belongs to another store; then nothing was written there
 */
export async function copyKeys(from: VaultOptions, to: VaultOptions, onProgress: (keys: number) => void) {
  const matchingSecret = await matchingSecretOf(from);
  const source = await openKeys(existing(from));
  try {
    const target = await openKeys(to);
    try {
      const there = await readSecrets(target.keys, target.masterKeys, { ...to, matchingSecret });
      mustBeEqual(there.matchingSecret, matchingSecret);
      const { erased = new Set() } = from;
      const copied = await copyRows(source.keys, target.keys, erased, onProgress);
      await destroyRestored(target.keys, erased, (subjects) => target.keys.erase(subjects));
      return copied;
    } finally {
      await target.keys.close();
    }
  } finally {
    await source.keys.close();
  }
}

/** Refuses the keys that `copyKeys` and `copyMasterKey` cannot copy to a directory, and writes nothing. @throws CannotOpenStore */
export async function mustTakeKeysInDirectory(from: string, to: string): Promise<void> {
  mustTakeMasterKey(from, to);
  const matchingSecret = await matchingSecretOf({ directory: from });
  if (holdsKeys(to)) mustBeEqual(await matchingSecretOf({ directory: to, matchingSecret }), matchingSecret);
}

const existing = (vault: VaultOptions) => ({ ...vault, readOnly: true, mustExist: vault.matchingSecret === undefined });

/** Of a vault that must exist. A vault whose making was interrupted takes the given one. */
async function matchingSecretOf(vault: VaultOptions): Promise<Uint8Array> {
  const options = existing(vault);
  const { keys, masterKeys } = await openKeys(options);
  try {
    return (await readSecrets(keys, masterKeys, options)).matchingSecret;
  } finally {
    await keys.close();
  }
}

function mustBeEqual(one: Uint8Array, other: Uint8Array): void {
  if (Buffer.compare(one, other) === 0) return;
  throw new CannotOpenStore('wrong-key', 'the target of the copy already holds the keys of another store');
}

async function copyRows(
  from: KeyStore,
  to: KeyStore,
  erased: ReadonlySet<string>,
  onProgress: (keys: number) => void,
): Promise<number> {
  let copied = 0;
  for await (const keys of pagesOf(from)) {
    await to.put(keys.map((key) => (erased.has(key.subject) ? { ...key, wrapped: null } : key)));
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
