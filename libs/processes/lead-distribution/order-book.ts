import { type FactOf, idOf } from '#domain/codec';
import type { Businesses } from '#domain/distribution/businesses';
import { type Claim, servedKey } from '#domain/distribution/claims';
import type { DistributionDecision } from '#domain/distribution/decision';
import { DueList } from '#domain/kernel/due-list';
import { type Instant, isUnsealed } from '#domain/kernel/events';
import { isTimeZone, localDayOf, startOfNextLocalDay } from '#domain/kernel/local-days';
import type { OrderStatus } from '#domain/orders/order';
import { countOnDay, hasAllLeads, isFullOn, noProgress, type OrderProgress } from '#domain/orders/progress';
import { addedLeads } from '#domain/orders/standing';
import type { TypeBooks } from './type-books.ts';

/**
 * An older version stored the name of the business plain. It gets a key when the store starts, before anything is
 * delivered.
 */
const NO_KEY = '';

/** An order that may still receive leads. A filled one may, if a renewal can re-open it. */
interface WaitingOrder extends OrderProgress {
  readonly claim: Claim;
  dailyMaximum: number | undefined;
  timeZone: string;
  readonly renews: boolean;
  status: Exclude<OrderStatus, 'payment-failed' | 'cancelled'>;
  /** Leads assigned and not yet delivered. */
  underWay: number;
}

/** A replacement that is owed. */
interface Debt {
  readonly claim: Claim;
  /** The decision whose lead is on its way. It may have been forgiven since and be owed anew: an older one says nothing about it. */
  underWay: string | undefined;
}

/** Which order or debt a delivery serves. */
interface ServedClaim {
  readonly orderId: string;
  readonly replacementFor: string | undefined;
  readonly decision: DistributionDecision;
}

export const orderBookEvents = [
  'CustomerRegistered',
  'BusinessAssociationChanged',
  'BusinessAssociationSealed',
  'BusinessKeysRenewed',
  'BusinessesMerged',
  'BusinessMergeTakenBack',
  'OrderPlaced',
  'PaymentCaptured',
  'PaymentDeclined',
  'OrderPaused',
  'OrderRestarted',
  'OrderReopened',
  'DailyMaximumChanged',
  'OrderTimeZoneCorrected',
  'OrderCancelled',
  'OrderFilled',
  'ReplacementOwed',
  'ReplacementForgiven',
  'PersonErased',
] as const;

/** The orders and debts that wait for leads. Keeps the claims that can be met now in the books of their lead types. */
export class OrderBook {
  /** The latest instant of any fact, or of the clock. */
  #now: Instant | '' = '';
  readonly #books: TypeBooks;
  readonly #businesses: Businesses;
  /** Customer → the key of its present business. */
  readonly #businessOf = new Map<string, string>();
  /** Customer → its claims: they all change when it changes its business. */
  readonly #claimsOf = new Map<string, Set<Claim>>();
  readonly #orders = new Map<string, WaitingOrder>();
  /** Replacement → its debt. */
  readonly #debts = new Map<string, Debt>();
  readonly #erased = new Set<string>();
  /** Orders whose local days cannot be counted: they are given nothing, replacements included. */
  readonly #withoutDays = new Set<string>();
  /** Orders that have their daily maximum, due at the start of their next local day. */
  readonly #fullOrders = new DueList<WaitingOrder>();

  constructor(books: TypeBooks, businesses: Businesses) {
    this.#books = books;
    this.#businesses = businesses;
  }

