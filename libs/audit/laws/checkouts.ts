import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

type CheckoutLaw = 'checkoutNotKept' | 'quoteNotKept';

interface Price {
  readonly pricePerLeadCents: number;
  readonly totalCents: number;
}

interface Checkout {
  /** As it was started, and as it was quoted last. */
  quantity: number;
  /** What was shown last (CHK-5). */
  quote: RawEvent['data'] | undefined;
  coupon: { readonly code: string; readonly discount: Discount } | undefined;
  /** What the checkout promised when it was placed, and what its order says. */
  promised: Price | undefined;
  order: Price | undefined;
  /** Its end, while there is no order. */
  unkept: { readonly at: number; readonly event: RawEvent } | undefined;
}

type Discount = { readonly percent: number } | { readonly amountCents: number };

/**
 * Checks that the order of a checkout has the total that the checkout had, that it exists, and that it is what was shown,
 * in its terms and in the money that is captured. It computes the discount with its own code.
 */
export class CheckoutCheck {
  readonly #checkouts = new Map<string, Checkout>();
  /** Order → the quote that it was placed for. */
  readonly #quotes = new Map<string, RawEvent['data']>();

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take(event: RawEvent): readonly CheckoutLaw[] {
    const at = Date.parse(event.data.at);
    const { id, type, data } = event;
    switch (type) {
      case 'CheckoutStarted':
        this.#start(id, data.quantity);
        return [];
      case 'CheckoutQuoted':
        return this.#quote(id, data);
      case 'CheckoutCouponTaken':
        return this.#change(id, (checkout) => {
          checkout.coupon = { code: data.code, discount: data.discount };
        });
      case 'CheckoutCouponReplaced':
        return this.#change(id, (checkout) => {
          if (checkout.coupon?.code === data.code) checkout.coupon = undefined;
        });
      case 'CheckoutPlaced':
        return this.#change(id, (checkout) => {
          checkout.promised = data.order;
          if (!checkout.order) checkout.unkept = { at, event };
        });
      case 'OrderPlaced':
        return data.checkoutId === undefined ? [] : this.#judgeOrder(id, data);
      case 'PaymentCaptured':
        return chargesOf(data, this.#quotes.get(id));
      default:
        return [];
    }
  }

  /** Call it at the end of the log. @returns the ends of checkouts that have no order a day later, by the log's own clock */
  withoutOrder(now: number): readonly RawEvent[] {
    return [...this.#checkouts.values()].flatMap(({ unkept }) =>
      unkept && unkept.at <= now - DAY ? [unkept.event] : [],
    );
  }

  #start(id: string, quantity: number): void {
    const nothing = { quote: undefined, coupon: undefined, promised: undefined, order: undefined, unkept: undefined };
    this.#checkouts.set(id, { quantity, ...nothing });
  }

  /** A quote after the order, or of no checkout, has nothing to hold for. Its total is computed again. */
  #quote(id: string, quote: RawEvent['data']): readonly CheckoutLaw[] {
    const checkout = this.#checkouts.get(id);
    if (!checkout || checkout.promised || checkout.order) return ['quoteNotKept'];
    checkout.quantity = quote.quantity;
    checkout.quote = quote;
    return quote.totalCents === totalOf(quote.quantity, checkout.coupon?.discount, quote) ? [] : ['quoteNotKept'];
  }

  #judgeOrder(orderId: string, order: RawEvent['data']): readonly CheckoutLaw[] {
    const quote = this.#checkouts.get(order.checkoutId)?.quote;
    const broken = this.#change(order.checkoutId, (checkout) => keep(checkout, order));
    if (!quote) return broken;
    this.#quotes.set(orderId, quote);
    return shown.every((field) => saysTheSame(order[field], quote[field])) ? broken : [...broken, 'quoteNotKept'];
  }

  #change(id: string, change: (checkout: Checkout) => void): readonly CheckoutLaw[] {
    const checkout = this.#checkouts.get(id);
    if (!checkout) return ['checkoutNotKept'];
    change(checkout);
    return agrees(checkout) ? [] : ['checkoutNotKept'];
  }
}

/** What a quote and its order both say. */
const shown = [
  ...['quantity', 'pricePerLeadCents', 'totalCents', 'currency', 'coupon', 'bonusLeads', 'dailyMaximum', 'timeZone'],
  ...['statementDescriptor', 'policyVersion', 'loyalty', 'renewalsCountedFrom'],
];

/** Both were written from one value, so their members stand in one order. */
const saysTheSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const chargesOf = (
  { amountCents, currency }: RawEvent['data'],
  quote: RawEvent['data'] | undefined,
): readonly CheckoutLaw[] =>
  !quote || (amountCents === quote.totalCents && currency === quote.currency) ? [] : ['quoteNotKept'];

function keep(checkout: Checkout, order: Price): void {
  checkout.order = order;
  checkout.unkept = undefined;
}

function agrees({ quantity, coupon, promised, order }: Checkout): boolean {
  if (promised && order && promised.totalCents !== order.totalCents) return false;
  return [promised, order].every((price) => !price || price.totalCents === totalOf(quantity, coupon?.discount, price));
}

function totalOf(quantity: number, discount: Discount | undefined, { pricePerLeadCents }: Price): number {
  const full = quantity * pricePerLeadCents;
  if (!discount) return full;
  return full - Math.min(full, 'percent' in discount ? shareOf(full, discount.percent) : discount.amountCents);
}

/** Rounded down. Floating point makes 122.99999999999999 of 8.2 % of 1500. */
const shareOf = (cents: number, percent: number): number => Math.floor(Math.round(cents * percent * 1e6) / 1e8);
