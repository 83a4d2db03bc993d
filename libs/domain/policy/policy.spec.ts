import { given, minute } from '#test/given';
import {
  defaultPolicy,
  type PolicyCommand,
  type PolicyDocument,
  type PolicyEvent,
  policy,
  policyAt,
  policyDocument,
} from './policy.ts';

const publish = (document: PolicyDocument, effectiveFrom: string): PolicyCommand => ({
  type: 'PublishPolicy',
  at: minute(5),
  author: 'staff:owner',
  effectiveFrom,
  policy: document,
});
const published = (version: number, effectiveFrom: string, document = defaultPolicy): PolicyEvent => ({
  type: 'PolicyPublished',
  data: { at: minute(5), version, author: 'staff:owner', effectiveFrom, policy: document },
});

describe('the policy', () => {
  it('POL-1: is published with a version, an author and an instant; a later version replaces it, and it is never changed', () => {
    given(policy)
      .when(publish(defaultPolicy, minute(5)))
      .thenRecordsEachTime(published(1, minute(5)));
    given(policy, published(1, minute(5)))
      .when(publish(defaultPolicy, minute(6)))
      .thenRecordsEachTime(published(2, minute(6)));
  });

  it('POL-1: is not published for the past', () => {
    given(policy)
      .when(publish(defaultPolicy, minute(4)))
      .thenRefuses('policy-in-the-past', 'POL-1');
  });

  it.each([
    ['leads would be aged before they are fresh', { agedAfterDays: 1 }],
    ['a reason would be valid and not', { invalidReturnReasons: ['wrong number'] }],
    ['a reason would be nothing but space', { approvedReturnReasons: ['wrong number', ' '] }],
    ['nobody could see that a reason is another one', { invalidReturnReasons: ['not interested '] }],
    ['a reason would be there twice', { approvedReturnReasons: ['wrong number', 'wrong number'] }],
    ['a cadence would have no name', { renewalCadences: [{ name: ' ', days: 7 }] }],
    ['loyalty would be rewarded less and less', { sharedBonusPercents: [10, 30, 20] }],
    ['a renewal would be announced before the one before it', { renewalNoticeDays: 7 }],
    [
      'two cadences would have one name',
      {
        renewalCadences: [
          { name: 'weekly', days: 7 },
          { name: 'weekly', days: 8 },
        ],
      },
    ],
  ])('is not published when %s', (_, change) => {
    given(policy)
      .when(publish({ ...defaultPolicy, ...change }, minute(5)))
      .thenRefuses('policy-contradicts-itself', 'POL-1');
  });

  it('may let the bonus ladder decrease if the request confirms it', () => {
    const falling = { ...defaultPolicy, sharedBonusPercents: [30, 20, 10], sharedBonusMayFall: true };
    given(policy)
      .when(publish(falling, minute(5)))
      .thenRecordsEachTime(published(1, minute(5), falling));
  });

  it.each([
    ['restartPausedAfterDays', -1],
    ['approvedReturnReasons', []],
    ['sharedBonusPercents', []],
    ['renewalCadences', [{ name: 'weekly', days: 0 }]],
    ['ticketAnswerBusinessHours', 0],
    ['businessTimeZone', 'Nowhere/Atlantis'],
    ['holidays', ['2026-02-30']],
  ])('is no policy with a nonsensical %s, and the field is named', (field, value) => {
    const { error } = policyDocument.safeParse({ ...defaultPolicy, [field]: value });
    expect(error?.issues[0]?.path[0]).toBe(field);
  });

  it('POL-1: is in effect from its instant until the instant of the next, whatever the order of publication', () => {
    const state = given(policy, published(1, minute(5)), published(2, minute(30)), published(3, minute(20))).state();
    const versionAt = (at: string) => policyAt(state, at)?.version;
    expect([minute(4), minute(5), minute(19), minute(20), minute(30)].map(versionAt)).toEqual([undefined, 1, 1, 3, 2]);
  });

  it('POL-1: of two policies for one instant, the one published later is in effect', () => {
    const state = given(policy, published(1, minute(5)), published(2, minute(30)), published(3, minute(30))).state();
    expect(policyAt(state, minute(30))?.version).toBe(3);
  });
});
