import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { linesOf } from '#domain/receipts/lines';
import { paymentKey, receiptsStream } from '#domain/receipts/receipts';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

type Charge = FactOf<'PaymentCaptured' | 'PaymentCapturedTooLate' | 'OrderReopened'>;
type GivenBack = FactOf<'PaymentRefunded' | 'RefundSettled'>;
type Returned = FactOf<'RefundReturned'>;
type Placed = FactOf<'OrderPlaced'>;

/** Money that moved, and has one receipt. */
interface Movement {
  readonly key: string;
  readonly fact: Charge | GivenBack | Returned;
  /** The movement whose receipt comes before. */
  readonly after?: string;
  /** As the payment provider names the charge or the refund. Absent: given back in another way. */
  readonly reference?: string | undefined;
}

interface Receipts {
  readonly orders: Map<string, Placed>;
  /** Movements without a receipt, by key, in the order of the log. */
  readonly toIssue: Map<string, Movement>;
  /** Keys of movements that have a receipt. */
  readonly issued: Set<string>;
  /** Key of a movement → those that were refused because it had no receipt. */
  readonly waiting: Map<string, Movement[]>;
  /** Keys of movements that were refused although the receipt before theirs was issued. */
  readonly askedAgain: Set<string>;
  /** Refund → its last movement. */
  readonly lastOf: Map<string, Movement>;
  /** Id of the event → movement of a refund. */
  readonly refunds: Map<string, Movement>;
}

/**
 * Issues a receipt for each captured charge, each refund and each refund that came back (CHK-8), in the order of the log, also for those that
 * older versions recorded. The store's stream gives the numbers: two workers at once cannot give one number twice.
 */
export const receipts = defineProcess({
  name: 'receipts',
  eventTypes: [
    'OrderPlaced',
    'PaymentCaptured',
    'PaymentCapturedTooLate',
    'OrderReopened',
    'PaymentRefunded',
    'RefundSettled',
    'RefundReturned',
    'ReceiptIssued',
  ],
  initialState: (): Receipts => ({
    orders: new Map(),
    toIssue: new Map(),
    issued: new Set(),
    waiting: new Map(),
    askedAgain: new Set(),
    lastOf: new Map(),
    refunds: new Map(),
  }),

  evolve(state, fact) {
    switch (fact.type) {
      case 'OrderPlaced':
        state.orders.set(idOf(fact.stream), fact);
        break;
      case 'ReceiptIssued':
        noteIssued(state, fact);
        break;
      case 'PaymentRefunded':
      case 'RefundSettled':
      case 'RefundReturned':
        noteRefund(state, fact);
        break;
      default:
        if (amountOf(fact) > 0) note(state, { key: paymentOf(fact), fact, reference: referenceOf(fact) });
    }
  },

  next: ({ orders, toIssue }, _moment, limit) =>
    takeFrom(toIssue, limit).flatMap(([, movement]) => {
      const placed = orders.get(idOf(movement.fact.stream));
      return placed ? [receiptToIssue(movement, placed)] : [];
    }),

  /**
   * Only a movement of a refund is refused: the receipt before it failed and is tried again. One that is refused although that is
   * issued is asked for once more only: an older version may have issued the one of the next attempt in its place, and it has none.
   */
  refused({ toIssue, issued, waiting, askedAgain, refunds }, { because }) {
    const movement = refunds.get(because?.eventId ?? '');
    if (!movement) return;
    const { key, after = '' } = movement;
    if (!issued.has(after)) waiting.set(after, [...(waiting.get(after) ?? []), movement]);
    else if (!askedAgain.has(key)) {
      askedAgain.add(key);
      toIssue.set(key, movement);
    }
  },
});

function note({ toIssue }: Receipts, movement: Movement): void {
  toIssue.set(movement.key, movement);
}

