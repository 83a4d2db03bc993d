import { z } from 'zod';
import { couponReplaced, discount, invalidCoupon, isDiscountIn } from '../coupons/coupon.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, type Secret } from '../kernel/events.ts';
import { id, storeText, timeZone } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { addDays } from '../kernel/instants.ts';
import { processOnly, type RightsOf, support } from '../kernel/rights.ts';
import { buyer, signedInBuyer } from '../orders/buyer.ts';
import { type PromisedOrder, promisedOrder } from '../orders/order.ts';
import { type ExpectedTotal, refuseOtherTotal } from '../orders/total.ts';
import { customerErased } from '../persons/erasures.ts';
import { type CheckoutQuote, checkoutQuote, discounted, orderOf, saysTheSame } from './quote.ts';

/** A customer's checkout, from the first step until the order is placed or the checkout abandoned (CHK). */
export const checkoutStream = (checkoutId: string) => `checkout-${checkoutId}` as const;

/** A checkout has one order, however often it is placed. */
export const orderIdOf = (checkoutId: string): string => deriveId('order of checkout', checkoutId);

/** A checkout that is not finished after this time is abandoned. */
const DAYS_A_CHECKOUT_IS_KEPT = 1;

const wishes = {
  customerId: id,
  storeId: id,
  leadTypeId: id,
  quantity: z.int().positive(),
  dailyMaximum: z.union([z.strictObject({ leads: z.int() }), z.strictObject({ percent: z.number() })]).optional(),
  timeZone,
  loyalty: z.object({ cadence: storeText }).optional(),
  /** ACC-7: whoever orders said only the address of the customer. */
  withoutSignIn: z.literal(true).optional(),
};

export const checkoutEvents = {
  CheckoutStarted: fact({ ...wishes, giveUpAt: instant }),
  /** CHK-5: what is shown from now on. It holds until the checkout is placed or abandoned, or is quoted again. */
  CheckoutQuoted: fact(checkoutQuote.shape),
  CheckoutCouponTaken: fact({ code: storeText, discount }),
  /** Support gave another code in place of this one, which does not count here any more (CPN-4). */
  CheckoutCouponReplaced: fact({ code: storeText, by: storeText }),
  /** Closes the checkout, so that nothing changes it any more. Its order follows. */
  CheckoutPlaced: fact({
    orderId: id,
    order: promisedOrder.optional().describe('What the order will be. Absent: the order was there before.'),
  }),
  /** `cause`: absent where its time ran out. */
  CheckoutAbandoned: fact({ cause: z.literal(customerErased).optional() }),
};
export type CheckoutEvent = EventsOf<typeof checkoutEvents>;

type DataOf<Type extends CheckoutEvent['type']> = Extract<CheckoutEvent, { type: Type }>['data'];
type CheckoutWishes = Omit<DataOf<'CheckoutStarted'>, 'at' | 'giveUpAt'>;

type CheckoutCommand =
  | ({ type: 'StartCheckout'; at: Instant; quote: CheckoutQuote } & CheckoutWishes)
  /** The customer wishes something else, or wants to see the terms of this moment. */
  | { type: 'QuoteCheckout'; at: Instant; quote: CheckoutQuote }
  /** `quote`: for a checkout that an older version started, which showed none. */
  | { type: 'TakeCoupon'; at: Instant; code: string; discount: z.infer<typeof discount>; quote?: CheckoutQuote }
  | { type: 'ReplaceTakenCoupon'; at: Instant; code: string; by: string; formerly?: string }
  /** `quote`: counts only for a checkout that has none. The checkout adds its coupon itself, so that no step comes between. */
  | ({
      type: 'PlaceCheckout';
      at: Instant;
      orderId: string;
      paymentToken: Secret;
      quote: CheckoutQuote;
    } & ExpectedTotal)
  /** For an order that an older version placed before it closed the checkout. */
  | { type: 'RecordPlaced'; at: Instant; orderId: string }
  | { type: 'AbandonCheckout'; at: Instant; cause?: typeof customerErased };

export const customerOfCheckout = ({ wishes }: CheckoutState): string | undefined => wishes?.customerId;

