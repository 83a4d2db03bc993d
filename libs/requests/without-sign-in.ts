import { customerStream } from '#domain/accounts/customer';
import { checkoutStream, refuseIn } from '#domain/checkouts/checkout';
import { quoteOf } from '#domain/checkouts/quote';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { isTimeZone } from '#domain/kernel/local-days';
import { couponNeedsSignIn } from '#domain/orders/buyer';
import { orderStream, type PromisedOrder, unknownOrder } from '#domain/orders/order';
import { type ExpectedTotal, refuseOtherTotal, totalCentsOf } from '#domain/orders/total';
import { sealSecret } from './account-seals.ts';
import { type AccountDetails, openAccount, refuseAccount, warnHolder } from './new-accounts.ts';
import { type OrderWishes, type Placing, placingFor, refuseCurrencyLeftOut } from './placing.ts';
import { type Receipt, type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';

/*
 * Orders and checkouts with an address in place of a sign-in (ACC-7). They belong to the account of the address, which is made where
 * there is none. Nothing shows which of the two it was (ACC-2): what was typed decides what is refused and what it costs, and of an
 * account that was there, its own details hold.
 */

/** The time zone is that of the account. */
type Wishes = Omit<OrderWishes, 'customerId' | 'timeZone'>;

export interface CheckoutWithoutSignIn extends Wishes {
  readonly account: AccountDetails;
}

export interface OrderWithoutSignIn extends CheckoutWithoutSignIn, ExpectedTotal {
  readonly paymentToken: string;
  readonly couponCode?: string;
}

export async function placeWithoutSignIn(
  tools: RequestTools,
  { account, couponCode, paymentToken, expectedTotalCents, expectedCurrency, ...wishes }: OrderWithoutSignIn,
  context: RequestContext,
): Promise<Receipt> {
  const orderId = deriveId('order', context.commandId);
  const stream = orderStream(orderId);
  // A repeat gets the first outcome, and an order that is new has no revision to be compared.
  if (await isRepeat(tools, stream, context)) return tools.send(orderId, stream, unknownOrder, context);
  const expected = { expectedTotalCents, expectedCurrency };
  const placing = couponCode === undefined ? await placingWithout(tools, account, wishes, expected) : couponNeedsSignIn;
  if (isRefusal(placing)) return tools.send(orderId, stream, placing, context);
  const orderFor = async (customerId: string) =>
    promiseOf(placing, customerId, await sealSecret(tools.vault, customerId, 'payment-token', paymentToken));
  const { customerId, receipt } = await openAccount(tools, account, whateverRevision(context), async (newId) => ({
    orderId,
    order: await orderFor(newId),
  }));
  if (receipt.outcome.kind !== 'accepted') return { id: orderId, outcome: receipt.outcome };
  const timeZone = await zoneOf(tools, customerId, account);
  const order = { ...(await orderFor(customerId)), timeZone };
  return tools.send(orderId, stream, { ...order, type: 'PlacePromisedOrder', at: tools.now() }, context);
}

export async function startWithoutSignIn(
  tools: RequestTools,
  { account, ...wishes }: CheckoutWithoutSignIn,
  context: RequestContext,
): Promise<Receipt> {
  const checkoutId = deriveId('checkout', context.commandId);
  const stream = checkoutStream(checkoutId);
  if (await isRepeat(tools, stream, context)) return tools.send(checkoutId, stream, refuseIn('unknown'), context);
  const placing = await placingWithout(tools, account, wishes, {});
  if (isRefusal(placing)) return tools.send(checkoutId, stream, placing, context);
  const { customerId, isNew, receipt } = await openAccount(tools, account, whateverRevision(context));
  if (receipt.outcome.kind !== 'accepted') return { id: checkoutId, outcome: receipt.outcome };
  if (!isNew) await warnHolder(tools, account, context);
  const { at, storeId } = placing;
  const timeZone = await zoneOf(tools, customerId, account);
  const quote = quoteOf(at, { ...placing, timeZone });
  const started = { ...wishes, customerId, storeId, timeZone, quote, withoutSignIn: true } as const;
  return tools.send(checkoutId, stream, { type: 'StartCheckout', at, ...started }, context);
}

const NOT_YET = -1;

async function isRepeat(
  { streams }: RequestTools,
  stream: `order-${string}` | `checkout-${string}`,
  { ifRevision = NOT_YET }: RequestContext,
): Promise<boolean> {
  return ifRevision !== NOT_YET || (await streams.read(stream)).revision !== NOT_YET;
}

/** What is ordered by what was typed, or why it is refused: the same, whether the address has an account or not. */
async function placingWithout(
  tools: RequestTools,
  account: AccountDetails,
  wishes: Wishes,
  expected: ExpectedTotal,
): Promise<Placing | Refusal> {
  const noAccount = await refuseAccount(tools, account);
  if (noAccount) return noAccount;
  // There may be no customer yet, and the terms depend on none.
  const placing = await placingFor(tools, { ...wishes, customerId: '' }, account);
  if (isRefusal(placing)) return placing;
  return (await refuseCurrencyLeftOut(tools, placing, expected)) ?? refuseOtherTotal(placing, expected) ?? placing;
}

function promiseOf(
  { type: _, at: __, orderLimits: ___, batchType: ____, ...terms }: Placing,
  customerId: string,
  paymentToken: PromisedOrder['paymentToken'],
): PromisedOrder {
  return { ...terms, customerId, paymentToken, totalCents: totalCentsOf(terms), withoutSignIn: true };
}

/** Older versions took time zones that this one does not know. */
async function zoneOf({ stateOf }: RequestTools, customerId: string, account: AccountDetails): Promise<string> {
  const { timeZone } = await stateOf<'customer'>(customerStream(customerId));
  return isTimeZone(timeZone) ? timeZone : account.timeZone;
}
