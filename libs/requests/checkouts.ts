import { z } from 'zod';
import { type CatalogueState, catalogueStream, type Price, priceAt } from '#domain/catalogue/catalogue';
import {
  type CheckoutState,
  checkout,
  checkoutStatuses,
  checkoutStream,
  orderIdOf,
  refuseCoupon,
  refuseIn,
} from '#domain/checkouts/checkout';
import { type Discount, discountCentsOf } from '#domain/coupons/coupon';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import { type Instant, instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { isOver, orderStream, type PromisedOrder, type Terms, totalCentsOf } from '#domain/orders/order';
import { openIfThere } from './account-seals.ts';
import { isErased } from './address-claim.ts';
import type { Outcome } from './command-handler.ts';
import { returnCoupon, tryCoupon } from './coupons.ts';
import { customerErased } from './erased-customers.ts';
import { type OrderWishes, paidWith, placingOf, withCoupon } from './placing.ts';
import { refuseTotal } from './provider-limits.ts';
import { type QueryTools, sameForAll } from './query-tools.ts';
import { type Receipt, type RequestContext, type RequestTools, whateverRevision } from './request-tools.ts';
import { revision } from './revision.ts';
import { checkRightEarly } from './rights.ts';

/** Checkouts: the requested leads, at most one coupon, and the resulting order (CHK). */
export const checkoutRequests = (tools: RequestTools) => ({
  start: (request: OrderWishes, context: RequestContext) => start(tools, request, context),
  useCoupon: (checkoutId: string, code: string, context: RequestContext) => useCoupon(tools, checkoutId, code, context),
  place: (checkoutId: string, paymentToken: string, context: RequestContext) =>
    place(tools, checkoutId, paymentToken, context),
});

/** CHK-1. Errors are reported now, not when the order is placed. */
async function start(tools: RequestTools, request: OrderWishes, context: RequestContext): Promise<Receipt> {
  const id = deriveId('checkout', context.commandId);
  const stream = checkoutStream(id);
  const { customerId } = request;
  const refusal = checkRightEarly(stream, { type: 'StartCheckout', customerId }, checkout.initialState(), context);
  if (refusal) return tools.refuse(id, stream, refusal, context);
  const placing = (await refuseErased(tools, customerId)) ?? (await placingOf(tools, request));
  if (isRefusal(placing)) return tools.send(id, stream, placing, context);
  const { storeId, timeZone } = placing;
  return tools.send(id, stream, { type: 'StartCheckout', at: tools.now(), ...request, storeId, timeZone }, context);
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
  const worth = await tryCoupon(tools, code, { checkoutId, ...wishes }, context);
  if (isRefusal(worth)) return tools.send(checkoutId, stream, worth, context);
  const notChargeable = await refuseDiscounted(tools, wishes, code, worth);
  const command = { type: 'TakeCoupon', at: tools.now(), code, discount: worth } as const;
  // The code is used: it is too late to compare revisions.
  const receipt = await tools.send(checkoutId, stream, notChargeable ?? command, whateverRevision(context));
  if (receipt.outcome.kind === 'refused') await returnCoupon(tools, code, { checkoutId, ...wishes }, context);
  return receipt;
}

async function refuseDiscounted(tools: RequestTools, wishes: OrderWishes, code: string, worth: Discount) {
  const placing = await placingOf(tools, wishes);
  return isRefusal(placing) ? undefined : refuseTotal(tools, withCoupon(placing, code, worth));
}

const hasChanged = async ({ streams }: RequestTools, stream: `checkout-${string}`, { ifRevision }: RequestContext) =>
  ifRevision !== undefined && (await streams.read<'checkout'>(stream)).revision !== ifRevision;

/**
 * The order of a checkout: only one, even if it is requested again. The checkout is closed first, with the terms of the
 * order: from then on neither changes. After a crash between the two, the process `checkout-end` places the order.
 */
async function place(
  tools: RequestTools,
  checkoutId: string,
  paymentToken: string,
  context: RequestContext,
): Promise<Receipt> {
  const [id, stream] = [orderIdOf(checkoutId), orderStream(orderIdOf(checkoutId))];
  const state = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  const noRight = checkRightEarly(checkoutStream(checkoutId), { type: 'PlaceCheckout' }, state, context);
  if (noRight) return tools.refuse(id, stream, noRight, context);
  const present = await tools.stateOf<'order'>(stream);
  const order =
    state.order ??
    promiseOfOlderVersion(present.terms) ??
    (await close(tools, checkoutId, state, paymentToken, context));
  if ('kind' in order) return { id, outcome: order };
  if (isRefusal(order)) return tools.send(id, stream, order, context);
  const otherCard = isOver(present) ? undefined : await refuseOtherCard(tools, order, paymentToken);
  if (otherCard) return tools.send(id, stream, otherCard, context);
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
  { status, wishes, coupon }: CheckoutState,
  paymentToken: string,
  { commandId, caller, reason, ifRevision }: RequestContext,
): Promise<PromisedOrder | Refusal | Outcome> {
  const erased = await refuseErased(tools, wishes?.customerId);
  if (erased) return erased;
  if (!wishes || status === 'abandoned') return refuseIn(status);
  const placing = await placingOf(tools, wishes);
  if (isRefusal(placing)) return placing;
  // The price may have changed since the coupon was taken.
  const notChargeable = coupon && refuseTotal(tools, withCoupon(placing, coupon.code, coupon.discount));
  if (notChargeable) return notChargeable;
  const {
    type: _type,
    orderLimits: _limits,
    batchType: _batch,
    ...order
  } = await paidWith(tools, placing, paymentToken);
  const step = {
    caller,
    commandId: deriveId('place-checkout', commandId),
    ...(reason !== undefined && { reason }),
    ...(ifRevision !== undefined && { ifRevision }),
  };
  const stream = checkoutStream(checkoutId);
  const command = { type: 'PlaceCheckout', at: tools.now(), orderId: orderIdOf(checkoutId), order } as const;
  const { outcome } = await tools.send(checkoutId, stream, command, step);
  if (outcome.kind === 'refused') return outcome.refusal;
  return (await tools.stateOf<'checkout'>(stream)).order ?? outcome;
}

export const checkoutDetails = z.object({
  checkoutId: z.string().describe('The checkout.'),
  status: z.enum(checkoutStatuses).describe('Abandoned: its time ran out before it was placed.'),
  customerId: z.string().describe('The customer who wants to order.'),
  storeId: z.string().describe('The store of the customer.'),
  leadTypeId: z.string().describe('The lead type to be ordered.'),
  quantity: z.int().describe('Leads to be ordered.'),
  pricePerLeadCents: z.int().describe('The price of one lead.'),
  discountCents: z.int().describe('What the coupon takes off.'),
  totalCents: z.int().describe('What the order would cost.'),
  currency: z.string().describe('The currency (ISO 4217).'),
  couponCode: z.string().nullable().describe('The coupon that is used; null without one.'),
  statementDescriptor: z.string().describe('What the card statement will show (STO-2).'),
  giveUpAt: instant.describe('When it is abandoned, unless it is placed before.'),
  revision,
});
export type CheckoutDetails = Readonly<z.infer<typeof checkoutDetails>>;

export const checkoutQueries = ({ streams, stateOf, now }: QueryTools) => ({
  /** The current total of a checkout, and the text on the card statement. */
  get: sameForAll(async ({ checkoutId }: { checkoutId: string }): Promise<CheckoutDetails | undefined> => {
    const { state, revision } = await streams.read<'checkout'>(checkoutStream(checkoutId));
    const details = detailsOf(checkoutId, state, await stateOf<'catalogue'>(catalogueStream), now());
    return details && { ...details, revision };
  }),
});

function detailsOf(
  checkoutId: string,
  { status, wishes, coupon, giveUpAt, order }: CheckoutState,
  catalogue: CatalogueState,
  at: Instant,
): Omit<CheckoutDetails, 'revision'> | undefined {
  if (!wishes || status === 'unknown') return undefined;
  const { customerId, storeId, leadTypeId, quantity } = wishes;
  return {
    checkoutId,
    status,
    ...{ customerId, storeId, leadTypeId, quantity },
    ...(order ? amountsIn(order) : amountsOf(quantity, coupon, priceAt(catalogue, storeId, leadTypeId, at))),
    statementDescriptor: order?.statementDescriptor ?? catalogue.descriptor ?? '',
    giveUpAt,
  };
}

const amountsIn = ({ pricePerLeadCents, totalCents, currency, coupon }: PromisedOrder) => ({
  ...{ pricePerLeadCents, totalCents, currency },
  discountCents: coupon?.discountCents ?? 0,
  couponCode: coupon?.code ?? null,
});

/** All 0 while the store does not sell the lead type. */
function amountsOf(quantity: number, coupon: CheckoutState['coupon'], price: Price | undefined) {
  const { pricePerLeadCents = 0, currency = '' } = price ?? {};
  const fullCents = quantity * pricePerLeadCents;
  const discountCents = coupon ? discountCentsOf(coupon.discount, fullCents) : 0;
  const totalCents = fullCents - discountCents;
  return { pricePerLeadCents, discountCents, totalCents, currency, couponCode: coupon?.code ?? null };
}
