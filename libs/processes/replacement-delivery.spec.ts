import type { CommandWish } from './process.ts';
import { replacementDelivery } from './replacement-delivery.ts';

const AT = '2026-05-01T10:00:00.000Z';
const granted = [
  'replacement-r1',
  'ChargebackGranted',
  { orderId: 'o1', leadId: 'l1', reason: 'wrong number' },
] as const;
const withdrawn = ['lead-l1', 'LeadWithdrawn', { replacementId: 'r1' }] as const;
const owed = ['order-o1', 'ReplacementOwed', { replacementId: 'r1', leadId: 'l1' }] as const;

/** What is wished by a process that finds these facts in the log when it begins. */
const wishesAfter = (...facts: readonly (readonly [stream: string, type: string, data: object])[]) => {
  const state = replacementDelivery.initialState();
  for (const [index, [stream, type, data]] of facts.entries())
    replacementDelivery.evolve(state, {
      type,
      stream,
      eventId: `event ${index}`,
      revision: 0,
      position: String(index),
      cause: {},
      data: { at: AT, ...data },
    } as never);
  const wishes = replacementDelivery.next(state, { now: AT, position: '9', runs: () => true }, 100) as CommandWish[];
  return wishes.map(({ command }) => command.type);
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
