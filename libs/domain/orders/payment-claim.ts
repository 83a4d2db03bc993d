import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';

/**
 * Which order, or renewal, staff found a payment of the provider to be of. The provider's name of the payment makes the name of the
 * stream: it is the lock that prevents that one payment is recorded, and given back, as two (CHK-6).
 */
export const paymentClaimStream = (reference: string) => `payment-${deriveId('payment', reference)}` as const;

export const paymentClaimEvents = {
  /** Recorded before what the staff found, so that two of them cannot record it at once. */
  PaymentClaimed: fact({
    reference: id.describe('The payment, as the provider names it.'),
    orderId: id,
    renewalNumber: count.describe('Which payment of the order; 0 is the first one.'),
  }),
};
type PaymentClaimEvent = EventsOf<typeof paymentClaimEvents>;

/** A payment of an order: 0 is the first one, others have the number of their renewal. */
export interface PaymentOfOrder {
  readonly orderId: string;
  readonly renewalNumber: number;
}

export type PaymentClaimCommand = {
  type: 'ClaimPayment';
  at: Instant;
  reference: string;
  /** The claim that was read, and is void: its payment was recorded under another name. */
  from?: PaymentOfOrder;
} & PaymentOfOrder;

// A step of the request that records what staff found, which checks their right first. No route leads here.
export const paymentClaimRights = { ClaimPayment: anyone } satisfies RightsOf<PaymentClaimCommand, PaymentClaimState>;

interface PaymentClaimState {
  readonly claim?: PaymentOfOrder;
}

export const paymentClaim: Decider<PaymentClaimState, PaymentClaimCommand, PaymentClaimEvent> = {
  initialState: () => ({}),

  decide({ at, reference, orderId, renewalNumber, from }, { claim }): Decision<PaymentClaimEvent> {
    const payment = { orderId, renewalNumber };
    if (claim && isSamePayment(claim, payment)) return [];
    if (claim && !(from && isSamePayment(claim, from))) return paymentOfAnother(reference, claim);
    return [{ type: 'PaymentClaimed', data: { at, reference, ...payment } }];
  },

  evolve: (_, { data: { orderId, renewalNumber } }) => ({ claim: { orderId, renewalNumber } }),
};

export const isSamePayment = (one: PaymentOfOrder, other: PaymentOfOrder): boolean =>
  one.orderId === other.orderId && one.renewalNumber === other.renewalNumber;

export function paymentOfAnother(reference: string, { orderId, renewalNumber }: PaymentOfOrder) {
  const which = renewalNumber === 0 ? 'the first payment' : `renewal ${renewalNumber}`;
  return refuse('payment-of-another', `${reference} is ${which} of the order ${orderId}`, 'CHK-6');
}
