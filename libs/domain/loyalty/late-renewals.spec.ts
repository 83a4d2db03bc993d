import { given, minute } from '#test/given';
import { addDays, addSeconds } from '../kernel/instants.ts';
import { chargeDueAt } from './late-renewals.ts';
import { type ProgrammeCommand, type ProgrammeEvent, programme } from './programme.ts';

const terms = { customerId: 'c1', storeId: 'main', leadTypeId: 'shared-fresh', cadence: 'weekly', cadenceDays: 7 };
const token = { keyId: 'k1', box: btoa('tok_ok'), secret: true } as const;
const charge = { token, amountCents: 2500, currency: 'USD', statementDescriptor: 'LEADGER' };
const day = (number: number) => addDays(minute(0), number);
const byPolicy = { graceHours: 24, policyVersion: 1 };

const joined: ProgrammeEvent = { type: 'ProgrammeJoined', data: { at: day(0), ...terms, dueAt: day(7) } };
const begin = (at: string, renewalNumber = 1): ProgrammeCommand => ({
  ...{ type: 'BeginRenewal', at, renewalNumber, charge },
  ...{ retryHours: [24], ...byPolicy },
});
const begun = (at: string, dueAt: string, renewalNumber = 1, attempt = 1): ProgrammeEvent => ({
  type: 'RenewalBegun',
  data: { at, renewalNumber, dueAt, attempt, charge, retryAfterHours: 24, policyVersion: 1 },
});
const paid = (at: string, nextDueAt: string): ProgrammeEvent => ({
  type: 'RenewalPaid',
  data: { at, renewalNumber: 1, attempt: 1, reference: 'r1', amountCents: 2500, currency: 'USD', nextDueAt },
});
const declined = (at: string, retryAt: string): ProgrammeEvent => ({
  type: 'RenewalDeclined',
  data: { at, customerId: 'c1', renewalNumber: 1, attempt: 1, reason: 'expired-card', retryAt, policyVersion: 1 },
});
const about = (at: string, dueAt: string) => ({ at, customerId: 'c1', renewalNumber: 1, dueAt });
const missed = (at: string, dueAt: string, attempt?: number): ProgrammeEvent => ({
  type: 'RenewalMissed',
  data: { ...about(at, dueAt), ...(attempt && { attempt }), policyVersion: 1 },
});
const skipped = (at: string, dueAt: string): ProgrammeEvent => ({
  type: 'RenewalSkipped',
  data: { ...about(at, dueAt), nextDueAt: addDays(dueAt, 7), policyVersion: 1 },
});
const skippedByWord = (at: string, dueAt: string): ProgrammeEvent => ({
  type: 'RenewalSkipped',
  data: { ...about(at, dueAt), nextDueAt: addDays(dueAt, 7) },
});
const released = (at: string, dueAt: string): ProgrammeEvent => ({ type: 'RenewalReleased', data: about(at, dueAt) });
const held = (at: string): ProgrammeEvent => ({
  type: 'ProgrammeHeld',
  data: { at, customerId: 'c1', renewalNumber: 1, cause: 'customer' },
});
const activated = (at: string): ProgrammeEvent => ({
  type: 'ProgrammeActivated',
  data: { at, renewalNumber: 1, dueAt: at },
});
const release = (at: string): ProgrammeCommand => ({ type: 'ReleaseRenewal', at });
const skip = (at: string): ProgrammeCommand => ({ type: 'SkipRenewal', at });

describe('a renewal that is late', () => {
  it('LOY-10: is charged by itself up to the hours of grace, and waits a moment later', () => {
    given(programme, joined)
      .when(begin(day(8)))
      .thenRecords(begun(day(8), day(7)));
    const later = addSeconds(day(8), 0.001);
    given(programme, joined)
      .when(begin(later))
      .thenRecords(missed(later, day(7)));
  });

  it('LOY-10: waits alone; older ones are skipped, and the newest waits also if it is hardly late itself', () => {
    given(programme, joined)
      .when(begin(day(28.5)))
      .thenRecords(
        skipped(day(28.5), day(7)),
        skipped(day(28.5), day(14)),
        skipped(day(28.5), day(21)),
        missed(day(28.5), day(28)),
      );
  });

  it('LOY-10: waits also if it is a retry that comes too late', () => {
    const once = [joined, begun(day(7), day(7)), declined(day(7), day(8))];
    given(programme, ...once)
      .when(begin(day(10)))
      .thenRecords(missed(day(10), day(7)));
    given(programme, ...once, missed(day(10), day(7)), released(day(11), day(7)))
      .when(begin(day(11)))
      .thenRecords({
        ...begun(day(11), day(7), 1, 2),
        data: { ...(begun(day(11), day(7), 1, 2).data as object), retryAfterHours: undefined },
      } as never);
  });

  it('LOY-10: goes on waiting until the next date has come, which waits then', () => {
    const waiting = [joined, missed(day(9), day(7))];
    given(programme, ...waiting)
      .when(begin(addSeconds(day(14), -1)))
      .thenNothing();
    given(programme, ...waiting)
      .when(begin(day(14)))
      .thenRecords(skipped(day(14), day(7)), missed(day(14), day(14)));
  });

  it('LOY-10: a stop of years is recorded in parts that fit into one append', () => {
    const state = given(programme, joined).when(begin(day(7 + 7 * 250)));
    expect(state.decision).toHaveLength(200);
    const past = state.decision as readonly ProgrammeEvent[];
    const rest = given(programme, joined, ...past).when(begin(day(7 + 7 * 250))).decision as readonly ProgrammeEvent[];
    expect(rest).toHaveLength(51);
    expect(rest.at(-1)).toMatchObject({ type: 'RenewalMissed', data: { dueAt: day(7 + 7 * 250) } });
  });
});

