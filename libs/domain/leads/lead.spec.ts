import { given, minute } from '#test/given';
import type { DistributionDecision } from '../distribution/decision.ts';
import { type LeadCommand, type LeadEvent, lead } from './lead.ts';

const contact = { keyId: 'k', box: 'AAAA' };
const decision: DistributionDecision = {
  rule: 'order-served-longest-ago',
  rank: { placedAt: minute(0) },
  decidedAt: minute(2),
  eventsSeen: 7,
  decisionIndex: 0,
  policyVersion: 1,
};
const receive = (maximumCustomers: number): LeadCommand => ({
  type: 'ReceiveLead',
  at: minute(1),
  leadTypeId: 'shared-fresh',
  maximumCustomers,
  source: 'web',
  telephoneKey: 't'.repeat(22),
  contact,
  policyVersion: 1,
});
const received = (openPlaces: number): LeadEvent => ({
  type: 'LeadReceived',
  data: {
    at: minute(1),
    leadTypeId: 'shared-fresh',
    openPlaces,
    source: 'web',
    telephoneKey: 't'.repeat(22),
    contact,
    policyVersion: 1,
  },
});
const target = (number: number, businessKey = `business${number}`) => ({
  orderId: `o${number}`,
  customerId: `c${number}`,
  businessKey,
});
const assign = (number: number, change: Partial<Extract<LeadCommand, { type: 'AssignLead' }>> = {}): LeadCommand => ({
  type: 'AssignLead',
  at: minute(2),
  leadTypeId: 'shared-fresh',
  decision,
  ...target(number),
  ...change,
});
const assigned = (number: number, openPlaces: number): LeadEvent => ({
  type: 'LeadAssigned',
  data: {
    at: minute(2),
    leadTypeId: 'shared-fresh',
    openPlaces,
    decision,
    telephoneKey: 't'.repeat(22),
    emailKey: undefined,
    ...target(number),
  },
});
const withdrawn: LeadEvent = {
  type: 'LeadWithdrawn',
  data: { at: minute(3), leadTypeId: 'shared-fresh', openPlaces: 0, replacementId: 'r1', reason: 'wrong number' },
};
const aged: LeadEvent = {
  type: 'LeadAged',
  data: { at: minute(3), leadTypeId: 'shared-aged', openPlaces: 2, fromLeadTypeId: 'shared-fresh', policyVersion: 1 },
};

describe('a lead', () => {
  it('is received once', () => {
    given(lead).when(receive(3)).thenRecords(received(3));
    given(lead).when(assign(1)).thenRefuses('lead-unknown');
  });

  it('DLV-1: that is exclusive goes to one customer', () => {
    given(lead, received(1)).when(assign(1)).thenRecords(assigned(1, 0));
    given(lead, received(1), assigned(1, 0)).when(assign(2)).thenRefuses('lead-taken', 'DLV-2');
  });

  it('DLV-2: that is shared goes to as many customers as the policy said at its receipt', () => {
    const full = [received(3), assigned(1, 2), assigned(2, 1), assigned(3, 0)];
    given(lead, ...full.slice(0, 3))
      .when(assign(3))
      .thenRecords(assigned(3, 0));
    given(lead, ...full)
      .when(assign(4))
      .thenRefuses('lead-taken', 'DLV-2');
  });

  it('DLV-3: goes into a business once', () => {
    given(lead, received(3), assigned(1, 2))
      .when(assign(2, { businessKey: 'business1' }))
      .thenRefuses('business-has-lead', 'DLV-3');
    given(lead, received(3), assigned(1, 2))
      .when(assign(2, { businessKey: 'key of business1', otherBusinessKeys: ['business1'] }))
      .thenRefuses('business-has-lead', 'DLV-3');
  });

  it('DLV-3: an assignment names its business by the present key only', () => {
    given(lead, received(3))
      .when(assign(1, { otherBusinessKeys: ['former'] }))
      .thenRecords(assigned(1, 2));
  });

  it('DLV-4: goes to a customer once, for whichever order', () => {
    given(lead, received(3), assigned(1, 2))
      .when(assign(2, { customerId: 'c1' }))
      .thenRefuses('customer-has-lead', 'DLV-4');
  });

  it('has an open place again when it is released', () => {
    given(lead, received(1), assigned(1, 0))
      .when({ type: 'ReleaseLead', at: minute(4), orderId: 'o1', reason: 'order-paused' })
      .thenRecords({
        type: 'LeadReleased',
        data: {
          at: minute(4),
          leadTypeId: 'shared-fresh',
          openPlaces: 1,
          orderId: 'o1',
          customerId: 'c1',
          reason: 'order-paused',
        },
      });
    given(lead, received(1))
      .when({ type: 'ReleaseLead', at: minute(4), orderId: 'o1', reason: 'x' })
      .thenNothing();
  });

  it('DLV-6: ages while it can still be delivered', () => {
    const age: LeadCommand = {
      type: 'AgeLead',
      at: minute(3),
      leadTypeId: 'shared-fresh',
      intoLeadTypeId: 'shared-aged',
      policyVersion: 1,
    };
    given(lead, received(3), assigned(1, 2)).when(age).thenRecords(aged);
    given(lead, received(1), assigned(1, 0)).when(age).thenNothing();
    given(lead, received(3), withdrawn).when(age).thenNothing();
    given(lead, received(3), assigned(1, 2), aged).when(assign(2)).thenRefuses('lead-aged', 'DLV-6');
  });

  it('DLV-10: that was withdrawn is not delivered', () => {
    given(lead, received(3), assigned(1, 2))
      .when({ type: 'WithdrawLead', at: minute(3), replacementId: 'r1', reason: 'wrong number' })
      .thenRecords(withdrawn);
    given(lead, received(3), assigned(1, 2), withdrawn).when(assign(2)).thenRefuses('lead-withdrawn', 'DLV-10');
    // A delivery under way is undone without opening its place.
    expect(
      given(lead, received(3), assigned(1, 2), withdrawn).when({
        type: 'ReleaseLead',
        at: minute(4),
        orderId: 'o1',
        reason: 'order-paused',
      }).decision,
    ).toMatchObject([{ data: { openPlaces: 0 } }]);
  });
});

