import { customerStream } from '#domain/accounts/customer';
import { decode, type FactOf } from '#domain/codec';
import { leadStream } from '#domain/leads/lead';
import type { CommandOf } from '#domain/ledger';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { WebhookGateway } from '#gateways/webhooks';
import type { Effect, Untimed } from '#processes/process';
import type { Vault } from '#vault/vault';
import type { Ledger } from './ledger.ts';

interface Needs {
  readonly ledger: Ledger;
  readonly events: EventStore;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly webhooks: WebhookGateway;
}

/** Sends one lead to its customer's program. @returns what is to be recorded of it */
export async function callWebhook(
  { webhookId, attempt, wish }: Extract<Effect, { kind: 'call-webhook' }>,
  { ledger, events, vault, clock, webhooks }: Needs,
): Promise<Untimed<CommandOf<'webhook'>>> {
  const { customerId, orderId, leadId, deliveredAt } = wish;
  const given = (reason: string) => ({ type: 'RecordWebhookFailed', attempt, reason, hopeless: true }) as const;
  const { state: customer } = await ledger.read<'customer'>(customerStream(customerId));
  const { webhook } = customer.leadDelivery;
  if (!webhook) return given('the customer does not want leads sent to a program any more');
  const received = await receiptOf(leadId, events);
  const [url, signingSecret, contact] = await Promise.all([
    vault.open(webhook.url),
    vault.open(webhook.signingSecret),
    vault.open(received.contact),
  ]);
  if (url === undefined || signingSecret === undefined) return given('the customer was erased');
  if (contact === undefined) return given('the person was erased');
  const result = await webhooks.call({
    url: url as string,
    signingSecret: signingSecret as string,
    id: webhookId,
    at: new Date(clock.now()),
    body: JSON.stringify({
      type: 'lead.delivered',
      timestamp: deliveredAt,
      data: { leadId, orderId, leadTypeId: received.leadTypeId, deliveredAt, contact },
    }),
  });
  if (result.accepted) return { type: 'RecordWebhookAccepted', attempt, status: result.status };
  return { type: 'RecordWebhookFailed', attempt, reason: result.reason, hopeless: result.hopeless };
}

/** A lead's stream begins with its receipt. */
export async function receiptOf(leadId: string, events: EventStore): Promise<FactOf<'LeadReceived'>['data']> {
  for await (const event of events.readStream(leadStream(leadId)))
    return (decode(event) as FactOf<'LeadReceived'>).data;
  throw new Error(`lead ${leadId} was delivered and never received`);
}
