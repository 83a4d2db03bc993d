import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { couponIdOf } from '#domain/coupons/coupon';
import { column } from '../engine/columns.ts';
import { model, type RowKey, table } from '../engine/model.ts';
import type { Rows } from '../engine/rows.ts';
import { customerTable } from './customers.ts';
import { exampleIds } from './examples.ts';

export const couponOutcomes = ['used', 'refused', 'returned', 'replaced'] as const;

export const couponUseRow = z.object({
  couponUseId: column.id().describe('Coupon, and checkout or order that it was tried for.'),
  couponId: column.id().describe('Id of the coupon.'),
  customerId: column.id().describe('Customer who tried it.'),
  checkoutId: column.id().describe('The checkout that it was tried for; for an order without a checkout, that order.'),
  outcome: column
    .oneOf(couponOutcomes)
    .describe(
      'Used up; refused; returned, because the checkout did not take it; or replaced by a code that support gave (CPN-4).',
    ),
  refusal: column.text().nullable().describe('Why it was refused (CPN-3). Null: it was not.'),
  replacedBy: column.text().nullable().describe('The code that the customer has in its place. Null: none.'),
  triedAt: column.instant().describe('When it was used up, or else tried last.'),
  orderId: column.id().nullable().describe('The order that was placed with its discount. Null: none.'),
  discountCents: column
    .cents()
    .nullable()
    .describe('What it took off that order, in minor units of the currency. Null: no order.'),
});
export type CouponUseRow = z.infer<typeof couponUseRow>;

export const couponUseExample: CouponUseRow = {
  couponUseId: `${exampleIds.eventId} ${exampleIds.checkoutId}`,
  couponId: exampleIds.eventId,
  customerId: exampleIds.customerId,
  checkoutId: exampleIds.checkoutId,
  outcome: 'used',
  refusal: null,
  replacedBy: null,
  triedAt: '2026-03-01T09:30:00.000Z',
  orderId: exampleIds.orderId,
  discountCents: 900,
};

export const couponUseTable = table(couponUseRow, {
  name: 'coupon_uses',
  key: 'couponUseId',
  madeOf: { coupon: 'couponId', order: 'orderId' },
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: ['coupon_id, tried_at DESC, coupon_use_id DESC'],
});

type Tried = FactOf<'CouponUsed' | 'CouponRefused' | 'CouponReturned' | 'CouponReplaced'>;

const useIdOf = (couponId: string, checkoutId: string): string => `${couponId} ${checkoutId}`;

const useIn = ({ stream, data }: Tried): string => useIdOf(idOf(stream), data.checkoutId);

/** Undefined for an order without a coupon. */
const useOfOrder = ({ stream, data }: FactOf<'OrderPlaced'>): string | undefined =>
  data.coupon && useIdOf(couponIdOf(data.coupon.code), data.checkoutId ?? idOf(stream));

/** Who tried and used which code, and the order that has its discount (CPN-4). */
export const coupons = model({
  name: 'coupons',
  tables: [couponUseTable],
  keysOf(fact): RowKey[] {
    const id = fact.type === 'OrderPlaced' ? useOfOrder(fact) : useIn(fact);
    return id === undefined ? [] : [[couponUseTable, id]];
  },
  on: {
    CouponUsed: (rows, fact) => rows.put(couponUseTable, { ...tried(fact), outcome: 'used' }),
    CouponRefused: (rows, fact) => {
      if (!isUsed(rows.get(couponUseTable, useIn(fact))))
        rows.put(couponUseTable, { ...tried(fact), outcome: 'refused', refusal: fact.data.reason });
    },
    CouponReturned: (rows, fact) => change(rows, useIn(fact), ({ outcome }) => outcome === 'used' && returned),
    // An alternative that nobody tried has no row.
    CouponReplaced: (rows, fact) =>
      change(rows, useIn(fact), () => ({ outcome: 'replaced', replacedBy: fact.data.by })),
    OrderPlaced: (rows, fact) => {
      const { stream, data } = fact;
      const id = useOfOrder(fact);
      const discountCents = data.coupon?.discountCents ?? null;
      if (id !== undefined) change(rows, id, () => ({ orderId: idOf(stream), discountCents }));
    },
  },
});

const returned = { outcome: 'returned' } as const;

const isUsed = (row: CouponUseRow | undefined): boolean => row?.outcome === 'used' || row?.outcome === 'replaced';

function change(rows: Rows, id: string, changed: (row: CouponUseRow) => Partial<CouponUseRow> | false): void {
  const row = rows.get(couponUseTable, id);
  if (row) rows.put(couponUseTable, { ...row, ...changed(row) });
}

const tried = (fact: FactOf<'CouponUsed' | 'CouponRefused'>) => ({
  couponUseId: useIn(fact),
  couponId: idOf(fact.stream),
  customerId: fact.data.customerId,
  checkoutId: fact.data.checkoutId,
  refusal: null,
  replacedBy: null,
  triedAt: fact.data.at,
  orderId: null,
  discountCents: null,
});
