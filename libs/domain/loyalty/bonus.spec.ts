import fc from 'fast-check';
import { defaultPolicy } from '../policy/policy.ts';
import { bonusOf, type LoyaltyTerms, loyaltyTermsOf } from './bonus.ts';

const termsOf = (exclusivity: 'exclusive' | 'shared', policy = defaultPolicy) =>
  loyaltyTermsOf('weekly', exclusivity, policy) as LoyaltyTerms;

describe('the bonus of Loyalty Rewards', () => {
  it('LOY-3: is 10, 10, 20, then 30 % on shared leads', () => {
    const shared = termsOf('shared');
    expect([0, 1, 2, 3, 4, 50].map((renewal) => bonusOf(shared, 100, renewal, 0).bonusLeads)).toEqual([
      10, 10, 20, 30, 30, 30,
    ]);
  });

  it('LOY-3: is 10 % on exclusive leads, however often the order was paused', () => {
    const exclusive = termsOf('exclusive', { ...defaultPolicy, standardBonusPercent: 5 });
    for (const pauses of [0, 1, 2, 9])
      expect(bonusOf(exclusive, 100, 7, pauses)).toEqual({ bonusPercent: 10, bonusLeads: 10, rule: 'exclusive' });
  });

  it('LOY-3: rounds fractions up, and only fractions', () => {
    const shared = termsOf('shared');
    expect([1, 10, 11, 25].map((quantity) => bonusOf(shared, quantity, 0, 0).bonusLeads)).toEqual([1, 1, 2, 3]);
    const odd = termsOf('shared', { ...defaultPolicy, sharedBonusPercents: [16.1] });
    expect(bonusOf(odd, 1000, 0, 0).bonusLeads).toBe(161);
    const none = termsOf('shared', { ...defaultPolicy, sharedBonusPercents: [0] });
    expect(bonusOf(none, 1000, 0, 0).bonusLeads).toBe(0);
  });

  it('LOY-4: one pause keeps the ladder, the second loses it', () => {
    const shared = termsOf('shared');
    expect(bonusOf(shared, 100, 3, 1)).toEqual({ bonusPercent: 30, bonusLeads: 30, rule: 'ladder' });
    expect(bonusOf(shared, 100, 3, 2)).toEqual({ bonusPercent: 10, bonusLeads: 10, rule: 'ladder-lost' });
  });

  it('LOY-1: goes by a cadence that the policy knows', () => {
    expect(termsOf('shared')).toMatchObject({ cadence: 'weekly', cadenceDays: 7 });
    expect(loyaltyTermsOf('daily', 'shared', defaultPolicy)).toBeUndefined();
  });

  it('LOY-3, LOY-4: without a second pause never falls from one renewal to the next; with it, stays the same for good', () => {
    const order = fc.record({ quantity: fc.integer({ min: 1, max: 1000 }), renewal: fc.integer({ min: 1, max: 200 }) });
    fc.assert(
      fc.property(order, fc.integer({ min: 0, max: 5 }), ({ quantity, renewal }, pauses) => {
        const shared = termsOf('shared');
        const { bonusLeads, bonusPercent } = bonusOf(shared, quantity, renewal, pauses);
        const next = bonusOf(shared, quantity, renewal + 1, pauses);
        if (pauses < 2) expect(next.bonusLeads).toBeGreaterThanOrEqual(bonusLeads);
        else expect(next.bonusPercent).toBe(10);
        expect(bonusLeads * 100).toBeGreaterThanOrEqual(quantity * bonusPercent);
        expect((bonusLeads - 1) * 100).toBeLessThan(quantity * bonusPercent);
      }),
    );
  });
});
