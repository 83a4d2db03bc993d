import { comparableName, dayIn, type RawEvent } from './raw-log.ts';

/**
 * Decides again who was to be given each lead (DLV-7), from the log alone. A decision names the position of the log that
 * it was made on, and its place among those made there. So the book is kept as it stood at that position, while the
 * reading is further on: events wait in a queue until a decision tells that they had been seen.
 *
 * Some decisions cannot be made again and are passed over: those behind one that came to nothing (its index is missing,
 * and the log does not say whom it would have served), and those that reached the log only after later ones. An order
 * that gave a lead back counts as served when it stands before others and as not served when others stand before it.
 */
export class TurnCheck {
  judged = 0;
  passedOver = 0;
  readonly #book = new OrderBook();
  /** Read, but not yet known to have been seen by the decisions that are judged. */
  #queue: RawEvent[] = [];
  /** The decisions made on one position, and which of them the book has noted before their turn in the log. */
  #decidedOn = '';
  #decisions: RawEvent[] = [];
  readonly #noted = new Set<RawEvent>();
  #overtaken: { readonly event: RawEvent; readonly ahead: string; readonly decidedOn: string }[] = [];

  /** Takes the events of the log in their order. */
  take(event: RawEvent): void {
    if (!Object.hasOwn(changes, event.type)) return;
    if (event.type === 'LeadAssigned') this.#takeDecision(event);
    this.#queue.push(event);
  }

  /** To be called at the end of the log. @returns the assignments whose winner was not the first in turn */
  unfair(): readonly RawEvent[] {
    this.#judgeDecisions();
    return this.#overtaken.map(({ event }) => event);
  }

  #takeDecision(event: RawEvent): void {
    const { decidedOn } = event.data.decision;
    if (decidedOn > this.#decidedOn) {
      this.#judgeDecisions();
      this.#catchUpTo(decidedOn);
      this.#decidedOn = decidedOn;
    }
    if (decidedOn === this.#decidedOn) {
      this.#decisions.push(event);
      return;
    }
    // It was under way all the time, so whoever went before its claim meanwhile had the right to.
    this.passedOver += 1;
    const claimId = claimIdOf(event);
    this.#overtaken = this.#overtaken.filter(({ ahead, decidedOn: since }) => ahead !== claimId || since < decidedOn);
  }

  #judgeDecisions(): void {
    const inOrder = this.#decisions.sort((a, b) => a.data.decision.decisionIndex - b.data.decision.decisionIndex);
    for (const [index, event] of inOrder.entries()) {
      if (event.data.decision.decisionIndex === index) this.#judge(event);
      else this.passedOver += 1;
      this.#book.note(event);
      this.#noted.add(event);
    }
    this.#decisions = [];
  }

  #judge(event: RawEvent): void {
    this.judged += 1;
    const ahead = this.#book.firstBefore(event);
    if (ahead !== undefined) this.#overtaken.push({ event, ahead, decidedOn: this.#decidedOn });
  }

  #catchUpTo(position: string): void {
    const end = this.#queue.findIndex((event) => event.position > position);
    for (const event of this.#queue.splice(0, end < 0 ? this.#queue.length : end))
      if (!this.#noted.delete(event)) this.#book.note(event);
  }
}

/** Somebody's turn: an order's next lead, or one replacement that is owed. */
interface Claim {
  readonly id: string;
  readonly order: Order;
  /** Sorts claims by turn. For an order: as if every lead that it ever gave back had been kept. */
  rank: string;
  /** The rank under which it waits; undefined while it does not. */
  waitsAt: string | undefined;
  /** Leads assigned and not yet delivered, each with the key of its decision. */
  readonly underWay: Map<string, string>;
}

interface Order {
  /** Its claim on leads; what it is owed as replacements are claims of their own. */
  claim: Claim;
  readonly debts: Set<Claim>;
  readonly customerId: string;
  readonly leadTypeId: string;
  readonly timeZone: string;
  dailyMaximum: number | undefined;
  /** Of the first order and all renewals. */
  leadsOrdered: number;
  readonly placedAt: string;
  status: 'awaiting payment' | 'open' | 'paused' | 'filled' | 'closed';
  leadsDelivered: number;
  /** The latest local day with a delivery, and how many on it: a clock set back opens no day anew. */
  latestDay: string;
  leadsOnLatestDay: number;
  /** Keys of the decisions that served it last: of any, and of those whose lead it has. */
  lastServed: string;
  lastDelivered: string;
}

