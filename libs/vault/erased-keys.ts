import { isKeyId, type KeyStore } from './key-store.ts';

const SUBJECTS_AT_ONCE = 1000;

interface NotDestroyed {
  /** Erased subjects that have a key, or none at all: none may ever get one. */
  readonly subjects: readonly string[];
  /** How many of them have a key: it came back from a backup that is older than the erasure. */
  readonly restored: number;
}

/** Finds erased subjects whose keys are not destroyed, some at once. */
async function* notDestroyed(
  keys: Pick<KeyStore, 'findAllOf'>,
  erased: Iterable<string>,
): AsyncGenerator<NotDestroyed> {
  const all = [...erased];
  for (let at = 0; at < all.length; at += SUBJECTS_AT_ONCE) {
    const some = all.slice(at, at + SUBJECTS_AT_ONCE);
    const known = new Map((await keys.findAllOf(some)).map((key) => [key.subject, key]));
    const subjects = some.filter((subject) => known.get(subject)?.wrapped !== null);
    if (subjects.length > 0) yield { subjects, restored: subjects.filter((subject) => known.has(subject)).length };
  }
}

/** @returns how many keys of erased subjects came back from an older backup */
export async function countRestored(keys: Pick<KeyStore, 'findAllOf'>, erased: Iterable<string>): Promise<number> {
  let count = 0;
  for await (const { restored } of notDestroyed(keys, erased)) count += restored;
  return count;
}

/**
 * Destroys the keys of erased subjects that came back from an older backup.
 * @returns how many had come back
 * @throws ErasureIncomplete
 */
export async function destroyRestored(
  keys: Pick<KeyStore, 'findAllOf'>,
  erased: Iterable<string>,
  destroy: (subjects: readonly string[]) => Promise<void>,
): Promise<number> {
  let count = 0;
  for await (const { subjects, restored } of notDestroyed(keys, erased)) {
    await destroy(subjects);
    count += restored;
  }
  return count;
}

/** A key that sealed something about an erased subject, as the log says. */
export interface KeyOfErased {
  readonly keyId: string;
  readonly subject: string;
}

/** @returns the subjects whose key is destroyed, each with the id of that key; undefined where nothing was sealed with it */
export async function destroyedAmong(
  keys: Pick<KeyStore, 'findAllOf'>,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const destroyed = new Map<string, string | undefined>();
  for (let at = 0; at < subjects.length; at += SUBJECTS_AT_ONCE)
    for (const { subject, keyId, wrapped } of await keys.findAllOf(subjects.slice(at, at + SUBJECTS_AT_ONCE)))
      if (wrapped === null) destroyed.set(subject, isKeyId(keyId) ? keyId : undefined);
  return destroyed;
}

/**
 * Puts destroyed keys in place of those that a store has lost. A subject has one key: further ones have a name of their own.
 * @param lost key id → subject
 */
export async function putDestroyed(
  keys: Pick<KeyStore, 'findAllOf' | 'put'>,
  lost: ReadonlyMap<string, string>,
): Promise<void> {
  if (lost.size === 0) return;
  const taken = new Set((await keys.findAllOf([...new Set(lost.values())])).map(({ subject }) => subject));
  const destroyed = [...lost].map(([keyId, subject]) => {
    const name = taken.has(subject) ? `${subject} before ${keyId}` : subject;
    taken.add(name);
    return { keyId, subject: name, wrapped: null };
  });
  await keys.put(destroyed);
}
