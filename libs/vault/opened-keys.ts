import { randomBytes } from 'node:crypto';
import { CannotOpenStore } from '#event-store/port';
import { KEY_BYTES } from './boxes.ts';
import { noKeysIn } from './key-database.ts';
import type { KeyStore } from './key-store.ts';
import { type MasterKeyPair, masterKeysFor, masterKeysFromEnvironment } from './master-key.ts';
import { openSqliteKeys } from './sqlite-keys.ts';
import { isUnderAnother, type MasterKey, masterKeyFrom, unwrap, wrap } from './wrapping.ts';

export interface VaultOptions {
  /** Undefined: a temporary directory, removed when the vault is closed. */
  readonly directory?: string | undefined;
  /** `postgres://…`: the keys are in a PostgreSQL that many programs share. */
  readonly databaseUrl?: string | undefined;
  /** 32 bytes. Default: `LEADGER_MASTER_KEY`, else (not for a database) the file `master.key` in the directory. */
  readonly masterKey?: Uint8Array | undefined;
  /** The one that replaces it, while that is under way. */
  readonly nextMasterKey?: Uint8Array | undefined;
  /** The key of keyed hashes, for a new vault. Default: random. */
  readonly matchingSecret?: Uint8Array | undefined;
  readonly readOnly?: boolean | undefined;
  /** Fail where there are no keys, instead of making a new vault. */
  readonly mustExist?: boolean | undefined;
  /** Subjects of the erasures in the log: their keys count as destroyed, also where an older backup brought them back. */
  readonly erased?: ReadonlySet<string> | undefined;
}

/** Where keys are, for messages. */
export const placeOf = ({ directory, databaseUrl }: VaultOptions): string =>
  databaseUrl === undefined ? (directory ?? 'the memory') : 'the database of the keys';

/** The master keys of an existing vault. @throws CannotOpenStore */
export const masterKeysOf = ({
  directory,
  databaseUrl,
}: Pick<VaultOptions, 'directory' | 'databaseUrl'>): MasterKeyPair =>
  directory === undefined || databaseUrl !== undefined ? masterKeysFromEnvironment() : masterKeysFor(directory, false);

/** The master keys that are known, the present one first. */
type KnownMasterKeys = readonly [MasterKey, ...MasterKey[]];

interface OpenKeys {
  readonly keys: KeyStore;
  /** @param isNew whether no key was wrapped so far */
  readonly masterKeys: (isNew: boolean) => KnownMasterKeys;
}

export async function openKeys(options: VaultOptions): Promise<OpenKeys> {
  const { directory, databaseUrl, masterKey, nextMasterKey, readOnly, mustExist } = options;
  const given = masterKey && { masterKey, nextMasterKey };
  if (databaseUrl !== undefined) {
    const masterKeys = known(given ?? masterKeysFromEnvironment());
    const { openPostgresKeys } = await import('./postgres-keys.ts');
    return { keys: await openPostgresKeys(databaseUrl), masterKeys: () => masterKeys };
  }
  const keys = await openSqliteKeys({ directory, readOnly, mustExist });
  return { keys, masterKeys: (isNew) => known(given ?? masterKeysFor(keys.directory, isNew && !readOnly)) };
}

const known = ({ masterKey, nextMasterKey }: MasterKeyPair): KnownMasterKeys => [
  masterKeyFrom(masterKey),
  ...(nextMasterKey ? [masterKeyFrom(nextMasterKey)] : []),
];

export interface Secrets {
  readonly masterKeys: KnownMasterKeys;
  /** The master key that the matching secret is wrapped with. New keys are wrapped with it, too. */
  readonly current: MasterKey;
  readonly matchingSecret: Uint8Array;
  /** The matching secret as it is stored. */
  readonly wrapped: Uint8Array;
}

export const MATCHING_SECRET = 'matching-secret';

/** @throws CannotOpenStore */
export async function readSecrets(
  keys: KeyStore,
  masterKeysOf: OpenKeys['masterKeys'],
  options: Pick<VaultOptions, 'directory' | 'databaseUrl' | 'matchingSecret' | 'readOnly' | 'mustExist'>,
): Promise<Secrets> {
  let wrapped = await keys.findSecret(MATCHING_SECRET);
  if (!wrapped && options.mustExist) throw noKeysIn(placeOf(options));
  const masterKeys = masterKeysOf(wrapped === undefined);
  if (!wrapped) {
    const matchingSecret = options.matchingSecret ?? randomBytes(KEY_BYTES);
    const [current] = masterKeys;
    wrapped = wrap(current, matchingSecret, { secret: MATCHING_SECRET });
    if (options.readOnly) return { masterKeys, current, matchingSecret, wrapped };
    wrapped = await keys.addSecret(MATCHING_SECRET, wrapped);
  }
  const unwrapped = unwrap(masterKeys, wrapped, { secret: MATCHING_SECRET });
  if (!unwrapped) throw wrongMasterKey(masterKeys, wrapped);
  return { masterKeys, current: unwrapped.masterKey, matchingSecret: unwrapped.content, wrapped };
}

const wrongMasterKey = (masterKeys: KnownMasterKeys, wrapped: Uint8Array): CannotOpenStore =>
  new CannotOpenStore(
    'wrong-key',
    isUnderAnother(masterKeys, wrapped)
      ? 'the master key is not the one that these keys are wrapped with (it may have been replaced: `leadger keys rotate`)'
      : 'the master key is not the one that these keys are wrapped with',
  );
