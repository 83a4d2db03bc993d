import { type FactOf, idOf } from '#domain/codec';
import { couponIdOf } from '#domain/coupons/coupon';
import { type Model, type RowKey, type Rows, table } from '../engine/model.ts';

/** An order, or one renewal of it: what was bought at once, and for how much. */
export interface SaleRow {
  /** Order and number of the renewal; 0 for the order itself. */
  readonly saleId: string;
  readonly orderId: string;
  readonly renewalNumber: number;
  readonly storeId: string;
  readonly leadTypeId: string;
  readonly quantity: number;
  readonly bonusLeads: number;
  readonly totalCents: number;
  readonly discountCents: number;
  readonly currency: string;
  readonly couponId: string | null;
  readonly soldAt: string;
  /** Null until its payment is captured, for good when that was declined or came too late and was given back. */
  readonly paidAt: string | null;
}

export interface CouponRow {
  readonly couponId: string;
  readonly code: string;
  /** The code that a customer was given it for (CPN-4). */
  readonly insteadOf: string | null;
}

export interface CouponAttemptRow {
  /** Coupon and revision. */
  readonly couponAttemptId: string;
  readonly couponId: string;
  readonly triedAt: string;
  /** `used`, or why it was refused (CPN-3). */
  readonly outcome: string;
}

export const saleTable = table<SaleRow>({
  name: 'sales',
  key: 'saleId',
  columns: {
    saleId: 'text',
    orderId: 'text',
    renewalNumber: 'integer',
    storeId: 'text',
    leadTypeId: 'text',
    quantity: 'integer',
    bonusLeads: 'integer',
    totalCents: 'bigint',
    discountCents: 'bigint',
    currency: 'text',
    couponId: 'text',
    soldAt: 'timestamptz',
    paidAt: 'timestamptz',
  },
  indexes: [],
});

export const couponTable = table<CouponRow>({
  name: 'coupons',
  key: 'couponId',
  columns: { couponId: 'text', code: 'text', insteadOf: 'text' },
  indexes: [],
});

export const couponAttemptTable = table<CouponAttemptRow>({
  name: 'coupon_attempts',
  key: 'couponAttemptId',
  columns: { couponAttemptId: 'text', couponId: 'text', triedAt: 'timestamptz', outcome: 'text' },
  indexes: [],
});

const eventTypes = [
  'OrderPlaced',
  'PaymentCaptured',
  'OrderReopened',
  'CouponDefined',
  'AlternativeCouponGiven',
  'CouponUsed',
  'CouponRefused',
] as const;
type SaleFact = FactOf<(typeof eventTypes)[number]>;

/** What was sold and what came of coupons, for those who count. */
export const sales: Model<(typeof eventTypes)[number]> = {
  name: 'sales',
  version: 1,
  tables: [saleTable, couponTable, couponAttemptTable],
  eventTypes,

  keysOf({ stream }): RowKey[] {
    return stream.startsWith('order-') ? [[saleTable, saleIdOf(idOf(stream), 0)]] : [];
  },

  evolve(rows, fact) {
    switch (fact.type) {
      case 'OrderPlaced':
        rows.put(saleTable, placed(fact));
        return;
      case 'PaymentCaptured':
        rows.put(saleTable, { ...orderOf(rows, fact), paidAt: fact.data.at });
        return;
      case 'OrderReopened':
        rows.put(saleTable, renewed(orderOf(rows, fact), fact));
        return;
      case 'CouponDefined':
        rows.put(couponTable, { couponId: idOf(fact.stream), code: fact.data.code, insteadOf: null });
        return;
      case 'AlternativeCouponGiven': {
        const { code, insteadOf } = fact.data;
        rows.put(couponTable, { couponId: idOf(fact.stream), code, insteadOf });
        return;
      }
      case 'CouponUsed':
      case 'CouponRefused':
        rows.put(couponAttemptTable, attempt(fact));
    }
  },
};

const saleIdOf = (orderId: string, renewalNumber: number): string => `${orderId}/${renewalNumber}`;

function orderOf(rows: Rows, { stream, type }: SaleFact): SaleRow {
  const order = rows.get(saleTable, saleIdOf(idOf(stream), 0));
  if (!order) throw new Error(`${type} of an order that was never placed`);
  return order;
}

function placed({ stream, data }: FactOf<'OrderPlaced'>): SaleRow {
  const { storeId, leadTypeId, quantity, bonusLeads, totalCents, currency, coupon, at: soldAt } = data;
  const orderId = idOf(stream);
  return {
    saleId: saleIdOf(orderId, 0),
    orderId,
    renewalNumber: 0,
    storeId,
    leadTypeId,
    quantity,
    bonusLeads,
    totalCents,
    discountCents: coupon?.discountCents ?? 0,
    currency,
    couponId: coupon ? couponIdOf(coupon.code) : null,
    soldAt,
    paidAt: null,
  };
}

/** An order is re-opened once its renewal is paid, and a coupon discounts the first order only (LOY-2). */
function renewed(order: SaleRow, { data }: FactOf<'OrderReopened'>): SaleRow {
  const { renewalNumber, quantity, bonusLeads, totalCents, currency, at } = data;
  const saleId = saleIdOf(order.orderId, renewalNumber);
  const terms = { quantity, bonusLeads, totalCents, currency, discountCents: 0, couponId: null };
  return { ...order, saleId, renewalNumber, ...terms, soldAt: at, paidAt: at };
}

function attempt(fact: FactOf<'CouponUsed' | 'CouponRefused'>): CouponAttemptRow {
  const couponId = idOf(fact.stream);
  return {
    couponAttemptId: `${couponId}/${fact.revision}`,
    couponId,
    triedAt: fact.data.at,
    outcome: fact.type === 'CouponUsed' ? 'used' : fact.data.reason,
  };
}
