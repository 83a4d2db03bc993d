import { counted } from '#domain/kernel/counted';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { pagesOf } from './copy-keys.ts';
import { destroyRestored } from './erased-keys.ts';
import type { KeyStore, Rewrapped, StoredKey } from './key-store.ts';
import { makeNextMasterKey, replaceMasterKey } from './master-key.ts';
import { MATCHING_SECRET, openKeys, readSecrets, type Secrets, type VaultOptions } from './opened-keys.ts';
import { isWrappedWith, type MasterKey, unwrap, wrap } from './wrapping.ts';

interface Rotation {
  /** The keys that were wrapped anew. An interrupted rotation may have wrapped others before. */
  readonly keys: number;
  /** Whether the file `master.key` holds the new master key now. Else, whoever gives the master key must replace it. */
  readonly replaced: boolean;
  /** Keys of erased subjects that had come back from an older backup. They were destroyed first. Absent: none. */
  readonly restored?: number;
}

/**
 * Replaces the master key: wraps the matching secret and all keys with the next one. No box changes, and the keyed hashes
 * stay the same. Both master keys are known until the end, so that an interrupted rotation stops nobody, and a repeat
 * completes it. On one machine the store is stopped meanwhile; in PostgreSQL, programs that know both go on.
 * @throws CannotOpenStore, ErasureIncomplete, KeysNotWrapped
 */
export async function rotateMasterKey(
  { directory, databaseUrl, erased = new Set() }: Pick<VaultOptions, 'directory' | 'databaseUrl' | 'erased'>,
  onProgress: (keys: number) => void,
): Promise<Rotation> {
  const options = { directory, databaseUrl, mustExist: true };
  const place = databaseUrl === undefined ? directory : undefined;
  const { keys, masterKeys } = await openKeys(options);
  try {
    // Where the keys are refused, no next master key is left behind.
    await readSecrets(keys, masterKeys, options);
    const restored = await destroyRestored(keys, erased, (subjects) => keys.erase(subjects));
    makeNextMasterKey(place);
    const secrets = await readSecrets(keys, masterKeys, options);
    const next = secrets.masterKeys.at(-1) as MasterKey;
    await rewrapMatchingSecret(keys, secrets, next);
    const rewrapped = await rewrapKeys(keys, secrets, next, onProgress);
    await keys.removeTraces();
    return { keys: rewrapped, replaced: replaceMasterKey(place), ...(restored > 0 && { restored }) };
  } finally {
    await keys.close();
  }
}

/** From then on, all programs wrap new keys with the next master key. */
async function rewrapMatchingSecret(keys: KeyStore, { matchingSecret, wrapped }: Secrets, next: MasterKey) {
  if (isWrappedWith(next, wrapped)) return;
  await keys.rewrapSecret(MATCHING_SECRET, wrapped, wrap(next, matchingSecret, { secret: MATCHING_SECRET }));
}

async function rewrapKeys(
  keys: KeyStore,
  { masterKeys }: Secrets,
  next: MasterKey,
  onProgress: (keys: number) => void,
): Promise<number> {
  let rewrapped = 0;
  const damaged: string[] = [];
  for await (const page of pagesOf(keys)) {
    const changes = page.flatMap((key) => {
      if (!key.wrapped || isWrappedWith(next, key.wrapped)) return [];
      const change = changeOf(key, masterKeys, next);
      if (!change) damaged.push(key.keyId);
      return change ?? [];
    });
    await keys.rewrap(changes);
    rewrapped += changes.length;
    onProgress(rewrapped);
  }
  if (damaged.length > 0) throw new KeysNotWrapped(damaged);
  return rewrapped;
}

function changeOf(stored: StoredKey, masterKeys: readonly MasterKey[], next: MasterKey): Rewrapped | undefined {
  const before = stored.wrapped as Uint8Array;
  const unwrapped = unwrap(masterKeys, before, stored);
  return unwrapped && { keyId: stored.keyId, before, after: wrap(next, unwrapped.content, stored) };
}

/** Some keys open with neither master key, so the former one must be kept. */
class KeysNotWrapped extends LeadgerError {
  constructor(keyIds: readonly string[]) {
    super(
      'keys-not-wrapped',
      `${counted(keyIds.length, 'key opens', 'keys open')} with neither master key, so both are kept; the first one is ${keyIds[0]}`,
    );
  }
}
