import { refuse } from '../kernel/decider.ts';
import { type Asked, described, ownerOrSupportWithoutReason, type Rule } from '../kernel/rights.ts';

/** For whom an order or a checkout is. */
interface Buyer {
  readonly customerId: string;
  /** ACC-7: whoever orders said only the address of the customer. */
  readonly withoutSignIn?: true | undefined;
}

type BuyerIn<Command, State> = (asked: Asked<Command, State>) => Buyer | undefined;

/** What a customer does before there is an order, signed in or not. */
export function buyer<Command, State>(buyerIn: BuyerIn<Command, State>): Rule<Command, State> {
  const owner = ownerOrSupportWithoutReason<Command, State>((asked) => buyerIn(asked)?.customerId, 'CHK-1');
  return described(
    `${owner.who}; anyone who orders with an address, without sign-in`,
    (asked: Asked<Command, State>) => (buyerIn(asked)?.withoutSignIn ? undefined : owner(asked)),
    'ACC-7',
  );
}

/** A code is used up for the customer (CPN-2), and whether it was, is told to nobody else. */
export function signedInBuyer<Command, State>(buyerIn: BuyerIn<Command, State>): Rule<Command, State> {
  const owner = ownerOrSupportWithoutReason<Command, State>((asked) => buyerIn(asked)?.customerId, 'CHK-1');
  return described(
    `${owner.who}; without sign-in, only its customer`,
    (asked: Asked<Command, State>) => {
      const { withoutSignIn, customerId } = buyerIn(asked) ?? {};
      const isCustomer = asked.caller.actor === `customer:${customerId}` && asked.caller.roles.includes('customer');
      return withoutSignIn && !isCustomer ? couponNeedsSignIn : owner(asked);
    },
    'ACC-7',
  );
}

export const couponNeedsSignIn = refuse(
  'coupon-needs-sign-in',
  'a coupon is used up for its customer: sign in to use one',
  'ACC-7',
);
