import { businessKey } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { type Claim, ClaimBook, compareClaims, rankOf, servedKey } from '#domain/distribution/claims';
import type { DistributionDecision } from '#domain/distribution/decision';
import { Stock, type StockedLead } from '#domain/distribution/stock';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { type Heap, type HeapItem, heapOf } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { localDayOf, startOfNextLocalDay } from '#domain/kernel/local-days';
import { contactBookStream } from '#domain/leads/contact-book';
import { leadStream } from '#domain/leads/lead';
import { dayWith, orderStream, owedLeads } from '#domain/orders/order';
import { type PolicyState, policy, policyAt } from '#domain/policy/policy';
import type { CommandWish, Moment, Process, Wish } from './process.ts';

/**
 * Gives leads to those whose turn it is (DLV). The order book is in memory, folded from facts; the locks are in the
 * streams. A delivery goes: AssignLead (the lead's stream: no double sale), AddContact (the customer's contact book: no
 * person twice), DeliverLead (the order's stream: open, daily maximum). Whoever says no has the steps before undone.
 *
 * Its parts are the lead types: an order is for one, and a lead of one at a time.
 */
export const leadDistribution: Process<Distribution, (typeof eventTypes)[number]> = {
  name: 'lead-distribution',
  get eventTypes() {
    return eventTypes;
  },
  inParts: true,
  initialState: () => ({
    now: '',
    policies: policy.initialState(),
    businesses: new Map(),
    claimsOf: new Map(),
    orders: new Map(),
    debts: new Map(),
    types: new Map(),
    leads: new Map(),
    deliveries: new Map(),
    unfinished: new Set(),
    sleepers: heapOf(compareWakeAt),
  }),
  evolve,
  next,
  refused,
  wakeAt: ({ sleepers }) => sleepers.first()?.wakeAt,
};

const eventTypes = [
  'PolicyPublished',
  'CustomerRegistered',
  'BusinessAssociationChanged',
  'OrderPlaced',
  'PaymentCaptured',
  'PaymentDeclined',
  'OrderPaused',
  'OrderRestarted',
  'OrderReopened',
  'DailyMaximumChanged',
  'OrderCancelled',
  'OrderFilled',
  'ReplacementOwed',
  'LeadDelivered',
  'LeadReceived',
  'LeadAssigned',
  'LeadReleased',
  'LeadAged',
  'LeadWithdrawn',
  'ContactAdded',
  'ContactRemoved',
] as const;

type DistributionFact = FactOf<(typeof eventTypes)[number]>;

interface Distribution {
  /** The latest instant heard of. */
  now: Instant | '';
  readonly policies: PolicyState;
  /** Customer → the key of its business, as it stands now. */
  readonly businesses: Map<string, string>;
  /** Customer → its claims, for the day it changes its business. */
  readonly claimsOf: Map<string, Set<Claim>>;
  /** Orders that may still receive leads, filled ones in Loyalty Rewards included: a renewal may re-open them. */
  readonly orders: Map<string, WaitingOrder>;
  /** Replacement → its claim, while it is owed. */
  readonly debts: Map<string, Debt>;
  readonly types: Map<string, TypeBook>;
  /** Leads that somebody was given or is being given, while a place is left or a delivery under way. */
  readonly leads: Map<string, StockedLead>;
  /** Deliveries between assignment and receipt. */
  readonly deliveries: Map<string, Delivery>;
  /** Those of them whose next step is to be sent. */
  readonly unfinished: Set<Delivery>;
  /** Orders at their daily maximum, by the start of their next day. */
  readonly sleepers: Heap<WaitingOrder>;
}

interface WaitingOrder extends HeapItem {
  readonly claim: Claim;
  wakeAt: Instant;
  owedLeads: number;
  dailyMaximum: number | undefined;
  readonly timeZone: string;
  readonly renews: boolean;
  status: 'awaiting-payment' | 'open' | 'paused' | 'filled';
  deliveredLeads: number;
  day: { localDay: string; deliveredLeads: number };
  /** Assigned, not yet received. They count towards quantity and day until they are refused. */
  underWay: number;
}

interface Debt {
  readonly claim: Claim;
  underWay: boolean;
}

interface TypeBook {
  readonly claims: ClaimBook;
  readonly stock: Stock;
  /** Claims that could not be met before: to be held against the whole stock. */
  readonly hungry: Set<Claim>;
}

