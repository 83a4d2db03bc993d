import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { Caller } from '#domain/kernel/caller';
import { declineReasons, tellDecline } from '#domain/kernel/declines';
import type { Instant } from '#domain/kernel/events';
import { refundFailures, tellRefundFailure } from '#domain/orders/refunds';
import { column } from '../engine/columns.ts';
import { exampleIds } from '../models/examples.ts';
import { orderTable } from '../models/orders.ts';
import { programmeTable, renewalTable } from '../models/programmes.ts';
import { disputeTable, refundTable } from '../models/refunds.ts';
import { replacementTable } from '../models/replacements.ts';
import { type NoticedOrder, type WaitingLimits, waitingReasons, whatWaits } from './attention-waiting.ts';
import { damaged as damagedMark } from './damaged.ts';
import { type Page, type PageRequest, pageOf, type Select } from './paging.ts';
import { type Matching, matching, type RowReader } from './reader.ts';

export const attentionReasons = [
  'starving',
  'payment-declined',
  'payment-unknown',
  'refund-under-way',
  'refund-stuck',
  'payment-disputed',
  'verification-overdue',
  'renewal-declined',
  'programme-held',
  'renewal-missed',
  'damaged',
  'payment-parked',
  ...waitingReasons,
] as const;

/** An order, or a mail, that the staff should look at, and why. There may be several reasons, each with its own row. */
export const attentionRow = z
  .object({
    attentionId: column.id().describe('Reason, and what it is about.'),
    reason: column.oneOf(attentionReasons).describe('Why somebody should look at it.'),
    orderId: column.id().nullable().describe('The order. Null: it is about none.'),
    storeId: column
      .id()
      .nullable()
      .describe('Store that sold it, or whose customer it is. Null: it is about no store.'),
    customerId: column
      .id()
      .nullable()
      .describe('Customer who ordered, or to whom the mail goes. Null: it is about none.'),
    leadTypeId: column.id().nullable().describe('Lead type that was ordered. Null: it is about no order.'),
    replacementId: column.id().nullable().describe('The return whose verification is overdue (RPL-5). Null: none is.'),
    since: column
      .instant()
      .describe(
        'The last delivery or opening, the decline, the due date of what did not happen, or when it was noticed.',
      ),
    retryAt: column
      .instant()
      .nullable()
      .describe(
        'When a declined renewal is charged again (LOY-8), a refund tried again (CHK-6), or a webhook called again. Null: no attempt is planned.',
      ),
    mailId: column.id().nullable().describe('The mail. Null: it is about none.'),
    webhookId: column.id().nullable().describe('The message of a webhook. Null: it is about none.'),
    why: column
      .text()
      .nullable()
      .describe(
        'Why it waits: a code for a starving order, else its own last failure in words. Null: the reason says all that is known, or no program that runs knows more.',
      ),
    damaged: damagedMark,
  })
  .meta({ id: 'AttentionItem' });
export type AttentionRow = z.infer<typeof attentionRow>;

export const attentionExample: AttentionRow = {
  attentionId: `starving/${exampleIds.orderId}`,
  reason: 'starving',
  orderId: exampleIds.orderId,
  storeId: exampleIds.storeId,
  customerId: exampleIds.customerId,
  leadTypeId: exampleIds.leadTypeId,
  replacementId: null,
  since: '2026-03-02T15:12:40.000Z',
  retryAt: null,
  mailId: null,
  webhookId: null,
  why: 'no-leads-in-stock',
  damaged: false,
};

interface AttentionLimits extends WaitingLimits {
  /** Verifications that were due earlier are overdue. */
  readonly now: Instant;
  /** Orders whose streams, or those of their programmes, others cut or deleted in the event store, and since when. */
  readonly damaged: readonly NoticedOrder[];
}

type AttentionRequest = PageRequest & AttentionLimits & Matching<AttentionRow, 'reason' | 'storeId'>;

