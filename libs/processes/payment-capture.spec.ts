import { addDays, addHours } from '#domain/kernel/instants';
import { driveProcess } from '#test/process-driver';
import { paymentCapture } from './payment-capture.ts';

const AT = '2026-03-02T15:00:00.000Z';
const order = { customerId: 'c1', totalCents: 1000 };
const erased = ['erasures-main', 'PersonErased', { subjects: ['customer-c1'], personKeys: [], ends: [] }] as const;
const cancelled = ['order-o1', 'OrderCancelled', { cause: 'customer-erased' }] as const;

describe('the payment of an order', () => {
  it('is captured', () => {
    const { fold, wishesAt } = driveProcess(paymentCapture, AT);
    fold('order-o1', 'OrderPlaced', order);
    expect(wishesAt()).toEqual(['capture-payment']);
    expect(wishesAt()).toEqual([]);
  });

  it.each([
    ['three days after the cancellation, however old the order is', 0, addDays(AT, 3)],
    ['an hour after the start of a store that stood still', -4, addHours(AT, 1)],
  ])('CHK-6: of a cancelled order is asked for at once, and for the last time %s', (_, daysAgo, until) => {
    const { fold, wishes, wakesAt } = driveProcess(paymentCapture, AT);
    fold('order-o1', 'OrderPlaced', { ...order, at: addDays(AT, -9) });
    fold('order-o1', 'OrderCancelled', { at: addDays(AT, daysAgo) });
    const asked = [{ effect: { kind: 'capture-payment', onlyIfMadeUntil: until } }];
    expect(wishes()).toMatchObject(asked);
    expect(wishes()).toEqual([]);
    expect(wakesAt()).toBe(until);
    expect(wishes(until)).toMatchObject(asked);
    expect(wishes(addDays(until, 9))).toEqual([]);
  });

  it.each(['PaymentCapturedTooLate', 'PaymentUnknown', 'PaymentNotCaptured'] as const)(
    'CHK-6: of a cancelled order is not asked for any more after %s',
    (type) => {
      const { fold, wishes } = driveProcess(paymentCapture, AT);
      fold('order-o1', 'OrderPlaced', order);
      fold('order-o1', 'OrderCancelled', {});
      fold('order-o1', type, {});
      expect(wishes(addDays(AT, 9))).toEqual([]);
    },
  );

  it('CHK-6: that has no result when its order is cancelled is asked for after a restart, because it may have been begun', () => {
    const { fold, wishesAt } = driveProcess(paymentCapture, AT);
    fold('order-o1', 'OrderPlaced', order);
    expect(wishesAt()).toEqual(['capture-payment']);
    fold('order-o1', 'OrderCancelled', {});
    expect(wishesAt()).toEqual([]);
    expect(wishesAt(addDays(AT, 3))).toEqual(['capture-payment']);
    const restarted = driveProcess(paymentCapture, AT);
    restarted.fold('order-o1', 'OrderPlaced', order);
    restarted.fold('order-o1', 'OrderCancelled', {});
    const [wish] = restarted.wishes();
    expect(wish).toMatchObject({ effect: { kind: 'capture-payment', onlyIfMadeUntil: addDays(AT, 3) } });
    expect(restarted.wishesAt()).toEqual([]);
  });

  it('is not captured for an order that begins after its customer was erased', () => {
    const { fold, wishesAt } = driveProcess(paymentCapture, AT);
    fold(...erased);
    fold('order-o1', 'OrderPlaced', order);
    expect(wishesAt()).toEqual([]);
  });

  it.each([[{ reference: 'pay_1' }, 'PaymentCapturedTooLate'] as const, [{}, 'PaymentUnknown'] as const])(
    'that was outstanding when its customer was erased gets a result, also after a restart: until %j %s',
    (data, type) => {
      const { fold, wishesAt } = driveProcess(paymentCapture, AT);
      fold('order-o1', 'OrderPlaced', order);
      fold(...erased);
      fold(...cancelled);
      expect(wishesAt()).toEqual(['capture-payment']);
      const restarted = driveProcess(paymentCapture, AT);
      restarted.fold('order-o1', 'OrderPlaced', order);
      restarted.fold(...erased);
      restarted.fold(...cancelled);
      restarted.fold('order-o1', type, data);
      expect(restarted.wishesAt()).toEqual([]);
    },
  );

  it('of nothing needs no result', () => {
    const { fold, wishesAt } = driveProcess(paymentCapture, AT);
    fold('order-o1', 'OrderPlaced', { ...order, totalCents: 0 });
    fold(...erased);
    fold(...cancelled);
    expect(wishesAt()).toEqual([]);
  });
});
