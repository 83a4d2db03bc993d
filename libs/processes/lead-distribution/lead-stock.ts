import { type FactOf, idOf } from '#domain/codec';
import type { StockedLead } from '#domain/distribution/stock';
import type { TypeBooks } from './type-books.ts';

/** What a delivery takes from the stock, or gives back to it. */
interface LeadShare {
  readonly leadId: string;
  readonly leadTypeId: string;
  readonly customerId: string;
  readonly businessKey: string;
}

/** The leads that can still be given to a customer, and those being delivered. */
export class LeadStock {
  readonly #books: TypeBooks;
  /** Leads that were assigned at least once, while a place is open or a delivery is under way. */
  readonly #leads = new Map<string, StockedLead>();

  constructor(books: TypeBooks) {
    this.#books = books;
  }

  evolve(fact: FactOf<'LeadReceived' | 'LeadAged' | 'LeadWithdrawn'>): void {
    const leadId = idOf(fact.stream);
    switch (fact.type) {
      case 'LeadReceived':
        this.#books.of(fact.data.leadTypeId).stock.add(leadId, fact.data.openPlaces);
        break;
      case 'LeadAged':
        this.#age(leadId, fact);
        break;
      case 'LeadWithdrawn':
        this.#withdraw(leadId, fact);
        break;
    }
  }

  has(leadId: string): boolean {
    return this.#leads.has(leadId);
  }

  find(leadId: string): StockedLead | undefined {
    return this.#leads.get(leadId);
  }

  /** Keeps a lead that was found in the stock and is about to be assigned. */
  keep(lead: StockedLead): void {
    this.#leads.set(lead.leadId, lead);
  }

  /** A delivery begins: it takes one open place of its lead. */
  takePlace({ leadId, leadTypeId, businessKey, customerId }: LeadShare): void {
    const lead = this.#wake(leadId, leadTypeId);
    if (!lead) return;
    lead.openPlaces -= 1;
    lead.underWay += 1;
    lead.businesses = [...lead.businesses, businessKey];
    lead.customers = [...lead.customers, customerId];
    if (lead.openPlaces === 0) this.unshelve(lead);
  }

  /** A delivery ends, with or without success. */
  endDelivery(leadId: string): void {
    const lead = this.#leads.get(leadId);
    if (lead) lead.underWay -= 1;
  }

  /** A delivery failed. The caller decides whether the lead is offered again. */
  giveBackPlace({ leadId, businessKey, customerId }: LeadShare): StockedLead | undefined {
    const lead = this.#leads.get(leadId);
    if (!lead) return undefined;
    lead.openPlaces += 1;
    lead.businesses = without(lead.businesses, businessKey);
    lead.customers = without(lead.customers, customerId);
    return lead;
  }

  /** Forgets a lead that has no open place and no delivery under way. */
  forgetIfSold(leadId: string): void {
    const lead = this.#leads.get(leadId);
    if (lead?.openPlaces === 0 && lead.underWay === 0) this.#leads.delete(leadId);
  }

  /**
   * Puts a lead behind all others of its type. Only facts may cause this, never a wish: so the order of the stock is the
   * same after a restart.
   */
  offer(lead: StockedLead): void {
    this.unshelve(lead);
    if (lead.openPlaces > 0) this.#books.of(lead.leadTypeId).stock.put(lead);
  }

  unshelve(lead: StockedLead): void {
    this.#books.of(lead.leadTypeId).stock.remove(lead);
  }

  #age(leadId: string, { data }: FactOf<'LeadAged'>): void {
    const lead = this.#wake(leadId, data.fromLeadTypeId);
    if (!lead) return;
    this.unshelve(lead);
    lead.leadTypeId = data.leadTypeId;
    this.offer(lead);
  }

  #withdraw(leadId: string, { data }: FactOf<'LeadWithdrawn'>): void {
    const lead = this.#wake(leadId, data.leadTypeId);
    if (!lead) return;
    this.unshelve(lead);
    this.#leads.delete(leadId);
  }

  /** A lead of this type. Most leads in the stock are rows of numbers: such a row becomes an object here. */
  #wake(leadId: string, leadTypeId: string): StockedLead | undefined {
    const lead = this.#leads.get(leadId) ?? this.#books.of(leadTypeId).stock.wake(leadId);
    if (lead) this.#leads.set(leadId, lead);
    return lead;
  }
}

const without = (list: readonly string[], item: string): readonly string[] => {
  const index = list.indexOf(item);
  return index < 0 ? list : list.toSpliced(index, 1);
};
