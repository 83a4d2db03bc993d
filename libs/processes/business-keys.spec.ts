import { driveProcess } from '#test/process-driver';
import { businessKeys } from './business-keys.ts';

const AT = '2026-03-02T15:00:00.000Z';
let driven: ReturnType<typeof drive>;
const drive = () => driveProcess(businessKeys, AT);
beforeEach(() => {
  driven = drive();
});

const states = (customerId: string, legalEndingsId?: string) =>
  driven.fold(`customer-${customerId}`, 'CustomerRegistered', { ...(legalEndingsId && { legalEndingsId }) });
const renewed = (customerId: string, legalEndingsId: string) =>
  driven.fold(`customer-${customerId}`, 'BusinessKeysRenewed', { legalEndingsId, names: [] });
const ends = (legalEndingsId?: string) =>
  driven.fold('vault-main', 'AllBusinessKeysRenewed', { ...(legalEndingsId && { legalEndingsId }) });
const toRenew = () =>
  driven.wishes().map((wish) => {
    const { effect } = wish as { effect: { kind: string; customerId: string } };
    return [effect.kind, effect.customerId];
  });
const wish = (customerId: string) => ['renew-business-keys', customerId];

describe('DLV-3: the process that renews keys of a former list of legal endings', () => {
  it('asks for a name that was registered with the former list, before the end of the renewal or after it', () => {
    ends('first');
    states('c1', 'first');
    states('c2', 'first');
    renewed('c1', 'second');
    expect(toRenew()).toEqual([]);
    ends('second');
    states('c3', 'first');
    states('c4', 'second');
    expect(toRenew()).toEqual(['c2', 'c3'].map(wish));
  });

  it('asks nothing again once it is recorded, and nothing for a customer who was erased', () => {
    ends('first');
    ends('second');
    for (const customer of ['c1', 'c2']) states(customer, 'first');
    renewed('c1', 'second');
    driven.fold('erasures-main', 'PersonErased', { subjects: ['customer-c2'], personKeys: [], ends: [] });
    ends('third');
    expect(toRenew()).toEqual([wish('c1')]);
  });

  it('asks again where another list came while keys were renewed', () => {
    ends('first');
    ends('second');
    states('c1', 'first');
    expect(toRenew()).toEqual([wish('c1')]);
    ends('third');
    renewed('c1', 'second');
    expect(toRenew()).toEqual([wish('c1')]);
  });

  it('asks for a name of a program of the version before, once the keys are told apart by list', () => {
    states('c1');
    ends();
    expect(toRenew()).toEqual([]);
    ends('first');
    states('c2');
    expect(toRenew()).toEqual(['c1', 'c2'].map(wish));
  });
});
