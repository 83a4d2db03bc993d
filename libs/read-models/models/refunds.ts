import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { addHours } from '#domain/kernel/instants';
import { HOURS_A_CHARGE_IS_LOOKED_FOR } from '#domain/orders/payments';
import { disputeReasons, disputeStages, refundCauses, refundFailures } from '#domain/orders/refunds';
import { column } from '../engine/columns.ts';
import { model, type RowKey, table } from '../engine/model.ts';
import type { Rows } from '../engine/rows.ts';
import { exampleIds } from './examples.ts';
import { orderTable } from './orders.ts';

export const refundStatuses = ['under-way', 'stuck', 'made', 'settled'] as const;

export const refundRow = z.object({
  refundId: column.id().describe('Id of the refund.'),
  orderId: column.id().describe('Order whose payment it is of.'),
  renewalNumber: column.count().describe('Which payment of the order: the number of its renewal; 0 is the first one.'),
  paymentReference: column.text().describe('The payment, as the payment provider names it.'),
  amountCents: column.cents().describe('What is given back, in minor units of the currency.'),
  currency: column.text().describe('Currency of the amount (ISO 4217).'),
  cause: column.oneOf(refundCauses).describe('Why: the payment came too late, or staff give it back.'),
  status: column
    .oneOf(refundStatuses)
    .describe('Under way; stuck, waiting for an operator; made by the provider; or settled in another way.'),
  attempts: column.count().describe('How often the provider refused it, or the bank sent it back.'),
  failure: column.oneOf(refundFailures).nullable().describe('Why it was not made the last time. Null: no failure.'),
  retryAt: column.instant().nullable().describe('When it is tried again. Null: no attempt is planned.'),
  refundReference: column.text().nullable().describe('The refund, as the provider names it. Null: it is not made.'),
  wishedAt: column.instant().describe('When it was decided.'),
  doneAt: column.instant().nullable().describe('When the money was given back. Null: not yet.'),
  changes: column.count().describe('How often it has changed since it was decided.'),
});
export type RefundRow = z.infer<typeof refundRow>;

export const refundExample: RefundRow = {
  refundId: exampleIds.refundId,
  orderId: exampleIds.orderId,
  renewalNumber: 0,
  paymentReference: 'pi_3PZq7W2eZvKYlo2C',
  amountCents: 2500,
  currency: 'USD',
  cause: 'by-hand',
  status: 'made',
  attempts: 0,
  failure: null,
  retryAt: null,
  refundReference: 're_3PZq7W2eZvKYlo2C',
  wishedAt: '2026-03-02T15:12:40.000Z',
  doneAt: '2026-03-02T15:12:41.000Z',
  changes: 1,
};

export const refundTable = table(refundRow, {
  name: 'refunds',
  key: 'refundId',
  madeOf: { order: 'orderId' },
  belongsTo: { sameAs: orderTable },
  indexes: [
    'wished_at DESC, refund_id DESC',
    'order_id, wished_at DESC, refund_id DESC',
    'status, wished_at DESC, refund_id DESC',
  ],
});

export const disputeRow = z.object({
  disputeId: column.id().describe('The dispute, as the payment provider names it.'),
  orderId: column.id().describe('Order whose payment is disputed.'),
  renewalNumber: column.count().describe('Which payment of the order: the number of its renewal; 0 is the first one.'),
  paymentReference: column.text().describe('The payment, as the payment provider names it.'),
  amountCents: column.cents().describe('What is disputed, in minor units of the currency.'),
  currency: column.text().describe('Currency of the amount (ISO 4217).'),
  stage: column.oneOf(disputeStages).describe('Opened, or won or lost by the store.'),
  reason: column.oneOf(disputeReasons).describe('Why the holder of the card disputes the payment.'),
  toldAt: column.instant().describe('When the provider told this stage.'),
});
export type DisputeRow = z.infer<typeof disputeRow>;

export const disputeExample: DisputeRow = {
  disputeId: exampleIds.disputeId,
  orderId: exampleIds.orderId,
  renewalNumber: 0,
  paymentReference: 'pi_3PZq7W2eZvKYlo2C',
  amountCents: 25_000,
  currency: 'USD',
  stage: 'opened',
  reason: 'unrecognized',
  toldAt: '2026-03-09T08:00:00.000Z',
};

export const disputeTable = table(disputeRow, {
  name: 'disputes',
  key: 'disputeId',
  madeOf: { order: 'orderId' },
  belongsTo: { sameAs: orderTable },
  indexes: ['told_at DESC, dispute_id DESC', 'stage'],
});

const paymentRow = z.object({
  paymentId: column.id().describe('Order and number of the renewal; 0 is the first payment.'),
  orderId: column.id().describe('The order.'),
  reference: column.text().nullable().describe('The payment, as the payment provider names it. Null: none is known.'),
  awaited: column.flag().describe('Whether it may have been charged, and no result is recorded yet.'),
  awaitedUntil: column
    .instant()
    .nullable()
    .describe(
      'Of an order that was cancelled meanwhile: until when the provider is asked. Null: until there is a result.',
    ),
});
type PaymentRow = z.infer<typeof paymentRow>;