interface Delivery {
  readonly key: string;
  readonly leadId: string;
  readonly leadTypeId: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly businessKey: string;
  readonly replacementFor: string | undefined;
  readonly decision: DistributionDecision;
  /** What the claim's `lastServed` was, should the delivery come to nothing. */
  servedBefore: string;
  step: 'asked' | 'assigned' | 'listed' | 'unlisting' | 'releasing';
  /** Why it comes to nothing. */
  reason: string;
  /** The fact that made it; its chain goes on. */
  because: FactOf<'LeadAssigned'> | undefined;
}

const deliveryKey = (leadId: string, orderId: string): string => `${leadId} ${orderId}`;

function evolve(state: Distribution, fact: DistributionFact): void {
  const { at } = fact.data;
  if (at > state.now) state.now = at;
  switch (fact.type) {
    case 'PolicyPublished':
      policy.evolve(state.policies, fact);
      return;
    case 'CustomerRegistered':
    case 'BusinessAssociationChanged':
      moveToBusiness(state, idIn(fact), businessKey(fact.data.businessAssociation));
      return;
    case 'OrderPlaced':
      addOrder(state, idIn(fact), fact);
      return;
    case 'PaymentCaptured':
    case 'OrderRestarted':
      setStatus(state, idIn(fact), 'open');
      return;
    case 'OrderPaused':
      setStatus(state, idIn(fact), 'paused');
      return;
    case 'OrderFilled':
      if (state.orders.get(idIn(fact))?.renews) setStatus(state, idIn(fact), 'filled');
      else closeOrder(state, idIn(fact));
      return;
    case 'OrderReopened':
      reopenOrder(state, idIn(fact), fact);
      return;
    case 'DailyMaximumChanged':
      changeDailyMaximum(state, idIn(fact), fact);
      return;
    case 'PaymentDeclined':
    case 'OrderCancelled':
      closeOrder(state, idIn(fact));
      return;
    case 'ReplacementOwed':
      addDebt(state, idIn(fact), fact);
      return;
    case 'LeadReceived':
      addLead(state, idIn(fact), fact);
      return;
    case 'LeadAged':
      ageLead(state, idIn(fact), fact);
      return;
    case 'LeadWithdrawn':
      dropLead(state, idIn(fact), fact);
      return;
    case 'LeadAssigned':
      assigned(state, idIn(fact), fact);
      return;
    case 'ContactAdded':
      advance(state, fact.data, 'listed');
      return;
    case 'ContactRemoved':
      advance(state, fact.data, 'releasing', fact.data.reason);
      return;
    case 'LeadDelivered':
      delivered(state, idIn(fact), fact);
      return;
    case 'LeadReleased':
      released(state, idIn(fact), fact);
      return;
  }
}

const idIn = ({ stream }: { stream: string }): string => idOf(stream);

const compareWakeAt = (a: WaitingOrder, b: WaitingOrder): number =>
  a.wakeAt < b.wakeAt ? -1 : a.wakeAt > b.wakeAt ? 1 : 0;

// ---- customers and claims

function moveToBusiness(state: Distribution, customerId: string, key: string): void {
  state.businesses.set(customerId, key);
  for (const claim of state.claimsOf.get(customerId) ?? []) {
    bookOf(state, claim.leadTypeId).claims.remove(claim);
    claim.businessKey = key;
    refreshClaim(state, claim);
  }
}

function newClaim(
  state: Distribution,
  claim: Pick<Claim, 'kind' | 'id' | 'orderId' | 'customerId' | 'leadTypeId' | 'since'>,
): Claim {
  const businessKey = state.businesses.get(claim.customerId) ?? '';
  const added: Claim = { ...claim, businessKey, lastServed: '', heapIndex: -1 };
  const ofCustomer = state.claimsOf.get(claim.customerId) ?? new Set();
  state.claimsOf.set(claim.customerId, ofCustomer.add(added));
  return added;
}

function dropClaim(state: Distribution, claim: Claim): void {
  const book = bookOf(state, claim.leadTypeId);
  book.claims.remove(claim);
  book.hungry.delete(claim);
  const ofCustomer = state.claimsOf.get(claim.customerId);
  ofCustomer?.delete(claim);
  if (ofCustomer?.size === 0) state.claimsOf.delete(claim.customerId);
}

