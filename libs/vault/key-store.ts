/** A key of one person, wrapped with the master key; without it once the person was erased. */
export interface StoredKey {
  readonly keyId: string;
  readonly wrapped: Uint8Array | null;
}

/** Where keys are kept: beside the events' machine in SQLite, or in a PostgreSQL that many machines share. */
export interface KeyStore {
  /** Other programs add and destroy keys in it too. */
  readonly shared: boolean;
  find(keyId: string): StoredKey | undefined | Promise<StoredKey | undefined>;
  /** The key that a subject has now. */
  findOf(subject: string): StoredKey | undefined | Promise<StoredKey | undefined>;
  /** Durable when it resolves. @returns the subject's key: this one, or that of somebody who was faster */
  add(subject: string, key: { keyId: string; wrapped: Uint8Array }): Promise<StoredKey>;
  /** Destroys the key that a subject has. */
  erase(subject: string): Promise<void>;
  findSecret(name: string): Promise<Uint8Array | undefined>;
  /** @returns the secret of that name: this one, or that of whoever came first */
  addSecret(name: string, wrapped: Uint8Array): Promise<Uint8Array>;
  /** Every key, also those that were destroyed, for a copy. */
  each(): AsyncIterable<StoredKey & { readonly subject: string }>;
  /** Puts keys in as they are elsewhere; those that are there already stay. */
  put(keys: readonly (StoredKey & { readonly subject: string })[]): Promise<void>;
  close(): Promise<void>;
}
