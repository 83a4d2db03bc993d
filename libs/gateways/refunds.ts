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

/** What the sandbox does with a refund is chosen by its amount in minor units: a refund has no token. */
export const sandboxRefundAmounts: Readonly<Record<number, RefundFailure | 'lost-reply' | 'no-reply'>> = {
  661: 'no-balance',
  662: 'disputed',
  663: 'refused',
  664: 'lost-reply',
  665: 'no-reply',
  666: 'not-allowed',
  667: 'already-refunded',
  668: 'unknown-payment',
};

/** A provider that moves no money. It makes every refund of any other amount. */
export function sandboxRefunds(): RefundGateway {
  const lost = new Set<string>();
  return {
    async refund({ reference, amountCents }, idempotencyKey) {
      // Of a store that was run with Stripe before: an operator looks at it.
      if (/^(pi|ch)_/.test(reference)) return { refunded: false, failure: 'unknown-payment' };
      const made = { refunded: true, reference: `sandbox_${idempotencyKey}` } as const;
      const failure = sandboxRefundAmounts[amountCents];
      if (failure === 'no-reply') throw new Error('the payment provider gives no answer');
      if (failure !== 'lost-reply') return failure ? { refunded: false, failure } : made;
      if (lost.has(idempotencyKey)) return made;
      lost.add(idempotencyKey);
      throw new Error('the answer of the payment provider was lost');
    },
  };
}