/** Where a lead is or is about to be. */
interface Placement {
  openPlaces: number;
  holders: readonly { readonly claim: Claim; readonly business: string }[];
  delivered: number;
  closedTo: readonly string[];
}

class OrderBook {
  readonly businesses = new Map<string, string>();
  readonly orders = new Map<string, Order>();
  readonly debts = new Map<string, Claim>();
  readonly placements = new Map<string, Placement>();
  readonly #lines = new Map<string, Line>();
  #now = '';

  note(event: RawEvent): void {
    if (event.data.at > this.#now) this.#now = event.data.at;
    changes[event.type]?.(this, event);
  }

  line(leadTypeId: string): Line {
    let line = this.#lines.get(leadTypeId);
    if (!line) {
      line = new Line();
      this.#lines.set(leadTypeId, line);
    }
    return line;
  }

  /** Claims that may have become able to be met take their place in the line. Whether they are is asked when it matters. */
  queueUp(...claims: Claim[]): void {
    for (const claim of claims) this.line(claim.order.leadTypeId).add(claim);
  }

  /**
   * @returns the id of a claim that was before the winner of this decision, the winner's own when it had no right to the
   * lead at all, undefined when all is well
   */
  firstBefore(event: RawEvent): string | undefined {
    const { leadTypeId, decision } = event.data;
    const now = later(decision.decidedAt, this.#now);
    const winner = this.claim(event);
    const placement = this.placements.get(event.id);
    const mayHave = (claim: Claim) => {
      const { customerId } = claim.order;
      const business = this.businesses.get(customerId);
      return (
        !placement?.closedTo.includes(customerId) &&
        !placement?.holders.some(
          (holder) => holder.claim.order.customerId === customerId || holder.business === business,
        )
      );
    };
    if (!winner || winner.order.leadTypeId !== leadTypeId || !canBeMet(winner, now) || !mayHave(winner))
      return claimIdOf(event);
    return this.line(leadTypeId).firstBefore(lowestRank(winner), now, mayHave)?.id;
  }

  claim({ data: { orderId, replacementFor } }: RawEvent): Claim | undefined {
    return replacementFor === undefined ? this.orders.get(orderId)?.claim : this.debts.get(replacementFor);
  }
}

const claimIdOf = ({ data }: RawEvent): string => data.replacementFor ?? data.orderId;

/** Debts before orders, the oldest first. */
const rankOfDebt = (owedSince: string, id: string): string => `0 ${owedSince} ${id}`;
/** Never served first, then by the decision that served it last, then by age, then by id. */
const rankOfOrder = (served: string, placedAt: string, id: string): string => `1 ${served} ${placedAt} ${id}`;

/** Sorts decisions as they were made. */
const keyOf = ({ decidedAt, decidedOn, decisionIndex }: RawEvent['data']): string =>
  `${decidedAt} ${decidedOn} ${String(decisionIndex).padStart(9, '0')}`;

const later = (a: string, b: string): string => (a > b ? a : b);

/** The rank of a claim by the leads that it has or is about to get. */
function lowestRank({ id, order, rank, underWay }: Claim): string {
  if (order.claim.id !== id) return rank;
  return rankOfOrder([...underWay.values()].reduce(later, order.lastDelivered), order.placedAt, id);
}

function canBeMet(claim: Claim, now: string): boolean {
  const { order, underWay } = claim;
  if (order.claim !== claim) return underWay.size === 0 && order.status !== 'paused';
  return order.status === 'open' && order.leadsDelivered + underWay.size < order.leadsOrdered && !isFull(order, now);
}

function isFull({ claim, dailyMaximum, timeZone, latestDay, leadsOnLatestDay }: Order, now: string): boolean {
  if (dailyMaximum === undefined) return false;
  const deliveredToday = dayIn(timeZone, now) > latestDay ? 0 : leadsOnLatestDay;
  return deliveredToday + claim.underWay.size >= dailyMaximum;
}

type Change = (book: OrderBook, event: RawEvent) => void;

const changes: Readonly<Record<string, Change>> = {
  CustomerRegistered: worksFor,
  BusinessAssociationChanged: worksFor,

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
    } as Partial<Order> as Order;
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

  ReplacementOwed: (book, { id, data: { replacementId, owedSince } }) => {
    const order = book.orders.get(id);
    if (!order) return;
    const rank = rankOfDebt(owedSince, replacementId);
    const debt: Claim = { id: replacementId, order, rank, waitsAt: undefined, underWay: new Map() };
    order.debts.add(debt);
    book.debts.set(replacementId, debt);
    book.queueUp(debt);
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

function worksFor(book: OrderBook, { id, data: { businessAssociation } }: RawEvent): void {
  book.businesses.set(id, comparableName(businessAssociation));
}

function becomes(status: Order['status']): Change {
  return (book, { id }) => {
    const order = book.orders.get(id);
    if (!order) return;
    order.status = status;
    book.queueUp(order.claim, ...order.debts);
  };
}

/** A lead that is everywhere it can be will not be decided on any more. */
function forgetWhenDone(book: OrderBook, leadId: string): void {
  const placement = book.placements.get(leadId);
  if (!placement) return;
  placement.delivered += 1;
  if (placement.openPlaces === 0 && placement.delivered === placement.holders.length) book.placements.delete(leadId);
}

/** The claims on one lead type by rank: a binary heap whose entries may be out of date, which shows when they come up. */
class Line {
  readonly #entries: { readonly rank: string; readonly claim: Claim }[] = [];
  /** Orders that have their daily maximum: time zone → the day there, and who waits for the next. */
  readonly #asleep = new Map<string, { readonly day: string; readonly claims: Set<Claim> }>();

  add(claim: Claim): void {
    if (claim.waitsAt === claim.rank) return;
    claim.waitsAt = claim.rank;
    this.#push({ rank: claim.rank, claim });
  }

  /** A claim of a lower rank that can be met and may have the lead. Those that cannot be met leave the line. */
  firstBefore(rank: string, now: string, mayHave: (claim: Claim) => boolean): Claim | undefined {
    this.#wake(now);
    const passed = [];
    let found: Claim | undefined;
    for (let entry = this.#entries[0]; !found && entry && entry.rank < rank; entry = this.#entries[0]) {
      this.#shift();
      const { claim } = entry;
      if (claim.waitsAt !== entry.rank) continue;
      if (!canBeMet(claim, now)) {
        claim.waitsAt = undefined;
        if (claim.order.claim === claim && isFull(claim.order, now)) this.#sleep(claim, now);
        continue;
      }
      passed.push(entry);
      if (mayHave(claim)) found = claim;
    }
    for (const entry of passed) this.#push(entry);
    return found;
  }

  #sleep(claim: Claim, now: string): void {
    const { timeZone } = claim.order;
    const sleepers = this.#asleep.get(timeZone) ?? { day: dayIn(timeZone, now), claims: new Set() };
    this.#asleep.set(timeZone, sleepers);
    sleepers.claims.add(claim);
  }

  #wake(now: string): void {
    for (const [timeZone, { day, claims }] of this.#asleep) {
      if (dayIn(timeZone, now) <= day) continue;
      this.#asleep.delete(timeZone);
      for (const claim of claims) this.add(claim);
    }
  }

  #push(entry: { readonly rank: string; readonly claim: Claim }): void {
    const entries = this.#entries;
    let place = entries.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = entries[parent];
      if (!above || above.rank <= entry.rank) break;
      entries[place] = above;
      place = parent;
    }
    entries[place] = entry;
  }

  #shift(): void {
    const entries = this.#entries;
    const last = entries.pop();
    if (!last || entries.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const left = entries[child];
      const right = entries[child + 1];
      if (!left) break;
      if (right && right.rank < left.rank) child += 1;
      const below = entries[child];
      if (!below || below.rank >= last.rank) break;
      entries[place] = below;
      place = child;
    }
    entries[place] = last;
  }
}
