import { z } from 'zod';
import { type Decision, isRefusal } from '../kernel/decider.ts';
import { type DeclineReason, declineReasons } from '../kernel/declines.ts';
import { cents, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { currency, id } from '../kernel/fields.ts';
import { processOnly, type RightsOf, support } from '../kernel/rights.ts';
import type { RefundState } from './refunds.ts';
import { type Finding, judgeFinding } from './unknown-payments.ts';

/** The reference of a payment of nothing, for which the provider is not asked. */
export const NOTHING_DUE = 'nothing-due';

/** Of a cancelled order, from the cancellation on. Nothing is recorded of a charge that was not made, so it is not looked for for ever. */
export const HOURS_A_CHARGE_IS_LOOKED_FOR = 72;

/** What the payment provider answered to the first charge of an order, and what came too late. */
export const paymentEvents = {
  /** `providerCustomerId`: where the provider keeps the card for renewals. */
  PaymentCaptured: fact({ reference: id, amountCents: cents, currency, providerCustomerId: id.optional() }),
  PaymentDeclined: fact({ reason: z.enum(declineReasons) }),
  /**
   * The provider has not answered, and is not asked any more: the customer was erased, or the order was cancelled. Money may have
   * moved. The provider knows the charge by its key.
   */
  PaymentUnknown: fact({ chargeKey: id, amountCents: cents, currency }),
  /**
   * The staff found at the provider that the unknown charge was not captured; or the provider says so of the charge of an order that
   * was cancelled.
   */
  PaymentNotCaptured: fact({ chargeKey: id }),
  /** The order ended while its payment, or that of a renewal, was under way: the money is given back (CHK-6). */
  PaymentCapturedTooLate: fact({
    reference: id,
    amountCents: cents,
    currency,
    renewalNumber: z.int().positive().optional(),
    providerCustomerId: id.optional(),
  }),
  /**
   * The customer was erased, and the payment provider has removed the card that it kept, and its holder: the one with this id, or
   * whom it made for the charge with this key, if there was one.
   */
  PayerForgotten: fact({ providerCustomerId: id.optional(), chargeKey: id.optional() }),
};
type PaymentEvent = EventsOf<typeof paymentEvents>;

/** By the provider's id; or, where no event has it, by the key of the charge that made it. */
export type PayerToForget = { readonly providerCustomerId: string } | { readonly chargeKey: string };

export type PaymentCommand =
  | {
      type: 'CapturePayment';
      at: Instant;
      reference: string;
      amountCents: number;
      currency: string;
      providerCustomerId?: string;
    }
  | { type: 'DeclinePayment'; at: Instant; reason: DeclineReason }
  /** The provider has not made the charge of an order that was cancelled. It is not asked again. */
  | { type: 'RecordPaymentNotCaptured'; at: Instant; chargeKey: string; amountCents: number; currency: string }
  | { type: 'RecordPaymentUnknown'; at: Instant; chargeKey: string; amountCents: number; currency: string }
  /** What the staff found at the provider about an unknown payment. */
  | ({ type: 'ResolvePayment'; at: Instant } & Finding)
  | ({ type: 'RecordPayerForgotten'; at: Instant } & PayerToForget);

export const paymentRights = {
  CapturePayment: processOnly,
  DeclinePayment: processOnly,
  RecordPaymentNotCaptured: processOnly,
  RecordPaymentUnknown: processOnly,
  ResolvePayment: support('CHK-4'),
  RecordPayerForgotten: processOnly,
} satisfies RightsOf<PaymentCommand, unknown>;

/** What decides about an answer of the provider. */
interface AwaitedPayment {
  readonly status: string;
  readonly paid: boolean;
  /** Nobody knows whether the payment was captured. */
  readonly paymentUnknown: boolean;
  readonly unknownCharge: UnknownCharge | undefined;
}

type DataOf<Type extends PaymentEvent['type']> = Extract<PaymentEvent, { type: Type }>['data'];
export type UnknownCharge = DataOf<'PaymentUnknown'>;

type Command<Type extends PaymentCommand['type']> = Extract<PaymentCommand, { type: Type }>;

/**
 * Money captured after the order has ended is recorded, to be given back. So is what was unknown: its customer was erased,
 * and the order ends.
 */
export function capturePayment(
  { type: _, providerCustomerId, ...payment }: Command<'CapturePayment'>,
  { paid, status, unknownCharge }: AwaitedPayment,
): Decision<PaymentEvent> {
  if (paid) return [];
  const data = { ...payment, ...(providerCustomerId && { providerCustomerId }) };
  const isInTime = status === 'awaiting-payment' && !unknownCharge;
  return [{ type: isInTime ? 'PaymentCaptured' : 'PaymentCapturedTooLate', data }];
}

export function declinePayment(
  { at, reason }: Command<'DeclinePayment'>,
  { status }: AwaitedPayment,
): Decision<PaymentEvent> {
  return status === 'awaiting-payment' ? [{ type: 'PaymentDeclined', data: { at, reason } }] : [];
}

/** Until then nobody knew. What staff find later counts: what was captured after all is owed back. */
export function recordNotCaptured(
  { type: _, at, chargeKey, ...money }: Command<'RecordPaymentNotCaptured'>,
  { status, paid, unknownCharge }: AwaitedPayment,
): Decision<PaymentEvent> {
  if (status !== 'cancelled' || paid || unknownCharge) return [];
  return [
    { type: 'PaymentUnknown', data: { at, chargeKey, ...money } },
    { type: 'PaymentNotCaptured', data: { at, chargeKey } },
  ];
}

export function recordUnknown(
  { type: _, ...data }: Command<'RecordPaymentUnknown'>,
  { paid, unknownCharge, status }: AwaitedPayment,
): Decision<PaymentEvent> {
  if (paid || unknownCharge || status === 'payment-failed') return [];
  return [{ type: 'PaymentUnknown', data }];
}

/** What was captured is owed back (CHK-6). */
export function resolvePayment(
  { at, ...finding }: Command<'ResolvePayment'>,
  { payments, paid, paymentUnknown, unknownCharge }: AwaitedPayment & Pick<RefundState, 'payments'>,
): Decision<PaymentEvent> {
  const capturedAs = paid ? payments.get(0)?.reference : undefined;
  const found = judgeFinding(finding, unknownCharge && { isUnknown: paymentUnknown, capturedAs }, 'CHK-4');
  if (typeof found === 'object' && isRefusal(found)) return found;
  if (!found || !unknownCharge) return [];
  if (found === 'not-captured')
    return [{ type: 'PaymentNotCaptured', data: { at, chargeKey: unknownCharge.chargeKey } }];
  const { amountCents, currency } = unknownCharge;
  return [{ type: 'PaymentCapturedTooLate', data: { at, reference: found.capturedAs, amountCents, currency } }];
}

export const recordPayerForgotten = ({
  type: _,
  ...payer
}: Command<'RecordPayerForgotten'>): Decision<PaymentEvent> => [{ type: 'PayerForgotten', data: payer }];
