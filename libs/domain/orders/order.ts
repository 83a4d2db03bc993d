import { z } from 'zod';
import { withFormerKey } from '../accounts/business.ts';
import { type DistributionDecision, distributionDecision } from '../distribution/decision.ts';
import { counted } from '../kernel/counted.ts';
import { type Decider, type Decision, type Refusal, refuse, undecided } from '../kernel/decider.ts';
import { codedReason } from '../kernel/declines.ts';
import { cents, count, type EventsOf, fact, type Instant, instant, type Secret, unsealed } from '../kernel/events.ts';
import { currency, id, keyedHash, secretFor, storeText, timeZone } from '../kernel/fields.ts';
import { addDays } from '../kernel/instants.ts';
import { type LocalDay, localDayOf } from '../kernel/local-days.ts';
import { percentOf } from '../kernel/percent.ts';
import {
  customerInCommand,
  ownerOrSupportWithoutReason,
  processOnly,
  type RightsOf,
  support,
} from '../kernel/rights.ts';
import { bonus, bonusOf, loyaltyTerms } from '../loyalty/bonus.ts';
import { customerErased } from '../persons/erasures.ts';
import { buyer } from './buyer.ts';
import { type Advised, insteadOf } from './instead.ts';
import {
  correctTimeZone,
  type OrderTimeZoneCommand,
  orderTimeZoneEvents,
  orderTimeZoneRights,
  refuseUnknownZone,
} from './order-time-zone.ts';
import {
  capturePayment,
  declinePayment,
  type PaymentCommand,
  paymentEvents,
  paymentRights,
  recordNotCaptured,
  recordPayerForgotten,
  recordUnknown,
  resolvePayment,
  type UnknownCharge,
} from './payments.ts';
import { countOnDay, deliveredOn, isFullOn, noProgress, type OrderProgress } from './progress.ts';
import {
  decideRefund,
  evolveRefund,
  noRefunds,
  notePayment,
  type RefundCommand,
  type RefundState,
  refundEvents,
  refundRights,
} from './refunds.ts';
import {
  noReplacedCoupons,
  type ReplacedCouponCommand,
  type ReplacedCouponState,
  refuseReplacedCoupon,
  replacedCouponEvents,
  replacedCouponRights,
  replaceOrderCoupon,
} from './replaced-coupon.ts';
import { type ReturnPromise, returnPromiseOf } from './return-promise.ts';
import { noStanding, type OrderStanding, standingAfter } from './standing.ts';
import { type ExpectedTotal, refuseOtherTotal, totalCentsOf } from './total.ts';

/** An order of leads, from checkout to the last lead and the last replacement. */
export const orderStream = (orderId: string) => `order-${orderId}` as const;

/** Why a replacement is not owed any more: its customer was erased, or its verdict is corrected (RPL-10). */
const forgivingCauses = [customerErased, 'verdict-corrected'] as const;
type ForgivingCause = (typeof forgivingCauses)[number];

/** Who has it and the key of the store at the payment provider can charge the card. */
const paymentToken = secretFor('customer', 'payment-token');

