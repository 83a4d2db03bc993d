import { sql } from 'kysely';
import type { Caller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import type { PaymentOfOrder } from '#domain/orders/payment-claim';
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

  /** Which payments of orders the log has under this name, whoever may see them. */
  async paymentsNamed(reference: string): Promise<readonly PaymentOfOrder[]> {
    const { rows } = await sql<{ paymentId: string; orderId: string }>`
      SELECT payment_id AS "paymentId", order_id AS "orderId"
      FROM ${sql.table(reader.nameOf(paymentTable))} WHERE reference = ${reference}`.execute(reader.db);
    return rows.map(({ paymentId, orderId }) => {
      return { orderId, renewalNumber: Number(paymentId.slice(orderId.length + 1)) };
    });
  },

  /** Whether a payment may have been made whose result is not recorded yet. */
  async isChargeUnderWay(now: Instant): Promise<boolean> {
    const { rows } = await sql<{ isUnderWay: boolean }>`
      SELECT EXISTS (
        SELECT FROM ${sql.table(reader.nameOf(paymentTable))}
        WHERE awaited AND (awaited_until IS NULL OR awaited_until >= ${now}::timestamptz)
      ) AS "isUnderWay"`.execute(reader.db);
    return rows[0]?.isUnderWay ?? false;
  },
});
