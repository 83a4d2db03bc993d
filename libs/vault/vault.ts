import { createHmac, randomBytes } from 'node:crypto';
import type { Sealed } from '#domain/kernel/events';
import { RecentlyUsed } from '#domain/kernel/recently-used';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { close, KEY_BYTES, open } from './boxes.ts';
import type { KeyStore, StoredKey } from './key-store.ts';
import { masterKeyFor, masterKeyFromEnvironment } from './master-key.ts';
import { openPostgresKeys } from './postgres-keys.ts';
import { openSqliteKeys } from './sqlite-keys.ts';

/**
 * What is known by a keyed hash. An account's address is a kind of its own: nobody can tell from the log which customers
 * are leads too. So is a request that holds a password, whose plain hash could be guessed at.
 */
export type KeyedKind = 'telephone' | 'email' | 'account-address' | 'request' | 'webhook-secret';

/** Seals personal data under keys of its owners, and forgets a person by destroying the key. */
export interface Vault {
  /**
   * Seals a JSON value under the key of a subject (e.g. `lead-<id>`). Resolves when that key is on disk: whatever is
   * written afterwards never names a key that a crash could lose.
   */
  seal(subject: string, value: unknown): Promise<Sealed>;
  /** @returns the value; undefined once its owner was erased. @throws BoxDamaged, KeyMissing */
  open(box: Sealed): Promise<unknown>;
  /** Destroys the key of a subject: every box of it, wherever it lies, is closed for ever. */
  erase(subject: string): Promise<void>;
  /**
   * The name under which a person is known without being named: a keyed hash, 22 characters of base64url, equal for
   * equal texts of one kind.
   */
  personKey(kind: KeyedKind, normalised: string): string;
  close(): Promise<void>;
}

/** A box is not what was sealed. */
export class BoxDamaged extends Error {}

/** No such key was ever in this vault, or an older copy of it was put back. */
export class KeyMissing extends Error {}

export interface VaultOptions {
  /** Undefined: a directory of its own, gone when the vault is closed. */
  readonly directory?: string | undefined;
  /** `postgres://…`: the keys lie in a PostgreSQL that many programs share. */
  readonly databaseUrl?: string | undefined;
  /** 32 bytes. Default: `LEADGER_MASTER_KEY`, else (not for a database) the file `master.key` in the directory. */
  readonly masterKey?: Uint8Array | undefined;
  /** What keyed hashes are made with, for a vault that is new. Default: chance. */
  readonly matchingSecret?: Uint8Array | undefined;
  readonly readOnly?: boolean | undefined;
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
 * Puts all keys of one vault, and what its keyed hashes are made with, into another one that is new or holds a part of
 * them. Both are wrapped with one master key.
 * @returns how many keys there are
 * @throws CannotOpenStore when the other vault has keyed hashes of its own
 */
export async function copyKeys(from: VaultOptions, to: VaultOptions, onProgress: (keys: number) => void) {
  const source = await openKeys({ ...from, readOnly: true });
  const target = await openKeys(to);
  try {
    const { matchingSecret } = await readSecrets(source.keys, source.masterKeyOf, { ...from, readOnly: true });
    const there = await readSecrets(target.keys, target.masterKeyOf, { ...to, matchingSecret });
    if (Buffer.compare(there.matchingSecret, matchingSecret) !== 0)
      throw new CannotOpenStore('wrong-key', 'the keys are to go where another store keeps its own already');
    let copied = 0;
    let batch: Parameters<KeyStore['put']>[0][number][] = [];
    const flush = async () => {
      await target.keys.put(batch);
      copied += batch.length;
      batch = [];
      onProgress(copied);
    };
    for await (const key of source.keys.each()) {
      batch.push(key);
      if (batch.length === KEYS_COPIED_AT_ONCE) await flush();
    }
    await flush();
    return copied;
  } finally {
    await source.keys.close();
    await target.keys.close();
  }
}

/** What the keys of a vault that is there are wrapped with. @throws CannotOpenStore */
export const masterKeyOf = ({ directory, databaseUrl }: Pick<VaultOptions, 'directory' | 'databaseUrl'>): Uint8Array =>
  directory === undefined || databaseUrl !== undefined ? masterKeyFromEnvironment() : masterKeyFor(directory, false);

interface OpenKeys {
  readonly keys: KeyStore;
  /** @param isNew whether nothing was wrapped with it so far */
  readonly masterKeyOf: (isNew: boolean) => Uint8Array;
}

async function openKeys({ directory, databaseUrl, masterKey, readOnly }: VaultOptions): Promise<OpenKeys> {
  if (databaseUrl !== undefined) {
    const known = masterKey ?? masterKeyFromEnvironment();
    return { keys: await openPostgresKeys(databaseUrl), masterKeyOf: () => known };
  }
  const keys = await openSqliteKeys({ directory, readOnly });
  return { keys, masterKeyOf: (isNew) => masterKey ?? masterKeyFor(keys.directory, isNew && !readOnly) };
}

interface Secrets {
  readonly masterKey: Uint8Array;
  readonly matchingSecret: Uint8Array;
}

const MATCHING_SECRET = 'matching-secret';
const KEYS_REMEMBERED = 10_000;
const KEYS_COPIED_AT_ONCE = 1000;
/** Another program may have erased somebody meanwhile: so long after, the key is gone from here too. */
const MILLISECONDS_A_SHARED_KEY_IS_REMEMBERED = 10_000;

interface OpenedKey {
  readonly key: Uint8Array;
  readonly since: number;
}

class KeyVault implements Vault {
  readonly #keys: KeyStore;
  readonly #secrets: Secrets;
  readonly #readOnly: boolean;
  readonly #opened = new RecentlyUsed<string, OpenedKey>(KEYS_REMEMBERED);
  /** Keys that are on their way to the disk, by subject: two who seal for one person at once share one. */
  readonly #onTheirWay = new Map<string, Promise<SubjectKey>>();
  #closed = false;

