import { type StripeStandIn, startStripeStandIn } from '#test/stripe/stand-in';
import { type Charge, type PaymentGateway, ProviderRefusal } from './payments.ts';
import { stripePayments } from './stripe-payments.ts';

const WISHED_AT = '2026-03-02T15:00:00.000Z';
const HOUR = 3_600_000;

let hours: number;
let stripe: StripeStandIn;
let payments: Required<PaymentGateway>;
beforeEach(async () => {
  hours = 0;
  stripe = await startStripeStandIn();
  payments = stripePayments({ secretKey: 'sk_test_1', statementPrefix: 'DMS', now, server: stripe.server });
});
afterEach(() => stripe.stop());

const now = () => Date.parse(WISHED_AT) + hours * HOUR;
const charge = (details: Partial<Charge> = {}): Charge => ({
  ...{
    token: 'pm_card_visa',
    amountCents: 15_000,
    currency: 'USD',
    statementDescriptor: "LEAD'S *STORE",
    occasion: 'only',
    wishedAt: WISHED_AT,
  },
  ...details,
});
const askedFor = (call: string) => stripe.asked.filter((one) => one.call === call);
const intentOf = (reference: string) => stripe.intents.get(reference);

describe('payments by Stripe', () => {
  it('are payment intents, confirmed at once, with a key that makes a repetition the same charge', async () => {
    stripe.card('pm_card_visa');
    const paid = { captured: true, reference: 'pi_1' };
    expect(await payments.capture(charge(), 'order-1')).toEqual(paid);
    expect(await payments.capture(charge(), 'order-1')).toEqual(paid);
    expect(stripe.intents.size).toBe(1);
    expect(intentOf('pi_1')).toMatchObject({
      amount: 15_000,
      currency: 'usd',
      descriptor: 'LEADS STORE',
      customer: null,
    });
  });

  it('keep a card for renewals with a customer at Stripe, and charge renewals when the customer is not there', async () => {
    stripe.card('pm_card_visa');
    const first = await payments.capture(charge({ occasion: 'first' }), 'order-1');
    expect(first).toEqual({ captured: true, reference: 'pi_1', providerCustomerId: 'cus_1' });
    const { body } = askedFor('POST /v1/payment_intents')[0] ?? {};
    expect(Object.fromEntries(body ?? [])).toMatchObject({ customer: 'cus_1', setup_future_usage: 'off_session' });
    expect(body?.has('off_session')).toBe(false);

    const renewal = charge({ occasion: 'renewal', providerCustomerId: 'cus_1' });
    expect(await payments.capture(renewal, 'renewal-1')).toEqual({ ...first, reference: 'pi_2' });
    expect(askedFor('POST /v1/payment_intents')[1]?.body.get('off_session')).toBe('true');
  });

  it('attach a card that replaces another one to the same customer, and say when a card was not kept', async () => {
    for (const token of ['pm_card_visa', 'pm_other', 'pm_spent']) stripe.card(token);
    await payments.capture(charge({ occasion: 'first' }), 'order-1');
    const renewal = charge({ occasion: 'renewal', providerCustomerId: 'cus_1', token: 'pm_other' });
    expect(await payments.capture(renewal, 'renewal-1')).toMatchObject({ captured: true, providerCustomerId: 'cus_1' });

    // As orders of the version before: their first charge kept nothing.
    await payments.capture(charge({ token: 'pm_spent' }), 'order-2');
    const ofOlderVersion = charge({ occasion: 'renewal', token: 'pm_spent' });
    expect(await payments.capture(ofOlderVersion, 'renewal-2')).toEqual({ captured: false, reason: 'card-not-kept' });
  });

  it.each([
    ['insufficient_funds', undefined, 'insufficient-funds'],
    ['', 'expired_card', 'expired-card'],
    ['stolen_card', undefined, 'card-declined'],
    ['', 'incorrect_cvc', 'wrong-details'],
    ['a_word_of_next_year', undefined, 'other'],
  ])('with a declined card give the reason, in a code of ours (%s %s)', async (declines, code, reason) => {
    stripe.card('pm_card_visa', { declines, ...(code !== undefined && { code }) });
    expect(await payments.capture(charge(), 'order-1')).toEqual({ captured: false, reason });
  });

  it('that the bank wants the customer to confirm at the checkout are declined, and can be captured no more', async () => {
    stripe.card('pm_card_visa', 'asks-always');
    const declined = { captured: false, reason: 'authentication-required' };
    expect(await payments.capture(charge(), 'order-1')).toEqual(declined);
    expect(intentOf('pi_1')?.status).toBe('canceled');
  });

  it('that the bank wants an absent customer to confirm have a link, and are paid or closed when they are settled', async () => {
    stripe.card('pm_card_visa', 'asks-when-absent');
    const { providerCustomerId } = (await payments.capture(charge({ occasion: 'first' }), 'order-1')) as never;
    const renewal = charge({ occasion: 'renewal', providerCustomerId, returnUrl: 'https://leads.example/loyalty/1' });
    stripe.card('pm_card_visa', 'asks-always');
    await payments.capture({ ...renewal, returnUrl: undefined }, 'renewal-0');
    const unconfirmed = await payments.capture(renewal, 'renewal-1');
    expect(unconfirmed).toMatchObject({ captured: 'unconfirmed', link: expect.stringMatching(/^https:/) });
    expect(await payments.capture(renewal, 'renewal-1')).toEqual(unconfirmed);
    const { reference, link } = unconfirmed as { reference: string; link: string };
    expect(await payments.settle(reference, false)).toBeUndefined();
    stripe.confirmAt(link);
    for (const isOver of [false, true])
      expect(await payments.settle(reference, isOver)).toMatchObject({ captured: true, reference });

    const ignored = (await payments.capture(renewal, 'renewal-2')) as { reference: string; link: string };
    const declined = { captured: false, reason: 'authentication-required' };
    expect(await payments.settle(ignored.reference, true)).toEqual(declined);
    stripe.confirmAt(ignored.link);
    expect(await payments.settle(ignored.reference, true)).toEqual(declined);
  });

  it('with a token that Stripe does not know are declined, because no later answer would differ', async () => {
    expect(await payments.capture(charge(), 'order-1')).toEqual({ captured: false, reason: 'unknown-card' });
  });

  it.each([
    ['below the minimum', 49, 'USD', undefined],
    ['with a last digit that Stripe does not take', 1255, 'KWD', undefined],
    ['in yen', 50, 'JPY', 50],
    ['in thousandths', 1250, 'KWD', 1250],
    ['in a currency with decimals at Stripe only', 500, 'ISK', 50_000],
    ['in a currency without decimals at Stripe only', 500, 'MGA', 5],
  ])('%s are never another amount', async (_, amountCents, currency, amount) => {
    stripe.card('pm_card_visa');
    const result = await payments.capture(charge({ amountCents, currency }), 'order-1');
    if (amount === undefined) expect(result).toEqual({ captured: false, reason: 'amount-not-accepted' });
    else expect(intentOf('pi_1')).toMatchObject({ amount, currency: currency.toLowerCase() });
  });

  it('that no repetition mends are told from those without an answer', async () => {
    stripe.card('pm_card_visa');
    const withWrongKey = stripePayments({ secretKey: 'sk_test_of_yesterday', server: stripe.server });
    await expect(withWrongKey.capture(charge(), 'order-1')).rejects.toThrow(ProviderRefusal);
    await payments.capture(charge(), 'order-1');
    // The same key for another charge.
    await expect(payments.capture(charge({ amountCents: 1 }), 'order-1')).rejects.toThrow(ProviderRefusal);
    stripe.answerAll({
      status: 400,
      body: { error: { type: 'invalid_request_error', code: 'parameter_unknown', param: 'x' } },
    });
    await expect(payments.capture(charge(), 'order-2')).rejects.toThrow('it refuses the request (400)');
  });

  it.each([
    ['nothing comes back', 'nothing' as const],
    ['the answer is lost', 'lost' as const],
    ['Stripe has trouble', { status: 500, body: { error: { type: 'api_error', message: 'trouble' } } }],
    [
      'there are too many requests',
      { status: 429, body: { error: { type: 'rate_limit_error', message: 'slow down' } } },
    ],
    [
      'the same is under way',
      { status: 409, body: { error: { type: 'idempotency_error', code: 'idempotency_key_in_use' } } },
    ],
  ])('have no known result when %s, and can be repeated with the same key', async (_, given) => {
    stripe.card('pm_card_visa');
    stripe.answerAll(given);
    const failed = payments.capture(charge({ occasion: 'first' }), 'order-1');
    await expect(failed).rejects.toThrow();
    await expect(failed).rejects.not.toThrow(ProviderRefusal);
    stripe.answerAll(undefined);
    expect(await payments.capture(charge({ occasion: 'first' }), 'order-1')).toMatchObject({ captured: true });
    expect(stripe.intents.size).toBe(1);
  });
});

