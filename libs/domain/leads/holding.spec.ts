import { given, minute } from '#test/given';
import { addDays } from '../kernel/instants.ts';
import type { ClaimTerms } from './claim-terms.ts';
import { type Holding, holdingOf, holdingOfHolder, matchOf } from './holding.ts';
import { type LeadEvent, lead } from './lead.ts';

const key = 't'.repeat(22);
const otherKey = 'e'.repeat(22);
const standing = { leadTypeId: 'fresh', openPlaces: 1 };
const capture = { at: minute(0), leadTypeId: 'fresh', source: 'web', telephoneKey: key, policyVersion: 1 };
const contact = { keyId: 'k', box: 'AAAA' };
const received: LeadEvent = { type: 'LeadReceived', data: { ...capture, openPlaces: 1, contact } };
const assignment = {
  at: minute(1),
  leadTypeId: 'fresh',
  orderId: 'o1',
  customerId: 'c1',
  businessKey: 'b1',
  decision: {
    rule: 'order-served-longest-ago',
    rank: { placedAt: minute(0) },
    decidedAt: minute(1),
    eventsSeen: 7,
    decisionIndex: 0,
    policyVersion: 1,
  },
} as const;
const assigned: LeadEvent = { type: 'LeadAssigned', data: { ...assignment, openPlaces: 0 } };
const released: LeadEvent = {
  type: 'LeadReleased',
  data: { at: minute(2), ...standing, orderId: 'o1', customerId: 'c1', reason: 'order-paused' },
};
const aged: LeadEvent = {
  type: 'LeadAged',
  data: { at: minute(3), ...standing, fromLeadTypeId: 'real-time', policyVersion: 1 },
};
const withdrawn = (why: { replacementId?: string; supersededBy?: string }): LeadEvent => ({
  type: 'LeadWithdrawn',
  data: { at: minute(4), ...standing, openPlaces: 0, ...why, reason: 'wrong number' },
});
const forfeited: LeadEvent = { type: 'ReceiptForfeited', data: { at: minute(0), toLeadId: 'l2' } };
const duplicateData = { ...capture, duplicateOf: 'l1', match: 'telephone' } as const;
const duplicate: LeadEvent = { type: 'DuplicateReceived', data: duplicateData };
const terms: ClaimTerms = { agesNoFurther: false, agedAfterDays: 30, bothShared: false };
const last = { ...terms, agesNoFurther: true };
const shared = { ...terms, bothShared: true };

const holding = (past: readonly LeadEvent[], given_: Partial<ClaimTerms> = {}, days = 0, attempt = 0): Holding =>
  holdingOf({ attempt }, key, given(lead, ...past).state(), addDays(minute(5), days), { ...terms, ...given_ });

describe('DLV-11: a lead has its person', () => {
  test('from its receipt on, in stock, sold, and after the person was erased', () => {
    for (const past of [[received], [received, assigned], [received, assigned, withdrawn({})]])
      expect(holding(past)).toEqual({ kind: 'held' });
    expect(holding([received, assigned], last, 3650)).toEqual({ kind: 'held' });
  });

  test('not while it is not stored: its claim ends only when it is forfeited', () => {
    expect(holding([])).toEqual({ kind: 'missing' });
    expect(holding([forfeited])).toEqual({ kind: 'ended' });
    expect(holding([forfeited], {}, 0, 1)).toEqual({ kind: 'missing' });
  });

  test('until it is withdrawn as bad', () => {
    expect(holding([received, assigned, withdrawn({ replacementId: 'r1' })])).toEqual({ kind: 'ended' });
  });

  test('until it has aged out without being sold', () => {
    expect(holding([received], last)).toEqual({ kind: 'held' });
    expect(holding([received], last, 30)).toEqual({ kind: 'ends' });
    expect(holding([received, aged], last)).toEqual({ kind: 'ends' });
    expect(holding([received, aged])).toEqual({ kind: 'held' });
    expect(holding([received, assigned, released, aged], last)).toEqual({ kind: 'ends' });
    expect(holding([received, aged, assigned], last, 3650)).toEqual({ kind: 'held' });
  });

  test('for a shared one: until the window of the policy has passed since its last sale', () => {
    expect(holding([received, assigned], shared, 3650)).toEqual({ kind: 'held' });
    expect(holding([received, assigned], { ...shared, sharedPersonDays: 90 }, 89)).toEqual({ kind: 'held' });
    expect(holding([received, assigned], { ...shared, sharedPersonDays: 90 }, 90)).toEqual({ kind: 'ends' });
    expect(holding([received, assigned], { ...terms, sharedPersonDays: 90 }, 90)).toEqual({ kind: 'held' });
  });

  test('only by the keys that its record has', () => {
    const state = given(lead, received).state();
    expect(holdingOf({ attempt: 0 }, otherKey, state, minute(5), terms)).toEqual({ kind: 'ended' });
    expect(holdingOfHolder(state, minute(5), terms)).toEqual({ kind: 'held' });
  });

  test('or leads to the lead that has it', () => {
    expect(holding([duplicate])).toEqual({ kind: 'led', to: 'l1' });
    expect(holding([received, withdrawn({ supersededBy: 'l9' })])).toEqual({ kind: 'led', to: 'l9' });
    expect(holdingOfHolder(given(lead).state(), minute(5), terms)).toEqual({ kind: 'missing' });
  });
});

