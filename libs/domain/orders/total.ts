import { type Refusal, refuse } from '../kernel/decider.ts';
import { tellMoney } from '../kernel/minor-units.ts';

interface Priced {
  readonly quantity: number;
  readonly pricePerLeadCents: number;
  readonly coupon?: { readonly discountCents: number } | undefined;
}

export const totalCentsOf = ({ quantity, pricePerLeadCents, coupon }: Priced): number =>
  quantity * pricePerLeadCents - (coupon?.discountCents ?? 0);

/** CHK-5: nobody is charged another total than the one that was shown. */
export function refuseOtherTotal(
  priced: Priced & { readonly currency: string },
  expectedTotalCents: number | undefined,
): Refusal | undefined {
  const totalCents = totalCentsOf(priced);
  if (expectedTotalCents === undefined || expectedTotalCents === totalCents) return undefined;
  const { currency } = priced;
  return {
    ...refuse(
      'other-total',
      `the order costs ${tellMoney(totalCents, currency)}, and not ${tellMoney(expectedTotalCents, currency)}; show it, and send it as the expected total`,
      'CHK-5',
    ),
    details: { expectedTotalCents: String(expectedTotalCents), totalCents: String(totalCents), currency },
  };
}