/** Puts a claim into the book when it can be met now, takes it out when it cannot. */
function refreshClaim(state: Distribution, claim: Claim): void {
  const { claims, hungry } = bookOf(state, claim.leadTypeId);
  if (!canBeMet(state, claim)) {
    claims.remove(claim);
    hungry.delete(claim);
    return;
  }
  if (claim.heapIndex < 0) hungry.add(claim);
  claims.put(claim);
}

function canBeMet(state: Distribution, claim: Claim): boolean {
  const order = state.orders.get(claim.orderId);
  if (claim.kind === 'replacement') return !state.debts.get(claim.id)?.underWay && order?.status !== 'paused';
  if (order?.status !== 'open') return false;
  if (order.deliveredLeads + order.underWay >= order.owedLeads) return false;
  return !isFullToday(state, order);
}

/** DLV-5. An order that has its maximum sleeps until its own next day. */
function isFullToday(state: Distribution, order: WaitingOrder): boolean {
  if (order.dailyMaximum === undefined || !state.now) return false;
  const today = localDayOf(state.now, order.timeZone);
  const deliveredToday = today > order.day.localDay ? 0 : order.day.deliveredLeads;
  if (deliveredToday + order.underWay < order.dailyMaximum) return false;
  order.wakeAt = startOfNextLocalDay(state.now, order.timeZone);
  state.sleepers.put(order);
  return true;
}

function wakeSleepers(state: Distribution): void {
  const { sleepers } = state;
  for (let order = sleepers.first(); order && order.wakeAt <= state.now; order = sleepers.first()) {
    sleepers.remove(order);
    refreshClaim(state, order.claim);
  }
}

// ---- orders and debts

function addOrder(state: Distribution, orderId: string, { data }: FactOf<'OrderPlaced'>): void {
  const { at: since, customerId, leadTypeId, dailyMaximum, timeZone } = data;
  state.orders.set(orderId, {
    claim: newClaim(state, { kind: 'order', id: orderId, orderId, customerId, leadTypeId, since }),
    owedLeads: owedLeads(data),
    dailyMaximum,
    timeZone,
    renews: data.loyalty !== undefined,
    status: 'awaiting-payment',
    deliveredLeads: 0,
    day: { localDay: '', deliveredLeads: 0 },
    underWay: 0,
    wakeAt: '',
    heapIndex: -1,
  });
}

function setStatus(state: Distribution, orderId: string, status: WaitingOrder['status']): void {
  const order = state.orders.get(orderId);
  if (!order) return;
  order.status = status;
  for (const claim of state.claimsOf.get(order.claim.customerId) ?? [])
    if (claim.orderId === orderId) refreshClaim(state, claim);
}

/** LOY-9. It keeps its age and its turn (DLV-7). */
function reopenOrder(state: Distribution, orderId: string, { data }: FactOf<'OrderReopened'>): void {
  const order = state.orders.get(orderId);
  if (!order) return;
  order.owedLeads += owedLeads(data);
  setStatus(state, orderId, order.status === 'filled' ? 'open' : order.status);
}

/** ORD-4. Counts for the day that has begun, too: an order asleep may wake, and one awake may have its maximum. */
function changeDailyMaximum(state: Distribution, orderId: string, { data }: FactOf<'DailyMaximumChanged'>): void {
  const order = state.orders.get(orderId);
  if (!order) return;
  order.dailyMaximum = data.dailyMaximum;
  state.sleepers.remove(order);
  refreshClaim(state, order.claim);
}

function closeOrder(state: Distribution, orderId: string): void {
  const order = state.orders.get(orderId);
  if (!order) return;
  state.orders.delete(orderId);
  state.sleepers.remove(order);
  dropClaim(state, order.claim);
  // What it is owed as replacements stays owed (RPL-9), also when it was paused until now.
  for (const claim of state.claimsOf.get(order.claim.customerId) ?? [])
    if (claim.orderId === orderId) refreshClaim(state, claim);
}

function addDebt(state: Distribution, orderId: string, { data }: FactOf<'ReplacementOwed'>): void {
  const { replacementId, customerId, leadTypeId, owedSince: since } = data;
  const claim = newClaim(state, { kind: 'replacement', id: replacementId, orderId, customerId, leadTypeId, since });
  state.debts.set(replacementId, { claim, underWay: false });
  refreshClaim(state, claim);
}

