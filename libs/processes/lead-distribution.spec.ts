import type { DistributionDecision } from '#domain/distribution/decision';
import { defaultPolicy } from '#domain/policy/policy';
import { driveProcess, type FactSpec } from '#test/process-driver';
import { leadDistribution } from './lead-distribution.ts';
import type { CommandWish } from './process.ts';

const AT = '2026-05-01T10:00:00.000Z';
const leadTypeId = 'shared-fresh';
const decision: DistributionDecision = {
  rule: 'order-served-longest-ago',
  rank: { placedAt: AT },
  decidedAt: AT,
  eventsSeen: 7,
  decisionIndex: 0,
  policyVersion: 1,
};
type Fact = FactSpec<Parameters<typeof leadDistribution.evolve>[1]['type']>;
const before: readonly Fact[] = [
  ['policy-main', 'PolicyPublished', { version: 1, effectiveFrom: AT, policy: defaultPolicy }],
  ['customer-c1', 'CustomerRegistered', { businessAssociation: 'Abc' }],
  ['order-o1', 'OrderPlaced', { customerId: 'c1', leadTypeId, quantity: 10, bonusLeads: 0, timeZone: 'UTC' }],
  ['order-o1', 'PaymentCaptured', {}],
  ['lead-l1', 'LeadReceived', { leadTypeId, openPlaces: 3 }],
];
const to = { orderId: 'o1', customerId: 'c1' };
const assigned: Fact = ['lead-l1', 'LeadAssigned', { leadTypeId, openPlaces: 2, businessKey: 'abc', decision, ...to }];
const added: Fact = ['contacts-c1', 'ContactAdded', { leadId: 'l1', orderId: 'o1' }];
const withdrawn: Fact = ['lead-l1', 'LeadWithdrawn', { leadTypeId, openPlaces: 0, reason: 'wrong number' }];
const removed: Fact = ['contacts-c1', 'ContactRemoved', { leadId: 'l1', orderId: 'o1', reason: 'lead-withdrawn' }];

const wishesAfter = (...facts: readonly Fact[]) => {
  const { fold, wishes } = driveProcess(leadDistribution, AT);
  for (const fact of [...before, ...facts]) fold(...fact);
  return (wishes() as CommandWish[]).map(({ command }) => command);
};

describe('a delivery', () => {
  it('goes through the contact book and the order', () => {
    expect(wishesAfter()).toMatchObject([{ type: 'AssignLead' }]);
    expect(wishesAfter(assigned)).toMatchObject([{ type: 'AddContact' }]);
    expect(wishesAfter(assigned, added)).toMatchObject([{ type: 'DeliverLead' }]);
  });

  it('DLV-10: is undone when its lead is withdrawn before the receipt', () => {
    const reason = 'lead-withdrawn';
    expect(wishesAfter(assigned, withdrawn)).toMatchObject([{ type: 'ReleaseLead', reason }]);
    expect(wishesAfter(assigned, added, withdrawn)).toMatchObject([{ type: 'RemoveContact', reason }]);
    expect(wishesAfter(assigned, withdrawn, added)).toMatchObject([{ type: 'RemoveContact', reason }]);
    expect(wishesAfter(assigned, added, withdrawn, removed)).toMatchObject([{ type: 'ReleaseLead', reason }]);
  });
});
