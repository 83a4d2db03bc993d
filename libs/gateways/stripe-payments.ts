import Stripe from 'stripe';
import { type DeclineReason, declineReasonOf } from '#domain/kernel/declines';
import { type Charge, type ChargeResult, type PaymentGateway, ProviderRefusal } from './payments.ts';
import { amountAtStripe, type StripeAmount, type StripeApi } from './stripe-amounts.ts';
import { stripeLimits, suffixOf } from './stripe-limits.ts';
import { stripeRefunds } from './stripe-refunds.ts';

export interface StripeOptions {
  /** `sk_…`. */
  readonly secretKey: string;
  /** The prefix of the account's card statements, as it is set at Stripe. Default: not known. */
  readonly statementPrefix?: string | undefined;
  /** The store's own time, in milliseconds since 1970. Default: the time of this machine. */
  readonly now?: () => number;
  /** The address of Stripe's API. Default: Stripe's own. */
  readonly server?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
}

/** Stripe may forget a key after a day, and would charge a second time then: https://docs.stripe.com/api/idempotent_requests */
const KEY_IS_KEPT_MILLISECONDS = 23 * 3_600_000;

/** What was made a moment ago is not found: https://docs.stripe.com/search#data-freshness */
const IS_FOUND_AFTER_MILLISECONDS = 10 * 60_000;

type Params = Stripe.PaymentIntentCreateParams & { amount: StripeAmount };

/**
 * Charges with payment intents, confirmed at once. Payment methods come from Stripe's own form, so card numbers never
 * reach us. A declined card is a result, and so is what no repetition mends but another card or amount. What only people
 * mend is a `ProviderRefusal`. After any other failure the result is not known, and the charge is sent again with the same key.
 */
export function stripePayments({
  secretKey,
  statementPrefix,
  now = Date.now,
  server,
}: StripeOptions): Required<PaymentGateway> {
  const stripe: StripeApi = new Stripe(secretKey, { ...server, maxNetworkRetries: 0, telemetry: false });
  return {
    ...stripeRefunds(stripe),
    limits: stripeLimits(statementPrefix),
    async capture(charge, key) {
      const amount = amountAtStripe(charge);
      if (amount === undefined) return declined('amount-not-accepted');
      try {
        const age = now() - Date.parse(charge.wishedAt);
        if (charge.onlyIfMade && age < IS_FOUND_AFTER_MILLISECONDS) throw new Error('it cannot be looked for yet');
        const isLookedFor = charge.onlyIfMade || age > KEY_IS_KEPT_MILLISECONDS;
        const former = isLookedFor ? await formerCharge(stripe, key) : undefined;
        if (former) return former;
        if (charge.onlyIfMade) return declined('other');
        const customer = await customerOf(stripe, charge, key);
        const params = { ...paymentIntentOf(charge, statementPrefix), amount, metadata: { charge: key } };
        return await confirmed(stripe, { ...params, ...(customer && { customer }) }, charge, key);
      } catch (error) {
        return declined(reasonOf(error));
      }
    },
    forget: (customer) => forget(stripe, customer),
    forgetKeptBy: (key) => forgetKeptBy(stripe, key),
    settle: (reference, isOver) => (isOver ? end(stripe, reference) : resultOf(stripe, reference)),
  };
}

const declined = (reason: DeclineReason) => ({ captured: false, reason }) as const;

/** A renewal is charged to a card that an earlier payment of the customer set up for it (`setup_future_usage`). */
const paymentIntentOf = ({ token, currency, statementDescriptor, occasion }: Charge, prefix: string | undefined) => {
  const suffix = suffixOf(statementDescriptor, prefix);
  return {
    currency: currency.toLowerCase(),
    payment_method: token,
    allowed_payment_method_types: ['card' as const],
    confirm: true,
    ...(occasion === 'renewal' && { off_session: true }),
    ...(occasion === 'first' && { setup_future_usage: 'off_session' as const }),
    ...(suffix !== undefined && { statement_descriptor_suffix: suffix }),
  } satisfies Partial<Params>;
};

/**
 * A card that is used twice belongs to a customer at Stripe. One that belongs to a customer already can be charged only
 * to that one. A card that replaces another one is attached before its first renewal.
 */
async function customerOf(stripe: StripeApi, charge: Charge, key: string): Promise<string | undefined> {
  const { token, occasion, providerCustomerId } = charge;
  const owner = idOf((await known(stripe.paymentMethods.retrieve(token))).customer);
  if (owner !== undefined) return owner;
  if (occasion === 'only') return undefined;
  const customer = providerCustomerId ?? (await createCustomer(stripe, key));
  if (occasion === 'renewal') await attach(stripe, token, customer, key);
  return customer;
}

const idOf = (one: string | { id: string } | null): string | undefined => (typeof one === 'string' ? one : one?.id);

const known = <Card>(card: Promise<Card>): Promise<Card> =>
  card.catch((error: unknown) => {
    throw isInvalid(error) && error.code === 'resource_missing' ? new CardNotUsable('unknown-card') : error;
  });

const createCustomer = async (stripe: StripeApi, key: string): Promise<string> =>
  (await stripe.customers.create({ metadata: { charge: key } }, { idempotencyKey: `${key}/customer` })).id;

/** A card that was charged before, and not kept then, can never be attached. */
async function attach(stripe: StripeApi, token: string, customer: string, key: string): Promise<void> {
  try {
    await stripe.paymentMethods.attach(token, { customer }, { idempotencyKey: `${key}/attach` });
  } catch (error) {
    throw isInvalid(error) ? new CardNotUsable('card-not-kept') : error;
  }
}

class CardNotUsable extends Error {
  readonly reason: DeclineReason;

