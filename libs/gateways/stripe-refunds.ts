import Stripe from 'stripe';
import { valueIn } from '#domain/kernel/table';
import type { RefundFailure } from '#domain/orders/refunds';
import type { RefundGateway, RefundResult } from './refunds.ts';
import { amountAtStripe, type StripeApi } from './stripe-amounts.ts';

const MOST_REFUNDS_OF_A_PAYMENT = 100;

/**
 * Refunds of payment intents. Stripe forgets a key after a day, and would make a refund of a part twice after it: so it is asked
 * first whether it has the refund already, by our id in its metadata. One of another amount was made by a version that sent
 * minor units unconverted: an operator looks at it.
 */
export const stripeRefunds = ({ refunds }: Pick<StripeApi, 'refunds'>): RefundGateway => ({
  async refund({ refundId, reference, ...money }, idempotencyKey) {
    const amount = amountAtStripe(money);
    if (amount === undefined) return { refunded: false, failure: 'refused' };
    try {
      const { data } = await refunds.list({ payment_intent: reference, limit: MOST_REFUNDS_OF_A_PAYMENT });
      const ours = data.filter(({ metadata }) => metadata?.refund_id === refundId);
      const made = ours.find(({ status }) => isMade(status));
      if (made) return made.amount === amount ? resultOf(made) : { refunded: false, failure: 'refused' };
      const request = { payment_intent: reference, amount, metadata: { refund_id: refundId } };
      const answer = await refunds.create(request, { idempotencyKey });
      // The first answer to a key is repeated as it was, whatever became of the refund since then.
      const cameBack = ours.some(({ id }) => id === answer.id);
      return cameBack ? { refunded: false, failure: 'returned-by-bank' } : resultOf(answer);
    } catch (error) {
      return { refunded: false, failure: failureOf(error) };
    }
  },
});

/** A pending refund is on its way to the bank. */
const isMade = (status: string | null): boolean => status === 'succeeded' || status === 'pending';

const resultOf = ({ id, status }: Stripe.Refund): RefundResult =>
  isMade(status) ? { refunded: true, reference: id } : { refunded: false, failure: 'refused' };

/** Stripe's error codes that say more than that it refuses the request. */
const codes: Readonly<Record<string, RefundFailure>> = {
  balance_insufficient: 'no-balance',
  insufficient_funds: 'no-balance',
  charge_already_refunded: 'already-refunded',
  charge_disputed: 'disputed',
  refund_disputed_payment: 'disputed',
  resource_missing: 'unknown-payment',
};

/** @throws the error when it does not say that the refund was refused: whether it was made is not known then */
function failureOf(error: unknown): RefundFailure {
  const { StripeInvalidRequestError, StripeCardError, StripeIdempotencyError } = Stripe.errors;
  const { StripeAuthenticationError, StripePermissionError } = Stripe.errors;
  if (error instanceof StripeAuthenticationError || error instanceof StripePermissionError) return 'not-allowed';
  const isRefused = [StripeInvalidRequestError, StripeCardError, StripeIdempotencyError].some(
    (refusal) => error instanceof refusal,
  );
  if (!isRefused) throw error;
  const { code = '' } = error as Stripe.errors.StripeError;
  return valueIn(codes, code) ?? 'refused';
}
