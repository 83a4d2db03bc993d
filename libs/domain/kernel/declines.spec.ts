import { codedReason, declineReasonOf, declineReasons, tellDecline } from './declines.ts';

describe('why a payment was declined', () => {
  it.each([
    ['insufficient_funds', 'insufficient-funds'],
    ['expired_card', 'expired-card'],
    ['stolen_card', 'card-declined'],
    ['incorrect_cvc', 'wrong-details'],
    ['ada@example.org has no money', 'other'],
    ['toString', 'other'],
  ])('the word %s of a provider is %s', (word, reason) => {
    expect(declineReasonOf(word)).toBe(reason);
  });

  it.each([
    ['insufficient funds', 'insufficient-funds'],
    ['declined', 'card-declined'],
    ['unknown token', 'unknown-card'],
    ['the payment is requires action', 'authentication-required'],
    ['the card of Ada Lovelace is blocked', 'other'],
  ])('version 1 said "%s"', (reason, code) => {
    expect(codedReason({ attempt: 1, reason })).toEqual({ attempt: 1, reason: code });
  });

  it('each code has words of its own', () => {
    expect(new Set(declineReasons.map(tellDecline)).size).toBe(declineReasons.length);
  });
});
