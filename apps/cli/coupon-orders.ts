import type { History } from '#audit/history';
import { type Readable, type ReplayOptions, replayOrRest } from '#audit/replay';
import { orderIdOf } from '#domain/checkouts/checkout';
import { hashOfEvent } from '#event-store/event-hash';

interface CouponOrder {
  readonly customerId: string;
  readonly checkoutId: string;
  /** Undefined: no order has the discount. */
  readonly orderId?: string;
  readonly status?: string;
}

/** What became of the checkouts and orders for which a coupon was used, at the same instant (CPN-4). */
export async function ordersOfCoupon(
  events: Readable,
  { events: past }: History,
  options: Omit<ReplayOptions, 'hashOf'>,
): Promise<readonly CouponOrder[]> {
  const uses = past.flatMap(({ type, data }) => (type === 'CouponUsed' ? [data as unknown as Use] : []));
  const byCheckout = new Map(uses.map((use) => [use.checkoutId, use]));
  const orders: CouponOrder[] = [];
  for (const { code, customerId, checkoutId } of byCheckout.values()) {
    const use = { customerId, checkoutId };
    orders.push({ ...use, ...(await orderWith(events, code, checkoutId, options)) });
  }
  return orders;
}

interface Use {
  readonly code: string;
  readonly customerId: string;
  readonly checkoutId: string;
}

/** An order that is placed without a checkout tries the code under its own id. */
async function orderWith(
  events: Readable,
  code: string,
  checkoutId: string,
  options: Omit<ReplayOptions, 'hashOf'>,
): Promise<Pick<CouponOrder, 'orderId' | 'status'>> {
  for (const orderId of [orderIdOf(checkoutId), checkoutId]) {
    const { state } = await replayOrRest(events, `order-${orderId}` as const, { ...options, hashOf: hashOfEvent });
    if (state?.terms?.coupon?.code === code) return { orderId, status: state.status };
  }
  return {};
}

/** One line for each checkout or order. */
export const tellCouponOrders = (orders: readonly CouponOrder[]): readonly string[] =>
  orders.length === 0 ? ['none'] : orders.map(tellCouponOrder);

const tellCouponOrder = ({ customerId, checkoutId, orderId, status }: CouponOrder): string =>
  orderId === undefined
    ? `customer ${customerId}, checkout ${checkoutId}: no order has the discount`
    : `customer ${customerId}, order ${orderId}: ${status?.replaceAll('-', ' ')}`;
