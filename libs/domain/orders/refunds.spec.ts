import { given, minute } from '#test/given';
import { addHours } from '../kernel/instants.ts';
import { type OrderEvent, order } from './order.ts';
import { REFUND_RETRY_HOURS } from './refunds.ts';

const CURRENCY = 'USD';
const placed = {
  type: 'OrderPlaced',
  data: {
    at: minute(0),
    customerId: 'c1',
    storeId: 's1',
    leadTypeId: 't1',
    quantity: 10,
    bonusLeads: 0,
    timeZone: 'UTC',
    pricePerLeadCents: 100,
    totalCents: 1000,
    currency: CURRENCY,
    paymentToken: { keyId: 'k', box: 'AAAA', secret: true },
    statementDescriptor: 'STORE',
    policyVersion: 1,
  },
} as const satisfies OrderEvent;
const payment = { reference: 'pay_1', amountCents: 1000, currency: CURRENCY };
const paid: OrderEvent = { type: 'PaymentCaptured', data: { at: minute(1), ...payment } };
const cancelled: OrderEvent = { type: 'OrderCancelled', data: { at: minute(1), undeliveredLeads: 10 } };
const late: OrderEvent = { type: 'PaymentCapturedTooLate', data: { at: minute(2), ...payment } };

const refund = (refundId: string, amountCents: number) => ({
  refundId,
  renewalNumber: 0,
  amountCents,
  currency: CURRENCY,
});
const byHand = (refundId: string, amountCents?: number) =>
  ({
    type: 'WishRefund',
    at: minute(3),
    refundId,
    renewalNumber: 0,
    cause: 'by-hand',
    ...(amountCents !== undefined && { amountCents }),
  }) as const;
const bySelf = { ...byHand('r0'), cause: 'captured-too-late' } as const;
const wished = (
  refundId: string,
  amountCents: number,
  cause: 'by-hand' | 'captured-too-late' = 'by-hand',
): OrderEvent => ({
  type: 'RefundWished',
  data: { at: minute(3), ...refund(refundId, amountCents), reference: 'pay_1', cause },
});
const failed = (attempt: number, failure: 'no-balance' | 'disputed', retryAt?: string): OrderEvent => ({
  type: 'RefundFailed',
  data: { at: minute(4), ...refund('r1', 400), attempt, failure, ...(retryAt && { retryAt }) },
});
const fails = (attempt: number, failure: 'no-balance' | 'disputed') =>
  ({ type: 'RecordRefundFailed', at: minute(4), refundId: 'r1', attempt, failure }) as const;

describe('a refund', () => {
  it('of a payment that came too late is of all that is left of it', () => {
    given(order, placed, cancelled, late)
      .when(bySelf)
      .thenRecords(wished('r0', 1000, 'captured-too-late'));
    given(order, placed, cancelled, late, wished('r1', 400))
      .when(bySelf)
      .thenRecords(wished('r0', 600, 'captured-too-late'));
    given(order, placed, cancelled, late, wished('r1', 1000)).when(bySelf).thenNothing();
  });

  it('by hand is of the whole or of a part, and never of more than is left', () => {
    given(order, placed, paid).when(byHand('r1')).thenRecords(wished('r1', 1000));
    given(order, placed, paid, wished('r1', 400)).when(byHand('r2')).thenRecords(wished('r2', 600));
    given(order, placed, paid, wished('r1', 400)).when(byHand('r2', 601)).thenRefuses('refund-above-payment', 'CHK-6');
    given(order, placed, paid, wished('r1', 1000)).when(byHand('r2')).thenRefuses('refund-above-payment', 'CHK-6');
  });

  it('of too much is refused with what is left, in the currency of the payment', () => {
    const yen: OrderEvent = { type: 'PaymentCaptured', data: { at: minute(1), ...payment, currency: 'JPY' } };
    given(order, placed, yen).when(byHand('r1', 1001)).thenRefuses('refund-above-payment', 'CHK-6');
    const refusal = order.decide(byHand('r1', 1001), [placed, yen].reduce(order.evolve, order.initialState()));
    expect(refusal).toMatchObject({ message: 'of this payment 1000 JPY may be given back' });
  });

  it('of a renewal is of its own payment', () => {
    const reopened: OrderEvent = {
      type: 'PaymentCapturedTooLate',
      data: { at: minute(2), reference: 'pay_2', amountCents: 700, currency: CURRENCY, renewalNumber: 1 },
    };
    given(order, placed, paid, cancelled, reopened)
      .when({ ...byHand('r1'), renewalNumber: 1 })
      .thenRecords({
        type: 'RefundWished',
        data: { at: minute(3), ...refund('r1', 700), renewalNumber: 1, reference: 'pay_2', cause: 'by-hand' },
      });
  });

  it('needs a payment: an order that is unpaid, or cost nothing, has none', () => {
    given(order, placed).when(byHand('r1')).thenRefuses('payment-not-captured', 'CHK-6');
    const free: OrderEvent = { type: 'PaymentCaptured', data: { at: minute(1), ...payment, amountCents: 0 } };
    given(order, placed, free).when(byHand('r1')).thenRefuses('payment-not-captured', 'CHK-6');
  });

  it('that is made is recorded once', () => {
    given(order, placed, paid, wished('r1', 400))
      .when({ type: 'RecordRefunded', at: minute(4), refundId: 'r1', attempt: 1, reference: 're_1' })
      .thenRecords({
        type: 'PaymentRefunded',
        data: { at: minute(4), ...refund('r1', 400), attempt: 1, reference: 're_1' },
      });
  });

  it('that may mend is tried again with growing delays, and then waits for an operator', () => {
    let past: OrderEvent[] = [placed, paid, wished('r1', 400)];
    for (const [index, hours] of [...REFUND_RETRY_HOURS, undefined].entries()) {
      const next = failed(index + 1, 'no-balance', hours === undefined ? undefined : addHours(minute(4), hours));
      given(order, ...past)
        .when(fails(index + 1, 'no-balance'))
        .thenRecords(next);
      past = [...past, next];
    }
    given(order, ...past)
      .when({ type: 'RetryRefund', at: minute(5), refundId: 'r1' })
      .thenRecords({ type: 'RefundRetried', data: { at: minute(5), refundId: 'r1' } });
  });

  it('that cannot mend waits for an operator at once, who gives the money back in another way', () => {
    given(order, placed, paid, wished('r1', 400)).when(fails(1, 'disputed')).thenRecords(failed(1, 'disputed'));
    const settle = { type: 'SettleRefund', at: minute(5), refundId: 'r1' } as const;
    const settled: OrderEvent = { type: 'RefundSettled', data: { at: minute(5), ...refund('r1', 400) } };
    given(order, placed, paid, wished('r1', 400), failed(1, 'disputed')).when(settle).thenRecordsEachTime(settled);
    for (const type of ['SettleRefund', 'RetryRefund'] as const)
      given(order, placed, paid, wished('r1', 400), failed(1, 'disputed'), settled)
        .when({ ...settle, type })
        .thenRefuses('refund-settled', 'CHK-6');
    given(order, placed, paid, wished('r1', 400)).when(settle).thenRefuses('refund-under-way', 'CHK-6');
  });
});

