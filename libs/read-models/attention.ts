import { type RawBuilder, sql } from 'kysely';
import type { Instant } from '#domain/kernel/events';

export const attentionReasons = [
  'starving',
  'payment-declined',
  'verification-overdue',
  'renewal-declined',
  'programme-held',
] as const;

/** An order that somebody of the store should look at, and why. One order may be there for several reasons. */
export interface AttentionRow {
  readonly attentionId: string;
  readonly reason: (typeof attentionReasons)[number];
  readonly orderId: string;
  readonly storeId: string;
  readonly customerId: string;
  readonly leadTypeId: string;
  /** Of the return, where it is about one. */
  readonly replacementId: string | null;
  /** The last delivery or since when it is open, the decline, or what was due and did not happen. */
  readonly since: string;
  /** When it is tried again by itself. */
  readonly retryAt: string | null;
}

export interface AttentionLimits {
  /** An open order starves that was given nothing since then. */
  readonly waitingSince: Instant;
  /** Payments that were declined before are history. */
  readonly declinedSince: Instant;
  /** Verifications that were due before are overdue. */
  readonly now: Instant;
}

/** Each part is found by an index of its own, however many orders are well. */
export const attention = (
  schemaOf: (model: string) => string,
  { waitingSince, declinedSince, now }: AttentionLimits,
): RawBuilder<AttentionRow> => {
  const orders = sql.table(`${schemaOf('orders')}.orders`);
  const programmes = sql.table(`${schemaOf('programmes')}.programmes`);
  const renewals = sql.table(`${schemaOf('programmes')}.renewals`);
  const replacements = sql.table(`${schemaOf('replacements')}.replacements`);
  return sql<AttentionRow>`(
    SELECT 'starving/' || order_id AS attention_id, 'starving' AS reason, order_id, store_id, customer_id, lead_type_id,
      NULL::text AS replacement_id, waiting_since AS since, NULL::timestamptz AS retry_at
    FROM ${orders} WHERE status = 'open' AND waiting_since < ${waitingSince}::timestamptz
    UNION ALL
    SELECT 'payment-declined/' || order_id, 'payment-declined', order_id, store_id, customer_id, lead_type_id,
      NULL, waiting_since, NULL
    FROM ${orders} WHERE status = 'payment-failed' AND waiting_since >= ${declinedSince}::timestamptz
    UNION ALL
    SELECT 'verification-overdue/' || replacement_id, 'verification-overdue', order_id, store_id, customer_id,
      lead_type_id, replacement_id, verify_by, NULL
    FROM ${replacements} WHERE status = 'requested' AND verify_by < ${now}::timestamptz
    UNION ALL
    SELECT 'renewal-declined/' || renewal_id, 'renewal-declined', order_id, store_id, customer_id, lead_type_id,
      NULL, due_at, retry_at
    FROM ${renewals} JOIN ${programmes} USING (order_id)
    WHERE decline_reason IS NOT NULL AND status = 'active'
    UNION ALL
    SELECT 'programme-held/' || renewal_id, 'programme-held', order_id, store_id, customer_id, lead_type_id,
      NULL, due_at, retry_at
    FROM ${renewals} JOIN ${programmes} USING (order_id)
    WHERE decline_reason IS NOT NULL AND status = 'held' AND status_cause = 'declined-payment'
  )`;
};
