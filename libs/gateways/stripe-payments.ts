import Stripe from 'stripe';
import { type DeclineReason, declineReasonOf } from '#domain/kernel/declines';
import type { Charge, PaymentGateway } from './payments.ts';
import { stripeRefunds } from './stripe-refunds.ts';

interface StripeOptions {
  /** `sk_…`. */
  readonly secretKey: string;
  /** The address of Stripe's API. Default: Stripe's own. */
  readonly server?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
}

/** A card statement has 5 to 22 characters, none of them < > \\ ' " * (Stripe's documentation). */
const statementText = (descriptor: string): string => descriptor.replace(/[<>\\'"*]/g, '').slice(0, 22);

/**
 * Charges with payment intents, confirmed at once. Payment methods come from Stripe's own form, so card numbers never
 * reach us. A declined card is a result, and so is a token that Stripe does not know. After any other failure the result
 * is not known, and the charge is sent again with the same key.
 */
export function stripePayments({ secretKey, server }: StripeOptions): PaymentGateway {
  const stripe = new Stripe(secretKey, { ...server, maxNetworkRetries: 0, telemetry: false });
  return {
    ...stripeRefunds(stripe),
    async capture(charge, idempotencyKey) {
      try {
        const intent = await stripe.paymentIntents.create(paymentIntentOf(charge), { idempotencyKey });
        if (intent.status === 'succeeded') return { captured: true, reference: intent.id };
        return { captured: false, reason: declineReasonOf(intent.status) };
      } catch (error) {
        return { captured: false, reason: reasonOf(error) };
      }
    },
  };
}

const paymentIntentOf = ({ token, amountCents, currency, statementDescriptor }: Charge) => ({
  amount: amountCents,
  currency: currency.toLowerCase(),
  payment_method: token,
  confirm: true,
  off_session: true,
  statement_descriptor: statementText(statementDescriptor),
});

/** Why a charge was declined. @throws the error when it does not say that the charge was declined */
function reasonOf(error: unknown): DeclineReason {
  if (isUnknownToken(error)) return 'unknown-card';
  if (!(error instanceof Stripe.errors.StripeCardError)) throw error;
  return declineReasonOf(error.decline_code || error.code || 'declined');
}

const isUnknownToken = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError &&
  error.code === 'resource_missing' &&
  error.param === 'payment_method';
