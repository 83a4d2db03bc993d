import { Businesses } from './businesses.ts';
import {
  type Claim,
  canBeMet,
  claimIdOf,
  keyOf,
  later,
  lowestRank,
  type OrderInLine,
  rankOfDebt,
  rankOfOrder,
} from './claims.ts';
import { customersIn, dayIn, hasDays, type RawEvent } from './raw-log.ts';
import { WaitingLine } from './waiting-line.ts';

/** Who has a lead, or is about to receive it. */
interface Placement {
  openPlaces: number;
  holders: readonly { readonly claim: Claim; readonly business: string }[];
  delivered: number;
  closedTo: readonly string[];
}

/** The orders, debts and leads as they were after some number of events. */
export class TurnBook {
  readonly businesses = new Businesses();
  /** Customer → its present business. */
  readonly businessOf = new Map<string, string>();
  readonly erased = new Set<string>();
  readonly orders = new Map<string, OrderInLine>();
  readonly debts = new Map<string, Claim>();
  readonly placements = new Map<string, Placement>();
  readonly #lines = new Map<string, WaitingLine>();

  note(event: RawEvent): void {
    changes[event.type]?.(this, event);
  }

  line(leadTypeId: string): WaitingLine {
    let line = this.#lines.get(leadTypeId);
    if (!line) {
      line = new WaitingLine();
      this.#lines.set(leadTypeId, line);
    }
    return line;
  }

  /** Puts claims into their lines that can perhaps be met now. Whether they can is checked when they come first. */
  queueUp(...claims: Claim[]): void {
    for (const claim of claims) this.line(claim.order.leadTypeId).add(claim);
  }

  /**
   * @returns the id of a claim that came before the winner of this decision; the winner's own id when it had no right to
   * the lead; undefined when the decision is right
   */
  firstBefore(event: RawEvent): string | undefined {
    const { leadTypeId, decision } = event.data;
    const now = decision.decidedAt;
    const winner = this.claim(event);
    const mayHave = (claim: Claim) => this.#mayHave(claim, event.id);
    if (!winner || winner.order.leadTypeId !== leadTypeId || !canBeMet(winner, now) || !mayHave(winner))
      return claimIdOf(event);
    // An order without days may have got leads from an older version. Nobody has to give it any.
    const mayDemand = (claim: Claim) => hasDays(claim.order.timeZone) && mayHave(claim);
    return this.line(leadTypeId).firstBefore(lowestRank(winner), now, mayDemand)?.id;
  }

  /** No customer and no business has a lead twice. */
  #mayHave({ order: { customerId } }: Claim, leadId: string): boolean {
    const placement = this.placements.get(leadId);
    if (!placement) return true;
    const business = this.businessOf.get(customerId);
    const isHolder = placement.holders.some(
      (holder) => holder.claim.order.customerId === customerId || this.businesses.areSame(holder.business, business),
    );
    return !isHolder && !placement.closedTo.includes(customerId);
  }

  claim({ data: { orderId, replacementFor } }: RawEvent): Claim | undefined {
    return replacementFor === undefined ? this.orders.get(orderId)?.claim : this.debts.get(replacementFor);
  }
}

type Change = (book: TurnBook, event: RawEvent) => void;

