import Stripe from 'stripe';
import type { DisputeReason, DisputeStage } from '#domain/orders/refunds';
import { BadSignature, type PaymentNotice, type PaymentNotices } from './payment-notices.ts';

/** How old a notice may be: whoever recorded one cannot send it later. Stripe's own default. */
const TOLERANCE_SECONDS = 300;

/** @param secret `whsec_…`: each endpoint has its own */
export const stripeNotices = (secret: string): PaymentNotices => ({
  async read(body, signature, receivedAt) {
    const event = eventIn(body, signature, secret, Date.parse(receivedAt));
    switch (event.type) {
      case 'charge.dispute.created':
      case 'charge.dispute.updated':
      case 'charge.dispute.closed':
        return disputeOf(event.id, event.data.object);
      case 'refund.failed':
      case 'refund.updated':
      case 'charge.refund.updated':
        return returnedRefundOf(event.id, event.data.object);
      default:
        return undefined;
    }
  },
});

/** @throws BadSignature */
function eventIn(body: string, signature: string, secret: string, receivedAt: number): Stripe.Event {
  try {
    return Stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_SECONDS, undefined, receivedAt);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) throw new BadSignature();
    throw error;
  }
}

function disputeOf(noticeId: string, dispute: Stripe.Dispute): PaymentNotice {
  const { id: disputeId, amount: amountCents, currency, status, reason } = dispute;
  return {
    kind: 'dispute',
    noticeId,
    disputeId,
    reference: idOf(dispute.payment_intent ?? dispute.charge),
    amountCents,
    currency: currency.toUpperCase(),
    stage: stages[status] ?? 'opened',
    reason: reasons[reason] ?? 'other',
  };
}

/** Of refunds that were made elsewhere, nothing is recorded here. */
function returnedRefundOf(noticeId: string, refund: Stripe.Refund): PaymentNotice | undefined {
  const payment = refund.payment_intent ?? refund.charge;
  const refundId = refund.metadata?.refund_id;
  if (refund.status !== 'failed' || !payment || !refundId) return undefined;
  return { kind: 'refund-returned', noticeId, reference: idOf(payment), refundId, refundReference: refund.id };
}

const idOf = (one: string | { readonly id: string }): string => (typeof one === 'string' ? one : one.id);

/** Only ends are named: all other statuses are of a dispute that goes on. An inquiry that was closed took no money. */
const stages: Readonly<Record<string, DisputeStage>> = {
  won: 'won',
  lost: 'lost',
  warning_closed: 'won',
  prevented: 'won',
};

const reasons: Readonly<Record<string, DisputeReason>> = {
  fraudulent: 'fraudulent',
  duplicate: 'duplicate',
  product_not_received: 'not-received',
  product_unacceptable: 'unacceptable',
  subscription_canceled: 'subscription-cancelled',
  unrecognized: 'unrecognized',
  credit_not_processed: 'refund-not-made',
};
