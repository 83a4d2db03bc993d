import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { linesOf } from '#domain/receipts/lines';
import { paymentKey, receiptsStream } from '#domain/receipts/receipts';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

type Charge = FactOf<'PaymentCaptured' | 'PaymentCapturedTooLate' | 'OrderReopened'>;
type GivenBack = FactOf<'PaymentRefunded' | 'RefundSettled'>;
type Placed = FactOf<'OrderPlaced'>;

interface Receipts {
  readonly orders: Map<string, Placed>;
  /** Id of the event → money that moved and has no receipt yet, in the order of the log. */
  readonly toIssue: Map<string, Charge | GivenBack>;
  /** Payments that have a receipt. */
  readonly issued: Set<string>;
  /** Payment → refunds of it that were refused because it had no receipt. */
  readonly waiting: Map<string, GivenBack[]>;
}

/**
 * Issues a receipt for each captured charge and each refund (CHK-8), in the order of the log, also for those that older versions
 * recorded. The store's stream gives the numbers: two workers at once cannot give one number twice.
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
    'ReceiptIssued',
  ],
  initialState: (): Receipts => ({ orders: new Map(), toIssue: new Map(), issued: new Set(), waiting: new Map() }),

  evolve(state, fact) {
    switch (fact.type) {
      case 'OrderPlaced':
        state.orders.set(idOf(fact.stream), fact);
        break;
      case 'ReceiptIssued':
        noteIssued(state, fact);
        break;
      default:
        if (amountOf(fact) > 0) state.toIssue.set(deedKey(fact), fact);
    }
  },

  next: ({ orders, toIssue }, _moment, limit) =>
    takeFrom(toIssue, limit).flatMap(([, fact]) => {
      const placed = orders.get(idOf(fact.stream));
      return placed ? [receiptToIssue(fact, placed)] : [];
    }),

  /** Only a refund is refused: the receipt of its charge failed and is tried again. */
  refused({ toIssue, issued, waiting }, { because }) {
    const refund = because as GivenBack;
    const payment = paymentOf(refund);
    if (issued.has(payment)) toIssue.set(deedKey(refund), refund);
    else waiting.set(payment, [...(waiting.get(payment) ?? []), refund]);
  },
});

function noteIssued({ toIssue, issued, waiting }: Receipts, { data }: FactOf<'ReceiptIssued'>): void {
  const payment = paymentKey(data);
  toIssue.delete(data.refundId ?? payment);
  if (data.kind === 'refund') return;
  issued.add(payment);
  for (const refund of waiting.get(payment) ?? []) toIssue.set(deedKey(refund), refund);
  waiting.delete(payment);
}

const amountOf = (fact: Charge | GivenBack): number =>
  fact.type === 'OrderReopened' ? fact.data.totalCents : fact.data.amountCents;

const isRefund = (fact: Charge | GivenBack): fact is GivenBack =>
  fact.type === 'PaymentRefunded' || fact.type === 'RefundSettled';

const renewalNumberOf = ({ data }: Charge | GivenBack): number =>
  'renewalNumber' in data ? (data.renewalNumber ?? 0) : 0;

const paymentOf = (fact: Charge | GivenBack): string =>
  paymentKey({ orderId: idOf(fact.stream), renewalNumber: renewalNumberOf(fact) });

const deedKey = (fact: Charge | GivenBack): string => (isRefund(fact) ? fact.data.refundId : paymentOf(fact));

function receiptToIssue(because: Charge | GivenBack, placed: Placed): CommandWish {
  const { storeId, customerId, leadTypeId } = placed.data;
  const about = { orderId: idOf(because.stream), customerId, leadTypeId, renewalNumber: renewalNumberOf(because) };
  const money = { paidAt: because.data.at, amountCents: amountOf(because), currency: because.data.currency };
  const command = isRefund(because)
    ? ({
        type: 'IssueRefundReceipt',
        refundId: because.data.refundId,
        ...referenceOf(because),
        ...about,
        ...money,
      } as const)
    : ({
        type: 'IssueChargeReceipt',
        lines: linesOfCharge(because, placed),
        ...referenceOf(because),
        ...about,
        ...money,
      } as const);
  return { commandId: deriveId('IssueReceipt', because.eventId), stream: receiptsStream(storeId), command, because };
}

/** What was given back in another way, the provider does not know. */
function referenceOf(fact: Charge | GivenBack): { readonly reference?: string } {
  if (fact.type === 'RefundSettled') return {};
  return { reference: fact.type === 'OrderReopened' ? fact.data.paymentReference : fact.data.reference };
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
