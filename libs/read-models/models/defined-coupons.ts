import { z } from 'zod';
import type { FactOf } from '#domain/codec';
import { discount } from '#domain/coupons/coupon';
import { column } from '../engine/columns.ts';
import { modelOfStreams, type RowOfStream, table } from '../engine/model.ts';
import { exampleIds } from './examples.ts';

export const couponStatuses = ['open', 'retired'] as const;

export const couponRow = z.object({
  couponId: column.id().describe('The id under which the log has it; it is made of the code.'),
  couponCode: column.text().describe('The code as customers type it: every character counts (CPN-1).'),
  storeIds: column.json(z.array(z.string())).describe('The stores at which it is valid.'),
  leadTypeIds: column.json(z.array(z.string())).nullable().describe('The lead types for which it is valid. Null: all.'),
  discount: column.json(discount).describe('What it takes off the price.'),
  validFrom: column.instant().describe('From when it is valid.'),
  validUntil: column.instant().nullable().describe('The last instant at which it is valid. Null: without an end.'),
  totalLimit: column.count().nullable().describe('How many customers may use it in all. Null: any number.'),
  uses: column.count().describe('How many customers used it up.'),
  customerId: column.id().nullable().describe('The only customer who may use it. Null: every customer may.'),
  insteadOf: column.text().nullable().describe('The code that the customer was given it for (CPN-4). Null: none.'),
  status: column.oneOf(couponStatuses).describe('Retired: nobody can use it any more, until it is re-opened (CAT-5).'),
  definedAt: column.instant().describe('When it was defined, or given.'),
  retiredAt: column.instant().nullable().describe('When it was retired. Null: it is open.'),
  revision: column.revision(),
});
export type CouponRow = z.infer<typeof couponRow>;

export const couponExample: CouponRow = {
  couponId: exampleIds.couponId,
  couponCode: exampleIds.couponCode,
  storeIds: [exampleIds.storeId],
  leadTypeIds: null,
  discount: { percent: 15 },
  validFrom: '2026-03-01T09:30:00.000Z',
  validUntil: null,
  totalLimit: null,
  uses: 3,
  customerId: null,
  insteadOf: null,
  status: 'open',
  definedAt: '2026-02-20T16:00:00.000Z',
  retiredAt: null,
  revision: 3,
};

export const couponTable = table(couponRow, {
  name: 'coupons',
  key: 'couponId',
  family: 'coupon',
  belongsTo: { customer: 'customerId', stores: 'storeIds' },
  indexes: [
    'defined_at DESC, coupon_id DESC',
    'coupon_code',
    'status, defined_at DESC, coupon_id DESC',
    'customer_id, defined_at DESC, coupon_id DESC',
  ],
});

/** The coupons, and how many customers used each. */
export const definedCoupons = modelOfStreams({
  name: 'defined_coupons',
  table: couponTable,
  never: 'a coupon that was never defined',
  on: {
    CouponDefined: (coupon, { data }) => coupon.create(defined(coupon, data, { customerId: null, insteadOf: null })),
    AlternativeCouponGiven: (coupon, { data }) => {
      const { customerId, insteadOf } = data;
      coupon.create(defined(coupon, data, { customerId, insteadOf }));
    },
    CouponUsed: (coupon) => coupon.set({ uses: coupon.now.uses + 1 }),
    CouponReturned: (coupon) => coupon.set({ uses: coupon.now.uses - 1 }),
    CouponRetired: (coupon, { data }) => coupon.set({ status: 'retired', retiredAt: data.at }),
    CouponReopened: (coupon) => coupon.set({ status: 'open', retiredAt: null }),
  },
});

const defined = (
  { id }: RowOfStream<CouponRow>,
  data: FactOf<'CouponDefined' | 'AlternativeCouponGiven'>['data'],
  whose: Pick<CouponRow, 'customerId' | 'insteadOf'>,
): CouponRow => ({
  couponId: id,
  couponCode: data.code,
  storeIds: data.storeIds,
  leadTypeIds: data.leadTypeIds ?? null,
  discount: data.discount,
  validFrom: data.validFrom,
  validUntil: data.validUntil ?? null,
  totalLimit: data.totalLimit ?? null,
  uses: 0,
  ...whose,
  status: 'open',
  definedAt: data.at,
  retiredAt: null,
  revision: 0,
});
