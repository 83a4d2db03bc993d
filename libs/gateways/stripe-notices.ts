import Stripe from 'stripe';
import { z } from 'zod';
import { valueIn } from '#domain/kernel/table';
import type { DisputeReason, DisputeStage } from '#domain/orders/refunds';
import { BadSignature, MalformedNotice, type PaymentNotice, type PaymentNotices } from './payment-notices.ts';
import { moneyToldBy } from './stripe-amounts.ts';

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
        return disputeOf(event.id, partsOf(dispute, event));
      case 'refund.failed':
      case 'refund.updated':
      case 'charge.refund.updated':
        return returnedRefundOf(event.id, partsOf(refund, event));
      default:
        return undefined;
    }
  },
});

/** What is used of the objects. The types of the SDK say more than a stranger with the secret may have sent. */
const id = z.string().regex(/^[\w-]{1,255}$/);
const named = z.union([id, z.looseObject({ id })]);
const dispute = z.looseObject({
  id,
  amount: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Za-z]{3}$/),
  status: z.string(),
  reason: z.string(),
  charge: named.nullish(),
  payment_intent: named.nullish(),
});
const refund = z.looseObject({
  id,
  status: z.string().nullish(),
  charge: named.nullish(),
  payment_intent: named.nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
const anyEvent = z.looseObject({ id, type: z.string(), data: z.looseObject({ object: z.unknown() }) });
type AnyEvent = z.infer<typeof anyEvent>;

/** @throws MalformedNotice */
function partsOf<Parts>(schema: z.ZodType<Parts>, { data }: AnyEvent): Parts {
  const parsed = schema.safeParse(data.object);
  if (!parsed.success) throw new MalformedNotice();
  return parsed.data;
}

/** @throws BadSignature, MalformedNotice */
function eventIn(body: string, signature: string, secret: string, receivedAt: number): AnyEvent {
  let event: unknown;
  try {
    event = Stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_SECONDS, undefined, receivedAt);
  } catch (error) {
    // The package reads the text of a notice after its signature. On an odd signature it fails in other ways.
    throw error instanceof SyntaxError ? new MalformedNotice() : new BadSignature();
  }
  const parsed = anyEvent.safeParse(event);
  if (!parsed.success) throw new MalformedNotice();
  return parsed.data;
}

function disputeOf(noticeId: string, told: z.infer<typeof dispute>): PaymentNotice {
  const payment = told.payment_intent ?? told.charge;
  if (!payment) throw new MalformedNotice();
  const { id: disputeId, status, reason } = told;
  return {
    kind: 'dispute',
    noticeId,
    disputeId,
    reference: idOf(payment),
    ...moneyToldBy(told),
    stage: valueIn(stages, status) ?? 'opened',
    reason: valueIn(reasons, reason) ?? 'other',
  };
}

/** Of refunds that were made elsewhere, nothing is recorded here. */
function returnedRefundOf(noticeId: string, told: z.infer<typeof refund>): PaymentNotice | undefined {
  const payment = told.payment_intent ?? told.charge;
  const refundId = told.metadata?.refund_id;
  // Somebody may cancel a refund in the pages of Stripe while it is on its way: the money is there again, too.
  const cameBack = told.status === 'failed' || told.status === 'canceled';
  if (!cameBack || !payment || !refundId) return undefined;
  return { kind: 'refund-returned', noticeId, reference: idOf(payment), refundId, refundReference: told.id };
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
