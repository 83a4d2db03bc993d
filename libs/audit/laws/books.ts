import { Businesses } from './businesses.ts';
import type { EventsSeen } from './events-seen.ts';
import { Policies } from './policies.ts';
import { customersIn, dayIn, type RawEvent } from './raw-log.ts';

/**
 * The facts about the past that the laws need, recorded from the raw log event by event. Entries are small: a million
 * leads must fit into memory. Shares no code with the deciders.
 */
export class Books {
  readonly policies = new Policies(policyIn);
  readonly exclusiveTypes = new Set<string>();
  readonly customers = new Map<string, CustomerEntry>();
  readonly leads = new Map<string, LeadEntry>();
  /** Keyed hash of a person → its leads that were delivered. */
  readonly sold = new Map<string, readonly LeadEntry[]>();
  readonly orders = new Map<string, OrderEntry>();
  readonly returns = new Map<string, ReturnEntry>();
  /** Keys of persons who are not sold any more (DLV-12). */
  readonly suppressed = new Map<string, readonly string[]>();
  /** Customers who were erased: nothing is owed to them any more. */
  readonly erased = new Set<string>();
  readonly businesses = new Businesses();
  readonly eventsSeen: EventsSeen;

  constructor(eventsSeen: EventsSeen) {
    this.eventsSeen = eventsSeen;
  }

  /** @throws TypeError, RangeError when the event lacks data that events of its type must have */
  record(event: RawEvent): void {
    const at = millisecondsOf(event.data.at);
    recorders[event.type]?.(this, event, at);
  }

  /** The policy that a decision cites; undefined if it was never published or was not effective yet. */
  policyCited(version: number, at: number): Policy | undefined {
    const policy = this.policies.get(version);
    return policy && policy.effectiveFrom <= at ? policy : undefined;
  }

  /** The entry of a lead. A lead that the store never received may not be delivered. */
  lead(leadId: string): LeadEntry {
    return entryOf(this.leads, leadId, () => ({
      leadTypeId: '',
      exclusive: false,
      maximumCustomers: 0,
      telephoneKey: undefined,
      emailKey: undefined,
      withdrawn: false,
      returned: false,
      isDuplicate: false,
      receivedAt: 0,
      sharedPersonWindow: undefined,
      lastAssigned: 0,
      lastOffered: 0,
      holders: NONE,
      closedTo: NONE,
      deliveries: [],
    }));
  }

  customer(customerId: string): CustomerEntry {
    return entryOf(this.customers, customerId, () => ({ businesses: [], persons: new Set() }));
  }

  /** The entry of an order. An order that was never placed was not paid. */
  order(orderId: string): OrderEntry {
    return entryOf(this.orders, orderId, () => ({
      customerId: '',
      leadTypeId: '',
      timeZone: 'UTC',
      dailyMaximum: undefined,
      leadsOrdered: 0,
      status: 'awaiting payment',
      lastRestarted: 0,
      leadsDelivered: 0,
      leadsByDay: new Map(),
    }));
  }
}

interface Policy {
  readonly effectiveFrom: number;
  readonly maximumCustomersPerSharedLead: number;
  readonly sharedPersonWindow: number | undefined;
  readonly returnWindow: number;
  readonly approvedReturnReasons: readonly string[];
}

const policyIn = (policy: RawEvent['data'], effectiveFrom: number): Policy => ({
  effectiveFrom,
  maximumCustomersPerSharedLead: policy.maximumCustomersPerSharedLead,
  sharedPersonWindow: policy.sharedPersonDays === undefined ? undefined : policy.sharedPersonDays * DAY,
  returnWindow: policy.returnWindowDays * DAY,
  approvedReturnReasons: policy.approvedReturnReasons,
});

interface CustomerEntry {
  /** The businesses that it worked for, each with the ordinal and instant of the event that says so. */
  readonly businesses: { readonly ordinal: number; readonly since: number; readonly business: string }[];
  /** Every person that it ever received, by telephone and by e-mail address. */
  readonly persons: Set<string>;
}

