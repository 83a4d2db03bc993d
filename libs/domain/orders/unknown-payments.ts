import { type Refusal, refuse } from '../kernel/decider.ts';

/** What the payment provider shows about a charge of which nobody knew the result. */
export const findings = ['captured', 'not-captured'] as const;

export interface Finding {
  readonly result: (typeof findings)[number];
  /** The payment, as the provider names it: only of one that was captured. */
  readonly reference?: string | undefined;
}

/** A charge of which nobody knew the result, and what is recorded of it since then. */
interface UnknownCharge {
  readonly isUnknown: boolean;
  /** The payment, as the provider names it; undefined: no capture is recorded. */
  readonly capturedAs: string | undefined;
}

export const paymentKnown = (rule: string): Refusal =>
  refuse('payment-known', 'it is known what became of each payment of the order', rule);

/**
 * A charge that was found "not captured" may still turn out to be captured: that money is owed back. What was captured stays
 * so: the provider itself may have answered meanwhile.
 * @returns the reference of the capture to record, `not-captured` to record that, `undefined` where it is recorded already
 */
export function judgeFinding(
  { result, reference }: Finding,
  charge: UnknownCharge | undefined,
  rule: string,
): Refusal | { readonly capturedAs: string } | 'not-captured' | undefined {
  if ((result === 'captured') !== (reference !== undefined))
    return refuse('finding-incomplete', 'a captured payment has a reference, and another one has none', rule);
  if (!charge) return paymentKnown(rule);
  const { isUnknown, capturedAs } = charge;
  if (capturedAs !== undefined)
    return capturedAs === reference
      ? undefined
      : refuse('payment-captured', `the payment is recorded as captured, with the reference ${capturedAs}`, rule);
  if (reference !== undefined) return { capturedAs: reference };
  return isUnknown ? 'not-captured' : undefined;
}
