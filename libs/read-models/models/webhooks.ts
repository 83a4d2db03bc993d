import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { tellFailedCall } from '#domain/notifications/outcomes';
import { endOf, webhookStatuses } from '#domain/notifications/webhook';
import { column } from '../engine/columns.ts';
import { modelOfStreams, table } from '../engine/model.ts';
import { customerTable } from './customers.ts';
import { exampleIds } from './examples.ts';

export const webhookRow = z.object({
  webhookId: column.id().describe('Id of the message, the same on every attempt: the header webhook-id.'),
  customerId: column.id().describe('Customer whose program is called.'),
  orderId: column.id().describe('Order to which the lead was delivered.'),
  leadId: column.id().describe('The lead that the message is about.'),
  deliveredAt: column.instant().describe('When the lead was delivered to the order, or its person was suppressed.'),
  status: column
    .oneOf(webhookStatuses)
    .describe(
      '`parked`: it is not tried again automatically, but it can be retried. `withheld`: the customer or the person of the lead was erased, so it is never sent.',
    ),
  attempts: column.count().describe('Attempts so far.'),
  lastError: column.text().nullable().describe('Why the last failed attempt failed. Null: none failed.'),
  retryAt: column.instant().nullable().describe('When it is tried again. Null: no attempt is planned.'),
  acceptedAt: column.instant().nullable().describe('When the program accepted it. Null: not yet.'),
  revision: column.revision(),
});
export type WebhookRow = z.infer<typeof webhookRow>;

export const webhookExample: WebhookRow = {
  webhookId: exampleIds.webhookId,
  customerId: exampleIds.customerId,
  orderId: exampleIds.orderId,
  leadId: exampleIds.leadId,
  deliveredAt: '2026-03-01T09:30:00.000Z',
  status: 'waiting',
  attempts: 1,
  lastError: 'it answered 503',
  retryAt: '2026-03-01T09:30:05.000Z',
  acceptedAt: null,
  revision: 1,
};

export const webhookTable = table(webhookRow, {
  name: 'webhooks',
  key: 'webhookId',
  family: 'webhook',
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: [
    'delivered_at DESC, webhook_id DESC',
    'customer_id, delivered_at DESC, webhook_id DESC',
    'status, delivered_at DESC, webhook_id DESC',
  ],
});

export const webhooks = modelOfStreams({
  name: 'webhooks',
  table: webhookTable,
  never: 'a message that was never wished',
  on: {
    WebhookWished: (webhook, fact) => webhook.create(wished(fact)),
    WebhookAccepted: (webhook, { data }) =>
      webhook.set({ status: 'accepted', attempts: data.attempt, acceptedAt: data.at, retryAt: null }),
    WebhookFailed: (webhook, { data }) =>
      webhook.set({ attempts: data.attempt, lastError: tellFailedCall(data), retryAt: data.retryAt }),
    WebhookParked: (webhook, { data }) =>
      webhook.set({ status: endOf(data), attempts: data.attempt, lastError: tellFailedCall(data), retryAt: null }),
    WebhookReplayed: (webhook) => webhook.set({ status: 'waiting', retryAt: null }),
  },
});

const wished = ({ stream, revision, data }: FactOf<'WebhookWished'>): WebhookRow => ({
  webhookId: idOf(stream),
  customerId: data.customerId,
  orderId: data.orderId,
  leadId: data.leadId,
  deliveredAt: data.deliveredAt ?? data.suppressedAt ?? data.at,
  status: 'waiting',
  attempts: 0,
  lastError: null,
  retryAt: null,
  acceptedAt: null,
  revision,
});
