import { type Refusal, refuse } from '../kernel/decider.ts';
import { tellMoney } from '../kernel/minor-units.ts';

interface Priced {
  readonly quantity: number;
  readonly pricePerLeadCents: number;
  readonly coupon?: { readonly discountCents: number } | undefined;
}

export const totalCentsOf = ({ quantity, pricePerLeadCents, coupon }: Priced): number =>
  quantity * pricePerLeadCents - (coupon?.discountCents ?? 0);

/** What the customer was shown (CHK-5). Undefined: whatever the price is. */
export interface ExpectedTotal {
  readonly expectedTotalCents?: number | undefined;
  readonly expectedCurrency?: string | undefined;
}

/** CHK-5: nobody is charged another total than the one that was shown. */
export function refuseOtherTotal(
  priced: Priced & { readonly currency: string },
  { expectedTotalCents, expectedCurrency }: ExpectedTotal,
): Refusal | undefined {
  const totalCents = totalCentsOf(priced);
  const { currency } = priced;
  const [expectedCents, expectedIn] = [expectedTotalCents ?? totalCents, expectedCurrency ?? currency];
  if (expectedCents === totalCents && expectedIn === currency) return undefined;
  return {
    ...refuse(
      'other-total',
      `the order costs ${tellMoney(totalCents, currency)}, and not ${tellMoney(expectedCents, expectedIn)}; show it, and send it as the expected total`,
      'CHK-5',
    ),
    details: {
      expectedTotalCents: String(expectedCents),
      expectedCurrency: expectedIn,
      totalCents: String(totalCents),
      currency,
    },
  };
}
