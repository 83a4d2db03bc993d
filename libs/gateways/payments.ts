import { setTimeout as wait } from 'node:timers/promises';
import { type DeclineReason, declineReasonOf } from '#domain/kernel/declines';
import type { Instant } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { type RefundGateway, sandboxRefunds } from './refunds.ts';

/** One charge to a customer. */
export interface Charge {
  /** From the payment provider's own form: card numbers never reach the store. */
  readonly token: string;
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly statementDescriptor: string;
  /**
   * `only`: the customer is there, and the card is charged once. `first`: the customer is there, and the card is kept for
   * renewals. `renewal`: the customer is not there.
   */
  readonly occasion: 'only' | 'first' | 'renewal';
  /** When the store decided to charge: a provider that forgets keys is asked first whether it has an old charge. */
  readonly wishedAt: Instant;
  /** Its order was cancelled meanwhile: only a charge that was made before counts, and nothing new is charged. */
  readonly onlyIfMade?: boolean;
  /** Whom an earlier charge of the order was made to, in the provider's words. */
  readonly providerCustomerId?: string | undefined;
  /** Where the customer comes back to after a confirmation. Absent: no confirmation is asked for. */
  readonly returnUrl?: string | undefined;
}

export type ChargeResult = Captured | Declined | Unconfirmed;

interface Captured {
  readonly captured: true;
  readonly reference: string;
  /** Under which id the provider keeps the card for renewals. */
  readonly providerCustomerId?: string;
}

interface Declined {
  readonly captured: false;
  readonly reason: DeclineReason;
}

/** The bank wants the customer to confirm the charge, at the link. Until it is settled, it may still be captured. */
interface Unconfirmed {
  readonly captured: 'unconfirmed';
  readonly reference: string;
  readonly link: string;
}

/** What a provider cannot charge or show, known before it is asked. */
export interface ProviderLimits {
  /** The smallest amount in minor units, and of what each amount is a multiple. Undefined: any amount. */
  amountsOf(currency: string): { readonly smallest: number; readonly multipleOf: number } | undefined;
  /** Why card statements cannot show this text. Undefined: they can. */
  refuseDescriptor(descriptor: string): string | undefined;
  /** What card statements show of a text that was set before this provider was used. */
  shownDescriptor(descriptor: string): string;
}

export interface PaymentGateway extends RefundGateway {
  /** Default: every amount, every text. */
  readonly limits?: ProviderLimits;
  /**
   * The same key is the same charge, however often it is sent. Rejects when no answer came: send it again. Rejects with a
   * `ProviderRefusal` when no repetition helps, and no other card.
   */
  capture(charge: Charge, idempotencyKey: string): Promise<ChargeResult>;
  /**
   * What became of a charge that waits for its confirmation; undefined: it waits still. `isOver` ends the wait: a charge that
   * was not confirmed can be captured no more. Absent where `capture` asks for no confirmation.
   */
  settle?(reference: string, isOver: boolean): Promise<Captured | Declined | undefined>;
  /** Removes a customer with the kept card. One that is not there is forgotten. Absent where the provider keeps none. */
  forget?(providerCustomerId: string): Promise<void>;
}

/** The provider refuses what this store sends: a wrong key, or a request that it does not take. People must mend it. */
export class ProviderRefusal extends LeadgerError {
  constructor(message: string) {
    super('provider-refusal', message);
  }
}

const DECLINED = 'tok_declined';
const DELAYED = /^tok_delay_(\d{1,5})$/;
const LOST = 'tok_lost_reply';
/** A card of a store that was run with Stripe before. */
const OF_STRIPE = /^(pm|card|src)_/;

/**
 * A provider that moves no money. `tok_ok` pays, `tok_declined_<reason>` is declined (`tok_declined_insufficient_funds`),
 * `tok_delay_<milliseconds>` pays after that time, `tok_lost_reply` pays but its first answer is lost. Every other token
 * is declined as unknown.
 */
export function sandboxPayments(): PaymentGateway {
  const lost = new Set<string>();
  const made = new Set<string>();
  return {
    ...sandboxRefunds(),
    async capture({ token, onlyIfMade = false }, idempotencyKey) {
      if (OF_STRIPE.test(token))
        throw new ProviderRefusal('the card is kept by Stripe, and STRIPE_SECRET_KEY is not set');
      if (onlyIfMade && !made.has(idempotencyKey)) return { captured: false, reason: 'other' };
      const delay = DELAYED.exec(token)?.[1];
      if (delay !== undefined) await wait(Number(delay));
      if (token !== 'tok_ok' && token !== LOST && delay === undefined)
        return isDeclined(token) ? decline(token) : { captured: false, reason: 'unknown-card' };
      made.add(idempotencyKey);
      if (token === LOST && !lost.has(idempotencyKey)) {
        lost.add(idempotencyKey);
        throw new Error('the answer of the payment provider was lost');
      }
      return { captured: true, reference: `sandbox_${idempotencyKey}` };
    },
  };
}

/**
 * For simulating the future, without a provider: every charge is captured, and no money moves. The sandbox's declined
 * tokens are declined here too.
 */
export function assumedPayments(): PaymentGateway {
  return {
    refund: async (_, idempotencyKey) => ({ refunded: true, reference: `assumed_${idempotencyKey}` }),
    capture: async ({ token }, idempotencyKey) =>
      isDeclined(token) ? decline(token) : { captured: true, reference: `assumed_${idempotencyKey}` },
  };
}

const isDeclined = (token: string): boolean => token.startsWith(DECLINED);

const decline = (token: string): ChargeResult => ({
  captured: false,
  reason: declineReasonOf(token.slice(DECLINED.length + 1) || 'declined'),
});
