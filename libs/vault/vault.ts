import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isUnsealed, type Purpose, type Sealed } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { close, KEY_BYTES, open } from './boxes.ts';
import { noKeysIn } from './key-database.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import { masterKeyFor, masterKeyFromEnvironment } from './master-key.ts';
import { openPostgresKeys } from './postgres-keys.ts';
import { openSqliteKeys } from './sqlite-keys.ts';

/**
 * What a keyed hash is made of. Addresses of accounts and of leads are different kinds, so that the log does not show
 * which customers are leads too. A request that holds a password is hashed with a key too, because its plain hash could
 * be found by guessing.
 */
type KeyedKind = 'telephone' | 'email' | 'account-address' | 'business' | 'request' | 'webhook-secret' | 'vault';

/** Seals personal data with one key per person. Destroying the key erases the person. */
export interface Vault {
  /**
   * Identifies the vault in the log: a keyed hash of a constant, which reveals nothing of the key. Copies and older
   * backups of a vault have the same one.
   */
  readonly fingerprint: string;
  /**
   * Seals a JSON value with the key of a subject (e.g. `lead-<id>`). Resolves when that key is on disk, so that an event
   * written afterwards never names a key that a crash could lose. The box is bound to its subject and its purpose.
   */
  seal(subject: string, purpose: Purpose, value: unknown): Promise<Sealed>;
  /** @returns the value; undefined after its owner was erased. @throws BoxDamaged, KeyMissing */
  open(box: Sealed): Promise<unknown>;
  /** Destroys the key of a subject: none of its boxes, in any copy, can ever be opened again. */
  erase(subject: string): Promise<void>;
  /**
   * Identifies a person without naming them: a keyed hash, 22 characters of base64url, equal for equal texts of one
   * kind.
   */
  personKey(kind: KeyedKind, normalised: string): string;
  close(): Promise<void>;
}

/** A box or a key is not what was sealed. */
export class BoxDamaged extends LeadgerError {
  constructor(message: string) {
    super('box-damaged', message);
  }
}

/** This vault never had such a key, or was restored from an older copy. */
export class KeyMissing extends LeadgerError {
  constructor(keyId: string) {
    super('key-missing', `key ${keyId} is not in this vault: are these the keys of this log?`);
  }
}

export interface VaultOptions {
  /** Undefined: a temporary directory, removed when the vault is closed. */
  readonly directory?: string | undefined;
  /** `postgres://…`: the keys are in a PostgreSQL that many programs share. */
  readonly databaseUrl?: string | undefined;
  /** 32 bytes. Default: `LEADGER_MASTER_KEY`, else (not for a database) the file `master.key` in the directory. */
  readonly masterKey?: Uint8Array | undefined;
  /** The key of keyed hashes, for a new vault. Default: random. */
  readonly matchingSecret?: Uint8Array | undefined;
  readonly readOnly?: boolean | undefined;
  /** Fail where there are no keys, instead of making a new vault. */
  readonly mustExist?: boolean | undefined;
}

/** @throws CannotOpenStore, StoreUnavailable */
export async function openVault(options: VaultOptions = {}): Promise<Vault> {
  const { keys, masterKeyOf } = await openKeys(options);
  try {
    return new KeyVault(keys, await readSecrets(keys, masterKeyOf, options), options.readOnly ?? false);
  } catch (error) {
    await keys.close();
    throw error;
  }
}

/**
 * Copies all keys of one vault, and the key of its keyed hashes, into another vault that is new or holds some of them.
 * Both vaults have the same master key.
 * @returns the number of keys
 * @throws CannotOpenStore when the target belongs to another store
 */
