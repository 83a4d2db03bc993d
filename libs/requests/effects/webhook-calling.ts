import { customerStream } from '#domain/accounts/customer';
import { decode, type FactOf } from '#domain/codec';
import { leadStream } from '#domain/leads/lead';
import type { CommandOf } from '#domain/ledger';
import type { FailedCall } from '#domain/notifications/outcomes';
import type { callsInTurnOfEach } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { WebhookGateway } from '#gateways/webhooks';
import type { Effect, Untimed } from '#processes/process';
import { forReaders, type Vault } from '#vault/vault';
import type { StreamCache } from '../stream-cache.ts';

interface WebhookDependencies {
  readonly streams: StreamCache;
  readonly events: EventStore;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly webhooks: WebhookGateway;
  /** Makes a call when the turn of its host has come. */
  readonly inTurn: ReturnType<typeof callsInTurnOfEach>;
}

type CallWebhook = Extract<Effect, { kind: 'call-webhook' }>;

type RecordCall = Untimed<CommandOf<'webhook'>>;

/**
 * Sends one lead to its customer's program, when the turn of its host has come. The call is written only then: it is signed
 * with its instant, and a person may be erased while it waits. @returns what is to be recorded of it
 */
export async function callWebhook(effect: CallWebhook, dependencies: WebhookDependencies): Promise<RecordCall> {
  const { webhook } = (await dependencies.streams.read<'customer'>(customerStream(effect.wish.customerId))).state
    .leadDelivery;
  const url = webhook && (await dependencies.vault.open(webhook.url));
  const host = typeof url === 'string' ? new URL(url).host : '';
  return dependencies.inTurn(host, () => callNow(effect, dependencies));
}

async function callNow(effect: CallWebhook, dependencies: WebhookDependencies): Promise<RecordCall> {
  const { attempt } = effect;
  const call = await callOf(effect, dependencies);
  if (typeof call === 'string') return { type: 'RecordWebhookFailed', attempt, failure: call, hopeless: true };
  const result = await dependencies.webhooks.call(call);
  if (result.accepted) return { type: 'RecordWebhookAccepted', attempt, status: result.status };
  const { accepted: _, ...failed } = result;
  return { type: 'RecordWebhookFailed', attempt, ...failed };
}

/** The call with the current address and secret of the customer, or the reason why none is made. */
async function callOf(
  { webhookId, wish }: CallWebhook,
  { streams, events, vault, clock }: WebhookDependencies,
): Promise<Parameters<WebhookGateway['call']>[0] | FailedCall['failure']> {
  const { customerId, leadId } = wish;
  const { webhook } = (await streams.read<'customer'>(customerStream(customerId))).state.leadDelivery;
  if (!webhook) return 'switched-off';
  const { former } = webhook;
  const isFormerUsed = former !== undefined && clock.now() < former.until;
  const boxes = [webhook.url, webhook.signingSecret, ...(isFormerUsed ? [former.signingSecret] : [])];
  const [url, ...signingSecrets] = await Promise.all(boxes.map((box) => vault.open(box)));
  if (url === undefined || signingSecrets.includes(undefined)) return 'customer-erased';
  const { contact: sealed, leadTypeId, consent: evidence } = await receiptOf(leadId, events);
  const shown = forReaders(vault);
  const contact = wish.suppression ? undefined : await shown.open(sealed);
  if (!wish.suppression && contact === undefined) return 'person-erased';
  const body = wish.suppression
    ? suppressedBody(wish)
    : bodyOf(wish, { leadTypeId, contact, consent: evidence && (await shown.open(evidence)) });
  const at = new Date(clock.now());
  return { url: url as string, signingSecrets: signingSecrets as string[], id: webhookId, at, body };
}

const bodyOf = (
  { orderId, leadId, deliveredAt }: CallWebhook['wish'],
  { leadTypeId, contact, consent }: { leadTypeId: string; contact: unknown; consent: unknown },
): string =>
  JSON.stringify({
    type: 'lead.delivered',
    timestamp: deliveredAt,
    data: { leadId, orderId, leadTypeId, deliveredAt, contact, consent },
  });

/** It names the lead only: the person may have been erased. */
const suppressedBody = ({ orderId, leadId, suppression, suppressedAt }: CallWebhook['wish']): string =>
  JSON.stringify({
    type: 'lead.suppressed',
    timestamp: suppressedAt,
    data: { leadId, orderId, suppression, suppressedAt },
  });

/** The first event of a lead's stream: how it was received. */
export async function receiptOf(leadId: string, events: EventStore): Promise<FactOf<'LeadReceived'>['data']> {
  for await (const event of events.readStream(leadStream(leadId)))
    return (decode(event) as FactOf<'LeadReceived'>).data;
  throw new Error(`lead ${leadId} was delivered and never received`);
}
