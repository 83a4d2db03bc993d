import type { FactOf } from '../codec.ts';
import { idOf } from '../codec.ts';

/** A lead that an older version stored. */
interface Record {
  readonly leadId: string;
  readonly keys: readonly string[];
  assignments: number;
  /** Which of all sales its first one was; 0 while it is not sold. */
  soldAs: number;
  openPlaces: number;
  withdrawnAs?: 'returned' | 'superseded' | 'erased';
}

type LeadFact = FactOf<(typeof factsOfBefore)[number]>;

export const factsOfBefore = ['LeadReceived', 'LeadAssigned', 'LeadReleased', 'LeadWithdrawn'] as const;

/**
 * Which leads of an older version have which persons (DLV-11). It is the same after a crash, when some of them have claimed
 * their persons, or were superseded.
 */
export class PersonsOfBefore {
  readonly #records = new Map<string, Record>();
  #sales = 0;

  take(fact: LeadFact): void {
    const leadId = idOf(fact.stream);
    if (fact.type === 'LeadReceived') {
      const { telephoneKey, emailKey, openPlaces } = fact.data;
      const keys = [telephoneKey, emailKey].filter((key) => key !== undefined);
      this.#records.set(leadId, { leadId, keys, assignments: 0, soldAs: 0, openPlaces });
      return;
    }
    const record = this.#records.get(leadId);
    if (record) this.#change(record, fact);
  }

  #change(record: Record, { type, data }: Exclude<LeadFact, { type: 'LeadReceived' }>): void {
    record.openPlaces = data.openPlaces;
    if (type === 'LeadAssigned') {
      this.#sales += 1;
      if (record.assignments === 0) record.soldAs = this.#sales;
      record.assignments += 1;
    } else if (type === 'LeadReleased') {
      record.assignments -= 1;
      if (record.assignments === 0) record.soldAs = 0;
    } else if (data.supersededBy === undefined) {
      record.withdrawnAs = data.replacementId === undefined ? 'erased' : 'returned';
    } else {
      record.withdrawnAs = 'superseded';
    }
  }

  /** The first that was sold has a person, else the first that was received. A lead that was returned has none. */
  settle(): PersonsSettled {
    const records = [...this.#records.values()].filter(({ withdrawnAs }) => withdrawnAs !== 'returned');
    const sold = records.filter(({ soldAs }) => soldAs > 0).sort((a, b) => a.soldAs - b.soldAs);
    const holders = new Map<string, string>();
    const superseded = new Map<string, string>();
    const linked: { key: string; leadId: string }[] = [];
    for (const record of [...sold, ...records.filter(({ soldAs }) => soldAs === 0)]) {
      const holder = record.keys.map((key) => holders.get(key)).find((leadId) => leadId !== undefined);
      for (const key of record.keys) {
        if (!holders.has(key)) holders.set(key, record.leadId);
        else if (record.soldAs > 0) linked.push({ key, leadId: record.leadId });
      }
      const isInStock = record.openPlaces > 0 || record.withdrawnAs === 'superseded';
      if (holder !== undefined && isInStock) superseded.set(record.leadId, superseded.get(holder) ?? holder);
    }
    return { holders, linked, superseded };
  }
}

export interface PersonsSettled {
  /** Key of a person → the lead that has it. */
  readonly holders: ReadonlyMap<string, string>;
  /** Further leads that were sold of the person of a key. */
  readonly linked: readonly { readonly key: string; readonly leadId: string }[];
  /** Leads that must not be sold → the lead that has their person. */
  readonly superseded: ReadonlyMap<string, string>;
}