/** The claim that a delivery serves; undefined once the order was closed or the debt paid. */
const claimOf = (state: Distribution, { orderId, replacementFor }: Delivery): Claim | undefined =>
  replacementFor === undefined ? state.orders.get(orderId)?.claim : state.debts.get(replacementFor)?.claim;

function countUnderWay(state: Distribution, delivery: Delivery, change: 1 | -1): void {
  const debt = delivery.replacementFor === undefined ? undefined : state.debts.get(delivery.replacementFor);
  if (debt) debt.underWay = change > 0;
  const order = delivery.replacementFor === undefined ? state.orders.get(delivery.orderId) : undefined;
  if (order) order.underWay += change;
}

// ---- leads

function bookOf(state: Distribution, leadTypeId: string): TypeBook {
  let book = state.types.get(leadTypeId);
  if (!book) {
    book = { claims: new ClaimBook(), stock: new Stock(leadTypeId), hungry: new Set() };
    state.types.set(leadTypeId, book);
  }
  return book;
}

function addLead(state: Distribution, leadId: string, { data }: FactOf<'LeadReceived'>): void {
  bookOf(state, data.leadTypeId).stock.add(leadId, data.openPlaces);
}

/** A lead of this type, woken where it rests. */
function leadOf(state: Distribution, leadId: string, leadTypeId: string): StockedLead | undefined {
  const lead = state.leads.get(leadId) ?? bookOf(state, leadTypeId).stock.wake(leadId);
  if (lead) state.leads.set(leadId, lead);
  return lead;
}

function ageLead(state: Distribution, leadId: string, { data }: FactOf<'LeadAged'>): void {
  const lead = leadOf(state, leadId, data.fromLeadTypeId);
  if (!lead) return;
  takeOffTheShelf(state, lead);
  lead.leadTypeId = data.leadTypeId;
  offer(state, lead);
}

function dropLead(state: Distribution, leadId: string, { data }: FactOf<'LeadWithdrawn'>): void {
  const lead = leadOf(state, leadId, data.leadTypeId);
  if (!lead) return;
  takeOffTheShelf(state, lead);
  state.leads.delete(leadId);
}

const takeOffTheShelf = (state: Distribution, lead: StockedLead): void =>
  bookOf(state, lead.leadTypeId).stock.remove(lead);

/**
 * Lays a lead behind all others of its type. Only facts do so, never what is about to be done: the order in the stock
 * is the same after a restart.
 */
function offer(state: Distribution, lead: StockedLead): void {
  takeOffTheShelf(state, lead);
  if (lead.openPlaces > 0) bookOf(state, lead.leadTypeId).stock.put(lead);
}

// ---- deliveries

/** Notes an assignment, be it one that is about to be asked for or one that a fact tells of. */
function begin(state: Distribution, delivery: Delivery): void {
  state.deliveries.set(delivery.key, delivery);
  const lead = leadOf(state, delivery.leadId, delivery.leadTypeId);
  if (lead) {
    lead.openPlaces -= 1;
    lead.underWay += 1;
    lead.businesses = [...lead.businesses, delivery.businessKey];
    lead.customers = [...lead.customers, delivery.customerId];
    if (lead.openPlaces === 0) takeOffTheShelf(state, lead);
  }
  countUnderWay(state, delivery, 1);
  const claim = claimOf(state, delivery);
  if (!claim) return;
  delivery.servedBefore = claim.lastServed;
  claim.lastServed = servedKey(delivery.decision);
  refreshClaim(state, claim);
}

/** Undoes what {@link begin} noted. Where the lead lies afterwards is for the caller to say. */
function comeToNothing(state: Distribution, delivery: Delivery): StockedLead | undefined {
  end(state, delivery);
  const claim = claimOf(state, delivery);
  if (claim) {
    if (claim.lastServed === servedKey(delivery.decision)) claim.lastServed = delivery.servedBefore;
    refreshClaim(state, claim);
  }
  const lead = state.leads.get(delivery.leadId);
  if (!lead) return undefined;
  lead.openPlaces += 1;
  lead.businesses = without(lead.businesses, delivery.businessKey);
  lead.customers = without(lead.customers, delivery.customerId);
  return lead;
}

function end(state: Distribution, delivery: Delivery): void {
  state.deliveries.delete(delivery.key);
  state.unfinished.delete(delivery);
  countUnderWay(state, delivery, -1);
  const lead = state.leads.get(delivery.leadId);
  if (lead) lead.underWay -= 1;
}

