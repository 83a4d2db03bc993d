import { type FactOf, idOf } from '#domain/codec';
import { type Model, table } from '../engine/model.ts';

export interface WebhookRow {
  readonly webhookId: string;
  readonly customerId: string;
  readonly orderId: string;
  readonly leadId: string;
  readonly deliveredAt: string;
  readonly status: 'waiting' | 'accepted' | 'parked';
  readonly attempts: number;
  /** Why the last try failed. */
  readonly lastError: string | null;
  readonly retryAt: string | null;
  readonly acceptedAt: string | null;
}

export const webhookTable = table<WebhookRow>({
  name: 'webhooks',
  key: 'webhookId',
  columns: {
    webhookId: 'text',
    customerId: 'text',
    orderId: 'text',
    leadId: 'text',
    deliveredAt: 'timestamptz',
    status: 'text',
    attempts: 'integer',
    lastError: 'text',
    retryAt: 'timestamptz',
    acceptedAt: 'timestamptz',
  },
  indexes: [
    'delivered_at DESC, webhook_id DESC',
    'customer_id, delivered_at DESC, webhook_id DESC',
    'status, delivered_at DESC, webhook_id DESC',
  ],
});

const eventTypes = ['WebhookWished', 'WebhookAccepted', 'WebhookFailed', 'WebhookParked', 'WebhookReplayed'] as const;

export const webhooks: Model<(typeof eventTypes)[number]> = {
  name: 'webhooks',
  version: 2,
  tables: [webhookTable],
  eventTypes,
  keysOf: ({ stream }) => [[webhookTable, idOf(stream)]],

  evolve(rows, fact) {
    const webhookId = idOf(fact.stream);
    const row = fact.type === 'WebhookWished' ? wished(webhookId, fact) : rows.get(webhookTable, webhookId);
    if (!row) throw new Error(`${fact.type} of a message that nobody wished`);
    rows.put(webhookTable, { ...row, ...changeBy(fact) });
  },
};

const wished = (
  webhookId: string,
  { data: { customerId, orderId, leadId, deliveredAt } }: FactOf<'WebhookWished'>,
): WebhookRow => ({
  webhookId,
  customerId,
  orderId,
  leadId,
  deliveredAt,
  status: 'waiting',
  attempts: 0,
  lastError: null,
  retryAt: null,
  acceptedAt: null,
});

function changeBy({ type, data }: FactOf<(typeof eventTypes)[number]>): Partial<WebhookRow> {
  switch (type) {
    case 'WebhookWished':
      return {};
    case 'WebhookAccepted':
      return { status: 'accepted', attempts: data.attempt, acceptedAt: data.at, retryAt: null };
    case 'WebhookFailed':
      return { attempts: data.attempt, lastError: data.reason, retryAt: data.retryAt };
    case 'WebhookParked':
      return { status: 'parked', attempts: data.attempt, lastError: data.reason, retryAt: null };
    case 'WebhookReplayed':
      return { status: 'waiting', retryAt: null };
  }
}
