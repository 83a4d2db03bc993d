import { type StripeStandIn, startStripeStandIn } from './stand-in.ts';

let stripe: StripeStandIn;
beforeAll(async () => {
  stripe = await startStripeStandIn();
  for (const token of ['pm_1', 'pm_kept', 'pm_spent']) stripe.card(token);
});
afterAll(() => stripe.stop());

async function post(path: string, params: Record<string, string>) {
  const { host, port } = stripe.server;
  const headers = { authorization: 'Bearer sk_test_1' };
  const body = new URLSearchParams(params);
  const response = await fetch(`http://${host}:${port}/v1/${path}`, { method: 'POST', headers, body });
  return (await response.json()) as { id?: string; error?: { code?: string; param?: string } };
}

const charge = {
  ...{ amount: '5000', currency: 'usd', payment_method: 'pm_1', confirm: 'true' },
  'allowed_payment_method_types[0]': 'card',
};

test('the stand-in refuses what Stripe documents that it refuses', async () => {
  const { id: customer = '' } = await post('customers', {});
  expect((await post('payment_methods/pm_kept/attach', { customer })).error).toBeUndefined();
  expect((await post('payment_intents', { ...charge, payment_method: 'pm_spent' })).error).toBeUndefined();
  const cases: readonly (readonly [changed: Record<string, string>, code: string, param: string])[] = [
    [{ statement_descriptor: 'LEADGER' }, 'payment_intent_invalid_parameter', 'statement_descriptor'],
    [{ statement_descriptor_suffix: '12345' }, 'parameter_invalid_string', 'statement_descriptor_suffix'],
    [{ amount: '49' }, 'amount_too_small', 'amount'],
    [{ amount: '1255', currency: 'kwd' }, 'parameter_invalid_integer', 'amount'],
    [{ amount: '150', currency: 'isk' }, 'parameter_invalid_integer', 'amount'],
    [{ 'allowed_payment_method_types[0]': 'klarna' }, 'parameter_missing', 'return_url'],
    [{ confirm: 'false', off_session: 'true' }, 'payment_intent_invalid_parameter', 'off_session'],
    [
      { off_session: 'true', setup_future_usage: 'off_session' },
      'payment_intent_invalid_parameter',
      'setup_future_usage',
    ],
    [{ payment_method: 'pm_kept' }, 'payment_intent_invalid_parameter', 'customer'],
    [{ payment_method: 'pm_none' }, 'resource_missing', 'payment_method'],
    [{ customer: 'cus_none' }, 'resource_missing', 'customer'],
    // The types of this version of the API do not have it any more.
    [{ 'payment_method_types[0]': 'card' }, 'parameter_unknown', 'payment_method_types'],
    [{ surprise: '1' }, 'parameter_unknown', 'surprise'],
  ];
  for (const [changed, code, param] of cases)
    expect([changed, (await post('payment_intents', { ...charge, ...changed })).error]).toMatchObject([
      changed,
      { code, param },
    ]);

  // Stripe's answer has no code.
  expect((await post('payment_intents', { ...charge, payment_method: 'pm_spent' })).error).toEqual({
    type: 'invalid_request_error',
    message: expect.stringContaining('may not be used again'),
  });
});

test('the stand-in refuses refunds that Stripe documents that it refuses', async () => {
  const payment_intent: string[] = [];
  for (const [currency, amount] of [
    ['isk', '250000'],
    ['kwd', '1230'],
  ] as const) {
    const payment_method = stripe.card(`pm_${currency}`);
    payment_intent.push((await post('payment_intents', { ...charge, amount, currency, payment_method })).id ?? '');
  }
  const [isk = '', kwd = ''] = payment_intent;
  for (const [asked, error] of [
    [
      { payment_intent: isk, amount: '150' },
      { code: 'parameter_invalid_integer', param: 'amount' },
    ],
    [
      { payment_intent: kwd, amount: '1225' },
      { code: 'parameter_invalid_integer', param: 'amount' },
    ],
    [{ payment_intent: isk, amount: '250100' }, { param: 'amount' }],
    [
      { payment_intent: 'pi_none', amount: '100' },
      { code: 'resource_missing', param: 'payment_intent' },
    ],
    [
      { payment_intent: isk, surprise: '1' },
      { code: 'parameter_unknown', param: 'surprise' },
    ],
  ] as const)
    expect([asked, (await post('refunds', asked)).error]).toMatchObject([asked, error]);
  expect((await post('refunds', { payment_intent: isk })).error).toBeUndefined();
  expect((await post('refunds', { payment_intent: isk })).error).toMatchObject({ code: 'charge_already_refunded' });
});