const without = (list: readonly string[], item: string): readonly string[] => {
  const index = list.indexOf(item);
  return index < 0 ? list : list.toSpliced(index, 1);
};

function assigned(state: Distribution, leadId: string, fact: FactOf<'LeadAssigned'>): void {
  const { orderId, customerId, businessKey, leadTypeId, replacementFor, decision } = fact.data;
  const key = deliveryKey(leadId, orderId);
  let delivery = state.deliveries.get(key);
  if (!delivery) {
    const names = { key, leadId, leadTypeId, orderId, customerId, businessKey, replacementFor };
    delivery = { ...names, decision, servedBefore: '', step: 'asked', reason: '', because: fact };
    begin(state, delivery);
    // Somebody else gave it away meanwhile: what is left of it may be offered again.
    const lead = state.leads.get(leadId);
    if (lead && lead.shelf < 0) offer(state, lead);
  }
  delivery.because = fact;
  delivery.step = 'assigned';
  state.unfinished.add(delivery);
}

function advance(
  state: Distribution,
  { leadId, orderId }: { leadId: string; orderId: string },
  step: Delivery['step'],
  reason = '',
): void {
  const delivery = state.deliveries.get(deliveryKey(leadId, orderId));
  if (!delivery) return;
  delivery.step = step;
  delivery.reason = reason;
  state.unfinished.add(delivery);
}

function delivered(state: Distribution, orderId: string, { data }: FactOf<'LeadDelivered'>): void {
  const delivery = state.deliveries.get(deliveryKey(data.leadId, orderId));
  if (delivery) end(state, delivery);
  const lead = state.leads.get(data.leadId);
  if (lead?.openPlaces === 0 && lead.underWay === 0) state.leads.delete(data.leadId);
  if (data.replacementFor !== undefined) {
    const debt = state.debts.get(data.replacementFor);
    state.debts.delete(data.replacementFor);
    if (debt) dropClaim(state, debt.claim);
    return;
  }
  const order = state.orders.get(orderId);
  if (!order) return;
  order.day = dayWith(order.day, data.localDay);
  order.deliveredLeads += 1;
  refreshClaim(state, order.claim);
}

function released(state: Distribution, leadId: string, { data }: FactOf<'LeadReleased'>): void {
  const delivery = state.deliveries.get(deliveryKey(leadId, data.orderId));
  const lead = delivery && comeToNothing(state, delivery);
  if (!lead) return;
  if (data.reason === 'person-given-before') lead.customers = [...lead.customers, data.customerId];
  offer(state, lead);
}

// ---- what to do now

function next(state: Distribution, moment: Moment, limit: number): Wish[] {
  if (moment.now > state.now) state.now = moment.now;
  wakeSleepers(state);
  const wishes = takeSteps(state, moment, limit);
  decide(state, moment, wishes, limit);
  return wishes;
}

function takeSteps(state: Distribution, { runs }: Moment, limit: number): Wish[] {
  const wishes: Wish[] = [];
  for (const delivery of state.unfinished) {
    if (wishes.length >= limit) break;
    if (!runs(delivery.leadTypeId)) continue;
    state.unfinished.delete(delivery);
    // Its lead was withdrawn since (DLV-10).
    if (!state.leads.has(delivery.leadId)) takeBack(delivery, 'lead-withdrawn');
    wishes.push(stepOf(delivery));
  }
  return wishes;
}

function takeBack(delivery: Delivery, reason: string): void {
  if (delivery.step === 'assigned') delivery.step = 'releasing';
  else if (delivery.step === 'listed') delivery.step = 'unlisting';
  else return;
  delivery.reason = reason;
}

function stepOf(delivery: Delivery): CommandWish {
  const { leadId, leadTypeId, orderId, businessKey, replacementFor, decision, reason } = delivery;
  const because = delivery.because as FactOf<'LeadAssigned'>;
  const { telephoneKey, emailKey } = because.data;
  const wish = (stream: string, command: CommandWish['command']): CommandWish => ({
    commandId: deriveId(command.type, because.eventId),
    stream,
    part: leadTypeId,
    command,
    because,
  });
  switch (delivery.step) {
    case 'asked':
      throw new Error(`delivery ${delivery.key} was not assigned yet`);
    case 'assigned':
      return wish(contactBookStream(delivery.customerId), {
        type: 'AddContact',
        leadId,
        orderId,
        ...(telephoneKey && { telephoneKey }),
        ...(emailKey && { emailKey }),
      });
    case 'listed':
      return wish(orderStream(orderId), {
        type: 'DeliverLead',
        leadId,
        leadTypeId,
        businessKey,
        ...(replacementFor && { replacementFor }),
        decision,
      });
    case 'unlisting':
      return wish(contactBookStream(delivery.customerId), { type: 'RemoveContact', leadId, orderId, reason });
    case 'releasing':
      return wish(leadStream(leadId), { type: 'ReleaseLead', orderId, reason });
  }
}

