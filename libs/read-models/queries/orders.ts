import type { Caller } from '#domain/kernel/caller';
import { orderTable } from '../models/orders.ts';
import { programmeTable, type RenewalRow, renewalTable } from '../models/programmes.ts';
import type { RowReader } from './reader.ts';

export const orderRows = (reader: RowReader) => ({
  find: reader.finding(orderTable),
  list: reader.listing(orderTable, {
    by: 'placedAt',
    newestFirst: true,
    filters: ['storeId', 'customerId', 'status', 'leadTypeId'],
  }),
});

export const programmeRows = (reader: RowReader) => ({
  find: reader.finding(programmeTable),
  list: reader.listing(programmeTable, {
    by: 'joinedAt',
    newestFirst: true,
    filters: ['customerId', 'storeId', 'status'],
  }),

  /** The renewals of an order that are announced or begun, in their order. */
  async renewals(caller: Caller, orderId: string): Promise<RenewalRow[]> {
    const rows = reader.rows(caller, renewalTable).where('orderId', '=', orderId as never);
    return (await rows.orderBy('renewalNumber').execute()) as unknown as RenewalRow[];
  },
});
