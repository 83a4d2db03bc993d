import { CatalogueCheck } from './catalogue.ts';
import type { RawEvent } from './raw-log.ts';

type Line = readonly [stream: string, type: string, data?: object, basis?: object];

const catalogue = (type: string, data: object = {}): Line => ['catalogue-main', type, { leadTypeId: 't1', ...data }];
const shared = catalogue('LeadTypeDefined', { exclusivity: 'shared', qualifiesForLoyaltyRewards: false });
const exclusive = catalogue('LeadTypeDefined', { exclusivity: 'exclusive', qualifiesForLoyaltyRewards: false });
const qualifies = (qualifiesForLoyaltyRewards: boolean) =>
  catalogue('LoyaltyQualificationChanged', { qualifiesForLoyaltyRewards });
const [retired, reopened] = [catalogue('LeadTypeRetired'), catalogue('LeadTypeReopened')];
/** An order for which the catalogue was read up to a revision. */
const placed = (read: number, data: object = {}): Line => [
  'order-o1',
  'OrderPlaced',
  { leadTypeId: 't1', ...data },
  { 'catalogue-main': read },
];
const member = { loyalty: { cadence: 'weekly' } };
const coupon = (type: string): Line => ['coupon-k', type];

function broken(lines: readonly Line[]): number {
  const check = new CatalogueCheck();
  const revisions = new Map<string, number>();
  return lines.flatMap(([stream, type, data = {}, basis], ordinal) => {
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    const id = stream.slice(stream.indexOf('-') + 1);
    return check.take({ stream, id, revision, ordinal, type, data, cause: { basis } } as RawEvent);
  }).length;
}

describe('the law of what is offered', () => {
  it.each<[string, readonly Line[]]>([
    ['a type is ordered while it is sold', [shared, placed(0), retired, reopened, placed(2)]],
    ['a type is ordered by whom its retirement did not reach', [shared, retired, placed(0)]],
    [
      'the order of a checkout keeps what was shown',
      [shared, retired, ['order-o2', 'OrderPlaced', { leadTypeId: 't1' }]],
    ],
    ['a member orders a type that qualified', [shared, qualifies(true), placed(1, member), qualifies(false)]],
    ['a member orders an exclusive type', [exclusive, placed(0, member)]],
    [
      'a coupon is used before it is retired, and after it is re-opened',
      ['CouponUsed', 'CouponRetired', 'CouponReopened', 'CouponUsed'].map(coupon),
    ],
  ])('holds when %s', (_, lines) => {
    expect(broken(lines)).toBe(0);
  });

  it.each<[string, readonly Line[]]>([
    ['a type is ordered by whom its retirement reached', [shared, retired, placed(1)]],
    [
      'a checkout begins with a retired type',
      [shared, retired, ['checkout-k', 'CheckoutStarted', { leadTypeId: 't1' }, { 'catalogue-main': 1 }]],
    ],
    ['a type is ordered that was never defined', [shared, placed(0, { leadTypeId: 't2' })]],
    ['a member orders a type that does not qualify', [shared, placed(0, member)]],
    [
      'a member orders a type that does not qualify any more',
      [shared, qualifies(true), qualifies(false), placed(2, member)],
    ],
    ['a coupon is used after it was retired', ['CouponRetired', 'CouponUsed'].map(coupon)],
  ])('is broken when %s', (_, lines) => {
    expect(broken(lines)).toBe(1);
  });
});
