import type { EventStore, RecordedEvent } from '#event-store/port';
import type { Vault } from './vault.ts';

type Keys = Pick<Vault, 'missingAmong' | 'damagedAmong'>;

const KEY_ID = /"keyId":"([\w-]{22})"/g;
const decoder = new TextDecoder();

/** How many keys are looked up together, so that the boxes of one person among them are looked up once. */
const KEYS_AT_ONCE = 10_000;

/** Looks for boxes whose key is not in the vault, or is damaged there. It reads the stored bytes, so it finds a box wherever it is. */
export class MissingKeys {
  readonly #keys: Keys;
  readonly #missing = new Set<string>();
  readonly #damaged = new Set<string>();
  #waiting = new Set<string>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  async look({ data, metadata }: Pick<RecordedEvent, 'data' | 'metadata'>): Promise<void> {
    for (const bytes of [data, metadata])
      for (const [, keyId] of decoder.decode(bytes).matchAll(KEY_ID)) this.#waiting.add(keyId as string);
    if (this.#waiting.size >= KEYS_AT_ONCE) await this.#lookUp();
  }

  /** The number of different keys that are missing. A key that was destroyed is not missing. */
  async count(): Promise<number> {
    await this.#lookUp();
    return this.#missing.size;
  }

  /** The ids of the keys that are not what was written. */
  async damaged(): Promise<readonly string[]> {
    await this.#lookUp();
    return [...this.#damaged];
  }

  async #lookUp(): Promise<void> {
    const keyIds = [...this.#waiting];
    this.#waiting = new Set();
    for (const keyId of await this.#keys.missingAmong(keyIds)) this.#missing.add(keyId);
    for (const keyId of await this.#keys.damagedAmong(keyIds)) this.#damaged.add(keyId);
  }
}

/** The same events, each of which was looked at before it is read. */
export const lookedAt = (
  events: Pick<EventStore, 'readAll' | 'faults'>,
  look: (event: RecordedEvent) => Promise<void>,
): Pick<EventStore, 'readAll' | 'faults'> => ({
  faults: async () => (await events.faults?.()) ?? [],
  async *readAll(options) {
    for await (const event of events.readAll(options)) {
      await look(event);
      yield event;
    }
  },
});

/** A backup of keys that is older than the log lacks the newest ones. */
const NEWEST_EVENTS = 10_000;

/** @returns how many keys of the newest events are missing, and how many are damaged */
export async function missingOfNewest(
  events: Pick<EventStore, 'readAll'>,
  keys: Keys,
): Promise<{ readonly missing: number; readonly damaged: number }> {
  const missing = new MissingKeys(keys);
  for await (const event of events.readAll({ direction: 'backwards', maxCount: NEWEST_EVENTS }))
    await missing.look(event);
  return { missing: await missing.count(), damaged: (await missing.damaged()).length };
}
