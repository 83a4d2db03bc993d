import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { type WebhookWish, webhookIdOf, webhookStream } from '#domain/notifications/webhook';
import { type CommandWish, defineProcess, type EffectWish, takeFrom } from './process.ts';

interface Call {
  readonly webhookId: string;
  readonly wish: WebhookWish;
  attempt: number;
  because: FactOf<'WebhookWished' | 'WebhookAccepted' | 'WebhookFailed' | 'WebhookParked' | 'WebhookReplayed'>;
}

interface Webhooks {
  /** Customers whose own program receives their leads. */
  readonly subscribers: Set<string>;
  /** Delivered leads that have no message yet. */
  readonly deliveries: Map<string, FactOf<'LeadDelivered'>>;
  /** Message → its next call. Accepted and parked messages stay: they may be replayed. */
  readonly calls: Map<string, Call>;
  readonly dueCalls: DueList<Call>;
}

/** Sends delivered leads to the programs of customers who want that (DLV-9), and repeats calls that failed. */
export const leadWebhooks = defineProcess({
  name: 'lead-webhooks',
  eventTypes: [
    'LeadDeliveryChosen',
    'LeadDelivered',
    'WebhookWished',
    'WebhookAccepted',
    'WebhookFailed',
    'WebhookParked',
    'WebhookReplayed',
  ],
  initialState: (): Webhooks => ({
    subscribers: new Set(),
    deliveries: new Map(),
    calls: new Map(),
    dueCalls: new DueList(),
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
      case 'WebhookWished':
        addCall(webhooks, fact);
        break;
      default:
        evolveCall(webhooks, fact);
    }
  },

  next({ deliveries, dueCalls }, { now }, limit) {
    const messages = takeFrom(deliveries, limit).map(([, delivered]) => wishWebhook(delivered));
    return [...messages, ...dueCalls.take(now, limit - messages.length).map(callWebhook)];
  },

  wakeAt: ({ dueCalls }) => dueCalls.nextDueAt(),
});

function addCall({ deliveries, calls, dueCalls }: Webhooks, fact: FactOf<'WebhookWished'>): void {
  const { at, ...wish } = fact.data;
  deliveries.delete(wish.eventId);
  const call = { webhookId: idOf(fact.stream), wish, attempt: 1, because: fact };
  calls.set(call.webhookId, call);
  dueCalls.put(call.webhookId, call, at);
}

function evolveCall({ calls, dueCalls }: Webhooks, fact: Exclude<Call['because'], { type: 'WebhookWished' }>): void {
  const webhookId = idOf(fact.stream);
  const call = calls.get(webhookId);
  if (!call) return;
  call.because = fact;
  dueCalls.remove(webhookId);
  if (fact.type === 'WebhookReplayed') dueCalls.put(webhookId, call, fact.data.at);
  else call.attempt = fact.data.attempt + 1;
  if (fact.type === 'WebhookFailed') dueCalls.put(webhookId, call, fact.data.retryAt);
}

function wishWebhook(because: FactOf<'LeadDelivered'>): CommandWish {
  const { eventId, stream, data } = because;
  const { customerId, leadId, at: deliveredAt } = data;
  const webhookId = webhookIdOf(eventId);
  return {
    commandId: deriveId('WishWebhook', webhookId),
    stream: webhookStream(webhookId),
    command: { type: 'WishWebhook', customerId, orderId: idOf(stream), leadId, eventId, deliveredAt },
    because,
  };
}

const callWebhook = ({ webhookId, wish, attempt, because }: Call): EffectWish => ({
  commandId: deriveId('CallWebhook', webhookId, String(attempt)),
  stream: webhookStream(webhookId),
  effect: { kind: 'call-webhook', webhookId, attempt, wish },
  because,
});
