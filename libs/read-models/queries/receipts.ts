import type { Caller } from '#domain/kernel/caller';
import { receiptTable, storeTaxesTable } from '../models/receipts.ts';
import type { RowReader } from './reader.ts';

export const receiptListing = {
  by: 'issuedAt',
  newestFirst: true,
  filters: ['storeId', 'customerId', 'orderId', 'number', 'kind'],
} as const;

export const receiptRows = (reader: RowReader) => ({
  find: reader.finding(receiptTable),
  list: reader.listing(receiptTable, receiptListing),

  /** Where the taxes of a store were set. */
  async taxes(
    caller: Caller,
    storeId: string,
  ): Promise<readonly { readonly stream: string; readonly place: number }[]> {
    const rows = reader.rows(caller, storeTaxesTable).where('storeId', '=', storeId as never);
    const found = await rows.orderBy('place').execute();
    return found.map(({ stream, place }) => ({ stream: stream as string, place: place as number }));
  },
});