export async function copyKeys(from: VaultOptions, to: VaultOptions, onProgress: (keys: number) => void) {
  const existing = { ...from, readOnly: true, mustExist: true };
  const source = await openKeys(existing);
  const target = await openKeys(to);
  try {
    const { matchingSecret } = await readSecrets(source.keys, source.masterKeyOf, existing);
    const there = await readSecrets(target.keys, target.masterKeyOf, { ...to, matchingSecret });
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
  let batch: Parameters<KeyStore['put']>[0][number][] = [];
  const flush = async () => {
    await to.put(batch);
    copied += batch.length;
    batch = [];
    onProgress(copied);
  };
  for await (const key of from.each()) {
    batch.push(key);
    if (batch.length === KEYS_COPIED_AT_ONCE) await flush();
  }
  await flush();
  return copied;
}

/** Where keys are, for messages. */
export const placeOf = ({ directory, databaseUrl }: VaultOptions): string =>
  databaseUrl === undefined ? (directory ?? 'the memory') : 'the database of the keys';

/** The master key of an existing vault. @throws CannotOpenStore */
export const masterKeyOf = ({ directory, databaseUrl }: Pick<VaultOptions, 'directory' | 'databaseUrl'>): Uint8Array =>
  directory === undefined || databaseUrl !== undefined ? masterKeyFromEnvironment() : masterKeyFor(directory, false);

interface OpenKeys {
  readonly keys: KeyStore;
  /** @param isNew whether no key was wrapped with it so far */
  readonly masterKeyOf: (isNew: boolean) => Uint8Array;
}

async function openKeys({ directory, databaseUrl, masterKey, readOnly, mustExist }: VaultOptions): Promise<OpenKeys> {
  if (databaseUrl !== undefined) {
    const known = masterKey ?? masterKeyFromEnvironment();
    return { keys: await openPostgresKeys(databaseUrl), masterKeyOf: () => known };
  }
  const keys = await openSqliteKeys({ directory, readOnly, mustExist });
  return { keys, masterKeyOf: (isNew) => masterKey ?? masterKeyFor(keys.directory, isNew && !readOnly) };
}

interface Secrets {
  readonly masterKey: Uint8Array;
  readonly matchingSecret: Uint8Array;
}

const MATCHING_SECRET = 'matching-secret';
const KEYS_REMEMBERED = 10_000;
const KEYS_COPIED_AT_ONCE = 1000;
/** Another program may have erased a person. After this time, the key is gone from this program too. */
const MILLISECONDS_A_SHARED_KEY_IS_REMEMBERED = 10_000;

class KeyVault implements Vault {
  readonly #keys: KeyStore;
  readonly #secrets: Secrets;
  readonly #readOnly: boolean;
  readonly #unwrapped: LRUCache<string, SubjectKey>;
  /** Keys that are being written to disk, by subject: two calls that seal for one person at once share one key. */
  readonly #beingMade = new Map<string, Promise<SubjectKey>>();
  #closed = false;

  constructor(keys: KeyStore, secrets: Secrets, readOnly: boolean) {
    this.#keys = keys;
    this.#secrets = secrets;
    this.#readOnly = readOnly;
    const ttl = keys.shared ? MILLISECONDS_A_SHARED_KEY_IS_REMEMBERED : 0;
    this.#unwrapped = new LRUCache({ max: KEYS_REMEMBERED, ttl });
  }

  async seal(subject: string, purpose: Purpose, value: unknown): Promise<Sealed> {
    this.#mustBeOpen();
    const { keyId, key } = await (this.#beingMade.get(subject) ?? this.#keyOf(subject));
    const box = close(key, Buffer.from(JSON.stringify(value)), boundTo({ keyId, purpose }, subject));
    return { keyId, purpose, box: box.toString('base64') };
  }

  async open(sealed: Sealed): Promise<unknown> {
    this.#mustBeOpen();
    const { keyId } = sealed;
    const box = Buffer.from(sealed.box, 'base64');
    if (isUnsealed(sealed)) return JSON.parse(box.toString());
    const found = this.#unwrapped.get(keyId) ?? (await this.#find(keyId));
    if (!found) return undefined;
    const content = open(found.key, box, boundTo(sealed, found.subject));
    if (!content) throw new BoxDamaged(`a sealed box of key ${keyId} is not what was sealed`);
    return JSON.parse(content.toString());
  }

  async erase(subject: string): Promise<void> {
    this.#mustWrite();
    await this.#beingMade.get(subject);
    const known = await this.#keys.findOf(subject);
    await this.#keys.erase(subject);
    if (known) this.#unwrapped.delete(known.keyId);
  }

  get fingerprint(): string {
    return this.personKey('vault', 'fingerprint');
  }

  personKey(kind: KeyedKind, normalised: string): string {
    const hash = createHmac('sha256', this.#secrets.matchingSecret).update(`${kind}:${normalised}`).digest();
    return hash.subarray(0, 16).toString('base64url');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#keys.close();
  }

  #keyOf(subject: string): SubjectKey | Promise<SubjectKey> {
    const known = this.#keys.shared ? undefined : (this.#keys.findOf(subject) as StoredKey | undefined);
    if (known) return this.#subjectKey(known);
    const made = this.#makeKey(subject).finally(() => this.#beingMade.delete(subject));
    this.#beingMade.set(subject, made);
    return made;
  }

  async #makeKey(subject: string): Promise<SubjectKey> {
    this.#mustWrite();
    const keyId = randomBytes(16).toString('base64url');
    const key = randomBytes(KEY_BYTES);
    const stored = await this.#keys.add(subject, { keyId, wrapped: close(this.#secrets.masterKey, key, keyId) });
    if (stored.keyId !== keyId) return this.#subjectKey(stored);
    const made = { keyId, subject, key };
    this.#unwrapped.set(keyId, made);
    return made;
  }

  #subjectKey(stored: StoredKey): SubjectKey {
    return this.#unwrapped.get(stored.keyId) ?? this.#unwrap(stored, stored.wrapped as Uint8Array);
  }

  async #find(keyId: string): Promise<SubjectKey | undefined> {
    const stored = await this.#keys.find(keyId);
    if (!stored) throw new KeyMissing(keyId);
    return stored.wrapped ? this.#unwrap(stored, stored.wrapped) : undefined;
  }

  #unwrap({ keyId, subject }: StoredKey, wrapped: Uint8Array): SubjectKey {
    const key = open(this.#secrets.masterKey, wrapped, keyId);
    if (!key) throw new BoxDamaged(`key ${keyId} is not what was written`);
    const unwrapped = { keyId, subject, key };
    this.#unwrapped.set(keyId, unwrapped);
    return unwrapped;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreUnavailable('the vault was closed');
  }

  #mustWrite(): void {
    this.#mustBeOpen();
    if (this.#readOnly) throw new StoreUnavailable('this vault was opened for reading only');
  }
}