/** Which order a payment is of: the provider knows only its own name of it. */
export const paymentTable = table(paymentRow, {
  name: 'payments',
  key: 'paymentId',
  belongsTo: { sameAs: orderTable },
  indexes: ['reference', 'awaited'],
});

type OfRefund = FactOf<
  'RefundWished' | 'PaymentRefunded' | 'RefundReturned' | 'RefundFailed' | 'RefundRetried' | 'RefundSettled'
>;

/** What was given back of payments, and which of them are disputed (CHK-6). */
export const refunds = model({
  name: 'refunds',
  tables: [refundTable, disputeTable, paymentTable],
  keysOf,
  on: {
    OrderPlaced(rows, { stream, data }) {
      if (data.totalCents > 0) notePayment(rows, stream, 0, awaited);
    },
    PaymentCaptured: (rows, { stream, data }) => notePayment(rows, stream, 0, { reference: data.reference }),
    PaymentCapturedTooLate: (rows, { stream, data }) =>
      notePayment(rows, stream, data.renewalNumber ?? 0, { reference: data.reference }),
    PaymentDeclined: (rows, { stream }) => notePayment(rows, stream, 0, {}),
    PaymentUnknown: (rows, { stream }) => notePayment(rows, stream, 0, awaited),
    PaymentNotCaptured: (rows, { stream }) => notePayment(rows, stream, 0, {}),
    OrderCancelled(rows, { stream, data }) {
      const awaitedUntil = data.cause ? null : addHours(data.at, HOURS_A_CHARGE_IS_LOOKED_FOR);
      if (rows.get(paymentTable, `${idOf(stream)}/0`)?.awaited)
        notePayment(rows, stream, 0, { ...awaited, awaitedUntil });
    },
    RenewalBegun: (rows, { stream, data }) => notePayment(rows, stream, data.renewalNumber, awaited),
    RenewalDeclined: (rows, { stream, data }) => notePayment(rows, stream, data.renewalNumber, {}),
    RenewalNotCaptured: (rows, { stream, data }) => notePayment(rows, stream, data.renewalNumber, {}),
    /** One that is paid is awaited until its order has it: a dispute is recorded there. */
    OrderReopened: (rows, { stream, data }) =>
      notePayment(rows, stream, data.renewalNumber, { reference: data.paymentReference }),
    RefundWished: (rows, fact) => rows.put(refundTable, wished(fact)),
    PaymentRefunded: (rows, { data }) =>
      change(rows, data, { status: 'made', retryAt: null, refundReference: data.reference, doneAt: data.at }),
    RefundFailed: (rows, { data }) => {
      const { attempt: attempts, failure, retryAt = null } = data;
      change(rows, data, { status: retryAt === null ? 'stuck' : 'under-way', attempts, failure, retryAt });
    },
    RefundReturned: (rows, { data }) =>
      change(rows, data, {
        status: 'stuck',
        attempts: data.attempt,
        failure: 'returned-by-bank',
        refundReference: null,
        doneAt: null,
      }),
    RefundRetried: (rows, { data }) => change(rows, data, { status: 'under-way', retryAt: null }),
    RefundSettled: (rows, { data }) => change(rows, data, { status: 'settled', retryAt: null, doneAt: data.at }),
    PaymentDisputed: (rows, fact) => rows.put(disputeTable, disputed(fact)),
  },
});

function keysOf({ type, stream, data }: { type: string; stream: string; data: object }): RowKey[] {
  if (type === 'OrderCancelled') return [[paymentTable, `${idOf(stream)}/0`]];
  return 'refundId' in data ? [[refundTable, (data as OfRefund['data']).refundId]] : [];
}

const awaited = { awaited: true };

function notePayment(rows: Rows, stream: string, renewalNumber: number, known: Partial<PaymentRow>): void {
  const orderId = idOf(stream);
  const nothing = { reference: null, awaited: false, awaitedUntil: null };
  rows.put(paymentTable, { paymentId: `${orderId}/${renewalNumber}`, orderId, ...nothing, ...known });
}

function change(rows: Rows, { refundId }: { readonly refundId: string }, to: Partial<RefundRow>): void {
  const refund = rows.get(refundTable, refundId);
  if (!refund) throw new Error(`refund ${refundId} was never wished`);
  rows.put(refundTable, { ...refund, ...to, changes: refund.changes + 1 });
}

const wished = ({ stream, data }: FactOf<'RefundWished'>): RefundRow => ({
  refundId: data.refundId,
  orderId: idOf(stream),
  renewalNumber: data.renewalNumber,
  paymentReference: data.reference,
  amountCents: data.amountCents,
  currency: data.currency,
  cause: data.cause,
  status: 'under-way',
  attempts: 0,
  failure: null,
  retryAt: null,
  refundReference: null,
  wishedAt: data.at,
  doneAt: null,
  changes: 0,
});

const disputed = ({ stream, data }: FactOf<'PaymentDisputed'>): DisputeRow => ({
  disputeId: data.disputeId,
  orderId: idOf(stream),
  renewalNumber: data.renewalNumber,
  paymentReference: data.reference,
  amountCents: data.amountCents,
  currency: data.currency,
  stage: data.stage,
  reason: data.reason,
  toldAt: data.at,
});
