import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { type WebhookWish, webhookIdOf, webhookStream } from '#domain/notifications/webhook';
import type { Process, Wish } from './process.ts';

/** Sends delivered leads to the programs of customers that want that (DLV-9), again and again where it fails. */
export const leadWebhooks: Process<Webhooks, (typeof eventTypes)[number]> = {
  name: 'lead-webhooks',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({
    wanted: new Set(),
    deliveries: new Map(),
    calls: new Map(),
    byTime: heapOf((a, b) => (a.dueAt < b.dueAt ? -1 : 1)),
  }),

  evolve({ wanted, deliveries, calls, byTime }, fact) {
    const id = idOf(fact.stream);
    switch (fact.type) {
      case 'LeadDeliveryChosen':
        if (fact.data.webhook) wanted.add(id);
        else wanted.delete(id);
        return;
      case 'LeadDelivered':
        if (wanted.has(fact.data.customerId)) deliveries.set(fact.eventId, fact);
        return;
      case 'WebhookWished': {
        deliveries.delete(fact.data.eventId);
        const { at: dueAt, ...wish } = fact.data;
        const call = { webhookId: id, wish, attempt: 1, dueAt, because: fact, place: -1 };
        calls.set(id, call);
        byTime.put(call);
        return;
      }
    }
    const call = calls.get(id);
    if (!call) return;
    if (call.place >= 0) byTime.remove(call);
    call.because = fact;
    if (fact.type === 'WebhookReplayed') call.dueAt = fact.data.at;
    else {
      call.attempt = fact.data.attempt + 1;
      // What was accepted or parked is kept: it may be replayed.
      if (fact.type !== 'WebhookFailed') return;
      call.dueAt = fact.data.retryAt;
    }
    byTime.put(call);
  },

  next({ deliveries, byTime }, { now }, limit) {
    const wishes: Wish[] = [];
    for (const [eventId, fact] of deliveries) {
      if (wishes.length >= limit) return wishes;
      deliveries.delete(eventId);
      const webhookId = webhookIdOf(eventId);
      const { customerId, leadId, at: deliveredAt } = fact.data;
      const orderId = idOf(fact.stream);
      wishes.push({
        commandId: deriveId('WishWebhook', webhookId),
        stream: webhookStream(webhookId),
        command: { type: 'WishWebhook', customerId, orderId, leadId, eventId, deliveredAt },
        because: fact,
      });
    }
    for (let call = byTime.first(); call && call.dueAt <= now; call = byTime.first()) {
      if (wishes.length >= limit) break;
      byTime.remove(call);
      const { webhookId, wish, attempt, because } = call;
      wishes.push({
        commandId: deriveId('CallWebhook', webhookId, String(attempt)),
        stream: webhookStream(webhookId),
        effect: { kind: 'call-webhook', webhookId, attempt, wish },
        because,
      });
    }
    return wishes;
  },

  wakeAt: ({ byTime }) => byTime.first()?.dueAt,
};

const eventTypes = [
  'LeadDeliveryChosen',
  'LeadDelivered',
  'WebhookWished',
  'WebhookAccepted',
  'WebhookFailed',
  'WebhookParked',
  'WebhookReplayed',
] as const;

interface Call extends Placed {
  readonly webhookId: string;
  readonly wish: WebhookWish;
  attempt: number;
  dueAt: Instant;
  because: FactOf<(typeof eventTypes)[number]>;
}

interface Webhooks {
  /** Customers with a program of their own. */
  readonly wanted: Set<string>;
  /** Deliveries that are to become messages. */
  readonly deliveries: Map<string, FactOf<'LeadDelivered'>>;
  readonly calls: Map<string, Call>;
  readonly byTime: Heap<Call>;
}
