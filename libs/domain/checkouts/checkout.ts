import { z } from 'zod';
import { discount, discountCentsOf } from '../coupons/coupon.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id, storeText, timeZone } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { addDays } from '../kernel/instants.ts';
import { customerInCommand, ownerOrStaff, processOnly, type RightsOf, support } from '../kernel/rights.ts';
import { type PromisedOrder, promisedOrder, totalCentsOf } from '../orders/order.ts';
import { customerErased } from '../persons/erasures.ts';

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
};

export const checkoutEvents = {
  CheckoutStarted: fact({ ...wishes, giveUpAt: instant }),
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
  | ({ type: 'StartCheckout'; at: Instant } & CheckoutWishes)
  | { type: 'TakeCoupon'; at: Instant; code: string; discount: z.infer<typeof discount> }
  | { type: 'ReplaceTakenCoupon'; at: Instant; code: string; by: string }
  /** The checkout adds its coupon: no other step may come between the discount and the order. */
  | { type: 'PlaceCheckout'; at: Instant; orderId: string; order: Omit<PromisedOrder, 'coupon' | 'totalCents'> }
  /** For an order that an older version placed before it closed the checkout. */
  | { type: 'RecordPlaced'; at: Instant; orderId: string }
  | { type: 'AbandonCheckout'; at: Instant; cause?: typeof customerErased };

export const customerOfCheckout = ({ wishes }: CheckoutState): string | undefined => wishes?.customerId;

const owner = ownerOrStaff<unknown, CheckoutState>(({ state }) => customerOfCheckout(state), 'CHK-1');

/** Who may ask for which command. */
export const checkoutRights = {
  StartCheckout: ownerOrStaff(customerInCommand, 'CHK-1'),
  TakeCoupon: owner,
  ReplaceTakenCoupon: support('CPN-4'),
  PlaceCheckout: owner,
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
    order: undefined,
  }),

  decide(command, state): Decision<CheckoutEvent> {
    const { at } = command;
    if (command.type === 'StartCheckout') {
      if (state.status !== 'unknown') return [];
      const { type: _, ...data } = command;
      return [{ type: 'CheckoutStarted', data: { ...data, giveUpAt: addDays(at, DAYS_A_CHECKOUT_IS_KEPT) } }];
    }
    if (state.status === 'unknown') return refuse('checkout-unknown', 'there is no such checkout', 'CHK-1');
    switch (command.type) {
      case 'TakeCoupon':
        if (state.coupon?.code === command.code) return [];
        return (
          refuseCoupon(state, command.code) ?? [
            { type: 'CheckoutCouponTaken', data: { at, code: command.code, discount: command.discount } },
          ]
        );
      case 'ReplaceTakenCoupon':
        return replaceTakenCoupon(command, state);
      case 'PlaceCheckout':
        return place(command, state);
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

type Command<Type extends CheckoutCommand['type']> = Extract<CheckoutCommand, { type: Type }>;

const abandoned = ({ at, cause }: Command<'AbandonCheckout'>): CheckoutEvent => ({
  type: 'CheckoutAbandoned',
  data: { at, ...(cause && { cause }) },
});

/** Also of a code that is being tried and not taken yet: it must not be taken any more. */
function replaceTakenCoupon(
  { at, code, by }: Command<'ReplaceTakenCoupon'>,
  { status, coupon, alternative }: CheckoutState,
): Decision<CheckoutEvent> {
  if (status === 'placed' && coupon?.code === code) return refuseIn(status);
  if (status !== 'started' || alternative === by) return [];
  return [{ type: 'CheckoutCouponReplaced', data: { at, code, by } }];
}

function place(
  { at, orderId, order }: Command<'PlaceCheckout'>,
  { status, coupon }: CheckoutState,
): Decision<CheckoutEvent> {
  if (status === 'placed') return [];
  if (status === 'abandoned') return refuseIn(status);
  return [{ type: 'CheckoutPlaced', data: { at, orderId, order: withCoupon(order, coupon) } }];
}

function withCoupon(order: Command<'PlaceCheckout'>['order'], coupon: CheckoutState['coupon']): PromisedOrder {
  const { quantity, pricePerLeadCents } = order;
  const discounted = coupon && {
    coupon: { code: coupon.code, discountCents: discountCentsOf(coupon.discount, quantity * pricePerLeadCents) },
  };
  return { ...order, ...discounted, totalCents: totalCentsOf({ quantity, pricePerLeadCents, ...discounted }) };
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
