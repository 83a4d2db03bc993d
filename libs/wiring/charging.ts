import { customerStream } from '#domain/accounts/customer';
import type { CommandOf } from '#domain/ledger';
import { orderStream } from '#domain/orders/order';
import { erasuresStream } from '#domain/persons/erasures';
import { failureIn } from '#gateways/failures';
import type { ChargeResult, PaymentGateway } from '#gateways/payments';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import { isErased } from '#requests/address-claim';
import type { StreamCache } from '#requests/stream-cache';
import { CannotOpenBox, type Vault } from '#vault/vault';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;
type Charge = Omit<EffectOf<'capture-payment'>, 'kind'>;

interface ChargingDependencies {
  readonly payments: PaymentGateway;
  readonly streams: Pick<StreamCache, 'read'>;
  readonly vault: Vault;
}

/** @returns what is to be recorded of it */
export async function capturePayment(
  { kind: _, ...charge }: EffectOf<'capture-payment'>,
  key: string,
  dependencies: ChargingDependencies,
): Promise<Untimed<CommandOf<'order'>>> {
  const result = await capture(charge, key, dependencies);
  const { amountCents, currency } = charge;
  if (result === 'unknown') return { type: 'RecordPaymentUnknown', chargeKey: key, amountCents, currency };
  if (!result.captured) return { type: 'DeclinePayment', reason: result.reason };
  return { type: 'CapturePayment', reference: result.reference, amountCents, currency };
}

/** @returns what is to be recorded of it */
export async function chargeRenewal(
  { kind: _, renewalNumber, attempt, ...charge }: EffectOf<'charge-renewal'>,
  key: string,
  dependencies: ChargingDependencies,
): Promise<Untimed<CommandOf<'programme'>>> {
  const result = await capture(charge, key, dependencies);
  const renewal = { renewalNumber, attempt };
  const { amountCents, currency } = charge;
  if (result === 'unknown') return { type: 'RecordRenewalUnknown', ...renewal, chargeKey: key, amountCents, currency };
  if (!result.captured) return { type: 'RecordRenewalDeclined', ...renewal, reason: result.reason };
  return { type: 'RecordRenewalPaid', ...renewal, reference: result.reference, amountCents, currency };
}

/**
 * An erased customer is charged nothing. Processes begin no charge after an erasure. So one that is still to be made was begun
 * before it, and an answer of the provider may have been lost: the result is unknown. The provider refuses to charge nothing, so it is not asked for what a coupon made
 * free. When it gives no answer, the charge is tried again with the same key: it is unknown whether the money has moved.
 */
async function capture(
  { orderId, token: box, ...charge }: Charge,
  key: string,
  dependencies: ChargingDependencies,
): Promise<ChargeResult | 'unknown'> {
  const { amountCents } = charge;
  if (amountCents > 0 && (await isErasedSince(orderId, dependencies))) return 'unknown';
  const token = await tokenIn(box, orderId, dependencies);
  if (token === undefined) return { captured: false, reason: 'payment-details-erased' };
  if (amountCents === 0) return { captured: true, reference: 'nothing-due' };
  return dependencies.payments.capture({ token, ...charge }, key).catch((error: unknown) => {
    throw new OutOfReach(`the payment provider: ${failureIn(error)}`);
  });
}

/** Older versions recorded no erasure, and declined what was charged after it. */
async function isErasedSince(orderId: string, { streams }: ChargingDependencies): Promise<boolean> {
  const { terms } = (await streams.read<'order'>(orderStream(orderId))).state;
  const { subjects } = (await streams.read<'erasures'>(erasuresStream)).state;
  return terms !== undefined && subjects.has(customerStream(terms.customerId));
}

/**
 * The token is opened only now, just before it is sent. One that an older version stored as it is would survive its
 * customer: so it is asked whether the customer was erased.
 * @returns undefined when the customer was erased @throws OutOfReach while it cannot be opened
 */
async function tokenIn(
  box: Charge['token'],
  orderId: string,
  { streams, vault }: ChargingDependencies,
): Promise<string | undefined> {
  try {
    const { terms } = (await streams.read<'order'>(orderStream(orderId))).state;
    if (terms && (await isErased({ streams, vault }, terms.customerId))) return undefined;
    return (await vault.open(box)) as string | undefined;
  } catch (error) {
    if (error instanceof CannotOpenBox) throw new OutOfReach(`the vault: ${error.message}`);
    throw error;
  }
}
