import type { RefundFailure } from '#domain/orders/refunds';

/** Money of one captured payment, to be given back to the card that paid it. */
export interface Refund {
  /** Ours: the provider keeps it with the refund. */
  readonly refundId: string;
  /** The payment, as the provider named it when it captured it. */
  readonly reference: string;
  readonly amountCents: number;
  /** ISO 4217. */
  readonly currency: string;
}

export type RefundResult =
  | { readonly refunded: true; readonly reference: string }
  | { readonly refunded: false; readonly failure: RefundFailure };

export interface RefundGateway {
  /**
   * The same key is the same refund, however often it is sent. A failure is final for its key. Rejects when no answer
   * came: send it again.
   */
  refund(refund: Refund, idempotencyKey: string): Promise<RefundResult>;
}

/** What the sandbox does with a refund is chosen by its amount: a refund has no token. */
const refusedAmounts: Readonly<Record<number, RefundFailure>> = { 661: 'no-balance', 662: 'disputed', 663: 'refused' };
const LOST_AMOUNT = 664;

/**
 * A provider that moves no money. It makes every refund but those of 6.61 (`no-balance`), 6.62 (`disputed`) and 6.63
 * (`refused`); of 6.64 the first answer is lost.
 */
export function sandboxRefunds(): RefundGateway {
  const lost = new Set<string>();
  return {
    async refund({ reference, amountCents }, idempotencyKey) {
      // Of a store that was run with Stripe before: an operator looks at it.
      if (/^(pi|ch)_/.test(reference)) return { refunded: false, failure: 'unknown-payment' };
      if (amountCents === LOST_AMOUNT && !lost.has(idempotencyKey)) {
        lost.add(idempotencyKey);
        throw new Error('the answer of the payment provider was lost');
      }
      const failure = refusedAmounts[amountCents];
      return failure ? { refunded: false, failure } : { refunded: true, reference: `sandbox_${idempotencyKey}` };
    },
  };
}