  constructor(keys: KeyStore, secrets: Secrets, readOnly: boolean) {
    this.#keys = keys;
    this.#secrets = secrets;
    this.#readOnly = readOnly;
  }

  async seal(subject: string, value: unknown): Promise<Sealed> {
    this.#mustBeOpen();
    const { keyId, key } = await (this.#onTheirWay.get(subject) ?? this.#keyOf(subject));
    return { keyId, box: close(key, Buffer.from(JSON.stringify(value)), keyId).toString('base64') };
  }

  async open({ keyId, box }: Sealed): Promise<unknown> {
    this.#mustBeOpen();
    const key = this.#remembered(keyId) ?? (await this.#unwrap(keyId));
    if (!key) return undefined;
    const content = open(key, Buffer.from(box, 'base64'), keyId);
    if (!content) throw new BoxDamaged(`a sealed box of key ${keyId} is not what was sealed`);
    return JSON.parse(content.toString());
  }

  async erase(subject: string): Promise<void> {
    this.#mustWrite();
    await this.#onTheirWay.get(subject);
    const known = await this.#keys.findOf(subject);
    await this.#keys.erase(subject);
    if (known) this.#opened.delete(known.keyId);
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
    const made = this.#makeKey(subject).finally(() => this.#onTheirWay.delete(subject));
    this.#onTheirWay.set(subject, made);
    return made;
  }

  async #makeKey(subject: string): Promise<SubjectKey> {
    this.#mustWrite();
    const keyId = randomBytes(16).toString('base64url');
    const key = randomBytes(KEY_BYTES);
    const stored = await this.#keys.add(subject, { keyId, wrapped: close(this.#secrets.masterKey, key, keyId) });
    if (stored.keyId !== keyId) return this.#subjectKey(stored);
    this.#remember(keyId, key);
    return { keyId, key };
  }

  #subjectKey({ keyId, wrapped }: StoredKey): SubjectKey {
    return { keyId, key: this.#remembered(keyId) ?? this.#unwrapped(keyId, wrapped as Uint8Array) };
  }

  #remember(keyId: string, key: Uint8Array): void {
    this.#opened.set(keyId, { key, since: performance.now() });
  }

  #remembered(keyId: string): Uint8Array | undefined {
    const opened = this.#opened.get(keyId);
    if (!opened) return undefined;
    const tooOld = this.#keys.shared && performance.now() - opened.since > MILLISECONDS_A_SHARED_KEY_IS_REMEMBERED;
    return tooOld ? undefined : opened.key;
  }

  async #unwrap(keyId: string): Promise<Uint8Array | undefined> {
    const stored = await this.#keys.find(keyId);
    if (!stored) throw new KeyMissing(`key ${keyId} is not in this vault: are these the keys of this log?`);
    return stored.wrapped ? this.#unwrapped(keyId, stored.wrapped) : undefined;
  }

  #unwrapped(keyId: string, wrapped: Uint8Array): Uint8Array {
    const key = open(this.#secrets.masterKey, wrapped, keyId);
    if (!key) throw new BoxDamaged(`key ${keyId} is not what was written`);
    this.#remember(keyId, key);
    return key;
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
  readonly key: Uint8Array;
}

async function readSecrets(
  keys: KeyStore,
  masterKeyOf: OpenKeys['masterKeyOf'],
  options: VaultOptions,
): Promise<Secrets> {
  let wrapped = await keys.findSecret(MATCHING_SECRET);
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
