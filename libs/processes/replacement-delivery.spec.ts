import { driveProcess, type FactSpec } from '#test/process-driver';
import { replacementDelivery } from './replacement-delivery.ts';

const AT = '2026-05-01T10:00:00.000Z';
const granted = [
  'replacement-r1',
  'ChargebackGranted',
  { orderId: 'o1', leadId: 'l1', reason: 'wrong number' },
] as const;
const withdrawn = ['lead-l1', 'LeadWithdrawn', { replacementId: 'r1' }] as const;
const owed = ['order-o1', 'ReplacementOwed', { replacementId: 'r1', leadId: 'l1' }] as const;

type Fact = FactSpec<Parameters<typeof replacementDelivery.evolve>[1]['type']>;

/** The wishes of a process that finds these facts in the log when it starts. */
const wishesAfter = (...facts: readonly Fact[]) => {
  const { fold, wishesAt } = driveProcess(replacementDelivery, AT);
  for (const fact of facts) fold(...fact);
  return wishesAt();
};

describe('a granted return', () => {
  it('RPL-6: withdraws the lead and owes a replacement', () => {
    expect(wishesAfter(granted)).toEqual(['WithdrawLead', 'OweReplacement']);
    expect(wishesAfter(granted, withdrawn, owed)).toEqual([]);
  });

  it('is carried out verdict by verdict, also when several arrive at once, and when two are about one lead', () => {
    const other = [
      'replacement-r2',
      'ChargebackGranted',
      { orderId: 'o2', leadId: 'l1', reason: 'wrong number' },
    ] as const;
    expect(wishesAfter(granted, other)).toEqual(['WithdrawLead', 'OweReplacement', 'WithdrawLead', 'OweReplacement']);
  });

  it('DLV-10: is completed after a restart, whichever of the two steps a crash prevented', () => {
    expect(wishesAfter(granted, owed)).toEqual(['WithdrawLead']);
    expect(wishesAfter(granted, withdrawn)).toEqual(['OweReplacement']);
  });
});
