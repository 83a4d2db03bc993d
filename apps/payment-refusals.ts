import type { ErrorCode } from './error-codes.ts';
import { refused } from './refused.ts';

/** Refusals about payments, what is given back of them, and taxes. */
export const paymentRefusals: Readonly<Record<string, ErrorCode>> = {
  'payment-not-captured': refused(
    409,
    'The order has no such payment, or it cost nothing.',
    'Read the order: it may be unpaid, or renewed less often.',
    'renewalNumber',
  ),
  'payment-known': refused(
    409,
    'It is known what became of each payment of the order.',
    'Nothing is left to do. Read its history.',
  ),
  'payment-captured': refused(
    409,
    'The payment is recorded as captured, with the reference in `detail`.',
    'Nothing is left to do: it is given back.',
    'reference',
  ),
  'finding-incomplete': refused(
    409,
    'A captured payment has a reference, and one that was not captured has none.',
    'Send `reference` with `captured`, and leave it out with `not-captured`.',
    'reference',
  ),
  'refund-above-payment': refused(
    409,
    'More is asked for than is left of the payment, without what was given back or is disputed.',
    'Send at most the amount in `detail`. A refund that waits for an operator is retried or settled once its dispute is won.',
    'amountCents',
  ),
  'refund-not-possible': refused(
    409,
    'The payment provider cannot give this amount back in its currency: it is not a multiple of what the provider moves.',
    'Send a multiple of the amount in `detail`.',
    'amountCents',
  ),
  'payment-of-another': refused(
    409,
    'The log has this payment of the provider already, for another order or another renewal: `detail` names it.',
    'Look for the charge at the provider by its key, and send the reference of that one, or `not-captured`.',
    'reference',
  ),
  'refund-unknown': refused(409, 'The order has no such refund.', 'Check the ids.', 'refundId'),
  'refund-changed': refused(
    412,
    'The refund changed since the revision that If-Match names.',
    'Read the refund again, and decide anew.',
  ),
  'refund-made': refused(409, 'The payment provider has given the money back.', 'Nothing is left to do.'),
  'refund-settled': refused(
    409,
    'It is recorded that the money of this refund was given back in another way.',
    'Nothing is left to do. More is given back by a new refund of the order.',
  ),
  'refund-under-way': refused(
    409,
    'The payment provider is being asked for this refund.',
    'Wait until it is made, or is stuck.',
  ),
  'taxes-in-the-past': refused(
    409,
    'Taxes take effect now or later: receipts keep theirs.',
    'Leave `effectiveFrom` out, or send a later one.',
    'effectiveFrom',
  ),
  'rate-too-fine': refused(400, 'A rate has more than four decimal digits.', 'Round the rate.', 'taxes'),
};
