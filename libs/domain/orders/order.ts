import { z } from 'zod';
import { type DistributionDecision, distributionDecision } from '../distribution/decision.ts';
import { type Decider, type Decision, type Refusal, refuse } from '../kernel/decider.ts';
import { cents, count, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { addDays } from '../kernel/instants.ts';
import { localDayOf } from '../kernel/local-days.ts';
import { percentOf } from '../kernel/percent.ts';
import { bonus, bonusOf, type LoyaltyTerms, loyaltyTerms } from '../loyalty/bonus.ts';

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
    /** What it took off the price; renewals cost the full price (LOY-2). */
    coupon: z.object({ code: z.string(), discountCents: cents }).optional(),
    checkoutId: z.string().optional(),
    /** Absent when the order does not take part in Loyalty Rewards. */
    loyalty: loyaltyTerms.optional(),
    /** What the next renewal gives as things stand; each event that changes it tells it anew. */
    nextBonus: bonus.optional(),
  }),
  PaymentCaptured: fact({ reference: z.string(), amountCents: cents, currency: z.string() }),
  PaymentDeclined: fact({ reason: z.string() }),
  /** The order was cancelled while its payment, or that of a renewal, was under way: the money is to be given back. */
  PaymentCapturedTooLate: fact({
    reference: z.string(),
    amountCents: cents,
    currency: z.string(),
    renewalNumber: z.int().positive().optional(),
  }),
  OrderPaused: fact({
    /** Of all in the life of the order (LOY-4). Absent on the oldest events. */
    pauseNumber: z.int().positive().optional(),
    /** When it restarts by itself (ORD-3), by this version of the policy. */
    restartsAt: instant.optional(),
    policyVersion: z.int().positive().optional(),
    nextBonus: bonus.optional(),
  }),
  OrderRestarted: fact({ automatic: z.literal(true).optional() }),
  /** LOY-2, LOY-9: a renewal was paid and adds to what is owed. */
  OrderReopened: fact({
    renewalNumber: z.int().positive(),
    quantity: z.int().positive(),
    /** By the number of the renewal and the pauses counted until now (LOY-3, LOY-4). */
    ...bonus.shape,
    pausesCounted: count,
    totalCents: cents,
    currency: z.string(),
    paymentReference: z.string(),
    /** By which the ladder was promised. */
    policyVersion: z.int().positive(),
    nextBonus: bonus,
  }),
  /** ORD-4: from here on, today included. */
  DailyMaximumChanged: fact({ dailyMaximum: z.int().positive() }),
  /** ORD-4: the next charge goes to this card. */
  PaymentCardChanged: fact({ paymentToken: z.string() }),
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
    } & Omit<Terms, 'bonusLeads'>)
  | { type: 'CapturePayment'; at: Instant; reference: string; amountCents: number; currency: string }
  | { type: 'DeclinePayment'; at: Instant; reason: string }
  /** How the pause ends by itself if the order takes part in Loyalty Rewards; absent once its programme is cancelled. */
  | { type: 'PauseOrder'; at: Instant; restart?: { afterDays: number; policyVersion: number } }
  | { type: 'RestartOrder'; at: Instant }
  /** Ends the pause of this number; a later one goes on. */
  | { type: 'RestartAutomatically'; at: Instant; pauseNumber: number }
  | {
      type: 'ReopenOrder';
      at: Instant;
      renewalNumber: number;
      paymentReference: string;
      amountCents: number;
      currency: string;
    }
  | { type: 'ChangeDailyMaximum'; at: Instant; dailyMaximum: DailyMaximum }
  | { type: 'ChangePaymentCard'; at: Instant; paymentToken: string }
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
  coupon?: { code: string; discountCents: number };
  checkoutId?: string;
  loyalty?: LoyaltyTerms;
}

/** How a daily maximum is asked for (CHK-2). */
export type DailyMaximum = { readonly leads: number } | { readonly percent: number };

/** ORD-1. */
export const orderStatuses = ['awaiting-payment', 'payment-failed', 'open', 'paused', 'filled', 'cancelled'] as const;
export type OrderStatus = 'unknown' | (typeof orderStatuses)[number];

