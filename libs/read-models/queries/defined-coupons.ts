import { couponTable } from '../models/defined-coupons.ts';
import type { RowReader } from './reader.ts';

export const couponListing = {
  by: 'definedAt',
  newestFirst: true,
  filters: ['couponCode', 'status', 'customerId'],
} as const;

export const definedCouponRows = (reader: RowReader) => ({
  find: reader.finding(couponTable),
  list: reader.listing(couponTable, couponListing),
});
