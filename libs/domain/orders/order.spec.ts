import fc from 'fast-check';
import { given, minute } from '#test/given';
import type { DistributionDecision } from '../distribution/decision.ts';
import type { Bonus, LoyaltyTerms } from '../loyalty/bonus.ts';
import { type DailyMaximum, dailyMaximumOf, type OrderCommand, type OrderEvent, order, type Terms } from './order.ts';
import { addedLeads } from './standing.ts';

const box = (content: string): Terms['paymentToken'] => ({ keyId: 'k1', box: btoa(content), secret: true });

const terms: Terms = {
  customerId: 'c1',
  storeId: 'main',
  leadTypeId: 'exclusive-real-time',
  quantity: 3,
  bonusLeads: 0,
  dailyMaximum: 2,
  timeZone: 'America/New_York',
  pricePerLeadCents: 1000,
  currency: 'USD',
  paymentToken: box('tok_ok'),
  statementDescriptor: 'LEADGER',
  policyVersion: 1,
};
const loyalty: LoyaltyTerms = {
  cadence: 'weekly',
  cadenceDays: 7,
  exclusive: false,
  bonusPercents: [10, 10, 20, 30],
  standardBonusPercent: 10,
  pausesThatKeepTheLadder: 1,
};
const decision: DistributionDecision = {
  rule: 'order-served-longest-ago',
  rank: { placedAt: minute(0) },
  decidedAt: minute(5),
  eventsSeen: 7,
  decisionIndex: 0,
  policyVersion: 1,
};

const place = (change: Partial<Extract<OrderCommand, { type: 'PlaceOrder' }>> = {}): OrderCommand => ({
  type: 'PlaceOrder',
  at: minute(0),
  orderLimits: { smallest: 1, largest: 100 },
  batchType: false,
  ...terms,
  ...change,
});
const { bonusLeads: _bonus, ...promised } = terms;
const placePromised: OrderCommand = {
  type: 'PlacePromisedOrder',
  at: minute(0),
  ...promised,
  checkoutId: 'k1',
  coupon: { code: 'A', discountCents: 500 },
  totalCents: 2500,
};
const deliver = (leadId: string, at = minute(5), replacementFor?: string): OrderCommand => ({
  type: 'DeliverLead',
  at,
  leadId,
  leadTypeId: terms.leadTypeId,
  businessKey: 'abc',
  decision,
  ...(replacementFor && { replacementFor }),
});

const placed: OrderEvent = { type: 'OrderPlaced', data: { at: minute(0), ...terms, totalCents: 3000 } };
const money = { reference: 'r1', amountCents: 3000, currency: 'USD' };
const paid: OrderEvent = { type: 'PaymentCaptured', data: { at: minute(1), ...money } };
const paused: OrderEvent = { type: 'OrderPaused', data: { at: minute(2), pauseNumber: 1 } };
const cancelled: OrderEvent = { type: 'OrderCancelled', data: { at: minute(3), undeliveredLeads: 3 } };
const filled: OrderEvent = { type: 'OrderFilled', data: { at: minute(3), deliveredLeads: 3 } };
const declined: OrderEvent = { type: 'PaymentDeclined', data: { at: minute(1), reason: 'expired-card' } };
const delivered = (leadId: string, at = minute(5), replacementFor?: string): OrderEvent => ({
  type: 'LeadDelivered',
  data: {
    at,
    leadId,
    leadTypeId: terms.leadTypeId,
    customerId: 'c1',
    storeId: 'main',
    businessKey: 'abc',
    localDay: at.slice(0, 10),
    replacementFor,
    decision,
  },
});
const owed: OrderEvent = {
  type: 'ReplacementOwed',
  data: {
    at: minute(8),
    replacementId: 'r1',
    leadId: 'l1',
    leadTypeId: terms.leadTypeId,
    customerId: 'c1',
    owedSince: minute(7),
  },
};
const nextDay = '2026-05-02T10:00:00.000Z';

