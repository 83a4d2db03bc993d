import { IdTable } from '../kernel/id-table.ts';
import type { Businesses } from './businesses.ts';

/** A lead that can still be assigned, or that is being delivered. */
export interface StockedLead {
  readonly leadId: string;
  leadTypeId: string;
  openPlaces: number;
  /** Deliveries of it that have begun and not ended. */
  underWay: number;
  /** Who must not get it: businesses that have it (DLV-3), customers that have it or its person (DLV-4). */
  businesses: readonly string[];
  customers: readonly string[];
  /** Its shelf in the stock; -1 while it is in no stock. Written by the stock only. */
  shelf: number;
}

const NOBODY: readonly string[] = [];

/**
 * Leads of one type with an open place, in the order in which they arrived (or came back, or aged). A lead's number in
 * this order is its shelf. Most leads stay for long and were never assigned. Such a lead rests: it is kept as a row of
 * numbers. When it is needed it is woken: an object is made of the row.
 */
export class Stock {
  readonly #leadTypeId: string;
  readonly #businesses: Businesses;
  /** A lead, or the row of a resting lead. */
  #shelves: (StockedLead | number | undefined)[] = [];
  readonly #resting = new IdTable(['openPlaces', 'shelf']);
  /** The number of empty shelves removed from the front. */
  #cleared = 0;
  /** Leads below this shelf were offered to all claims. */
  #offered = 0;
  #size = 0;
  /** Business → the shelf below which it can get no lead. */
  readonly #seen = new Map<string, number>();

  constructor(leadTypeId: string, businesses: Businesses) {
    this.#leadTypeId = leadTypeId;
    this.#businesses = businesses;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a lead that was never assigned. */
  add(leadId: string, openPlaces: number): void {
    const row = this.#resting.add(leadId);
    this.#resting.set(row, 'openPlaces', openPlaces);
    this.#resting.set(row, 'shelf', this.#layDown(row));
  }

  /** Puts a lead behind all others, to be offered to all claims. A lead that is in the stock already moves. */
  put(lead: StockedLead): void {
    this.remove(lead);
    lead.shelf = this.#layDown(lead);
  }

  remove(lead: StockedLead): void {
    if (lead.shelf < 0) return;
    this.#shelves[lead.shelf - this.#cleared] = undefined;
    lead.shelf = -1;
    this.#size -= 1;
    this.#clearAway();
  }

  /** Turns a resting lead into an object. It stays on its shelf; the caller must keep the object. */
  wake(leadId: string): StockedLead | undefined {
    const row = this.#resting.find(leadId);
    return row < 0 ? undefined : this.#wakeRow(row);
  }

  /**
   * The first lead that was not offered to all claims yet, with the claim that `choose` finds for it. A lead for which
   * it finds none counts as offered, and stays.
   */
  nextOffer<Claim>(choose: (lead: Pick<StockedLead, 'businesses' | 'customers'>) => Claim | undefined) {
    const end = this.#end;
    for (this.#offered = Math.max(this.#offered, this.#cleared); this.#offered < end; this.#offered += 1) {
      const lead = this.#shelves[this.#offered - this.#cleared];
      if (lead === undefined) continue;
      const claim = choose(typeof lead === 'number' ? { businesses: NOBODY, customers: NOBODY } : this.#closedTo(lead));
      if (claim) return { lead: typeof lead === 'number' ? this.#wakeRow(lead) : lead, claim };
    }
    return undefined;
  }

  /** Leads that were closed to a business may be open to it from now on. */
  reopen(): void {
    this.#seen.clear();
  }

  /** The oldest lead that this customer of this business may get. */
  firstFor(businessKey: string, customerId: string): StockedLead | undefined {
    const end = this.#end;
    let closedSoFar = true;
    for (let shelf = Math.max(this.#seen.get(businessKey) ?? 0, this.#cleared); shelf < end; shelf += 1) {
      const lead = this.#shelves[shelf - this.#cleared];
      if (typeof lead === 'number') return this.#wakeRow(lead);
      if (!lead || this.#closedTo(lead).businesses.includes(businessKey)) {
        if (closedSoFar) this.#seen.set(businessKey, shelf + 1);
        continue;
      }
      closedSoFar = false;
      if (!lead.customers.includes(customerId)) return lead;
    }
    return undefined;
  }

  /** Assignments may name their business by another key, of an older version or of a merged business. */
  #closedTo({ businesses, customers }: StockedLead): Pick<StockedLead, 'businesses' | 'customers'> {
    return { businesses: businesses.flatMap((key) => this.#businesses.of(key)), customers };
  }

  get #end(): number {
    return this.#cleared + this.#shelves.length;
  }

  #layDown(lead: StockedLead | number): number {
    this.#size += 1;
    return this.#cleared + this.#shelves.push(lead) - 1;
  }

  #wakeRow(row: number): StockedLead {
    const leadId = this.#resting.idOf(row);
    const openPlaces = this.#resting.get(row, 'openPlaces');
    const shelf = this.#resting.get(row, 'shelf');
    this.#resting.remove(row);
    const leadTypeId = this.#leadTypeId;
    const lead = { leadId, leadTypeId, openPlaces, underWay: 0, businesses: NOBODY, customers: NOBODY, shelf };
    this.#shelves[shelf - this.#cleared] = lead;
    return lead;
  }

  /** Removes the empty shelves at the front together, once they are half of all. */
  #clearAway(): void {
    if (this.#size === 0) {
      this.#cleared += this.#shelves.length;
      this.#shelves = [];
      return;
    }
    if (this.#shelves.length < 1024 || this.#size * 2 > this.#shelves.length) return;
    const firstTaken = this.#shelves.findIndex((lead) => lead !== undefined);
    if (firstTaken * 2 < this.#shelves.length) return;
    this.#shelves = this.#shelves.slice(firstTaken);
    this.#cleared += firstTaken;
  }
}
