import { given, minute } from '#test/given';
import { type CheckoutEvent, checkout } from './checkout.ts';

const wishes = {
  customerId: 'c1',
  storeId: 'main',
  leadTypeId: 'exclusive-fresh',
  quantity: 10,
  timeZone: 'America/New_York',
};
const started: CheckoutEvent = {
  type: 'CheckoutStarted',
  data: { at: minute(0), ...wishes, giveUpAt: minute(24 * 60) },
};
const taken: CheckoutEvent = {
  type: 'CheckoutCouponTaken',
  data: { at: minute(1), code: 'A', discount: { percent: 10 } },
};
const placed: CheckoutEvent = { type: 'CheckoutPlaced', data: { at: minute(2), orderId: 'o1' } };
const abandoned: CheckoutEvent = { type: 'CheckoutAbandoned', data: { at: minute(2) } };

describe('a checkout', () => {
  it('CHK-1: begins with the requested order, and is kept for a day', () => {
    given(checkout)
      .when({ type: 'StartCheckout', at: minute(0), ...wishes })
      .thenRecords(started);
  });

  it('CHK-1: accepts one coupon', () => {
    const take = { type: 'TakeCoupon' as const, at: minute(1), code: 'A', discount: { percent: 10 } };
    given(checkout, started).when(take).thenRecords(taken);
    given(checkout, started, taken)
      .when({ ...take, code: 'B' })
      .thenRefuses('one-coupon-only', 'CHK-1');
    given(checkout, started, placed).when(take).thenRefuses('checkout-placed');
    given(checkout).when(take).thenRefuses('checkout-unknown');
  });

  it('ends as placed or as abandoned; if the order exists after all, placed wins', () => {
    given(checkout, started)
      .when({ type: 'AbandonCheckout', at: minute(2) })
      .thenRecords(abandoned);
    given(checkout, started, placed)
      .when({ type: 'AbandonCheckout', at: minute(2) })
      .thenNothing();
    given(checkout, started, abandoned)
      .when({ type: 'RecordPlaced', at: minute(2), orderId: 'o1' })
      .thenRecords(placed);
  });
});
