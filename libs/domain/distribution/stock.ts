import { IdTable } from '../kernel/id-table.ts';

/** A lead that can still be given to somebody, or is being given. */
export interface StockedLead {
  readonly leadId: string;
  leadTypeId: string;
  openPlaces: number;
  /** Deliveries of it that have begun and not ended. */
  underWay: number;
  /** Whom it may not go to: businesses that have it (DLV-3), customers that have it or its person (DLV-4). */
  businesses: readonly string[];
  customers: readonly string[];
  /** Its place in the stock; -1 while it lies in none. Written by the stock only. */
  shelf: number;
}

const NOBODY: readonly string[] = [];

/**
 * Leads of one type with a place left, in the order in which they came (or came back, or came of age). Most lie here
 * for long and nobody has had them: of such a one only a row of numbers is kept, until it is woken.
 */
export class Stock {
  readonly #leadTypeId: string;
  /** A lead, or the row of one that rests. */
  #shelves: (StockedLead | number | undefined)[] = [];
  readonly #resting = new IdTable(['openPlaces', 'shelf']);
  /** Shelves below this number were cleared away. */
  #cleared = 0;
  /** Leads below this shelf were offered to all who may have one. */
  #offered = 0;
  #size = 0;
  /** Per business: every lead on a shelf below this one is gone or closed to it. */
  readonly #seen = new Map<string, number>();

  constructor(leadTypeId: string) {
    this.#leadTypeId = leadTypeId;
  }

  get size(): number {
    return this.#size;
  }

  /** Lays down a lead that nobody has had. */
  add(leadId: string, openPlaces: number): void {
    const row = this.#resting.add(leadId);
    this.#resting.set(row, 'openPlaces', openPlaces);
    this.#resting.set(row, 'shelf', this.#layDown(row));
  }

  /** Lays a lead behind all others, to be offered to all. One that lies here already moves there. */
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

  /** Makes a whole lead of one that rests here. It stays on its shelf; whoever woke it keeps it from then on. */
  wake(leadId: string): StockedLead | undefined {
    const row = this.#resting.find(leadId);
    return row < 0 ? undefined : this.#wakeRow(row);
  }

  /**
   * The first lead that was not offered to all yet, with the claim that `choose` finds for it. Those for which it finds
   * none were offered, and stay.
   */
  nextOffer<Claim>(choose: (lead: Pick<StockedLead, 'businesses' | 'customers'>) => Claim | undefined) {
    const end = this.#end;
    for (this.#offered = Math.max(this.#offered, this.#cleared); this.#offered < end; this.#offered += 1) {
      const lead = this.#shelves[this.#offered - this.#cleared];
      if (lead === undefined) continue;
      const claim = choose(typeof lead === 'number' ? { businesses: NOBODY, customers: NOBODY } : lead);
      if (claim) return { lead: typeof lead === 'number' ? this.#wakeRow(lead) : lead, claim };
    }
    return undefined;
  }

  /** The oldest lead that this customer of this business may be given. */
  firstFor(businessKey: string, customerId: string): StockedLead | undefined {
    const end = this.#end;
    let closedSoFar = true;
    for (let shelf = Math.max(this.#seen.get(businessKey) ?? 0, this.#cleared); shelf < end; shelf += 1) {
      const lead = this.#shelves[shelf - this.#cleared];
      if (typeof lead === 'number') return this.#wakeRow(lead);
      if (!lead || lead.businesses.includes(businessKey)) {
        if (closedSoFar) this.#seen.set(businessKey, shelf + 1);
        continue;
      }
      closedSoFar = false;
      if (!lead.customers.includes(customerId)) return lead;
    }
    return undefined;
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

  /** Empty shelves at the front go in one sweep, once they are half of all. */
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
