import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type WebhookWish, webhookIdOf, webhookStream } from '#domain/notifications/webhook';
import { type CommandWish, defineProcess, type EffectWish, takeFrom } from './process.ts';

type Outcome = FactOf<'WebhookAccepted' | 'WebhookFailed' | 'WebhookParked'>;

interface Call {
  readonly webhookId: string;
  readonly wish: WebhookWish;
  readonly attempt: number;
  readonly because: Outcome | FactOf<'WebhookWished' | 'WebhookReplayed'>;
}

interface Webhooks {
  /** Customers whose own program receives their leads. */
  readonly subscribers: Set<string>;
  /** Delivered and suppressed leads that have no message yet. */
  readonly deliveries: Map<string, FactOf<'LeadDelivered' | 'ContactSuppressed'>>;
  /** Message → its next call. Accepted and parked messages are not scheduled: they may be replayed. */
  readonly calls: DueList<Call>;
}

/**
 * Sends delivered leads to the programs of customers who want that (DLV-9), and which of them must not be contacted any more
 * (DLV-12). Repeats calls that failed.
 */
export const leadWebhooks = defineProcess({
  name: 'lead-webhooks',
  eventTypes: [
    'LeadDeliveryChosen',
    'LeadDelivered',
    'ContactSuppressed',
    'WebhookWished',
    'WebhookAccepted',
    'WebhookFailed',
    'WebhookParked',
    'WebhookReplayed',
  ],
  initialState: (): Webhooks => ({
    subscribers: new Set(),
    deliveries: new Map(),
    calls: new DueList(),
  }),

  evolve(webhooks, fact) {
    const { subscribers, deliveries } = webhooks;
    switch (fact.type) {
      case 'LeadDeliveryChosen':
        if (fact.data.webhook) subscribers.add(idOf(fact.stream));
        else subscribers.delete(idOf(fact.stream));
        break;
      case 'LeadDelivered':
        if (subscribers.has(fact.data.customerId)) deliveries.set(fact.eventId, fact);
        break;
      case 'ContactSuppressed':
        if (fact.data.isListed && subscribers.has(idOf(fact.stream))) deliveries.set(fact.eventId, fact);
        break;
      case 'WebhookWished':
        addCall(webhooks, fact);
        break;
      default:
        evolveCall(webhooks, fact);
    }
  },

  next({ deliveries, calls }, { now }, limit) {
    const messages = takeFrom(deliveries, limit).map(([, delivered]) => wishWebhook(delivered));
    const due = calls.take(now, limit - messages.length);
    for (const call of due) calls.put(call.webhookId, call);
    return [...messages, ...due.map(webhookToCall)];
  },

  wakeAt: ({ calls }) => calls.nextDueAt(),
});

function addCall({ deliveries, calls }: Webhooks, fact: FactOf<'WebhookWished'>): void {
  const { at, ...wish } = fact.data;
  deliveries.delete(wish.eventId);
  const webhookId = idOf(fact.stream);
  calls.put(webhookId, { webhookId, wish, attempt: 1, because: fact }, at, at);
}

function evolveCall({ calls }: Webhooks, fact: Outcome | FactOf<'WebhookReplayed'>): void {
  const webhookId = idOf(fact.stream);
  const call = calls.get(webhookId);
  if (!call) return;
  const attempt = fact.type === 'WebhookReplayed' ? call.attempt : fact.data.attempt + 1;
  calls.put(webhookId, { ...call, attempt, because: fact }, dueAt(fact), fact.data.at);
}

function dueAt(fact: Outcome | FactOf<'WebhookReplayed'>): Instant | undefined {
  if (fact.type === 'WebhookReplayed') return fact.data.at;
  return fact.type === 'WebhookFailed' ? fact.data.retryAt : undefined;
}

/** What a message tells. */
function newsOf(because: FactOf<'LeadDelivered' | 'ContactSuppressed'>): Omit<WebhookWish, 'eventId'> {
  const { stream } = because;
  if (because.type === 'LeadDelivered') {
    const { customerId, leadId, at: deliveredAt } = because.data;
    return { customerId, orderId: idOf(stream), leadId, deliveredAt };
  }
  const { orderId, leadId, suppression, at: suppressedAt } = because.data;
  return { customerId: idOf(stream), orderId, leadId, suppression, suppressedAt };
}

function wishWebhook(because: FactOf<'LeadDelivered' | 'ContactSuppressed'>): CommandWish {
  const { eventId } = because;
  const webhookId = webhookIdOf(eventId);
  return {
    commandId: deriveId('WishWebhook', webhookId),
    stream: webhookStream(webhookId),
    command: { type: 'WishWebhook', ...newsOf(because), eventId },
    because,
  };
}

const webhookToCall = ({ webhookId, wish, attempt, because }: Call): EffectWish => ({
  commandId: deriveId('CallWebhook', webhookId, String(attempt)),
  stream: webhookStream(webhookId),
  effect: { kind: 'call-webhook', webhookId, attempt, wish },
  because,
});