  advanceTo(now: Instant): void {
    if (now > this.#now) this.#now = now;
  }

  nextDayAt(): Instant | undefined {
    return this.#fullOrders.nextDueAt();
  }

  /** Orders whose next local day has begun can receive leads again (DLV-5). */
  beginNewDays(): void {
    for (const { claim } of this.#fullOrders.take(this.#now, Number.POSITIVE_INFINITY)) this.#refresh(claim);
  }

  evolve(fact: FactOf<(typeof orderBookEvents)[number]>): void {
    const id = idOf(fact.stream);
    switch (fact.type) {
      case 'CustomerRegistered':
      case 'BusinessAssociationChanged':
        this.#noteBusiness(id, fact.data);
        break;
      case 'BusinessAssociationSealed':
        this.#businesses.noteKeys(id, fact.data.formerNameKeys);
        this.#changeBusiness(id, fact.data.businessKey);
        break;
      case 'BusinessKeysRenewed':
        for (const { businessKey, formerBusinessKeys } of fact.data.names)
          this.#businesses.noteForms(businessKey, formerBusinessKeys);
        this.#changeBusiness(id, fact.data.businessKey);
        break;
      case 'BusinessesMerged':
        this.#businesses.merge(fact.data.businessKey, fact.data.otherBusinessKey);
        break;
      case 'BusinessMergeTakenBack':
        this.#takeMergeBack(fact.data);
        break;
      case 'OrderPlaced':
        this.#addOrder(id, fact);
        break;
      case 'ReplacementOwed':
        this.#addDebt(id, fact);
        break;
      case 'ReplacementForgiven':
        this.#removeDebt(fact.data.replacementId);
        break;
      case 'OrderTimeZoneCorrected':
        this.#correctTimeZone(id, fact);
        break;
      case 'PersonErased':
        for (const subject of fact.data.subjects) this.#forgive(idOf(subject));
        break;
      default: {
        const order = this.#orders.get(id);
        if (order) this.#evolveOrder(id, order, fact);
      }
    }
  }

  /** A lead was assigned: it counts, and the claim has had its turn. @returns when the claim was served before */
  beginDelivery(served: ServedClaim): string {
    this.#countUnderWay(served, 1);
    const claim = this.#claimOf(served);
    if (!claim) return '';
    const servedBefore = claim.lastServed;
    claim.lastServed = servedKey(served.decision);
    this.#refresh(claim);
    return servedBefore;
  }

  /** A delivery ended, with or without success. */
  endDelivery(served: ServedClaim): void {
    this.#countUnderWay(served, -1);
  }

  /** A delivery failed: the claim gets its turn back, unless it was served again meanwhile. */
  giveBackTurn(served: ServedClaim, servedBefore: string): void {
    const claim = this.#claimOf(served);
    if (!claim) return;
    if (claim.lastServed === servedKey(served.decision)) claim.lastServed = servedBefore;
    this.#refresh(claim);
  }

  noteDelivered(orderId: string, { replacementFor, localDay }: FactOf<'LeadDelivered'>['data']): void {
    if (replacementFor !== undefined) {
      this.#removeDebt(replacementFor);
      return;
    }
    const order = this.#orders.get(orderId);
    if (!order) return;
    order.deliveredLeads += 1;
    countOnDay(order, localDay);
    this.#refresh(order.claim);
  }

  #noteBusiness(
    customerId: string,
    { businessAssociation, businessKey, formerBusinessKeys = [] }: FactOf<'BusinessAssociationChanged'>['data'],
  ): void {
    const isPlain = isUnsealed(businessAssociation);
    if (isPlain) this.#businesses.notePlain(customerId, businessKey);
    this.#businesses.noteForms(businessKey, formerBusinessKeys);
    this.#changeBusiness(customerId, isPlain ? NO_KEY : businessKey);
  }

  #changeBusiness(customerId: string, key: string): void {
    this.#businessOf.set(customerId, key);
    for (const claim of this.#claimsOf.get(customerId) ?? []) {
      this.#books.of(claim.leadTypeId).claims.remove(claim);
      claim.businessKey = key;
      this.#refresh(claim);
    }
  }

  /** Its customers may get leads that were closed to them. */
  #takeMergeBack({ businessKey, otherBusinessKey }: FactOf<'BusinessMergeTakenBack'>['data']): void {
    const keys = this.#businesses.of(businessKey);
    this.#businesses.takeMergeBack(businessKey, otherBusinessKey);
    this.#books.reopen();
    for (const [customerId, key] of this.#businessOf) if (keys.includes(key)) this.#changeBusiness(customerId, key);
  }