describe('an order', () => {
  it('CHK-1, CAT-3: is placed with the price that holds', () => {
    given(order).when(place()).thenRecords(placed);
  });

  it('CHK-1: is placed as its checkout promised; a repeat gets the same order', () => {
    given(order)
      .when(placePromised)
      .thenRecords({
        type: 'OrderPlaced',
        data: { ...placed.data, checkoutId: 'k1', coupon: { code: 'A', discountCents: 500 }, totalCents: 2500 },
      } as OrderEvent);
    given(order, placed).when(placePromised).thenNothing();
    given(order, placed, paid, filled).when(placePromised).thenNothing();
  });

  it('CHK-1: that has ended is not the answer to placing its checkout again', () => {
    given(order, placed, declined).when(placePromised).thenRefuses('order-payment-failed', 'CHK-1');
    given(order, placed, paid, cancelled).when(placePromised).thenRefuses('order-cancelled', 'CHK-1');
  });

  it.each([0, 101])('CAT-3: is not placed for %d leads where 1 to 100 are sold', (quantity) => {
    given(order).when(place({ quantity })).thenRefuses('quantity-outside-limits', 'CAT-3');
  });

  it('CHK-3: may have a daily maximum when its leads come in real time, and has none else', () => {
    const { dailyMaximum: _, ...unlimited } = place() as Extract<OrderCommand, { type: 'PlaceOrder' }>;
    expect(given(order).when(unlimited).decision).toHaveLength(1);
    given(order)
      .when(place({ batchType: true }))
      .thenRefuses('daily-maximum-on-batch-type', 'CHK-3');
    expect(given(order).when({ ...unlimited, batchType: true }).decision).toHaveLength(1);
  });

  it('CHK-5: is placed at the total that was shown, and at no other', () => {
    const { totalCents } = placed.data as { totalCents: number };
    expect(given(order).when({ ...place(), expectedTotalCents: totalCents } as OrderCommand).decision).toHaveLength(1);
    const other = given(order).when({ ...place(), expectedTotalCents: totalCents - 1 } as OrderCommand);
    other.thenRefuses('other-total', 'CHK-5');
    expect(other.decision).toMatchObject({
      details: { totalCents: String(totalCents), expectedTotalCents: String(totalCents - 1) },
    });
  });

  it('CHK-2: takes a percentage as that many leads, rounded up, at least 1', () => {
    expect(dailyMaximumOf({ percent: 10 }, 25)).toBe(3);
    expect(dailyMaximumOf({ percent: 1 }, 5)).toBe(1);
    expect(dailyMaximumOf({ percent: 100 }, 7)).toBe(7);
    expect(dailyMaximumOf({ percent: 16.1 }, 1000)).toBe(161);
    expect(dailyMaximumOf({ leads: 4 }, 1000)).toBe(4);
  });

  it('CHK-4: opens when its payment is captured, and ends when it is declined', () => {
    given(order, placed)
      .when({ type: 'CapturePayment', at: minute(1), ...money })
      .thenRecords(paid);
    given(order, placed)
      .when({ type: 'DeclinePayment', at: minute(1), reason: 'expired-card' })
      .thenRecords(declined);
    given(order, placed).when(deliver('l1')).thenRefuses('order-awaiting-payment', 'ORD-1');
    given(order, placed, declined).when(deliver('l1')).thenRefuses('order-payment-failed', 'ORD-1');
  });

  it('records a payment that arrived after it was cancelled', () => {
    given(order, placed, cancelled)
      .when({ type: 'CapturePayment', at: minute(4), ...money })
      .thenRecords({ type: 'PaymentCapturedTooLate', data: { at: minute(4), ...money } });
  });

  it('ORD-1: receives leads while it is open, and at no other time', () => {
    given(order, placed, paid).when(deliver('l1')).thenRecords(delivered('l1'));
    given(order, placed, paid, paused).when(deliver('l1')).thenRefuses('order-paused', 'ORD-1');
    given(order, placed, paid, cancelled).when(deliver('l1')).thenRefuses('order-cancelled', 'ORD-1');
    given(order, placed, paid, filled).when(deliver('l1')).thenRefuses('order-filled', 'ORD-1');
    given(order).when(deliver('l1')).thenRefuses('order-unknown');
  });

  it('ORD-2: is paused and restarted while it is open', () => {
    given(order, placed, paid)
      .when({ type: 'PauseOrder', at: minute(2) })
      .thenRecords(paused);
    given(order, placed, paid, paused)
      .when({ type: 'RestartOrder', at: minute(3) })
      .thenRecords({ type: 'OrderRestarted', data: { at: minute(3) } });
    given(order, placed)
      .when({ type: 'PauseOrder', at: minute(2) })
      .thenRefuses('order-awaiting-payment', 'ORD-2');
    given(order, placed, paid, filled)
      .when({ type: 'PauseOrder', at: minute(4) })
      .thenRefuses('order-filled', 'ORD-2');
    given(order, placed, paid, cancelled)
      .when({ type: 'RestartOrder', at: minute(4) })
      .thenRefuses('order-cancelled', 'ORD-2');
  });

  it('has an unknown payment when nobody can say what became of the charge, until it turns out that it was captured', () => {
    const money = { amountCents: 1000, currency: 'USD' };
    const record: OrderCommand = { type: 'RecordPaymentUnknown', at: minute(9), chargeKey: 'k1', ...money };
    const unknown: OrderEvent = { type: 'PaymentUnknown', data: { at: minute(9), chargeKey: 'k1', ...money } };
    given(order, placed).when(record).thenRecords(unknown);
    given(order, placed, cancelled).when(record).thenRecords(unknown);
    given(order, placed, paid).when(record).thenNothing();
    given(order, placed, cancelled, unknown)
      .when({ type: 'CapturePayment', at: minute(10), reference: 'pay_1', ...money })
      .thenRecords({ type: 'PaymentCapturedTooLate', data: { at: minute(10), reference: 'pay_1', ...money } });
  });

  describe('an unknown payment', () => {
    const money = { amountCents: 1000, currency: 'USD' };
    const unknown: OrderEvent = { type: 'PaymentUnknown', data: { at: minute(9), chargeKey: 'k1', ...money } };
    const resolve = (reference?: string): OrderCommand => ({
      ...{ type: 'ResolvePayment', at: minute(11) },
      ...(reference ? { result: 'captured', reference } : { result: 'not-captured' }),
    });
    const late: OrderEvent = {
      type: 'PaymentCapturedTooLate',
      data: { at: minute(11), reference: 'pay_1', ...money },
    };
    const notCaptured: OrderEvent = { type: 'PaymentNotCaptured', data: { at: minute(11), chargeKey: 'k1' } };
    const past = [placed, cancelled, unknown];

    it('is resolved by the staff: what was captured is owed back, also before the order is cancelled', () => {
      given(order, ...past)
        .when(resolve('pay_1'))
        .thenRecords(late);
      given(order, placed, unknown).when(resolve('pay_1')).thenRecords(late);
      given(order, ...past)
        .when(resolve())
        .thenRecords(notCaptured);
      expect(given(order, ...past, notCaptured).state().paymentUnknown).toBe(false);
      given(order, ...past, notCaptured)
        .when(resolve('pay_1'))
        .thenRecords(late);
    });

    it('is not resolved where all is known, against a capture, or without what belongs to it', () => {
      given(order, placed, paid).when(resolve()).thenRefuses('payment-known', 'CHK-4');
      for (const other of [resolve(), resolve('pay_2')])
        given(order, ...past, late)
          .when(other)
          .thenRefuses('payment-captured', 'CHK-4');
      given(order, ...past)
        .when({ type: 'ResolvePayment', at: minute(11), result: 'captured' })
        .thenRefuses('finding-incomplete', 'CHK-4');
    });

    it('takes a later answer of the provider, and is not unknown again', () => {
      const capture: OrderCommand = { type: 'CapturePayment', at: minute(11), reference: 'pay_1', ...money };
      given(order, ...past, notCaptured)
        .when(capture)
        .thenRecords(late);
      given(order, ...past, late)
        .when(capture)
        .thenNothing();
      given(order, placed, unknown).when(capture).thenRecords(late);
      const again: OrderCommand = { type: 'RecordPaymentUnknown', at: minute(12), chargeKey: 'k1', ...money };
      for (const known of [late, notCaptured])
        given(order, ...past, known)
          .when(again)
          .thenNothing();
    });
  });

  it('CHK-6: has a payment that was not captured when the provider says so after it was cancelled, and staff may correct that', () => {
    const money = { amountCents: 1000, currency: 'USD' };
    const record: OrderCommand = { type: 'RecordPaymentNotCaptured', at: minute(9), chargeKey: 'k1', ...money };
    const unknown: OrderEvent = { type: 'PaymentUnknown', data: { at: minute(9), chargeKey: 'k1', ...money } };
    const notCaptured: OrderEvent = { type: 'PaymentNotCaptured', data: { at: minute(9), chargeKey: 'k1' } };
    given(order, placed, cancelled).when(record).thenRecords(unknown, notCaptured);
    for (const past of [[], [paid], [cancelled, unknown]])
      given(order, placed, ...past)
        .when(record)
        .thenNothing();
    given(order, placed, cancelled, unknown, notCaptured)
      .when({ type: 'ResolvePayment', at: minute(11), result: 'captured', reference: 'pay_1' })
      .thenRecords({ type: 'PaymentCapturedTooLate', data: { at: minute(11), reference: 'pay_1', ...money } });
  });

  it('is cancelled with the reason when its customer is erased', () => {
    given(order, placed)
      .when({ type: 'CancelOrder', at: minute(9), cause: 'customer-erased' })
      .thenRecords({ type: 'OrderCancelled', data: { at: minute(9), undeliveredLeads: 3, cause: 'customer-erased' } });
  });

  it('ORD-5: is cancelled at any time before it is filled; what was not delivered is recorded', () => {
    const cancel: OrderCommand = { type: 'CancelOrder', at: minute(9) };
    const undelivered = (undeliveredLeads: number): OrderEvent => ({
      type: 'OrderCancelled',
      data: { at: minute(9), undeliveredLeads },
    });
    given(order, placed).when(cancel).thenRecords(undelivered(3));
    given(order, placed, paid, delivered('l1')).when(cancel).thenRecords(undelivered(2));
    given(order, placed, paid, paused).when(cancel).thenRecords(undelivered(3));
    given(order, placed, paid, filled).when(cancel).thenRefuses('order-filled', 'ORD-5');
  });

  it('ORD-6: is filled with the last lead that was ordered', () => {
    const past = [placed, paid, delivered('l1'), delivered('l2', minute(6))];
    given(order, ...past)
      .when(deliver('l3', nextDay))
      .thenRecords(delivered('l3', nextDay), { type: 'OrderFilled', data: { at: nextDay, deliveredLeads: 3 } });
  });

  it('DLV-5: has no more than its maximum on a local day, and says when that is reached', () => {
    given(order, placed, paid, delivered('l1'))
      .when(deliver('l2', minute(6)))
      .thenRecords(delivered('l2', minute(6)), {
        type: 'DailyMaximumReached',
        data: { at: minute(6), localDay: '2026-05-01', deliveredLeads: 2 },
      });
    const full = [placed, paid, delivered('l1'), delivered('l2', minute(6))];
    given(order, ...full)
      .when(deliver('l3', minute(7)))
      .thenRefuses('daily-maximum-reached', 'DLV-5');
    // Still the first of May in New York.
    given(order, ...full)
      .when(deliver('l3', '2026-05-02T03:59:59.999Z'))
      .thenRefuses('daily-maximum-reached', 'DLV-5');
    expect(given(order, ...full).when(deliver('l3', '2026-05-02T04:00:00.000Z')).decision).toHaveLength(2);
  });

  it('DLV-5: a clock that is set back does not start a day again', () => {
    const full = [placed, paid, delivered('l1', nextDay), delivered('l2', nextDay)];
    given(order, ...full)
      .when(deliver('l3', minute(7)))
      .thenRefuses('daily-maximum-reached', 'DLV-5');
    given(order, placed, paid, delivered('l1', nextDay), delivered('l2', minute(7)))
      .when(deliver('l3', nextDay))
      .thenRefuses('daily-maximum-reached', 'DLV-5');
  });

  it('RPL-6: is owed a replacement once, and gets it even if it is filled or has reached its maximum', () => {
    const oweIt: OrderCommand = {
      type: 'OweReplacement',
      at: minute(8),
      replacementId: 'r1',
      leadId: 'l1',
      owedSince: minute(7),
    };
    given(order, placed, paid, delivered('l1')).when(oweIt).thenRecords(owed);
    given(order, placed, paid).when(oweIt).thenRefuses('lead-not-delivered', 'RPL-6');
    const full = [placed, paid, delivered('l1'), delivered('l2', minute(6)), owed];
    given(order, ...full, filled)
      .when(deliver('l9', minute(9), 'r1'))
      .thenRecords(delivered('l9', minute(9), 'r1'));
    given(order, ...full)
      .when(deliver('l9', minute(9), 'r1'))
      .thenRecords(delivered('l9', minute(9), 'r1'));
    given(order, ...full, delivered('l9', minute(9), 'r1'))
      .when(oweIt)
      .thenNothing();
    given(order, ...full, delivered('l9', minute(9), 'r1'))
      .when(deliver('l10', minute(9), 'r1'))
      .thenRefuses('replacement-not-owed', 'RPL-6');
  });

  it('RPL-10: owes a replacement again when its verdict was corrected and corrected back', () => {
    const about = { at: minute(9), replacementId: 'r1', cause: 'verdict-corrected' } as const;
    const oweIt = {
      type: 'OweReplacement',
      at: minute(10),
      replacementId: 'r1',
      leadId: 'l1',
      owedSince: minute(7),
    } as const;
    const forgiven: OrderEvent = { type: 'ReplacementForgiven', data: { ...about, leadId: 'l1' } };
    const past = [placed, paid, delivered('l1'), owed];
    given(order, ...past)
      .when({ type: 'ForgiveReplacement', ...about })
      .thenRecords(forgiven);
    given(order, ...past, delivered('l9', minute(8), 'r1'))
      .when({ type: 'ForgiveReplacement', ...about })
      .thenNothing();
    given(order, ...past, forgiven)
      .when(deliver('l9', minute(10), 'r1'))
      .thenRefuses('replacement-not-owed', 'RPL-6');
    expect(given(order, ...past, forgiven).when(oweIt).decision).toMatchObject([{ type: 'ReplacementOwed' }]);
  });

  it('RPL-2: promises the end of the window for returns with the delivery', () => {
    const { decision } = given(order, placed, paid).when({ ...deliver('l1'), returnWindowDays: 5 } as OrderCommand);
    const [event] = decision as OrderEvent[];
    expect(event?.data).toMatchObject({ at: minute(5), returnableUntil: '2026-05-06T10:05:00.000Z' });
  });

  it('owes no replacement any more once it is forgiven, and does not owe it again', () => {
    const cause = 'customer-erased';
    const forgive: OrderCommand = { type: 'ForgiveReplacement', at: minute(9), replacementId: 'r1', cause };
    const forgiven: OrderEvent = {
      type: 'ReplacementForgiven',
      data: { at: minute(9), replacementId: 'r1', leadId: 'l1', cause },
    };
    const past = [placed, paid, delivered('l1'), owed];
    given(order, ...past)
      .when(forgive)
      .thenRecords(forgiven);
    given(order, placed, paid).when(forgive).thenNothing();
    given(order, ...past, forgiven)
      .when(deliver('l9', minute(10), 'r1'))
      .thenRefuses('replacement-not-owed', 'RPL-6');
    given(order, ...past, forgiven)
      .when({ type: 'OweReplacement', at: minute(10), replacementId: 'r1', leadId: 'l1', owedSince: minute(7) })
      .thenNothing();
  });

  it('RPL-9: gets its replacement even if it was cancelled; ORD-2: not while it is paused', () => {
    const past = [placed, paid, delivered('l1'), owed];
    given(order, ...past, cancelled)
      .when(deliver('l9', minute(9), 'r1'))
      .thenRecords(delivered('l9', minute(9), 'r1'));
    given(order, ...past, paused)
      .when(deliver('l9', minute(9), 'r1'))
      .thenRefuses('order-paused', 'ORD-2');
  });

  describe('in Loyalty Rewards', () => {
    const bonus = (bonusPercent: number, rule: Bonus['rule'] = 'ladder'): Bonus => ({
      bonusPercent,
      bonusLeads: bonusPercent / 10,
      rule,
    });
    const joinedTerms = { ...terms, quantity: 10, loyalty };
    const joined: OrderEvent = {
      type: 'OrderPlaced',
      data: { at: minute(0), ...joinedTerms, bonusLeads: 1, totalCents: 10_000, nextBonus: bonus(10) },
    };
    const pauseIn = (number: number, nextBonus: Bonus): OrderEvent => ({
      type: 'OrderPaused',
      data: { at: minute(number), pauseNumber: number, nextBonus },
    });
    const restarted: OrderEvent = { type: 'OrderRestarted', data: { at: minute(2) } };
    const reopen = (renewalNumber: number): OrderCommand => ({
      type: 'ReopenOrder',
      at: minute(9),
      renewalNumber,
      paymentReference: 'r2',
      amountCents: 10_000,
      currency: 'USD',
    });
    const reopened = (renewalNumber: number, given: Bonus, pausesCounted: number, nextBonus: Bonus): OrderEvent => ({
      type: 'OrderReopened',
      data: {
        at: minute(9),
        renewalNumber,
        quantity: 10,
        ...given,
        pausesCounted,
        totalCents: 10_000,
        currency: 'USD',
        paymentReference: 'r2',
        policyVersion: 1,
        nextBonus,
      },
    });
    const first = reopened(1, bonus(10), 0, bonus(20));

    it('LOY-3: is placed with its bonus leads and the bonus of the next renewal', () => {
      given(order)
        .when(place({ quantity: 10, loyalty }))
        .thenRecords(joined);
    });

    it('LOY-2: is re-opened by the next renewal, once, whether it is filled, open or paused', () => {
      for (const past of [[], [filled], [pauseIn(1, bonus(10)), restarted]])
        expect(given(order, joined, paid, ...past).when(reopen(1)).decision).toHaveLength(1);
      given(order, joined, paid).when(reopen(1)).thenRecords(first);
      expect(given(order, joined, paid, filled, first).state()).toMatchObject({ status: 'open', orderedLeads: 22 });
      expect(given(order, joined, paid, pauseIn(1, bonus(10)), first).state().status).toBe('paused');
      given(order, joined, paid).when(reopen(2)).thenRefuses('renewal-out-of-turn', 'LOY-2');
      given(order, placed, paid).when(reopen(1)).thenRefuses('not-in-loyalty-rewards', 'LOY-1');
    });

    it('LOY-2: if it was cancelled meanwhile, it is not re-opened: the money must be refunded', () => {
      given(order, joined, paid, cancelled)
        .when(reopen(1))
        .thenRecords({
          type: 'PaymentCapturedTooLate',
          data: { at: minute(9), reference: 'r2', amountCents: 10_000, currency: 'USD', renewalNumber: 1 },
        });
    });

    it('LOY-4: counts pauses over its whole life; from the second on, renewals give the standard for good', () => {
      const once = pauseIn(1, bonus(10));
      given(order, joined, paid)
        .when({ type: 'PauseOrder', at: minute(1) })
        .thenRecords(once);
      const renewedOnce = [joined, paid, once, restarted, reopened(1, bonus(10), 1, bonus(20))];
      given(order, ...renewedOnce)
        .when(reopen(2))
        .thenRecords(reopened(2, bonus(20), 1, bonus(30)));
      const twice = pauseIn(2, bonus(10, 'ladder-lost'));
      given(order, ...renewedOnce)
        .when({ type: 'PauseOrder', at: minute(2) })
        .thenRecords(twice);
      given(order, ...renewedOnce, twice)
        .when(reopen(2))
        .thenRecords(reopened(2, bonus(10, 'ladder-lost'), 2, bonus(10, 'ladder-lost')));
    });

    it('ORD-3: a pause ends automatically, unless it is already over or the programme was cancelled; a later pause continues', () => {
      const restart = { afterDays: 7, policyVersion: 1 };
      const restartsAt = '2026-05-08T10:01:00.000Z';
      given(order, joined, paid)
        .when({ type: 'PauseOrder', at: minute(1), restart })
        .thenRecords({
          type: 'OrderPaused',
          data: { at: minute(1), pauseNumber: 1, restartsAt, policyVersion: 1, nextBonus: bonus(10) },
        });
      given(order, placed, paid)
        .when({ type: 'PauseOrder', at: minute(2), restart })
        .thenRecords(paused);
      const past = [joined, paid, pauseIn(1, bonus(10))];
      const automatically: OrderCommand = { type: 'RestartAutomatically', at: restartsAt, pauseNumber: 1 };
      given(order, ...past)
        .when(automatically)
        .thenRecords({ type: 'OrderRestarted', data: { at: restartsAt, automatic: true } });
      given(order, ...past, restarted, pauseIn(2, bonus(10, 'ladder-lost')))
        .when(automatically)
        .thenNothing();
      given(order, ...past, cancelled)
        .when(automatically)
        .thenNothing();
    });

    it('LOY-3, LOY-4: the bonus that was announced last is the bonus that is given, after any history', () => {
      const ways = fc.array(fc.constantFrom<OrderCommand['type']>('PauseOrder', 'RestartOrder', 'ReopenOrder'), {
        maxLength: 40,
      });
      const promised = fc.record({ quantity: fc.integer({ min: 1, max: 100 }), exclusive: fc.boolean() });
      fc.assert(
        fc.property(ways, promised, (types, { quantity, exclusive }) => {
          const decide = (command: OrderCommand, log: readonly OrderEvent[]) =>
            order.decide(command, log.reduce(order.evolve, order.initialState())) as readonly OrderEvent[];
          const log = [...decide(place({ quantity, loyalty: { ...loyalty, exclusive } }), []), paid];
          for (const type of types) {
            const renewals = log.filter((event) => event.type === 'OrderReopened').length;
            const told = log.flatMap(({ data }) => ('nextBonus' in data && data.nextBonus ? [data.nextBonus] : []));
            const decided =
              type === 'ReopenOrder'
                ? decide(reopen(renewals + 1), log)
                : decide({ type, at: minute(2) } as OrderCommand, log);
            if (type === 'ReopenOrder') expect(decided[0]?.data).toMatchObject(told.at(-1) as Bonus);
            log.push(...decided);
          }
        }),
      );
    });
  });

  it('ORD-4: has its daily maximum changed by a number or a percentage, from that day on', () => {
    const change = (dailyMaximum: DailyMaximum): OrderCommand => ({
      type: 'ChangeDailyMaximum',
      at: minute(7),
      dailyMaximum,
    });
    const changed = (dailyMaximum: number): OrderEvent => ({
      type: 'DailyMaximumChanged',
      data: { at: minute(7), dailyMaximum },
    });
    given(order, placed, paid)
      .when(change({ leads: 5 }))
      .thenRecords(changed(5));
    given(order, placed, paid)
      .when(change({ percent: 1 }))
      .thenRecords(changed(1));
    given(order, placed, paid)
      .when(change({ leads: 2 }))
      .thenNothing();
    const full = [placed, paid, delivered('l1'), delivered('l2', minute(6))];
    expect(given(order, ...full, changed(3)).when(deliver('l3', minute(8))).decision).toHaveLength(3);
    given(order, ...full, changed(1))
      .when(deliver('l3', minute(8)))
      .thenRefuses('daily-maximum-reached', 'DLV-5');
    given(order, placed, paid, delivered('l1'))
      .when(change({ leads: 1 }))
      .thenRecords(changed(1), {
        type: 'DailyMaximumReached',
        data: { at: minute(7), localDay: '2026-05-01', deliveredLeads: 1 },
      });
    given(order, ...full)
      .when(change({ leads: 1 }))
      .thenRecords(changed(1));
    const { dailyMaximum: _, ...batch } = placed.data as Terms & { at: string; totalCents: number };
    given(order, { type: 'OrderPlaced', data: batch }, paid)
      .when(change({ leads: 5 }))
      .thenRefuses('daily-maximum-on-batch-type', 'CHK-3');
    given(order, placed, cancelled)
      .when(change({ leads: 5 }))
      .thenRefuses('order-cancelled', 'ORD-4');
  });

  it('ORD-4: has its payment card changed until it is over', () => {
    const change: OrderCommand = { type: 'ChangePaymentCard', at: minute(7), paymentToken: box('tok_new') };
    const changed: OrderEvent = { type: 'PaymentCardChanged', data: { at: minute(7), paymentToken: box('tok_new') } };
    for (const past of [[], [paid], [paid, filled], [paid, paused]])
      given(order, placed, ...past)
        .when(change)
        .thenRecords(changed);
    given(order, placed, paid, changed).when(change).thenNothing();
    for (const past of [[declined], [cancelled]])
      expect(given(order, placed, ...past).when(change).decision).toMatchObject({ refused: true, rule: 'ORD-4' });
  });

  it('ORD-6: after any commands in any order, it never has more than was ordered, nor more than its maximum', () => {
    const command = fc.oneof(
      fc.constant<OrderCommand>({ type: 'PauseOrder', at: minute(2) }),
      fc.constant<OrderCommand>({ type: 'RestartOrder', at: minute(2) }),
      fc.constant<OrderCommand>({
        type: 'OweReplacement',
        at: minute(2),
        replacementId: 'r1',
        leadId: 'l1',
        owedSince: minute(1),
      }),
      fc
        .record({
          lead: fc.integer({ min: 1, max: 9 }),
          day: fc.integer({ min: 1, max: 3 }),
          replacement: fc.constantFrom(undefined, 'r1'),
        })
        .map(({ lead, day, replacement }) => deliver(`l${lead}`, `2026-05-0${day}T12:00:00.000Z`, replacement)),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const log: OrderEvent[] = [placed, paid];
        for (const asked of commands) {
          const decision = order.decide(asked, log.reduce(order.evolve, order.initialState()));
          if ('refused' in decision) continue;
          log.push(...decision);
        }
        const counted = log.filter((event) => event.type === 'LeadDelivered' && !event.data.replacementFor);
        const perDay = Map.groupBy(counted, (event) => event.data.at.slice(0, 10));
        expect(counted.length).toBeLessThanOrEqual(addedLeads(terms));
        for (const [, ofDay] of perDay) expect(ofDay.length).toBeLessThanOrEqual(2);
        const leads = log.flatMap((event) => (event.type === 'LeadDelivered' ? [event.data.leadId] : []));
        expect(new Set(leads).size).toBe(leads.length);
      }),
    );
  });
});