export interface LeadEntry {
  leadTypeId: string;
  exclusive: boolean;
  maximumCustomers: number;
  telephoneKey: string | undefined;
  emailKey: string | undefined;
  withdrawn: boolean;
  /** Withdrawn because a return was granted. */
  returned: boolean;
  isDuplicate: boolean;
  receivedAt: number;
  /** How long after its sale a shared person may be sold again, by the policy at its receipt. Undefined: never. */
  sharedPersonWindow: number | undefined;
  lastAssigned: number;
  /** When it last became available: received, aged, or released by an order. */
  lastOffered: number;
  /** The orders that it is assigned to. */
  holders: readonly Holder[];
  /** Customers who already had its person. */
  closedTo: readonly string[];
  readonly deliveries: Delivery[];
}

interface Holder {
  readonly order: OrderEntry;
  readonly business: string;
}

interface Delivery {
  readonly order: OrderEntry;
  readonly receivedAt: number;
  /** The end of the window in which it may be returned. Older deliveries promise none, and name their policy. */
  readonly returnableUntil: number | undefined;
  readonly policyVersion: number;
  /** The customer's business according to this event, and according to the customer's own events. */
  readonly businessStated: string;
  readonly businessKnown: string;
}

export interface OrderEntry {
  customerId: string;
  leadTypeId: string;
  timeZone: string;
  dailyMaximum: number | undefined;
  /** Bonus leads included. */
  leadsOrdered: number;
  status: 'awaiting payment' | 'payment failed' | 'open' | 'paused' | 'filled' | 'cancelled';
  lastRestarted: number;
  /** Without replacements, here and per day. */
  leadsDelivered: number;
  readonly leadsByDay: Map<string, number>;
}

export interface ReturnEntry {
  readonly order: OrderEntry;
  readonly lead: LeadEntry;
  /** All of them: after a denial there may be another one. */
  readonly requests: Request[];
  grant: { readonly at: number; readonly event: RawEvent } | undefined;
  replaced: boolean;
}

interface Request {
  readonly reason: string;
  readonly requestedAt: number;
  readonly policyVersion: number;
  /** The end of the window, as the request says it. Older requests do not. */
  readonly returnableUntil: number | undefined;
}

type Recorder = (books: Books, event: RawEvent, at: number) => void;

