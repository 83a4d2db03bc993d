import type { RawEvent } from './raw-log.ts';

interface Published {
  readonly version: number;
  readonly effectiveFrom: number;
  /** A whole policy starts anew. */
  readonly whole: object | undefined;
  readonly changes: Readonly<Record<string, unknown>>;
}

/**
 * The policies that decisions cite, read by a law. A version names only the fields that it changes, unless it is whole, so each
 * follows from those that take effect before it. Shares no code with the decider.
 * @typeParam Policy what the law needs of a policy
 */
export class Policies<Policy> {
  readonly #published: Published[] = [];
  readonly #known = new Map<number, Policy>();
  readonly #read: (policy: RawEvent['data'], effectiveFrom: number) => Policy;

  constructor(read: (policy: RawEvent['data'], effectiveFrom: number) => Policy) {
    this.#read = read;
  }

  get(version: number): Policy | undefined {
    return this.#known.get(version);
  }

  publish({ version, effectiveFrom: from, policy: whole, changes = {} }: RawEvent['data']): void {
    const effectiveFrom = Date.parse(from);
    if (Number.isNaN(effectiveFrom)) throw new TypeError(`${from} is not an instant`);
    const last = this.#published.findLastIndex((one) => one.effectiveFrom <= effectiveFrom);
    this.#published.splice(last + 1, 0, { version, effectiveFrom, whole, changes });
    let policy: Record<string, unknown> = {};
    for (const one of this.#published) {
      policy = { ...(one.whole ?? policy) };
      for (const [field, value] of Object.entries(one.changes)) {
        if (value === null) delete policy[field];
        else policy[field] = value;
      }
      this.#known.set(one.version, this.#read(policy, one.effectiveFrom));
    }
  }
}
