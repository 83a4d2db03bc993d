import type { DistributionDecision } from '#domain/distribution/decision';
import { unsealed } from '#domain/kernel/events';
import { defaultPolicy } from '#domain/policy/policy';
import { businessOf } from '#test/boxes';
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
  ['customer-c1', 'CustomerRegistered', businessOf('Abc')],
  ['order-o1', 'OrderPlaced', { customerId: 'c1', leadTypeId, quantity: 10, bonusLeads: 0, timeZone: 'UTC' }],
  ['order-o1', 'PaymentCaptured', {}],
  ['lead-l1', 'LeadReceived', { leadTypeId, openPlaces: 3 }],
];
const to = { orderId: 'o1', customerId: 'c1' };
const assigned: Fact = [
  'lead-l1',
  'LeadAssigned',
  { leadTypeId, openPlaces: 2, businessKey: businessOf('Abc').businessKey, decision, ...to },
];
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

  it('has ids that follow from its assignment, not from what else had happened until then', () => {
    const idsAfter = (...others: readonly Fact[]) => {
      const { fold, wishes } = driveProcess(leadDistribution, AT);
      for (const fact of [...before, ...others, assigned]) fold(...fact);
      return wishes().map(({ commandId }) => commandId);
    };
    expect(idsAfter()).toEqual(idsAfter(['customer-c2', 'CustomerRegistered', businessOf('Other')]));
  });

  it('RPL-2: promises the window for returns of the policy by which it was decided', () => {
    const policy = { ...defaultPolicy, returnWindowDays: 9 };
    const later: Fact = ['policy-main', 'PolicyPublished', { version: 2, effectiveFrom: AT, policy }];
    expect(wishesAfter(assigned, later, added)).toMatchObject([{ type: 'DeliverLead', returnWindowDays: 5 }]);
  });

  it('DLV-10: is undone when its lead is withdrawn before the receipt', () => {
    const reason = 'lead-withdrawn';
    expect(wishesAfter(assigned, withdrawn)).toMatchObject([{ type: 'ReleaseLead', reason }]);
    expect(wishesAfter(assigned, added, withdrawn)).toMatchObject([{ type: 'RemoveContact', reason }]);
    expect(wishesAfter(assigned, withdrawn, added)).toMatchObject([{ type: 'RemoveContact', reason }]);
    expect(wishesAfter(assigned, added, withdrawn, removed)).toMatchObject([{ type: 'ReleaseLead', reason }]);
  });
});

test('DLV-7: the order served longest ago is first, also after a clock that was set forward was put right', () => {
  const { fold, wishes } = driveProcess(leadDistribution, AT);
  const served = (leadId: string, orderId: string, customerId: string, day: string, eventsSeen: number): Fact[] => [
    [`lead-${leadId}`, 'LeadReceived', { leadTypeId, openPlaces: 1 }],
    [
      `lead-${leadId}`,
      'LeadAssigned',
      {
        ...{ leadTypeId, openPlaces: 0, orderId, customerId, businessKey: customerId },
        decision: { ...decision, decidedAt: day, eventsSeen },
      },
    ],
  ];
  const [ahead, right] = ['2026-05-09T10:00:00.000Z', '2026-05-01T10:00:00.000Z'];
  const facts: Fact[] = [
    ...before.slice(0, -1),
    ['customer-c2', 'CustomerRegistered', businessOf('Other')],
    ['order-o2', 'OrderPlaced', { customerId: 'c2', leadTypeId, quantity: 10, bonusLeads: 0, timeZone: 'UTC' }],
    ['order-o2', 'PaymentCaptured', {}],
    ...served('l2', 'o1', 'c1', ahead, 7),
    ...served('l3', 'o2', 'c2', ahead, 9),
    ...served('l4', 'o1', 'c1', right, 11),
    ['lead-l5', 'LeadReceived', { leadTypeId, openPlaces: 1 }],
  ];
  for (const fact of facts) fold(...fact);
  const assignments = (wishes() as CommandWish[])
    .map(({ command }) => command)
    .filter(({ type }) => type === 'AssignLead');
  expect(assignments).toMatchObject([{ orderId: 'o2', decision: { rank: { lastServedAt: ahead } } }]);
});

