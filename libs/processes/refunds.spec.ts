import { addHours } from '#domain/kernel/instants';
import { driveProcess } from '#test/process-driver';
import { refunds } from './refunds.ts';

const AT = '2026-03-02T15:00:00.000Z';
const refund = { refundId: 'r1', renewalNumber: 0, amountCents: 400, currency: 'USD' };
const late = ['order-o1', 'PaymentCapturedTooLate', { reference: 'pay_1', amountCents: 400, currency: 'USD' }] as const;
const wished = ['order-o1', 'RefundWished', { ...refund, reference: 'pay_1' }] as const;
const failed = (retryAt?: string) =>
  ['order-o1', 'RefundFailed', { ...refund, attempt: 1, failure: 'no-balance', retryAt }] as const;

describe('money that is to be given back', () => {
  it('was captured too late: its refund is wished, unless it is of nothing', () => {
    const { fold, wishesAt } = driveProcess(refunds, AT);
    fold(...late);
    fold('order-o2', 'PaymentCapturedTooLate', { ...late[2], amountCents: 0 });
    expect(wishesAt()).toEqual(['WishRefund']);
    expect(wishesAt()).toEqual([]);
  });

  it('is asked for under one key, also after a restart; a new attempt has another key', () => {
    const keysAfter = (...facts: readonly (typeof wished | ReturnType<typeof failed>)[]) => {
      const { fold, wishes } = driveProcess(refunds, AT);
      for (const [stream, type, data] of facts) fold(stream, type, data);
      return wishes(addHours(AT, 1)).map(({ commandId }) => commandId);
    };
    const [key, again, next] = [keysAfter(wished), keysAfter(wished), keysAfter(wished, failed(addHours(AT, 1)))];
    expect(key).toHaveLength(1);
    expect(again).toEqual(key);
    expect(next).toHaveLength(1);
    expect(next).not.toEqual(key);
  });

  it('is asked for again when that is due, or an operator says so, until it is given back', () => {
    const { fold, wishesAt, wakesAt } = driveProcess(refunds, AT);
    fold(...wished);
    expect(wishesAt()).toEqual(['make-refund']);
    fold(...failed(addHours(AT, 1)));
    expect(wakesAt()).toBe(addHours(AT, 1));
    expect(wishesAt()).toEqual([]);
    expect(wishesAt(addHours(AT, 1))).toEqual(['make-refund']);
    fold(...failed());
    expect(wishesAt(addHours(AT, 99))).toEqual([]);
    fold('order-o1', 'RefundRetried', { refundId: 'r1' });
    expect(wishesAt()).toEqual(['make-refund']);
    fold('order-o1', 'PaymentRefunded', { ...refund, attempt: 2, reference: 're_1' });
    fold('order-o1', 'RefundRetried', { refundId: 'r1' });
    expect(wishesAt(addHours(AT, 99))).toEqual([]);
  });

  it('comes back from the bank: an operator says that it is asked for again, under another key', () => {
    const { fold, wishes } = driveProcess(refunds, AT);
    fold(...wished);
    const [first] = wishes();
    fold('order-o1', 'PaymentRefunded', { ...refund, attempt: 1, reference: 're_1' });
    fold('order-o1', 'RefundReturned', { ...refund, attempt: 1, reference: 'pay_1' });
    expect(wishes(addHours(AT, 99))).toEqual([]);
    fold('order-o1', 'RefundRetried', { refundId: 'r1' });
    const [second] = wishes();
    expect(second).toMatchObject({
      stream: 'order-o1',
      effect: { kind: 'make-refund', attempt: 2, reference: 'pay_1' },
    });
    expect(second?.commandId).not.toBe(first?.commandId);
  });
});
