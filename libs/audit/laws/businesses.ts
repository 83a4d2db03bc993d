import { comparableName, type RawEvent } from './raw-log.ts';

/**
 * The businesses of customers as DLV-3 compares them. Older events have the name itself, newer ones a keyed hash of it.
 * When a store begins to hash, the log says for each customer which hashes its names have. Only the key of the vault can
 * prove these hashes, so they are believed here.
 */
export class Businesses {
  /** Customer → the names that no hash is known of, in the order of their events. */
  readonly #plain = new Map<string, string[]>();
  /** Name → its hash. */
  readonly #hashes = new Map<string, string>();
  #namesWereReplaced = false;

  /** Notes the business that a customer states. @returns its hash, or its name where the event has the name */
  state({ id, data: { businessAssociation, businessKey } }: RawEvent): string {
    if (typeof businessAssociation === 'string') {
      const name = comparableName(businessAssociation);
      this.#plain.set(id, [...(this.#plain.get(id) ?? []), name]);
      return name;
    }
    if (typeof businessKey !== 'string') throw new TypeError('no business');
    return businessKey;
  }

  /** The log was rewritten: its events have hashes in place of all names, so later facts about plain names are about none. */
  replaceNames(): void {
    this.#namesWereReplaced = true;
  }

  /** Notes the hashes of all plain names of a customer. */
  seal({ id, data: { formerNameKeys } }: RawEvent): void {
    if (this.#namesWereReplaced) return;
    const names = this.#plain.get(id) ?? [];
    if (names.length !== formerNameKeys.length) throw new RangeError('it has not one hash for each plain name');
    for (const [index, name] of names.entries()) this.#hashes.set(name, formerNameKeys[index]);
    this.#plain.delete(id);
  }

  areSame(one: string | undefined, other: string | undefined): boolean {
    return one === other || this.#hashOf(one) === this.#hashOf(other);
  }

  #hashOf(business: string | undefined): string | undefined {
    return business === undefined ? undefined : (this.#hashes.get(business) ?? business);
  }
}
