import { z } from 'zod';
import { type CatalogueState, catalogueStream, type Price, priceAt } from '#domain/catalogue/catalogue';
import {
  type CheckoutState,
  checkout,
  checkoutStatuses,
  checkoutStream,
  refuseCoupon,
  refuseIn,
} from '#domain/checkouts/checkout';
import { discountCentsOf } from '#domain/coupons/coupon';
import { isRefusal, refuse } from '#domain/kernel/decider';
import { type Instant, instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { order, orderStream } from '#domain/orders/order';
import { isErased } from './address-claim.ts';
import { tryCoupon } from './coupons.ts';
import { type OrderWishes, paidWith, placingOf, withCoupon } from './placing.ts';
import { type QueryTools, sameForAll } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
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
  const placing = (await isErased(tools, customerId)) ? customerErased : await placingOf(tools, request);
  if (isRefusal(placing)) return tools.send(id, stream, placing, context);
  const { storeId, timeZone } = placing;
  return tools.send(id, stream, { type: 'StartCheckout', at: tools.now(), ...request, storeId, timeZone }, context);
}

/** Its order would be refused: no card of an erased customer is sealed. */
const customerErased = refuse('person-erased', 'the customer was erased: nothing new is stored about them');

/** CPN-2: an accepted code is used for the customer, even if the checkout is never completed. */
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
  const refusal = coupon?.code === code ? undefined : refuseCoupon(state);
  if (!wishes || refusal) return tools.send(checkoutId, stream, refusal ?? refuseIn('unknown'), context);
  const worth = await tryCoupon(tools, code, { checkoutId, ...wishes }, context);
  const command = isRefusal(worth) ? worth : ({ type: 'TakeCoupon', at: tools.now(), code, discount: worth } as const);
  return tools.send(checkoutId, stream, command, context);
}

/** The order of a checkout: only one, even if it is requested again. */
async function place(
  tools: RequestTools,
  checkoutId: string,
  paymentToken: string,
  context: RequestContext,
): Promise<Receipt> {
  const id = deriveId('order of checkout', checkoutId);
  const { status, wishes, coupon } = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  if (!wishes || status === 'abandoned') return tools.send(id, orderStream(id), refuseIn(status), context);
  const { customerId } = wishes;
  const refusal = checkRightEarly(orderStream(id), { type: 'PlaceOrder', customerId }, order.initialState(), context);
  if (refusal) return tools.refuse(id, orderStream(id), refusal, context);
  const placing = await placingOf(tools, wishes);
  if (isRefusal(placing)) return tools.send(id, orderStream(id), placing, context);
  const discounted = coupon ? withCoupon(placing, coupon.code, coupon.discount) : placing;
  const command = { ...(await paidWith(tools, discounted, paymentToken)), checkoutId };
  return tools.send(id, orderStream(id), command, context);
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
  { status, wishes, coupon, giveUpAt }: CheckoutState,
  catalogue: CatalogueState,
  at: Instant,
): Omit<CheckoutDetails, 'revision'> | undefined {
  if (!wishes || status === 'unknown') return undefined;
  const { customerId, storeId, leadTypeId, quantity } = wishes;
  return {
    checkoutId,
    status,
    ...{ customerId, storeId, leadTypeId, quantity },
    ...amountsOf(quantity, coupon, priceAt(catalogue, storeId, leadTypeId, at)),
    statementDescriptor: catalogue.descriptor ?? '',
    giveUpAt,
  };
}

/** All 0 while the store does not sell the lead type. */
function amountsOf(quantity: number, coupon: CheckoutState['coupon'], price: Price | undefined) {
  const { pricePerLeadCents = 0, currency = '' } = price ?? {};
  const fullCents = quantity * pricePerLeadCents;
  const discountCents = coupon ? discountCentsOf(coupon.discount, fullCents) : 0;
  const totalCents = fullCents - discountCents;
  return { pricePerLeadCents, discountCents, totalCents, currency, couponCode: coupon?.code ?? null };
}
