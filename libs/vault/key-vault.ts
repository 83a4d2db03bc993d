import { createHmac, randomBytes } from 'node:crypto';
import { isUnsealed, type Purpose, type Sealed } from '#domain/kernel/events';
import { type BoundedCache, boundedCache } from '#event-store/bounded-cache';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { close, KEY_BYTES, open } from './boxes.ts';
import { countRestored, destroyedAmong, destroyRestored, type KeyOfErased, putDestroyed } from './erased-keys.ts';
import { type KeyStore, MasterKeyReplaced, type StoredKey } from './key-store.ts';
import { openKeys, readSecrets, type Secrets, type VaultOptions } from './opened-keys.ts';
import { BoxDamaged, type KeyedKind, KeyMissing, PersonErased, type Vault } from './vault.ts';
import { isUnderAnother, unwrap, wrap } from './wrapping.ts';

/** @throws CannotOpenStore, StoreUnavailable */
export async function openVault(options: VaultOptions = {}): Promise<Vault> {
  const { keys, masterKeys } = await openKeys(options);
  try {
    return new KeyVault(keys, await readSecrets(keys, masterKeys, options), options);
  } catch (error) {
    await keys.close();
    throw error;
  }
}

/** No secret: it stands beside them, so that it goes wherever the file of the keys goes. */
const LOG_NOTED = 'log-noted';
const NOTED = new Uint8Array([1]);

const KEYS_REMEMBERED = 10_000;
const KEYS_AT_ONCE = 1000;
/** Another program may have erased a person. After this time, the key is gone from this program too. */
const MILLISECONDS_A_SHARED_KEY_IS_REMEMBERED = 10_000;

class KeyVault implements Vault {
  readonly #keys: KeyStore;
  #secrets: Secrets;
  readonly #readOnly: boolean;
  readonly #erased: ReadonlySet<string>;
  readonly #unwrapped: BoundedCache<SubjectKey>;
  /** Keys that are being written to disk, by subject: two calls that seal for one person at once share one key. */
  readonly #beingMade = new Map<string, Promise<SubjectKey>>();
  readonly #missed = new Set<string>();
  readonly #damaged = new Set<string>();
  /** Ids of keys of erased subjects that this vault, which is open for reading only, does not have. */
  readonly #givenUp = new Set<string>();
  #closed = false;

  constructor(
    keys: KeyStore,
    secrets: Secrets,
    { readOnly = false, erased = new Set() }: Pick<VaultOptions, 'readOnly' | 'erased'>,
  ) {
    this.#keys = keys;
    this.#secrets = secrets;
    this.#readOnly = readOnly;
    this.#erased = erased;
    const ttl = keys.shared || readOnly ? MILLISECONDS_A_SHARED_KEY_IS_REMEMBERED : 0;
    this.#unwrapped = boundedCache(KEYS_REMEMBERED, ttl);
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
    if (!content) throw this.#damageOf(keyId, `a sealed box of key ${keyId} is not what was sealed`);
    return JSON.parse(content.toString());
  }

