import { customerStream } from '#domain/accounts/customer';
import {
  type CheckoutState,
  checkout,
  checkoutStream,
  orderIdOf,
  refuseCoupon,
  refuseIn,
} from '#domain/checkouts/checkout';
import { type CheckoutQuote, discounted, quoteOf } from '#domain/checkouts/quote';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { isOver, orderStream, type PromisedOrder, type Terms } from '#domain/orders/order';
import { type ExpectedTotal, refuseOtherTotal, totalCentsOf } from '#domain/orders/total';
import { openIfThere, sealSecret } from './account-seals.ts';
import { isErased } from './address-claim.ts';
import type { Outcome } from './addressed-command.ts';
import { returnCoupon, tryCoupon } from './coupons.ts';
import { customerErased } from './erased-customers.ts';
import { withFirstPassword } from './first-password.ts';
import { type OrderWishes, placingOf, quoteFor, refuseCurrencyLeftOut } from './placing.ts';
import { refuseTotal } from './provider-limits.ts';
import { type Receipt, type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { type CheckoutWithoutSignIn, startWithoutSignIn } from './without-sign-in.ts';

/** Checkouts: the requested leads, at most one coupon, and the resulting order (CHK). */
export const checkoutRequests = (tools: RequestTools) => ({
  start: ({ password, ...request }: OrderWishes & FirstPassword, context: RequestContext) =>
    withFirstPassword(tools, { customerId: request.customerId, password }, context, {
      refused: (refusal) => refuseStarted(tools, refusal, context),
      ask: () => start(tools, request, context),
    }),
  startWithoutSignIn: (request: CheckoutWithoutSignIn, context: RequestContext) =>
    startWithoutSignIn(tools, request, context),
  quote: (checkoutId: string, wishes: ChangedWishes, context: RequestContext) =>
    quote(tools, checkoutId, wishes, context),
  useCoupon: (checkoutId: string, code: string, context: RequestContext) => useCoupon(tools, checkoutId, code, context),
  place: (checkoutId: string, placement: Placement, context: RequestContext) =>
    placeWithPassword(tools, checkoutId, placement, context),
});

interface Placement extends ExpectedTotal {
  readonly paymentToken: string;
  readonly password?: string | undefined;
}

interface FirstPassword {
  readonly password?: string;
}

const refuseStarted = (tools: RequestTools, refusal: Refusal, context: RequestContext): Promise<Receipt> => {
  const id = deriveId('checkout', context.commandId);
  return tools.refuse(id, checkoutStream(id), refusal, context);
};

/** CHK-1. Errors are reported now, not when the order is placed. */
async function start(tools: RequestTools, request: OrderWishes, context: RequestContext): Promise<Receipt> {
  const id = deriveId('checkout', context.commandId);
  const stream = checkoutStream(id);
  const { customerId } = request;
  const { storeId: storeOfCustomer } = await tools.stateOf<'customer'>(customerStream(customerId));
  const draft = { type: 'StartCheckout', customerId, storeId: storeOfCustomer } as const;
  const refusal = checkRightEarly(stream, draft, checkout.initialState(), context);
  if (refusal) return tools.refuse(id, stream, refusal, context);
  const placing = (await refuseErased(tools, customerId)) ?? (await placingOf(tools, request));
  if (isRefusal(placing)) return tools.send(id, stream, placing, context);
  const { at, storeId, timeZone } = placing;
  const command = { type: 'StartCheckout', at, ...request, storeId, timeZone, quote: quoteOf(at, placing) } as const;
  return tools.send(id, stream, command, context);
}

/** The customer and the lead type stay: a coupon may have been tried for them. */
type ChangedWishes = Omit<OrderWishes, 'customerId' | 'leadTypeId'>;

/** CHK-5: at the terms of this moment. */
async function quote(
  tools: RequestTools,
  checkoutId: string,
  changed: ChangedWishes,
  context: RequestContext,
): Promise<Receipt> {
  const stream = checkoutStream(checkoutId);
  const state = await tools.stateOf<'checkout'>(stream);
  const noRight = checkRightEarly(stream, { type: 'QuoteCheckout' }, state, context);
  if (noRight) return tools.refuse(checkoutId, stream, noRight, context);
  const { wishes, status } = state;
  if (!wishes || status !== 'started') return tools.send(checkoutId, stream, refuseIn(status), context);
  const { customerId, leadTypeId, storeId, timeZone, withoutSignIn } = wishes;
  // ACC-7: the zone is that of the account, whatever is said.
  const asked = withoutSignIn ? { ...changed, storeId, timeZone, withoutSignIn } : changed;
  const offer =
    (await refuseErased(tools, customerId)) ?? (await quoteFor(tools, { customerId, leadTypeId, ...asked }));
  const refused = isRefusal(offer) ? offer : refuseTotal(tools, discounted(offer, state.coupon));
  const command = refused ?? ({ type: 'QuoteCheckout', at: tools.now(), quote: offer as CheckoutQuote } as const);
  return tools.send(checkoutId, stream, command, context);
}

/** Its order would be refused: no card of an erased customer is sealed, and no code is used for one. */
const refuseErased = async (tools: RequestTools, customerId: string | undefined): Promise<Refusal | undefined> =>
  customerId !== undefined && (await isErased(tools, customerId)) ? customerErased : undefined;

/**
 * CPN-2: an accepted code is used for the customer, even if the checkout is never completed. Where the checkout refuses it
 * after all, it is returned. After a crash between the steps, the process `checkout-coupons` does the rest.
 */
async function useCoupon(
  tools: RequestTools,
  checkoutId: string,
  code: string,
  context: RequestContext,
): Promise<Receipt> {
  const stream = checkoutStream(checkoutId);
  const state = await tools.stateOf<'checkout'>(stream);
  const noRight = checkRightEarly(stream, { type: 'TakeCoupon' }, state, context);
  if (noRight) return tools.refuse(checkoutId, stream, noRight, context);
  const { wishes, coupon } = state;
  const refusal =
    (await refuseErased(tools, wishes?.customerId)) ?? (coupon?.code === code ? undefined : refuseCoupon(state, code));
  if (!wishes || refusal || (await hasChanged(tools, stream, context)))
    return tools.send(checkoutId, stream, refusal ?? refuseIn(state.status), context);
  const offer = state.quote ?? (await quoteFor(tools, wishes));
  const currency = isRefusal(offer) ? undefined : offer.currency;
  const worth = await tryCoupon(tools, code, { checkoutId, ...wishes, currency }, context);
  if (isRefusal(worth)) return tools.send(checkoutId, stream, worth, context);
  const shown = isRefusal(offer) ? {} : { quote: offer };
  const notChargeable = isRefusal(offer) ? undefined : refuseTotal(tools, discounted(offer, { code, discount: worth }));
  const command = { type: 'TakeCoupon', at: tools.now(), code, discount: worth, ...shown } as const;
  // The code is used: it is too late to compare revisions.
  const receipt = await tools.send(checkoutId, stream, notChargeable ?? command, whateverRevision(context));
  if (receipt.outcome.kind === 'refused') await returnCoupon(tools, code, { checkoutId, ...wishes }, context);
  return receipt;
}

const hasChanged = async ({ streams }: RequestTools, stream: `checkout-${string}`, { ifRevision }: RequestContext) =>
  ifRevision !== undefined && (await streams.read<'checkout'>(stream)).revision !== ifRevision;

async function placeWithPassword(
  tools: RequestTools,
  checkoutId: string,
  placement: Placement,
  context: RequestContext,
): Promise<Receipt> {
  const id = orderIdOf(checkoutId);
  const { wishes } = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  // ACC-7: it was typed beside an address that may have an account.
  const password = wishes?.withoutSignIn ? undefined : placement.password;
  return withFirstPassword(tools, { customerId: wishes?.customerId, password }, context, {
    refused: (refusal) => tools.refuse(id, orderStream(id), refusal, context),
    ask: () => place(tools, checkoutId, placement, context),
  });
}

/**
 * The order of a checkout: only one, even if it is requested again. The checkout is closed first, with the terms of the
 * order: from then on neither changes. After a crash between the two, the process `checkout-end` places the order.
 */
async function place(
  tools: RequestTools,
  checkoutId: string,
  placement: Placement,
  context: RequestContext,
): Promise<Receipt> {
  const [id, stream] = [orderIdOf(checkoutId), orderStream(orderIdOf(checkoutId))];
  const state = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  const noRight = checkRightEarly(checkoutStream(checkoutId), { type: 'PlaceCheckout' }, state, context);
  if (noRight) return tools.refuse(id, stream, noRight, context);
  const currencyLeftOut = state.wishes && (await refuseCurrencyLeftOut(tools, state.wishes, placement));
  if (currencyLeftOut) return tools.send(id, stream, currencyLeftOut, context);
  const present = await tools.stateOf<'order'>(stream);
  const order =
    state.order ?? promiseOfOlderVersion(present.terms) ?? (await close(tools, checkoutId, state, placement, context));
  if ('kind' in order) return { id, outcome: order };
  if (isRefusal(order)) return tools.send(id, stream, order, context);
  const otherCard = isOver(present) ? undefined : await refuseOtherCard(tools, order, placement.paymentToken);
  const other = otherCard ?? refuseOtherTotal(order, placement);
  if (other) return tools.send(id, stream, other, context);
  const command = { ...order, type: 'PlacePromisedOrder', at: tools.now(), checkoutId } as const;
  return tools.send(id, stream, command, whateverRevision(context));
}

/** Older versions placed the order and did not record in the checkout what they promised. */
const promiseOfOlderVersion = (terms: Terms | undefined): PromisedOrder | undefined =>
  terms && { ...terms, totalCents: totalCentsOf(terms) };

/** A repeat with another card is not passed off as the request that placed the order. */
async function refuseOtherCard(
  { vault }: RequestTools,
  { paymentToken: present }: PromisedOrder,
  token: string,
): Promise<Refusal | undefined> {
  const known = await openIfThere(vault, present);
  if (known === undefined || known === token) return undefined;
  return refuse('checkout-placed', 'the checkout is finished: its order was placed with another card', 'CHK-1');
}

/** @returns the order that the checkout promises, or why it cannot be placed */
async function close(
  tools: RequestTools,
  checkoutId: string,
  { status, wishes, coupon, quote: shown }: CheckoutState,
  { paymentToken: token, expectedTotalCents, expectedCurrency }: Placement,
  { commandId, caller, reason, ifRevision }: RequestContext,
): Promise<PromisedOrder | Refusal | Outcome> {
  const erased = await refuseErased(tools, wishes?.customerId);
  if (erased) return erased;
  if (!wishes || status === 'abandoned') return refuseIn(status);
  const quote = shown ?? (await quoteFor(tools, wishes));
  if (isRefusal(quote)) return quote;
  // What was shown could be charged then.
  const notChargeable = shown ? undefined : refuseTotal(tools, discounted(quote, coupon));
  if (notChargeable) return notChargeable;
  const paymentToken = await sealSecret(tools.vault, wishes.customerId, 'payment-token', token);
  const step = {
    caller,
    commandId: deriveId('place-checkout', commandId),
    ...(reason !== undefined && { reason }),
    ...(ifRevision !== undefined && { ifRevision }),
  };
  const stream = checkoutStream(checkoutId);
  const orderId = orderIdOf(checkoutId);
  const placing = { orderId, paymentToken, quote, expectedTotalCents, expectedCurrency };
  const command = { type: 'PlaceCheckout', at: tools.now(), ...placing } as const;
  const { outcome } = await tools.send(checkoutId, stream, command, step);
  if (outcome.kind === 'refused') return outcome.refusal;
  return (await tools.stateOf<'checkout'>(stream)).order ?? outcome;
}