function decide(state: Distribution, moment: Moment, wishes: Wish[], limit: number): void {
  const policyVersion = policyAt(state.policies, moment.now)?.version;
  if (policyVersion === undefined) return;
  let decisionIndex = 0;
  const give = (lead: StockedLead, claim: Claim): void => {
    const decision: DistributionDecision = {
      ...rankOf(claim),
      decidedAt: moment.now,
      decidedOn: moment.position,
      decisionIndex,
      policyVersion,
    };
    decisionIndex += 1;
    wishes.push(assign(state, lead, claim, decision));
  };

  const roomLeft = () => wishes.length < limit;
  for (const [leadTypeId, book] of state.types) {
    if (!moment.runs(leadTypeId)) continue;
    offerToAll(book, roomLeft, give);
    if (roomLeft()) feedTheHungry(book, roomLeft, give);
  }
}

/** Each lead that is new to the book, to the first claims that it may go to. What is left stays in stock. */
function offerToAll(book: TypeBook, roomLeft: () => boolean, give: (lead: StockedLead, claim: Claim) => void): void {
  while (roomLeft()) {
    const offered = book.stock.nextOffer((lead) => book.claims.first(lead));
    if (!offered) return;
    give(offered.lead, offered.claim);
  }
}

/**
 * Each claim that is new to the book, in its rank, to the oldest lead that it may be given. All other claims were held
 * against the stock before and found nothing, so the first of these is the first of all.
 */
function feedTheHungry(book: TypeBook, roomLeft: () => boolean, give: (lead: StockedLead, claim: Claim) => void): void {
  const { hungry, stock } = book;
  while (hungry.size > 0 && stock.size > 0) {
    const inTurn = [...hungry].sort(compareClaims);
    for (const claim of inTurn) {
      if (!roomLeft()) return;
      const lead = stock.firstFor(claim.businessKey, claim.customerId);
      if (lead) give(lead, claim);
      else hungry.delete(claim);
    }
  }
  hungry.clear();
}

function assign(state: Distribution, lead: StockedLead, claim: Claim, decision: DistributionDecision): CommandWish {
  const { leadId, leadTypeId } = lead;
  state.leads.set(leadId, lead);
  const { orderId, customerId, businessKey } = claim;
  const replacementFor = claim.kind === 'replacement' ? claim.id : undefined;
  begin(state, {
    key: deliveryKey(leadId, orderId),
    leadId,
    leadTypeId,
    orderId,
    customerId,
    businessKey,
    replacementFor,
    decision,
    servedBefore: '',
    step: 'asked',
    reason: '',
    because: undefined,
  });
  return {
    commandId: deriveId('AssignLead', leadId, claim.id, decision.decidedOn, String(decision.decisionIndex)),
    stream: leadStream(leadId),
    part: leadTypeId,
    command: {
      type: 'AssignLead',
      leadTypeId,
      orderId,
      customerId,
      businessKey,
      ...(replacementFor && { replacementFor }),
      decision,
    },
  };
}

// ---- when a rule says no

function refused(state: Distribution, wish: Wish, { code }: Refusal): void {
  if (!('command' in wish)) return;
  const { command, stream } = wish;
  if (command.type === 'AddContact') advance(state, command, 'releasing', code);
  if (command.type === 'DeliverLead')
    advance(state, { leadId: command.leadId, orderId: idOf(stream) }, 'unlisting', code);
  if (command.type === 'AssignLead') {
    // The lead has changed meanwhile. It rests until the fact that says how has arrived, and offers it anew.
    const delivery = state.deliveries.get(deliveryKey(idOf(stream), command.orderId));
    const lead = delivery && comeToNothing(state, delivery);
    if (lead) takeOffTheShelf(state, lead);
  }
}