/** The event of a refund that came back names the payment: the refund is the one that was made last. */
function noteRefund(state: Receipts, fact: GivenBack | Returned): void {
  const { refundId } = fact.data;
  const last = state.lastOf.get(refundId);
  const isReturn = fact.type === 'RefundReturned';
  const reference = isReturn ? last?.reference : referenceOf(fact);
  const key = refundKey(isReturn ? 'refund-returned' : 'refund', refundId, reference);
  const movement = { key, fact, reference, after: last?.key ?? paymentOf(fact) };
  state.lastOf.set(refundId, movement);
  state.refunds.set(fact.eventId, movement);
  note(state, movement);
}

function noteIssued({ toIssue, issued, waiting }: Receipts, { data }: FactOf<'ReceiptIssued'>): void {
  const { kind, refundId = '', reference } = data;
  const key = kind === 'charge' ? paymentKey(data) : refundKey(kind, refundId, reference);
  toIssue.delete(key);
  issued.add(key);
  for (const movement of waiting.get(key) ?? []) toIssue.set(movement.key, movement);
  waiting.delete(key);
}

const refundKey = (kind: 'refund' | 'refund-returned', refundId: string, reference = ''): string =>
  `${kind} ${refundId} ${reference}`;

const amountOf = (fact: Charge | GivenBack): number =>
  fact.type === 'OrderReopened' ? fact.data.totalCents : fact.data.amountCents;

const renewalNumberOf = ({ data }: Movement['fact']): number =>
  'renewalNumber' in data ? (data.renewalNumber ?? 0) : 0;

const paymentOf = (fact: Movement['fact']): string =>
  paymentKey({ orderId: idOf(fact.stream), renewalNumber: renewalNumberOf(fact) });

const receiptToIssue = (movement: Movement, placed: Placed): CommandWish => ({
  commandId: deriveId('IssueReceipt', movement.fact.eventId),
  stream: receiptsStream(placed.data.storeId),
  command: commandFor(movement, placed),
  because: movement.fact,
});

function commandFor({ fact, reference }: Movement, placed: Placed): CommandWish['command'] {
  const { at: paidAt } = fact.data;
  if (fact.type === 'RefundReturned') {
    const { refundId } = fact.data;
    return { type: 'IssueReturnedRefundReceipt', refundId, reference: reference ?? '', paidAt };
  }
  const { customerId, leadTypeId } = placed.data;
  const about = { orderId: idOf(fact.stream), customerId, leadTypeId, renewalNumber: renewalNumberOf(fact) };
  const money = { paidAt, amountCents: amountOf(fact), currency: fact.data.currency };
  const asked = { ...about, ...money, ...(reference !== undefined && { reference }) };
  return fact.type === 'PaymentRefunded' || fact.type === 'RefundSettled'
    ? { type: 'IssueRefundReceipt', refundId: fact.data.refundId, ...asked }
    : { type: 'IssueChargeReceipt', lines: linesOfCharge(fact, placed), ...asked };
}

/** What was given back in another way, the provider does not know. */
function referenceOf(fact: Charge | GivenBack): string | undefined {
  if (fact.type === 'RefundSettled') return undefined;
  return fact.type === 'OrderReopened' ? fact.data.paymentReference : fact.data.reference;
}

/** A renewal costs the full price (LOY-2), and what came too late brings no bonus leads. */
function linesOfCharge(fact: Charge, { data: placed }: Placed) {
  const { quantity, pricePerLeadCents } = placed;
  if (fact.type === 'OrderReopened') {
    const { bonusLeads } = fact.data;
    return linesOf({ quantity: fact.data.quantity, bonusLeads, pricePerLeadCents }, fact.data.totalCents);
  }
  const isFirst = renewalNumberOf(fact) === 0;
  const bonusLeads = fact.type === 'PaymentCaptured' ? placed.bonusLeads : 0;
  const bought = { quantity, pricePerLeadCents, bonusLeads, ...(isFirst && { coupon: placed.coupon }) };
  return linesOf(bought, fact.data.amountCents);
}
