import { type CustomerState, customerStream, isRegistered } from '#domain/accounts/customer';
import {
  catalogueStream,
  currenciesOf,
  type LeadType,
  mayJoinLoyaltyRewards,
  type Price,
  priceAt,
  unknownLeadType,
} from '#domain/catalogue/catalogue';
import { type CheckoutQuote, quoteOf } from '#domain/checkouts/quote';
import { type Discount, discountCentsOf } from '#domain/coupons/coupon';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import type { CommandOf } from '#domain/ledger';
import { type LoyaltyTerms, loyaltyTermsOf } from '#domain/loyalty/bonus';
import { type DailyMaximum, dailyMaximumOf, refusePlacing } from '#domain/orders/order';
import type { ExpectedTotal } from '#domain/orders/total';
import { noPolicy, type PolicyDocument, type PolicyVersion } from '#domain/policy/policy';
import { sealSecret } from './account-seals.ts';
import { refuseTotal, shownDescriptor } from './provider-limits.ts';
import type { RequestTools } from './request-tools.ts';
import { type TermsOfBusiness, termsOfBusiness } from './terms-of-business.ts';

/** An order, as a customer asks for it. */
export interface PlaceOrderRequest extends OrderWishes, ExpectedTotal {
  readonly paymentToken: string;
  /** As the customer typed it: every character is significant (CPN-1). */
  readonly couponCode?: string;
}

/** What is ordered, whatever pays it. */
export interface OrderWishes {
  readonly customerId: string;
  readonly leadTypeId: string;
  readonly quantity: number;
  readonly dailyMaximum?: DailyMaximum | undefined;
  /** IANA name; the customer's own when absent. */
  readonly timeZone?: string;
  /** To join Loyalty Rewards with the cadence of this name. */
  readonly loyalty?: { readonly cadence: string } | undefined;
}

type PlaceOrderCommand = Extract<CommandOf<'order'>, { type: 'PlaceOrder' }>;
/** The command that places an order, but for the card that pays it. */
export type Placing = Omit<PlaceOrderCommand, 'paymentToken'>;

/** An order at the terms of this moment (CHK-1, CAT-3), or why no such order can be placed. */
export async function placingOf(tools: RequestTools, request: OrderWishes): Promise<Placing | Refusal> {
  const customer = await tools.stateOf<'customer'>(customerStream(request.customerId));
  return isRegistered(customer)
    ? placingFor(tools, request, customer)
    : refuse('customer-unknown', `there is no customer ${request.customerId}`);
}

/** What of a customer the terms of an order depend on. */
type Orderer = Pick<CustomerState, 'storeId' | 'timeZone'>;

/** For a customer who is known by these details only. */
export async function placingFor(
  tools: RequestTools,
  request: OrderWishes,
  customer: Orderer,
): Promise<Placing | Refusal> {
  const at = tools.now();
  const terms = await termsOfBusiness(tools, at);
  const statementDescriptor = shownDescriptor(tools, terms.catalogue.descriptor);
  const command = placeOrderCommand(at, request, customer, { ...terms, statementDescriptor });
  if (isRefusal(command)) return command;
  // Decided here for a new order, so that an order that would be refused does not use a coupon.
  return refusePlacing(command) ?? refuseTotal(tools, command) ?? command;
}

/** What is ordered, at the terms of this moment (CHK-5), or why no such order can be placed. */
export async function quoteFor(
  tools: RequestTools,
  { withoutSignIn, ...request }: OrderWishes & Partial<Orderer> & { readonly withoutSignIn?: true | undefined },
): Promise<CheckoutQuote | Refusal> {
  const placing = withoutSignIn
    ? await placingFor(tools, request, request as Orderer)
    : await placingOf(tools, request);
  return isRefusal(placing) ? placing : quoteOf(placing.at, placing);
}

