/** The key of one person, wrapped with the master key; null after the person was erased. */
export interface StoredKey {
  readonly keyId: string;
  /** Whose key it is, e.g. `lead-<id>`. */
  readonly subject: string;
  readonly wrapped: Uint8Array | null;
}

/** Holds the keys: in SQLite on one machine, or in a PostgreSQL that many machines share. */
export interface KeyStore {
  /** Whether other programs add and destroy keys too. */
  readonly shared: boolean;
  find(keyId: string): StoredKey | undefined | Promise<StoredKey | undefined>;
  /** The present key of a subject. */
  findOf(subject: string): StoredKey | undefined | Promise<StoredKey | undefined>;
  /** Durable when it resolves. @returns the subject's key: this one, or one that another caller added first */
  add(subject: string, key: { keyId: string; wrapped: Uint8Array }): Promise<StoredKey>;
  /** Destroys the present key of a subject. */
  erase(subject: string): Promise<void>;
  findSecret(name: string): Promise<Uint8Array | undefined>;
  /** @returns the secret of that name: this one, or one that another caller added first */
  addSecret(name: string, wrapped: Uint8Array): Promise<Uint8Array>;
  /** Every key, destroyed ones included, for a copy. */
  each(): AsyncIterable<StoredKey>;
  /** Adds keys of another store; keys that exist already are not changed. */
  put(keys: readonly StoredKey[]): Promise<void>;
  close(): Promise<void>;
}
