import { LeadgerError } from '#domain/kernel/leadger-error';

/** The key of one person, wrapped with the master key; null after the person was erased. */
export interface StoredKey {
  readonly keyId: string;
  /** Whose key it is, e.g. `lead-<id>`. A subject has one key, ever. */
  readonly subject: string;
  readonly wrapped: Uint8Array | null;
}

/** Whether boxes have it. A key that was destroyed before anything was sealed with it has an id of another form. */
export const isKeyId = (keyId: string): boolean => /^[\w-]{22}$/.test(keyId);

/** A key that was just made. */
export interface NewKey {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
  /** The wrapped matching secret that the caller knows: its master key is the one to wrap with. */
  readonly beside: Uint8Array;
}

/** The same key, wrapped with another master key. */
export interface Rewrapped {
  readonly keyId: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Holds the keys: in SQLite on one machine, or in a PostgreSQL that many machines share. */
export interface KeyStore {
  /** Whether other programs add and destroy keys too. */
  readonly shared: boolean;
  find(keyId: string): StoredKey | undefined | Promise<StoredKey | undefined>;
  /** The key of a subject, also when it is destroyed. */
  findOf(subject: string): StoredKey | undefined | Promise<StoredKey | undefined>;
  /** The keys of those subjects that have one, in any order. */
  findAllOf(subjects: readonly string[]): Promise<readonly StoredKey[]>;
  /** The keys that are known among these different key ids, destroyed ones included, in any order. */
  findAmong(keyIds: readonly string[]): Promise<readonly StoredKey[]>;
  /**
   * Durable when it resolves.
   * @returns the subject's key: this one, one that another caller added first, or a destroyed one
   * @throws MasterKeyReplaced
   */
  add(subject: string, key: NewKey): Promise<StoredKey>;
  /**
   * Destroys the keys of subjects. A subject that never had one gets a destroyed one, so that none is ever added.
   * @throws ErasureIncomplete
   */
  erase(subjects: readonly string[]): Promise<void>;
  findSecret(name: string): Promise<Uint8Array | undefined>;
  /** @returns the secret of that name: this one, or one that another caller added first */
  addSecret(name: string, wrapped: Uint8Array): Promise<Uint8Array>;
  /** Wraps a secret anew. When it resolves, every key that was wrapped beside the former one is visible. */
  rewrapSecret(name: string, before: Uint8Array, after: Uint8Array): Promise<void>;
  /** Replaces the wrapped form of keys that still have the former one: none that was destroyed meanwhile comes back. */
  rewrap(keys: readonly Rewrapped[]): Promise<void>;
  /** Removes what earlier forms of keys left behind, as far as this store can. @throws ErasureIncomplete */
  removeTraces(): Promise<void>;
  /** The subjects of all destroyed keys. */
  destroyedSubjects(): Promise<readonly string[]>;
  /** Every key, destroyed ones included. It may take long, and blocks nobody. */
  each(): AsyncIterable<StoredKey>;
  /** Adds keys of another store. Keys that exist already are not changed, except those that are destroyed there. */
  put(keys: readonly StoredKey[]): Promise<void>;
  close(): Promise<void>;
}

/** The matching secret is wrapped with another master key now, so the key must be wrapped again before it is added. */
export class MasterKeyReplaced extends LeadgerError {
  constructor() {
    super('master-key-replaced', 'the master key was replaced: try again');
  }
}

/** The key is destroyed, and nothing is sealed or opened with it any more, but its bytes may still be in a file. */
export class ErasureIncomplete extends LeadgerError {
  constructor(message: string) {
    super('erasure-incomplete', message);
  }
}
