import { type RawBuilder, sql } from 'kysely';
import type { Instant } from '#domain/kernel/events';
import { mailStatuses } from '#domain/notifications/mail';
import { customerTable } from '../models/customers.ts';
import { stockTable } from '../models/leads.ts';
import { mailTable } from '../models/mails.ts';
import { orderTable } from '../models/orders.ts';
import { programmeTable, renewalTable } from '../models/programmes.ts';
import { webhookTable } from '../models/webhooks.ts';
import type { RowReader } from './reader.ts';

export const waitingReasons = [
  'payment-waiting',
  'renewal-waiting',
  'mail-waiting',
  'mail-given-up',
  'webhook-waiting',
  'webhook-parked',
  'order-parked',
  'time-zone-unknown',
  'many-persons-shown',
  'approval-waiting',
] as const;

/** An order that a program noticed, since when and, where there is more to say, why. */
export interface NoticedOrder {
  readonly orderId: string;
  readonly since: Instant;
  readonly why?: string;
}

/** What staff did, or want to do, by an id of its own. */
interface NoticedAct {
  readonly id: string;
  readonly since: Instant;
  readonly why: string;
}

export interface WaitingLimits {
  /** Erased customers: nobody can ask them for another card, and nothing is sent to them. */
  readonly erased: readonly string[];
  /** An open order to which nothing was delivered since then is starving. */
  readonly waitingSince: Instant;
  /** Earlier declines of payments, and mails that were given up earlier, are left out. */
  readonly declinedSince: Instant;
  /** What was asked of a payment provider or a mail server before, and has no answer, waits for too long. */
  readonly unansweredSince: Instant;
  /** What was noted later is from a clock that was ahead: nobody knows for how long it waits. */
  readonly future: Instant;
  /** No schedule of webhooks ends later. */
  readonly latestRetry: Instant;
  /** Streams of orders, programmes and mails whose call fails now, and why, as far as the programs know. */
  readonly failing: readonly { readonly stream: string; readonly why: string }[];
  /** Orders whose charge, or that of a renewal, the payment provider refuses for a reason that only people mend. */
  readonly parkedCharges: readonly NoticedOrder[];
  /** Orders for which something else failed too often, and what. */
  readonly parkedOrders: readonly NoticedOrder[];
  /** Who was shown the personal data of very many persons. */
  readonly bulkReads: readonly NoticedAct[];
  /** What waits for the approval of a second member of staff. */
  readonly approvals: readonly NoticedAct[];
}

/** With all columns of a row, in their order. Each part is found through its own index. */
export const whatWaits = (reader: RowReader, limits: WaitingLimits): readonly RawBuilder<unknown>[] => [
  starving(reader, limits),
  paymentWaiting(reader, limits),
  renewalWaiting(reader, limits),
  mailWaiting(reader, limits),
  mailGivenUp(reader, limits),
  webhookWaiting(reader, limits),
  webhookParked(reader, limits),
  orderParked(reader, limits),
  timeZoneUnknown(reader),
  noticedActs('many-persons-shown', limits.bulkReads),
  noticedActs('approval-waiting', limits.approvals),
];

const starving = ({ nameOf }: RowReader, { waitingSince }: WaitingLimits) => sql`
  SELECT 'starving/' || order_id AS attention_id, 'starving' AS reason, order_id, store_id, customer_id, lead_type_id,
    NULL::text AS replacement_id, waiting_since AS since, NULL::timestamptz AS retry_at, NULL::text AS mail_id,
    NULL::text AS webhook_id,
    CASE WHEN stock.leads > 0 THEN 'no-lead-in-stock-is-for-it' ELSE 'no-leads-in-stock' END AS why
  FROM ${sql.table(nameOf(orderTable))} LEFT JOIN ${sql.table(nameOf(stockTable))} AS stock USING (lead_type_id)
  WHERE status = 'open' AND waiting_since < ${waitingSince}::timestamptz AND time_zone_unknown_since IS NULL`;

/** DLV-5: it can receive nothing, and is not renewed, until support corrects its time zone. */
const timeZoneUnknown = ({ nameOf }: RowReader) => sql`
  SELECT 'time-zone-unknown/' || order_id, 'time-zone-unknown', order_id, store_id, customer_id, lead_type_id,
    NULL, time_zone_unknown_since, NULL, NULL, NULL,
    'the time zone ' || time_zone || ' is not known: PUT /api/orders/' || order_id || '/time-zone corrects it'
  FROM ${sql.table(nameOf(orderTable))} AS orders
  WHERE time_zone_unknown_since IS NOT NULL AND (
    status IN ('awaiting-payment', 'open', 'paused') OR replacements_owed > 0 OR EXISTS (
      SELECT FROM ${sql.table(nameOf(programmeTable))} AS programmes
      WHERE programmes.order_id = orders.order_id AND programmes.status <> 'cancelled'))`;

/** It is about no order and no store. */
const noticedActs = (reason: (typeof waitingReasons)[number], acts: readonly NoticedAct[]) => sql`
  SELECT ${reason}::text || '/' || acts.id, ${reason}::text, NULL, NULL, NULL, NULL, NULL, acts.since, NULL, NULL, NULL, acts.why
  FROM unnest(
    ${acts.map(({ id }) => id)}::text[], ${acts.map(({ since }) => since)}::timestamptz[],
    ${acts.map(({ why }) => why)}::text[]) AS acts (id, since, why)`;

/** Its own last failure, by the name of its stream. */
const failingCalls = ({ failing }: WaitingLimits) => sql`unnest(
    ${failing.map(({ stream }) => stream)}::text[], ${failing.map(({ why }) => why)}::text[]
  ) AS failing (stream, why)`;

