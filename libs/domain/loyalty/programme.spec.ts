import fc from 'fast-check';
import { given, minute } from '#test/given';
import { addDays, addSeconds } from '../kernel/instants.ts';
import { chargeDueAt } from './late-renewals.ts';
import { type ProgrammeCommand, type ProgrammeEvent, programme } from './programme.ts';

const terms = { customerId: 'c1', storeId: 'main', leadTypeId: 'shared-fresh', cadence: 'weekly', cadenceDays: 7 };
const token = { keyId: 'k1', box: btoa('tok_ok'), secret: true } as const;
const charge = { token, amountCents: 2500, currency: 'USD', statementDescriptor: 'LEADGER' };
const money = { reference: 'r1', amountCents: 2500, currency: 'USD' };
const day = (number: number) => addDays(minute(0), number);

const join: ProgrammeCommand = { type: 'JoinProgramme', at: minute(1), ...terms, countedFrom: minute(0) };
const joined: ProgrammeEvent = { type: 'ProgrammeJoined', data: { at: minute(1), ...terms, dueAt: day(7) } };
const announce = (at: string, renewalNumber = 1): ProgrammeCommand => ({
  type: 'AnnounceRenewal',
  at,
  renewalNumber,
  policyVersion: 1,
});
const begin = (at: string, renewalNumber = 1): ProgrammeCommand => ({
  type: 'BeginRenewal',
  at,
  renewalNumber,
  charge,
  retryHours: [24, 72],
  graceHours: 24,
  policyVersion: 1,
});
const begun = (at: string, { renewalNumber = 1, attempt = 1, dueAt = day(7), retryAfterHours = 24 } = {}) =>
  ({
    type: 'RenewalBegun',
    data: {
      at,
      renewalNumber,
      dueAt,
      attempt,
      charge,
      policyVersion: 1,
      ...(retryAfterHours > 0 && { retryAfterHours }),
    },
  }) satisfies ProgrammeEvent;
const pay = (at: string, renewalNumber = 1, attempt = 1): ProgrammeCommand => ({
  type: 'RecordRenewalPaid',
  at,
  renewalNumber,
  attempt,
  ...money,
});
const paid = (at: string, nextDueAt = day(14), renewalNumber = 1, attempt = 1): ProgrammeEvent => ({
  type: 'RenewalPaid',
  data: { at, renewalNumber, attempt, ...money, nextDueAt },
});
const owedBack = (at: string) => {
  const { type, data } = paid(at) as Extract<ProgrammeEvent, { type: 'RenewalPaid' }>;
  return { type, data: { ...data, owedBack: true } } satisfies ProgrammeEvent;
};
const decline = (at: string, attempt = 1): ProgrammeCommand => ({
  type: 'RecordRenewalDeclined',
  at,
  renewalNumber: 1,
  attempt,
  reason: 'expired-card',
});
const declined = (at: string, attempt = 1, retryAt?: string): ProgrammeEvent => ({
  type: 'RenewalDeclined',
  data: {
    at,
    customerId: 'c1',
    renewalNumber: 1,
    attempt,
    reason: 'expired-card',
    policyVersion: 1,
    ...(retryAt && { retryAt }),
  },
});
const held = (at: string, cause: 'customer' | 'declined-payment' = 'customer'): ProgrammeEvent => ({
  type: 'ProgrammeHeld',
  data: { at, customerId: 'c1', renewalNumber: 1, cause },
});
const cancelled = (at: string): ProgrammeEvent => ({
  type: 'ProgrammeCancelled',
  data: { at, renewalNumber: 1, cause: 'customer' },
});
const activated = (at: string, dueAt: string): ProgrammeEvent => ({
  type: 'ProgrammeActivated',
  data: { at, renewalNumber: 1, dueAt },
});

