import { addDays, addSeconds } from '#domain/kernel/instants';
import { loyaltyTermsOf } from '#domain/loyalty/bonus';
import { defaultPolicy } from '#domain/policy/policy';
import { driveProcess, type FactSpec } from '#test/process-driver';
import { loyaltyMembership } from './loyalty-membership.ts';
import { loyaltyRenewals } from './loyalty-renewals.ts';

const START = '2026-05-01T10:00:00.000Z';

const loyalty = loyaltyTermsOf('weekly', 'shared', defaultPolicy);
const programme = { customerId: 'c1', cadenceDays: 7, dueAt: addDays(START, 7) };

describe('the membership in Loyalty Rewards', () => {
  it('LOY-6: ends with its order, also when the order ends before the programme has begun', () => {
    const { fold, wishesAt } = driveProcess(loyaltyMembership, START);
    fold('order-o1', 'OrderPlaced', { loyalty });
    expect(wishesAt(START)).toEqual(['JoinProgramme']);
    fold('order-o1', 'OrderCancelled', {});
    expect(wishesAt(START)).toEqual([]);
    fold('programme-o1', 'ProgrammeJoined', programme);
    expect(wishesAt(START)).toEqual(['CancelProgramme']);
  });

  it('does nothing for orders that did not join', () => {
    const { fold, wishesAt } = driveProcess(loyaltyMembership, START);
    fold('order-o1', 'OrderPlaced', {});
    fold('order-o1', 'OrderCancelled', {});
    expect(wishesAt(START)).toEqual([]);
  });
});

describe('renewals', () => {
  const publish = (version: number, renewalNoticeDays: number, effectiveFrom: string) =>
    ({ version, effectiveFrom, policy: { ...defaultPolicy, renewalNoticeDays } }) as const;

  const joined = () => {
    const driver = driveProcess(loyaltyRenewals, START);
    driver.fold('policy-main', 'PolicyPublished', publish(1, 3, START));
    const order = { customerId: 'c1', loyalty, quantity: 10, pricePerLeadCents: 100, timeZone: 'America/New_York' };
    driver.fold('order-o1', 'OrderPlaced', order);
    driver.fold('order-o1', 'PaymentCaptured', {});
    driver.fold('programme-o1', 'ProgrammeJoined', programme);
    return driver;
  };

  const erased: FactSpec<'PersonErased' | 'RenewalMissed'> = [
    'erasures-main',
    'PersonErased',
    { subjects: ['customer-c1'], personKeys: [], ends: [] },
  ];
  const missed: typeof erased = [
    'programme-o1',
    'RenewalMissed',
    { renewalNumber: 1, attempt: 1, dueAt: programme.dueAt },
  ];
  const charges = (wishes: readonly object[]) =>
    wishes.filter((wish) => (wish as { effect?: { kind: string } }).effect?.kind === 'charge-renewal');
  const begun = () => {
    const driver = joined();
    const charge = { token: { box: 'b' }, amountCents: 1000, currency: 'USD', statementDescriptor: 'LEADGER' };
    driver.fold('programme-o1', 'RenewalBegun', { renewalNumber: 1, attempt: 1, dueAt: programme.dueAt, charge });
    expect(charges(driver.wishes(START))).toHaveLength(1);
    return driver;
  };

  it.each([
    ['erased while they wait', missed, erased],
    ['erased as the store finds that they wait', erased, missed],
  ])('LOY-10: whose charge is under way get a result when their customer is %s', (_, first, second) => {
    const { fold, wishes } = begun();
    fold(...first);
    fold(...second);
    expect(charges(wishes(START))).toMatchObject([{ effect: { renewalNumber: 1, attempt: 1 } }]);
    fold('programme-o1', 'RenewalUnknown', { renewalNumber: 1, attempt: 1 });
    fold(...erased);
    expect(charges(wishes(START))).toEqual([]);
  });

  it('LOY-1: begin on their date although the announcement came too late', () => {
    const { wishesAt, wakesAt } = joined();
    expect(wishesAt(addSeconds(programme.dueAt, -0.001))).toEqual(['AnnounceRenewal']);
    expect(wakesAt()).toBe(programme.dueAt);
    expect(wishesAt(programme.dueAt)).toEqual(['BeginRenewal']);
  });

  it('LOY-1: begin by the clock of this machine, although a fact came from a machine whose clock is ahead', () => {
    const { fold, wishesAt, wakesAt } = joined();
    fold('programme-o1', 'RenewalAnnounced', { renewalNumber: 1 });
    fold('order-o2', 'PaymentCaptured', { at: addSeconds(programme.dueAt, 1) });
    expect(wishesAt(addSeconds(programme.dueAt, -1))).toEqual([]);
    expect(wakesAt()).toBe(programme.dueAt);
    expect(wishesAt(programme.dueAt)).toEqual(['BeginRenewal']);
  });

  it('LOY-7: are announced by the policy in force, and scheduled again when another one takes effect', () => {
    const { fold, wishesAt, wakesAt } = joined();
    expect(wishesAt(START)).toEqual([]);
    expect(wakesAt()).toBe(addDays(START, 4));
    fold('policy-main', 'PolicyPublished', publish(2, 5, addDays(START, 3)));
    expect(wakesAt()).toBe(addDays(START, 3));
    expect(wishesAt(addDays(START, 3))).toEqual(['AnnounceRenewal']);
  });

  it('are not charged when they begin after their customer was erased; one that was outstanding gets a result', () => {
    const begun = ['programme-o1', 'RenewalBegun', { renewalNumber: 1, attempt: 1, charge: {} }] as const;
    const erased = ['erasures-main', 'PersonErased', { subjects: ['customer-c1'], personKeys: [], ends: [] }] as const;
    const late = joined();
    late.fold(...erased);
    late.fold(...begun);
    expect(late.wishesAt(programme.dueAt)).toEqual([]);
    const outstanding = joined();
    outstanding.fold(...begun);
    outstanding.fold(...erased);
    expect(outstanding.wishesAt(programme.dueAt)).toEqual(['charge-renewal']);
    const settled = joined();
    settled.fold(...begun);
    settled.fold(...erased);
    settled.fold('programme-o1', 'RenewalUnknown', { renewalNumber: 1, attempt: 1 });
    expect(settled.wishesAt(programme.dueAt)).toEqual([]);
  });

  it.each([false, true])(
    'LOY-6, LOY-10: a charge that was begun gets its result when an operator releases it, also once the programme is cancelled: %s',
    (isCancelled) => {
      const about = { customerId: 'c1', renewalNumber: 1, dueAt: programme.dueAt };
      const { fold, wishesAt } = joined();
      fold('programme-o1', 'RenewalBegun', { renewalNumber: 1, attempt: 1, charge: {}, dueAt: programme.dueAt });
      fold('programme-o1', 'RenewalMissed', { ...about, attempt: 1, policyVersion: 1 });
      if (isCancelled) fold('programme-o1', 'ProgrammeCancelled', { renewalNumber: 1, cause: 'customer' });
      expect(wishesAt(addDays(programme.dueAt, 9))).toEqual([]);
      fold('programme-o1', 'RenewalReleased', { ...about, at: addDays(programme.dueAt, 9) });
      expect(wishesAt(addDays(programme.dueAt, 9))).toEqual(['charge-renewal']);
      fold('programme-o1', 'RenewalPaid', { renewalNumber: 1, attempt: 1, nextDueAt: addDays(programme.dueAt, 30) });
      expect(wishesAt(addDays(programme.dueAt, 99))).toContain('ReopenOrder');
    },
  );
});
