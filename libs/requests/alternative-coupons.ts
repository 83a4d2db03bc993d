import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import { checkoutStream, orderIdOf } from '#domain/checkouts/checkout';
import {
  type CouponState,
  coupon,
  couponIdOf,
  couponNotUsed,
  couponReplaced,
  couponStream,
  endedUntried,
  unknownCoupon,
} from '#domain/coupons/coupon';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { AnyCommand } from '#domain/ledger';
import { isOver, orderStream } from '#domain/orders/order';
import { discountTaken, hasDiscount } from '#domain/orders/replaced-coupon';
import { isErased } from './address-claim.ts';
import { customerErased } from './erased-customers.ts';
import { ofStore, type Receipt, type RequestContext, type RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

export interface AlternativeCouponRequest {
  /** The code that the customer has used. */
  readonly insteadOf: string;
  readonly customerId: string;
  readonly code: string;
}

/**
 * CPN-4. What is left out is copied from the code that the new one replaces. First the old code stops counting, in its
 * checkout or order and for the customer; so at no moment both give a discount. A repeat finishes what a crash left, and so
 * does a request for yet another code, before it is refused.
 */
export async function giveAlternative(
  tools: RequestTools,
  request: AlternativeCouponRequest,
  context: RequestContext,
): Promise<Receipt> {
  const { insteadOf, customerId, code } = request;
  const [id, stream, at] = [couponIdOf(code), couponStream(code), tools.now()];
  const used = await tools.stateOf<'coupon'>(couponStream(insteadOf));
  const store = await ofStore(tools, customerId);
  const noRight = checkRightEarly(stream, { type: 'GiveAlternativeCoupon', ...store }, used, context);
  if (noRight) return tools.refuse(id, stream, noRight, context);
  if (await isErased(tools, customerId)) return tools.send(id, stream, customerErased, context);
  if (!used.defined) return tools.send(id, stream, noFirstCode, context);
  if (!isRegistered(await tools.stateOf<'customer'>(customerStream(customerId))))
    return tools.send(id, stream, notRegistered, context);
  const command = {
    ...({ type: 'GiveAlternativeCoupon', at, customerId, ...store, insteadOf, code } as const),
    ...definitionLike(used.defined, at),
  };
  const decision = coupon.decide(command, await tools.stateOf<'coupon'>(stream));
  const changes = !isRefusal(decision) && decision.length > 0;
  const refusal = changes ? await endFirstCode(tools, used, request, context) : undefined;
  return tools.send(id, stream, refusal ?? command, context);
}

const noFirstCode = { ...unknownCoupon, field: 'insteadOf' };

/** The customer's first code gives no discount from here on. @returns why no other code may be given */
async function endFirstCode(
  tools: RequestTools,
  used: CouponState,
  request: AlternativeCouponRequest,
  context: RequestContext,
): Promise<Refusal | undefined> {
  const use = await useOf(tools, used, request.customerId);
  if (!use) return couponNotUsed;
  const refusal = await endEverywhere(tools, request, use, context);
  const other = refusal?.code === 'coupon-replaced' ? refusal.details?.couponCode : undefined;
  if (other === undefined || other === request.code) return refusal;
  const { defined, customerId, insteadOf } = await tools.stateOf<'coupon'>(couponStream(other));
  if (!defined) await finish(tools, used, { ...request, code: other }, use, context);
  if (!defined || (customerId === request.customerId && insteadOf === request.insteadOf)) return refusal;
  // Somebody else got that code, or it is for everybody: this customer has none.
  return endEverywhere(tools, request, use, context, other);
}

/** Another request came first, and gives its code now, or its program ended before it could. */
async function finish(
  tools: RequestTools,
  { defined }: CouponState,
  { insteadOf, customerId, code }: AlternativeCouponRequest,
  use: Use,
  { commandId, ...by }: RequestContext,
): Promise<void> {
  const context = { ...whoAsks(by), commandId: deriveId('finish-alternative', commandId) };
  const refusal = await endEverywhere(tools, { insteadOf, customerId, code }, use, context);
  if (refusal || !defined) return;
  const at = tools.now();
  const store = await ofStore(tools, customerId);
  const named = { type: 'GiveAlternativeCoupon', at, customerId, ...store, insteadOf, code } as const;
  await tools.send(couponIdOf(code), couponStream(code), { ...named, ...definitionLike(defined, at) }, context);
}

const whoAsks = ({ caller, reason }: Omit<RequestContext, 'commandId'>) => ({
  caller,
  ...(reason !== undefined && { reason }),
});

interface Use {
  /** Where the code was tried: a checkout, or an order that is placed without one. */
  readonly checkoutId: string;
  /** Undefined for an alternative that ended untried: then it is where the code before it was tried. */
  readonly triedAt: Instant | undefined;
}

async function useOf(tools: RequestTools, used: CouponState, customerId: string): Promise<Use | undefined> {
  const [tried, replaced] = [used.uses.get(customerId), used.replaced.get(customerId)];
  if (tried) return { checkoutId: tried.checkoutId, triedAt: tried.at };
  if (replaced) return replaced;
  if (used.insteadOf === undefined || !endedUntried(used, customerId, tools.now())) return undefined;
  const before = await tools.stateOf<'coupon'>(couponStream(used.insteadOf));
  const { checkoutId } = before.replaced.get(customerId) ?? {};
  return checkoutId === undefined ? undefined : { checkoutId, triedAt: undefined };
}

/**
 * The checkout or the order decides in its own stream, whatever happens at the same time: it has the discount, or the code
 * ends there. Then the code ends for the customer.
 */
async function endEverywhere(
  tools: RequestTools,
  { insteadOf: code, customerId, code: by }: AlternativeCouponRequest,
  { checkoutId, triedAt }: Use,
  { commandId, ...context }: RequestContext,
  formerly?: string,
): Promise<Refusal | undefined> {
  const { replaced } = await tools.stateOf<'coupon'>(couponStream(code));
  const present = replaced.get(customerId)?.by ?? by;
  if (present !== by && present !== formerly) return couponReplaced(present);
  const ended = { at: tools.now(), by, ...(formerly !== undefined && { formerly }) };
  const step = async (stream: string, command: AnyCommand) => {
    const id = deriveId('end-first-code', commandId, stream, formerly ?? '');
    const { outcome } = await tools.send(checkoutId, stream, command, { ...whoAsks(context), commandId: id });
    return outcome.kind === 'refused' ? outcome.refusal : undefined;
  };
  const use = { checkoutId, code, usedAt: triedAt };
  if (await isTaken(tools, use)) return discountTaken;
  const { status } = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  const notEnded = await (status === 'unknown'
    ? step(orderStream(checkoutId), { type: 'ReplaceOrderCoupon', ...ended, customerId, code })
    : step(checkoutStream(checkoutId), { type: 'ReplaceTakenCoupon', ...ended, code }));
  if (notEnded?.code === 'coupon-replaced') return notEnded;
  if (notEnded && (await isTaken(tools, use, notEnded))) return discountTaken;
  const store = await ofStore(tools, customerId);
  return step(couponStream(code), { type: 'ReplaceCoupon', ...ended, customerId, ...store, checkoutId });
}

/** An order that a request places at once is given this time, before its code is taken from it. */
const PLACED_WITHIN_SECONDS = 60;

/**
 * Whether the discount of a code is taken, or is about to be: by the order of a checkout, or one placed without a checkout.
 * `closed`: the checkout, or the order, says that it is placed.
 */
async function isTaken(
  tools: RequestTools,
  { checkoutId, code, usedAt }: { checkoutId: string; code: string; usedAt: Instant | undefined },
  closed?: Refusal,
): Promise<boolean> {
  const { status } = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  const hasCheckout = status !== 'unknown';
  const order = await tools.stateOf<'order'>(orderStream(hasCheckout ? orderIdOf(checkoutId) : checkoutId));
  if (order.terms) return hasDiscount(order, code, isOver(order));
  if (hasCheckout) return closed !== undefined;
  return usedAt !== undefined && tools.now() < addSeconds(usedAt, PLACED_WITHIN_SECONDS);
}

const definitionLike = (
  { storeIds, leadTypeIds, discount, validUntil }: NonNullable<CouponState['defined']>,
  at: Instant,
) => ({
  storeIds,
  ...(leadTypeIds && { leadTypeIds }),
  discount,
  validFrom: at,
  ...(validUntil !== undefined && validUntil > at && { validUntil }),
  totalLimit: 1,
});
