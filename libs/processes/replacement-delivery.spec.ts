import { hearing, type Told } from '#test/hearing';
import { replacementDelivery } from './replacement-delivery.ts';

const AT = '2026-05-01T10:00:00.000Z';
const granted = [
  'replacement-r1',
  'ChargebackGranted',
  { orderId: 'o1', leadId: 'l1', reason: 'wrong number' },
] as const;
const withdrawn = ['lead-l1', 'LeadWithdrawn', { replacementId: 'r1' }] as const;
const owed = ['order-o1', 'ReplacementOwed', { replacementId: 'r1', leadId: 'l1' }] as const;

type Fact = Told<Parameters<typeof replacementDelivery.evolve>[1]['type']>;

/** What is wished by a process that finds these facts in the log when it begins. */
const wishesAfter = (...facts: readonly Fact[]) => {
  const { hear, wishesAt } = hearing(replacementDelivery, AT);
  for (const fact of facts) hear(...fact);
  return wishesAt();
};

describe('a granted return', () => {
  it('RPL-6: has the lead withdrawn and a replacement owed', () => {
    expect(wishesAfter(granted)).toEqual(['WithdrawLead', 'OweReplacement']);
    expect(wishesAfter(granted, withdrawn, owed)).toEqual([]);
  });

  it('is carried out verdict by verdict, however many were heard at once, also when two are of one lead', () => {
    const other = [
      'replacement-r2',
      'ChargebackGranted',
      { orderId: 'o2', leadId: 'l1', reason: 'wrong number' },
    ] as const;
    expect(wishesAfter(granted, other)).toEqual(['WithdrawLead', 'OweReplacement', 'WithdrawLead', 'OweReplacement']);
  });

  it('DLV-10: has the rest of it done by the next process, whichever half a crash left undone', () => {
    expect(wishesAfter(granted, owed)).toEqual(['WithdrawLead']);
    expect(wishesAfter(granted, withdrawn)).toEqual(['OweReplacement']);
  });
});
