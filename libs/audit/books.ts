import { comparableName, dayIn, type RawEvent } from './raw-log.ts';

/**
 * What the laws need to know of the past, taken down from the raw log event by event. Kept small: a million leads must
 * fit into memory. Shares nothing with the deciders.
 */
export class Books {
  readonly policies = new Map<number, Policy>();
  readonly exclusiveTypes = new Set<string>();
  readonly customers = new Map<string, Customer>();
  readonly leads = new Map<string, Lead>();
  readonly orders = new Map<string, Order>();
  readonly returns = new Map<string, Return>();
  /** The latest instant that any event tells of, in milliseconds since 1970. */
  now = 0;

  /** @throws TypeError, RangeError when the event does not tell what events of its type must tell. */
  takeDown(event: RawEvent): void {
    const at = millisecondsOf(event.data.at);
    takeDownBy[event.type]?.(this, event, at);
    if (at > this.now) this.now = at;
  }

  /** The policy that a decision cites, unless it was never published or did not hold yet. */
  policyCited(version: number, at: number): Policy | undefined {
    const policy = this.policies.get(version);
    return policy && policy.effectiveFrom <= at ? policy : undefined;
  }

  /** A lead nobody received may be given to nobody. */
  lead(leadId: string): Lead {
    return entryOf(this.leads, leadId, () => ({
      leadTypeId: '',
      exclusive: false,
      maximumCustomers: 0,
      telephoneKey: undefined,
      emailKey: undefined,
      withdrawn: false,
      lastOffered: 0,
      holders: NONE,
      closedTo: NONE,
      deliveries: [],
    }));
  }

  customer(customerId: string): Customer {
    return entryOf(this.customers, customerId, () => ({ businesses: [], persons: new Set() }));
  }