const itsBuyer = buyer<unknown, CheckoutState>(({ state }) => state.wishes);

type CustomerInCommand = Pick<CheckoutWishes, 'customerId' | 'withoutSignIn'>;

/** Who may ask for which command. */
export const checkoutRights = {
  StartCheckout: buyer<CustomerInCommand, CheckoutState>(({ command }) => command),
  QuoteCheckout: itsBuyer,
  TakeCoupon: signedInBuyer<unknown, CheckoutState>(({ state }) => state.wishes),
  ReplaceTakenCoupon: support('CPN-4'),
  PlaceCheckout: itsBuyer,
  RecordPlaced: processOnly,
  AbandonCheckout: processOnly,
} satisfies RightsOf<CheckoutCommand, CheckoutState>;

export const checkoutStatuses = ['started', 'placed', 'abandoned'] as const;
type CheckoutStatus = (typeof checkoutStatuses)[number];

export interface CheckoutState {
  readonly status: CheckoutStatus | 'unknown';
  readonly wishes: CheckoutWishes | undefined;
  readonly giveUpAt: Instant;
  readonly coupon: Omit<DataOf<'CheckoutCouponTaken'>, 'at'> | undefined;
  /** The only code that it may take, after support replaced another one. */
  readonly alternative: string | undefined;
  /** What it shows, and since when (CHK-5). Undefined where an older version started it. */
  readonly quote: DataOf<'CheckoutQuoted'> | undefined;
  /** Of a placed checkout: its order. Undefined where an older version placed it. */
  readonly order: PromisedOrder | undefined;
}

export const checkout: Decider<CheckoutState, CheckoutCommand, CheckoutEvent> = {
  initialState: () => ({
    status: 'unknown',
    wishes: undefined,
    giveUpAt: '',
    coupon: undefined,
    alternative: undefined,
    quote: undefined,
    order: undefined,
  }),

  decide(command, state): Decision<CheckoutEvent> {
    const { at } = command;
    if (command.type === 'StartCheckout') return start(command, state);
    if (state.status === 'unknown') return refuse('checkout-unknown', 'there is no such checkout', 'CHK-1');
    switch (command.type) {
      case 'QuoteCheckout':
        return quoteAgain(command, asOf(state, at));
      case 'TakeCoupon':
        return takeCoupon(command, state);
      case 'ReplaceTakenCoupon':
        return replaceTakenCoupon(command, state);
      case 'PlaceCheckout':
        return place(command, asOf(state, at));
      case 'RecordPlaced':
        // Also for a checkout that was just abandoned: the order exists.
        return state.status === 'placed' ? [] : [{ type: 'CheckoutPlaced', data: { at, orderId: command.orderId } }];
      case 'AbandonCheckout':
        return state.status === 'started' ? [abandoned(command)] : [];
      default:
        return undecided(command);
    }
  },

  evolve(state, event): CheckoutState {
    switch (event.type) {
      case 'CheckoutStarted': {
        const { at: _, giveUpAt, ...wishes } = event.data;
        return { ...state, status: 'started', wishes, giveUpAt };
      }
      case 'CheckoutQuoted':
        return { ...state, quote: event.data };
      case 'CheckoutCouponTaken':
        return { ...state, coupon: { code: event.data.code, discount: event.data.discount } };
      case 'CheckoutCouponReplaced': {
        const { code, by } = event.data;
        return { ...state, alternative: by, coupon: state.coupon?.code === code ? undefined : state.coupon };
      }
      case 'CheckoutPlaced':
        return { ...state, status: 'placed', order: event.data.order };
      case 'CheckoutAbandoned':
        return { ...state, status: 'abandoned' };
    }
  },
};

/** Its time may be over before the process that abandons it has run: a machine slept, or no worker is there. */
const asOf = (state: CheckoutState, at: Instant): CheckoutState =>
  state.status === 'started' && at >= state.giveUpAt ? { ...state, status: 'abandoned' } : state;

type Command<Type extends CheckoutCommand['type']> = Extract<CheckoutCommand, { type: Type }>;

const quoted = (at: Instant, quote: CheckoutQuote): CheckoutEvent => ({
  type: 'CheckoutQuoted',
  data: { ...quote, at },
});

