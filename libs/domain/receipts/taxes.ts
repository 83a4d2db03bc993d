import { z } from 'zod';
import { type Instant, instant } from '../kernel/events.ts';
import { storeText } from '../kernel/fields.ts';
import { inEffectAt } from '../kernel/instants.ts';

/** A tax that the store's prices include: its name, as receipts show it, and its rate, with at most four decimal digits. */
export const tax = z.object({
  name: storeText.describe('Its name, as receipts show it.'),
  percent: z.number().positive().max(100).describe('Its rate in percent of the price without taxes.'),
});
export type Tax = z.infer<typeof tax>;

/** What of an amount is tax. */
export const taxShare = tax.extend({
  taxCents: z.int().describe('The tax, in minor units of the currency; of a refund that came back, below zero.'),
});
export type TaxShare = z.infer<typeof taxShare>;

/** What a store charges from an instant on. An empty list: no tax any more. */
export const datedTaxes = z.object({
  taxes: z.array(tax).describe('The taxes that its prices include; an empty list: none.'),
  effectiveFrom: instant.describe('From when they are included.'),
});
export type DatedTaxes = z.infer<typeof datedTaxes>;

const DECIMALS = 10_000;
const WHOLE = BigInt(100 * DECIMALS);

const partsOf = ({ percent }: Tax): bigint => BigInt(Math.round(percent * DECIMALS));

/** Whether the rate is exact in the unit that taxes are computed in. */
export const isExact = ({ percent }: Tax): boolean => Number(partsOf({ name: '', percent })) / DECIMALS === percent;

export const taxesAt = (all: readonly DatedTaxes[], at: Instant): readonly Tax[] => inEffectAt(all, at)?.taxes ?? [];

/**
 * The taxes that an amount includes: each is rounded by itself to whole minor units, half a unit up, and the rest of the
 * amount is the price without taxes. So the parts are always exactly the amount.
 */
export function taxesIn(amountCents: number, taxes: readonly Tax[]): readonly TaxShare[] {
  const whole = taxes.reduce((sum, one) => sum + partsOf(one), WHOLE);
  return taxes.map(({ name, percent }) => {
    const twice = 2n * BigInt(amountCents) * partsOf({ name, percent });
    return { name, percent, taxCents: Number((twice + whole) / (2n * whole)) };
  });
}

/** What is not given back of a payment, and the taxes that no receipt has given back. */
interface Left {
  readonly leftCents: number;
  readonly leftTaxes: readonly TaxShare[];
}

/**
 * The taxes in what is given back: what is left of a payment includes its taxes, so all refunds together give back exactly those of the
 * payment. A refund that came back brings its own taxes again, which may be a unit more or less than those of what is left.
 */
export function taxesGivenBack({ leftCents, leftTaxes }: Left, amountCents: number): readonly TaxShare[] {
  const after = taxesIn(Math.max(0, leftCents - amountCents), leftTaxes);
  return leftTaxes.map((left, index) => ({
    ...left,
    taxCents: Math.max(0, left.taxCents - (after[index]?.taxCents ?? 0)),
  }));
}

/** `before` without what a receipt gives back; of a refund that came back, with what it takes back. */
export const taxesLeft = (before: readonly TaxShare[], givenBack: readonly TaxShare[]): readonly TaxShare[] =>
  before.map((left, index) => ({ ...left, taxCents: left.taxCents - (givenBack[index]?.taxCents ?? 0) }));

/** Of a receipt that takes another one back. */
export const taxesTakenBack = (taxes: readonly TaxShare[]): TaxShare[] =>
  taxes.map((one) => ({ ...one, taxCents: 0 - one.taxCents }));
