import { assumedPayments, ProviderRefusal, sandboxPayments } from './payments.ts';

const chargeOf = (token: string) =>
  ({
    token,
    amountCents: 1000,
    currency: 'USD',
    statementDescriptor: 'LEADGER',
    occasion: 'only',
    wishedAt: '2026-03-02T15:00:00.000Z',
  }) as const;

it.each([
  ['tok_ok', { captured: true, reference: 'sandbox_key-1' }],
  ['tok_delay_5', { captured: true, reference: 'sandbox_key-1' }],
  ['tok_declined', { captured: false, reason: 'card-declined' }],
  ['tok_declined_insufficient_funds', { captured: false, reason: 'insufficient-funds' }],
  ['tok_declined_pat_example', { captured: false, reason: 'other' }],
  ['tok_delay_soon', { captured: false, reason: 'unknown-card' }],
  ['4111111111111111', { captured: false, reason: 'unknown-card' }],
])('the sandbox answers %s', async (token, result) => {
  expect(await sandboxPayments().capture(chargeOf(token), 'key-1')).toEqual(result);
});

it.each(['pm_1RkBdH2eZvKYlo2C', 'card_1RkBdH2eZvKYlo2C'])(
  'the sandbox says nothing about a card of Stripe: %s',
  async (token) => {
    await expect(sandboxPayments().capture(chargeOf(token), 'key-1')).rejects.toThrow(ProviderRefusal);
    const refund = { refundId: 'r1', reference: 'pi_1', amountCents: 100, currency: 'USD' };
    const failure = { refunded: false, failure: 'unknown-payment' };
    expect(await sandboxPayments().refund(refund, 'key-1')).toEqual(failure);
  },
);

it('the sandbox makes nothing for an order that was cancelled, and knows what it made', async () => {
  const payments = sandboxPayments();
  const late = { ...chargeOf('tok_ok'), onlyIfMade: true };
  expect(await payments.capture(late, 'key-1')).toEqual({ captured: false, reason: 'other' });
  await payments.capture(chargeOf('tok_ok'), 'key-1');
  expect(await payments.capture(late, 'key-1')).toEqual({ captured: true, reference: 'sandbox_key-1' });
});

it('the sandbox loses an answer once, but has captured the payment', async () => {
  const payments = sandboxPayments();
  const charge = chargeOf('tok_lost_reply');
  await expect(payments.capture(charge, 'key-1')).rejects.toThrow('lost');
  expect(await payments.capture(charge, 'key-1')).toEqual({ captured: true, reference: 'sandbox_key-1' });
});

it.each([
  ['tok_ok', { captured: true, reference: 'assumed_key-1' }],
  ['pm_1RkBdH2eZvKYlo2C', { captured: true, reference: 'assumed_key-1' }],
  ['tok_declined_expired_card', { captured: false, reason: 'expired-card' }],
])('a simulation assumes the likely answer to %s', async (token, result) => {
  expect(await assumedPayments().capture(chargeOf(token), 'key-1')).toEqual(result);
});
