import { addDays, addSeconds } from '#domain/kernel/instants';
import { loyaltyTermsOf } from '#domain/loyalty/bonus';
import { defaultPolicy } from '#domain/policy/policy';
import { hearing } from '#test/hearing';
import { loyaltyMembership } from './loyalty-membership.ts';
import { loyaltyRenewals } from './loyalty-renewals.ts';

const START = '2026-05-01T10:00:00.000Z';

const loyalty = loyaltyTermsOf('weekly', 'shared', defaultPolicy);
const programme = { customerId: 'c1', cadenceDays: 7, dueAt: addDays(START, 7) };

describe('the membership in Loyalty Rewards', () => {
  it('LOY-6: ends with its order, also when that is heard of before it has begun', () => {
    const { hear, wishesAt } = hearing(loyaltyMembership, START);
    hear('order-o1', 'OrderPlaced', { loyalty });
    expect(wishesAt(START)).toEqual(['JoinProgramme']);
    hear('order-o1', 'OrderCancelled', {});
    expect(wishesAt(START)).toEqual([]);
    hear('programme-o1', 'ProgrammeJoined', programme);
    expect(wishesAt(START)).toEqual(['CancelProgramme']);
  });

  it('is nothing to orders that did not join', () => {
    const { hear, wishesAt } = hearing(loyaltyMembership, START);
    hear('order-o1', 'OrderPlaced', {});
    hear('order-o1', 'OrderCancelled', {});
    expect(wishesAt(START)).toEqual([]);
  });
});

describe('renewals', () => {
  const publish = (version: number, renewalNoticeDays: number, effectiveFrom: string) =>
    ({ version, effectiveFrom, policy: { ...defaultPolicy, renewalNoticeDays } }) as const;

  const joined = () => {
    const heard = hearing(loyaltyRenewals, START);
    heard.hear('policy-main', 'PolicyPublished', publish(1, 3, START));
    heard.hear('order-o1', 'OrderPlaced', { loyalty, quantity: 10, pricePerLeadCents: 100 });
    heard.hear('order-o1', 'PaymentCaptured', {});
    heard.hear('programme-o1', 'ProgrammeJoined', programme);
    return heard;
  };

  it('LOY-1: come on their date although the announcement was wished too late to be made', () => {
    const { wishesAt, wakesAt } = joined();
    expect(wishesAt(addSeconds(programme.dueAt, -0.001))).toEqual(['AnnounceRenewal']);
    expect(wakesAt()).toBe(programme.dueAt);
    expect(wishesAt(programme.dueAt)).toEqual(['BeginRenewal']);
  });

  it('LOY-1: come by the clock of here, although a fact from a machine whose clock is ahead was heard', () => {
    const { hear, wishesAt, wakesAt } = joined();
    hear('programme-o1', 'RenewalAnnounced', { renewalNumber: 1 });
    hear('order-o2', 'PaymentCaptured', { at: addSeconds(programme.dueAt, 1) });
    expect(wishesAt(addSeconds(programme.dueAt, -1))).toEqual([]);
    expect(wakesAt()).toBe(programme.dueAt);
    expect(wishesAt(programme.dueAt)).toEqual(['BeginRenewal']);
  });

  it('LOY-7: are announced by the policy in force, and looked at anew when another one takes effect', () => {
    const { hear, wishesAt, wakesAt } = joined();
    expect(wishesAt(START)).toEqual([]);
    expect(wakesAt()).toBe(addDays(START, 4));
    hear('policy-main', 'PolicyPublished', publish(2, 5, addDays(START, 3)));
    expect(wakesAt()).toBe(addDays(START, 3));
    expect(wishesAt(addDays(START, 3))).toEqual(['AnnounceRenewal']);
  });
});
