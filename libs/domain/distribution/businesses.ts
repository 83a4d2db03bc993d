/**
 * Which keys are of one business (DLV-3). Events of before have the key of a name in a form of before: its normal form
 * itself, or a keyed hash of another form. The log says which keys a name has, and which businesses the staff merged.
 */
export class Businesses {
  /** Normal form → keyed hash, and back. The oldest events have the form itself. */
  readonly #keyed = new Map<string, string>();
  readonly #plainOf = new Map<string, string>();
  /** Customer → the normal forms of the names that have no keyed hash yet, in the order of their events. */
  readonly #unkeyed = new Map<string, string[]>();
  /** Keyed hash → those of the same name in other forms. */
  readonly #forms = new Pairs();
  /** Key → the keys of the businesses that are merged with it. */
  readonly #merged = new Pairs();
  /** Answers of {@link of}, until something changes. */
  readonly #answers = new Map<string, readonly string[]>();

  notePlain(customerId: string, normalForm: string): void {
    this.#unkeyed.set(customerId, [...(this.#unkeyed.get(customerId) ?? []), normalForm]);
  }

  /** @param keys of the names of this customer that had none */
  noteKeys(customerId: string, keys: readonly string[]): void {
    const names = this.#unkeyed.get(customerId) ?? [];
    this.#unkeyed.delete(customerId);
    for (const [index, name] of names.entries()) {
      const key = keys[index];
      if (key === undefined) continue;
      this.#keyed.set(name, key);
      this.#plainOf.set(key, name);
    }
    this.#answers.clear();
  }

  /** @param formerKeys of the same name, in forms of before */
  noteForms(key: string, formerKeys: readonly string[]): void {
    for (const former of formerKeys) if (this.#forms.add(key, former)) this.#answers.clear();
  }

  merge(one: string, other: string): void {
    this.#merged.add(one, other);
    this.#answers.clear();
  }

  takeMergeBack(one: string, other: string): void {
    this.#merged.remove(one, other);
    this.#answers.clear();
  }

  /** The key by which an event of now names this business. */
  keyedOf(key: string): string {
    return this.#keyed.get(key) ?? key;
  }

  /** All keys by which events may name this business. */
  of(key: string): readonly string[] {
    let answer = this.#answers.get(key);
    if (!answer) {
      if (this.#answers.size === MOST_ANSWERS) this.#answers.clear();
      answer = [...this.#keysOf(key)];
      this.#answers.set(key, answer);
    }
    return answer;
  }

  /** A merged business counts with all its forms, and what is merged with it, too. */
  #keysOf(key: string): ReadonlySet<string> {
    const keys = new Set(this.#formsOf(key));
    // A set that grows while it is read is read to its end.
    for (const one of keys)
      for (const merged of this.#merged.of(one)) for (const form of this.#formsOf(merged)) keys.add(form);
    return keys;
  }

  /** Not the forms of those forms: names that were one business by an older form may be two by the present one. */
  #formsOf(key: string): readonly string[] {
    const keyed = this.keyedOf(key);
    const forms = [key, keyed, ...this.#forms.of(keyed)];
    return [...forms, ...forms.flatMap((form) => this.#plainOf.get(form) ?? [])];
  }
}

const MOST_ANSWERS = 10_000;

/** Pairs of equals, found from either side. */
class Pairs {
  readonly #others = new Map<string, readonly string[]>();

  /** @returns whether it is new */
  add(one: string, other: string): boolean {
    if (this.of(one).includes(other)) return false;
    this.#others.set(one, [...this.of(one), other]);
    this.#others.set(other, [...this.of(other), one]);
    return true;
  }

  remove(one: string, other: string): void {
    this.#others.set(
      one,
      this.of(one).filter((key) => key !== other),
    );
    this.#others.set(
      other,
      this.of(other).filter((key) => key !== one),
    );
  }

  of(one: string): readonly string[] {
    return this.#others.get(one) ?? [];
  }
}
