import { checkoutStream } from '#domain/checkouts/checkout';
import { type FactOf, idOf } from '#domain/codec';
import { couponStream } from '#domain/coupons/coupon';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

/** The request that tries a code also finishes the attempt. After this time that request has failed. */
const FINISH_AFTER_SECONDS = 30;

type Used = FactOf<'CouponUsed'>;

interface Attempts {
  /** Codes that were used for a checkout or an order, until it has them. */
  readonly open: DueList<Used>;
  /** Codes that their checkout refused, until they are returned. */
  readonly returns: Map<string, Used>;
}

/**
 * Finishes attempts to use a coupon where the request that began them did not: the checkout takes the code, or the code is
 * returned to its customer (CPN-2).
 */
export const checkoutCoupons = defineProcess({
  name: 'checkout-coupons',
  eventTypes: ['CouponUsed', 'CouponReturned', 'CouponReplaced', 'CheckoutCouponTaken', 'OrderPlaced'],
  initialState: (): Attempts => ({ open: new DueList(), returns: new Map() }),

  evolve({ open, returns }, fact) {
    const end = (key: string) => {
      open.remove(key);
      returns.delete(key);
    };
    switch (fact.type) {
      case 'CouponUsed':
        open.put(keyOf(fact), fact, addSeconds(fact.data.at, FINISH_AFTER_SECONDS), fact.data.at);
        break;
      case 'CouponReturned':
      case 'CouponReplaced':
        end(keyOf(fact));
        break;
      case 'CheckoutCouponTaken':
        end(attemptKey(idOf(fact.stream), fact.data.code));
        break;
      case 'OrderPlaced':
        if (fact.data.coupon) end(attemptKey(idOf(fact.stream), fact.data.coupon.code));
        break;
    }
  },

  next({ open, returns }, { now }, limit) {
    const returned = takeFrom(returns, limit).map(([, used]) => giveBack(used));
    return [...returned, ...open.take(now, limit - returned.length).map(take)];
  },

  /** An order that was to be placed without a checkout: its request may be repeated, and then it finds its code. */
  refused({ returns }, { because, stream }, { code }) {
    if (because?.type !== 'CouponUsed' || !stream.startsWith('checkout-') || code === 'checkout-unknown') return;
    returns.set(keyOf(because as Used), because as Used);
  },

  wakeAt: ({ open }) => open.nextDueAt(),
});

const attemptKey = (checkoutId: string, code: string): string => `${checkoutId} ${code}`;

const keyOf = ({ data: { checkoutId, code } }: { data: { checkoutId: string; code: string } }): string =>
  attemptKey(checkoutId, code);

const take = (used: Used): CommandWish => ({
  commandId: deriveId('TakeCoupon', used.eventId),
  stream: checkoutStream(used.data.checkoutId),
  command: { type: 'TakeCoupon', code: used.data.code, discount: used.data.discount },
  because: used,
});

const giveBack = (used: Used): CommandWish => ({
  commandId: deriveId('ReturnCoupon', used.eventId),
  stream: couponStream(used.data.code),
  command: { type: 'ReturnCoupon', customerId: used.data.customerId, checkoutId: used.data.checkoutId },
  because: used,
});