const ownership = { belongsTo: { customer: 'customerId', store: 'storeId' } };
const about = {
  madeOf: {
    order: 'orderId',
    programme: 'orderId',
    replacement: 'replacementId',
    mail: 'mailId',
    webhook: 'webhookId',
  },
};
const order = { by: 'since', id: 'attentionId', newestFirst: false } as const;

/** Orders that the staff should look at, longest waiting first. */
export const attentionRows = (reader: RowReader) => ({
  /** How many there are, by reason. A reason without any is left out. */
  async counts(caller: Caller, limits: AttentionLimits): Promise<ReadonlyMap<AttentionRow['reason'], number>> {
    const all = reader.db.selectFrom(attention(reader, limits).as('attention')).selectAll();
    const rows = reader.visible(caller, ownership, all as unknown as Select<AttentionRow>);
    const counted = rows
      .clearSelect()
      .select(['reason', sql<number>`count(*)::integer`.as('items')])
      .groupBy('reason');
    return new Map((await counted.execute()).map(({ reason, items }) => [reason, items]));
  },

  async list(caller: Caller, request: AttentionRequest): Promise<Page<AttentionRow>> {
    const all = reader.db.selectFrom(attention(reader, request).as('attention')).selectAll();
    const rows = reader.visible(caller, ownership, all as unknown as Select<AttentionRow>);
    const page = await pageOf(matching(rows, ['reason', 'storeId'], request), order, request);
    return { ...page, items: page.items.map((row) => reader.mark(about, row)) };
  },
});

/** Each part is found through its own index, however many orders need no attention. */
function attention(reader: RowReader, limits: AttentionLimits): RawBuilder<AttentionRow> {
  const parts = [
    paymentDeclined(reader, limits),
    paymentUnknown(reader),
    refundNotMade(reader),
    paymentDisputed(reader),
    verificationOverdue(reader, limits),
    renewalDeclined(reader),
    programmeHeld(reader),
    noticed(reader, 'damaged', limits.damaged),
    noticed(reader, 'payment-parked', limits.parkedCharges),
    renewalMissed(reader),
  ];
  const ofOrders = sql`
    SELECT attention_id, reason, order_id, store_id, customer_id, lead_type_id, replacement_id, since, retry_at,
      NULL::text, NULL::text, why
    FROM (${union(parts)}) AS of_orders (attention_id, reason, order_id, store_id, customer_id, lead_type_id,
      replacement_id, since, retry_at, why)`;
  return sql<AttentionRow>`(${union([...whatWaits(reader, limits), ofOrders])})`;
}

const union = (parts: readonly RawBuilder<unknown>[]) => sql.join(parts, sql` UNION ALL `);

/** A column of codes, in words. */
const inWords = <Code extends string>(column: string, codes: readonly Code[], tell: (code: Code) => string) =>
  sql`CASE ${sql.ref(column)} ${sql.join(
    codes.map((code) => sql`WHEN ${code}::text THEN ${tell(code)}::text`),
    sql` `,
  )} END`;

const declined = inWords('decline_reason', declineReasons, tellDecline);

const paymentDeclined = ({ nameOf }: RowReader, { declinedSince, erased }: AttentionLimits) => sql`
  SELECT 'payment-declined/' || order_id, 'payment-declined', order_id, store_id, customer_id, lead_type_id,
    NULL::text, waiting_since, NULL::timestamptz, ${declined}
  FROM ${sql.table(nameOf(orderTable))}
  WHERE status = 'payment-failed' AND waiting_since >= ${declinedSince}::timestamptz
    AND customer_id <> ALL(${erased}::text[])`;

const paymentUnknown = ({ nameOf }: RowReader) => sql`
  SELECT 'payment-unknown/' || order_id, 'payment-unknown', order_id, store_id, customer_id, lead_type_id,
    NULL, payment_unknown_since, NULL, NULL
  FROM ${sql.table(nameOf(orderTable))} WHERE payment_unknown_since IS NOT NULL`;

