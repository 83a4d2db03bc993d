import { catalogueStream, unknownLeadType, unknownStore } from '#domain/catalogue/catalogue';
import { checkoutStream, orderIdOf } from '#domain/checkouts/checkout';
import {
  type CouponDefinition,
  type CouponState,
  coupon,
  couponIdOf,
  couponNotUsed,
  couponReplaced,
  couponStream,
  type Discount,
  invalidCoupon,
  tryOf,
} from '#domain/coupons/coupon';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { AnyCommand, CommandOf } from '#domain/ledger';
import { isOver, orderStream } from '#domain/orders/order';
import { isErased } from './address-claim.ts';
import { customerErased } from './erased-customers.ts';
import { asRows, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

interface AlternativeCouponRequest {
  /** The code that the customer has used. */
  readonly insteadOf: string;
  readonly customerId: string;
  readonly code: string;
}

/** Coupons (CPN). A checkout or an order tries one: {@link tryCoupon}. */
export const couponRequests = (tools: RequestTools) => ({
  define: (coupon: CouponDefinition, context: RequestContext) =>
    define(tools, { type: 'DefineCoupon', at: tools.now(), ...coupon }, context),
  giveAlternative: (request: AlternativeCouponRequest, context: RequestContext) =>
    giveAlternative(tools, request, context),
  setRetired: (couponId: string, isRetired: boolean, context: RequestContext) =>
    setRetired(tools, couponId, isRetired, context),
});

/** CAT-5. A code may have any character, so a path has the id of the coupon; the answer names the code. */
async function setRetired(
  tools: RequestTools,
  couponId: string,
  isRetired: boolean,
  context: RequestContext,
): Promise<Receipt> {
  const stream = `coupon-${couponId}` as const;
  const { defined } = await tools.stateOf<'coupon'>(stream);
  const command = { type: isRetired ? 'RetireCoupon' : 'ReopenCoupon', at: tools.now() } as const;
  return tools.send(defined?.code ?? couponId, stream, command, context);
}

type DefiningCommand = Extract<CommandOf<'coupon'>, CouponDefinition>;

async function define(tools: RequestTools, command: DefiningCommand, context: RequestContext): Promise<Receipt> {
  const { code, storeIds, leadTypeIds } = command;
  const { stores, leadTypes } = await tools.stateOf<'catalogue'>(catalogueStream);
  const store = storeIds.find((storeId) => !stores.has(storeId));
  const leadType = leadTypeIds?.find((leadTypeId) => !leadTypes.has(leadTypeId));
  const refusal = store === undefined ? leadType !== undefined && unknownLeadType(leadType) : unknownStore(store);
  return tools.send(couponIdOf(code), couponStream(code), refusal || command, context);
}

/**
 * CPN-4. What is left out is copied from the code that the new one replaces. First the old code stops counting, in its
 * checkout and for the customer; so at no moment both give a discount. A repeat finishes what a crash left.
 */
async function giveAlternative(
  tools: RequestTools,
  { insteadOf, customerId, code }: AlternativeCouponRequest,
  context: RequestContext,
): Promise<Receipt> {
  const [id, stream, at] = [couponIdOf(code), couponStream(code), tools.now()];
  const used = await tools.stateOf<'coupon'>(couponStream(insteadOf));
  const noRight = checkRightEarly(stream, { type: 'GiveAlternativeCoupon' }, used, context);
  if (noRight) return tools.refuse(id, stream, noRight, context);
  if (await isErased(tools, customerId)) return tools.send(id, stream, customerErased, context);
  if (!used.defined) return tools.send(id, stream, couponNotUsed, context);
  const fresh = { ...definitionLike(used.defined, at), code };
  const command = { type: 'GiveAlternativeCoupon', at, customerId, insteadOf, ...fresh } as const;
  const decision = coupon.decide(command, await tools.stateOf<'coupon'>(stream));
  const changes = !isRefusal(decision) && decision.length > 0;
  const refusal = changes ? await endFirstCode(tools, used, { insteadOf, customerId, code }, context) : undefined;
  return refusal ? tools.send(id, stream, refusal, context) : define(tools, command, context);
}

/** The customer's first code gives no discount from here on. @returns why no other code may be given */
async function endFirstCode(
  tools: RequestTools,
  used: CouponState,
  { insteadOf, customerId, code: by }: AlternativeCouponRequest,
  { commandId, caller, reason }: RequestContext,
): Promise<Refusal | undefined> {
  const use = used.uses.get(customerId);
  const replacedBy = used.replaced.get(customerId)?.by ?? by;
  if (replacedBy !== by) return couponReplaced(replacedBy);
  if (!use) return used.replaced.has(customerId) ? undefined : couponNotUsed;
  const { checkoutId } = use;
  const step = async (stream: string, command: AnyCommand) => {
    const context = { caller, commandId: deriveId('end-first-code', commandId, stream), ...(reason && { reason }) };
    const { outcome } = await tools.send(checkoutId, stream, command, context);
    return outcome.kind === 'refused' ? outcome.refusal : undefined;
  };
  const at = tools.now();
  const notReplaced = await step(checkoutStream(checkoutId), { type: 'ReplaceTakenCoupon', at, code: insteadOf, by });
  if (notReplaced && (await countsInOrder(tools, insteadOf, { checkoutId, usedAt: use.at }))) return discountTaken;
  return step(couponStream(insteadOf), { type: 'ReplaceCoupon', at, customerId, checkoutId, by });
}

/** An order that a request places at once needs no longer than this. */
const PLACED_WITHIN_SECONDS = 60;

/** Whether the discount of a code is taken, or may still be: by the order of a checkout, or one placed without a checkout. */
async function countsInOrder(
  tools: RequestTools,
  code: string,
  { checkoutId, usedAt }: { checkoutId: string; usedAt: Instant },
): Promise<boolean> {
  const { status } = await tools.stateOf<'checkout'>(checkoutStream(checkoutId));
  const orderId = status === 'unknown' ? checkoutId : orderIdOf(checkoutId);
  const order = await tools.stateOf<'order'>(orderStream(orderId));
  if (!order.terms) return status !== 'unknown' || tools.now() < addSeconds(usedAt, PLACED_WITHIN_SECONDS);
  return order.terms.coupon?.code === code && (order.paid || !isOver(order));
}

const discountTaken = refuse(
  'coupon-discount-taken',
  'an order of the customer has the discount of this code, or is about to have it',
  'CPN-4',
);

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

interface CouponUse {
  readonly checkoutId: string;
  readonly customerId: string;
}

/** CPN-2: the checkout refused a code that was tried for it, so the attempt does not use the code up. */
export async function returnCoupon(
  tools: RequestTools,
  code: string,
  { checkoutId, customerId }: CouponUse,
  { commandId, caller }: RequestContext,
): Promise<void> {
  const command = { type: 'ReturnCoupon', at: tools.now(), customerId, checkoutId } as const;
  await tools.send(couponIdOf(code), couponStream(code), command, {
    caller,
    commandId: deriveId('return-coupon', commandId),
  });
}

/** CPN-2: the first attempt uses the code for the customer. @returns the discount of the code, or why it is refused */
export async function tryCoupon(
  tools: RequestTools,
  code: string,
  checkout: CouponUse & { storeId: string; leadTypeId: string },
  { commandId, caller, reason }: RequestContext,
): Promise<Discount | Refusal> {
  const { checkoutId, customerId, storeId, leadTypeId } = checkout;
  const stream = couponStream(code);
  // An unknown code gets no stream: any text may be typed.
  if (!(await tools.stateOf<'coupon'>(stream)).defined) return invalidCoupon('unknown');
  const command = { type: 'TryCoupon', at: tools.now(), customerId, checkoutId, storeId, leadTypeId } as const;
  const trial = { caller, commandId: deriveId('try-coupon', commandId), ...(reason !== undefined && { reason }) };
  const { outcome } = await tools.send(couponIdOf(code), stream, command, trial);
  if (outcome.kind === 'refused') return outcome.refusal;
  return tryOf(await tools.stateOf<'coupon'>(stream), customerId, checkoutId);
}

export const couponQueries = ({ rows }: QueryTools) => ({
  list: asRows(rows.definedCoupons.list),
  get: ({ caller }: RequestContext, { couponId }: { couponId: string }) => rows.definedCoupons.find(caller, couponId),
});