interface SubjectKey {
  readonly keyId: string;
  readonly subject: string;
  readonly key: Uint8Array;
}

/** What is authenticated with a box beside its content. Boxes of older versions are bound to their key only. */
const boundTo = ({ keyId, purpose }: Pick<Sealed, 'keyId' | 'purpose'>, subject: string): string =>
  purpose === undefined ? keyId : JSON.stringify(['box', 2, keyId, subject, purpose]);

async function readSecrets(
  keys: KeyStore,
  masterKeyOf: OpenKeys['masterKeyOf'],
  options: VaultOptions,
): Promise<Secrets> {
  let wrapped = await keys.findSecret(MATCHING_SECRET);
  if (!wrapped && options.mustExist) throw noKeysIn(placeOf(options));
  const masterKey = masterKeyOf(wrapped === undefined);
  if (!wrapped) {
    const made = options.matchingSecret ?? randomBytes(KEY_BYTES);
    if (options.readOnly) return { masterKey, matchingSecret: made };
    wrapped = await keys.addSecret(MATCHING_SECRET, close(masterKey, made, MATCHING_SECRET));
  }
  const matchingSecret = open(masterKey, wrapped, MATCHING_SECRET);
  if (!matchingSecret)
    throw new CannotOpenStore('wrong-key', 'the master key is not the one that these keys are wrapped with');
  return { masterKey, matchingSecret };
}