/** CHK-5: a number alone has no currency. The customer may have been shown it in the one in which the type was sold before. */
export async function refuseCurrencyLeftOut(
  tools: RequestTools,
  { storeId, leadTypeId }: { readonly storeId: string; readonly leadTypeId: string },
  { expectedTotalCents, expectedCurrency }: ExpectedTotal,
): Promise<Refusal | undefined> {
  if (expectedTotalCents === undefined || expectedCurrency !== undefined) return undefined;
  const currencies = currenciesOf(await tools.stateOf<'catalogue'>(catalogueStream), storeId, leadTypeId);
  if (currencies.size < 2) return undefined;
  const several = [...currencies].join(', ');
  return refuse(
    'expected-currency-missing',
    `${leadTypeId} is or was sold in several currencies (${several}): send the one of the expected total, too`,
    'CHK-5',
  );
}

/** Seals the token of the card: for a caller with the right, and for an order that can be placed. */
export const paidWith = async (
  { vault }: RequestTools,
  placing: Placing,
  token: string,
): Promise<PlaceOrderCommand> => ({
  ...placing,
  paymentToken: await sealSecret(vault, placing.customerId, 'payment-token', token),
});

export const withCoupon = <Order extends Placing>(command: Order, code: string, worth: Discount): Order => ({
  ...command,
  coupon: { code, discountCents: discountCentsOf(worth, command.quantity * command.pricePerLeadCents) },
});

function placeOrderCommand(
  at: Instant,
  request: OrderWishes,
  customer: Orderer,
  { catalogue, policy, statementDescriptor }: TermsOfBusiness & { readonly statementDescriptor: string },
): Placing | Refusal {
  const { leadTypeId } = request;
  const { storeId } = customer;
  const leadType = catalogue.leadTypes.get(leadTypeId);
  if (!leadType) return unknownLeadType(leadTypeId);
  if (leadType.retiredAt !== undefined) return leadTypeRetired(leadTypeId);
  const price = priceAt(catalogue, storeId, leadTypeId, at);
  if (!price) return refuse('not-sold', `store ${storeId} does not sell ${leadTypeId} at present`, 'CAT-3');
  if (!policy) return noPolicy;
  const loyalty = request.loyalty && loyaltyFor(request.loyalty, leadType, policy.policy);
  if (loyalty && 'refused' in loyalty) return loyalty;
  return {
    ...whatIsOrdered(at, request, customer),
    ...whatIsPromised(price, leadType, policy),
    statementDescriptor,
    ...(loyalty && { loyalty }),
  };
}

const leadTypeRetired = (leadTypeId: string) =>
  refuse('lead-type-retired', `${leadTypeId} is not sold any more`, 'CAT-5');

const whatIsOrdered = (at: Instant, request: OrderWishes, { storeId, timeZone }: Orderer) => ({
  type: 'PlaceOrder' as const,
  at,
  customerId: request.customerId,
  storeId,
  leadTypeId: request.leadTypeId,
  quantity: request.quantity,
  ...(request.dailyMaximum && { dailyMaximum: dailyMaximumOf(request.dailyMaximum, request.quantity) }),
  timeZone: request.timeZone ?? timeZone,
});

const whatIsPromised = (price: Price, { freshness }: LeadType, { version }: PolicyVersion) => ({
  pricePerLeadCents: price.pricePerLeadCents,
  currency: price.currency,
  policyVersion: version,
  orderLimits: { smallest: price.smallestOrder, largest: price.largestOrder },
  batchType: freshness !== 'real-time',
});

/** CAT-4, LOY-1. */
function loyaltyFor(
  { cadence }: { cadence: string },
  leadType: LeadType,
  policy: PolicyDocument,
): LoyaltyTerms | Refusal {
  const { leadTypeId, exclusivity } = leadType;
  if (!mayJoinLoyaltyRewards(leadType))
    return refuse('not-in-loyalty-rewards', `${leadTypeId} does not qualify for Loyalty Rewards`, 'CAT-4');
  const known = policy.renewalCadences.map(({ name }) => name).join(', ');
  return (
    loyaltyTermsOf(cadence, exclusivity, policy) ?? refuse('unknown-cadence', `the cadences are: ${known}`, 'LOY-1')
  );
}
