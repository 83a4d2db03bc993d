import type { CommandOf } from '#domain/ledger';
import type { PaymentGateway } from '#gateways/payments';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

/** @returns what is to be recorded of it */
export async function capturePayment(
  { kind: _, ...charge }: EffectOf<'capture-payment'>,
  key: string,
  payments: PaymentGateway,
): Promise<Untimed<CommandOf<'order'>>> {
  const result = await capture(charge, key, payments);
  if (!result.captured) return { type: 'DeclinePayment', reason: result.reason };
  const { amountCents, currency } = charge;
  return { type: 'CapturePayment', reference: result.reference, amountCents, currency };
}

/** @returns what is to be recorded of it */
export async function chargeRenewal(
  { kind: _, renewalNumber, attempt, ...charge }: EffectOf<'charge-renewal'>,
  key: string,
  payments: PaymentGateway,
): Promise<Untimed<CommandOf<'programme'>>> {
  const result = await capture(charge, key, payments);
  const renewal = { renewalNumber, attempt };
  if (!result.captured) return { type: 'RecordRenewalDeclined', ...renewal, reason: result.reason };
  const { amountCents, currency } = charge;
  return { type: 'RecordRenewalPaid', ...renewal, reference: result.reference, amountCents, currency };
}

/**
 * The provider refuses to charge nothing, so it is not asked for what a coupon made free. When it gives no answer, the
 * charge is tried again with the same key: it is unknown whether the money has moved.
 */
async function capture(
  charge: Parameters<PaymentGateway['capture']>[0],
  key: string,
  payments: PaymentGateway,
): ReturnType<PaymentGateway['capture']> {
  if (charge.amountCents === 0) return { captured: true, reference: 'nothing-due' };
  return payments.capture(charge, key).catch((error: Error) => {
    throw new OutOfReach(`the payment provider: ${error.message}`);
  });
}