test('a match says by what a person was recognised', () => {
  expect(matchOf({ telephone: true, email: false })).toBe('telephone');
  expect(matchOf({ telephone: false, email: true })).toBe('email');
  expect(matchOf({ telephone: true, email: true })).toBe('telephone and email');
});

describe('DLV-11: a record of a person', () => {
  const receive = (attempt?: number) =>
    ({
      type: 'ReceiveLead',
      ...capture,
      contact,
      maximumCustomers: 1,
      ...(attempt !== undefined && { attempt }),
    }) as const;
  const receiveDuplicate = { type: 'ReceiveDuplicate', ...duplicateData } as const;
  const forfeit = (attempt: number) => ({ type: 'ForfeitReceipt', at: minute(0), attempt, toLeadId: 'l2' }) as const;

  test('that another lead has is recorded without its contact, once, and is never assigned', () => {
    given(lead).when(receiveDuplicate).thenRecords(duplicate);
    given(lead, duplicate).when(receive()).thenNothing();
    given(lead, duplicate)
      .when({ type: 'AssignLead', ...assignment })
      .thenRefuses('lead-duplicate', 'DLV-11');
    given(lead, received).when(receiveDuplicate).thenNothing();
  });

  test('is not stored after its receipt was forfeited, unless the person was claimed again', () => {
    given(lead).when(forfeit(0)).thenRecords(forfeited);
    given(lead, forfeited).when(receive()).thenRefuses('receipt-forfeited', 'DLV-11');
    given(lead, forfeited).when(receive(1)).thenRecords(received);
    given(lead, forfeited).when(forfeit(1)).thenRecords(forfeited);
  });

  test('that is stored cannot be forfeited', () => {
    given(lead, received).when(forfeit(0)).thenNothing();
    given(lead, duplicate).when(forfeit(0)).thenNothing();
  });

  const supersede = (given_: ClaimTerms, byLeadId = 'l2') =>
    ({ type: 'SupersedeLead', at: minute(6), leadTypeId: 'fresh', byLeadId, ...given_ }) as const;

  test('takes the place of a lead that was never sold and has aged out', () => {
    given(lead, received, aged)
      .when(supersede(last))
      .thenRecords({
        type: 'LeadWithdrawn',
        data: { at: minute(6), leadTypeId: 'fresh', openPlaces: 0, supersededBy: 'l2', reason: 'superseded' },
      });
  });

  test('does not take the place of a lead that was sold meanwhile, or whose place another one took', () => {
    given(lead, received, aged, assigned).when(supersede(last)).thenRefuses('person-claimed', 'DLV-11');
    given(lead, received, aged, withdrawn({ supersededBy: 'l3' }))
      .when(supersede(last))
      .thenRefuses('person-claimed');
  });
});
