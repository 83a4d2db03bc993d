import { setTimeout as wait } from 'node:timers/promises';
import type { DeclineReason } from '#domain/kernel/declines';
import type { Instant } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { type RefundGateway, sandboxRefunds } from './refunds.ts';
import { sandboxAnswer } from './sandbox-cards.ts';

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
  /** Removes whom a charge with this key made to keep its card. One that was made a moment ago may not be found. */
  forgetKeptBy?(idempotencyKey: string): Promise<void>;
}

/** The provider refuses what this store sends: a wrong key, or a request that it does not take. People must mend it. */
export class ProviderRefusal extends LeadgerError {
  constructor(message: string) {
    super('provider-refusal', message);
  }
}

const CONFIRMED = 'sandbox_confirmed_';
const UNCONFIRMED = 'sandbox_unconfirmed_';

/** A provider that moves no money. What it does is chosen by the token of the card (`sandbox-cards.ts`). */
export function sandboxPayments(): PaymentGateway {
  const lost = new Set<string>();
  const made = new Set<string>();
  return {
    ...sandboxRefunds(),
    async capture({ token, onlyIfMade = false, occasion, returnUrl }, idempotencyKey) {
      const answer = sandboxAnswer(token, occasion === 'renewal');
      if (answer.kind === 'refuses') throw new ProviderRefusal(answer.why);
      if (answer.kind === 'gives-no-answer') throw new Error('the payment provider gives no answer');
      if (onlyIfMade && !made.has(idempotencyKey)) return declined('other');
      if (answer.kind === 'declines') return declined(answer.reason);
      if (answer.kind === 'asks-to-confirm') return askToConfirm(answer.isConfirmed, idempotencyKey, returnUrl);
      if (answer.afterMilliseconds > 0) await wait(answer.afterMilliseconds);
      made.add(idempotencyKey);
      if (answer.losesFirstAnswer && !lost.has(idempotencyKey)) {
        lost.add(idempotencyKey);
        throw new Error('the answer of the payment provider was lost');
      }
      return { captured: true, reference: `sandbox_${idempotencyKey}` };
    },
    async settle(reference, isOver) {
      if (reference.startsWith(CONFIRMED)) return { captured: true, reference };
      // Of a store that was run with Stripe before: nobody but Stripe knows what became of it.
      if (!reference.startsWith(UNCONFIRMED)) throw new ProviderRefusal('it does not know this payment');
      return isOver ? declined('authentication-required') : undefined;
    },
  };
}

/** As a bank does: nobody is asked where there is no page to come back to. */
function askToConfirm(isConfirmed: boolean, key: string, returnUrl: string | undefined): ChargeResult {
  if (returnUrl === undefined) return declined('authentication-required');
  return { captured: 'unconfirmed', reference: `${isConfirmed ? CONFIRMED : UNCONFIRMED}${key}`, link: returnUrl };
}

/**
 * For simulating the future, without a provider: every charge is captured, and no money moves. What the sandbox declines
 * is declined here, too, but for cards that it does not know.
 */
export function assumedPayments(): PaymentGateway {
  return {
    refund: async (_, idempotencyKey) => ({ refunded: true, reference: `assumed_${idempotencyKey}` }),
    async capture({ token, occasion, onlyIfMade = false }, idempotencyKey) {
      if (onlyIfMade) return declined('other');
      const answer = sandboxAnswer(token, occasion === 'renewal');
      return answer.kind === 'declines' && answer.reason !== 'unknown-card'
        ? declined(answer.reason)
        : { captured: true, reference: `assumed_${idempotencyKey}` };
    },
  };
}

const declined = (reason: DeclineReason): Declined => ({ captured: false, reason });
