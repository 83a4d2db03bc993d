import type { RawEvent } from './raw-log.ts';
import { RefundCheck } from './refunds.ts';

const DAY = 24 * 3_600_000;
const on = (day: number): string => new Date(Date.parse('2026-05-01T12:00:00.000Z') + day * DAY).toISOString();

type Line = readonly [type: string, data: object, orderId?: string];

const captured: Line = ['PaymentCaptured', { amountCents: 1000 }];
const late: Line = ['PaymentCapturedTooLate', { amountCents: 1000 }];
const lateRenewal: Line = ['PaymentCapturedTooLate', { amountCents: 1000, renewalNumber: 1 }];
const renewed: Line = ['OrderReopened', { totalCents: 1000, renewalNumber: 1 }];
const refund = (refundId: string, amountCents: number, renewalNumber = 0) => ({ refundId, amountCents, renewalNumber });
const wished = (...of: Parameters<typeof refund>): Line => ['RefundWished', refund(...of)];
const made = (...of: Parameters<typeof refund>): Line => ['PaymentRefunded', refund(...of)];
const settled = (...of: Parameters<typeof refund>): Line => ['RefundSettled', refund(...of)];
const returned = (...of: Parameters<typeof refund>): Line => ['RefundReturned', refund(...of)];
const named = (reference: string, orderId = 'o1'): Line => ['PaymentCaptured', { reference }, orderId];
const renewalPaid = (renewalNumber: number): Line => ['RenewalPaid', { renewalNumber, reference: 'pi_1' }];
const later = (day: number): Line => ['OrderFilled', { at: on(day) }];

/** When the last event happened. */
const nowIn = (lines: readonly Line[]): number => Date.parse({ at: on(0), ...lines.at(-1)?.[1] }.at);

function check(lines: readonly Line[]) {
  const laws = new RefundCheck();
  const broken = lines.flatMap(([type, data, id = 'o1'], revision) =>
    laws.take({
      stream: `order-${id}`,
      id,
      revision,
      ordinal: revision,
      type,
      data: { at: on(0), ...data },
      cause: {},
    } as RawEvent),
  );
  return { broken: broken.length, missing: laws.missing(nowIn(lines)).length, laws: broken };
}

describe('the laws of refunds', () => {
  it.each<[string, readonly Line[]]>([
    [
      'a payment is given back in parts',
      [captured, wished('a', 400), made('a', 400), wished('b', 600), settled('b', 600)],
    ],
    ['a renewal has its own payment', [captured, renewed, wished('a', 1000), wished('b', 1000, 1), made('b', 1000, 1)]],
    ['what came too late is given back', [late, wished('a', 1000), lateRenewal, wished('b', 1000, 1), later(9)]],
    ['it came too late less than a day ago', [late, later(0.9)]],
    [
      'a refund came back, and is made anew',
      [captured, wished('a', 400), made('a', 400), returned('a', 400), made('a', 400)],
    ],
    ['it cost nothing', [['PaymentCapturedTooLate', { amountCents: 0 }], later(9)]],
  ])('hold where %s', (_, lines) => {
    expect(check(lines)).toMatchObject({ broken: 0, missing: 0 });
  });

  it.each<[string, readonly Line[]]>([
    ['more is wished than was captured', [captured, wished('a', 400), wished('b', 601)]],
    ['nothing was captured', [wished('a', 1)]],
    ['it is of a payment that was not captured', [captured, wished('a', 1000, 1)]],
    ['a refund is made that nobody wished', [captured, made('a', 1000)]],
    ['a refund is made twice', [captured, wished('a', 400), made('a', 400), made('a', 400)]],
    ['a refund is made and settled', [captured, wished('a', 400), made('a', 400), settled('a', 400)]],
    ['a refund comes back that was not made', [captured, wished('a', 400), returned('a', 400)]],
    ['another amount is given back', [captured, wished('a', 400), made('a', 401)]],
  ])('are broken where %s', (_, lines) => {
    expect(check(lines)).toMatchObject({ broken: 1 });
  });

  it.each<[string, readonly Line[]]>([
    ['of two orders', [named('pi_1'), named('pi_1', 'o2')]],
    ['of two orders, the one too late', [named('pi_1'), ['PaymentCapturedTooLate', { reference: 'pi_1' }, 'o2']]],
    ['of an order and its renewal', [named('pi_1'), ['OrderReopened', { renewalNumber: 1, paymentReference: 'pi_1' }]]],
    ['of two renewals', [renewalPaid(1), renewalPaid(2)]],
    ['of a renewal that its order has not recorded yet', [named('pi_1', 'o2'), renewalPaid(1)]],
  ])('are broken where one payment of the provider is the one %s', (_, lines) => {
    expect(check(lines)).toMatchObject({ laws: ['paymentTwice'] });
  });

  it('hold where a renewal is paid and its order records that, and where two orders cost nothing', () => {
    const recorded: Line = ['OrderReopened', { renewalNumber: 1, paymentReference: 'pi_1' }];
    const free = [named('nothing-due'), named('nothing-due', 'o2')];
    expect(check([renewalPaid(1), recorded, ...free])).toMatchObject({ broken: 0 });
  });

  it('are broken where what came too late is kept, in whole or in part', () => {
    expect(check([late, later(1)])).toMatchObject({ missing: 1 });
    expect(check([late, wished('a', 999), later(1)])).toMatchObject({ missing: 1 });
  });
});