/** Whether what was noted at the instant in a column has had no answer for too long. */
const forTooLong = (notedAt: string, { unansweredSince, future }: WaitingLimits) =>
  sql`(${sql.ref(notedAt)} < ${unansweredSince}::timestamptz OR ${sql.ref(notedAt)} > ${future}::timestamptz)`;

/** A charge that is parked has a row of its own. */
const paymentWaiting = ({ nameOf }: RowReader, limits: WaitingLimits) => sql`
  SELECT 'payment-waiting/' || order_id, 'payment-waiting', order_id, store_id, customer_id, lead_type_id,
    NULL, placed_at, NULL, NULL, NULL, failing.why
  FROM ${sql.table(nameOf(orderTable))} LEFT JOIN ${failingCalls(limits)} ON failing.stream = 'order-' || order_id
  WHERE status = 'awaiting-payment' AND ${forTooLong('placed_at', limits)}
    AND order_id <> ALL(${limits.parkedCharges.map(({ orderId }) => orderId)}::text[])`;

/** It is due, and neither paid, declined nor missed. */
const renewalWaiting = ({ nameOf }: RowReader, limits: WaitingLimits) => sql`
  SELECT 'renewal-waiting/' || programmes.order_id, 'renewal-waiting', programmes.order_id, store_id, customer_id, lead_type_id,
    NULL, next_due_at, NULL, NULL, NULL,
    CASE WHEN confirmable_until IS NULL THEN failing.why ELSE coalesce(failing.why, 'not-confirmed') END
  FROM ${sql.table(nameOf(programmeTable))} AS programmes LEFT JOIN ${sql.table(nameOf(renewalTable))} AS renewals
    ON renewals.order_id = programmes.order_id AND renewal_number = next_renewal_number
    LEFT JOIN ${failingCalls(limits)} ON failing.stream = 'programme-' || programmes.order_id
  WHERE programmes.status = 'active' AND next_due_at < ${limits.unansweredSince}::timestamptz AND missed_due_at IS NULL
    AND paid_at IS NULL AND decline_reason IS NULL
    AND programmes.order_id <> ALL(${limits.parkedCharges.map(({ orderId }) => orderId)}::text[])`;

const mailsOf = ({ nameOf }: RowReader) =>
  sql`${sql.table(nameOf(mailTable))} JOIN ${sql.table(nameOf(customerTable))} USING (customer_id)`;

const mailWaiting = (reader: RowReader, limits: WaitingLimits) => sql`
  SELECT 'mail-waiting/' || mail_id, 'mail-waiting', NULL, store_id, customer_id, NULL, NULL, wished_at, NULL,
    mail_id, NULL, coalesce(last_error, failing.why)
  FROM ${mailsOf(reader)} LEFT JOIN ${failingCalls(limits)} ON failing.stream = 'mail-' || mail_id
  WHERE status = 'wished' AND ${forTooLong('wished_at', limits)} AND acknowledged_at IS NULL`;

/** Statuses of a mail that was not sent although it should have been. */
const givenUp = mailStatuses.filter((status) => status !== 'wished' && status !== 'sent' && status !== 'withheld');

const mailGivenUp = (reader: RowReader, { declinedSince, erased }: WaitingLimits) => sql`
  SELECT 'mail-given-up/' || mail_id, 'mail-given-up', NULL, store_id, customer_id, NULL, NULL, ended_at, NULL,
    mail_id, NULL, reason
  FROM ${mailsOf(reader)} WHERE status = ANY(${givenUp}::text[]) AND wished_at >= ${declinedSince}::timestamptz
    AND acknowledged_at IS NULL AND customer_id <> ALL(${erased}::text[])`;

/** One that waits for its next call is news to nobody: it is parked after the last one. By a clock that was ahead that is far away. */
const webhookWaiting = ({ nameOf }: RowReader, { future, latestRetry, erased }: WaitingLimits) => sql`
  SELECT 'webhook-waiting/' || webhook_id, 'webhook-waiting', order_id, store_id, orders.customer_id, lead_type_id, NULL,
    delivered_at, retry_at, NULL, webhook_id, last_error
  FROM ${sql.table(nameOf(webhookTable))} AS webhooks JOIN ${sql.table(nameOf(orderTable))} AS orders USING (order_id)
  WHERE webhooks.status = 'waiting'
    AND (delivered_at > ${future}::timestamptz OR retry_at > ${latestRetry}::timestamptz)
    AND orders.customer_id <> ALL(${erased}::text[])`;

const webhookParked = ({ nameOf }: RowReader, { erased }: WaitingLimits) => sql`
  SELECT 'webhook-parked/' || webhook_id, 'webhook-parked', order_id, store_id, orders.customer_id, lead_type_id, NULL,
    delivered_at, NULL, NULL, webhook_id, last_error
  FROM ${sql.table(nameOf(webhookTable))} AS webhooks JOIN ${sql.table(nameOf(orderTable))} AS orders USING (order_id)
  WHERE webhooks.status = 'parked' AND orders.customer_id <> ALL(${erased}::text[])`;

const orderParked = ({ nameOf }: RowReader, { parkedOrders }: WaitingLimits) => sql`
  SELECT 'order-parked/' || order_id, 'order-parked', order_id, store_id, customer_id, lead_type_id, NULL,
    parked.since, NULL, NULL, NULL, parked.why
  FROM ${sql.table(nameOf(orderTable))} JOIN unnest(
    ${parkedOrders.map(({ orderId }) => orderId)}::text[], ${parkedOrders.map(({ since }) => since)}::timestamptz[],
    ${parkedOrders.map(({ why = null }) => why)}::text[]
  ) AS parked (order_id, since, why) USING (order_id)`;
