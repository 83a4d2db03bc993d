import { z } from 'zod';
import { type DistributionDecision, distributionDecision } from '../distribution/decision.ts';
import { type Decider, type Decision, type Refusal, refuse } from '../kernel/decider.ts';
import { cents, count, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { localDayOf } from '../kernel/local-days.ts';

/** An order of leads, from checkout to the last lead and the last replacement. */
export const orderStream = (orderId: string) => `order-${orderId}` as const;

export const orderEvents = {
  OrderPlaced: fact({
    customerId: z.string(),
    storeId: z.string(),
    leadTypeId: z.string(),
    quantity: z.int().positive(),
    bonusLeads: count,
    /** Leads a local day at most; absent for batch types (CHK-3). */
    dailyMaximum: z.int().positive().optional(),
    timeZone: z.string(),
    pricePerLeadCents: cents,
    totalCents: cents,
    currency: z.string(),
    paymentToken: z.string(),
    statementDescriptor: z.string(),
    policyVersion: z.int().positive(),
  }),
  PaymentCaptured: fact({ reference: z.string(), amountCents: cents, currency: z.string() }),
  PaymentDeclined: fact({ reason: z.string() }),
  /** The order was cancelled while its payment was under way: the money is to be given back. */
  PaymentCapturedTooLate: fact({ reference: z.string(), amountCents: cents, currency: z.string() }),
  OrderPaused: fact({}),
  OrderRestarted: fact({}),
  OrderCancelled: fact({ undeliveredLeads: count }),
  OrderFilled: fact({ deliveredLeads: count }),
  LeadDelivered: fact({
    leadId: z.string(),
    leadTypeId: z.string(),
    customerId: z.string(),
    storeId: z.string(),
    businessKey: z.string(),
    /** The calendar day of the receipt in the order's time zone, as YYYY-MM-DD (DLV-5). */
    localDay: z.iso.date(),
    replacementFor: z.string().optional(),
    decision: distributionDecision,
  }),
  DailyMaximumReached: fact({ localDay: z.iso.date(), deliveredLeads: count }),
  ReplacementOwed: fact({
    replacementId: z.string(),
    leadId: z.string(),
    leadTypeId: z.string(),
    customerId: z.string(),
    owedSince: instant,
  }),
};
export type OrderEvent = EventsOf<typeof orderEvents>;

export type OrderCommand =
  | ({
      type: 'PlaceOrder';
      at: Instant;
      orderLimits: { smallest: number; largest: number };
      batchType: boolean;
    } & Terms)
  | { type: 'CapturePayment'; at: Instant; reference: string; amountCents: number; currency: string }
  | { type: 'DeclinePayment'; at: Instant; reason: string }
  | { type: 'PauseOrder'; at: Instant }
  | { type: 'RestartOrder'; at: Instant }
  | { type: 'CancelOrder'; at: Instant }
  | {
      type: 'DeliverLead';
      at: Instant;
      leadId: string;
      leadTypeId: string;
      businessKey: string;
      replacementFor?: string;
      decision: DistributionDecision;
    }
  | { type: 'OweReplacement'; at: Instant; replacementId: string; leadId: string; owedSince: Instant };

/** What the customer agreed to (CHK-1). The price is the one that held (CAT-3). */
export interface Terms {
  customerId: string;
  storeId: string;
  leadTypeId: string;
  quantity: number;
  bonusLeads: number;
  dailyMaximum?: number;
  timeZone: string;
  pricePerLeadCents: number;
  currency: string;
  paymentToken: string;
  statementDescriptor: string;
  policyVersion: number;
}

/** ORD-1. */
export type OrderStatus =
  | 'unknown'
  | 'awaiting-payment'
  | 'payment-failed'
  | 'open'
  | 'paused'
  | 'filled'
  | 'cancelled';

export interface OrderState {
  status: OrderStatus;
  terms: Terms | undefined;
  paid: boolean;
  /** Delivered towards quantity and bonus: replacements do not count (ORD-6). */
  deliveredLeads: number;
  /** The latest local day with a delivery that counts towards the daily maximum, and how many. */
  day: { localDay: string; deliveredLeads: number };
  /** Lead id → its receipt. A return is judged by it (RPL-2). */
  readonly receipts: Map<string, Instant>;
  /** Replacement id → the withdrawn lead, while the replacement is owed. */
  readonly owed: Map<string, string>;
  /** Replacements that were owed once, delivered or not: each is owed only once. */
  readonly everOwed: Set<string>;
}

export const order: Decider<OrderState, OrderCommand, OrderEvent> = {
  initialState: () => ({
    status: 'unknown',
    terms: undefined,
    paid: false,
    deliveredLeads: 0,
    day: { localDay: '', deliveredLeads: 0 },
    receipts: new Map(),
    owed: new Map(),
    everOwed: new Set(),
  }),

  decide(command, state): Decision<OrderEvent> {
    const { at } = command;
    if (command.type === 'PlaceOrder') return place(command, state);
    if (!state.terms) return refuse('order-unknown', 'there is no such order');

    switch (command.type) {
      case 'CapturePayment': {
        const { reference, amountCents, currency } = command;
        if (state.paid) return [];
        const type = state.status === 'awaiting-payment' ? 'PaymentCaptured' : 'PaymentCapturedTooLate';
        return [{ type, data: { at, reference, amountCents, currency } }];
      }
      case 'DeclinePayment':
        if (state.status !== 'awaiting-payment') return [];
        return [{ type: 'PaymentDeclined', data: { at, reason: command.reason } }];
      case 'PauseOrder':
        if (state.status === 'paused') return [];
        return state.status === 'open' ? [{ type: 'OrderPaused', data: { at } }] : refuseIn(state, 'paused', 'ORD-2');
      case 'RestartOrder':
        if (state.status === 'open') return [];
        return state.status === 'paused'
          ? [{ type: 'OrderRestarted', data: { at } }]
          : refuseIn(state, 'restarted', 'ORD-2');
      case 'CancelOrder':
        if (state.status === 'cancelled') return [];
        return state.status === 'filled' || state.status === 'payment-failed'
          ? refuseIn(state, 'cancelled', 'ORD-5')
          : [{ type: 'OrderCancelled', data: { at, undeliveredLeads: owedLeads(state.terms) - state.deliveredLeads } }];
      case 'DeliverLead':
        return deliver(command, state, state.terms);
      case 'OweReplacement': {
        const { replacementId, leadId, owedSince } = command;
        if (state.everOwed.has(replacementId)) return [];
        if (!state.receipts.has(leadId))
          return refuse('lead-not-delivered', `lead ${leadId} was not delivered to this order`, 'RPL-6');
        const { leadTypeId, customerId } = state.terms;
        return [{ type: 'ReplacementOwed', data: { at, replacementId, leadId, leadTypeId, customerId, owedSince } }];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'OrderPlaced':
        state.terms = event.data as Terms;
        state.status = 'awaiting-payment';
        break;
      case 'PaymentCaptured':
        state.paid = true;
        state.status = 'open';
        break;
      case 'PaymentCapturedTooLate':
        state.paid = true;
        break;
      case 'OrderRestarted':
        state.status = 'open';
        break;
      case 'PaymentDeclined':
        state.status = 'payment-failed';
        break;
      case 'OrderPaused':
        state.status = 'paused';
        break;
      case 'OrderCancelled':
        state.status = 'cancelled';
        break;
      case 'OrderFilled':
        state.status = 'filled';
        break;
      case 'LeadDelivered': {
        const { at, leadId, localDay, replacementFor } = event.data;
        state.receipts.set(leadId, at);
        if (replacementFor) {
          state.owed.delete(replacementFor);
          break;
        }
        state.deliveredLeads += 1;
        state.day = { localDay, deliveredLeads: deliveredOn(state, localDay) + 1 };
        break;
      }
      case 'ReplacementOwed':
        state.owed.set(event.data.replacementId, event.data.leadId);
        state.everOwed.add(event.data.replacementId);
        break;
      case 'DailyMaximumReached':
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

/** What the order is to receive besides replacements (ORD-6). */
export const owedLeads = ({ quantity, bonusLeads }: Pick<Terms, 'quantity' | 'bonusLeads'>): number =>
  quantity + bonusLeads;

/** CHK-2: a number of leads a day as it is, a percentage of the ordered quantity rounded up, at least 1. */
export const dailyMaximumOf = (asked: { leads: number } | { percent: number }, quantity: number): number =>
  'leads' in asked ? asked.leads : Math.max(1, Math.ceil((quantity * asked.percent) / 100));

function place(command: Extract<OrderCommand, { type: 'PlaceOrder' }>, state: OrderState): Decision<OrderEvent> {
  if (state.terms) return [];
  const { type: _, orderLimits, batchType, ...terms } = command;
  const { smallest, largest } = orderLimits;
  if (terms.quantity < smallest || terms.quantity > largest)
    return refuse('quantity-outside-limits', `an order of this type is for ${smallest} to ${largest} leads`, 'CAT-3');
  if (batchType && terms.dailyMaximum !== undefined)
    return refuse('daily-maximum-on-batch-type', 'fresh and aged leads have no daily maximum', 'CHK-3');
  if (!batchType && terms.dailyMaximum === undefined)
    return refuse('daily-maximum-missing', 'an order of real-time leads names its daily maximum', 'CHK-1');
  return [{ type: 'OrderPlaced', data: { ...terms, totalCents: terms.quantity * terms.pricePerLeadCents } }];
}

function deliver(
  command: Extract<OrderCommand, { type: 'DeliverLead' }>,
  state: OrderState,
  terms: Terms,
): Decision<OrderEvent> {
  const { at, leadId, leadTypeId, businessKey, replacementFor, decision } = command;
  if (state.receipts.has(leadId)) return [];
  const localDay = localDayOf(at, terms.timeZone);
  const refusal = replacementFor ? refuseReplacement(state, replacementFor) : refuseDelivery(state, terms, localDay);
  if (refusal) return refusal;

  const { customerId, storeId } = terms;
  const delivered: OrderEvent = {
    type: 'LeadDelivered',
    data: { at, leadId, leadTypeId, customerId, storeId, businessKey, localDay, replacementFor, decision },
  };
  if (replacementFor) return [delivered];
  const deliveredToday = deliveredOn(state, localDay) + 1;
  const deliveredInAll = state.deliveredLeads + 1;
  const filled = deliveredInAll === owedLeads(terms);
  return [
    delivered,
    ...(deliveredToday === terms.dailyMaximum
      ? [{ type: 'DailyMaximumReached' as const, data: { at, localDay, deliveredLeads: deliveredToday } }]
      : []),
    ...(filled ? [{ type: 'OrderFilled' as const, data: { at, deliveredLeads: deliveredInAll } }] : []),
  ];
}

function refuseDelivery(state: OrderState, terms: Terms, localDay: string): Refusal | undefined {
  if (state.status !== 'open') return refuseIn(state, 'given leads', 'ORD-1');
  if (terms.dailyMaximum !== undefined && deliveredOn(state, localDay) >= terms.dailyMaximum)
    return refuse('daily-maximum-reached', `the order had its ${terms.dailyMaximum} leads on ${localDay}`, 'DLV-5');
  return undefined;
}

/** Filled and cancelled orders still get what they are owed (RPL-6, RPL-9); a paused one receives nothing (ORD-2). */
function refuseReplacement(state: OrderState, replacementId: string): Refusal | undefined {
  if (!state.owed.has(replacementId))
    return refuse('replacement-not-owed', `replacement ${replacementId} is not owed`, 'RPL-6');
  return state.status === 'paused' ? refuseIn(state, 'given leads', 'ORD-2') : undefined;
}

/** A clock that was set back must not open a day anew: whatever lies before the latest day counts with it. */
const deliveredOn = ({ day }: OrderState, localDay: string): number =>
  localDay > day.localDay ? 0 : day.deliveredLeads;

const refuseIn = ({ status }: OrderState, what: string, rule: string): Refusal =>
  refuse(`order-${status}`, `the order is ${status.replace('-', ' ')}: it cannot be ${what}`, rule);
