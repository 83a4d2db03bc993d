import { assumedPayments, ProviderRefusal, sandboxPayments } from './payments.ts';
import { sandboxCards } from './sandbox-cards.ts';

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

const PAID = { captured: true, reference: 'sandbox_key-1' };
const renewalOf = (token: string) =>
  ({ ...chargeOf(token), occasion: 'renewal', returnUrl: 'https://shop.example/loyalty/o1' }) as const;
const declinedFor = (reason: string) => ({ captured: false, reason });
const asked = (reference: string) => ({ captured: 'unconfirmed', reference, link: 'https://shop.example/loyalty/o1' });

/** Of each card of the page: the answers to a first charge and to a renewal, or how the call fails. */
const answers: Readonly<Record<string, readonly [token: string, first: unknown, renewal: unknown]>> = {
  tok_ok: ['tok_ok', PAID, PAID],
  'tok_declined_<reason>': ['tok_declined_expired_card', declinedFor('expired-card'), declinedFor('expired-card')],
  'tok_delay_<milliseconds>': ['tok_delay_5', PAID, PAID],
  tok_lost_reply: ['tok_lost_reply', /lost/, /lost/],
  tok_no_reply: ['tok_no_reply', /no answer/, /no answer/],
  tok_refused: ['tok_refused', /refuses the request/, /refuses the request/],
  'tok_renewal_declined_<reason>': ['tok_renewal_declined', PAID, declinedFor('card-declined')],
  tok_renewal_confirmed: ['tok_renewal_confirmed', PAID, asked('sandbox_confirmed_key-1')],
  tok_renewal_unconfirmed: ['tok_renewal_unconfirmed', PAID, asked('sandbox_unconfirmed_key-1')],
  'pm_…, card_…, src_…': ['pm_1', /kept by Stripe/, /kept by Stripe/],
};

it.each(sandboxCards.map(({ token }) => token))('the card %s does what the page of the sandbox says', async (shown) => {
  const [token, first, renewal] = answers[shown] ?? [];
  for (const [charge, expected] of [
    [chargeOf(token ?? ''), first],
    [renewalOf(token ?? ''), renewal],
  ] as const) {
    const answer = sandboxPayments().capture(charge, 'key-1');
    if (expected instanceof RegExp) await expect(answer).rejects.toThrow(expected);
    else expect(await answer).toEqual(expected);
  }
});

it('the sandbox asks nobody to confirm who has no page to come back to', async () => {
  const { returnUrl: _, ...charge } = renewalOf('tok_renewal_confirmed');
  expect(await sandboxPayments().capture(charge, 'key-1')).toEqual(declinedFor('authentication-required'));
});

it('the sandbox has the confirmation of one card, and waits for that of the other as long as it may', async () => {
  const { settle } = sandboxPayments();
  expect(await settle?.('sandbox_confirmed_k', false)).toEqual({ captured: true, reference: 'sandbox_confirmed_k' });
  expect(await settle?.('sandbox_unconfirmed_k', false)).toBeUndefined();
  expect(await settle?.('sandbox_unconfirmed_k', true)).toEqual(declinedFor('authentication-required'));
  for (const isOver of [false, true]) await expect(settle?.('pi_1', isOver)).rejects.toThrow(ProviderRefusal);
});

it.each([
  [661, { refunded: false, failure: 'no-balance' }],
  [662, { refunded: false, failure: 'disputed' }],
  [663, { refunded: false, failure: 'refused' }],
  [666, { refunded: false, failure: 'not-allowed' }],
  [667, { refunded: false, failure: 'already-refunded' }],
  [668, { refunded: false, failure: 'unknown-payment' }],
  [660, { refunded: true, reference: 'sandbox_key-1' }],
])('the sandbox answers a refund of %s minor units', async (amountCents, result) => {
  const refund = { refundId: 'r1', reference: 'sandbox_1', amountCents, currency: 'USD' };
  expect(await sandboxPayments().refund(refund, 'key-1')).toEqual(result);
});

it('the sandbox loses the first answer to a refund of 664, and gives none to one of 665', async () => {
  const { refund } = sandboxPayments();
  const of = (amountCents: number) =>
    refund({ refundId: 'r1', reference: 'sandbox_1', amountCents, currency: 'USD' }, 'key-1');
  await expect(of(664)).rejects.toThrow('lost');
  expect(await of(664)).toEqual({ refunded: true, reference: 'sandbox_key-1' });
  for (const _ of [1, 2]) await expect(of(665)).rejects.toThrow('no answer');
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

it('a simulation charges nothing for an order that was cancelled before', async () => {
  const late = { ...chargeOf('tok_ok'), onlyIfMade: true };
  expect(await assumedPayments().capture(late, 'key-1')).toEqual({ captured: false, reason: 'other' });
});
