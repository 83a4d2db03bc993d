import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { couponIdOf } from '#domain/coupons/coupon';
import { column } from '../engine/columns.ts';
import { model, table } from '../engine/model.ts';
import type { Rows } from '../engine/rows.ts';
import { orderTable } from './orders.ts';

/** An order, or one renewal of it: what was bought at once, and for how much. */
const saleRow = z.object({
  saleId: column.id().describe('Order and number of the renewal.'),
  orderId: column.id().describe('The order.'),
  renewalNumber: column.count().describe('Number of the renewal; 0 for the order itself.'),
  storeId: column.id().describe('Store that sold it.'),
  leadTypeId: column.id().describe('Lead type that was sold.'),
  quantity: column.count().describe('Leads sold, without bonus.'),
  bonusLeads: column.count().describe('Bonus leads.'),
  totalCents: column.cents().describe('Price after the discount, in minor units of the currency.'),
  discountCents: column.cents().describe('Discount of the coupon, in minor units of the currency.'),
  currency: column.text().describe('Currency of the prices (ISO 4217).'),
  couponId: column.id().nullable().describe('Coupon that was used. Null: none.'),
  soldAt: column.instant().describe('When it was ordered, or the order re-opened.'),
  paidAt: column
    .instant()
    .nullable()
    .describe('When the payment was captured. Null: not yet, or it was declined, or came too late and was given back.'),
});
type SaleRow = z.infer<typeof saleRow>;

const couponRow = z.object({
  couponId: column.id().describe('Id of the coupon.'),
  code: column.text().describe('The code, as customers type it.'),
  insteadOf: column.text().nullable().describe('The code that a customer was given it for (CPN-4). Null: none.'),
});

const couponAttemptRow = z.object({
  couponAttemptId: column.id().describe('Coupon and revision.'),
  couponId: column.id().describe('The coupon that was tried.'),
  triedAt: column.instant().describe('When it was tried.'),
  outcome: column
    .text()
    .describe('`used`; why it was refused (CPN-3); or `returned`: a use before it did not count after all.'),
});
type CouponAttemptRow = z.infer<typeof couponAttemptRow>;

const saleTable = table(saleRow, {
  name: 'sales',
  key: 'saleId',
  belongsTo: { store: 'storeId', sameAs: orderTable },
  indexes: [],
});

const couponTable = table(couponRow, { name: 'coupons', key: 'couponId', belongsTo: {}, indexes: [] });

const couponAttemptTable = table(couponAttemptRow, {
  name: 'coupon_attempts',
  key: 'couponAttemptId',
  belongsTo: {},
  indexes: [],
});

const refundedSaleRow = z.object({
  movementId: column.id().describe('Order, and revision at which the money was given back, or came back.'),
  refundId: column.id().describe('The refund.'),
  saleId: column.id().describe('The sale whose payment was given back, in whole or in part.'),
  orderId: column.id().describe('The order.'),
  refundedCents: column
    .cents()
    .describe('What was given back, in minor units of the currency; below zero when it came back.'),
  refundedAt: column.instant().describe('When it was given back, or came back.'),
});

/** Of payments that came in time. What came too late was never revenue. */
const refundedSaleTable = table(refundedSaleRow, {
  name: 'refunded_sales',
  key: 'movementId',
  belongsTo: { sameAs: orderTable },
  indexes: ['sale_id'],
});