export const orderEvents = {
  OrderPlaced: fact({
    customerId: id,
    storeId: id,
    leadTypeId: id,
    quantity: z.int().positive(),
    bonusLeads: count,
    /** Leads a local day at most. Absent: no maximum; batch types have none (CHK-3). */
    dailyMaximum: z.int().positive().optional(),
    timeZone,
    pricePerLeadCents: cents,
    totalCents: cents,
    currency,
    paymentToken,
    statementDescriptor: storeText,
    policyVersion: z.int().positive(),
    /** The discount on the first order; renewals cost the full price (LOY-2). */
    coupon: z.object({ code: storeText, discountCents: cents }).optional(),
    checkoutId: id.optional(),
    /** ACC-7: whoever ordered said only the address of the customer. */
    withoutSignIn: z.literal(true).optional(),
    /** Absent when the order does not take part in Loyalty Rewards. */
    loyalty: loyaltyTerms.optional(),
    /** Where the checkout showed the dates of the renewals: from when they count. Absent: from this event (LOY-1). */
    renewalsCountedFrom: instant.optional(),
    /** What the next renewal will give. Each event that changes it carries the new value. */
    nextBonus: bonus.optional(),
  }),
  ...paymentEvents,
  ...refundEvents,
  ...replacedCouponEvents,
  ...orderTimeZoneEvents,
  OrderPaused: fact({
    /** Counted over the life of the order (LOY-4). Absent on the oldest events. */
    pauseNumber: z.int().positive().optional(),
    /** When the order restarts automatically (ORD-3), by this version of the policy. */
    restartsAt: instant.optional(),
    policyVersion: z.int().positive().optional(),
    nextBonus: bonus.optional(),
  }),
  OrderRestarted: fact({ automatic: z.literal(true).optional() }),
  /** LOY-2, LOY-9: a renewal was paid, and more leads are owed. */
  OrderReopened: fact({
    renewalNumber: z.int().positive(),
    quantity: z.int().positive(),
    /** The bonus depends on the renewal's number and the pauses counted until now (LOY-3, LOY-4). */
    ...bonus.shape,
    pausesCounted: count,
    totalCents: cents,
    currency,
    paymentReference: id,
    /** The version that promised the ladder. */
    policyVersion: z.int().positive(),
    nextBonus: bonus,
  }),
  /** ORD-4: holds from now on, today included. */
  DailyMaximumChanged: fact({ dailyMaximum: z.int().positive() }),
  /** ORD-4: the next charge goes to this card. */
  PaymentCardChanged: fact({ paymentToken }),
  /** `cause`: absent where somebody cancelled it. */
  OrderCancelled: fact({ undeliveredLeads: count, cause: z.literal(customerErased).optional() }),
  OrderFilled: fact({ deliveredLeads: count }),
  LeadDelivered: fact({
    leadId: id,
    leadTypeId: id,
    customerId: id,
    storeId: id,
    businessKey: keyedHash,
    /** The calendar day of the receipt in the order's time zone, as YYYY-MM-DD (DLV-5). */
    localDay: z.iso.date(),
    replacementFor: id.optional(),
    /** Until when it may be returned (RPL-2). Absent in older deliveries: the policy of their decision says it. */
    returnableUntil: instant.optional(),
    decision: distributionDecision,
  }),
  DailyMaximumReached: fact({ localDay: z.iso.date(), deliveredLeads: count }),
  ReplacementOwed: fact({
    replacementId: id,
    leadId: id,
    leadTypeId: id,
    customerId: id,
    owedSince: instant,
  }),
  /** The replacement is not owed any more. */
  ReplacementForgiven: fact({ replacementId: id, leadId: id, cause: z.enum(forgivingCauses) }),
};
export type OrderEvent = EventsOf<typeof orderEvents>;

/** An order as its checkout promises it. What depends on the order itself, such as the bonus leads, is left to the order. */
export const promisedOrder = orderEvents.OrderPlaced.omit({
  at: true,
  bonusLeads: true,
  checkoutId: true,
  nextBonus: true,
});
export type PromisedOrder = z.infer<typeof promisedOrder>;

type DataOf<Type extends OrderEvent['type']> = Extract<OrderEvent, { type: Type }>['data'];

type Data = Record<string, unknown>;

/** Version 1 stored the token as it is. */
const tokenInBox = ({ paymentToken: token, ...data }: Data): Data => ({
  ...data,
  paymentToken: { ...unsealed(token, 'payment-token'), secret: true },
});

export const orderUpcasters = {
  OrderPlaced: [tokenInBox],
  PaymentCardChanged: [tokenInBox],
  PaymentDeclined: [codedReason],
  LeadDelivered: [withFormerKey],
};

