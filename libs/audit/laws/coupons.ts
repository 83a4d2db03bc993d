import type { RawEvent } from './raw-log.ts';

type CouponLaw = 'couponGivenAgain' | 'couponInOtherCurrency';

/**
 * Checks that a customer has another code only in place of one whose discount no paid order has, one code for each, and that
 * an amount is taken off prices in its currency only. Shares no code with the deciders.
 */
export class CouponCheck {
  /** Code → the currency of its amount. */
  readonly #currencies = new Map<string, string>();
  /** Customer and code: a code was given in its place, it ended, or a paid order has its discount. */
  readonly #given = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #taken = new Set<string>();
  /** Order → customer and code, until it is paid. */
  readonly #unpaid = new Map<string, string>();

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take({ id, type, data }: RawEvent): readonly CouponLaw[] {
    switch (type) {
      case 'CouponDefined':
        this.#define(data);
        return [];
      case 'AlternativeCouponGiven':
        this.#define(data);
        return isNew(this.#given, keyOf(data.customerId, data.insteadOf)) ? [] : ['couponGivenAgain'];
      case 'CouponReplaced':
        return this.#end(keyOf(data.customerId, data.code));
      case 'OrderPlaced':
        return data.coupon ? this.#place(id, data) : [];
      case 'PaymentCaptured':
        return this.#pay(id);
      default:
        return [];
    }
  }

  #define({ code, discount }: RawEvent['data']): void {
    if (discount?.currency !== undefined) this.#currencies.set(code, discount.currency);
  }

  #end(key: string): readonly CouponLaw[] {
    this.#ended.add(key);
    return this.#taken.has(key) ? ['couponGivenAgain'] : [];
  }

  #place(orderId: string, { customerId, coupon, currency }: RawEvent['data']): readonly CouponLaw[] {
    this.#unpaid.set(orderId, keyOf(customerId, coupon.code));
    const ofCoupon = this.#currencies.get(coupon.code);
    return ofCoupon === undefined || ofCoupon === currency ? [] : ['couponInOtherCurrency'];
  }

  #pay(orderId: string): readonly CouponLaw[] {
    const key = this.#unpaid.get(orderId);
    if (key === undefined) return [];
    this.#unpaid.delete(orderId);
    this.#taken.add(key);
    return this.#ended.has(key) ? ['couponGivenAgain'] : [];
  }
}

const keyOf = (customerId: string, code: string): string => `${customerId} ${code}`;

function isNew(seen: Set<string>, key: string): boolean {
  const before = seen.size;
  return seen.add(key).size > before;
}
