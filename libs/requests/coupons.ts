import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import {
  type CouponDefinition,
  type CouponState,
  couponIdOf,
  couponStream,
  type Discount,
  invalidCoupon,
  tryOf,
} from '#domain/coupons/coupon';
import { type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { type QueryTools, sameForAll } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { unknownLeadType } from './terms-of-business.ts';

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
});

type DefiningCommand = Extract<CommandOf<'coupon'>, CouponDefinition>;

async function define(tools: RequestTools, command: DefiningCommand, context: RequestContext): Promise<Receipt> {
  const { code, storeIds, leadTypeIds } = command;
  const { stores, leadTypes } = await tools.stateOf<'catalogue'>(catalogueStream);
  const store = storeIds.find((storeId) => !stores.has(storeId));
  const leadType = leadTypeIds?.find((leadTypeId) => !leadTypes.has(leadTypeId));
  const refusal = store === undefined ? leadType !== undefined && unknownLeadType(leadType) : unknownStore(store);
  return tools.send(couponIdOf(code), couponStream(code), refusal || command, context);
}

/** CPN-4. What is left out is copied from the code that the new one replaces. */
async function giveAlternative(
  tools: RequestTools,
  { insteadOf, customerId, code }: AlternativeCouponRequest,
  context: RequestContext,
): Promise<Receipt> {
  const [id, stream, at] = [couponIdOf(code), couponStream(code), tools.now()];
  const used = await tools.stateOf<'coupon'>(couponStream(insteadOf));
  const noRight = checkRightEarly(stream, { type: 'GiveAlternativeCoupon' }, used, context);
  if (noRight) return tools.refuse(id, stream, noRight, context);
  if (!used.uses.has(customerId)) return tools.send(id, stream, notUsed(insteadOf), context);
  if (!used.defined) return tools.send(id, stream, invalidCoupon('unknown'), context);
  const fresh = { ...definitionLike(used.defined, at), code };
  return define(tools, { type: 'GiveAlternativeCoupon', at, customerId, insteadOf, ...fresh }, context);
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

const notUsed = (code: string): Refusal =>
  refuse('coupon-not-used', `the customer did not use ${JSON.stringify(code)} up`, 'CPN-4');

/** CPN-2: the first attempt uses the code for the customer. @returns the discount of the code, or why it is refused */
export async function tryCoupon(
  tools: RequestTools,
  code: string,
  checkout: { checkoutId: string; customerId: string; storeId: string; leadTypeId: string },
  { commandId, caller, reason }: RequestContext,
): Promise<Discount | Refusal> {
  const { checkoutId, customerId, storeId, leadTypeId } = checkout;
  const stream = couponStream(code);
  // An unknown code gets no stream: any text may be typed.
  if (!(await tools.stateOf<'coupon'>(stream)).defined) return invalidCoupon('unknown');
  const command = { type: 'TryCoupon', at: tools.now(), customerId, checkoutId, storeId, leadTypeId } as const;
  const trial = { caller, commandId: deriveId('try-coupon', commandId), ...(reason !== undefined && { reason }) };
  await tools.send(couponIdOf(code), stream, command, trial);
  return tryOf(await tools.stateOf<'coupon'>(stream), customerId, checkoutId);
}

export const couponQueries = ({ stateOf }: QueryTools) => ({
  /** A coupon by its code, with the number of customers who used it. For an alternative code also its customer. */
  get: sameForAll(async ({ code }: { code: string }) => {
    const { defined, customerId, uses } = await stateOf<'coupon'>(couponStream(code));
    return defined && { ...defined, uses: uses.size, ...(customerId && { customerId }) };
  }),
});
