import { receiptTable } from '../models/receipts.ts';
import type { RowReader } from './reader.ts';

export const receiptListing = {
  by: 'issuedAt',
  newestFirst: true,
  filters: ['storeId', 'customerId', 'orderId', 'number', 'kind'],
} as const;

export const receiptRows = (reader: RowReader) => ({
  find: reader.finding(receiptTable),
  list: reader.listing(receiptTable, receiptListing),
});