describe('DLV-7: a turn that is given back', () => {
  it.each([[[0, 1]], [[1, 0]]])('is as before when two assignments of one order fail, in the order %j', (failing) => {
    const { fold, wishes, state } = driveProcess(leadDistribution, AT);
    const two: Fact = ['lead-l2', 'LeadReceived', { leadTypeId, openPlaces: 1 }];
    for (const fact of [
      ...before.slice(0, -1),
      ['lead-l1', 'LeadReceived', { leadTypeId, openPlaces: 1 }] as Fact,
      two,
    ])
      fold(...fact);
    const wished = wishes() as CommandWish[];
    expect(wished.map(({ stream }) => stream)).toEqual(['lead-l1', 'lead-l2']);
    const refusal = { refused: true, code: 'lead-aged', message: 'the lead has aged' } as const;
    for (const index of failing) leadDistribution.refused?.(state(), wished[index] as CommandWish, refusal);
    const later = { at: '2026-05-01T11:00:00.000Z' };
    fold('customer-c2', 'CustomerRegistered', businessOf('Other'));
    const newer = { customerId: 'c2', leadTypeId, quantity: 1, bonusLeads: 0, timeZone: 'UTC', ...later };
    fold('order-o2', 'OrderPlaced', newer);
    fold('order-o2', 'PaymentCaptured', later);
    fold('lead-l3', 'LeadReceived', { leadTypeId, openPlaces: 1, ...later });
    expect((wishes(later.at) as CommandWish[]).map(({ command }) => command)).toMatchObject([
      { type: 'AssignLead', orderId: 'o1' },
    ]);
  });
});

describe('DLV-3 in a log of an older version, which compared names of businesses', () => {
  const plain = (name: string) => ({ businessAssociation: unsealed(name), businessKey: name.toLowerCase() });
  const keyOf = (name: string) => businessOf(name).businessKey;
  const sealed = (...names: readonly string[]): Fact => [
    'customer-c1',
    'BusinessAssociationSealed',
    { ...businessOf(names.at(-1) as string), formerNameKeys: names.map(keyOf) },
  ];
  const [policyPublished, , ...supplyAndDemand] = before;
  const older = [policyPublished as Fact, ['customer-c1', 'CustomerRegistered', plain('Abc')] as Fact];
  const assignedPlain: Fact = [assigned[0], 'LeadAssigned', { ...assigned[2], businessKey: 'abc' }];
  const delivered: Fact = ['order-o1', 'LeadDelivered', { leadId: 'l1', localDay: '2026-05-01' }];
  const cancelled: Fact = ['order-o1', 'OrderCancelled', {}];
  const another = (name: string): readonly Fact[] => [
    ['customer-c2', 'CustomerRegistered', businessOf(name)],
    ['order-o2', 'OrderPlaced', { customerId: 'c2', leadTypeId, quantity: 1, bonusLeads: 0, timeZone: 'UTC' }],
    ['order-o2', 'PaymentCaptured', {}],
  ];

  const wishes = (...facts: readonly Fact[]) => {
    const driven = driveProcess(leadDistribution, AT);
    for (const fact of facts) driven.fold(...fact);
    return (driven.wishes() as CommandWish[]).map(({ command }) => command);
  };

  it('an order waits until the business of its customer has a key', () => {
    expect(wishes(...older, ...supplyAndDemand)).toEqual([]);
    expect(wishes(...older, ...supplyAndDemand, sealed('Abc'))).toMatchObject([
      { type: 'AssignLead', businessKey: keyOf('Abc'), otherBusinessKeys: ['abc'] },
    ]);
  });

  it('a lead that was assigned by name goes to no customer of the same business by key', () => {
    const past = [...older, ...supplyAndDemand, assignedPlain, added, delivered, cancelled];
    expect(wishes(...past, sealed('Abc'), ...another('Abc'))).toEqual([]);
    expect(wishes(...past, sealed('Abc'), ...another('Other'))).toMatchObject([{ type: 'AssignLead', orderId: 'o2' }]);
  });

  it('a business that its customers had left before counts, too', () => {
    const moved: Fact = ['customer-c1', 'BusinessAssociationChanged', plain('Other')];
    const past = [...older, ...supplyAndDemand, assignedPlain, added, delivered, cancelled, moved];
    expect(wishes(...past, sealed('Abc', 'Other'), ...another('Abc'))).toEqual([]);
    expect(wishes(...past, sealed('Abc', 'Other'), ...another('Other'))).toMatchObject([{ type: 'AssignLead' }]);
  });

  it('a delivery that an older version began is finished with the key', () => {
    expect(wishes(...older, ...supplyAndDemand, assignedPlain, added, sealed('Abc'))).toMatchObject([
      { type: 'DeliverLead', businessKey: keyOf('Abc') },
    ]);
  });
});

