import { type Refusal, refuse } from '#domain/kernel/decider';
import { tellMoney } from '#domain/kernel/minor-units';
import type { Terms } from '#domain/orders/order';
import { totalCentsOf } from '#domain/orders/total';
import type { RequestTools } from './request-tools.ts';

type Limits = Pick<RequestTools, 'providerLimits'>;
type Priced = Pick<Terms, 'quantity' | 'pricePerLeadCents' | 'currency' | 'coupon'>;

/** Why the provider would not charge what such an order costs. What a coupon makes free is not charged. */
export function refuseTotal({ providerLimits }: Limits, order: Priced): Refusal | undefined {
  const { currency } = order;
  const totalCents = totalCentsOf(order);
  const chargeable = providerLimits?.amountsOf(currency);
  if (!chargeable || totalCents === 0) return undefined;
  const { smallest, multipleOf } = chargeable;
  const told = `the order costs ${tellMoney(totalCents, currency)}`;
  const tooSmall = `${told}, and the payment provider charges at least ${tellMoney(smallest, currency)}`;
  if (totalCents < smallest) return refuse('total-not-chargeable', tooSmall, 'CHK-7');
  const step = tellMoney(multipleOf, currency);
  if (totalCents % multipleOf === 0) return undefined;
  return refuse('total-not-chargeable', `${told}, and the payment provider charges multiples of ${step} only`, 'CHK-7');
}

/** STO-2. */
export function refuseDescriptor({ providerLimits }: Limits, descriptor: string): Refusal | undefined {
  const reason = providerLimits?.refuseDescriptor(descriptor);
  return reason === undefined ? undefined : refuse('descriptor-not-on-statements', reason, 'STO-2');
}

/** STO-2: what the card statement will show. The descriptor may have been set under another provider, which showed all of it. */
export const shownDescriptor = ({ providerLimits }: Limits, descriptor = ''): string =>
  providerLimits && descriptor !== '' ? providerLimits.shownDescriptor(descriptor) : descriptor;
