import { z } from 'zod';
import { type Discount, discountCentsOf } from '../coupons/coupon.ts';
import { cents, count, type Instant, instant, type Secret } from '../kernel/events.ts';
import { addDays } from '../kernel/instants.ts';
import { bonusOf, type LoyaltyTerms } from '../loyalty/bonus.ts';
import { type PromisedOrder, promisedOrder } from '../orders/order.ts';
import { totalCentsOf } from '../orders/total.ts';

export const renewalQuote = z.object({
  renewalNumber: z.int().positive().describe('1 is the first renewal.'),
  dueAt: instant.describe('When it is charged.'),
  bonusLeads: count.describe('Its bonus leads, if the order is not paused too often (LOY-4).'),
  totalCents: cents.describe('What it costs: the full price, without the coupon (LOY-2).'),
});

/** How many renewals a checkout shows. */
const RENEWALS_SHOWN = 3;

/** What a checkout shows, and what is charged and promised if it is placed (CHK-5). */
export const checkoutQuote = z.object({
  ...promisedOrder.omit({ customerId: true, storeId: true, leadTypeId: true, paymentToken: true, withoutSignIn: true })
    .shape,
  bonusLeads: count,
  /** In Loyalty Rewards: the next renewals. */
  renewals: z.array(renewalQuote).optional(),
});
export type CheckoutQuote = z.infer<typeof checkoutQuote>;

type Offer = Omit<CheckoutQuote, 'bonusLeads' | 'renewals' | 'renewalsCountedFrom' | 'coupon' | 'totalCents'>;

/** The quote of an offer that is shown now, to a customer without a coupon. */
export function quoteOf(at: Instant, offer: Offer): CheckoutQuote {
  const { loyalty, quantity, pricePerLeadCents } = offer;
  const { currency, dailyMaximum, timeZone, statementDescriptor, policyVersion } = offer;
  return {
    ...{ quantity, pricePerLeadCents, currency, timeZone, statementDescriptor, policyVersion },
    totalCents: totalCentsOf({ quantity, pricePerLeadCents }),
    bonusLeads: loyalty ? bonusOf(loyalty, quantity, 0, 0).bonusLeads : 0,
    ...(dailyMaximum !== undefined && { dailyMaximum }),
    ...(loyalty && { loyalty, renewalsCountedFrom: at, renewals: renewalsOf(at, loyalty, offer) }),
  };
}

const renewalsOf = (from: Instant, loyalty: LoyaltyTerms, { quantity, pricePerLeadCents }: Offer) =>
  Array.from({ length: RENEWALS_SHOWN }, (_, index) => ({
    renewalNumber: index + 1,
    dueAt: addDays(from, (index + 1) * loyalty.cadenceDays),
    bonusLeads: bonusOf(loyalty, quantity, index + 1, 0).bonusLeads,
    totalCents: totalCentsOf({ quantity, pricePerLeadCents }),
  }));

/** The same quote with this coupon only, or with none. Nothing else moves. */
export function discounted(
  { coupon: _, totalCents: _former, ...quote }: CheckoutQuote,
  taken: { readonly code: string; readonly discount: Discount } | undefined,
): CheckoutQuote {
  const { quantity, pricePerLeadCents } = quote;
  const coupon = taken && {
    code: taken.code,
    discountCents: discountCentsOf(taken.discount, quantity * pricePerLeadCents),
  };
  const totalCents = totalCentsOf({ quantity, pricePerLeadCents, ...(coupon && { coupon }) });
  return { ...quote, ...(coupon && { coupon }), totalCents };
}

const comparedFields = [
  ...(['quantity', 'pricePerLeadCents', 'totalCents', 'currency', 'bonusLeads', 'dailyMaximum'] as const),
  ...(['timeZone', 'statementDescriptor', 'policyVersion'] as const),
];

/** Whether two quotes differ in nothing but the instants at which they were shown. */
export const saysTheSame = (one: CheckoutQuote, other: CheckoutQuote | undefined): boolean =>
  other !== undefined &&
  comparedFields.every((name) => one[name] === other[name]) &&
  one.coupon?.code === other.coupon?.code &&
  one.loyalty?.cadence === other.loyalty?.cadence;

interface Payer {
  readonly customerId: string;
  readonly storeId: string;
  readonly leadTypeId: string;
  readonly paymentToken: Secret;
  readonly withoutSignIn?: true | undefined;
}

/** The order that a quote promises, for the one who pays it. */
export const orderOf = (
  { bonusLeads: _, renewals: _shown, ...promised }: CheckoutQuote,
  { customerId, storeId, leadTypeId, paymentToken, withoutSignIn }: Payer,
): PromisedOrder => ({
  ...promised,
  ...{ customerId, storeId, leadTypeId, paymentToken },
  ...(withoutSignIn && { withoutSignIn }),
});
