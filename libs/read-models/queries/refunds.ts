import type { Caller } from '#domain/kernel/caller';
import { disputeTable, paymentTable, refundTable } from '../models/refunds.ts';
import type { RowReader } from './reader.ts';

export const refundListing = { by: 'wishedAt', newestFirst: true, filters: ['orderId', 'status'] } as const;

export const refundRows = (reader: RowReader) => ({
  find: reader.finding(refundTable),
  list: reader.listing(refundTable, refundListing),
});

export const disputeListing = { by: 'toldAt', newestFirst: true, filters: ['orderId', 'stage'] } as const;

export const disputeRows = (reader: RowReader) => ({
  list: reader.listing(disputeTable, disputeListing),

  /** The order of a payment. Undefined: the provider's name of it is unknown. */
  async orderOfPayment(caller: Caller, reference: string): Promise<string | undefined> {
    const found = reader.rows(caller, paymentTable).where('reference', '=', reference as never);
    return (await found.executeTakeFirst())?.orderId as string | undefined;
  },
});
