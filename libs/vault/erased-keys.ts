import type { KeyStore } from './key-store.ts';

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
