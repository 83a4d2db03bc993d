import { couponTable } from '../models/coupons.ts';
import type { RowReader } from './reader.ts';

export const couponListing = {
  by: 'definedAt',
  newestFirst: true,
  filters: ['couponCode', 'status', 'customerId'],
} as const;

export const couponRows = (reader: RowReader) => ({ list: reader.listing(couponTable, couponListing) });
