import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isUnsealed, type Purpose, type Sealed } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { shownTexts } from '#domain/kernel/text';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { close, KEY_BYTES, open } from './boxes.ts';
import { countRestored, destroyedAmong, destroyRestored, type KeyOfErased, putDestroyed } from './erased-keys.ts';
import { type KeyStore, MasterKeyReplaced, type StoredKey } from './key-store.ts';
import { openKeys, readSecrets, type Secrets, type VaultOptions } from './opened-keys.ts';
import { isUnderAnother, unwrap, wrap } from './wrapping.ts';

/**
 * What a keyed hash is made of. Addresses of accounts and of leads are different kinds, so that the log does not show
 * which customers are leads too. A request that holds a password is hashed with a key too, because its plain hash could
 * be found by guessing.
 */
type KeyedKind =
  | 'telephone'
  | 'email'
  | 'account-address'
  | 'business'
  | 'business-form-2'
  | 'business-in-list'
  | 'request'
  | 'webhook-secret'
  | 'letter'
  | 'unsubscribe'
  | 'vault'
  | 'actor';

/** Seals personal data with one key per person. Destroying the key erases the person. */
export interface Vault {
  /**
   * Identifies the vault in the log: a keyed hash of a constant, which reveals nothing of the key. Copies and older
   * backups of a vault have the same one.
   */
  readonly fingerprint: string;
  /** Whether these keys belong to a log: persons have keys, or a log was noted. */
  hasLog(): Promise<boolean>;
  /** Notes beside the keys that a log names this vault. From then on, it does not open for an empty log. */
  noteLog(): Promise<void>;
  /**
   * Seals a JSON value with the key of a subject (e.g. `lead-<id>`). Resolves when that key is on disk, so that an event
   * written afterwards never names a key that a crash could lose. The box is bound to its subject and its purpose.
   * @throws PersonErased
   */
  seal(subject: string, purpose: Purpose, value: unknown): Promise<Sealed>;
  /** @returns the value; undefined after its owner was erased. @throws CannotOpenBox */
  open(box: Sealed): Promise<unknown>;
  /** Which of these different key ids this vault never had, or has lost. No box is opened. */
  missingAmong(keyIds: readonly string[]): Promise<readonly string[]>;
  /** Which of these different key ids have a key that is not what was written. No box is opened. */
  damagedAmong(keyIds: readonly string[]): Promise<readonly string[]>;
  /** How many different keys were asked for and are damaged, or have a damaged box, since the vault was opened. */
  readonly keysDamaged: number;
  /** How many different keys were asked for and are missing, as far as they were asked for since the vault was opened. */
  readonly keysMissed: number;
  /**
   * Destroys the key of a subject: none of its boxes, in any copy, can ever be opened again, and nothing is sealed for it any
   * more. A repeat makes an incomplete erasure complete.
   * @throws ErasureIncomplete: that holds, but bytes of the key may still be on the disk
   */
  erase(subject: string): Promise<void>;
  /**
   * Destroys the keys of erased subjects once more, after keys were restored from an older backup.
   * @returns how many keys had come back
   * @throws ErasureIncomplete
   */
  eraseAgain(subjects: readonly string[]): Promise<number>;
  /** @returns those of these subjects whose key is destroyed, each with the id of that key; undefined where no box has it */
  destroyedAmong(subjects: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
  /**
   * Counts those of these keys that the vault does not have as destroyed: their subjects were erased. Where it is open for
   * reading only, it does so until it is closed. @throws ErasureIncomplete
   */
  giveUp(keys: readonly KeyOfErased[]): Promise<void>;
  /** Looks again for what was missing or damaged: it may be destroyed since, or be there. */
  lookAgain(): Promise<void>;
  /** The subjects of all destroyed keys, whether a log knows why or not. */
  destroyedSubjects(): Promise<readonly string[]>;
  /** How many keys came back from an older backup although the log says that their subjects were erased. They open nothing. */
  keysOfErased(): Promise<number>;
  /**
   * Identifies a person without naming them: a keyed hash, 22 characters of base64url, equal for equal texts of one
   * kind.
   */
  personKey(kind: KeyedKind, normalised: string): string;
  close(): Promise<void>;
}

/**
 * Opens boxes for whoever shows, prints or sends what is in them: what versions before took in a text, and nobody can show, is
 * replaced.
 */
export const forReaders = (vault: Pick<Vault, 'open'>): Pick<Vault, 'open'> => ({
  open: async (box) => shownTexts(await vault.open(box)),
});

/** What is in one box is lost, unless a backup brings it back. Everything else is as before. */
export abstract class CannotOpenBox extends LeadgerError {}

/** A box or a key is not what was sealed. */
export class BoxDamaged extends CannotOpenBox {
  constructor(message: string) {
    super('box-damaged', message);
  }
}

/** This vault never had such a key, or was restored from an older copy. */
export class KeyMissing extends CannotOpenBox {
  constructor(keyId: string) {
    super('key-missing', `key ${keyId} is not in this vault: are these the keys of this log?`);
  }
}

/** The person was erased, so nothing is stored about them any more. */
export class PersonErased extends LeadgerError {
  /** Of the destroyed key. */
  readonly keyId: string;
  constructor(keyId: string) {
    super('person-erased', 'the person was erased: nothing new is stored about them');
    this.keyId = keyId;
  }
}

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
  readonly #unwrapped: LRUCache<string, SubjectKey>;
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
    if (!content) throw this.#damageOf(keyId, `a sealed box of key ${keyId} is not what was sealed`);
    return JSON.parse(content.toString());
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