function start({ type: _, quote, ...data }: Command<'StartCheckout'>, { status }: CheckoutState) {
  if (status !== 'unknown') return [];
  const giveUpAt = addDays(data.at, DAYS_A_CHECKOUT_IS_KEPT);
  return [{ type: 'CheckoutStarted' as const, data: { ...data, giveUpAt } }, quoted(data.at, quote)];
}

function quoteAgain(
  { at, quote: offered }: Command<'QuoteCheckout'>,
  { status, coupon, quote: present }: CheckoutState,
): Decision<CheckoutEvent> {
  if (status !== 'started') return refuseIn(status);
  if (coupon && !isDiscountIn(coupon.discount, offered.currency)) return invalidCoupon('not-this-store');
  const quote = discounted(offered, coupon);
  return saysTheSame(quote, present) ? [] : [quoted(at, quote)];
}

/** The discount is that of the price shown, whatever the price is now. */
function takeCoupon(
  { at, code, discount, quote: offered }: Command<'TakeCoupon'>,
  state: CheckoutState,
): Decision<CheckoutEvent> {
  if (state.coupon?.code === code) return [];
  const refusal = refuseCoupon(state, code);
  if (refusal) return refusal;
  const shown = state.quote ?? offered;
  return [
    { type: 'CheckoutCouponTaken', data: { at, code, discount } },
    ...(shown ? [quoted(at, discounted(shown, { code, discount }))] : []),
  ];
}

const abandoned = ({ at, cause }: Command<'AbandonCheckout'>): CheckoutEvent => ({
  type: 'CheckoutAbandoned',
  data: { at, ...(cause && { cause }) },
});

/**
 * Also of a code that is being tried and not taken yet: it must not be taken any more. Of several that are given at once,
 * the first one counts. `formerly`: the code that was named before, and was not given.
 */
function replaceTakenCoupon(
  { at, code, by, formerly }: Command<'ReplaceTakenCoupon'>,
  { status, coupon, alternative, quote }: CheckoutState,
): Decision<CheckoutEvent> {
  if (status === 'placed' && coupon?.code === code) return refuseIn(status);
  if (status !== 'started' || alternative === by) return [];
  if (alternative !== undefined && alternative !== code && alternative !== formerly) return couponReplaced(alternative);
  const withoutIt = quote && coupon?.code === code ? [quoted(at, discounted(quote, undefined))] : [];
  return [{ type: 'CheckoutCouponReplaced', data: { at, code, by } }, ...withoutIt];
}

/** CHK-5: the order is what was shown. */
function place(
  { at, orderId, paymentToken, quote: offered, ...expected }: Command<'PlaceCheckout'>,
  { status, coupon, wishes, quote: shown }: CheckoutState,
): Decision<CheckoutEvent> {
  if (status === 'placed') return [];
  if (status === 'abandoned' || !wishes) return refuseIn(status);
  const { at: _, ...quote } = shown ?? { at, ...discounted(offered, coupon) };
  const otherTotal = refuseOtherTotal(quote, expected);
  if (otherTotal) return otherTotal;
  const order = orderOf(quote, { ...wishes, paymentToken });
  return [...(shown ? [] : [quoted(at, quote)]), { type: 'CheckoutPlaced', data: { at, orderId, order } }];
}

/**
 * CHK-1: at most one coupon. Checked before the code is tried, too. A refusal is final: what the checkout refuses once, it
 * never takes later, so a code that was tried for it may be returned to its customer.
 */
export function refuseCoupon({ status, coupon, alternative }: CheckoutState, code: string) {
  if (status !== 'started') return refuseIn(status);
  if (coupon) return refuse('one-coupon-only', 'this checkout already has a coupon', 'CHK-1');
  if (alternative === undefined || alternative === code) return undefined;
  return refuse('one-coupon-only', `this checkout takes no other code than ${JSON.stringify(alternative)}`, 'CPN-4');
}

export const refuseIn = (status: CheckoutState['status']) =>
  refuse(`checkout-${status}`, `the checkout is ${status === 'placed' ? 'finished' : status}`, 'CHK-1');
