import type Stripe from 'stripe';
import { minorDigitsOf } from '#domain/kernel/minor-units';

declare const unit: unique symbol;

/** An amount as Stripe counts it. Only `amountAtStripe` makes one, and no other number can be sent. */
export type StripeAmount = number & { readonly [unit]: 'Stripe' };

/** What the adapter uses of the SDK, with amounts in Stripe's units only. */
export interface StripeApi extends Pick<Stripe, 'customers' | 'paymentMethods'> {
  readonly paymentIntents: Pick<Stripe['paymentIntents'], 'cancel' | 'confirm' | 'retrieve' | 'search'> & {
    create(
      params: Stripe.PaymentIntentCreateParams & { amount: StripeAmount },
      options: Stripe.RequestOptions,
    ): Promise<Stripe.PaymentIntent>;
  };
  readonly refunds: Pick<Stripe['refunds'], 'list'> & {
    create(
      params: Stripe.RefundCreateParams & { amount: StripeAmount },
      options: Stripe.RequestOptions,
    ): Promise<Stripe.Refund>;
  };
}

/**
 * Where Stripe counts other digits than ISO 4217: ISK and UGX are sent with two decimals, which must be zeros; MGA is sent
 * without decimals (https://docs.stripe.com/currencies#special-cases, #zero-decimal).
 */
const digitsAtStripe: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

const scaleOf = (currency: string): number =>
  10 ** ((digitsAtStripe[currency] ?? minorDigitsOf(currency)) - minorDigitsOf(currency));

/** Of three decimals the last must be 0 (https://docs.stripe.com/currencies#three-decimal). */
export function multipleOf(currency: string): number {
  if (minorDigitsOf(currency) === 3) return 10;
  return Math.max(1, Math.round(1 / scaleOf(currency)));
}

interface Money {
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
}

/** The `amount` of a charge or a refund. Undefined: Stripe has no such amount, and it is not rounded: another one was shown. */
export function amountAtStripe({ amountCents, currency }: Money): StripeAmount | undefined {
  if (amountCents % multipleOf(currency) !== 0) return undefined;
  return Math.round(amountCents * scaleOf(currency)) as StripeAmount;
}

/** What Stripe tells, in minor units. A bank may dispute a fraction of them: it counts as a whole one, and is not given back. */
export function moneyToldBy(told: { readonly amount: number; readonly currency: string }): Money {
  const currency = told.currency.toUpperCase();
  const scale = scaleOf(currency);
  const amountCents = scale >= 1 ? Math.ceil(told.amount / scale) : told.amount * Math.round(1 / scale);
  return { amountCents, currency };
}