export type OrderCommand =
  | ({
      type: 'PlaceOrder';
      at: Instant;
      orderLimits: { smallest: number; largest: number };
      batchType: boolean;
    } & ExpectedTotal &
      Omit<Terms, 'bonusLeads'>)
  /** A checkout was closed with these terms, or an account claimed with them, so they are not checked again. */
  | ({ type: 'PlacePromisedOrder'; at: Instant; checkoutId?: string } & PromisedOrder)
  | PaymentCommand
  | RefundCommand
  | ReplacedCouponCommand
  | OrderTimeZoneCommand
  /** `restart`: how the pause ends automatically in Loyalty Rewards; absent once the programme is cancelled. */
  | ({ type: 'PauseOrder'; at: Instant; restart?: { afterDays: number; policyVersion: number } } & Advised)
  | ({ type: 'RestartOrder'; at: Instant } & Advised)
  /** Ends the pause of this number, and no later one. */
  | { type: 'RestartAutomatically'; at: Instant; pauseNumber: number }
  | {
      type: 'ReopenOrder';
      at: Instant;
      renewalNumber: number;
      paymentReference: string;
      amountCents: number;
      currency: string;
      /** The customer was erased: the money is given back. */
      owedBack?: true;
    }
  /** `realTime`: the lead type takes a maximum, also where the order had none (CHK-3). */
  | { type: 'ChangeDailyMaximum'; at: Instant; dailyMaximum: DailyMaximum; realTime?: boolean }
  | { type: 'ChangePaymentCard'; at: Instant; paymentToken: Secret }
  /** `cause`: where the store itself cancels it. */
  | ({ type: 'CancelOrder'; at: Instant; cause?: typeof customerErased } & Advised)
  | {
      type: 'DeliverLead';
      at: Instant;
      leadId: string;
      leadTypeId: string;
      businessKey: string;
      replacementFor?: string;
      /** RPL-2: by the policy of the decision. */
      returnWindowDays?: number;
      decision: DistributionDecision;
    }
  | { type: 'OweReplacement'; at: Instant; replacementId: string; leadId: string; owedSince: Instant }
  | { type: 'ForgiveReplacement'; at: Instant; replacementId: string; cause: ForgivingCause };

export const customerOfOrder = ({ terms }: OrderState): string | undefined => terms?.customerId;
const owner = ownerOrSupportWithoutReason<unknown, OrderState>(({ state }) => customerOfOrder(state), 'BCK-2');

/** Who may ask for which command. */
export const orderRights = {
  PlaceOrder: ownerOrSupportWithoutReason(customerInCommand, 'CHK-1'),
  PlacePromisedOrder: buyer<Pick<PromisedOrder, 'customerId' | 'withoutSignIn'>, OrderState>(({ command }) => command),
  ...paymentRights,
  ...refundRights,
  ...replacedCouponRights,
  ...orderTimeZoneRights,
  PauseOrder: owner,
  RestartOrder: owner,
  RestartAutomatically: processOnly,
  ReopenOrder: processOnly,
  ChangeDailyMaximum: support('ORD-4'),
  ChangePaymentCard: support('ORD-4'),
  CancelOrder: owner,
  DeliverLead: processOnly,
  OweReplacement: processOnly,
  ForgiveReplacement: processOnly,
} satisfies RightsOf<OrderCommand, OrderState>;

/** What the customer agreed to (CHK-1), at the price in effect at checkout (CAT-3). */
export type Terms = Omit<DataOf<'OrderPlaced'>, 'at' | 'totalCents' | 'nextBonus'>;

/** A daily maximum as the customer states it (CHK-2). */
export type DailyMaximum = { readonly leads: number } | { readonly percent: number };