const recorders: Readonly<Record<string, Recorder>> = {
  PolicyPublished: (books, { data }) => books.policies.publish(data),
  LeadTypeDefined: (books, { data: { leadTypeId, exclusivity } }) => {
    if (exclusivity === 'exclusive') books.exclusiveTypes.add(leadTypeId);
  },
  CustomerRegistered: worksFor,
  BusinessAssociationChanged: worksFor,
  BusinessAssociationSealed: (books, event) => books.businesses.seal(event),
  BusinessKeysRenewed: (books, event) => {
    books.businesses.renew(event);
    const { id, ordinal, data } = event;
    const since = books.customer(id).businesses.at(-1)?.since ?? 0;
    books.customer(id).businesses.push({ ordinal, since, business: data.businessKey });
  },
  AllBusinessKeysRenewed: (books, event) => books.businesses.useLegalEndings(event),
  BusinessesMerged: (books, event) => books.businesses.merge(event),
  BusinessMergeTakenBack: (books, event) => books.businesses.takeMergeBack(event),
  LogRewritten: (books) => books.businesses.replaceNames(),

  LeadReceived: (books, { id, data }, at) => {
    const { leadTypeId, telephoneKey, emailKey, policyVersion } = data;
    const exclusive = books.exclusiveTypes.has(leadTypeId);
    const policy = books.policyCited(policyVersion, at);
    const maximumCustomers = exclusive ? 1 : (policy?.maximumCustomersPerSharedLead ?? 0);
    const sharedPersonWindow = policy?.sharedPersonWindow;
    Object.assign(books.lead(id), { leadTypeId, exclusive, maximumCustomers, telephoneKey, emailKey });
    Object.assign(books.lead(id), { receivedAt: at, lastOffered: at, sharedPersonWindow });
  },
  DuplicateReceived: (books, { id }) => {
    books.lead(id).isDuplicate = true;
  },
  LeadAged: (books, { id, data: { leadTypeId } }, at) => {
    Object.assign(books.lead(id), { leadTypeId, lastOffered: at });
  },
  LeadWithdrawn: (books, { id, data: { replacementId, suppression } }) => {
    const lead = books.lead(id);
    lead.withdrawn = true;
    if (suppression === undefined) lead.returned = replacementId !== undefined;
  },
  WithdrawalCorrected: (books, { id }) => {
    books.lead(id).returned = false;
  },
  PersonSuppressed: (books, { id, data: { suppression, listId } }) => {
    // What came without the name of a list is either of the list do-not-call, or the person's own request.
    const source = listId ?? suppression;
    books.suppressed.set(id, [...(books.suppressed.get(id) ?? NONE), source]);
  },
  SuppressionLifted: (books, { id, data: { listId } }) => {
    const left = (books.suppressed.get(id) ?? NONE).filter((source) => listId !== undefined && source !== listId);
    if (left.length > 0) books.suppressed.set(id, left);
    else books.suppressed.delete(id);
  },
  LeadAssigned: (books, { id, data: { orderId, businessKey } }, at) => {
    const lead = books.lead(id);
    lead.lastAssigned = at;
    const order = books.order(orderId);
    const known = books.customer(order.customerId).businesses.at(-1)?.business;
    lead.holders = [...lead.holders, { order, business: same(known, businessKey) }];
  },
  LeadReleased: (books, { id, data: { orderId, reason } }, at) => {
    const lead = books.lead(id);
    const order = books.order(orderId);
    lead.holders = lead.holders.filter((holder) => holder.order !== order);
    lead.lastOffered = at;
    if (reason === 'person-given-before') lead.closedTo = [...lead.closedTo, order.customerId];
  },

  OrderPlaced: (books, { id, data }) => {
    const { customerId, leadTypeId, timeZone, dailyMaximum, quantity, bonusLeads } = data;
    const leadsOrdered = quantity + bonusLeads;
    Object.assign(books.order(id), { customerId, leadTypeId, timeZone, dailyMaximum, leadsOrdered });
  },
  PaymentCaptured: becomes('open'),
  PaymentDeclined: becomes('payment failed'),
  OrderPaused: becomes('paused'),
  OrderRestarted: (books, { id }, at) => {
    Object.assign(books.order(id), { status: 'open', lastRestarted: at });
  },
  OrderFilled: becomes('filled'),
  OrderReopened: (books, { id, data: { quantity, bonusLeads } }) => {
    const order = books.order(id);
    order.leadsOrdered += quantity + bonusLeads;
    if (order.status === 'filled') order.status = 'open';
  },
  OrderTimeZoneCorrected: (books, { id, data: { timeZone } }) => {
    books.order(id).timeZone = timeZone;
  },
  DailyMaximumChanged: (books, { id, data: { dailyMaximum } }) => {
    books.order(id).dailyMaximum = dailyMaximum;
  },
  OrderCancelled: becomes('cancelled'),
  PersonErased: (books, { data: { subjects } }) => {
    for (const customerId of customersIn(subjects)) books.erased.add(customerId);
  },
  LeadDelivered: (books, event, receivedAt) => {
    const { lead, order, customer, replaces, localDay, businessStated, businessKnown } = deliveryIn(books, event);
    const { returnableUntil: until, decision } = event.data;
    const returnableUntil = until === undefined ? undefined : millisecondsOf(until);
    const { policyVersion } = decision ?? {};
    lead.deliveries.push({ order, receivedAt, returnableUntil, policyVersion, businessStated, businessKnown });
    for (const key of personsIn(lead)) {
      customer.persons.add(key);
      const known = books.sold.get(key) ?? NONE;
      if (!known.includes(lead)) books.sold.set(key, [...known, lead]);
    }
    if (replaces) {
      replaces.replaced = true;
    } else {
      order.leadsDelivered += 1;
      order.leadsByDay.set(localDay, (order.leadsByDay.get(localDay) ?? 0) + 1);
    }
  },

  ReplacementRequested: (books, { id, data }, requestedAt) => {
    const { orderId, leadId, reason, policyVersion, returnableUntil: until } = data;
    const [order, lead] = [books.order(orderId), books.lead(leadId)];
    const returnableUntil = until === undefined ? undefined : millisecondsOf(until);
    const { requests } = entryOf(books.returns, id, () => ({
      ...{ order, lead, requests: [], grant: undefined, replaced: false },
    }));
    requests.push({ reason, requestedAt, policyVersion, returnableUntil });
  },
  ChargebackGranted: isOwed,
  GoodwillGranted: isOwed,
  VerdictCorrected: (books, event, at) => {
    if (event.data.verdict === 'granted') isOwed(books, event, at);
    else isOwedNoMore(books, event.id);
  },
  ReplacementForgiven: (books, { data: { replacementId, cause } }) => {
    if (cause === 'verdict-corrected') isOwedNoMore(books, replacementId);
  },
};

