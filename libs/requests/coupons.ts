import { catalogueStream, unknownLeadType, unknownStore } from '#domain/catalogue/catalogue';
import {
  type CouponDefinition,
  couponIdOf,
  couponStream,
  type Discount,
  invalidCoupon,
  tryOf,
} from '#domain/coupons/coupon';
import type { Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import type { CommandOf } from '#domain/ledger';
import { type AlternativeCouponRequest, giveAlternative } from './alternative-coupons.ts';
import { type CouponUsesRequest, listCouponUses } from './coupon-uses.ts';
import { asRows, type QueryTools } from './query-tools.ts';
import { ofStore, type Receipt, type RequestContext, type RequestTools } from './request-tools.ts';

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

type DefiningCommand = Extract<CommandOf<'coupon'>, { type: 'DefineCoupon' }>;

async function define(tools: RequestTools, command: DefiningCommand, context: RequestContext): Promise<Receipt> {
  const { code, storeIds, leadTypeIds } = command;
  const { stores, leadTypes } = await tools.stateOf<'catalogue'>(catalogueStream);
  const store = storeIds.find((storeId) => !stores.has(storeId));
  const leadType = leadTypeIds?.find((leadTypeId) => !leadTypes.has(leadTypeId));
  const refusal = store === undefined ? leadType !== undefined && unknownLeadType(leadType) : unknownStore(store);
  return tools.send(couponIdOf(code), couponStream(code), refusal || command, context);
}

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
  const stream = couponStream(code);
  const store = await ofStore(tools, customerId);
  const command = { type: 'ReturnCoupon', at: tools.now(), customerId, ...store, checkoutId } as const;
  const { revision } = await tools.streams.read<'coupon'>(stream);
  await tools.send(couponIdOf(code), stream, command, {
    caller,
    commandId: deriveId('return-coupon', commandId, String(revision)),
  });
}

/** CPN-2: the first attempt uses the code for the customer. @returns the discount of the code, or why it is refused */
export async function tryCoupon(
  tools: RequestTools,
  code: string,
  checkout: CouponUse & { storeId: string; leadTypeId: string; currency?: string | undefined },
  { commandId, caller, reason }: RequestContext,
): Promise<Discount | Refusal> {
  const { checkoutId, customerId, storeId, leadTypeId, currency } = checkout;
  const stream = couponStream(code);
  // An unknown code gets no stream: any text may be typed.
  if (!(await tools.stateOf<'coupon'>(stream)).defined) return invalidCoupon('unknown');
  // What was refused may be taken later, and the request is repeated with its key: then it is another attempt.
  const { revision } = await tools.streams.read<'coupon'>(stream);
  const tried = { customerId, checkoutId, storeId, leadTypeId, currency };
  const command = { type: 'TryCoupon', at: tools.now(), ...tried } as const;
  const trial = {
    caller,
    commandId: deriveId('try-coupon', commandId, String(revision)),
    ...(reason !== undefined && { reason }),
  };
  const { outcome } = await tools.send(couponIdOf(code), stream, command, trial);
  if (outcome.kind === 'refused') return outcome.refusal;
  return tryOf(await tools.stateOf<'coupon'>(stream), customerId, checkoutId);
}

export const couponQueries = (tools: QueryTools) => ({
  list: asRows(tools.rows.definedCoupons.list),
  get: ({ caller }: RequestContext, { couponId }: { couponId: string }) =>
    tools.rows.definedCoupons.find(caller, couponId),
  listUses: (context: RequestContext, request: CouponUsesRequest) => listCouponUses(tools, context, request),
});