  /** An order that nobody placed has not been paid for. */
  order(orderId: string): Order {
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
  readonly returnWindow: number;
  readonly approvedReturnReasons: readonly string[];
}

export interface Customer {
  /** The businesses it worked for, each with the position and the instant of the log that told so. */
  readonly businesses: { readonly position: string; readonly since: number; readonly name: string }[];
  /** Everyone it was ever given, by telephone and by e-mail address. */
  readonly persons: Set<string>;
}

export interface Lead {
  leadTypeId: string;
  exclusive: boolean;
  maximumCustomers: number;
  telephoneKey: string | undefined;
  emailKey: string | undefined;
  withdrawn: boolean;
  /** When it last became available: received, aged, or released by somebody. */
  lastOffered: number;
  /** To whom it is assigned. */
  holders: readonly Holder[];
  /** Customers who turned out to have its person already. */
  closedTo: readonly string[];
  readonly deliveries: Delivery[];
}

interface Holder {
  readonly order: Order;
  readonly business: string;
}

interface Delivery {
  readonly order: Order;
  readonly receivedAt: number;
  /** The customer's business as the event says, and as the customer's own events say. */
  readonly businessStated: string;
  readonly businessKnown: string;
}

export interface Order {
  customerId: string;
  leadTypeId: string;
  timeZone: string;
  dailyMaximum: number | undefined;
  /** Bonus leads included. */
  leadsOrdered: number;
  status: 'awaiting payment' | 'payment failed' | 'open' | 'paused' | 'filled' | 'cancelled';
  lastRestarted: number;
  /** Replacements not included, here and per day. */
  leadsDelivered: number;
  readonly leadsByDay: Map<string, number>;
}

interface Return {
  readonly order: Order;
  readonly lead: Lead;
  readonly reason: string;
  readonly requestedAt: number;
  readonly policyVersion: number;
  grant: { readonly at: number; readonly event: RawEvent } | undefined;
  replaced: boolean;
}

type TakeDown = (books: Books, event: RawEvent, at: number) => void;

const takeDownBy: Readonly<Record<string, TakeDown>> = {
  PolicyPublished: (books, { data: { version, effectiveFrom, policy } }) => {
    books.policies.set(version, {
      effectiveFrom: millisecondsOf(effectiveFrom),
      maximumCustomersPerSharedLead: policy.maximumCustomersPerSharedLead,
      returnWindow: policy.returnWindowDays * DAY,
      approvedReturnReasons: policy.approvedReturnReasons,
    });
  },
  LeadTypeDefined: (books, { data: { leadTypeId, exclusivity } }) => {
    if (exclusivity === 'exclusive') books.exclusiveTypes.add(leadTypeId);
  },
  CustomerRegistered: worksFor,
  BusinessAssociationChanged: worksFor,

  LeadReceived: (books, { id, data }, at) => {
    const { leadTypeId, telephoneKey, emailKey, policyVersion } = data;
    const exclusive = books.exclusiveTypes.has(leadTypeId);
    const shared = books.policyCited(policyVersion, at)?.maximumCustomersPerSharedLead ?? 0;
    const maximumCustomers = exclusive ? 1 : shared;
    Object.assign(books.lead(id), { leadTypeId, exclusive, maximumCustomers, telephoneKey, emailKey, lastOffered: at });
  },
  LeadAged: (books, { id, data: { leadTypeId } }, at) => {
    Object.assign(books.lead(id), { leadTypeId, lastOffered: at });
  },
  LeadWithdrawn: (books, { id }) => {
    books.lead(id).withdrawn = true;
  },
  LeadAssigned: (books, { id, data: { orderId, businessKey } }) => {
    const lead = books.lead(id);
    const order = books.order(orderId);
    const known = books.customer(order.customerId).businesses.at(-1)?.name;
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
  DailyMaximumChanged: (books, { id, data: { dailyMaximum } }) => {
    books.order(id).dailyMaximum = dailyMaximum;
  },
  OrderCancelled: becomes('cancelled'),
  LeadDelivered: (books, event, receivedAt) => {
    const { lead, order, customer, replaces, localDay, businessStated, businessKnown } = deliveryIn(books, event);
    lead.deliveries.push({ order, receivedAt, businessStated, businessKnown });
    for (const key of personsIn(lead)) customer.persons.add(key);
    if (replaces) {
      replaces.replaced = true;
    } else {
      order.leadsDelivered += 1;
      order.leadsByDay.set(localDay, (order.leadsByDay.get(localDay) ?? 0) + 1);
    }
  },

  ReplacementRequested: (books, { id, data }, requestedAt) => {
    const { orderId, leadId, reason, policyVersion } = data;
    const [order, lead] = [books.order(orderId), books.lead(leadId)];
    books.returns.set(id, { order, lead, reason, requestedAt, policyVersion, grant: undefined, replaced: false });
  },
  ChargebackGranted: (books, event, at) => {
    const returned = books.returns.get(event.id);
    if (returned) returned.grant = { at, event };
  },
};

function worksFor(books: Books, { id, position, data }: RawEvent, since: number): void {
  books.customer(id).businesses.push({ position, since, name: comparableName(data.businessAssociation) });
}

function becomes(status: Order['status']): TakeDown {
  return (books, { id }) => {
    books.order(id).status = status;
  };
}

/** A LeadDelivered, and what the books say about it. */
export function deliveryIn(books: Books, { id, data }: RawEvent) {
  const { leadId, at, businessKey, replacementFor, decision } = data;
  const order = books.order(id);
  const customer = books.customer(order.customerId);
  const owed = replacementFor === undefined ? undefined : books.returns.get(replacementFor);
  // Judged as of the decision: a customer may change its business while the lead is under way.
  const known = customer.businesses.findLast(({ position }) => position <= decision.decidedOn)?.name;
  return {
    order,
    customer,
    lead: books.lead(leadId),
    /** The granted return that this delivery makes good. Naming one that owes nothing makes no replacement of a delivery. */
    replaces: owed?.grant && !owed.replaced && owed.order === order ? owed : undefined,
    businessStated: same(known, businessKey),
    businessKnown: known ?? businessKey,
    localDay: dayIn(order.timeZone, at),
  };
}
export type DeliveryCase = ReturnType<typeof deliveryIn>;

export const personsIn = ({ telephoneKey, emailKey }: Lead): string[] =>
  [telephoneKey, emailKey].filter((key) => key !== undefined);

/** Most leads have no such thing; a list of their own would be a waste. */
const NONE: readonly never[] = [];

export const DAY = 24 * 60 * 60 * 1000;

function millisecondsOf(instant: unknown): number {
  const milliseconds = typeof instant === 'string' ? Date.parse(instant) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw new TypeError(`${instant} is no instant`);
  return milliseconds;
}

/** The one in memory already, if it is equal: a million leads share a few names. */
const same = (known: string | undefined, stated: string): string => (known === stated ? known : stated);

function entryOf<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