/** ORD-1. */
export const orderStatuses = ['awaiting-payment', 'payment-failed', 'open', 'paused', 'filled', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export interface OrderState extends OrderStanding, OrderProgress, RefundState, ReplacedCouponState {
  /** The present terms: daily maximum and card may have changed since checkout. */
  terms: Terms | undefined;
  /** The first payment was captured, in time or not. */
  paid: boolean;
  /** Not too late: the order was carried out, and has the discount of its coupon (CPN-4). */
  paidInTime: boolean;
  /** Nobody knows whether the payment was captured. */
  paymentUnknown: boolean;
  /** The charge that is or was unknown, also once its result is recorded. */
  unknownCharge: UnknownCharge | undefined;
  /** The number of the last renewal whose payment is recorded, also of one that came too late. */
  renewalsPaid: number;
  /** Over the whole life of the order (LOY-4). */
  pauses: number;
  /** Lead id → the instant of its receipt, which decides about a return (RPL-2). */
  readonly receipts: Map<string, Instant>;
  /** Lead id → until when it may be returned (RPL-2); for older deliveries, the policy version that says so. */
  readonly returnPromises: Map<string, ReturnPromise>;
  /** Replacement id → the withdrawn lead, while the replacement is owed. */
  readonly owed: Map<string, string>;
  /** All replacements ever owed, delivered or not: each is owed only once, unless its verdict was corrected. */
  readonly everOwed: Set<string>;
}

export const order: Decider<OrderState, OrderCommand, OrderEvent> = {
  initialState: () => ({
    ...noStanding(),
    ...noProgress(),
    ...noRefunds(),
    ...noReplacedCoupons(),
    terms: undefined,
    paid: false,
    paidInTime: false,
    paymentUnknown: false,
    unknownCharge: undefined,
    renewalsPaid: 0,
    pauses: 0,
    receipts: new Map(),
    returnPromises: new Map(),
    owed: new Map(),
    everOwed: new Set(),
  }),

  decide(command, state): Decision<OrderEvent> {
    if (command.type === 'PlaceOrder') return place(command, state);
    if (command.type === 'PlacePromisedOrder') return placePromised(command, state);
    if (command.type === 'ReplaceOrderCoupon') return replaceOrderCoupon(command, state, isOver(state));
    const { terms } = state;
    if (!terms) return unknownOrder;
    switch (command.type) {
      case 'CapturePayment':
        return capturePayment(command, state);
      case 'DeclinePayment':
        return declinePayment(command, state);
      case 'RecordPaymentNotCaptured':
        return recordNotCaptured(command, state);
      case 'RecordPaymentUnknown':
        return recordUnknown(command, state);
      case 'ResolvePayment':
        return resolvePayment(command, state);
      case 'RecordPayerForgotten':
        return recordPayerForgotten(command);
      case 'WishRefund':
      case 'RecordRefunded':
      case 'RecordRefundFailed':
      case 'RecordRefundReturned':
      case 'RetryRefund':
      case 'SettleRefund':
      case 'RecordDispute':
        return decideRefund(command, state);
      case 'PauseOrder':
        return pause(command, state, terms);
      case 'RestartOrder':
        return restart(command, state);
      case 'RestartAutomatically':
        return restartAutomatically(command, state);
      case 'ReopenOrder':
        return reopen(command, state, terms);
      case 'ChangeDailyMaximum':
        return changeDailyMaximum(command, state, terms);
      case 'ChangePaymentCard':
        return changePaymentCard(command, state, terms);
      case 'CancelOrder':
        return cancel(command, state);
      case 'CorrectOrderTimeZone':
        return correctTimeZone(command, terms);
      case 'DeliverLead':
        return command.replacementFor
          ? deliverReplacement(command, command.replacementFor, state, terms)
          : deliver(command, state, terms);
      case 'OweReplacement':
        return oweReplacement(command, state, terms);
      case 'ForgiveReplacement':
        return forgiveReplacement(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event) {
    Object.assign(state, standingAfter(state, event));
    switch (event.type) {
      case 'OrderPlaced':
        state.terms = termsOf(event.data);
        break;
      case 'PaymentCaptured':
        state.paidInTime = true;
        notePaid(state, event.data);
        break;
      case 'PaymentCapturedTooLate':
        notePaid(state, event.data);
        break;
      case 'PaymentUnknown':
        Object.assign(state, { paymentUnknown: true, unknownCharge: event.data });
        break;
      case 'PaymentDeclined':
      case 'PaymentNotCaptured':
        state.paymentUnknown = false;
        break;
      case 'OrderPaused':
        state.pauses += 1;
        break;
      case 'OrderReopened':
        notePayment(state, event.data.renewalNumber, {
          reference: event.data.paymentReference,
          amountCents: event.data.totalCents,
          currency: event.data.currency,
        });
        state.renewalsPaid = event.data.renewalNumber;
        break;
      case 'DailyMaximumChanged':
        if (state.terms) state.terms = { ...state.terms, dailyMaximum: event.data.dailyMaximum };
        break;
      case 'PaymentCardChanged':
        if (state.terms) state.terms = { ...state.terms, paymentToken: event.data.paymentToken };
        break;
      case 'OrderTimeZoneCorrected':
        if (state.terms) state.terms = { ...state.terms, timeZone: event.data.timeZone };
        break;
      case 'LeadDelivered': {
        const { at, leadId, localDay, replacementFor } = event.data;
        state.receipts.set(leadId, at);
        state.returnPromises.set(leadId, returnPromiseOf(event.data));
        if (replacementFor) state.owed.delete(replacementFor);
        else countOnDay(state, localDay);
        break;
      }
      case 'ReplacementOwed':
        state.owed.set(event.data.replacementId, event.data.leadId);
        state.everOwed.add(event.data.replacementId);
        break;
      case 'ReplacementForgiven':
        state.owed.delete(event.data.replacementId);
        if (event.data.cause === 'verdict-corrected') state.everOwed.delete(event.data.replacementId);
        break;
      case 'OrderRestarted':
      case 'OrderCancelled':
      case 'OrderFilled':
      case 'DailyMaximumReached':
      case 'PayerForgotten':
        break;
      case 'OrderCouponReplaced':
        state.replacedCoupons.set(event.data.code, event.data.by);
        break;
      case 'RefundWished':
      case 'PaymentRefunded':
      case 'RefundFailed':
      case 'RefundReturned':
      case 'RefundRetried':
      case 'RefundSettled':
      case 'PaymentDisputed':
        evolveRefund(state, event);
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

const termsOf = ({ at: _at, totalCents: _total, nextBonus: _bonus, ...terms }: DataOf<'OrderPlaced'>): Terms => terms;

/** The first payment, or one that came too late. Then it is known what became of the charge. */
function notePaid(
  state: OrderState,
  payment: { renewalNumber?: number | undefined; reference: string; amountCents: number; currency: string },
): void {
  const { renewalNumber } = payment;
  notePayment(state, renewalNumber ?? 0, payment);
  if (renewalNumber === undefined) Object.assign(state, { paid: true, paymentUnknown: false });
  else state.renewalsPaid = renewalNumber;
}

/** CHK-2: a number of leads a day is taken as it is, a percentage of the ordered quantity is rounded up, at least to 1. */
export const dailyMaximumOf = (asked: DailyMaximum, quantity: number): number =>
  'leads' in asked ? asked.leads : Math.max(1, Math.ceil(percentOf(quantity, asked.percent)));

type Command<Type extends OrderCommand['type']> = Extract<OrderCommand, { type: Type }>;

function place(command: Command<'PlaceOrder'>, state: OrderState): Decision<OrderEvent> {
  if (state.terms) return [];
  const {
    type: _type,
    orderLimits: _limits,
    batchType: _batch,
    expectedTotalCents,
    expectedCurrency,
    ...terms
  } = command;
  const refusal =
    refuseReplacedCoupon(command, state) ??
    refusePlacing(command) ??
    refuseOtherTotal(terms, { expectedTotalCents, expectedCurrency });
  if (refusal) return refusal;
  return [placed({ ...terms, totalCents: totalCentsOf(terms) })];
}

/** A repeat gets the same order. An order that has ended is not passed off as the one that is asked for. */
function placePromised(
  { type: _, ...promised }: Command<'PlacePromisedOrder'>,
  state: OrderState,
): Decision<OrderEvent> {
  if (!state.terms) return [placed(promised)];
  return isOver(state) ? refuseIn(state, 'placed again', 'CHK-1') : [];
}

function placed(order: PromisedOrder & { readonly at: Instant; readonly checkoutId?: string | undefined }): OrderEvent {
  const { loyalty, quantity } = order;
  const bonusLeads = loyalty ? bonusOf(loyalty, quantity, 0, 0).bonusLeads : 0;
  const nextBonus = loyalty && { nextBonus: bonusOf(loyalty, quantity, 1, 0) };
  return { type: 'OrderPlaced', data: { ...order, bonusLeads, ...nextBonus } };
}

/** Why such an order cannot be placed, whatever card pays it. */
export const refusePlacing = ({
  quantity,
  dailyMaximum,
  orderLimits,
  batchType,
  timeZone,
}: Pick<Command<'PlaceOrder'>, 'quantity' | 'dailyMaximum' | 'orderLimits' | 'batchType' | 'timeZone'>):
  | Refusal
  | undefined =>
  refuseQuantity(quantity, orderLimits) ?? refuseMaximum(dailyMaximum, batchType) ?? refuseUnknownZone({ timeZone });

function refuseQuantity(quantity: number, { smallest, largest }: { smallest: number; largest: number }) {
  if (quantity >= smallest && quantity <= largest) return undefined;
  return refuse(
    'quantity-outside-limits',
    `an order of this type is for ${smallest} to ${counted(largest, 'lead')}`,
    'CAT-3',
  );
}

const refuseMaximum = (dailyMaximum: number | undefined, batchType: boolean): Refusal | undefined =>
  batchType && dailyMaximum !== undefined ? noMaximumOnBatchTypes : undefined;

function pause(
  { at, restart, renewsNoMore }: Command<'PauseOrder'>,
  state: OrderState,
  { loyalty, quantity }: Terms,
): Decision<OrderEvent> {
  if (state.status === 'paused') return [];
  if (state.status !== 'open') return refuseIn(state, 'paused', 'ORD-2', renewsNoMore);
  const pauseNumber = state.pauses + 1;
  const restarts = loyalty &&
    restart && { restartsAt: addDays(at, restart.afterDays), policyVersion: restart.policyVersion };
  const nextBonus = loyalty && { nextBonus: bonusOf(loyalty, quantity, state.renewals + 1, pauseNumber) };
  return [{ type: 'OrderPaused', data: { at, pauseNumber, ...restarts, ...nextBonus } }];
}

function restart({ at, renewsNoMore }: Command<'RestartOrder'>, state: OrderState): Decision<OrderEvent> {
  if (state.status === 'open') return [];
  if (state.status !== 'paused') return refuseIn(state, 'restarted', 'ORD-2', renewsNoMore);
  return [{ type: 'OrderRestarted', data: { at } }];
}

function restartAutomatically(
  { at, pauseNumber }: Command<'RestartAutomatically'>,
  { status, pauses }: OrderState,
): Decision<OrderEvent> {
  if (status !== 'paused' || pauses !== pauseNumber) return [];
  return [{ type: 'OrderRestarted', data: { at, automatic: true } }];
}

/**
 * The order decides this, because it counts its pauses: a pause at the same moment is either before the renewal or after
 * it. Money paid for an order that has ended is recorded, to be paid back.
 */
function reopen(
  command: Command<'ReopenOrder'>,
  state: OrderState,
  { loyalty, quantity, policyVersion }: Terms,
): Decision<OrderEvent> {
  const { at, renewalNumber, paymentReference, amountCents, currency } = command;
  const { renewalsPaid, pauses: pausesCounted } = state;
  if (!loyalty) return refuse('not-in-loyalty-rewards', 'the order does not take part in Loyalty Rewards', 'LOY-1');
  if (renewalNumber <= renewalsPaid) return [];
  if (renewalNumber > renewalsPaid + 1)
    return refuse('renewal-out-of-turn', `renewal ${renewalsPaid + 1} comes before renewal ${renewalNumber}`, 'LOY-2');
  if (isOver(state) || command.owedBack) return [paidTooLate(command)];
  const bonus = bonusOf(loyalty, quantity, renewalNumber, pausesCounted);
  const nextBonus = bonusOf(loyalty, quantity, renewalNumber + 1, pausesCounted);
  const payment = { totalCents: amountCents, currency, paymentReference };
  const reopened = { at, renewalNumber, quantity, ...bonus, pausesCounted, ...payment, policyVersion, nextBonus };
  return [{ type: 'OrderReopened', data: reopened }];
}

const paidTooLate = ({ at, renewalNumber, paymentReference, ...paid }: Command<'ReopenOrder'>): OrderEvent => {
  const { amountCents, currency } = paid;
  return {
    type: 'PaymentCapturedTooLate',
    data: { at, reference: paymentReference, amountCents, currency, renewalNumber },
  };
};

/** If the order has already received as many leads today as the new maximum, it reaches it at once (DLV-5). */
function changeDailyMaximum(
  { at, dailyMaximum: asked, realTime = false }: Command<'ChangeDailyMaximum'>,
  state: OrderState,
  { dailyMaximum: former, quantity, timeZone }: Terms,
): Decision<OrderEvent> {
  if (isOver(state)) return refuseIn(state, 'given another daily maximum', 'ORD-4');
  if (former === undefined && !realTime) return noMaximumOnBatchTypes;
  const dailyMaximum = dailyMaximumOf(asked, quantity);
  if (dailyMaximum === former) return [];
  const unknownZone = refuseUnknownZone({ timeZone });
  if (unknownZone) return unknownZone;
  const localDay = localDayOf(at, timeZone);
  const becomesFull = isFullOn(localDay, state, dailyMaximum) && !isFullOn(localDay, state, former);
  return [
    { type: 'DailyMaximumChanged', data: { at, dailyMaximum } },
    ...(becomesFull ? [maximumReached(at, localDay, deliveredOn(state, localDay))] : []),
  ];
}

function changePaymentCard(
  { at, paymentToken }: Command<'ChangePaymentCard'>,
  state: OrderState,
  terms: Terms,
): Decision<OrderEvent> {
  if (isOver(state)) return refuseIn(state, 'paid with another card', 'ORD-4');
  return paymentToken.box === terms.paymentToken.box
    ? []
    : [{ type: 'PaymentCardChanged', data: { at, paymentToken } }];
}

function cancel({ at, cause, renewsNoMore }: Command<'CancelOrder'>, state: OrderState): Decision<OrderEvent> {
  if (state.status === 'cancelled') return [];
  if (state.status === 'filled' || state.status === 'payment-failed')
    return refuseIn(state, 'cancelled', 'ORD-5', renewsNoMore);
  const undeliveredLeads = state.orderedLeads - state.deliveredLeads;
  return [{ type: 'OrderCancelled', data: { at, undeliveredLeads, ...(cause && { cause }) } }];
}

function deliver(command: Command<'DeliverLead'>, state: OrderState, terms: Terms): Decision<OrderEvent> {
  const { at, leadId } = command;
  if (state.receipts.has(leadId)) return [];
  const unknownZone = refuseUnknownZone(terms);
  if (unknownZone) return unknownZone;
  const localDay = localDayOf(at, terms.timeZone);
  if (state.status !== 'open') return refuseIn(state, 'given leads', 'ORD-1');
  if (isFullOn(localDay, state, terms.dailyMaximum))
    return refuse(
      'daily-maximum-reached',
      `the order had its ${counted(terms.dailyMaximum as number, 'lead')} on ${localDay}`,
      'DLV-5',
    );

  const deliveredToday = deliveredOn(state, localDay) + 1;
  const deliveredLeads = state.deliveredLeads + 1;
  return [
    delivered(command, terms, localDay),
    ...(deliveredToday === terms.dailyMaximum ? [maximumReached(at, localDay, deliveredToday)] : []),
    ...(deliveredLeads === state.orderedLeads ? [{ type: 'OrderFilled' as const, data: { at, deliveredLeads } }] : []),
  ];
}

/** Filled and cancelled orders still receive the replacements owed (RPL-6, RPL-9); a paused one does not (ORD-2). */
function deliverReplacement(
  command: Command<'DeliverLead'>,
  replacementId: string,
  state: OrderState,
  terms: Terms,
): Decision<OrderEvent> {
  if (state.receipts.has(command.leadId)) return [];
  if (!state.owed.has(replacementId))
    return refuse('replacement-not-owed', `replacement ${replacementId} is not owed`, 'RPL-6');
  if (state.status === 'paused') return refuseIn(state, 'given leads', 'ORD-2');
  const unknownZone = refuseUnknownZone(terms);
  if (unknownZone) return unknownZone;
  return [delivered(command, terms, localDayOf(command.at, terms.timeZone))];
}

function delivered(
  { at, leadId, leadTypeId, businessKey, replacementFor, returnWindowDays, decision }: Command<'DeliverLead'>,
  { customerId, storeId }: Terms,
  localDay: LocalDay,
): OrderEvent {
  const promise = returnWindowDays !== undefined && { returnableUntil: addDays(at, returnWindowDays) };
  const about = { at, leadId, leadTypeId, customerId, storeId, businessKey, localDay, replacementFor };
  return { type: 'LeadDelivered', data: { ...about, ...promise, decision } };
}

const maximumReached = (at: Instant, localDay: LocalDay, deliveredLeads: number): OrderEvent => ({
  type: 'DailyMaximumReached',
  data: { at, localDay, deliveredLeads },
});

function oweReplacement(
  { at, replacementId, leadId, owedSince }: Command<'OweReplacement'>,
  state: OrderState,
  { leadTypeId, customerId }: Terms,
): Decision<OrderEvent> {
  if (state.everOwed.has(replacementId)) return [];
  if (!state.receipts.has(leadId))
    return refuse('lead-not-delivered', `lead ${leadId} was not delivered to this order`, 'RPL-6');
  return [{ type: 'ReplacementOwed', data: { at, replacementId, leadId, leadTypeId, customerId, owedSince } }];
}

/** What was delivered, or is forgiven, is not owed. */
function forgiveReplacement(
  { at, replacementId, cause }: Command<'ForgiveReplacement'>,
  { owed }: OrderState,
): Decision<OrderEvent> {
  const leadId = owed.get(replacementId);
  return leadId === undefined ? [] : [{ type: 'ReplacementForgiven', data: { at, replacementId, leadId, cause } }];
}

/** The order receives no more leads and no renewals. A filled order is not over: a renewal may re-open it. */
export const isOver = ({ status }: Pick<OrderState, 'status'>): boolean =>
  status === 'cancelled' || status === 'payment-failed';

export const unknownOrder = refuse('order-unknown', 'there is no such order');

const noMaximumOnBatchTypes = refuse(
  'daily-maximum-on-batch-type',
  'fresh and aged leads have no daily maximum',
  'CHK-3',
);

const refuseIn = ({ status, terms }: OrderState, what: string, rule: string, renewsNoMore = false): Refusal => {
  const message = `the order is ${status.replace('-', ' ')}: it cannot be ${what}`;
  const mayRenew = terms?.loyalty !== undefined && !renewsNoMore;
  return refuse(`order-${status}`, `${message}; ${insteadOf(what, status, mayRenew)}`, rule);
};
