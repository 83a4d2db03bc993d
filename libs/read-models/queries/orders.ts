import type { Caller } from '#domain/kernel/caller';
import { orderTable } from '../models/orders.ts';
import { type ProgrammeRow, programmeTable, type RenewalRow, renewalTable } from '../models/programmes.ts';
import type { RowReader } from './reader.ts';

export const orderListing = {
  by: 'placedAt',
  newestFirst: true,
  filters: ['storeId', 'customerId', 'status', 'leadTypeId'],
} as const;

export const orderRows = (reader: RowReader) => ({
  find: reader.finding(orderTable),
  list: reader.listing(orderTable, orderListing),
});

export const programmeListing = {
  by: 'joinedAt',
  newestFirst: true,
  filters: ['customerId', 'storeId', 'status'],
} as const;

export const programmeRows = (reader: RowReader) => ({
  find: reader.finding(programmeTable),
  list: reader.listing(programmeTable, programmeListing),

  /** Programmes with a renewal that waits for an operator (LOY-10), in the order of their ids, after one of them. */
  async withMissedRenewal(
    caller: Caller,
    {
      storeId,
      after,
      limit,
    }: { readonly storeId?: string | undefined; readonly after: string; readonly limit: number },
  ): Promise<readonly string[]> {
    const waiting = reader.rows(caller, programmeTable).where('missedDueAt', 'is not', null);
    const ofStore = storeId === undefined ? waiting : waiting.where('storeId', '=', storeId as never);
    const rows = await ofStore
      .where('orderId', '>', after as never)
      .orderBy('orderId')
      .limit(limit)
      .execute();
    return (rows as unknown as ProgrammeRow[]).map(({ orderId }) => orderId);
  },

  /** The renewals of an order that are announced or begun, in their order. */
  async renewals(caller: Caller, orderId: string): Promise<RenewalRow[]> {
    const rows = reader.rows(caller, renewalTable).where('orderId', '=', orderId as never);
    return (await rows.orderBy('renewalNumber').execute()) as unknown as RenewalRow[];
  },
});
