/** A lead that can still be given to somebody. */
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

/** Leads of one type that nobody could be given yet, oldest first. */
export class Stock {
  #shelves: (StockedLead | undefined)[] = [];
  /** Shelves below this number were cleared away. */
  #cleared = 0;
  #size = 0;
  /** Per business: every lead on a shelf below this one is gone or closed to it. */
  readonly #seen = new Map<string, number>();

  get size(): number {
    return this.#size;
  }

  /** Lays a lead behind all others. One that lies here already moves there, so that every business looks at it anew. */
  put(lead: StockedLead): void {
    this.remove(lead);
    lead.shelf = this.#cleared + this.#shelves.length;
    this.#shelves.push(lead);
    this.#size += 1;
  }

  remove(lead: StockedLead): void {
    if (lead.shelf < 0) return;
    this.#shelves[lead.shelf - this.#cleared] = undefined;
    lead.shelf = -1;
    this.#size -= 1;
    this.#clearAway();
  }

  /** The oldest lead that this customer of this business may be given. */
  firstFor(businessKey: string, customerId: string): StockedLead | undefined {
    const end = this.#cleared + this.#shelves.length;
    let closedSoFar = true;
    for (let shelf = Math.max(this.#seen.get(businessKey) ?? 0, this.#cleared); shelf < end; shelf += 1) {
      const lead = this.#shelves[shelf - this.#cleared];
      if (!lead || lead.businesses.includes(businessKey)) {
        if (closedSoFar) this.#seen.set(businessKey, shelf + 1);
        continue;
      }
      closedSoFar = false;
      if (!lead.customers.includes(customerId)) return lead;
    }
    return undefined;
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