describe('a replacement whose verdict is corrected', () => {
  const owed: Fact = [
    'order-o1',
    'ReplacementOwed',
    { replacementId: 'r1', leadId: 'l0', leadTypeId, customerId: 'c1', owedSince: AT },
  ];
  const forgiven: Fact = ['order-o1', 'ReplacementForgiven', { replacementId: 'r1', cause: 'verdict-corrected' }];
  const forReplacement: Fact = [assigned[0], 'LeadAssigned', { ...assigned[2], replacementFor: 'r1' }];
  const filled: Fact = ['order-o1', 'OrderFilled', {}];
  const [policyPublished, registered, placed, paid, received] = before as [Fact, Fact, Fact, Fact, Fact];
  const wishesOf = (...facts: readonly Fact[]) => {
    const { fold, wishesAt } = driveProcess(leadDistribution, AT);
    for (const fact of [policyPublished, registered, placed, paid, filled, ...facts]) fold(...fact);
    return wishesAt();
  };

  it('RPL-10: gets no lead, unless it is owed again', () => {
    expect(wishesOf(owed, received)).toEqual(['AssignLead']);
    expect(wishesOf(owed, forgiven, received)).toEqual([]);
    expect(wishesOf(owed, forgiven, owed, received)).toEqual(['AssignLead']);
  });

  it('RPL-10: owed again while an earlier lead is on its way to it, gets one lead: the end of the earlier one says nothing about it', () => {
    const anotherOne = { ...assigned[2], replacementFor: 'r1', decision: { ...decision, decisionIndex: 1 } };
    const next: Fact = ['lead-l2', 'LeadReceived', { leadTypeId, openPlaces: 1 }];
    const assignedNext: Fact = ['lead-l2', 'LeadAssigned', { ...anotherOne, openPlaces: 0 }];
    const about = { leadTypeId, openPlaces: 0, ...to, reason: 'replacement-not-owed' };
    const released: Fact = ['lead-l1', 'LeadReleased', about];
    const last: Fact = ['lead-l3', 'LeadReceived', { leadTypeId, openPlaces: 1 }];
    const past = [owed, received, forReplacement, forgiven, owed, next, assignedNext] as const;
    expect(wishesOf(...past, released, last)).not.toContain('AssignLead');
  });

  it('RPL-10: does not lose the lead that is on its way: the order decides about it', () => {
    expect(wishesOf(owed, received, forReplacement, added, forgiven)).toEqual(['DeliverLead']);
  });
});

describe('a customer who was erased', () => {
  const erased: Fact = ['erasures-main', 'PersonErased', { subjects: ['customer-c1'], personKeys: [], ends: [] }];
  const owed: Fact = [
    'order-o1',
    'ReplacementOwed',
    { replacementId: 'r1', leadId: 'l0', leadTypeId, customerId: 'c1', owedSince: AT },
  ];
  const [policyPublished, registered, placed, paid, received] = before as [Fact, Fact, Fact, Fact, Fact];
  const wishesOf = (...facts: readonly Fact[]) => {
    const { fold, wishesAt } = driveProcess(leadDistribution, AT);
    for (const fact of [policyPublished, registered, placed, ...facts]) fold(...fact);
    return wishesAt();
  };

  it('gets no lead from the moment of the fact, before its order is cancelled', () => {
    expect(wishesOf(paid, received)).toEqual(['AssignLead']);
    expect(wishesOf(paid, erased, received)).toEqual([]);
    expect(wishesOf(paid, received, erased)).toEqual([]);
  });

  it('gets none when its order is paid or restarted, or its business changes, after the fact', () => {
    expect(wishesOf(erased, paid, received)).toEqual([]);
    expect(
      wishesOf(paid, ['order-o1', 'OrderPaused', {}], erased, ['order-o1', 'OrderRestarted', {}], received),
    ).toEqual([]);
    expect(wishesOf(paid, erased, ['customer-c1', 'BusinessAssociationChanged', businessOf('Xyz')], received)).toEqual(
      [],
    );
  });

  it('gets no replacement, owed before the fact or after it', () => {
    const filled: Fact = ['order-o1', 'OrderFilled', {}];
    expect(wishesOf(paid, filled, owed, received)).toEqual(['AssignLead']);
    expect(wishesOf(paid, filled, owed, erased, received)).toEqual([]);
    expect(wishesOf(paid, filled, erased, owed, received)).toEqual([]);
  });

  it('does not keep a lead from others', () => {
    const another: readonly Fact[] = [
      ['customer-c2', 'CustomerRegistered', businessOf('Xyz')],
      ['order-o2', 'OrderPlaced', { customerId: 'c2', leadTypeId, quantity: 1, bonusLeads: 0, timeZone: 'UTC' }],
      ['order-o2', 'PaymentCaptured', {}],
    ];
    expect(wishesOf(paid, ...another, erased, received)).toEqual(['AssignLead']);
  });
});