function isOwed(books: Books, event: RawEvent, at: number): void {
  const returned = books.returns.get(event.id);
  if (returned) returned.grant = { at, event };
}

function isOwedNoMore(books: Books, replacementId: string): void {
  const returned = books.returns.get(replacementId);
  if (returned) returned.grant = undefined;
}

function worksFor(books: Books, event: RawEvent, since: number): void {
  const { id, ordinal } = event;
  books.customer(id).businesses.push({ ordinal, since, business: books.businesses.state(event) });
}

function becomes(status: OrderEntry['status']): Recorder {
  return (books, { id }) => {
    books.order(id).status = status;
  };
}

/** A LeadDelivered event, with what the books know about it. */
export function deliveryIn(books: Books, { id, data }: RawEvent) {
  const { leadId, at, businessKey, replacementFor, decision } = data;
  const order = books.order(id);
  const customer = books.customer(order.customerId);
  const owed = replacementFor === undefined ? undefined : books.returns.get(replacementFor);
  // As it was at the decision: a customer may change its business before the lead arrives.
  const seen = books.eventsSeen.by(decision);
  const known =
    seen === undefined ? undefined : customer.businesses.findLast(({ ordinal }) => ordinal <= seen)?.business;
  return {
    order,
    customer,
    lead: books.lead(leadId),
    /** The granted return that this delivery replaces. A delivery that names a settled return is not a replacement. */
    replaces: owed?.grant && !owed.replaced && owed.order === order ? owed : undefined,
    businessStated: same(known, businessKey),
    businessKnown: known ?? businessKey,
    businesses: books.businesses,
    seen,
    /** Other leads of the person that were delivered. */
    soldBefore: personsIn(books.lead(leadId)).flatMap((key) => books.sold.get(key) ?? NONE),
    localDay: dayIn(order.timeZone, at),
  };
}
export type DeliveryCase = ReturnType<typeof deliveryIn>;

export const personsIn = ({ telephoneKey, emailKey }: LeadEntry): string[] =>
  [telephoneKey, emailKey].filter((key) => key !== undefined);

/** Shared, because most leads have empty lists. */
const NONE: readonly never[] = [];

export const DAY = 24 * 60 * 60 * 1000;

function millisecondsOf(instant: unknown): number {
  const milliseconds = typeof instant === 'string' ? Date.parse(instant) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw new TypeError(`${instant} is not an instant`);
  return milliseconds;
}

/** The text in memory if it is equal: a million leads share a few names. */
const same = (known: string | undefined, stated: string): string => (known === stated ? known : stated);

function entryOf<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