describe('a programme', () => {
  it('LOY-1: is joined once, and first due one cadence after the first order, even if it is recorded later', () => {
    given(programme).when(join).thenRecords(joined);
    given(programme)
      .when({ type: 'HoldProgramme', at: day(1) })
      .thenRefuses('programme-unknown', 'LOY-1');
  });

  it('LOY-7: announces a renewal once, and not one that is due already', () => {
    const data = { at: day(4), customerId: 'c1', renewalNumber: 1, dueAt: day(7), policyVersion: 1 };
    given(programme, joined)
      .when(announce(day(4)))
      .thenRecords({ type: 'RenewalAnnounced', data });
    given(programme, joined)
      .when(announce(day(7)))
      .thenNothing();
    given(programme, joined)
      .when(announce(day(4), 2))
      .thenNothing();
    given(programme, joined, held(day(3)))
      .when(announce(day(4)))
      .thenNothing();
  });

  it('LOY-1: begins a renewal on its date and not before, in turn, one at a time', () => {
    given(programme, joined)
      .when(begin(day(7)))
      .thenRecords(begun(day(7)));
    given(programme, joined)
      .when(begin(addSeconds(day(7), -0.001)))
      .thenNothing();
    given(programme, joined)
      .when(begin(day(14), 2))
      .thenNothing();
    given(programme, joined, begun(day(7)))
      .when(begin(day(7)))
      .thenNothing();
  });

  it('LOY-1: counts the next date from the date before, however late the payment was', () => {
    given(programme, joined, begun(day(9)))
      .when(pay(day(10)))
      .thenRecords(paid(day(10), day(14)));
    given(programme, joined, begun(day(9)))
      .when(pay(day(10), 1, 2))
      .thenNothing();
  });

  it('has an unknown renewal when nobody can say what became of the charge: no other is begun', () => {
    const command: ProgrammeCommand = {
      ...{ type: 'RecordRenewalUnknown', at: day(8), renewalNumber: 1, attempt: 1, chargeKey: 'k1' },
      ...{ amountCents: 1000, currency: 'USD' },
    };
    const { type: _, ...data } = command;
    const unknown: ProgrammeEvent = { type: 'RenewalUnknown', data };
    given(programme, joined, begun(day(7)))
      .when(command)
      .thenRecords(unknown);
    given(programme, joined, begun(day(7)), cancelled(day(7)))
      .when(command)
      .thenRecords(unknown);
    given(programme, joined).when(command).thenNothing();
    given(programme, joined, begun(day(7)), paid(day(7)))
      .when(command)
      .thenNothing();
    expect(chargeDueAt(given(programme, joined, begun(day(7)), unknown).state())).toBeUndefined();
    given(programme, joined, begun(day(7)), unknown)
      .when(pay(day(9)))
      .thenRecords(owedBack(day(9)));
  });

  it('LOY-8: an unknown renewal is resolved by the staff, and a later answer of the provider counts all the same', () => {
    const data = { at: day(8), renewalNumber: 1, attempt: 1, chargeKey: 'k1', amountCents: 2500, currency: 'USD' };
    const past = [joined, begun(day(7)), cancelled(day(7)), { type: 'RenewalUnknown', data } as ProgrammeEvent];
    const resolve = (reference?: string): ProgrammeCommand => ({
      ...{ type: 'ResolveRenewal', at: day(9) },
      ...(reference ? { result: 'captured', reference } : { result: 'not-captured' }),
    });
    const { reference } = money;
    const notCaptured: ProgrammeEvent = {
      type: 'RenewalNotCaptured',
      data: { at: day(9), renewalNumber: 1, attempt: 1, chargeKey: 'k1' },
    };
    given(programme, ...past)
      .when(resolve(reference))
      .thenRecords(owedBack(day(9)));
    given(programme, ...past)
      .when(resolve())
      .thenRecords(notCaptured);
    for (const later of [resolve(reference), pay(day(9))])
      given(programme, ...past, notCaptured)
        .when(later)
        .thenRecords(owedBack(day(9)));
    for (const other of [resolve(), resolve('pay_other')])
      given(programme, ...past, owedBack(day(9)))
        .when(other)
        .thenRefuses('payment-captured', 'LOY-8');
    given(programme, ...past, notCaptured)
      .when({ type: 'RecordRenewalUnknown', ...data })
      .thenNothing();
    given(programme, ...past, notCaptured, declined(day(9), 1))
      .when(resolve(reference))
      .thenRefuses('payment-known', 'LOY-8');
    given(programme, joined).when(resolve()).thenRefuses('payment-known', 'LOY-8');
  });

  it('LOY-8: tries again as long as the policy says, then is held', () => {
    given(programme, joined, begun(day(7)))
      .when(decline(day(7)))
      .thenRecords(declined(day(7), 1, day(8)));
    const once = [joined, begun(day(7)), declined(day(7), 1, day(8))];
    given(programme, ...once)
      .when(begin(addSeconds(day(8), -1)))
      .thenNothing();
    given(programme, ...once)
      .when(begin(day(8)))
      .thenRecords(begun(day(8), { attempt: 2, retryAfterHours: 72 }));
    const twice = [...once, begun(day(8), { attempt: 2, retryAfterHours: 72 }), declined(day(8), 2, day(11))];
    given(programme, ...twice)
      .when(begin(day(11)))
      .thenRecords(begun(day(11), { attempt: 3, retryAfterHours: 0 }));
    given(programme, ...twice, begun(day(11), { attempt: 3, retryAfterHours: 0 }))
      .when(decline(day(11), 3))
      .thenRecords(declined(day(11), 3), held(day(11), 'declined-payment'));
  });

  it('LOY-8: a charge that the bank wants confirmed waits until the next attempt, and is then paid, or tried again at once', () => {
    const link = { keyId: 'k1', box: btoa('https://bank.example'), secret: true } as const;
    const asked = { renewalNumber: 1, attempt: 1, reference: 'r1', link };
    const ask: ProgrammeCommand = { type: 'RequestConfirmation', at: day(7), ...asked };
    const requested = {
      type: 'RenewalConfirmationRequested',
      data: { at: day(7), customerId: 'c1', ...asked, until: day(8), policyVersion: 1 },
    } satisfies ProgrammeEvent;
    given(programme, joined, begun(day(7)))
      .when(ask)
      .thenRecords(requested);
    given(programme, joined, begun(day(7), { retryAfterHours: 0 }))
      .when(ask)
      .thenRecords();
    given(programme, joined, begun(day(7)), requested)
      .when({ type: 'RecordRenewalDeclined', at: day(8), renewalNumber: 1, attempt: 1, reason: 'expired-card' })
      .thenRecords(declined(day(8), 1, day(8)));
    given(programme, joined, begun(day(7)), requested)
      .when({
        type: 'RecordRenewalPaid',
        at: day(8),
        renewalNumber: 1,
        attempt: 1,
        ...money,
        providerCustomerId: 'cus_1',
      })
      .thenRecords({
        type: 'RenewalPaid',
        data: { at: day(8), renewalNumber: 1, attempt: 1, ...money, providerCustomerId: 'cus_1', nextDueAt: day(14) },
      });
  });

  it('LOY-8: activated after that, it starts the retries again with a new key', () => {
    const lost = [joined, begun(day(7), { retryAfterHours: 0 }), declined(day(7)), held(day(7), 'declined-payment')];
    given(programme, ...lost, activated(day(20), day(20)))
      .when(begin(day(20)))
      .thenRecords(begun(day(20), { attempt: 2, dueAt: day(20), retryAfterHours: 24 }));
  });

  it('LOY-5: activated before its date it is due on it, after it at once', () => {
    const activate = (at: string): ProgrammeCommand => ({ type: 'ActivateProgramme', at });
    const onHold = [joined, held(day(1))];
    given(programme, ...onHold)
      .when(begin(day(8)))
      .thenNothing();
    given(programme, ...onHold)
      .when(activate(day(5)))
      .thenRecords(activated(day(5), day(7)));
    given(programme, ...onHold)
      .when(activate(day(7)))
      .thenRecords(activated(day(7), day(7)));
    given(programme, ...onHold)
      .when(activate(day(30)))
      .thenRecords(activated(day(30), day(30)));
    given(programme, ...onHold, activated(day(30), day(30)), begun(day(30), { dueAt: day(30) }))
      .when(pay(day(30)))
      .thenRecords(paid(day(30), day(37)));
    given(programme, joined)
      .when(activate(day(30)))
      .thenNothing();
  });

  it('LOY-5: held or cancelled while a charge is under way, it still records the result', () => {
    for (const meanwhile of [held(day(8)), cancelled(day(8))]) {
      given(programme, joined, begun(day(7)), meanwhile)
        .when(pay(day(9)))
        .thenRecords(paid(day(9)));
      given(programme, joined, begun(day(7)), meanwhile)
        .when(decline(day(9)))
        .thenRecords(declined(day(9)));
    }
    const backAgain = [held(day(8)), activated(day(9), day(7))];
    given(programme, joined, begun(day(7)), held(day(8)))
      .when({ type: 'ActivateProgramme', at: day(9) })
      .thenRecords(activated(day(9), day(7)));
    given(programme, joined, begun(day(7)), ...backAgain)
      .when(pay(day(9)))
      .thenRecords(paid(day(9), day(14)));
  });

  it('LOY-6: is cancelled at any time and stays so', () => {
    for (const past of [[joined], [joined, held(day(1))], [joined, begun(day(7))]])
      given(programme, ...past)
        .when({ type: 'CancelProgramme', at: day(8), cause: 'customer' })
        .thenRecords(cancelled(day(8)));
    for (const type of ['HoldProgramme', 'ActivateProgramme'] as const)
      given(programme, joined, cancelled(day(1)))
        .when({ type, at: day(2) })
        .thenRefuses('programme-cancelled', 'LOY-6');
    given(programme, joined, cancelled(day(1)))
      .when(begin(day(8)))
      .thenNothing();
  });

  it('LOY-1: without a hold, the n-th date is n cadences after the first order, in milliseconds, for any cadence and start', () => {
    const start = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
    const cadence = fc.constantFrom(7, 14, 30, 0.5, 28.25);
    fc.assert(
      fc.property(
        start,
        cadence,
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.nat(100), { minLength: 40, maxLength: 40 }),
        (from, cadenceDays, renewals, delays) => {
          const state = { current: programme.initialState() };
          const send = (command: ProgrammeCommand) => {
            const decision = programme.decide(command, state.current);
            if ('refused' in decision) throw new Error(decision.code);
            state.current = decision.reduce(programme.evolve, state.current);
          };
          const countedFrom = from.toISOString();
          send({ ...join, countedFrom, cadenceDays } as ProgrammeCommand);
          for (let number = 1; number <= renewals; number += 1) {
            const dueAt = chargeDueAt(state.current) as string;
            expect(Date.parse(dueAt) - from.getTime()).toBe(number * cadenceDays * 86_400_000);
            const lateAt = addSeconds(dueAt, delays[number - 1] as number);
            send(begin(lateAt, number));
            send(pay(lateAt, number));
          }
        },
      ),
    );
  });

  it('LOY-1, LOY-5, LOY-8: whatever is asked in whatever order, renewals are paid once each, in order, never before they are due', () => {
    const step = fc.record({
      what: fc.constantFrom('hold', 'activate', 'begin', 'pay', 'decline', 'cancel', 'announce'),
      hours: fc.integer({ min: 0, max: 200 }),
      renewalNumber: fc.integer({ min: 1, max: 4 }),
      attempt: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log: ProgrammeEvent[] = [joined];
        let at = minute(1);
        for (const { what, hours, renewalNumber, attempt } of steps) {
          at = addSeconds(at, hours * 3600);
          const commands: Record<typeof what, ProgrammeCommand> = {
            hold: { type: 'HoldProgramme', at },
            activate: { type: 'ActivateProgramme', at },
            cancel: { type: 'CancelProgramme', at, cause: 'customer' },
            begin: begin(at, renewalNumber),
            announce: announce(at, renewalNumber),
            pay: pay(at, renewalNumber, attempt),
            decline: { ...decline(at, attempt), renewalNumber } as ProgrammeCommand,
          };
          const decision = programme.decide(commands[what], log.reduce(programme.evolve, programme.initialState()));
          if (!('refused' in decision)) log.push(...decision);
        }
        const payments = log.flatMap((event) => (event.type === 'RenewalPaid' ? [event.data] : []));
        expect(payments.map((payment) => payment.renewalNumber)).toEqual(payments.map((_, index) => index + 1));
        const begins = log.flatMap((event) => (event.type === 'RenewalBegun' ? [event.data] : []));
        for (const beginning of begins) expect(beginning.at >= beginning.dueAt).toBe(true);
        const dueDates = [...new Map(begins.map((beginning) => [beginning.renewalNumber, beginning.dueAt])).values()];
        for (const [index, dueAt] of dueDates.entries())
          if (index > 0) expect(dueAt >= addDays(dueDates[index - 1] as string, 7)).toBe(true);
        const keys = begins.map((beginning) => `${beginning.renewalNumber} ${beginning.attempt}`);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });
});
