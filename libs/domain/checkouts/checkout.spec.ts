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
const terms = {
  ...{ customerId: 'c1', storeId: 'main', leadTypeId: 'exclusive-fresh', quantity: 10, timeZone: 'America/New_York' },
  ...{ pricePerLeadCents: 333, currency: 'USD', statementDescriptor: 'LEADGER', policyVersion: 1 },
  paymentToken: { keyId: 'k1', purpose: 'payment-token' as const, box: 'AAAA', secret: true as const },
};
const place = { type: 'PlaceCheckout' as const, at: minute(2), orderId: 'o1', order: terms };
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

  it('CHK-1: is placed with the terms of its order, and takes no coupon after that', () => {
    const full = { ...terms, totalCents: 3330 };
    const closed: CheckoutEvent = { type: 'CheckoutPlaced', data: { at: minute(2), orderId: 'o1', order: full } };
    given(checkout, started).when(place).thenRecords(closed);
    const take = { type: 'TakeCoupon' as const, at: minute(3), code: 'A', discount: { percent: 10 } };
    given(checkout, started, closed).when(take).thenRefuses('checkout-placed', 'CHK-1');
    given(checkout, started, abandoned).when(place).thenRefuses('checkout-abandoned');
    given(checkout).when(place).thenRefuses('checkout-unknown');
  });

  it('CHK-1: is placed with the discount of the coupon that it has at that moment', () => {
    const order = { ...terms, coupon: { code: 'A', discountCents: 333 }, totalCents: 2997 };
    given(checkout, started, taken)
      .when(place)
      .thenRecords({ type: 'CheckoutPlaced', data: { at: minute(2), orderId: 'o1', order } });
  });

  it('CPN-4: loses a coupon that support replaced, and takes only the new code', () => {
    const replace = { type: 'ReplaceTakenCoupon' as const, at: minute(2), code: 'A', by: 'B' };
    const replaced: CheckoutEvent = { type: 'CheckoutCouponReplaced', data: { at: minute(2), code: 'A', by: 'B' } };
    const takes = (code: string) => ({ type: 'TakeCoupon' as const, at: minute(3), code, discount: { percent: 10 } });
    for (const past of [[started, taken], [started]]) {
      given(checkout, ...past)
        .when(replace)
        .thenRecords(replaced);
      given(checkout, ...past, replaced)
        .when(takes('A'))
        .thenRefuses('one-coupon-only', 'CPN-4');
      given(checkout, ...past, replaced)
        .when(takes('C'))
        .thenRefuses('one-coupon-only', 'CPN-4');
      given(checkout, ...past, replaced)
        .when(takes('B'))
        .thenRecords({ type: 'CheckoutCouponTaken', data: { at: minute(3), code: 'B', discount: { percent: 10 } } });
    }
    given(checkout, started, taken, placed).when(replace).thenRefuses('checkout-placed');
    given(checkout, started, placed).when(replace).thenNothing();
    given(checkout, started, taken, abandoned).when(replace).thenNothing();
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