  #addOrder(orderId: string, { data }: FactOf<'OrderPlaced'>): void {
    const { at: since, customerId, leadTypeId, dailyMaximum, timeZone } = data;
    if (!isTimeZone(timeZone)) this.#withoutDays.add(orderId);
    this.#orders.set(orderId, {
      ...noProgress(),
      claim: this.#newClaim({ kind: 'order', id: orderId, orderId, customerId, leadTypeId, since }),
      orderedLeads: addedLeads(data),
      dailyMaximum,
      timeZone,
      renews: data.loyalty !== undefined,
      status: 'awaiting-payment',
      underWay: 0,
    });
  }

  #addDebt(orderId: string, { data }: FactOf<'ReplacementOwed'>): void {
    const { replacementId, customerId, leadTypeId, owedSince: since } = data;
    if (this.#erased.has(customerId)) return;
    const claim = this.#newClaim({ kind: 'replacement', id: replacementId, orderId, customerId, leadTypeId, since });
    this.#debts.set(replacementId, { claim, underWay: undefined });
    this.#refresh(claim);
  }

  #removeDebt(replacementId: string): void {
    const debt = this.#debts.get(replacementId);
    this.#debts.delete(replacementId);
    if (debt) this.#removeClaim(debt.claim);
  }

  /** An erased customer gets nothing any more. Its orders are cancelled by events of their own. */
  #forgive(customerId: string): void {
    this.#erased.add(customerId);
    for (const claim of this.#claimsOf.get(customerId) ?? []) {
      this.#refresh(claim);
      if (claim.kind !== 'replacement') continue;
      this.#debts.delete(claim.id);
      this.#removeClaim(claim);
    }
  }

  #evolveOrder(
    orderId: string,
    order: WaitingOrder,
    fact: FactOf<
      | 'PaymentCaptured'
      | 'PaymentDeclined'
      | 'OrderPaused'
      | 'OrderRestarted'
      | 'OrderReopened'
      | 'DailyMaximumChanged'
      | 'OrderCancelled'
      | 'OrderFilled'
    >,
  ): void {
    switch (fact.type) {
      case 'PaymentCaptured':
      case 'OrderRestarted':
        this.#setStatus(order, 'open');
        break;
      case 'OrderPaused':
        this.#setStatus(order, 'paused');
        break;
      case 'OrderFilled':
        if (order.renews) this.#setStatus(order, 'filled');
        else this.#closeOrder(orderId, order);
        break;
      case 'OrderReopened':
        this.#reopenOrder(order, fact);
        break;
      case 'DailyMaximumChanged':
        this.#changeDailyMaximum(orderId, order, fact);
        break;
      case 'PaymentDeclined':
      case 'OrderCancelled':
        this.#closeOrder(orderId, order);
        break;
    }
  }

  #setStatus(order: WaitingOrder, status: WaitingOrder['status']): void {
    order.status = status;
    this.#refreshClaimsOf(order);
  }

  /** LOY-9. The order keeps its age and its turn (DLV-7). */
  #reopenOrder(order: WaitingOrder, { data }: FactOf<'OrderReopened'>): void {
    order.orderedLeads += addedLeads(data);
    this.#setStatus(order, order.status === 'filled' ? 'open' : order.status);
  }

  /** ORD-4. The new maximum also holds for the day that has begun. */
  #changeDailyMaximum(orderId: string, order: WaitingOrder, { data }: FactOf<'DailyMaximumChanged'>): void {
    order.dailyMaximum = data.dailyMaximum;
    this.#fullOrders.remove(orderId);
    this.#refresh(order.claim);
  }

  /** DLV-5: its days can be counted now. */
  #correctTimeZone(orderId: string, { data }: FactOf<'OrderTimeZoneCorrected'>): void {
    this.#withoutDays.delete(orderId);
    const order = this.#orders.get(orderId);
    if (order) order.timeZone = data.timeZone;
    for (const claims of this.#claimsOf.values())
      for (const claim of claims) if (claim.orderId === orderId) this.#refresh(claim);
  }

  /** The replacements owed to it stay owed (RPL-9). They can be delivered now, if a pause had stopped them. */
  #closeOrder(orderId: string, order: WaitingOrder): void {
    this.#orders.delete(orderId);
    this.#fullOrders.remove(orderId);
    this.#removeClaim(order.claim);
    this.#refreshClaimsOf(order);
  }

  #refreshClaimsOf({ claim: { customerId, orderId } }: WaitingOrder): void {
    for (const claim of this.#claimsOf.get(customerId) ?? []) if (claim.orderId === orderId) this.#refresh(claim);
  }

  #newClaim(claim: Omit<Claim, 'businessKey' | 'lastServed' | 'heapIndex'>): Claim {
    const businessKey = this.#businessOf.get(claim.customerId) ?? NO_KEY;
    const added: Claim = { ...claim, businessKey, lastServed: '', heapIndex: -1 };
    const ofCustomer = this.#claimsOf.get(claim.customerId) ?? new Set();
    this.#claimsOf.set(claim.customerId, ofCustomer.add(added));
    return added;
  }

  #removeClaim(claim: Claim): void {
    const { claims, newClaims } = this.#books.of(claim.leadTypeId);
    claims.remove(claim);
    newClaims.delete(claim);
    const ofCustomer = this.#claimsOf.get(claim.customerId);
    ofCustomer?.delete(claim);
    if (ofCustomer?.size === 0) this.#claimsOf.delete(claim.customerId);
  }

  /** Adds a claim to the book of its lead type when it can be met now, and removes it when it cannot. */
  #refresh(claim: Claim): void {
    const { claims, newClaims } = this.#books.of(claim.leadTypeId);
    if (!this.#canBeMet(claim)) {
      claims.remove(claim);
      newClaims.delete(claim);
      return;
    }
    if (claim.heapIndex < 0) newClaims.add(claim);
    claims.put(claim);
  }

  #canBeMet(claim: Claim): boolean {
    if (claim.businessKey === NO_KEY || this.#erased.has(claim.customerId)) return false;
    if (this.#withoutDays.has(claim.orderId)) return false;
    const order = this.#orders.get(claim.orderId);
    if (claim.kind === 'replacement')
      return this.#debts.get(claim.id)?.underWay === undefined && order?.status !== 'paused';
    if (order?.status !== 'open' || hasAllLeads(order, order.underWay)) return false;
    return !this.#isFullToday(order);
  }

  /** DLV-5. An order that has its daily maximum waits for its next local day. */
  #isFullToday(order: WaitingOrder): boolean {
    const { dailyMaximum, timeZone, underWay } = order;
    if (dailyMaximum === undefined || !this.#now) return false;
    if (!isFullOn(localDayOf(this.#now, timeZone), order, dailyMaximum, underWay)) return false;
    this.#fullOrders.put(order.claim.orderId, order, startOfNextLocalDay(this.#now, timeZone));
    return true;
  }

  /** Undefined once the order is closed or the replacement is delivered. */
  #claimOf({ orderId, replacementFor }: ServedClaim): Claim | undefined {
    return replacementFor === undefined ? this.#orders.get(orderId)?.claim : this.#debts.get(replacementFor)?.claim;
  }

  #countUnderWay({ orderId, replacementFor, decision }: ServedClaim, change: 1 | -1): void {
    const order = replacementFor === undefined ? this.#orders.get(orderId) : undefined;
    if (order) order.underWay += change;
    const debt = replacementFor === undefined ? undefined : this.#debts.get(replacementFor);
    if (debt && change > 0) debt.underWay = servedKey(decision);
    else if (debt?.underWay === servedKey(decision)) debt.underWay = undefined;
  }
}
