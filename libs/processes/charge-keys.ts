import type { FactOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';

/** By which the provider knows the first charge of an order: sent twice, it is charged once. */
export const keyOfCapture = (orderId: string): string => deriveId('capture-payment', orderId);

/** Programme, renewal and attempt are the key of a charge. */
export const keyOfRenewal = (
  orderId: string,
  { renewalNumber, attempt }: Pick<FactOf<'RenewalBegun'>['data'], 'renewalNumber' | 'attempt'>,
): string => deriveId('charge-renewal', orderId, String(renewalNumber), String(attempt));
