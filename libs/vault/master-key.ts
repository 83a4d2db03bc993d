import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { naming } from '#event-store/cannot-open';
import { CannotOpenStore } from '#event-store/port';
import { KEY_BYTES } from './boxes.ts';

const VARIABLE = 'LEADGER_MASTER_KEY';

/**
 * The key that all other keys are wrapped with: from the environment, else from `master.key` beside them, which is made
 * for a vault that is new. Whoever backs up keys and events keeps this one elsewhere.
 * @throws CannotOpenStore
 */
export function masterKeyFor(directory: string, isNew: boolean): Uint8Array {
  const given = process.env[VARIABLE];
  if (given !== undefined) return parse(given, VARIABLE);
  const file = join(directory, 'master.key');
  return naming(directory, () => {
    if (existsSync(file)) return parse(readFileSync(file, 'utf8'), file);
    if (!isNew) throw new CannotOpenStore('wrong-key', `${file} is missing: put it back, or give it in ${VARIABLE}`);
    const made = randomBytes(KEY_BYTES);
    writeFileSync(file, `${made.toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return made;
  });
}

/** The master key where there is no directory to keep one in. @throws CannotOpenStore */
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
