/**
 * Which keys are of one business. Older versions compared the normal form of a name, newer ones compare its keyed hash.
 * The log tells which hash a name has, once for each customer who stated it plain.
 */
export class Businesses {
  /** Normal form → keyed hash, and back. */
  readonly #keyed = new Map<string, string>();
  readonly #former = new Map<string, string>();
  /** Customer → the normal forms of the names that have no keyed hash yet, in the order of their events. */
  readonly #plain = new Map<string, string[]>();

  notePlain(customerId: string, normalForm: string): void {
    this.#plain.set(customerId, [...(this.#plain.get(customerId) ?? []), normalForm]);
  }

  /** @param keys of the names of this customer that had none */
  noteKeys(customerId: string, keys: readonly string[]): void {
    const names = this.#plain.get(customerId) ?? [];
    this.#plain.delete(customerId);
    for (const [index, name] of names.entries()) {
      const key = keys[index];
      if (key === undefined) continue;
      this.#keyed.set(name, key);
      this.#former.set(key, name);
    }
  }

  /** The key by which a business is compared: the same one for both forms. */
  of(key: string): string {
    return this.#keyed.get(key) ?? key;
  }

  /** The key that older versions stored for this business. */
  formerOf(key: string): string | undefined {
    return this.#former.get(key);
  }
}
