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
const offer = {
  ...{ quantity: 10, timeZone: 'America/New_York', pricePerLeadCents: 333, currency: 'USD' },
  ...{ statementDescriptor: 'LEADGER', policyVersion: 1 },
};
const quote = { ...offer, bonusLeads: 0, totalCents: 3330 };
const quoted: CheckoutEvent = { type: 'CheckoutQuoted', data: { at: minute(0), ...quote } };
const discounted: CheckoutEvent = {
  type: 'CheckoutQuoted',
  data: { at: minute(1), ...quote, coupon: { code: 'A', discountCents: 333 }, totalCents: 2997 },
};
/** What another price would be quoted at. */
const dearer = { ...quote, pricePerLeadCents: 9999, totalCents: 99_990 };
const taken: CheckoutEvent = {
  type: 'CheckoutCouponTaken',
  data: { at: minute(1), code: 'A', discount: { percent: 10 } },
};
const paymentToken = { keyId: 'k1', purpose: 'payment-token' as const, box: 'AAAA', secret: true as const };
const terms = { customerId: 'c1', storeId: 'main', leadTypeId: 'exclusive-fresh', ...offer, paymentToken };
const place = { type: 'PlaceCheckout' as const, at: minute(2), orderId: 'o1', paymentToken, quote: dearer };
const placed: CheckoutEvent = { type: 'CheckoutPlaced', data: { at: minute(2), orderId: 'o1' } };
const abandoned: CheckoutEvent = { type: 'CheckoutAbandoned', data: { at: minute(2) } };

describe('a checkout', () => {
  it('CHK-1, CHK-5: begins with the requested order and what it shows, and is kept for a day', () => {
    given(checkout)
      .when({ type: 'StartCheckout', at: minute(0), ...wishes, quote })
      .thenRecords(started, quoted);
  });

  it('CHK-5: is not placed at another total than its customer saw', () => {
    given(checkout, started, quoted, taken, discounted)
      .when({ ...place, expectedTotalCents: 3330 })
      .thenRefuses('other-total', 'CHK-5');
    const placing = given(checkout, started, quoted, taken, discounted).when({ ...place, expectedTotalCents: 2997 });
    expect(placing.decision).toMatchObject([{ type: 'CheckoutPlaced', data: { order: { totalCents: 2997 } } }]);
  });

  it('CHK-5: promises nothing once its time is over, also before anybody has abandoned it', () => {
    const over = minute(24 * 60);
    given(checkout, started, quoted)
      .when({ ...place, at: over })
      .thenRefuses('checkout-abandoned', 'CHK-1');
    given(checkout, started, quoted)
      .when({ type: 'QuoteCheckout', at: over, quote: dearer })
      .thenRefuses('checkout-abandoned', 'CHK-1');
    given(checkout, started, quoted, placed)
      .when({ ...place, at: over })
      .thenNothing();
  });

  it('CHK-5: shows the discount of a coupon at the price that it showed before', () => {
    const take = { type: 'TakeCoupon' as const, at: minute(1), code: 'A', discount: { percent: 10 }, quote: dearer };
    given(checkout, started, quoted).when(take).thenRecords(taken, discounted);
    const replace = { type: 'ReplaceTakenCoupon' as const, at: minute(2), code: 'A', by: 'B' };
    given(checkout, started, quoted, taken, discounted)
      .when(replace)
      .thenRecords(
        { type: 'CheckoutCouponReplaced', data: { at: minute(2), code: 'A', by: 'B' } },
        { type: 'CheckoutQuoted', data: { at: minute(2), ...quote } },
      );
  });

  it('CHK-5: is quoted again with its coupon when the customer wishes something else, and keeps what is the same', () => {
    const again = {
      type: 'QuoteCheckout' as const,
      at: minute(2),
      quote: { ...quote, quantity: 20, totalCents: 6660 },
    };
    const coupon = { code: 'A', discountCents: 666 };
    given(checkout, started, quoted, taken, discounted)
      .when(again)
      .thenRecords({
        type: 'CheckoutQuoted',
        data: { at: minute(2), ...quote, quantity: 20, coupon, totalCents: 5994 },
      });
    given(checkout, started, quoted)
      .when({ ...again, quote })
      .thenNothing();
    given(checkout, started, quoted, placed).when(again).thenRefuses('checkout-placed');
    given(checkout, started, quoted, abandoned).when(again).thenRefuses('checkout-abandoned');
  });

  it('CHK-5: is placed as it was shown, whatever it would be quoted now', () => {
    const order = { ...terms, totalCents: 3330 };
    given(checkout, started, quoted)
      .when(place)
      .thenRecords({ type: 'CheckoutPlaced', data: { at: minute(2), orderId: 'o1', order } });
  });

  it('CHK-5: of an older version is quoted when it is placed, or takes a coupon', () => {
    const take = { type: 'TakeCoupon' as const, at: minute(1), code: 'A', discount: { percent: 10 }, quote };
    given(checkout, started).when(take).thenRecords(taken, discounted);
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
    given(checkout, started)
      .when({ ...place, quote })
      .thenRecords({ type: 'CheckoutQuoted', data: { at: minute(2), ...quote } }, closed);
    const take = { type: 'TakeCoupon' as const, at: minute(3), code: 'A', discount: { percent: 10 } };
    given(checkout, started, closed).when(take).thenRefuses('checkout-placed', 'CHK-1');
    given(checkout, started, abandoned).when(place).thenRefuses('checkout-abandoned');
    given(checkout).when(place).thenRefuses('checkout-unknown');
  });

  it('CHK-1: is placed with the discount of the coupon that it has at that moment', () => {
    const order = { ...terms, coupon: { code: 'A', discountCents: 333 }, totalCents: 2997 };
    given(checkout, started, quoted, taken, discounted)
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
