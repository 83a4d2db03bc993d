import { setTimeout as wait } from 'node:timers/promises';
import { type DeclineReason, declineReasonOf } from '#domain/kernel/declines';
import { type RefundGateway, sandboxRefunds } from './refunds.ts';

/** One charge to a customer. */
export interface Charge {
  /** From the payment provider's own form: card numbers never reach the store. */
  readonly token: string;
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly statementDescriptor: string;
}

export type ChargeResult =
  | { readonly captured: true; readonly reference: string }
  | { readonly captured: false; readonly reason: DeclineReason };

export interface PaymentGateway extends RefundGateway {
  /** The same key is the same charge, however often it is sent. Rejects when no answer came: send it again. */
  capture(charge: Charge, idempotencyKey: string): Promise<ChargeResult>;
}

const DECLINED = 'tok_declined';
const DELAYED = /^tok_delay_(\d{1,5})$/;
const LOST = 'tok_lost_reply';

/**
 * A provider that moves no money. `tok_ok` pays, `tok_declined_<reason>` is declined (`tok_declined_insufficient_funds`),
 * `tok_delay_<milliseconds>` pays after that time, `tok_lost_reply` pays but its first answer is lost. Every other token
 * is declined as unknown.
 */
export function sandboxPayments(): PaymentGateway {
  const lost = new Set<string>();
  return {
    ...sandboxRefunds(),
    async capture({ token }, idempotencyKey) {
      const delay = DELAYED.exec(token)?.[1];
      if (delay !== undefined) await wait(Number(delay));
      if (token === LOST && !lost.has(idempotencyKey)) {
        lost.add(idempotencyKey);
        throw new Error('the answer of the payment provider was lost');
      }
      if (token === 'tok_ok' || token === LOST || delay !== undefined)
        return { captured: true, reference: `sandbox_${idempotencyKey}` };
      return isDeclined(token) ? decline(token) : { captured: false, reason: 'unknown-card' };
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
