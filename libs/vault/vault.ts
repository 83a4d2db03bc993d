import type { Purpose, Sealed } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { shownTexts } from '#domain/kernel/text';
import type { KeyOfErased } from './erased-keys.ts';

/**
 * What a keyed hash is made of. Addresses of accounts and of leads are different kinds, so that the log does not show
 * which customers are leads too. A request that holds a password is hashed with a key too, because its plain hash could
 * be found by guessing.
 */
export type KeyedKind =
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
  | 'order-link'
  | 'vault'
  | 'network'
  | 'first-account'
  | 'recovery-code'
  | 'approval'
  | 'browser'
  | 'passkey'
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
  /** @returns whose key seals a box; undefined for one without a key, and after its owner was erased. @throws CannotOpenBox */
  subjectOf(box: Sealed): Promise<string | undefined>;
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

/** Whoever asks has no right to see what is in the box. */
export class NotForCaller extends CannotOpenBox {
  constructor() {
    super('not-for-caller', 'personal data is for other roles');
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
