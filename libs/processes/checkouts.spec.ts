import { checkoutStream, orderIdOf } from '#domain/checkouts/checkout';
import { couponStream } from '#domain/coupons/coupon';
import { orderStream } from '#domain/orders/order';
import { driveProcess } from '#test/process-driver';
import { checkoutCoupons } from './checkout-coupons.ts';
import { checkoutEnd } from './checkout-end.ts';
import type { CommandWish } from './process.ts';

const START = '2026-05-01T10:00:00.000Z';
const LATER = '2026-05-01T10:00:30.000Z';
const checkout = checkoutStream('k1');

describe('the order of a checkout', () => {
  const orderId = orderIdOf('k1');
  const order = { customerId: 'c1', quantity: 10, totalCents: 6000 };
  const placed = (more: object = { order }) => [checkout, 'CheckoutPlaced', { orderId, ...more }] as const;
  const followed = [orderStream(orderId), 'OrderPlaced', { ...order, checkoutId: 'k1' }] as const;

  it('CHK-1: is placed from the checkout when the request that closed it did not', () => {
    const process = driveProcess(checkoutEnd, START);
    process.fold(...placed());
    expect([process.wishes(), process.wakesAt()]).toEqual([[], LATER]);
    expect(process.wishes(LATER)).toMatchObject([
      { stream: orderStream(orderId), command: { type: 'PlacePromisedOrder', checkoutId: 'k1', ...order } },
    ]);
    process.fold(...followed);
    // Recording it again changes nothing.
    expect(process.wishesAt(LATER)).toEqual(['RecordPlaced']);
  });

  it('CHK-1: is not placed again when it is there', () => {
    const process = driveProcess(checkoutEnd, START);
    process.fold(...placed());
    process.fold(...followed);
    expect([process.wishesAt(LATER), process.wakesAt()]).toEqual([[], undefined]);
  });

  it('CHK-1: of an older version closes its checkout', () => {
    const process = driveProcess(checkoutEnd, START);
    process.fold(...followed);
    expect(process.wishesAt()).toEqual(['RecordPlaced']);
    process.fold(...placed({}));
    expect(process.wishesAt(LATER)).toEqual([]);
  });
});

describe('a code that was used for a checkout', () => {
  const use = { code: 'A', customerId: 'c1', checkoutId: 'k1' };
  const used = [couponStream('A'), 'CouponUsed', { ...use, discount: { percent: 10 } }] as const;
  const refuse = (process: { state: () => unknown }, wish: CommandWish, code: string) =>
    checkoutCoupons.refused?.(process.state() as never, wish, { refused: true, code, message: '' } as never);

  it('CPN-2: is taken by it when the request did not finish', () => {
    const process = driveProcess(checkoutCoupons, START);
    process.fold(...used);
    expect([process.wishes(), process.wakesAt()]).toEqual([[], LATER]);
    expect(process.wishes(LATER)).toMatchObject([
      { stream: checkout, command: { type: 'TakeCoupon', code: 'A', discount: { percent: 10 } } },
    ]);
  });

  it.each([
    [checkout, 'CheckoutCouponTaken', { code: 'A' }],
    [couponStream('A'), 'CouponReturned', use],
    [couponStream('A'), 'CouponReplaced', use],
    [orderStream('k1'), 'OrderPlaced', { coupon: { code: 'A' } }],
  ] as const)('CPN-2: needs nothing after %s %s', (stream, type, data) => {
    const process = driveProcess(checkoutCoupons, START);
    process.fold(...used);
    process.fold(stream, type, data);
    expect([process.wishesAt(LATER), process.wakesAt()]).toEqual([[], undefined]);
  });

  it('CPN-2: is returned when the checkout refuses it', () => {
    const process = driveProcess(checkoutCoupons, START);
    process.fold(...used);
    const [take] = process.wishes(LATER) as CommandWish[];
    refuse(process, take as CommandWish, 'one-coupon-only');
    const [giveBack] = process.wishes(LATER) as CommandWish[];
    expect(giveBack).toMatchObject({
      stream: couponStream('A'),
      command: { type: 'ReturnCoupon', customerId: 'c1', checkoutId: 'k1' },
    });
    refuse(process, giveBack as CommandWish, 'not-yours');
    expect(process.wishes(LATER)).toEqual([]);
  });

  it('CPN-2: stays used when it is for an order without a checkout: a repeat of the request finds it', () => {
    const process = driveProcess(checkoutCoupons, START);
    process.fold(...used);
    const [take] = process.wishes(LATER) as CommandWish[];
    refuse(process, take as CommandWish, 'checkout-unknown');
    expect(process.wishes(LATER)).toEqual([]);
  });
});
