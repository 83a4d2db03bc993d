import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

type RefundLaw = 'refundTooHigh' | 'paymentTwice';

/** An order that a coupon made free has no payment at the provider. */
const NO_PAYMENT = 'nothing-due';

interface Payment {
  readonly capturedCents: number;
  wishedCents: number;
  /** Of a payment that came too late: when. */
  readonly late: { readonly at: number; readonly event: RawEvent } | undefined;
}

interface Refund {
  readonly payment: string;
  readonly amountCents: number;
  made: boolean;
}

/**
 * Checks that no more is given back of a payment than was captured, each refund once and in its amount, that what came too late
 * is given back, and that no payment of the provider is recorded as two. Shares no code with the deciders.
 */
export class RefundCheck {
  readonly #payments = new Map<string, Payment>();
  readonly #refunds = new Map<string, Refund>();
  /** The provider's name of a payment → the payment. */
  readonly #references = new Map<string, string>();

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take(event: RawEvent): readonly RefundLaw[] {
    const at = Date.parse(event.data.at);
    const { id, type, data } = event;
    switch (type) {
      case 'PaymentCaptured':
        return this.#capture(`${id}/0`, data.reference, data.amountCents);
      case 'PaymentCapturedTooLate':
        return this.#capture(`${id}/${data.renewalNumber ?? 0}`, data.reference, data.amountCents, { at, event });
      case 'OrderReopened':
        return this.#capture(`${id}/${data.renewalNumber}`, data.paymentReference, data.totalCents);
      case 'RenewalPaid':
        return this.#name(`${id}/${data.renewalNumber}`, data.reference);
      case 'RefundWished':
        return this.#wish(`${id}/${data.renewalNumber}`, data) ? [] : ['refundTooHigh'];
      case 'PaymentRefunded':
      case 'RefundSettled':
        return this.#make(`${id}/${data.renewalNumber}`, data) ? [] : ['refundTooHigh'];
      case 'RefundReturned':
        return this.#comeBack(`${id}/${data.renewalNumber}`, data) ? [] : ['refundTooHigh'];
      default:
        return [];
    }
  }

  /**
   * Call it at the end of the log. A refund that is wished is listed until it is made, so only what is not wished a day later,
   * by the log's own clock, is missing. @returns the payments that came too late and are kept
   */
  missing(now: number): readonly RawEvent[] {
    return [...this.#payments.values()].flatMap(({ capturedCents, wishedCents, late }) =>
      late && wishedCents < capturedCents && late.at <= now - DAY ? [late.event] : [],
    );
  }

  #capture(payment: string, reference: string, capturedCents = 0, late?: Payment['late']): readonly RefundLaw[] {
    this.#payments.set(payment, { capturedCents, wishedCents: 0, late });
    return this.#name(payment, reference);
  }

  /** What the provider captured once is one payment. Programme and order both record the one of a renewal. */
  #name(payment: string, reference: string | undefined): readonly RefundLaw[] {
    if (reference === undefined || reference === NO_PAYMENT) return [];
    const former = this.#references.get(reference);
    if (former === undefined) this.#references.set(reference, payment);
    return former === undefined || former === payment ? [] : ['paymentTwice'];
  }

  #wish(name: string, { refundId, amountCents }: RawEvent['data']): boolean {
    const payment = this.#payments.get(name);
    if (!payment || this.#refunds.has(refundId) || !(amountCents > 0)) return false;
    this.#refunds.set(refundId, { payment: name, amountCents, made: false });
    payment.wishedCents += amountCents;
    return payment.wishedCents <= payment.capturedCents;
  }

  #make(name: string, { refundId, amountCents }: RawEvent['data']): boolean {
    const refund = this.#refunds.get(refundId);
    if (!refund || refund.made || refund.payment !== name || refund.amountCents !== amountCents) return false;
    refund.made = true;
    return true;
  }

  /** Only what was made comes back. Then it may be made once more. */
  #comeBack(name: string, { refundId, amountCents }: RawEvent['data']): boolean {
    const refund = this.#refunds.get(refundId);
    if (!refund?.made || refund.payment !== name || refund.amountCents !== amountCents) return false;
    refund.made = false;
    return true;
  }
}
