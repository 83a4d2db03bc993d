import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { MailGateway } from '#gateways/mail';
import type { PaymentGateway } from '#gateways/payments';
import type { WebhookGateway } from '#gateways/webhooks';
import { addressClaims } from '#processes/address-claims';
import { autoRestart } from '#processes/auto-restart';
import { checkoutEnd } from '#processes/checkout-end';
import { type CommandResult, ProcessEngine, type SentCommand } from '#processes/engine/engine';
import { leadAgeing } from '#processes/lead-ageing';
import { leadDistribution } from '#processes/lead-distribution';
import { leadWebhooks } from '#processes/lead-webhooks';
import { loyaltyMembership } from '#processes/loyalty-membership';
import { loyaltyRenewals } from '#processes/loyalty-renewals';
import { mailing } from '#processes/mailing';
import { paymentCapture } from '#processes/payment-capture';
import { OutOfReach } from '#processes/process';
import { replacementDelivery } from '#processes/replacement-delivery';
import { ticketDeadline } from '#processes/ticket-deadline';
import { verificationDeadline } from '#processes/verification-deadline';
import type { Vault } from '#vault/vault';
import type { Lease } from './leases.ts';
import type { Ledger, Order, Outcome } from './ledger.ts';
import { sendMail } from './mail-sending.ts';
import { callWebhook } from './webhook-calling.ts';

/** Every process there is, in the order in which they are asked. */
export const processes = [
  paymentCapture,
  loyaltyMembership,
  loyaltyRenewals,
  autoRestart,
  replacementDelivery,
  verificationDeadline,
  ticketDeadline,
  leadAgeing,
  leadDistribution,
  checkoutEnd,
  addressClaims,
  mailing,
  leadWebhooks,
];

interface Needs {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly payments: PaymentGateway;
  readonly mails: MailGateway;
  readonly webhooks: WebhookGateway;
  readonly vault: Vault;
  readonly send: (order: Order) => Promise<Outcome>;
  /** Of several workers: this one's lease of a unit. Default: there is one worker, which needs none. */
  readonly leaseOf?: (unit: string) => Lease | undefined;
}

/** The engine that runs the processes, connected to the ledger and to the outside. */
export function createReactions({
  store,
  ledger,
  vault,
  clock,
  payments,
  mails,
  webhooks,
  send,
  leaseOf,
}: Needs): ProcessEngine {
  // What a coupon made free is no business of the provider, which would refuse to charge nothing. One that gives no
  // answer is waited for: nobody knows whether the money has moved.
  const capture: PaymentGateway['capture'] = async (charge, key) => {
    if (charge.amountCents === 0) return { captured: true, reference: 'nothing-due' };
    return payments.capture(charge, key).catch((error: Error) => {
      throw new OutOfReach(`the payment provider: ${error.message}`);
    });
  };
  return new ProcessEngine({
    store,
    clock,
    processes,
    ...(leaseOf && { mayActFor: (unit: string) => leaseOf(unit) !== undefined }),
    send: async (sent) => answerOf(await send(orderOf(sent, leaseOf?.(sent.unit)))),
    warm: (streams) => ledger.warm(streams),
    effects: {
      async 'capture-payment'({ kind: _, ...charge }, idempotencyKey) {
        const result = await capture(charge, idempotencyKey);
        if (!result.captured) return { type: 'DeclinePayment', reason: result.reason };
        const { amountCents, currency } = charge;
        return { type: 'CapturePayment', reference: result.reference, amountCents, currency };
      },
      async 'charge-renewal'({ kind: _, renewalNumber, attempt, ...charge }, idempotencyKey) {
        const result = await capture(charge, idempotencyKey);
        const renewal = { renewalNumber, attempt };
        if (!result.captured) return { type: 'RecordRenewalDeclined', ...renewal, reason: result.reason };
        const { amountCents, currency } = charge;
        return { type: 'RecordRenewalPaid', ...renewal, reference: result.reference, amountCents, currency };
      },
      'call-webhook': (effect) => callWebhook(effect, { ledger, events: store, vault, clock, webhooks }),
      'send-mail': (effect) => sendMail(effect, { ledger, events: store, vault, mails }),
    },
  });
}

function orderOf({ stream, command, commandId, actor, because }: SentCommand, lease: Lease | undefined): Order {
  const chain = because
    ? { correlationId: because.cause.correlationId, causationId: because.eventId }
    : { correlationId: commandId };
  const under = lease && { lease: { unit: lease.unit, token: lease.token } };
  return { stream, command, cause: { commandId, actor, ...chain, ...under } };
}

function answerOf(outcome: Outcome): CommandResult {
  if (outcome.kind === 'accepted') return { position: outcome.position };
  if (outcome.kind === 'refused') return { refusal: outcome.refusal };
  throw new Error(`the ledger answered ${outcome.kind} to a process, which sends neither keys nor revisions`);
}
