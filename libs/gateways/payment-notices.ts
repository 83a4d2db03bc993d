import type { Instant } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { DisputeReason, DisputeStage } from '#domain/orders/refunds';

/** The payment provider tells that a customer disputes a payment, or how the dispute ended. */
interface DisputeNotice {
  readonly kind: 'dispute';
  /** The provider sends a notice again until it is accepted, with the same id. */
  readonly noticeId: string;
  readonly disputeId: string;
  /** The payment, as the provider named it when it captured it. */
  readonly reference: string;
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly stage: DisputeStage;
  readonly reason: DisputeReason;
}

/** The payment provider tells that a refund did not arrive: the bank of the card sent the money back, maybe days later. */
interface ReturnedRefundNotice {
  readonly kind: 'refund-returned';
  readonly noticeId: string;
  /** The payment, as the provider named it when it captured it. */
  readonly reference: string;
  /** Ours, which the provider keeps with the refund. */
  readonly refundId: string;
  /** The refund, as the provider named it when it was made. */
  readonly refundReference: string;
}

export type PaymentNotice = DisputeNotice | ReturnedRefundNotice;

export interface PaymentNotices {
  /**
   * @param body as it was sent: the signature is of its bytes
   * @returns undefined for a notice of which nothing is recorded @throws BadSignature, MalformedNotice
   */
  read(body: string, signature: string, receivedAt: Instant): Promise<PaymentNotice | undefined>;
}

/** Whoever sent the notice does not know the secret, or it was sent long ago. */
export class BadSignature extends LeadgerError {
  constructor() {
    super('bad-signature', 'the notice is not signed with the secret of this store, or too old');
  }
}

/** It is signed, and does not say what its kind says. */
export class MalformedNotice extends LeadgerError {
  constructor() {
    super('malformed-notice', 'the notice does not have the fields of its kind');
  }
}

export class NoNotices extends LeadgerError {
  constructor() {
    super('notices-not-expected', 'this store expects no notices of a payment provider');
  }
}

export const noNotices: PaymentNotices = {
  read: async () => {
    throw new NoNotices();
  },
};