  constructor(reason: DeclineReason) {
    super(reason);
    this.reason = reason;
  }
}

const isInvalid = (error: unknown): error is InstanceType<typeof Stripe.errors.StripeInvalidRequestError> =>
  error instanceof Stripe.errors.StripeInvalidRequestError;

async function confirmed(stripe: StripeApi, params: Params, charge: Charge, key: string): Promise<ChargeResult> {
  try {
    const intent = await stripe.paymentIntents.create(params, { idempotencyKey: key });
    if (intent.status === 'succeeded') return capturedBy(intent);
    // The customer is there, but this store has no page for what the bank wants. An open intent could still be paid.
    return await end(stripe, intent.id);
  } catch (error) {
    const intent = intentToConfirm(error);
    if (intent === undefined || charge.returnUrl === undefined) throw error;
    return askForConfirmation(stripe, intent, { token: charge.token, returnUrl: charge.returnUrl }, key);
  }
}

const capturedBy = ({ id, customer }: Stripe.PaymentIntent) => {
  const providerCustomerId = idOf(customer);
  return { captured: true, reference: id, ...(providerCustomerId !== undefined && { providerCustomerId }) } as const;
};

/** https://docs.stripe.com/error-codes#authentication-required: the bank wants the customer, who is not there. */
const intentToConfirm = (error: unknown): string | undefined =>
  error instanceof Stripe.errors.StripeCardError && error.code === 'authentication_required'
    ? error.payment_intent?.id
    : undefined;

/** The same intent, confirmed as if the customer were there, has a page of the bank's for the customer. */
async function askForConfirmation(
  stripe: StripeApi,
  intent: string,
  { token, returnUrl }: { token: string; returnUrl: string },
  key: string,
): Promise<ChargeResult> {
  const params = { payment_method: token, return_url: returnUrl };
  const asked = await stripe.paymentIntents.confirm(intent, params, { idempotencyKey: `${key}/confirm` });
  if (asked.status === 'succeeded') return capturedBy(asked);
  const link = asked.next_action?.redirect_to_url?.url;
  return link ? { captured: 'unconfirmed', reference: intent, link } : end(stripe, intent);
}

/** Whatever was done at the bank's page meanwhile: afterwards the intent is either paid, or can be paid no more. */
async function end(stripe: StripeApi, reference: string) {
  try {
    await stripe.paymentIntents.cancel(reference);
    return declined('authentication-required');
  } catch (error) {
    if (!isUnexpectedState(error)) throw refusalOr(error);
  }
  const result = await resultOf(stripe, reference);
  if (result) return result;
  throw new Error('the payment is under way at the provider');
}

async function resultOf(stripe: StripeApi, reference: string) {
  const intent = await stripe.paymentIntents.retrieve(reference).catch((error: unknown) => {
    throw refusalOr(error);
  });
  if (intent.status === 'succeeded') return capturedBy(intent);
  return intent.status === 'canceled' ? declined('authentication-required') : undefined;
}

/** What was paid, and what is given back of it, stays. */
async function forget(stripe: StripeApi, customer: string): Promise<void> {
  await stripe.customers.del(customer).catch((error: unknown) => {
    if (!isInvalid(error) || error.code !== 'resource_missing') throw refusalOr(error);
  });
}

/** https://docs.stripe.com/api/customers/search: a charge that was declined, or had no answer, has made one, too. */
async function forgetKeptBy(stripe: StripeApi, key: string): Promise<void> {
  const { data } = await stripe.customers.search({ query: madeFor(key), limit: 100 }).catch((error: unknown) => {
    throw refusalOr(error);
  });
  for (const { id } of data) await forget(stripe, id);
}

const madeFor = (key: string): string => `metadata["charge"]:"${key}"`;

/** What this charge came to, if Stripe has it already. What the bank still asks about would be paid twice: it ends first. */
async function formerCharge(stripe: StripeApi, key: string): Promise<ChargeResult | undefined> {
  const { data } = await stripe.paymentIntents.search({ query: madeFor(key), limit: 100 });
  for (const { id, status } of data) {
    const result = status === 'canceled' ? undefined : await end(stripe, id);
    if (result?.captured) return result;
  }
  return undefined;
}

const isUnexpectedState = (error: unknown): boolean =>
  isInvalid(error) && error.code === 'payment_intent_unexpected_state';

/** Why a charge was declined. @throws where the error does not say that it was */
function reasonOf(error: unknown): DeclineReason {
  if (error instanceof CardNotUsable) return error.reason;
  if (error instanceof Stripe.errors.StripeCardError)
    return declineReasonOf(error.decline_code || error.code || 'declined');
  if (isInvalid(error) && error.param === 'payment_method') return 'unknown-card';
  if (isInvalid(error) && (error.param === 'amount' || error.param === 'currency')) return 'amount-not-accepted';
  throw refusalOr(error);
}

/** https://docs.stripe.com/api/errors: what is answered so is answered so again, until somebody changes something here. */
function refusalOr(error: unknown): unknown {
  const { StripeAuthenticationError, StripePermissionError, StripeIdempotencyError } = Stripe.errors;
  if (error instanceof StripeAuthenticationError) return new ProviderRefusal('it does not know the secret key');
  if (error instanceof StripePermissionError) return new ProviderRefusal('the secret key has not the right to charge');
  if (!isInvalid(error) && !(error instanceof StripeIdempotencyError)) return error;
  return new ProviderRefusal(`it refuses the request (${error.statusCode})${requestIdOf(error)}`);
}

/** By this id, the provider's own pages show the request and why it was refused. */
const requestIdOf = ({ requestId }: { requestId?: string | undefined }): string =>
  requestId !== undefined && /^req_\w{1,60}$/.test(requestId) ? `, see ${requestId}` : '';
