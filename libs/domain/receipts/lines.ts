import { z } from 'zod';
import { cents, count } from '../kernel/events.ts';
import { storeText } from '../kernel/fields.ts';

/** What a line of a receipt is about. `payment`: an older log does not say what exactly was paid. */
const lineKinds = ['leads', 'bonus-leads', 'discount', 'payment', 'refund'] as const;

export const receiptLine = z.object({
  kind: z.enum(lineKinds).describe('What the line is about.'),
  quantity: count.optional().describe('How many leads.'),
  pricePerLeadCents: cents.optional().describe('The price of one lead, in minor units of the currency.'),
  couponCode: storeText.optional().describe('The coupon that the discount is from.'),
  amountCents: z.int().describe('The amount of the line, in minor units of the currency; of a discount, below zero.'),
});
export type ReceiptLine = z.infer<typeof receiptLine>;

interface Bought {
  readonly quantity: number;
  readonly bonusLeads: number;
  readonly pricePerLeadCents: number;
  readonly coupon?: { readonly code: string; readonly discountCents: number } | undefined;
}

/** What was bought, so that the lines add up to what was paid. */
export function linesOf({ quantity, bonusLeads, pricePerLeadCents, coupon }: Bought, paidCents: number): ReceiptLine[] {
  const priceCents = quantity * pricePerLeadCents;
  const discountCents = coupon?.discountCents ?? 0;
  if (priceCents - discountCents !== paidCents) return [{ kind: 'payment', amountCents: paidCents }];
  const lines: ReceiptLine[] = [{ kind: 'leads', quantity, pricePerLeadCents, amountCents: priceCents }];
  if (coupon && discountCents > 0)
    lines.push({ kind: 'discount', couponCode: coupon.code, amountCents: -discountCents });
  if (bonusLeads > 0) lines.push({ kind: 'bonus-leads', quantity: bonusLeads, amountCents: 0 });
  return lines;
}
