import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import type { Sealed } from '#domain/kernel/events';
import { RecentlyUsed } from '#domain/kernel/recently-used';
import { CannotOpenStore, StoreUnavailable } from '#event-store/port';
import { close, KEY_BYTES, open } from './boxes.ts';
import { openKeysForReading, openKeysForWriting } from './key-database.ts';
import { KeyWriterThread } from './key-writer-thread.ts';
import { masterKeyFor } from './master-key.ts';

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
   * equal numbers or addresses of one kind.
   */
  personKey(kind: 'telephone' | 'email', normalised: string): string;
  close(): Promise<void>;
}

/** A box is not what was sealed. */
export class BoxDamaged extends Error {}

/** No such key was ever in this vault, or an older copy of it was put back. */
export class KeyMissing extends Error {}

export interface VaultOptions {
  /** Undefined: a directory of its own, gone when the vault is closed. */
  readonly directory?: string;
  /** 32 bytes. Default: `LEADGER_MASTER_KEY`, else the file `master.key` in the directory. */
  readonly masterKey?: Uint8Array;
  /** What keyed hashes are made with, for a vault that is new. Default: chance. */
  readonly matchingSecret?: Uint8Array;
  readonly readOnly?: boolean;
}

/** @throws CannotOpenStore */
export async function openVault(options: VaultOptions = {}): Promise<Vault> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'leadger-keys-')));
  const temporary = options.directory === undefined;
  if (!options.readOnly) openKeysForWriting(directory, !temporary).close();
  const keys = openKeysForReading(directory);
  try {
    const secrets = readSecrets(keys, directory, options);
    const writer = options.readOnly ? undefined : await KeyWriterThread.start(directory, !temporary);
    const remove = temporary ? () => rm(directory, { recursive: true }) : async () => {};
    return new KeyVault(keys, writer, secrets, remove);
  } catch (error) {
    keys.close();
    throw error;
  }
}

interface Secrets {
  readonly masterKey: Uint8Array;
  readonly matchingSecret: Uint8Array;
}

const MATCHING_SECRET = 'matching-secret';
const KEYS_REMEMBERED = 10_000;

class KeyVault implements Vault {
  readonly #keys: Database.Database;
  readonly #writer: KeyWriterThread | undefined;
  readonly #secrets: Secrets;
  readonly #remove: () => Promise<void>;
  readonly #byId: Database.Statement<[string], { wrapped: Uint8Array | null }>;
  readonly #bySubject: Database.Statement<[string], { key_id: string; wrapped: Uint8Array }>;
  readonly #opened = new RecentlyUsed<string, Uint8Array>(KEYS_REMEMBERED);
  /** Keys that are on their way to the disk, by subject: two who seal for one person at once share one. */
  readonly #onTheirWay = new Map<string, Promise<SubjectKey>>();
  #closed = false;

  constructor(
    keys: Database.Database,
    writer: KeyWriterThread | undefined,
    secrets: Secrets,
    remove: () => Promise<void>,
  ) {
    this.#keys = keys;
    this.#writer = writer;
    this.#secrets = secrets;
    this.#remove = remove;
    this.#byId = keys.prepare('SELECT wrapped FROM keys WHERE key_id = ?');
    this.#bySubject = keys.prepare('SELECT key_id, wrapped FROM keys WHERE subject = ? AND wrapped IS NOT NULL');
  }

  async seal(subject: string, value: unknown): Promise<Sealed> {
    this.#mustBeOpen();
    const { keyId, key } = await (this.#onTheirWay.get(subject) ?? this.#keyOf(subject));
    return { keyId, box: close(key, Buffer.from(JSON.stringify(value)), keyId).toString('base64') };
  }

  async open({ keyId, box }: Sealed): Promise<unknown> {
    this.#mustBeOpen();
    const key = this.#opened.get(keyId) ?? this.#unwrap(keyId);
    if (!key) return undefined;
    const content = open(key, Buffer.from(box, 'base64'), keyId);
    if (!content) throw new BoxDamaged(`a sealed box of key ${keyId} is not what was sealed`);
    return JSON.parse(content.toString());
  }

  async erase(subject: string): Promise<void> {
    const writer = this.#mustWrite();
    await this.#onTheirWay.get(subject);
    const known = this.#bySubject.get(subject);
    await writer.write({ erased: subject });
    if (known) this.#opened.delete(known.key_id);
  }

  personKey(kind: 'telephone' | 'email', normalised: string): string {
    const hash = createHmac('sha256', this.#secrets.matchingSecret).update(`${kind}:${normalised}`).digest();
    return hash.subarray(0, 16).toString('base64url');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writer?.close();
    this.#keys.close();
    await this.#remove();
  }

  #keyOf(subject: string): SubjectKey | Promise<SubjectKey> {
    const known = this.#bySubject.get(subject);
    if (known) {
      const keyId = known.key_id;
      return { keyId, key: this.#opened.get(keyId) ?? this.#unwrapped(keyId, known.wrapped) };
    }
    const made = this.#makeKey(subject).finally(() => this.#onTheirWay.delete(subject));
    this.#onTheirWay.set(subject, made);
    return made;
  }

  async #makeKey(subject: string): Promise<SubjectKey> {
    const writer = this.#mustWrite();
    const keyId = randomBytes(16).toString('base64url');
    const key = randomBytes(KEY_BYTES);
    await writer.write({ added: { keyId, subject, wrapped: close(this.#secrets.masterKey, key, keyId) } });
    this.#opened.set(keyId, key);
    return { keyId, key };
  }

  #unwrap(keyId: string): Uint8Array | undefined {
    const row = this.#byId.get(keyId);
    if (!row) throw new KeyMissing(`key ${keyId} is not in this vault: are these the keys of this log?`);
    return row.wrapped ? this.#unwrapped(keyId, row.wrapped) : undefined;
  }

  #unwrapped(keyId: string, wrapped: Uint8Array): Uint8Array {
    const key = open(this.#secrets.masterKey, wrapped, keyId);
    if (!key) throw new BoxDamaged(`key ${keyId} is not what was written`);
    this.#opened.set(keyId, key);
    return key;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreUnavailable('the vault was closed');
  }

  #mustWrite(): KeyWriterThread {
    this.#mustBeOpen();
    if (!this.#writer) throw new StoreUnavailable('this vault was opened for reading only');
    return this.#writer;
  }
}

interface SubjectKey {
  readonly keyId: string;
  readonly key: Uint8Array;
}

function readSecrets(keys: Database.Database, directory: string, options: VaultOptions): Secrets {
  const wrapped = keys.prepare('SELECT wrapped FROM secrets WHERE name = ?').pluck().get(MATCHING_SECRET) as
    | Uint8Array
    | undefined;
  const masterKey = options.masterKey ?? masterKeyFor(directory, wrapped === undefined && !options.readOnly);
  if (wrapped) {
    const matchingSecret = open(masterKey, wrapped, MATCHING_SECRET);
    if (!matchingSecret)
      throw new CannotOpenStore(
        'wrong-key',
        `the master key is not the one that the keys in ${directory} are wrapped with`,
      );
    return { masterKey, matchingSecret };
  }
  const matchingSecret = options.matchingSecret ?? randomBytes(KEY_BYTES);
  if (!options.readOnly) {
    const writing = openKeysForWriting(directory, true);
    writing
      .prepare('INSERT INTO secrets (name, wrapped) VALUES (?, ?)')
      .run(MATCHING_SECRET, close(masterKey, matchingSecret, MATCHING_SECRET));
    writing.close();
  }
  return { masterKey, matchingSecret };
}
