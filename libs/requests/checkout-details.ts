import { z } from 'zod';
import { type CatalogueState, catalogueStream, type Price, priceAt } from '#domain/catalogue/catalogue';
import { type CheckoutState, checkoutStatuses, checkoutStream } from '#domain/checkouts/checkout';
import { type CheckoutQuote, renewalQuote } from '#domain/checkouts/quote';
import { discountCentsOf } from '#domain/coupons/coupon';
import { type Instant, instant } from '#domain/kernel/events';
import { dailyMaximumOf, type PromisedOrder } from '#domain/orders/order';
import { type QueryTools, sameForAll } from './query-tools.ts';
import { revision } from './revision.ts';

export const checkoutDetails = z.object({
  checkoutId: z.string().describe('The checkout.'),
  status: z.enum(checkoutStatuses).describe('Abandoned: its time ran out before it was placed.'),
  customerId: z
    .string()
    .nullable()
    .describe('The customer who wants to order. Null: it was started without sign-in (ACC-7).'),
  storeId: z.string().describe('The store in which it is ordered.'),
  leadTypeId: z.string().describe('The lead type to be ordered.'),
  quantity: z.int().describe('Leads to be ordered.'),
  pricePerLeadCents: z.int().describe('The price of one lead.'),
  discountCents: z.int().describe('What the coupon takes off.'),
  totalCents: z.int().describe('What the order costs.'),
  currency: z.string().describe('The currency (ISO 4217).'),
  couponCode: z.string().nullable().describe('The coupon that is used; null without one.'),
  bonusLeads: z.int().nullable().describe('Bonus leads of the first order (LOY-3). Null: not quoted.'),
  dailyMaximum: z.int().nullable().describe('Leads a local day at most (CHK-2). Null: no maximum.'),
  timeZone: z
    .string()
    .nullable()
    .describe('The IANA time zone in which the days begin. Null: that of the account, without sign-in (ACC-7).'),
  cadence: z.string().nullable().describe('How often the order renews; null outside Loyalty Rewards.'),
  renewals: z.array(renewalQuote).describe('The next renewals, with dates and amounts.'),
  policyVersion: z.int().nullable().describe('The version of the policy that promises this. Null: not quoted.'),
  statementDescriptor: z.string().describe('What the card statement will show (STO-2).'),
  quotedAt: instant
    .nullable()
    .describe(
      'Since when this is recorded: it is charged if the checkout is placed (CHK-5). Null: it may still change.',
    ),
  giveUpAt: instant.describe('When it is abandoned, unless it is placed before.'),
  revision,
});
export type CheckoutDetails = Readonly<z.infer<typeof checkoutDetails>>;

export const checkoutQueries = ({ streams, stateOf, now }: QueryTools) => ({
  /** What a checkout shows: its quote. */
  get: sameForAll(async ({ checkoutId }: { checkoutId: string }): Promise<CheckoutDetails | undefined> => {
    const { state, revision } = await streams.read<'checkout'>(checkoutStream(checkoutId));
    const { wishes, status, giveUpAt } = state;
    if (!wishes || status === 'unknown') return undefined;
    const { customerId, storeId, leadTypeId } = wishes;
    const amounts = await amountsOf(state, wishes, () => stateOf<'catalogue'>(catalogueStream), now());
    const shown = { checkoutId, status, customerId, storeId, leadTypeId, ...amounts, giveUpAt, revision };
    return wishes.withoutSignIn ? { ...shown, ...hidden } : shown;
  }),
});

/** ACC-7: whoever started it with an address is not shown what the account of that address has. */
const hidden = { customerId: null, timeZone: null };

type Amounts = Omit<
  CheckoutDetails,
  'checkoutId' | 'status' | 'customerId' | 'storeId' | 'leadTypeId' | 'giveUpAt' | 'revision'
>;
type Wishes = NonNullable<CheckoutState['wishes']>;

/** Only a checkout that an older version started has no quote. */
const amountsOf = async (
  { quote, order, coupon }: CheckoutState,
  wishes: Wishes,
  catalogue: () => Promise<CatalogueState>,
  at: Instant,
): Promise<Amounts> => {
  if (quote) return { ...amountsIn(quote), quotedAt: quote.at };
  return order ? amountsIn({ ...order, ...unquoted }) : amountsNow(wishes, coupon, await catalogue(), at);
};

const unquoted = { bonusLeads: null, policyVersion: null };

type Quoted = Omit<PromisedOrder, 'customerId' | 'storeId' | 'leadTypeId' | 'paymentToken' | 'policyVersion'> &
  Pick<CheckoutQuote, 'renewals'> &
  Pick<Amounts, 'bonusLeads' | 'policyVersion'>;

function amountsIn({ coupon, dailyMaximum, loyalty, renewals, ...quote }: Quoted): Amounts {
  const { quantity, pricePerLeadCents, totalCents, currency, timeZone, statementDescriptor } = quote;
  const { bonusLeads, policyVersion } = quote;
  return {
    ...{ quantity, pricePerLeadCents, totalCents, currency, timeZone, statementDescriptor, bonusLeads, policyVersion },
    discountCents: coupon?.discountCents ?? 0,
    couponCode: coupon?.code ?? null,
    dailyMaximum: dailyMaximum ?? null,
    cadence: loyalty?.cadence ?? null,
    renewals: renewals ?? [],
    quotedAt: null,
  };
}

/** All 0 while the store does not sell the lead type. */
function amountsNow(
  { quantity, storeId, leadTypeId, timeZone, dailyMaximum, loyalty }: Wishes,
  coupon: CheckoutState['coupon'],
  catalogue: CatalogueState,
  at: Instant,
): Amounts {
  const price: Partial<Price> = priceAt(catalogue, storeId, leadTypeId, at) ?? {};
  const { pricePerLeadCents = 0, currency = '' } = price;
  const fullCents = quantity * pricePerLeadCents;
  const discountCents = coupon ? discountCentsOf(coupon.discount, fullCents) : 0;
  return {
    ...{ quantity, pricePerLeadCents, discountCents, totalCents: fullCents - discountCents, currency, timeZone },
    couponCode: coupon?.code ?? null,
    dailyMaximum: dailyMaximum ? dailyMaximumOf(dailyMaximum, quantity) : null,
    cadence: loyalty?.cadence ?? null,
    ...{ renewals: [], ...unquoted, statementDescriptor: catalogue.descriptor ?? '', quotedAt: null },
  };
}