const refundNotMade = ({ nameOf }: RowReader) => sql`
  SELECT 'refund-' || refunds.status || '/' || refund_id, 'refund-' || refunds.status, order_id, store_id, customer_id,
    lead_type_id, NULL, wished_at, retry_at, ${inWords('failure', refundFailures, tellRefundFailure)}
  FROM ${sql.table(nameOf(refundTable))} AS refunds JOIN ${sql.table(nameOf(orderTable))} AS orders USING (order_id)
  WHERE refunds.status IN ('under-way', 'stuck')`;

const paymentDisputed = ({ nameOf }: RowReader) => sql`
  SELECT 'payment-disputed/' || dispute_id, 'payment-disputed', order_id, store_id, customer_id, lead_type_id,
    NULL, told_at, NULL,
    CASE WHEN disputes.currency <> orders.currency THEN 'it is disputed in ' || disputes.currency || ' and was paid in ' ||
      orders.currency || ': nothing of this payment is given back by hand unless the dispute is won'
    ELSE replace(disputes.reason, '-', ' ') END
  FROM ${sql.table(nameOf(disputeTable))} AS disputes JOIN ${sql.table(nameOf(orderTable))} AS orders USING (order_id)
  WHERE stage = 'opened'`;

const verificationOverdue = ({ nameOf }: RowReader, { now }: AttentionLimits) => sql`
  SELECT 'verification-overdue/' || replacement_id, 'verification-overdue', order_id, store_id, customer_id,
    lead_type_id, replacement_id, due_at, NULL, NULL
  FROM ${sql.table(nameOf(replacementTable))} WHERE status = 'requested' AND due_at < ${now}::timestamptz`;

const renewalsOfProgrammes = ({ nameOf }: RowReader) =>
  sql`${sql.table(nameOf(renewalTable))} JOIN ${sql.table(nameOf(programmeTable))} USING (order_id)`;

const renewalDeclined = (reader: RowReader) => sql`
  SELECT 'renewal-declined/' || renewal_id, 'renewal-declined', order_id, store_id, customer_id, lead_type_id,
    NULL, due_at, retry_at, ${declined}
  FROM ${renewalsOfProgrammes(reader)} WHERE decline_reason IS NOT NULL AND status = 'active'`;

const programmeHeld = (reader: RowReader) => sql`
  SELECT 'programme-held/' || renewal_id, 'programme-held', order_id, store_id, customer_id, lead_type_id,
    NULL, due_at, retry_at, ${declined}
  FROM ${renewalsOfProgrammes(reader)}
  WHERE decline_reason IS NOT NULL AND status = 'held' AND status_cause = 'declined-payment'`;

/** LOY-10: the store stood still, and an operator releases or skips what waits. */
const renewalMissed = ({ nameOf }: RowReader) => sql`
  SELECT 'renewal-missed/' || order_id, 'renewal-missed', order_id, store_id, customer_id, lead_type_id,
    NULL, missed_due_at, NULL, NULL
  FROM ${sql.table(nameOf(programmeTable))} WHERE missed_due_at IS NOT NULL`;

/** What no row says: programs notice it. */
const noticed = ({ nameOf }: RowReader, reason: AttentionRow['reason'], orders: readonly NoticedOrder[]) => sql`
  SELECT ${reason}::text || '/' || order_id, ${reason}::text, order_id, store_id, customer_id, lead_type_id, NULL,
    noticed.since, NULL, noticed.why
  FROM ${sql.table(nameOf(orderTable))} JOIN unnest(
    ${orders.map(({ orderId }) => orderId)}::text[], ${orders.map(({ since }) => since)}::timestamptz[],
    ${orders.map(({ why = null }) => why)}::text[]
  ) AS noticed (order_id, since, why) USING (order_id)`;
