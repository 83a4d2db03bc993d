import { given, minute } from '#test/given';
import {
  defaultPolicy,
  type PolicyChanges,
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
const change = (changes: PolicyChanges, effectiveFrom: string): PolicyCommand => ({
  ...{ type: 'PublishPolicy', at: minute(5), author: 'staff:owner' },
  ...{ effectiveFrom, changes },
});
const changed = (version: number, effectiveFrom: string, changes: PolicyChanges): PolicyEvent => ({
  type: 'PolicyPublished',
  data: { at: minute(5), version, author: 'staff:owner', effectiveFrom, changes },
});

describe('the policy', () => {
  it('POL-1: is published with a version, an author and an instant; a later version replaces it, and it is never changed', () => {
    given(policy)
      .when(publish(defaultPolicy, minute(5)))
      .thenRecordsEachTime(published(1, minute(5)));
    given(policy, published(1, minute(5)))
      .when(publish({ ...defaultPolicy, returnWindowDays: 9 }, minute(6)))
      .thenRecordsEachTime(changed(2, minute(6), { returnWindowDays: 9 }));
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

  it.each([
    [{ freshAfterDays: 40 }, 'changes.freshAfterDays'],
    [{ agedAfterDays: 0.5 }, 'changes.agedAfterDays'],
    [{ freshAfterDays: 40, agedAfterDays: 40 }, 'changes.agedAfterDays'],
    [{ renewalCadences: [{ name: 'daily', days: 1 }] }, 'changes.renewalCadences'],
    [{ renewalNoticeDays: 7 }, 'changes.renewalNoticeDays'],
    [{ sharedBonusMayFall: false }, 'changes.sharedBonusMayFall'],
    [{ invalidReturnReasons: ['wrong number'] }, 'changes.invalidReturnReasons'],
    [{ approvedReturnReasons: ['wrong \u3164\u202e'] }, 'changes.approvedReturnReasons'],
    [{ renewalCadences: [{ name: '\u200b', days: 7 }] }, 'changes.renewalCadences'],
  ])('names the field that its author sent: %j', (changes, field) => {
    const first = { ...defaultPolicy, sharedBonusPercents: [30, 20, 10], sharedBonusMayFall: true };
    const { decision } = given(policy, published(1, minute(5), first)).when(change(changes, minute(6)));
    expect(decision).toMatchObject({ code: 'policy-contradicts-itself', field });
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

  it('POL-2: a version changes the fields that it names, and no others, whatever the order of publication', () => {
    const planned = changed(2, minute(30), { returnWindowDays: 9 });
    const between = changed(3, minute(20), { verificationDays: 8, returnWindowDays: 6 });
    const state = given(policy, published(1, minute(5)), planned, between).state();
    const daysAt = (at: string) => {
      const inForce = policyAt(state, at)?.policy;
      return [inForce?.returnWindowDays, inForce?.verificationDays];
    };
    expect([minute(5), minute(20), minute(30)].map(daysAt)).toEqual([
      [5, 7],
      [6, 8],
      [9, 8],
    ]);
  });

  it('POL-2: a whole policy of an older version means what it did: nothing that was published between changes it', () => {
    const older = published(2, minute(30), { ...defaultPolicy, returnWindowDays: 9 });
    const between = changed(3, minute(20), { verificationDays: 8, sharedPersonDays: 90 });
    const state = given(policy, published(1, minute(5)), older, between).state();
    expect(policyAt(state, minute(20))?.policy).toEqual({
      ...defaultPolicy,
      verificationDays: 8,
      sharedPersonDays: 90,
    });
    expect(policyAt(state, minute(30))?.policy).toEqual({ ...defaultPolicy, returnWindowDays: 9 });
  });

  it('POL-2: null leaves a field out again', () => {
    const noLonger = changed(3, minute(7), { sharedPersonDays: null });
    const state = given(
      policy,
      published(1, minute(5)),
      changed(2, minute(6), { sharedPersonDays: 90 }),
      noLonger,
    ).state();
    expect(policyAt(state, minute(6))?.policy.sharedPersonDays).toBe(90);
    expect(policyAt(state, minute(7))?.policy).toEqual(defaultPolicy);
  });

  it('POL-2: an edited copy of the whole policy changes only the fields in which it differs from the policy in force', () => {
    const planned = changed(2, minute(30), { verificationDays: 8 });
    const since = { ...planned, data: { ...planned.data, at: minute(2), effectiveFrom: minute(4) } };
    const { returnReasonLabels: _, ...copy } = { ...defaultPolicy, returnWindowDays: 9 };
    given(policy, published(1, minute(5)), planned)
      .when(publish(copy, minute(40)))
      .thenRecordsEachTime(changed(3, minute(40), { returnWindowDays: 9, returnReasonLabels: null }));
    given(policy, published(1, minute(5)))
      .when(publish(defaultPolicy, minute(40)))
      .thenNothing();
    given(policy, published(1, minute(1)), since)
      .when(publish(copy, minute(40)))
      .thenRefuses('policy-copy-unclear', 'POL-2');
    given(policy, published(1, minute(1)), since)
      .when({ ...publish(copy, minute(40)), seenVersion: 1 } as PolicyCommand)
      .thenRecordsEachTime(changed(3, minute(40), { returnWindowDays: 9, returnReasonLabels: null }));
    given(policy, published(1, minute(1)))
      .when({ ...publish(copy, minute(40)), seenVersion: 2 } as PolicyCommand)
      .thenRefuses('policy-version-unknown', 'POL-2');
  });

  it('POL-2: the first policy is whole, and what is changed holds by then', () => {
    given(policy)
      .when(change({ returnWindowDays: 9 }, minute(5)))
      .thenRefuses('no-policy', 'POL-1');
    given(policy, published(1, minute(8)))
      .when(change({ returnWindowDays: 9 }, minute(7)))
      .thenRefuses('no-policy', 'POL-1');
    given(policy, published(1, minute(8)))
      .when(change({ returnWindowDays: 9 }, minute(8)))
      .thenRecordsEachTime(changed(2, minute(8), { returnWindowDays: 9 }));
  });

  it('POL-2: is not published when a planned version would contradict itself by it, unless that never holds', () => {
    const planned = changed(2, minute(30), { freshAfterDays: 20 });
    const sooner = change({ agedAfterDays: 15 }, minute(5));
    given(policy, published(1, minute(5)), planned)
      .when(sooner)
      .thenRefuses('policy-contradicts-itself', 'POL-1');
    for (const other of [changed(3, minute(30), { freshAfterDays: 1 }), published(3, minute(30))])
      given(policy, published(1, minute(5)), planned, other)
        .when(sooner)
        .thenRecordsEachTime(changed(4, minute(5), { agedAfterDays: 15 }));
  });

  it('POL-1: of two policies for one instant, the one published later is in effect', () => {
    const state = given(policy, published(1, minute(5)), published(2, minute(30)), published(3, minute(30))).state();
    expect(policyAt(state, minute(30))?.version).toBe(3);
  });
});