describe('a refund that the bank of the card sends back', () => {
  const made: OrderEvent = {
    type: 'PaymentRefunded',
    data: { at: minute(4), ...refund('r1', 400), attempt: 1, reference: 're_1' },
  };
  const back: OrderEvent = {
    type: 'RefundReturned',
    data: { at: minute(5), ...refund('r1', 400), attempt: 1, reference: 'pay_1' },
  };
  const comesBack = { type: 'RecordRefundReturned', at: minute(5), refundId: 'r1', reference: 're_1' } as const;
  const past = [placed, paid, wished('r1', 400)] as const;

  it('waits for an operator, who retries it under the next number, or gives the money back in another way', () => {
    given(order, ...past, made)
      .when(comesBack)
      .thenRecords(back);
    given(order, ...past, made, back)
      .when({ type: 'RetryRefund', at: minute(6), refundId: 'r1' })
      .thenRecords({ type: 'RefundRetried', data: { at: minute(6), refundId: 'r1' } });
    given(order, ...past, made, back)
      .when({ type: 'RecordRefunded', at: minute(7), refundId: 'r1', attempt: 2, reference: 're_2' })
      .thenRecords({
        type: 'PaymentRefunded',
        data: { at: minute(7), ...refund('r1', 400), attempt: 2, reference: 're_2' },
      });
    given(order, ...past, made, back)
      .when({ type: 'SettleRefund', at: minute(6), refundId: 'r1' })
      .thenRecordsEachTime({ type: 'RefundSettled', data: { at: minute(6), ...refund('r1', 400) } });
  });

  it('that is made is neither retried nor settled in another way', () => {
    for (const type of ['SettleRefund', 'RetryRefund'] as const)
      given(order, ...past, made)
        .when({ type, at: minute(6), refundId: 'r1' })
        .thenRefuses('refund-made', 'CHK-6');
  });

  it('is told again while it has no result: it may be the one that came back', () => {
    given(order, ...past)
      .when(comesBack)
      .thenRefuses('refund-under-way', 'CHK-6');
    given(order, ...past, made, back, { type: 'RefundRetried', data: { at: minute(6), refundId: 'r1' } })
      .when(comesBack)
      .thenRefuses('refund-under-way', 'CHK-6');
  });

  it('was made under that name: another one is unknown, but may be of an attempt that failed', () => {
    const other = { ...comesBack, reference: 're_0' };
    given(order, ...past, made)
      .when(other)
      .thenRefuses('refund-unknown', 'CHK-6');
    given(order, ...past, made, back)
      .when(other)
      .thenRefuses('refund-unknown', 'CHK-6');
    given(order, ...past, failed(1, 'disputed'), { ...made, data: { ...made.data, attempt: 2 } })
      .when(other)
      .thenNothing();
  });

  it('is told again: nothing new is recorded, also of one that was made anew since then', () => {
    given(order, ...past, made, back)
      .when(comesBack)
      .thenNothing();
    const anew = { type: 'PaymentRefunded', data: { ...made.data, attempt: 2, reference: 're_2' } } as OrderEvent;
    given(order, ...past, made, back, { type: 'RefundRetried', data: { at: minute(6), refundId: 'r1' } }, anew)
      .when(comesBack)
      .thenNothing();
  });

  it('is still owed: no more is given back by another refund', () => {
    given(order, ...past, made, back)
      .when(byHand('r2', 601))
      .thenRefuses('refund-above-payment', 'CHK-6');
  });
});

