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
  readonly #merges = new Map<string, Pair[]>();
  /** Customer → the names that it stated, as far as they can be opened. */
  readonly #opened = new Map<string, (string | undefined)[]>();
  /** Name in the present form → the first key of it. */
  readonly #firstKeys = new Map<string, string>();
  #legalEndings: readonly string[] = [];
  #namesWereReplaced = false;
  /** When a merge was taken back last, in milliseconds since 1970. */
  lastTakenBack = 0;

  /** Notes the business that a customer states. @returns its hash, or its name where the event has the name */
  state({ id, ordinal, openedName, data }: RawEvent): string {
    const { businessAssociation, businessKey, formerBusinessKeys } = data;
    const isPlain = typeof businessAssociation === 'string';
    this.#opened.set(id, [...(this.#opened.get(id) ?? []), isPlain ? businessAssociation : openedName]);
    if (isPlain) {
      const name = comparableName(businessAssociation);
      this.#plain.set(id, [...(this.#plain.get(id) ?? []), name]);
      return name;
    }
    if (typeof businessKey !== 'string') throw new TypeError('no business');
    if (formerBusinessKeys) this.#noteForms(businessKey, formerBusinessKeys, openedName, ordinal);
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
  renew({ id, ordinal, data: { names } }: RawEvent): void {
    for (const { statement, businessKey, formerBusinessKeys } of names)
      this.#noteForms(businessKey, formerBusinessKeys, this.#opened.get(id)?.[statement], ordinal);
  }

  useLegalEndings({ data: { legalEndings } }: RawEvent): void {
    this.#legalEndings = legalEndings;
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
    if (first === second || othersIn(this.#forms, first, seen).includes(second)) return true;
    return this.#merges.size > 0 && this.#mergedWith(first, seen).has(second);
  }

  #mergedWith(hash: string, seen: number): ReadonlySet<string> {
    const found = new Set([hash, ...othersIn(this.#forms, hash, seen)]);
    for (const one of found)
      for (const merged of othersIn(this.#merges, one, seen))
        for (const form of [merged, ...othersIn(this.#forms, merged, seen)]) found.add(form);
    return found;
  }

  /** Names that are one by the auditor's own form have keys of one business, whatever the keys are. */
  #noteForms(key: string, formerKeys: readonly string[], name: string | undefined, ordinal: number): void {
    for (const former of formerKeys) pair(this.#forms, key, former, ordinal);
    if (name === undefined) return;
    const form = nameOfBusiness(name, this.#legalEndings);
    const first = this.#firstKeys.get(form);
    if (first === undefined) this.#firstKeys.set(form, key);
    else if (first !== key) pair(this.#forms, first, key, ordinal);
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
