import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { PaymentGateway } from './payments.ts';
import { stripePayments } from './stripe-payments.ts';

const charge = { token: 'pm_card_visa', amountCents: 15_000, currency: 'USD', statementDescriptor: "LEAD'S *STORE" };

/** As Stripe documents its answers. */
const succeeded = { id: 'pi_1', object: 'payment_intent', status: 'succeeded' };
const cardError = (code: string, declineCode?: string) => ({
  error: {
    type: 'card_error',
    code,
    message: 'Your card was declined.',
    ...(declineCode && { decline_code: declineCode }),
  },
});

let server: Server;
let asked: { headers: IncomingMessage['headers']; path: string | undefined; body: URLSearchParams }[];
let answer: { status: number; body: object } | 'nothing';
let payments: PaymentGateway;
beforeEach(async () => {
  asked = [];
  server = createServer(async (request, response) => {
    asked.push({ headers: request.headers, path: request.url, body: new URLSearchParams(await text(request)) });
    if (answer === 'nothing') {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  payments = stripePayments({ secretKey: 'sk_test_1', server: { host: '127.0.0.1', port, protocol: 'http' } });
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

describe('payments by Stripe', () => {
  it('are payment intents, confirmed at once, with a key that makes a repetition the same charge', async () => {
    answer = { status: 200, body: succeeded };
    expect(await payments.capture(charge, 'order-1')).toEqual({ captured: true, reference: 'pi_1' });
    const [request] = asked;
    expect(request?.path).toBe('/v1/payment_intents');
    expect(request?.headers).toMatchObject({ 'idempotency-key': 'order-1', authorization: 'Bearer sk_test_1' });
    expect(Object.fromEntries(request?.body ?? [])).toMatchObject({
      amount: '15000',
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: 'true',
      statement_descriptor: 'LEADS STORE',
    });
  });

  it.each([
    [cardError('card_declined', 'insufficient_funds'), 'insufficient-funds'],
    [cardError('expired_card'), 'expired-card'],
    [cardError('card_declined', 'stolen_card'), 'card-declined'],
    [cardError('incorrect_cvc'), 'wrong-details'],
    [cardError('card_declined', 'a_word_of_next_year'), 'other'],
  ])('with a declined card give the reason, in a code of ours', async (body, reason) => {
    answer = { status: 402, body };
    expect(await payments.capture(charge, 'order-1')).toEqual({ captured: false, reason });
  });

  it('that need another step of the customer are not captured', async () => {
    answer = { status: 200, body: { ...succeeded, status: 'requires_action' } };
    expect(await payments.capture(charge, 'order-1')).toEqual({
      captured: false,
      reason: 'authentication-required',
    });
  });

  it('with a token that Stripe does not know are declined, because no later answer would differ', async () => {
    const message = "No such PaymentMethod: 'pm_card_visa'";
    const unknown = { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method', message };
    answer = { status: 400, body: { error: unknown } };
    expect(await payments.capture(charge, 'order-1')).toEqual({ captured: false, reason: 'unknown-card' });
    answer = { status: 400, body: { error: { ...unknown, code: 'parameter_invalid', param: 'amount' } } };
    await expect(payments.capture(charge, 'order-2')).rejects.toThrow();
  });

  it.each([
    ['nothing comes back', 'nothing' as const],
    ['Stripe has trouble', { status: 500, body: { error: { type: 'api_error', message: 'trouble' } } }],
    [
      'there are too many requests',
      { status: 429, body: { error: { type: 'rate_limit_error', message: 'slow down' } } },
    ],
  ])('have no known result when %s, and can be repeated with the same key', async (_, given) => {
    answer = given;
    await expect(payments.capture(charge, 'order-1')).rejects.toThrow();
    answer = { status: 200, body: succeeded };
    expect(await payments.capture(charge, 'order-1')).toMatchObject({ captured: true });
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set(['order-1']));
  });
});