  async subjectOf(sealed: Sealed): Promise<string | undefined> {
    this.#mustBeOpen();
    const { keyId } = sealed;
    return isUnsealed(sealed) ? undefined : (this.#unwrapped.get(keyId) ?? (await this.#find(keyId)))?.subject;
  }

  get keysDamaged(): number {
    return this.#damaged.size;
  }

  get keysMissed(): number {
    return this.#missed.size;
  }

  async erase(subject: string): Promise<void> {
    this.#mustWrite();
    await this.#destroy([subject]);
  }

  async eraseAgain(subjects: readonly string[]): Promise<number> {
    this.#mustWrite();
    return destroyRestored(this.#keys, subjects, (some) => this.#destroy(some));
  }

  async keysOfErased(): Promise<number> {
    this.#mustBeOpen();
    return countRestored(this.#keys, this.#erased);
  }

  async destroyedAmong(subjects: readonly string[]): Promise<ReadonlyMap<string, string | undefined>> {
    this.#mustBeOpen();
    return destroyedAmong(this.#keys, subjects);
  }

  async giveUp(keys: readonly KeyOfErased[]): Promise<void> {
    const subjects = new Map(keys.map(({ keyId, subject }) => [keyId, subject]));
    const lost = await this.#absentAmong([...subjects.keys()]);
    if (this.#readOnly) for (const keyId of lost) this.#givenUp.add(keyId);
    else await putDestroyed(this.#keys, new Map(lost.map((keyId) => [keyId, subjects.get(keyId) as string])));
  }

  async lookAgain(): Promise<void> {
    for await (const stored of this.#keysAmong([...new Set([...this.#missed, ...this.#damaged])])) {
      this.#missed.delete(stored.keyId);
      if (!this.#wrappedIn(stored)) this.#damaged.delete(stored.keyId);
    }
  }

  async destroyedSubjects(): Promise<readonly string[]> {
    this.#mustBeOpen();
    return this.#keys.destroyedSubjects();
  }

  async missingAmong(keyIds: readonly string[]): Promise<readonly string[]> {
    const missing = await this.#absentAmong(keyIds);
    for (const keyId of missing) this.#missed.add(keyId);
    return missing;
  }

  async #absentAmong(keyIds: readonly string[]): Promise<readonly string[]> {
    const known = new Set(this.#givenUp);
    for await (const { keyId } of this.#keysAmong(keyIds)) known.add(keyId);
    return keyIds.filter((keyId) => !known.has(keyId));
  }

  async damagedAmong(keyIds: readonly string[]): Promise<readonly string[]> {
    const damaged: string[] = [];
    for await (const stored of this.#keysAmong(keyIds)) {
      const wrapped = this.#wrappedIn(stored);
      if (wrapped && !unwrap(this.#secrets.masterKeys, wrapped, stored)) damaged.push(stored.keyId);
    }
    for (const keyId of damaged) this.#damaged.add(keyId);
    return damaged;
  }

  async *#keysAmong(keyIds: readonly string[]): AsyncGenerator<StoredKey> {
    this.#mustBeOpen();
    for (let at = 0; at < keyIds.length; at += KEYS_AT_ONCE)
      yield* await this.#keys.findAmong(keyIds.slice(at, at + KEYS_AT_ONCE));
  }

  get fingerprint(): string {
    return this.personKey('vault', 'fingerprint');
  }

  async hasLog(): Promise<boolean> {
    this.#mustBeOpen();
    if (await this.#keys.findSecret(LOG_NOTED)) return true;
    for await (const _ of this.#keys.each()) return true;
    return false;
  }

  async noteLog(): Promise<void> {
    this.#mustWrite();
    if (!(await this.#keys.findSecret(LOG_NOTED))) await this.#keys.addSecret(LOG_NOTED, NOTED);
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

  async #destroy(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) await this.#beingMade.get(subject)?.catch(() => {});
    const known = await this.#keys.findAllOf(subjects);
    try {
      await this.#keys.erase(subjects);
    } finally {
      for (const { keyId } of known) this.#unwrapped.delete(keyId);
    }
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
    const made = { keyId: randomBytes(16).toString('base64url'), subject, key: randomBytes(KEY_BYTES) };
    const stored = await this.#add(made);
    if (stored.keyId !== made.keyId) return this.#subjectKey(stored);
    this.#unwrapped.set(made.keyId, made);
    return made;
  }

  async #add(made: SubjectKey): Promise<StoredKey> {
    const { current, wrapped: beside } = this.#secrets;
    try {
      const wrapped = wrap(current, made.key, made);
      return await this.#keys.add(made.subject, { keyId: made.keyId, wrapped, beside });
    } catch (error) {
      if (!(error instanceof MasterKeyReplaced)) throw error;
      await this.#readSecretsAgain();
      return this.#add(made);
    }
  }

  async #readSecretsAgain(): Promise<void> {
    try {
      this.#secrets = await readSecrets(this.#keys, () => this.#secrets.masterKeys, { mustExist: true });
    } catch (error) {
      throw error instanceof CannotOpenStore ? new StoreUnavailable(masterKeyWasReplaced, { cause: error }) : error;
    }
  }

  #subjectKey(stored: StoredKey): SubjectKey | Promise<SubjectKey> {
    const wrapped = this.#wrappedIn(stored);
    if (!wrapped) throw new PersonErased(stored.keyId);
    return this.#unwrapped.get(stored.keyId) ?? this.#unwrap(stored, wrapped);
  }

  async #find(keyId: string): Promise<SubjectKey | undefined> {
    const stored = await this.#keys.find(keyId);
    if (!stored) {
      if (this.#givenUp.has(keyId)) return undefined;
      this.#missed.add(keyId);
      throw new KeyMissing(keyId);
    }
    this.#missed.delete(keyId);
    const wrapped = this.#wrappedIn(stored);
    return wrapped ? this.#unwrap(stored, wrapped) : undefined;
  }

  #wrappedIn = ({ subject, wrapped }: StoredKey): Uint8Array | null => (this.#erased.has(subject) ? null : wrapped);

  async #unwrap({ keyId, subject }: StoredKey, wrapped: Uint8Array): Promise<SubjectKey> {
    const { masterKeys } = this.#secrets;
    const unwrapped = unwrap(masterKeys, wrapped, { keyId, subject });
    // Where the matching secret is under a known master key still, no key is under another one: this one is damaged.
    if (!unwrapped && isUnderAnother(masterKeys, wrapped)) await this.#readSecretsAgain();
    if (!unwrapped) throw this.#damageOf(keyId, `key ${keyId} is not what was written`);
    const subjectKey = { keyId, subject, key: unwrapped.content };
    this.#unwrapped.set(keyId, subjectKey);
    return subjectKey;
  }

  #damageOf(keyId: string, message: string): BoxDamaged {
    this.#damaged.add(keyId);
    return new BoxDamaged(message);
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

const masterKeyWasReplaced =
  'keys are wrapped with another master key: start the program again with the one that `leadger keys rotate` introduced';

/** What is authenticated with a box beside its content. Boxes of older versions are bound to their key only. */
const boundTo = ({ keyId, purpose }: Pick<Sealed, 'keyId' | 'purpose'>, subject: string): string =>
  purpose === undefined ? keyId : JSON.stringify(['box', 2, keyId, subject, purpose]);