describe('a renewal of an order whose time zone is not known', () => {
  const unknown = missed(day(7), day(7));
  const waiting = { ...unknown, data: { ...unknown.data, cause: 'time-zone-unknown' } } as ProgrammeEvent;
  const withoutDays = { withoutDays: true } as const;

  it('DLV-5, LOY-10: waits on its date, and is not charged', () => {
    given(programme, joined)
      .when({ ...begin(day(7)), ...withoutDays } as ProgrammeCommand)
      .thenRecords(waiting);
  });

  it('DLV-5, LOY-10: is not released before the time zone is corrected', () => {
    given(programme, joined, waiting)
      .when({ type: 'ReleaseRenewal', at: day(8), ...withoutDays })
      .thenRefuses('time-zone-unknown');
    given(programme, joined, waiting)
      .when(release(day(8)))
      .thenRecords(released(day(8), day(7)));
  });
});

describe('an operator', () => {
  const waiting = [joined, skipped(day(16), day(7)), missed(day(16), day(14))];

  it('LOY-10: releases the renewal that waits; it is charged at once, and the next date stays', () => {
    given(programme, ...waiting)
      .when(release(day(17)))
      .thenRecords(released(day(17), day(14)));
    const free = [...waiting, released(day(17), day(14))];
    given(programme, ...free)
      .when(begin(day(17)))
      .thenRecords(begun(day(17), day(14)));
    const charged = [...free, begun(day(17), day(14))];
    given(programme, ...charged)
      .when(release(day(17)))
      .thenNothing();
    given(programme, ...charged)
      .when({ ...{ type: 'RecordRenewalPaid', at: day(17), renewalNumber: 1, attempt: 1 }, ...money })
      .thenRecords(paid(day(17), day(21)));
    given(programme, ...charged, paid(day(17), day(21)))
      .when(release(day(18)))
      .thenRefuses('no-renewal-waits', 'LOY-10');
  });

  it('LOY-10: skips it; the programme goes on with the next date, and the number is still that of the next step', () => {
    const { decision } = given(programme, ...waiting).when(skip(day(17)));
    expect(decision).toEqual([skippedByWord(day(17), day(14))]);
    const past = [...waiting, skippedByWord(day(17), day(14))];
    given(programme, ...past)
      .when(skip(day(17)))
      .thenRefuses('no-renewal-waits', 'LOY-10');
    given(programme, ...past)
      .when(begin(day(21)))
      .thenRecords(begun(day(21), day(21)));
    expect(chargeDueAt(given(programme, ...past).state())).toBe(day(21));
  });

  it('LOY-10: speaks of the newest date, also if it came a moment before', () => {
    given(programme, ...waiting)
      .when(release(day(21)))
      .thenRecords(skippedByWord(day(21), day(14)), released(day(21), day(21)));
    const { decision } = given(programme, ...waiting).when(skip(day(22)));
    expect(decision).toEqual([skippedByWord(day(22), day(14)), skippedByWord(day(22), day(21))]);
  });

  it('LOY-10: a word that was not carried out in time is not carried out any more', () => {
    given(programme, ...waiting, released(day(17), day(14)))
      .when(begin(day(19)))
      .thenRecords(missed(day(19), day(14)));
  });

  it('LOY-10: has no say where nothing waits: before the date, on hold, or after the programme has ended', () => {
    for (const past of [[joined], [...waiting, held(day(17))], [...waiting, held(day(17)), activated(day(18))]])
      for (const word of [release(day(18)), skip(day(18))])
        given(programme, ...past)
          .when(word)
          .thenRefuses('no-renewal-waits', 'LOY-10');
    given(programme, ...waiting, held(day(17)), activated(day(18)))
      .when(begin(day(18)))
      .thenRecords(begun(day(18), day(18)));
  });
});

describe('a charge that was under way when the store stood still', () => {
  const miss: ProgrammeCommand = { type: 'MissRenewal', at: day(20), renewalNumber: 1, attempt: 1, ...byPolicy };
  const underWay = [joined, begun(day(7), day(7))];

  it('LOY-10: waits, can be released but not skipped, and is still paid if the provider says so', () => {
    const waiting = missed(day(20), day(7), 1);
    given(programme, ...underWay)
      .when(miss)
      .thenRecords(waiting);
    given(programme, ...underWay)
      .when({ ...miss, at: day(8) })
      .thenNothing();
    const waits = [...underWay, waiting];
    given(programme, ...waits)
      .when(begin(day(20)))
      .thenNothing();
    given(programme, ...waits)
      .when(skip(day(21)))
      .thenRefuses('charge-under-way', 'LOY-10');
    given(programme, ...waits, held(day(21)))
      .when(release(day(21)))
      .thenRecords(released(day(21), day(7)));
    given(programme, ...waits)
      .when({ ...{ type: 'RecordRenewalPaid', at: day(21), renewalNumber: 1, attempt: 1 }, ...money })
      .thenRecords(paid(day(21), day(14)));
    given(programme, ...waits, released(day(21), day(7)))
      .when({ ...miss, at: day(22) })
      .thenNothing();
  });
});

const money = { reference: 'r1', amountCents: 2500, currency: 'USD' };
