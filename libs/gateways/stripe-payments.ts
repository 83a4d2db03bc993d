import Stripe from 'stripe';
import type { PaymentGateway } from './payments.ts';

export interface StripeOptions {
  /** `sk_…`. */
  readonly secretKey: string;
  /** Where Stripe's API is; its own address when absent. */
  readonly server?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
}

/** What a card statement may carry: 5 to 22 characters, none of them < > \\ ' " * (Stripe's documentation). */
const statementText = (descriptor: string): string => descriptor.replace(/[<>\\'"*]/g, '').slice(0, 22);

const isUnknownToken = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError &&
  error.code === 'resource_missing' &&
  error.param === 'payment_method';

/**
 * Charges by payment intents, confirmed at once: payment methods are made by Stripe's own form, and no card is ever seen
 * here. A declined card is an answer, and so is a token that Stripe does not know; anything else that goes wrong is
 * none, and is asked again with the same key.
 */
export function stripePayments({ secretKey, server }: StripeOptions): PaymentGateway {
  const stripe = new Stripe(secretKey, { ...server, maxNetworkRetries: 0, telemetry: false });
  return {
    async capture({ token, amountCents, currency, statementDescriptor }, idempotencyKey) {
      try {
        const intent = await stripe.paymentIntents.create(
          {
            amount: amountCents,
            currency: currency.toLowerCase(),
            payment_method: token,
            confirm: true,
            off_session: true,
            statement_descriptor: statementText(statementDescriptor),
          },
          { idempotencyKey },
        );
        if (intent.status === 'succeeded') return { captured: true, reference: intent.id };
        return { captured: false, reason: `the payment is ${intent.status.replaceAll('_', ' ')}` };
      } catch (error) {
        if (isUnknownToken(error)) return { captured: false, reason: 'unknown token' };
        if (!(error instanceof Stripe.errors.StripeCardError)) throw error;
        return { captured: false, reason: (error.decline_code || error.code || 'declined').replaceAll('_', ' ') };
      }
    },
  };
}
