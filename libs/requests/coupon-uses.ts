import { z } from 'zod';
import { couponIdOf } from '#domain/coupons/coupon';
import { exampleIds } from '#read-models/models/examples';
import { couponUse, couponUseWithOrderExample } from '#read-models/queries/coupons';
import type { Page, PageRequest } from '#read-models/queries/paging';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

export const couponUseOfCode = couponUse
  .omit({ couponUseId: true, couponId: true })
  .extend({ couponCode: z.string().describe('The code, as customers type it.') });
export type CouponUseOfCode = z.infer<typeof couponUseOfCode>;

const { couponUseId: _useId, couponId: _couponId, ...example } = couponUseWithOrderExample;
export const couponUseOfCodeExample: CouponUseOfCode = { ...example, couponCode: exampleIds.couponCode };

export interface CouponUsesRequest extends PageRequest {
  readonly couponCode: string;
  readonly customerId?: string | undefined;
}

/** Who tried and used a code, and what became of the order (CPN-4). */
export async function listCouponUses(
  { rows }: QueryTools,
  { caller }: RequestContext,
  { couponCode, ...request }: CouponUsesRequest,
): Promise<Page<CouponUseOfCode>> {
  const page = await rows.coupons.listUses(caller, { couponId: couponIdOf(couponCode), ...request });
  return {
    ...page,
    items: page.items.map(({ couponUseId: _useId, couponId: _id, ...use }) => ({ ...use, couponCode })),
  };
}
