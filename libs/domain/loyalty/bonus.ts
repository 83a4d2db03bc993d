import { z } from 'zod';
import type { Exclusivity } from '../catalogue/catalogue.ts';
import { count } from '../kernel/events.ts';
import { storeText } from '../kernel/fields.ts';
import { percentOf } from '../kernel/percent.ts';
import type { PolicyDocument } from '../policy/policy.ts';

const percent = z.number().min(0).max(100);

/** What a customer is promised when joining Loyalty Rewards at checkout. It holds for the life of the order. */
export const loyaltyTerms = z.object({
  /** The cadence's name in the policy. */
  cadence: storeText,
  cadenceDays: z.number().positive(),
  exclusive: z.boolean(),
  /** On the first order, on the first renewal, and so on; the last holds for all later ones (LOY-3). */
  bonusPercents: z.array(percent).min(1),
  /** Once the ladder is lost (LOY-4). */
  standardBonusPercent: percent,
  pausesThatKeepTheLadder: count,
});
export type LoyaltyTerms = z.infer<typeof loyaltyTerms>;

/** `exclusive`: always the same. `ladder`: by the number of the renewal. `ladder-lost`: paused too often. */
const bonusRules = ['exclusive', 'ladder', 'ladder-lost'] as const;
export const bonusRule = z.enum(bonusRules);

export const bonus = z.object({ bonusPercent: percent, bonusLeads: count, rule: bonusRule });
export type Bonus = z.infer<typeof bonus>;

/** What the policy in force promises to a customer who joins now; undefined when it has no such cadence. */
export function loyaltyTermsOf(
  cadenceName: string,
  exclusivity: Exclusivity,
  policy: PolicyDocument,
): LoyaltyTerms | undefined {
  const cadence = policy.renewalCadences.find(({ name }) => name === cadenceName);
  if (!cadence) return undefined;
  const exclusive = exclusivity === 'exclusive';
  return {
    cadence: cadence.name,
    cadenceDays: cadence.days,
    exclusive,
    bonusPercents: exclusive ? [policy.exclusiveBonusPercent] : policy.sharedBonusPercents,
    standardBonusPercent: policy.standardBonusPercent,
    pausesThatKeepTheLadder: policy.pausesThatKeepTheLadder,
  };
}

/** LOY-3, LOY-4: the bonus on the first order (renewal 0) or on a renewal, after the given number of pauses in the order's life. */
export function bonusOf(loyalty: LoyaltyTerms, quantity: number, renewalNumber: number, pauses: number): Bonus {
  const { exclusive, bonusPercents, standardBonusPercent, pausesThatKeepTheLadder } = loyalty;
  const give = (rule: Bonus['rule'], bonusPercent: number): Bonus => ({
    bonusPercent,
    bonusLeads: Math.ceil(percentOf(quantity, bonusPercent)),
    rule,
  });
  const step = bonusPercents[Math.min(renewalNumber, bonusPercents.length - 1)] as number;
  if (exclusive) return give('exclusive', step);
  return pauses > pausesThatKeepTheLadder ? give('ladder-lost', standardBonusPercent) : give('ladder', step);
}
