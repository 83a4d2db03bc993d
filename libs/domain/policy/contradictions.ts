import { inDays } from '../kernel/counted.ts';
import { type PolicyDocument, renewalGraceHoursOf } from './policy.ts';
import { contradictionInReasons, uncleanIn } from './return-reasons.ts';

type Field = keyof PolicyDocument;

/** The fields that contradict each other, and what is wrong with the first one. */
export type Contradiction = readonly [fields: readonly [Field, ...Field[]], why: string];

/** What a policy says that cannot hold together. */
export function contradictionIn(policy: PolicyDocument): Contradiction | undefined {
  const { sharedBonusPercents: ladder, agedAfterDays, freshAfterDays } = policy;
  if (agedAfterDays <= freshAfterDays) return [['agedAfterDays', 'freshAfterDays'], 'must be more than freshAfterDays'];
  if (!policy.sharedBonusMayFall && ladder.some((step, index) => step < (ladder[index - 1] ?? 0)))
    return [['sharedBonusPercents', 'sharedBonusMayFall'], 'falls: say sharedBonusMayFall if that is meant'];
  return contradictionInCadences(policy) ?? uncleanList(policy) ?? contradictionInReasons(policy);
}

function contradictionInCadences(policy: PolicyDocument): Contradiction | undefined {
  const shortest = Math.min(...policy.renewalCadences.map((cadence) => cadence.days));
  const limit = `the shortest of renewalCadences, ${inDays(shortest)}`;
  // A mistyped number must not charge a card every minute.
  if (shortest < 1) return [['renewalCadences'], 'has one of less than a day'];
  if (policy.renewalNoticeDays >= shortest)
    return [['renewalNoticeDays', 'renewalCadences'], `must be less than ${limit}`];
  // Otherwise two renewals of one programme could be charged at once.
  return renewalGraceHoursOf(policy) > shortest * 24
    ? [['renewalGraceHours', 'renewalCadences'], `must not be more than ${limit}`]
    : undefined;
}

/** A list with a name twice, or with one that nobody sees or can tell from another one. */
function uncleanList(policy: PolicyDocument): Contradiction | undefined {
  const { approvedReturnReasons, invalidReturnReasons, renewalCadences } = policy;
  for (const [field, names] of [
    ['approvedReturnReasons', approvedReturnReasons],
    ['invalidReturnReasons', invalidReturnReasons],
    ['renewalCadences', renewalCadences.map((cadence) => cadence.name)],
  ] as const) {
    const unclean = names.map(uncleanIn).find((why) => why !== undefined);
    if (unclean !== undefined) return [[field], unclean];
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice) return [[field], `names "${twice}" twice`];
  }
  return undefined;
}
