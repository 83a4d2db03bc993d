import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openOrExplain } from '#event-store/open-or-explain';
import { CannotOpenStore } from '#event-store/port';
import { KEY_BYTES } from './boxes.ts';

const VARIABLE = 'LEADGER_MASTER_KEY';

/**
 * The key that wraps all other keys: from the environment, else from `master.key` beside them, which is created for a new
 * vault. A backup of keys and events must not contain it.
 * @throws CannotOpenStore
 */
export function masterKeyFor(directory: string, isNew: boolean): Uint8Array {
  const given = process.env[VARIABLE];
  if (given !== undefined) return parse(given, VARIABLE);
  const file = join(directory, 'master.key');
  return openOrExplain(directory, () => {
    if (existsSync(file)) return parse(readFileSync(file, 'utf8'), file);
    if (!isNew) throw new CannotOpenStore('wrong-key', `${file} is missing: put it back, or give it in ${VARIABLE}`);
    const made = randomBytes(KEY_BYTES);
    writeFileSync(file, `${made.toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return made;
  });
}

/** The master key of keys in a database, which has no directory for it. @throws CannotOpenStore */
export function masterKeyFromEnvironment(): Uint8Array {
  const given = process.env[VARIABLE];
  if (given !== undefined) return parse(given, VARIABLE);
  throw new CannotOpenStore('wrong-key', `keys in a database need the master key in ${VARIABLE}`);
}

function parse(written: string, where: string): Uint8Array {
  const text = written.trim();
  const key = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (key.length !== KEY_BYTES)
    throw new CannotOpenStore('wrong-key', `${where} holds no key: ${KEY_BYTES} bytes in base64 or hexadecimal digits`);
  return key;
}
