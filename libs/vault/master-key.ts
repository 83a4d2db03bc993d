import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { openOrExplain } from '#event-store/open-or-explain';
import { CannotOpenStore } from '#event-store/port';
import { KEY_BYTES } from './boxes.ts';

const VARIABLE = 'LEADGER_MASTER_KEY';
const NEXT_VARIABLE = 'LEADGER_MASTER_KEY_NEXT';

/** The master keys that a program knows, 32 bytes each: two while the master key is replaced. */
export interface MasterKeyPair {
  readonly masterKey: Uint8Array;
  readonly nextMasterKey?: Uint8Array | undefined;
}

const fileIn = (directory: string): string => join(directory, 'master.key');
const nextFileIn = (directory: string): string => join(directory, 'master.key.next');

/**
 * The key that wraps all other keys: from the environment, else from `master.key` beside them, which is created for a new
 * vault. A backup of keys and events must not contain it.
 * @throws CannotOpenStore
 */
export function masterKeysFor(directory: string, isNew: boolean): MasterKeyPair {
  const file = fileIn(directory);
  return (
    fromEnvironment() ??
    openOrExplain(directory, () => {
      if (!existsSync(file) && !isNew)
        throw new CannotOpenStore('wrong-key', `${file} is missing: put it back, or give it in ${VARIABLE}`);
      if (!existsSync(file)) writeKey(file);
      const next = nextFileIn(directory);
      return { masterKey: readKey(file), ...(existsSync(next) && { nextMasterKey: readKey(next) }) };
    })
  );
}

/** The master keys of keys in a database, which has no directory for it. @throws CannotOpenStore */
export function masterKeysFromEnvironment(): MasterKeyPair {
  const given = fromEnvironment();
  if (given) return given;
  throw new CannotOpenStore('wrong-key', `keys in a database need the master key in ${VARIABLE}`);
}

/**
 * Makes the master key that comes next, where the present one is a file. An interrupted rotation has made it already.
 * @throws CannotOpenStore where the environment gives the present one, and not the next one
 */
export function makeNextMasterKey(directory: string | undefined): void {
  const given = fromEnvironment();
  if (given?.nextMasterKey) return;
  if (given || directory === undefined)
    throw new CannotOpenStore(
      'wrong-key',
      `${VARIABLE} is to be replaced: make another key (openssl rand -hex 32), and give it in ${NEXT_VARIABLE}`,
    );
  openOrExplain(directory, () => {
    // Else it would be found out after all keys were wrapped.
    accessSync(dirname(realpathSync(fileIn(directory))), constants.W_OK);
    if (!existsSync(nextFileIn(directory))) writeKey(nextFileIn(directory));
  });
}

/**
 * Ends the rotation of a master key that is a file: the next one takes its place.
 * @returns false where the environment gives the master key, so that its owner must replace it
 */
export function replaceMasterKey(directory: string | undefined): boolean {
  if (directory === undefined || fromEnvironment()) return false;
  openOrExplain(directory, () => {
    // Where `master.key` is a link, the former key must not stay where it leads, which may be on another disk.
    writeKey(realpathSync(fileIn(directory)), readKey(nextFileIn(directory)));
    rmSync(nextFileIn(directory));
    syncDirectory(directory);
  });
  return true;
}

/**
 * Refuses what `copyMasterKey` cannot do, and writes nothing.
 * @throws CannotOpenStore while the master key is being replaced, or when there is another one
 */
export function mustTakeMasterKey(from: string, to: string): void {
  const { masterKey, nextMasterKey } = masterKeysFor(from, false);
  if (nextMasterKey)
    throw new CannotOpenStore(
      'wrong-key',
      'the master key is being replaced: complete that first (`leadger keys rotate`)',
    );
  if (fromEnvironment() || !existsSync(fileIn(to)) || Buffer.compare(readKey(fileIn(to)), masterKey) === 0) return;
  throw new CannotOpenStore('wrong-key', `${fileIn(to)} is another master key than that of the original`);
}

/** Gives the keys in a new directory the same master key, where it is a file. @throws CannotOpenStore */
export function copyMasterKey(from: string, to: string): void {
  mustTakeMasterKey(from, to);
  if (fromEnvironment() || existsSync(fileIn(to))) return;
  openOrExplain(to, () => {
    mkdirSync(to, { recursive: true, mode: 0o700 });
    writeKey(fileIn(to), readKey(fileIn(from)));
  });
}

/** @returns undefined where the environment gives none @throws CannotOpenStore where it gives something else */
export function fromEnvironment(env: NodeJS.ProcessEnv = process.env): MasterKeyPair | undefined {
  const { [VARIABLE]: given, [NEXT_VARIABLE]: next } = env;
  if (given === undefined) return undefined;
  const masterKey = parse(given, VARIABLE);
  if (!next) return { masterKey };
  const nextMasterKey = parse(next, NEXT_VARIABLE);
  if (Buffer.compare(masterKey, nextMasterKey) === 0)
    throw new CannotOpenStore('wrong-key', `${NEXT_VARIABLE} is the same key as ${VARIABLE}`);
  return { masterKey, nextMasterKey };
}

/** Writes a key. The file appears when it is complete. */
function writeKey(file: string, key: Uint8Array = randomBytes(KEY_BYTES)): void {
  const draft = `${file}.draft`;
  try {
    writeFileSync(draft, `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600, flush: true });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncDirectory(dirname(file));
}

/** Makes a new name in a directory durable. */
function syncDirectory(directory: string): void {
  const opened = openSync(directory, 'r');
  fsyncSync(opened);
  closeSync(opened);
}

const readKey = (file: string): Uint8Array => parse(readFileSync(file, 'utf8'), file);

function parse(written: string, where: string): Uint8Array {
  const text = written.trim();
  const key = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (key.length !== KEY_BYTES)
    throw new CannotOpenStore('wrong-key', `${where} holds no key: ${KEY_BYTES} bytes in base64 or hexadecimal digits`);
  return key;
}
