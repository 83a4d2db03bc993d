import { z } from 'zod';
import { type Decision, type Refusal, refuse } from '../kernel/decider.ts';
import { cents, count, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { currency, id } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { addHours } from '../kernel/instants.ts';
import { tellMoney } from '../kernel/minor-units.ts';
import { freshFactor, processOnly, type RightsOf, support, supportOrStore } from '../kernel/rights.ts';

/** Why a provider does not give money back, for people. Its own words are not kept, as for declined payments. */
const failures = {
  'no-balance': 'the balance at the payment provider does not suffice',
  'not-allowed': 'the payment provider did not accept the key of the store',
  'already-refunded': 'the payment provider has given the money back already',
  disputed: 'the customer disputes the payment at the bank',
  'unknown-payment': 'the payment provider does not know the payment',
  refused: 'the payment provider refused it',
  'returned-by-bank': 'the bank of the card sent the money back',
} as const;
export type RefundFailure = keyof typeof failures;
export const refundFailures = Object.keys(failures) as [RefundFailure, ...RefundFailure[]];
export const tellRefundFailure = (failure: RefundFailure): string => failures[failure];

/** Failures that may mend by themselves. All others wait for an operator at once. */
const mayMend: ReadonlySet<RefundFailure> = new Set(['no-balance', 'not-allowed']);

/** The delay after each failure that may mend. After the last one the refund waits for an operator. */
export const REFUND_RETRY_HOURS = [1, 24, 72] as const;

export const refundCauses = ['captured-too-late', 'by-hand'] as const;
type RefundCause = (typeof refundCauses)[number];

/** Of a dispute that the provider reports: the customer's bank takes a payment back. */
export const disputeStages = ['opened', 'won', 'lost'] as const;
export type DisputeStage = (typeof disputeStages)[number];

/** Why the holder of the card disputes a payment. The provider's words that say more are kept by the provider. */
export const disputeReasons = [
  'fraudulent',
  'duplicate',
  'not-received',
  'unacceptable',
  'subscription-cancelled',
  'unrecognized',
  'refund-not-made',
  'other',
] as const;
export type DisputeReason = (typeof disputeReasons)[number];

/** `renewalNumber`: which payment of the order; 0 is the first one. */
const refund = { refundId: id, renewalNumber: count, amountCents: z.int().positive(), currency };
const attempt = z.int().positive();

export const refundEvents = {
  /** `reference`: the payment, as the provider names it. The reason of a refund by hand is with the event's cause. */
  RefundWished: fact({ ...refund, reference: id, cause: z.enum(refundCauses) }),
  /** `reference`: the refund, as the provider names it. */
  PaymentRefunded: fact({ ...refund, attempt, reference: id }),
  /** Without `retryAt`, it waits for an operator. */
  RefundFailed: fact({ ...refund, attempt, failure: z.enum(refundFailures), retryAt: instant.optional() }),
  /** The bank of the card sent it back to the provider later: it waits for an operator. `reference`: the payment. */
  RefundReturned: fact({ ...refund, attempt, reference: id }),
  RefundRetried: fact({ refundId: id }),
  /** An operator gave the money back in another way. */
  RefundSettled: fact(refund),
  PaymentDisputed: fact({
    disputeId: id,
    renewalNumber: count,
    reference: id,
    amountCents: cents,
    currency,
    stage: z.enum(disputeStages),
    reason: z.enum(disputeReasons),
  }),
};
type RefundEvent = EventsOf<typeof refundEvents>;
type DataOf<Type extends RefundEvent['type']> = Extract<RefundEvent, { type: Type }>['data'];

export type RefundCommand =
  /** Without an amount: all that is left of the payment. */
  | {
      type: 'WishRefund';
      at: Instant;
      refundId: string;
      renewalNumber: number;
      amountCents?: number;
      /** The provider makes refunds of multiples only, in minor units. Absent: of any amount. */
      multipleOf?: number;
      cause: RefundCause;
    }
  | { type: 'RecordRefunded'; at: Instant; refundId: string; attempt: number; reference: string }
  | { type: 'RecordRefundFailed'; at: Instant; refundId: string; attempt: number; failure: RefundFailure }
  /** `reference`: the refund, as the provider names it. */
  | { type: 'RecordRefundReturned'; at: Instant; refundId: string; reference: string }
  /** `ifChanges`: only if the refund has changed so often since it was wished. */
  | { type: 'RetryRefund'; at: Instant; refundId: string; ifChanges?: number | undefined }
  | { type: 'SettleRefund'; at: Instant; refundId: string; ifChanges?: number | undefined }
  | ({ type: 'RecordDispute'; at: Instant } & Omit<DataOf<'PaymentDisputed'>, 'at' | 'renewalNumber'>);

export const refundRights = {
  WishRefund: freshFactor(supportOrStore('CHK-6')),
  RecordRefunded: processOnly,
  RecordRefundFailed: processOnly,
  RecordRefundReturned: processOnly,
  RetryRefund: freshFactor(support('CHK-6')),
  SettleRefund: freshFactor(support('CHK-6')),
  RecordDispute: processOnly,
} satisfies RightsOf<RefundCommand, unknown>;

/** A late payment causes one refund: the id is derived from its event. */
export const refundIdOf = (eventId: string): string => deriveId('refund', eventId);

interface Payment {
  readonly reference: string;
  readonly amountCents: number;
  readonly currency: string;
}

interface Refund
  extends Pick<
    DataOf<'RefundWished'>,
    'refundId' | 'renewalNumber' | 'amountCents' | 'currency' | 'reference' | 'cause'
  > {
  /** `stuck`: it waits for an operator. */
  status: 'under-way' | 'stuck' | 'done';
  attempts: number;
  /** Attempts before an operator's retry do not count towards the schedule. */
  attemptsSinceRetry: number;
  /** How often it has changed since it was wished. */
  changes: number;
  /** The refund, as the provider names it. Only of one that it made. */
  madeAs?: string;
  /** What the provider named it before, when it came back. */
  readonly cameBackAs: string[];
}

interface Dispute {
  readonly renewalNumber: number;
  readonly amountCents: number;
  readonly currency: string;
  readonly stage: DisputeStage;
}

/** What was captured for an order, and what became of it. */
export interface RefundState {
  /** Number of the renewal, 0 for the order → its payment. What cost nothing has none. */
  readonly payments: Map<number, Payment>;
  readonly refunds: Map<string, Refund>;
  readonly disputes: Map<string, Dispute>;
}

export const noRefunds = (): RefundState => ({ payments: new Map(), refunds: new Map(), disputes: new Map() });

export function decideRefund(command: RefundCommand, state: RefundState): Decision<RefundEvent> {
  if (command.type === 'WishRefund') return wish(command, state);
  if (command.type === 'RecordDispute') return dispute(command, state);
  const refund = state.refunds.get(command.refundId);
  if (!refund) return refundUnknown;
  if (command.type === 'RecordRefundReturned') return comeBack(command, refund);
  if ('ifChanges' in command && command.ifChanges !== undefined && command.ifChanges !== refund.changes)
    return refuse(
      'refund-changed',
      `the refund has changed since: it is at revision ${refund.changes} by now`,
      'CHK-6',
    );
  if (refund.madeAs !== undefined && (command.type === 'SettleRefund' || command.type === 'RetryRefund'))
    return refuse('refund-made', 'the payment provider has given the money back', 'CHK-6');
  if (refund.status === 'done' && (command.type === 'SettleRefund' || command.type === 'RetryRefund'))
    return refuse('refund-settled', 'it is recorded that the money was given back in another way', 'CHK-6');
  if (refund.status === 'done') return [];
  switch (command.type) {
    case 'RetryRefund':
      return retry(command, refund, state);
    case 'SettleRefund':
      return settle(command, refund, state);
    default:
      return result(command, refund);
  }
}

type Command<Type extends RefundCommand['type']> = Extract<RefundCommand, { type: Type }>;

/** What an operator has given back of a late payment is not given back again by the process. */
function wish(command: Command<'WishRefund'>, state: RefundState): Decision<RefundEvent> {
  const { at, refundId, renewalNumber, cause } = command;
  if (state.refunds.has(refundId)) return [];
  const payment = state.payments.get(renewalNumber);
  if (!payment) return refuse('payment-not-captured', 'there is no such payment of this order', 'CHK-6');
  const byHand = cause === 'by-hand';
  const left = leftOf(payment, refundsOf(state, renewalNumber), byHand ? disputesOf(state, renewalNumber) : []);
  const amountCents = command.amountCents ?? left;
  if (left <= 0 && !byHand) return [];
  const { reference, currency } = payment;
  const { multipleOf = 1 } = command;
  if (left <= 0 || amountCents > left) return refuseAbove(left, payment, disputesOf(state, renewalNumber));
  if (amountCents % multipleOf !== 0) {
    const step = tellMoney(multipleOf, currency);
    return refuse('refund-not-possible', `the payment provider gives back multiples of ${step} only`, 'CHK-7');
  }
  return [{ type: 'RefundWished', data: { at, refundId, renewalNumber, amountCents, currency, reference, cause } }];
}

/** Of all refunds that were wished, also of those that are not made yet. */
const refundsOf = ({ refunds }: RefundState, renewalNumber: number): Refund[] =>
  [...refunds.values()].filter((one) => one.renewalNumber === renewalNumber);

/** The bank has taken it back, or may do so: it is not given back a second time. */
const disputesOf = ({ disputes }: RefundState, renewalNumber: number): Dispute[] =>
  [...disputes.values()].filter((one) => one.renewalNumber === renewalNumber && one.stage !== 'won');

const isForeign = (dispute: Dispute, payment: Payment): boolean => dispute.currency !== payment.currency;

/** What a dispute in another currency takes of the payment is not known: it may be the whole. */
function leftOf(payment: Payment, refunds: readonly Refund[], disputes: readonly Dispute[]): number {
  const taken = disputes.map((one) => (isForeign(one, payment) ? payment.amountCents : one.amountCents));
  const given = refunds.map(({ amountCents }) => amountCents);
  return [...taken, ...given].reduce((left, amountCents) => left - amountCents, payment.amountCents);
}

function refuseAbove(left: number, payment: Payment, disputes: readonly Dispute[]): Refusal {
  const most = `of this payment ${tellMoney(Math.max(left, 0), payment.currency)} may be given back`;
  const why = disputes.some((one) => isForeign(one, payment)) ? ': it is disputed in another currency' : '';
  return refuse('refund-above-payment', most + why, 'CHK-6');
}

/** A dispute since the wish counts as it does for a wish. Of other refunds that wait for an operator, each is decided about by itself. */
function refuseDisputed(refund: Refund, state: RefundState): Refusal | undefined {
  const { renewalNumber, amountCents, cause } = refund;
  const payment = state.payments.get(renewalNumber);
  if (cause !== 'by-hand' || !payment) return undefined;
  const others = refundsOf(state, renewalNumber).filter((one) => one !== refund && one.status !== 'stuck');
  const disputes = disputesOf(state, renewalNumber);
  const left = leftOf(payment, others, disputes);
  return amountCents > left ? refuseAbove(left, payment, disputes) : undefined;
}

/** After a crash the call is repeated: a result that is recorded already changes nothing. */
function result(command: Command<'RecordRefunded' | 'RecordRefundFailed'>, refund: Refund): Decision<RefundEvent> {
  const { at, attempt } = command;
  if (attempt !== refund.attempts + 1) return [];
  const data = { at, ...dataOf(refund), attempt };
  if (command.type === 'RecordRefunded')
    return [{ type: 'PaymentRefunded', data: { ...data, reference: command.reference } }];
  const { failure } = command;
  const hours = mayMend.has(failure) ? REFUND_RETRY_HOURS[refund.attemptsSinceRetry] : undefined;
  const retryAt = hours === undefined ? {} : { retryAt: addHours(at, hours) };
  return [{ type: 'RefundFailed', data: { ...data, failure, ...retryAt } }];
}

/**
 * Of an attempt before, it says nothing new. Whether one that has no result yet is the one that came back is not known: the provider
 * tells it again.
 */
function comeBack({ at, reference }: Command<'RecordRefundReturned'>, refund: Refund): Decision<RefundEvent> {
  if (refund.status === 'under-way') return refuseUnderWay();
  if (refund.madeAs !== reference) return isOfAttemptBefore(reference, refund) ? [] : refundUnknown;
  const data = { at, ...dataOf(refund), attempt: refund.attempts + 1, reference: refund.reference };
  return [{ type: 'RefundReturned', data }];
}

/** Of an attempt that failed, no name was recorded. */
const isOfAttemptBefore = (reference: string, { cameBackAs, attempts }: Refund): boolean =>
  cameBackAs.includes(reference) || attempts > cameBackAs.length;

const refundUnknown = refuse('refund-unknown', 'there is no such refund', 'CHK-6');
const refuseUnderWay = () => refuse('refund-under-way', 'the payment provider is being asked for this refund', 'CHK-6');

const dataOf = ({ refundId, renewalNumber, amountCents, currency }: Refund) => ({
  refundId,
  renewalNumber,
  amountCents,
  currency,
});

/** Also one that waits for its next attempt. One that has not failed is asked of the provider already. */
function retry({ at, refundId }: Command<'RetryRefund'>, refund: Refund, state: RefundState): Decision<RefundEvent> {
  if (refund.attemptsSinceRetry === 0) return [];
  return refuseDisputed(refund, state) ?? [{ type: 'RefundRetried', data: { at, refundId } }];
}

/** Whether the provider makes one that is under way is not known: it would be given back twice. */
function settle({ at }: Command<'SettleRefund'>, refund: Refund, state: RefundState): Decision<RefundEvent> {
  if (refund.status !== 'stuck') return refuseUnderWay();
  return refuseDisputed(refund, state) ?? [{ type: 'RefundSettled', data: { at, ...dataOf(refund) } }];
}

/** The provider tells each stage of a dispute several times, and in any order: an end is never opened again. */
function dispute({ type: _, ...told }: Command<'RecordDispute'>, state: RefundState): Decision<RefundEvent> {
  const [renewalNumber] = [...state.payments].find(([, { reference }]) => reference === told.reference) ?? [];
  if (renewalNumber === undefined)
    return refuse('payment-not-captured', 'there is no such payment of this order', 'CHK-6');
  const former = state.disputes.get(told.disputeId)?.stage;
  if (former === told.stage || (former !== undefined && told.stage === 'opened')) return [];
  return [{ type: 'PaymentDisputed', data: { ...told, renewalNumber } }];
}

/** Notes what was captured. An order that a coupon made free has no payment. */
export function notePayment(
  { payments }: RefundState,
  renewalNumber: number,
  { reference, amountCents, currency }: Payment,
): void {
  if (amountCents > 0) payments.set(renewalNumber, { reference, amountCents, currency });
}

export function evolveRefund(state: RefundState, event: RefundEvent): void {
  if (event.type === 'RefundWished') noteWish(state, event.data);
  else if (event.type === 'PaymentDisputed') state.disputes.set(event.data.disputeId, event.data);
  else noteResult(state.refunds.get(event.data.refundId) as Refund, event);
}

function noteWish({ refunds }: RefundState, { at: _, ...refund }: DataOf<'RefundWished'>): void {
  const none = { attempts: 0, attemptsSinceRetry: 0, changes: 0, cameBackAs: [] };
  refunds.set(refund.refundId, { ...refund, status: 'under-way', ...none });
}

function noteResult(refund: Refund, event: Exclude<RefundEvent, { type: 'RefundWished' | 'PaymentDisputed' }>): void {
  refund.changes += 1;
  switch (event.type) {
    case 'RefundFailed':
      refund.status = event.data.retryAt === undefined ? 'stuck' : 'under-way';
      refund.attempts = event.data.attempt;
      refund.attemptsSinceRetry += 1;
      break;
    case 'RefundRetried':
      refund.status = 'under-way';
      refund.attemptsSinceRetry = 0;
      break;
    case 'RefundReturned':
      refund.status = 'stuck';
      refund.attempts = event.data.attempt;
      refund.attemptsSinceRetry += 1;
      if (refund.madeAs !== undefined) refund.cameBackAs.push(refund.madeAs);
      delete refund.madeAs;
      break;
    case 'PaymentRefunded':
      refund.status = 'done';
      refund.madeAs = event.data.reference;
      break;
    default:
      refund.status = 'done';
  }
}
