import { z } from 'zod';
import type { Caller } from '#domain/kernel/caller';
import { orderStatuses } from '#domain/orders/order';
import { column } from '../engine/columns.ts';
import { type CouponUseRow, couponUseExample, couponUseRow, couponUseTable } from '../models/coupons.ts';
import { type OrderRow, orderTable } from '../models/orders.ts';
import { damaged, type Marked } from './damaged.ts';
import type { Page, PageRequest } from './paging.ts';
import type { RowReader } from './reader.ts';

/** A use of a coupon with what became of its order. */
export const couponUse = couponUseRow.extend({
  orderStatus: column.oneOf(orderStatuses).nullable().describe('State of that order. Null: no order.'),
  paidAt: column.instant().nullable().describe('When that order was paid. Null: not yet, or never.'),
  totalCents: column.cents().nullable().describe('What that order costs, in minor units of the currency.'),
  refundedCents: column.cents().nullable().describe('What was given back of all its payments (CHK-6).'),
  currency: column.text().nullable().describe('Currency of the amounts (ISO 4217). Null: no order.'),
  damaged,
});
export type CouponUse = z.infer<typeof couponUse>;

const noOrder = { orderStatus: null, paidAt: null, totalCents: null, refundedCents: null, currency: null };

export const couponUseWithOrderExample: CouponUse = {
  ...couponUseExample,
  ...{ orderStatus: 'open', paidAt: '2026-03-01T09:30:04.000Z', totalCents: 8100, refundedCents: 0, currency: 'USD' },
  damaged: false,
};

export const couponUseListing = { by: 'triedAt', newestFirst: true, filters: ['couponId', 'customerId'] } as const;

export const couponRows = (reader: RowReader) => {
  const listRows = reader.listing(couponUseTable, couponUseListing);
  return {
    async listUses(
      caller: Caller,
      request: PageRequest & { readonly couponId: string; readonly customerId?: string | undefined },
    ): Promise<Page<CouponUse>> {
      const page = await listRows(caller, request);
      return { ...page, items: await withOrders(reader, caller, page.items) };
    },
  };
};

/** Another query instead of a join: the two models may be at different positions, and each is consistent by itself. */
async function withOrders(
  reader: RowReader,
  caller: Caller,
  uses: readonly Marked<CouponUseRow>[],
): Promise<CouponUse[]> {
  const ids = uses.flatMap(({ orderId }) => orderId ?? []);
  const found = ids.length === 0 ? [] : await reader.rows(caller, orderTable).where('orderId', 'in', ids).execute();
  const orders = new Map((found as unknown as OrderRow[]).map((order) => [order.orderId, order]));
  return uses.map((use) => ({ ...use, ...orderOf(orders.get(use.orderId ?? '')) }));
}

const orderOf = (order: OrderRow | undefined) =>
  order
    ? {
        orderStatus: order.status,
        paidAt: order.paidAt,
        totalCents: order.totalCents,
        refundedCents: order.refundedCents,
        currency: order.currency,
      }
    : noOrder;
