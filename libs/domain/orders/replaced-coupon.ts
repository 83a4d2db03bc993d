import { couponReplaced } from '../coupons/coupon.ts';
import { type Decision, type Refusal, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id, storeText } from '../kernel/fields.ts';
import { type RightsOf, support } from '../kernel/rights.ts';

/** What happens to the coupon of an order that was not placed, or not yet. */
export const replacedCouponEvents = {
  /** Support gave another code in place of this one (CPN-4). This order is not placed with it any more. */
  OrderCouponReplaced: fact({ customerId: id, code: storeText, by: storeText }),
};
type ReplacedCouponEvent = EventsOf<typeof replacedCouponEvents>;

/** `formerly`: the code that was named before, and was not given. */
export interface ReplacedCouponCommand {
  type: 'ReplaceOrderCoupon';
  at: Instant;
  customerId: string;
  code: string;
  by: string;
  formerly?: string;
}

export const replacedCouponRights = {
  ReplaceOrderCoupon: support('CPN-4'),
} satisfies RightsOf<ReplacedCouponCommand, unknown>;

export interface ReplacedCouponState {
  /** Code → the code that the customer has instead. */
  readonly replacedCoupons: Map<string, string>;
}

export const noReplacedCoupons = (): ReplacedCouponState => ({ replacedCoupons: new Map() });

interface Discounted {
  readonly terms: { readonly coupon?: { readonly code: string } | undefined } | undefined;
  readonly paidInTime: boolean;
}

/** Whether the order has the discount of a code, or will have it. A late payment does not count: it is given back. */
export const hasDiscount = ({ terms, paidInTime }: Discounted, code: string, over: boolean): boolean =>
  terms?.coupon?.code === code && (paidInTime || !over);

export const discountTaken = refuse(
  'coupon-discount-taken',
  'an order of the customer has the discount of this code, or is about to have it',
  'CPN-4',
);

/** Whoever is first, decides: the order that has the discount, or the other code. */
export function replaceOrderCoupon(
  { type: _, formerly, ...data }: ReplacedCouponCommand,
  { replacedCoupons, ...state }: ReplacedCouponState & Discounted,
  over: boolean,
): Decision<ReplacedCouponEvent> {
  if (hasDiscount(state, data.code, over)) return discountTaken;
  if (state.terms) return [];
  const present = replacedCoupons.get(data.code);
  if (present === data.by) return [];
  if (present !== undefined && present !== formerly) return couponReplaced(present);
  return [{ type: 'OrderCouponReplaced', data }];
}

export function refuseReplacedCoupon(
  { coupon }: { readonly coupon?: { readonly code: string } | undefined },
  { replacedCoupons }: ReplacedCouponState,
): Refusal | undefined {
  const by = coupon && replacedCoupons.get(coupon.code);
  return by === undefined ? undefined : couponReplaced(by);
}