/** What was sold, and what came of coupons, for analysts. */
export const sales = model({
  name: 'sales',
  tables: [saleTable, refundedSaleTable, couponTable, couponAttemptTable],
  keysOf: ({ stream, data }: { readonly stream: string; readonly data: object }) => {
    if (!stream.startsWith('order-')) return [];
    const renewals = 'refundId' in data && 'renewalNumber' in data ? [data.renewalNumber as number] : [];
    return [0, ...renewals].map((number) => [saleTable, saleIdOf(idOf(stream), number)] as const);
  },
  on: {
    OrderPlaced: (rows, fact) => rows.put(saleTable, placed(fact)),
    PaymentCaptured: (rows, fact) => rows.put(saleTable, { ...orderOf(rows, fact), paidAt: fact.data.at }),
    OrderReopened: (rows, fact) => rows.put(saleTable, renewed(orderOf(rows, fact), fact)),
    PaymentRefunded: giveBack,
    RefundSettled: giveBack,
    RefundReturned: takeBack,
    CouponDefined: (rows, { stream, data: { code } }) =>
      rows.put(couponTable, { couponId: idOf(stream), code, insteadOf: null }),
    AlternativeCouponGiven: (rows, { stream, data: { code, insteadOf } }) =>
      rows.put(couponTable, { couponId: idOf(stream), code, insteadOf }),
    CouponUsed: (rows, fact) => rows.put(couponAttemptTable, attempt(fact, 'used')),
    CouponReturned: (rows, fact) => rows.put(couponAttemptTable, attempt(fact, 'returned')),
    CouponRefused: (rows, fact) => rows.put(couponAttemptTable, attempt(fact, fact.data.reason)),
  },
});

const saleIdOf = (orderId: string, renewalNumber: number): string => `${orderId}/${renewalNumber}`;

function orderOf(rows: Rows, { stream, type }: { readonly stream: string; readonly type: string }): SaleRow {
  const order = rows.get(saleTable, saleIdOf(idOf(stream), 0));
  if (!order) throw new Error(`${type} of an order that was never placed`);
  return order;
}

const placed = ({ stream, data }: FactOf<'OrderPlaced'>): SaleRow => ({
  saleId: saleIdOf(idOf(stream), 0),
  orderId: idOf(stream),
  renewalNumber: 0,
  storeId: data.storeId,
  leadTypeId: data.leadTypeId,
  quantity: data.quantity,
  bonusLeads: data.bonusLeads,
  totalCents: data.totalCents,
  discountCents: data.coupon?.discountCents ?? 0,
  currency: data.currency,
  couponId: data.coupon ? couponIdOf(data.coupon.code) : null,
  soldAt: data.at,
  paidAt: null,
});

/** An order re-opens once its renewal is paid. A coupon discounts the first order only (LOY-2). */
function renewed(order: SaleRow, { data }: FactOf<'OrderReopened'>): SaleRow {
  const { renewalNumber, quantity, bonusLeads, totalCents, currency, at } = data;
  const saleId = saleIdOf(order.orderId, renewalNumber);
  const terms = { quantity, bonusLeads, totalCents, currency, discountCents: 0, couponId: null };
  return { ...order, saleId, renewalNumber, ...terms, soldAt: at, paidAt: at };
}

function giveBack(rows: Rows, fact: FactOf<'PaymentRefunded' | 'RefundSettled'>): void {
  moveBack(rows, fact, fact.data.amountCents);
}

/** It did not reach the customer: the sale is whole again, until the refund is made anew. Each of the three counts on its day. */
function takeBack(rows: Rows, fact: FactOf<'RefundReturned'>): void {
  moveBack(rows, fact, -fact.data.amountCents);
}

function moveBack(
  rows: Rows,
  { stream, revision, data }: FactOf<'PaymentRefunded' | 'RefundSettled' | 'RefundReturned'>,
  refundedCents: number,
): void {
  const { refundId, renewalNumber, at: refundedAt } = data;
  const orderId = idOf(stream);
  const saleId = saleIdOf(orderId, renewalNumber);
  const movementId = `${orderId}/${revision}`;
  if (rows.get(saleTable, saleId)?.paidAt)
    rows.put(refundedSaleTable, { movementId, refundId, saleId, orderId, refundedCents, refundedAt });
}

const attempt = (
  { stream, revision, data }: FactOf<'CouponUsed' | 'CouponReturned' | 'CouponRefused'>,
  outcome: string,
): CouponAttemptRow => ({
  couponAttemptId: `${idOf(stream)}/${revision}`,
  couponId: idOf(stream),
  triedAt: data.at,
  outcome,
});
