import { nameOfBusiness } from './business-names.ts';
import { comparableName, type RawEvent } from './raw-log.ts';

/** Two keys of one business, as the log says at an event. `until`: the event that takes it back. */
interface Pair {
  readonly other: string;
  readonly since: number;
  until: number;
}

/**
 * The businesses of customers as DLV-3 compares them. The oldest events have the name itself, newer ones a keyed hash of a
 * form of it. The log says which hashes a name has in which form, and which businesses are merged. Hashes are believed,
 * and where a name can be opened, it is compared too.
 */
export class Businesses {
  /** Customer → the names that no hash is known of, in the order of their events. */
  readonly #plain = new Map<string, string[]>();
  /** Name → its hash. */
  readonly #hashes = new Map<string, string>();
  readonly #forms = new Map<string, Pair[]>();
  /** Keys of names that are one by the list of legal endings in force. */
  readonly #named = new Map<string, Pair[]>();
  readonly #merges = new Map<string, Pair[]>();
  /** Customer → the names that it stated, as far as they can be opened, and their newest keys in the second form. */
  readonly #opened = new Map<string, { readonly name: string | undefined; key?: string }[]>();
  /** Name in the present form → its keys. */
  readonly #keysOfForm = new Map<string, readonly string[]>();
  #legalEndings: readonly string[] = [];
  #legalEndingsId: string | undefined;
  #namesWereReplaced = false;
  /** When a merge was taken back last, in milliseconds since 1970. */
  lastTakenBack = 0;

  /** Notes the business that a customer states. @returns its hash, or its name where the event has the name */
  state({ id, ordinal, openedName, data }: RawEvent): string {
    const { businessAssociation, businessKey, formerBusinessKeys } = data;
    const isPlain = typeof businessAssociation === 'string';
    const opened: { name: string | undefined; key?: string } = { name: isPlain ? businessAssociation : openedName };
    this.#opened.set(id, [...(this.#opened.get(id) ?? []), opened]);
    if (isPlain) {
      const name = comparableName(businessAssociation);
      this.#plain.set(id, [...(this.#plain.get(id) ?? []), name]);
      return name;
    }
    if (typeof businessKey !== 'string') throw new TypeError('no business');
    if (formerBusinessKeys) {
      opened.key = businessKey;
      this.#noteForms(businessKey, formerBusinessKeys, ordinal);
      this.#noteName(businessKey, openedName, ordinal);
    }
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

  /** Notes the hashes in the present form of names that a customer stated before. */
  renew({ id, ordinal, data: { names, legalEndingsId } }: RawEvent): void {
    for (const { statement, businessKey, formerBusinessKeys } of names) {
      this.#noteForms(businessKey, formerBusinessKeys, ordinal);
      const opened = this.#opened.get(id)?.[statement];
      if (opened) opened.key = businessKey;
      // Keys of a list that is not in force yet are compared from then on.
      if (legalEndingsId === this.#legalEndingsId) this.#noteName(businessKey, opened?.name, ordinal);
    }
  }

  /** From here on, names are compared by this list, whatever keys they have. */
  useLegalEndings({ ordinal, data: { legalEndings, legalEndingsId } }: RawEvent): void {
    this.#legalEndings = legalEndings;
    this.#legalEndingsId = legalEndingsId;
    this.#keysOfForm.clear();
    for (const pairs of this.#named.values()) for (const one of pairs) one.until = Math.min(one.until, ordinal);
    for (const statements of this.#opened.values())
      for (const { key, name } of statements) if (key !== undefined) this.#noteName(key, name, ordinal);
  }

  merge({ ordinal, data: { businessKey, otherBusinessKey } }: RawEvent): void {
    pair(this.#merges, businessKey, otherBusinessKey, ordinal);
  }

  takeMergeBack({ ordinal, data: { at, businessKey, otherBusinessKey } }: RawEvent): void {
    for (const [one, other] of [
      [businessKey, otherBusinessKey],
      [otherBusinessKey, businessKey],
    ])
      for (const merged of this.#merges.get(one) ?? [])
        if (merged.other === other) merged.until = Math.min(merged.until, ordinal);
    this.lastTakenBack = Date.parse(at);
  }

  /** @param seen the number of events that were known then; all so far when absent */
  areSame(one: string | undefined, other: string | undefined, seen = Number.MAX_SAFE_INTEGER): boolean {
    if (one === other) return true;
    if (one === undefined || other === undefined) return false;
    const [first, second] = [this.#hashOf(one), this.#hashOf(other)];
    if (first === second || this.#equalsOf(first, seen).includes(second)) return true;
    return this.#merges.size > 0 && this.#mergedWith(first, seen).has(second);
  }

  #mergedWith(hash: string, seen: number): ReadonlySet<string> {
    const found = new Set([hash, ...this.#equalsOf(hash, seen)]);
    for (const one of found)
      for (const merged of othersIn(this.#merges, one, seen))
        for (const form of [merged, ...this.#equalsOf(merged, seen)]) found.add(form);
    return found;
  }

  #equalsOf(hash: string, seen: number): readonly string[] {
    return [...othersIn(this.#forms, hash, seen), ...othersIn(this.#named, hash, seen)];
  }

  #noteForms(key: string, formerKeys: readonly string[], ordinal: number): void {
    for (const former of formerKeys) pair(this.#forms, key, former, ordinal);
  }

  /** Names that are one by the auditor's own form have keys of one business, whatever the keys are. */
  #noteName(key: string, name: string | undefined, ordinal: number): void {
    if (name === undefined) return;
    const form = nameOfBusiness(name, this.#legalEndings);
    const keys = this.#keysOfForm.get(form) ?? [];
    if (keys.includes(key)) return;
    for (const other of keys) pair(this.#named, key, other, ordinal);
    this.#keysOfForm.set(form, [...keys, key]);
  }

  #hashOf(business: string): string {
    return this.#hashes.get(business) ?? business;
  }
}

function pair(pairs: Map<string, Pair[]>, one: string, other: string, since: number): void {
  if (othersIn(pairs, one, since).includes(other)) return;
  const until = Number.POSITIVE_INFINITY;
  pairs.set(one, [...(pairs.get(one) ?? []), { other, since, until }]);
  pairs.set(other, [...(pairs.get(other) ?? []), { other: one, since, until }]);
}

const othersIn = (pairs: ReadonlyMap<string, readonly Pair[]>, one: string, seen: number): readonly string[] =>
  (pairs.get(one) ?? []).filter(({ since, until }) => since <= seen && seen < until).map(({ other }) => other);