describe('a dispute', () => {
  const told = { disputeId: 'dp_1', ...payment, reason: 'fraudulent' } as const;
  const tell = (stage: 'opened' | 'won' | 'lost') =>
    ({ type: 'RecordDispute', at: minute(5), ...told, stage }) as const;
  const disputed = (stage: 'opened' | 'won' | 'lost'): OrderEvent => ({
    type: 'PaymentDisputed',
    data: { at: minute(5), ...told, renewalNumber: 0, stage },
  });

  it('is opened, and won or lost; repeats change nothing, nor does what comes late', () => {
    given(order, placed, paid).when(tell('opened')).thenRecords(disputed('opened'));
    given(order, placed, paid, disputed('opened')).when(tell('lost')).thenRecords(disputed('lost'));
    given(order, placed, paid, disputed('lost')).when(tell('opened')).thenNothing();
    given(order, placed, paid)
      .when({ ...tell('opened'), reference: 'pay_9' })
      .thenRefuses('payment-not-captured');
  });

  it('that is not won leaves nothing to be given back by hand', () => {
    given(order, placed, paid, disputed('lost')).when(byHand('r1')).thenRefuses('refund-above-payment');
    given(order, placed, paid, disputed('won')).when(byHand('r1')).thenRecords(wished('r1', 1000));
  });

  it('in another currency than the payment leaves nothing of it to be given back by hand, until it is won', () => {
    const inEuros = (stage: 'opened' | 'won' | 'lost'): OrderEvent => {
      const { data } = disputed(stage) as Extract<OrderEvent, { type: 'PaymentDisputed' }>;
      return { type: 'PaymentDisputed', data: { ...data, amountCents: 137, currency: 'EUR' } };
    };
    for (const stage of ['opened', 'lost'] as const)
      given(order, placed, paid, inEuros(stage)).when(byHand('r1', 1)).thenRefuses('refund-above-payment', 'CHK-6');
    const past = [placed, paid, inEuros('lost')].reduce(order.evolve, order.initialState());
    expect(order.decide(byHand('r1'), past)).toMatchObject({
      message: 'of this payment 0.00 USD may be given back: it is disputed in another currency',
    });
    given(order, placed, paid, inEuros('won')).when(byHand('r1')).thenRecords(wished('r1', 1000));
  });

  it('that is not won holds back what was wished by hand before: it is neither retried nor settled', () => {
    const stuck = [placed, paid, wished('r1', 400), failed(1, 'disputed')] as const;
    const part = (amountCents: number): OrderEvent => {
      const { data } = disputed('lost') as Extract<OrderEvent, { type: 'PaymentDisputed' }>;
      return { type: 'PaymentDisputed', data: { ...data, amountCents } };
    };
    const retry = { type: 'RetryRefund', at: minute(6), refundId: 'r1' } as const;
    const settle = { ...retry, type: 'SettleRefund' } as const;
    const retried: OrderEvent = { type: 'RefundRetried', data: { at: minute(6), refundId: 'r1' } };
    for (const stage of ['opened', 'lost'] as const)
      for (const command of [retry, settle])
        given(order, ...stuck, disputed(stage))
          .when(command)
          .thenRefuses('refund-above-payment', 'CHK-6');
    for (const enough of [disputed('won'), part(600)])
      given(order, ...stuck, enough)
        .when(retry)
        .thenRecords(retried);
    given(order, ...stuck, part(601))
      .when(retry)
      .thenRefuses('refund-above-payment', 'CHK-6');
    // Another one that waits is decided about by itself; one that is made counts.
    given(order, ...stuck, wished('r2', 600), part(600))
      .when(retry)
      .thenRefuses('refund-above-payment', 'CHK-6');
    const otherFailed: OrderEvent = {
      type: 'RefundFailed',
      data: { at: minute(4), ...refund('r2', 600), attempt: 1, failure: 'disputed' },
    };
    given(order, ...stuck, wished('r2', 600), otherFailed, part(600))
      .when(retry)
      .thenRecords(retried);
  });

  it('does not hold back what came too late: it is owed in any case, and an operator says that the bank has taken it', () => {
    const past = [placed, cancelled, late, wished('r1', 1000, 'captured-too-late')] as const;
    const refused: OrderEvent = {
      type: 'RefundFailed',
      data: { at: minute(4), ...refund('r1', 1000), attempt: 1, failure: 'disputed' },
    };
    given(order, ...past, refused, disputed('lost'))
      .when({ type: 'SettleRefund', at: minute(6), refundId: 'r1' })
      .thenRecordsEachTime({ type: 'RefundSettled', data: { at: minute(6), ...refund('r1', 1000) } });
  });
});