/** What each type of event changes in the book. */
export const changes: Readonly<Record<string, Change>> = {
  CustomerRegistered: worksFor,
  BusinessAssociationChanged: worksFor,
  BusinessAssociationSealed: (book, event) => book.businesses.seal(event),
  BusinessKeysRenewed: (book, event) => {
    book.businesses.renew(event);
    book.businessOf.set(event.id, event.data.businessKey);
  },
  AllBusinessKeysRenewed: (book, event) => book.businesses.useLegalEndings(event),
  BusinessesMerged: (book, event) => book.businesses.merge(event),
  BusinessMergeTakenBack: (book, event) => book.businesses.takeMergeBack(event),
  LogRewritten: (book) => book.businesses.replaceNames(),

  OrderPlaced: (book, { id, data }) => {
    const { at: placedAt, customerId, leadTypeId, timeZone, dailyMaximum, quantity, bonusLeads } = data;
    const order = {
      debts: new Set(),
      customerId,
      leadTypeId,
      timeZone,
      dailyMaximum,
      leadsOrdered: quantity + bonusLeads,
      placedAt,
      status: 'awaiting payment',
      leadsDelivered: 0,
      latestDay: '',
      leadsOnLatestDay: 0,
      lastServed: '',
      lastDelivered: '',
    } as Partial<OrderInLine> as OrderInLine;
    order.claim = { id, order, rank: rankOfOrder('', placedAt, id), waitsAt: undefined, underWay: new Map() };
    book.orders.set(id, order);
  },
  PaymentCaptured: becomes('open'),
  OrderRestarted: becomes('open'),
  OrderPaused: becomes('paused'),
  PaymentDeclined: becomes('closed'),
  OrderCancelled: becomes('closed'),
  OrderFilled: becomes('filled'),
  OrderReopened: (book, { id, data: { quantity, bonusLeads } }) => {
    const order = book.orders.get(id);
    if (!order) return;
    order.leadsOrdered += quantity + bonusLeads;
    if (order.status === 'filled') order.status = 'open';
    book.queueUp(order.claim);
  },
  DailyMaximumChanged: (book, { id, data: { dailyMaximum } }) => {
    const order = book.orders.get(id);
    if (!order) return;
    order.dailyMaximum = dailyMaximum;
    book.queueUp(order.claim);
  },
  OrderTimeZoneCorrected: (book, { id, data: { timeZone } }) => {
    const order = book.orders.get(id);
    if (!order) return;
    order.timeZone = timeZone;
    book.queueUp(order.claim, ...order.debts);
  },

  ReplacementOwed: (book, { id, data: { replacementId, owedSince } }) => {
    const order = book.orders.get(id);
    if (!order || book.erased.has(order.customerId)) return;
    const rank = rankOfDebt(owedSince, replacementId);
    const debt: Claim = { id: replacementId, order, rank, waitsAt: undefined, underWay: new Map() };
    order.debts.add(debt);
    book.debts.set(replacementId, debt);
    book.queueUp(debt);
  },

  ReplacementForgiven: (book, { id, data: { replacementId } }) => {
    const debt = book.debts.get(replacementId);
    if (debt) book.orders.get(id)?.debts.delete(debt);
    book.debts.delete(replacementId);
  },

  /** An erased customer gets nothing any more. */
  PersonErased: (book, { data: { subjects } }) => {
    for (const customerId of customersIn(subjects)) book.erased.add(customerId);
    for (const order of book.orders.values()) if (book.erased.has(order.customerId)) forgive(book, order);
  },

  LeadAssigned: (book, event) => {
    const { openPlaces, businessKey: business, decision } = event.data;
    const claim = book.claim(event);
    if (!claim) return;
    const placement = book.placements.get(event.id) ?? { openPlaces, holders: [], delivered: 0, closedTo: [] };
    placement.openPlaces = openPlaces;
    placement.holders = [...placement.holders, { claim, business }];
    book.placements.set(event.id, placement);
    claim.underWay.set(event.id, keyOf(decision));
    const { order } = claim;
    if (claim !== order.claim) return;
    order.lastServed = later(order.lastServed, keyOf(decision));
    claim.rank = rankOfOrder(order.lastServed, order.placedAt, order.claim.id);
    book.queueUp(claim);
  },
  LeadReleased: (book, { id, data: { orderId, reason, openPlaces } }) => {
    const placement = book.placements.get(id);
    const released = placement?.holders.find(({ claim }) => claim.order.claim.id === orderId);
    if (!placement || !released) return;
    const { claim } = released;
    placement.openPlaces = openPlaces;
    placement.holders = placement.holders.filter((holder) => holder !== released);
    if (reason === 'person-given-before') placement.closedTo = [...placement.closedTo, claim.order.customerId];
    claim.underWay.delete(id);
    book.queueUp(claim);
  },
  LeadDelivered: (book, { id, data: { at, leadId, replacementFor, decision } }) => {
    forgetWhenDone(book, leadId);
    const order = book.orders.get(id);
    if (!order) return;
    if (replacementFor !== undefined) {
      const debt = book.debts.get(replacementFor);
      if (debt) order.debts.delete(debt);
      book.debts.delete(replacementFor);
      return;
    }
    order.claim.underWay.delete(leadId);
    order.leadsDelivered += 1;
    order.lastDelivered = later(order.lastDelivered, keyOf(decision));
    const today = dayIn(order.timeZone, at);
    order.leadsOnLatestDay = (today > order.latestDay ? 0 : order.leadsOnLatestDay) + 1;
    order.latestDay = later(order.latestDay, today);
    book.queueUp(order.claim);
  },
};

function forgive(book: TurnBook, order: OrderInLine): void {
  order.status = 'closed';
  for (const { id } of order.debts) book.debts.delete(id);
  order.debts.clear();
}

function worksFor(book: TurnBook, event: RawEvent): void {
  book.businessOf.set(event.id, book.businesses.state(event));
}

function becomes(status: OrderInLine['status']): Change {
  return (book, { id }) => {
    const order = book.orders.get(id);
    if (!order) return;
    order.status = book.erased.has(order.customerId) ? 'closed' : status;
    book.queueUp(order.claim, ...order.debts);
  };
}

/** No more decisions come for a lead that was delivered to all its holders and has no open places. */
function forgetWhenDone(book: TurnBook, leadId: string): void {
  const placement = book.placements.get(leadId);
  if (!placement) return;
  placement.delivered += 1;
  if (placement.openPlaces === 0 && placement.delivered === placement.holders.length) book.placements.delete(leadId);
}