describe('what Stripe cannot show or charge', () => {
  it.each([
    ['DMS', 'SEVENTEEN LETTERS', true],
    ['DMS', 'EIGHTEEN CHARACTER', false],
    [undefined, 'LEADGER', true],
    [undefined, 'ELEVEN CHAR', false],
    ['DMS', '12345', false],
    ['DMS', "LEAD'S", false],
  ])('after the prefix %s the statement can show %s: %s', (statementPrefix, descriptor, shown) => {
    const { limits } = stripePayments({ secretKey: 'sk_test_1', statementPrefix });
    expect(limits.refuseDescriptor(descriptor) === undefined).toBe(shown);
  });

  it.each([
    ['DMS', 'Dedicated Media Solutions', 'Dedicated Media S'],
    [undefined, 'Dedicated Media Solutions', 'Dedicated'],
    ['DMS', "LEAD'S", 'LEADS'],
    ['DMS', '12345', 'DMS'],
  ])('after the prefix %s the statement shows %s as %s', (statementPrefix, descriptor, shown) => {
    const { limits } = stripePayments({ secretKey: 'sk_test_1', statementPrefix });
    expect(limits.shownDescriptor(descriptor)).toBe(shown);
  });

  it('is known before it is asked', () => {
    expect(payments.limits.amountsOf('USD')).toEqual({ smallest: 50, multipleOf: 1 });
    expect(payments.limits.amountsOf('KWD')).toEqual({ smallest: 1, multipleOf: 10 });
    expect(payments.limits.amountsOf('MGA')).toEqual({ smallest: 1, multipleOf: 100 });
  });

  // https://docs.stripe.com/api/idempotent_requests: keys may be forgotten once they are a day old
  it('whose answer was lost are found after days, when Stripe has forgotten the key', async () => {
    stripe.card('pm_card_visa');
    stripe.answerAll('lost');
    await expect(payments.capture(charge({ occasion: 'first' }), 'order-1')).rejects.toThrow();
    stripe.answerAll(undefined);
    stripe.passADay();
    hours = 49;
    const paid = { captured: true, reference: 'pi_1', providerCustomerId: 'cus_1' };
    expect(await payments.capture(charge({ occasion: 'first' }), 'order-1')).toEqual(paid);
    expect(stripe.intents.size).toBe(1);
    expect(await payments.capture(charge(), 'order-2')).toMatchObject({ captured: true, reference: 'pi_2' });
  });

  it('that a bank has asked about end before they are charged anew, days later', async () => {
    stripe.card('pm_card_visa', 'asks-always');
    const renewal = charge({ occasion: 'renewal', returnUrl: 'https://leads.example/loyalty/1' });
    await payments.capture(renewal, 'renewal-1');
    stripe.passADay();
    hours = 49;
    await payments.capture(renewal, 'renewal-1');
    expect(intentOf('pi_1')?.status).toBe('canceled');
  });

  it('are forgotten with the customer and the card: what is gone already is no failure', async () => {
    stripe.card('pm_card_visa');
    await payments.capture(charge({ occasion: 'first' }), 'order-1');
    await payments.forget('cus_1');
    await payments.forget('cus_1');
    const renewal = charge({ occasion: 'renewal', providerCustomerId: 'cus_1' });
    expect(await payments.capture(renewal, 'renewal-1')).toEqual({ captured: false, reason: 'unknown-card' });
    stripe.answerAll({ status: 500, body: { error: { type: 'api_error', message: 'trouble' } } });
    await expect(payments.forget('cus_1')).rejects.toThrow();
  });

  it('of a declined charge are forgotten by its key, as soon as Stripe finds them', async () => {
    stripe.card('pm_card_visa', { declines: 'insufficient_funds' });
    await payments.capture(charge({ occasion: 'renewal' }), 'renewal-1');
    await payments.forgetKeptBy('renewal-1');
    expect([...stripe.customers.keys()]).toEqual(['cus_1']);
    stripe.passADay();
    await payments.forgetKeptBy('renewal-2');
    expect(stripe.customers.size).toBe(1);
    await payments.forgetKeptBy('renewal-1');
    await payments.forgetKeptBy('renewal-1');
    expect(stripe.customers.size).toBe(0);
    stripe.answerAll({ status: 401, body: { error: { type: 'invalid_request_error', message: 'Invalid API Key' } } });
    await expect(payments.forgetKeptBy('renewal-1')).rejects.toThrow(ProviderRefusal);
  });

  it('of orders that were cancelled meanwhile are looked for, and not made', async () => {
    stripe.card('pm_card_visa');
    stripe.answerAll('lost');
    await expect(payments.capture(charge(), 'order-1')).rejects.toThrow();
    stripe.answerAll(undefined);
    const late = charge({ onlyIfMade: true });
    await expect(payments.capture(late, 'order-1')).rejects.toThrow('cannot be looked for yet');
    stripe.passADay();
    hours = 1;
    expect(await payments.capture(late, 'order-1')).toEqual({ captured: true, reference: 'pi_1' });
    expect(await payments.capture(late, 'order-2')).toEqual({ captured: false, reason: 'other' });
    expect(stripe.intents.size).toBe(1);
  });
});
