import { z } from 'zod';
import { counted } from '#domain/kernel/counted';
import { tellMoney } from '#domain/kernel/minor-units';
import type { CouponUseOfCode } from '#requests/coupon-uses';
import type { StoreLocation } from '#wiring/stores';
import { askStore } from './ask-store.ts';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';

const PAGE = 200;
const coupons = z.object({ items: z.array(z.unknown()) });
const page = z.object({ items: z.array(z.custom<CouponUseOfCode>()), nextCursor: z.string().optional() });

/**
 * Prints who tried and used a code, newest first, and what became of the order (CPN-4).
 * @throws CommandFailed for a code that no coupon has
 */
export async function listCouponUses(
  location: StoreLocation,
  couponCode: string,
  { json = false }: { json?: boolean },
): Promise<void> {
  const uses: CouponUseOfCode[] = [];
  let cursor: string | undefined;
  do {
    const found = page.parse(await onePage(location, couponCode, cursor));
    uses.push(...found.items);
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  if (uses.length === 0) await mustBeThere(location, couponCode);
  if (json) return printJson({ items: uses });
  for (const use of uses)
    printLines(`${use.triedAt}  customer ${use.customerId}  ${tellOutcome(use)}`, `      ${tellOrder(use)}`);
  printLines(`${[counted(uses.length, 'attempt'), ...outcomesOf(uses)].join(', ')} with ${JSON.stringify(couponCode)}`);
}

const onePage = (location: StoreLocation, couponCode: string, cursor: string | undefined): Promise<unknown> => {
  const next = cursor === undefined ? {} : { cursor };
  return askStore(location, {
    method: 'GET',
    path: `/api/coupons/uses?${new URLSearchParams({ couponCode, limit: String(PAGE), ...next })}`,
    catchesUp: true,
    here: ({ queries }, context) => queries.coupons.listUses(context, { couponCode, limit: PAGE, ...next }),
  });
};

async function mustBeThere(location: StoreLocation, couponCode: string): Promise<void> {
  const { items } = coupons.parse(
    await askStore(location, {
      method: 'GET',
      path: `/api/coupons?${new URLSearchParams({ couponCode })}`,
      here: ({ queries }, context) => queries.coupons.list(context, { couponCode, limit: 1 }),
    }),
  );
  if (items.length === 0) throw new CommandFailed(`there is no coupon ${couponCode}`);
}

const outcomesOf = (uses: readonly CouponUseOfCode[]): string[] =>
  [...Map.groupBy(uses, ({ outcome }) => outcome)].map(([outcome, those]) => `${those.length} ${outcome}`);

function tellOutcome({ outcome, refusal, replacedBy }: CouponUseOfCode): string {
  if (outcome === 'refused') return `refused: ${refusal}`;
  return outcome === 'replaced' ? `replaced by ${JSON.stringify(replacedBy)}` : outcome;
}

function tellOrder({ orderId, orderStatus, checkoutId, discountCents, currency, paidAt }: CouponUseOfCode): string {
  if (orderId === null) return `checkout ${checkoutId}: no order has the discount`;
  const off = discountCents === null || currency === null ? '' : `, ${tellMoney(discountCents, currency)} off`;
  return `order ${orderId}: ${orderStatus ?? 'placed'}${off}${paidAt === null ? ', not paid' : `, paid ${paidAt}`}`;
}
