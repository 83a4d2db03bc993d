import { CouponCheck } from './coupons.ts';
import type { RawEvent } from './raw-log.ts';

type Line = readonly [stream: string, type: string, data: object];

const defined = (code: string, discount: object = { percent: 15 }): Line => [
  'coupon-a',
  'CouponDefined',
  { code, discount },
];
const given = (code: string, insteadOf = 'MAY', customerId = 'c1'): Line => [
  `coupon-${code}`,
  'AlternativeCouponGiven',
  { code, insteadOf, customerId, discount: { percent: 15 } },
];
const replaced = (code = 'MAY', customerId = 'c1'): Line => ['coupon-a', 'CouponReplaced', { code, customerId }];
const order = (id: string, code: string, { customerId = 'c1', currency = 'USD' } = {}): Line => [
  `order-${id}`,
  'OrderPlaced',
  { customerId, currency, coupon: { code, discountCents: 500 } },
];
const paid = (id: string): Line => [`order-${id}`, 'PaymentCaptured', {}];
const late = (id: string): Line => [`order-${id}`, 'PaymentCapturedTooLate', {}];

function brokenBy(lines: readonly Line[]): readonly string[] {
  const laws = new CouponCheck();
  return lines.flatMap(([stream, type, data], revision) =>
    laws.take({
      ...{ stream, id: stream.slice(stream.indexOf('-') + 1), revision, ordinal: revision, type, cause: {} },
      data: { at: '2026-05-01T12:00:00.000Z', ...data },
    } as RawEvent),
  );
}

describe('the laws of coupons', () => {
  it.each<[string, readonly Line[]]>([
    ['another code is given and paid', [defined('MAY'), replaced(), given('NEW'), order('o1', 'NEW'), paid('o1')]],
    [
      'another customer paid with the first code',
      [defined('MAY'), order('o1', 'MAY'), paid('o1'), replaced('MAY', 'c2')],
    ],
    ['the payment came too late', [defined('MAY'), order('o1', 'MAY'), replaced(), given('NEW'), late('o1')]],
    ['each code has one in its place', [defined('MAY'), replaced(), given('B'), replaced('B'), given('C', 'B')]],
    [
      'an amount has the currency of the price',
      [defined('MAY', { amountCents: 500, currency: 'USD' }), order('o1', 'MAY')],
    ],
    [
      'the amount of an older version names no currency',
      [defined('MAY', { amountCents: 500 }), order('o1', 'MAY', { currency: 'JPY' })],
    ],
  ])('hold where %s', (_, lines) => {
    expect(brokenBy(lines)).toEqual([]);
  });

  it.each<[string, string, readonly Line[]]>([
    ['a paid order has the discount', 'couponGivenAgain', [defined('MAY'), order('o1', 'MAY'), paid('o1'), replaced()]],
    [
      'an order with the first code is paid afterwards',
      'couponGivenAgain',
      [defined('MAY'), order('o1', 'MAY'), replaced(), paid('o1')],
    ],
    ['two codes are given in place of one', 'couponGivenAgain', [replaced(), given('B'), given('C')]],
    [
      'an amount has another currency than the price',
      'couponInOtherCurrency',
      [defined('MAY', { amountCents: 500, currency: 'CAD' }), order('o1', 'MAY')],
    ],
  ])('are broken where %s', (_, law, lines) => {
    expect(brokenBy(lines)).toEqual([law]);
  });
});
