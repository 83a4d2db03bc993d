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

const about = { orderId: 'o1', leadId: 'l1', customerId: 'c1', reason: 'wrong-number' };
const asked = ['replacement-r1', 'CorrectionRequested', about] as const;
const forgiven = (cause: string) =>
  ['order-o1', 'ReplacementForgiven', { replacementId: 'r1', leadId: 'l1', cause }] as const;
const corrected = (verdict: string) => ['replacement-r1', 'VerdictCorrected', { ...about, verdict }] as const;
const delivered = ['order-o1', 'LeadDelivered', { leadId: 'l2', replacementFor: 'r1' }] as const;

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

describe('a corrected verdict', () => {
  it('RPL-10: withdraws the lead and owes a replacement, when it is granted now', () => {
    expect(wishesAfter(corrected('granted'))).toEqual(['WithdrawLead', 'OweReplacement']);
  });

  it('RPL-11: owes a replacement for goodwill, and leaves the lead', () => {
    expect(wishesAfter(['replacement-r1', 'GoodwillGranted', about])).toEqual(['OweReplacement']);
  });

  it('RPL-10: takes the debt back, then completes the correction', () => {
    expect(wishesAfter(granted, withdrawn, owed, asked)).toEqual(['ForgiveReplacement']);
    expect(wishesAfter(granted, withdrawn, owed, asked, forgiven('verdict-corrected'))).toEqual(['CompleteCorrection']);
    const whole = [granted, withdrawn, owed, asked, forgiven('verdict-corrected'), corrected('denied')] as const;
    expect(wishesAfter(...whole)).toEqual(['keep-person']);
    const kept = ['lead-l1', 'WithdrawalCorrected', { replacementId: 'r1' }] as const;
    expect(wishesAfter(...whole, kept)).toEqual([]);
    expect(wishesAfter(...whole, kept, corrected('granted'))).toEqual(['WithdrawLead', 'OweReplacement']);
  });

  it('RPL-10: waits for a debt that is not in the order yet', () => {
    expect(wishesAfter(granted, withdrawn, asked)).toEqual(['OweReplacement']);
  });

  it('RPL-10: leaves a replacement that was delivered first', () => {
    expect(wishesAfter(granted, withdrawn, owed, asked, delivered)).toEqual(['RecordReplacementDelivered']);
  });

  it('has nothing to complete for a customer who was erased', () => {
    const ended = ['replacement-r1', 'ReplacementEnded', about] as const;
    expect(wishesAfter(granted, withdrawn, owed, asked, forgiven('customer-erased'), ended)).toEqual([]);
  });
});