export interface OrderState {
  status: OrderStatus;
  /** As they stand now: support may have changed daily maximum and card. */
  terms: Terms | undefined;
  paid: boolean;
  /** Ordered and bonus leads, of the first order and all renewals. */
  owedLeads: number;
  /** The last renewal that was answered for. */
  renewals: number;
  /** Over the whole life of the order (LOY-4). */
  pauses: number;
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
    owedLeads: 0,
    renewals: 0,
    pauses: 0,
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
        return state.status === 'open' ? pause(command, state, state.terms) : refuseIn(state, 'paused', 'ORD-2');
      case 'RestartOrder':
        if (state.status === 'open') return [];
        return state.status === 'paused'
          ? [{ type: 'OrderRestarted', data: { at } }]
          : refuseIn(state, 'restarted', 'ORD-2');
      case 'RestartAutomatically':
        if (state.status !== 'paused' || state.pauses !== command.pauseNumber) return [];
        return [{ type: 'OrderRestarted', data: { at, automatic: true } }];
      case 'ReopenOrder':
        return reopen(command, state, state.terms);
      case 'ChangeDailyMaximum':
        return changeDailyMaximum(command, state, state.terms);
      case 'ChangePaymentCard': {
        const { paymentToken } = command;
        if (isOver(state)) return refuseIn(state, 'paid with another card', 'ORD-4');
        return paymentToken === state.terms.paymentToken
          ? []
          : [{ type: 'PaymentCardChanged', data: { at, paymentToken } }];
      }
      case 'CancelOrder':
        if (state.status === 'cancelled') return [];
        return state.status === 'filled' || state.status === 'payment-failed'
          ? refuseIn(state, 'cancelled', 'ORD-5')
          : [{ type: 'OrderCancelled', data: { at, undeliveredLeads: state.owedLeads - state.deliveredLeads } }];
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
        state.owedLeads = owedLeads(event.data);
        state.status = 'awaiting-payment';
        break;
      case 'PaymentCaptured':
        state.paid = true;
        state.status = 'open';
        break;
      case 'PaymentCapturedTooLate':
        state.paid = true;
        state.renewals = event.data.renewalNumber ?? state.renewals;
        break;
      case 'OrderRestarted':
        state.status = 'open';
        break;
      case 'PaymentDeclined':
        state.status = 'payment-failed';
        break;
      case 'OrderPaused':
        state.status = 'paused';
        state.pauses += 1;
        break;
      case 'OrderReopened':
        if (state.status === 'filled') state.status = 'open';
        state.owedLeads += owedLeads(event.data);
        state.renewals = event.data.renewalNumber;
        break;
      case 'DailyMaximumChanged':
        state.terms = { ...(state.terms as Terms), dailyMaximum: event.data.dailyMaximum };
        break;
      case 'PaymentCardChanged':
        state.terms = { ...(state.terms as Terms), paymentToken: event.data.paymentToken };
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
        state.day = dayWith(state.day, localDay);
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

/** What an order or a renewal of it adds to what is owed, replacements aside (ORD-6). */
export const owedLeads = ({ quantity, bonusLeads }: Pick<Terms, 'quantity' | 'bonusLeads'>): number =>
  quantity + bonusLeads;

/** CHK-2: a number of leads a day as it is, a percentage of the ordered quantity rounded up, at least 1. */
export const dailyMaximumOf = (asked: DailyMaximum, quantity: number): number =>
  'leads' in asked ? asked.leads : Math.max(1, Math.ceil(percentOf(quantity, asked.percent)));

function place(command: Extract<OrderCommand, { type: 'PlaceOrder' }>, state: OrderState): Decision<OrderEvent> {
  if (state.terms) return [];
  const { type: _, orderLimits, batchType, ...terms } = command;
  const { smallest, largest } = orderLimits;
  if (terms.quantity < smallest || terms.quantity > largest)
    return refuse('quantity-outside-limits', `an order of this type is for ${smallest} to ${largest} leads`, 'CAT-3');
  if (batchType && terms.dailyMaximum !== undefined) return noMaximumOnBatchTypes;
  if (!batchType && terms.dailyMaximum === undefined)
    return refuse('daily-maximum-missing', 'an order of real-time leads names its daily maximum', 'CHK-1');
  const { quantity, pricePerLeadCents, loyalty, coupon } = terms;
  const totalCents = quantity * pricePerLeadCents - (coupon?.discountCents ?? 0);
  const bonusLeads = loyalty ? bonusOf(loyalty, quantity, 0, 0).bonusLeads : 0;
  const nextBonus = loyalty && { nextBonus: bonusOf(loyalty, quantity, 1, 0) };
  return [{ type: 'OrderPlaced', data: { ...terms, bonusLeads, totalCents, ...nextBonus } }];
}

function pause(
  { at, restart }: Extract<OrderCommand, { type: 'PauseOrder' }>,
  { pauses, renewals }: OrderState,
  { loyalty, quantity }: Terms,
): Decision<OrderEvent> {
  const pauseNumber = pauses + 1;
  const restarts = loyalty &&
    restart && { restartsAt: addDays(at, restart.afterDays), policyVersion: restart.policyVersion };
  const nextBonus = loyalty && { nextBonus: bonusOf(loyalty, quantity, renewals + 1, pauseNumber) };
  return [{ type: 'OrderPaused', data: { at, pauseNumber, ...restarts, ...nextBonus } }];
}

/**
 * Decided here, where pauses are counted, so that a pause at the same moment is either before or after. What was paid
 * for an order that has ended is recorded, to be given back.
 */
function reopen(
  command: Extract<OrderCommand, { type: 'ReopenOrder' }>,
  state: OrderState,
  { loyalty, quantity, policyVersion }: Terms,
): Decision<OrderEvent> {
  const { at, renewalNumber, paymentReference, amountCents, currency } = command;
  const { renewals, pauses: pausesCounted } = state;
  if (!loyalty) return refuse('not-in-loyalty-rewards', 'the order does not take part in Loyalty Rewards', 'LOY-1');
  if (renewalNumber <= renewals) return [];
  if (renewalNumber > renewals + 1)
    return refuse('renewal-out-of-turn', `renewal ${renewals + 1} comes before renewal ${renewalNumber}`, 'LOY-2');
  if (isOver(state)) {
    const data = { at, reference: paymentReference, amountCents, currency, renewalNumber };
    return [{ type: 'PaymentCapturedTooLate', data }];
  }
  const reopened = {
    at,
    renewalNumber,
    quantity,
    ...bonusOf(loyalty, quantity, renewalNumber, pausesCounted),
    pausesCounted,
    totalCents: amountCents,
    currency,
    paymentReference,
    policyVersion,
    nextBonus: bonusOf(loyalty, quantity, renewalNumber + 1, pausesCounted),
  };
  return [{ type: 'OrderReopened', data: reopened }];
}

/** A maximum lowered to what the day has brought already makes the day full: that is reaching it, too (DLV-5). */
function changeDailyMaximum(
  { at, dailyMaximum: asked }: Extract<OrderCommand, { type: 'ChangeDailyMaximum' }>,
  state: OrderState,
  { dailyMaximum: before, quantity, timeZone }: Terms,
): Decision<OrderEvent> {
  if (isOver(state)) return refuseIn(state, 'given another daily maximum', 'ORD-4');
  if (before === undefined) return noMaximumOnBatchTypes;
  const dailyMaximum = dailyMaximumOf(asked, quantity);
  if (dailyMaximum === before) return [];
  const localDay = localDayOf(at, timeZone);
  const deliveredLeads = deliveredOn(state, localDay);
  const becomesFull = deliveredLeads >= dailyMaximum && deliveredLeads < before;
  return [
    { type: 'DailyMaximumChanged', data: { at, dailyMaximum } },
    ...(becomesFull ? [{ type: 'DailyMaximumReached' as const, data: { at, localDay, deliveredLeads } }] : []),
  ];
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
  const filled = deliveredInAll === state.owedLeads;
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

const deliveredOn = ({ day }: OrderState, localDay: string): number =>
  localDay > day.localDay ? 0 : day.deliveredLeads;

/**
 * The latest day with a delivery, once there is one more. A clock that was set back must not open a day anew: whatever
 * lies before the latest day counts with it.
 */
export const dayWith = (day: OrderState['day'], localDay: string): OrderState['day'] =>
  localDay > day.localDay
    ? { localDay, deliveredLeads: 1 }
    : { localDay: day.localDay, deliveredLeads: day.deliveredLeads + 1 };

/** Neither leads nor renewals to come. A filled order may be re-opened. */
const isOver = ({ status }: OrderState): boolean => status === 'cancelled' || status === 'payment-failed';

const noMaximumOnBatchTypes = refuse(
  'daily-maximum-on-batch-type',
  'fresh and aged leads have no daily maximum',
  'CHK-3',
);

const refuseIn = ({ status }: OrderState, what: string, rule: string): Refusal =>
  refuse(`order-${status}`, `the order is ${status.replace('-', ' ')}: it cannot be ${what}`, rule);
