import { unsealed } from '../kernel/events.ts';
import { mailFacts, mailWishUpcasters } from './mail-facts.ts';

describe('the facts of a mail', () => {
  it('have names of a list: another one is refused, and so is a text where a box belongs', () => {
    expect(mailFacts.safeParse({ orderId: 'o1', leads: 3 }).success).toBe(true);
    expect(mailFacts.safeParse({ orderId: 'o1', remark: 'Ada was rude' }).success).toBe(false);
    expect(mailFacts.safeParse({ explanation: 'Ada was rude' }).success).toBe(false);
  });

  it.each([
    ['payment-declined', { reason: 'expired card' }, { declineReason: 'expired-card' }],
    ['payment-declined', { reason: 'ask Ada Lovelace' }, { declineReason: 'other' }],
    ['chargeback-granted', { reason: 'wrong number' }, { returnReason: 'wrong number' }],
    ['chargeback-denied', { explanation: 'Ada?' }, { explanation: unsealed('Ada?', 'explanation') }],
    ['leads-delivered', { leads: 3 }, { leads: 3 }],
  ])('of version 1, %s: %j', (kind, older, facts) => {
    const [upcast] = mailWishUpcasters.MailWished;
    expect(upcast?.({ kind, facts: { orderId: 'o1', ...older } })).toEqual({
      kind,
      facts: { orderId: 'o1', ...facts },
    });
    expect(mailFacts.safeParse(facts).success).toBe(true);
  });
});