describe('DLV-11: a lead whose person another lead keeps', () => {
  const mergeAsRead = (assignments: number): LeadCommand => ({
    type: 'MergeLead',
    at: minute(3),
    byLeadId: 'l2',
    assignments,
  });

  it('is withdrawn', () => {
    given(lead, received(3), assigned(1, 2))
      .when(mergeAsRead(1))
      .thenRecords({
        type: 'LeadWithdrawn',
        data: {
          at: minute(3),
          leadTypeId: 'shared-fresh',
          openPlaces: 0,
          supersededBy: 'l2',
          reason: 'superseded',
        },
      });
  });

  it('is compared again when it was sold meanwhile', () => {
    given(lead, received(3), assigned(1, 2)).when(mergeAsRead(0)).thenRefuses('person-claimed', 'DLV-11');
  });
});

describe('DLV-12: a lead whose person is suppressed', () => {
  const personKey = 'k1';
  const suppress: LeadCommand = { type: 'SuppressLead', at: minute(3), suppression: 'do-not-call', personKey };
  const why = { suppression: 'do-not-call', suppressedKey: personKey, reason: 'person-suppressed' } as const;
  const withdrawn = (more: object = {}): LeadEvent => ({
    type: 'LeadWithdrawn',
    data: { at: minute(3), leadTypeId: 'shared-fresh', openPlaces: 0, ...more, ...why },
  });

  it('is withdrawn, names its buyers, and is not sold again', () => {
    const buyers = [{ orderId: 'o1', customerId: 'c1' }];
    given(lead, received(3)).when(suppress).thenRecords(withdrawn());
    given(lead, received(3), assigned(1, 2)).when(suppress).thenRecords(withdrawn({ buyers }));
    given(lead, received(3), withdrawn()).when(assign(2)).thenRefuses('lead-withdrawn');
  });

  it('tells its buyers once, and remembers by what else its person was suppressed', () => {
    const again = withdrawn({ suppressedKey: 'k2' });
    given(lead, received(3), assigned(1, 2), withdrawn()).when(suppress).thenNothing();
    given(lead, received(3), assigned(1, 2), withdrawn())
      .when({ ...suppress, personKey: 'k2' })
      .thenRecords({ ...again, data: { ...again.data, suppressedKey: 'k2' } } as LeadEvent);
  });

  it('tells the buyers also when it was withdrawn before', () => {
    const buyers = [{ orderId: 'o1', customerId: 'c1' }];
    const erased: LeadEvent = {
      type: 'LeadWithdrawn',
      data: { at: minute(2), leadTypeId: 'shared-fresh', openPlaces: 0, reason: 'person-erased' },
    };
    given(lead, received(3), assigned(1, 2), erased).when(suppress).thenRecords(withdrawn({ buyers }));
  });

  it('stays withdrawn when a delivery that was under way is undone', () => {
    given(lead, received(3), assigned(1, 2), withdrawn())
      .when({ type: 'ReleaseLead', at: minute(4), orderId: 'o1', reason: 'person-suppressed' })
      .thenRecords({
        type: 'LeadReleased',
        data: {
          at: minute(4),
          leadTypeId: 'shared-fresh',
          openPlaces: 0,
          orderId: 'o1',
          customerId: 'c1',
          reason: 'person-suppressed',
        },
      });
  });
});
