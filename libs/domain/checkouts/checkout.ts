import { z } from 'zod';
import { discount } from '../coupons/coupon.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id, storeText, timeZone } from '../kernel/fields.ts';
import { addDays } from '../kernel/instants.ts';
import { customerInCommand, ownerOrStaff, processOnly, type RightsOf } from '../kernel/rights.ts';

/** A customer's checkout, from the first step until the order is placed or the checkout abandoned (CHK). */
export const checkoutStream = (checkoutId: string) => `checkout-${checkoutId}` as const;

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
  CheckoutPlaced: fact({ orderId: id }),
  CheckoutAbandoned: fact({}),
};
export type CheckoutEvent = EventsOf<typeof checkoutEvents>;

type DataOf<Type extends CheckoutEvent['type']> = Extract<CheckoutEvent, { type: Type }>['data'];
type CheckoutWishes = Omit<DataOf<'CheckoutStarted'>, 'at' | 'giveUpAt'>;

type CheckoutCommand =
  | ({ type: 'StartCheckout'; at: Instant } & CheckoutWishes)
  | { type: 'TakeCoupon'; at: Instant; code: string; discount: z.infer<typeof discount> }
  | { type: 'RecordPlaced'; at: Instant; orderId: string }
  | { type: 'AbandonCheckout'; at: Instant };

export const customerOfCheckout = ({ wishes }: CheckoutState): string | undefined => wishes?.customerId;

/** Who may ask for which command. */
export const checkoutRights = {
  StartCheckout: ownerOrStaff(customerInCommand, 'CHK-1'),
  TakeCoupon: ownerOrStaff<unknown, CheckoutState>(({ state }) => customerOfCheckout(state), 'CHK-1'),
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
}

export const checkout: Decider<CheckoutState, CheckoutCommand, CheckoutEvent> = {
  initialState: () => ({ status: 'unknown', wishes: undefined, giveUpAt: '', coupon: undefined }),

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
          refuseCoupon(state) ?? [
            { type: 'CheckoutCouponTaken', data: { at, code: command.code, discount: command.discount } },
          ]
        );
      case 'RecordPlaced':
        // Also for a checkout that was just abandoned: the order exists.
        return state.status === 'placed' ? [] : [{ type: 'CheckoutPlaced', data: { at, orderId: command.orderId } }];
      case 'AbandonCheckout':
        return state.status === 'started' ? [{ type: 'CheckoutAbandoned', data: { at } }] : [];
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
      case 'CheckoutPlaced':
        return { ...state, status: 'placed' };
      case 'CheckoutAbandoned':
        return { ...state, status: 'abandoned' };
    }
  },
};

/** CHK-1: at most one coupon. Checked before the code is tried, so that no code is used up without effect. */
export function refuseCoupon({ status, coupon }: CheckoutState) {
  if (status !== 'started') return refuseIn(status);
  return coupon ? refuse('one-coupon-only', 'this checkout already has a coupon', 'CHK-1') : undefined;
}

export const refuseIn = (status: CheckoutState['status']) =>
  refuse(`checkout-${status}`, `the checkout is ${status === 'placed' ? 'finished' : status}`, 'CHK-1');
