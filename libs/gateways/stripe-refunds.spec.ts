import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { RefundGateway } from './refunds.ts';
import { stripePayments } from './stripe-payments.ts';

const refund = { refundId: 'r1', reference: 'pi_1', amountCents: 2500, currency: 'USD' };

/** The parameters of POST /v1/refunds that the documentation names: https://docs.stripe.com/api/refunds/create */
const known = new Set(['payment_intent', 'amount', 'metadata[refund_id]']);

interface MadeRefund {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly metadata: { readonly refund_id?: string };
}

let server: Server;
let asked: { headers: IncomingMessage['headers']; path: string; body: URLSearchParams }[];
/** What Stripe has of the payment. */
let made: MadeRefund[];
let answer: { status: number; body: object } | 'nothing' | 'made';
let refunds: RefundGateway;

/** https://docs.stripe.com/api/errors */
const error = (status: number, type: string, code?: string) => ({
  status,
  body: { error: { type, message: 'refused', ...(code && { code }) } },
});

function answerTo(method: string | undefined, body: URLSearchParams): { status: number; body: object } | 'nothing' {
  if (method === 'GET') return { status: 200, body: { object: 'list', data: made, has_more: false } };
  const unknown = [...body.keys()].find((name) => !known.has(name));
  if (unknown) return error(400, 'invalid_request_error', 'parameter_unknown');
  if (answer !== 'made') return answer;
  const one = {
    id: `re_${made.length + 1}`,
    status: 'succeeded',
    amount: Number(body.get('amount')),
    metadata: { refund_id: body.get('metadata[refund_id]') ?? '' },
  };
  made.push(one);
  return { status: 200, body: { object: 'refund', ...one } };
}

beforeEach(async () => {
  asked = [];
  made = [];
  answer = 'made';
  server = createServer(async (request, response) => {
    const body = new URLSearchParams(await text(request));
    asked.push({ headers: request.headers, path: `${request.method} ${request.url}`, body });
    const given = answerTo(request.method, body);
    if (given === 'nothing') {
      response.destroy();
      return;
    }
    response.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  refunds = stripePayments({ secretKey: 'sk_test_1', server: { host: '127.0.0.1', port, protocol: 'http' } });
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

describe('refunds by Stripe', () => {
  it('are of a payment intent, with our id and a key', async () => {
    expect(await refunds.refund(refund, 'refund-1')).toEqual({ refunded: true, reference: 're_1' });
    const created = asked.at(-1);
    expect(created?.path).toBe('POST /v1/refunds');
    expect(created?.headers).toMatchObject({ 'idempotency-key': 'refund-1', authorization: 'Bearer sk_test_1' });
    expect(Object.fromEntries(created?.body ?? [])).toEqual({
      payment_intent: 'pi_1',
      amount: '2500',
      'metadata[refund_id]': 'r1',
    });
  });

  it('are not made again when Stripe has forgotten their key', async () => {
    await refunds.refund(refund, 'refund-1');
    expect(await refunds.refund(refund, 'refund-1')).toEqual({ refunded: true, reference: 're_1' });
    expect(made).toHaveLength(1);
  });

  it('that Stripe could not complete are asked for anew', async () => {
    made = [{ id: 're_0', status: 'failed', amount: 2500, metadata: { refund_id: 'r1' } }];
    expect(await refunds.refund(refund, 'refund-2')).toMatchObject({ refunded: true, reference: 're_2' });
  });

  it('that Stripe answers as it did before they failed were sent back by the bank', async () => {
    made = [{ id: 're_1', status: 'failed', amount: 2500, metadata: { refund_id: 'r1' } }];
    answer = { status: 200, body: { object: 'refund', id: 're_1', status: 'succeeded', amount: 2500 } };
    expect(await refunds.refund(refund, 'refund-1')).toEqual({ refunded: false, failure: 'returned-by-bank' });
  });

  it('that a version before made of another amount wait for an operator', async () => {
    made = [{ id: 're_1', status: 'succeeded', amount: 25, metadata: { refund_id: 'r1' } }];
    expect(await refunds.refund(refund, 'refund-1')).toEqual({ refunded: false, failure: 'refused' });
    expect(made).toHaveLength(1);
  });

  it.each([
    ['ISK', 2500, '250000'],
    ['UGX', 2500, '250000'],
    ['MGA', 2500, '25'],
    ['KWD', 2500, '2500'],
    ['JPY', 2500, '2500'],
  ])('are sent in the units in which Stripe counts %s', async (currency, amountCents, sent) => {
    await refunds.refund({ ...refund, amountCents, currency }, 'refund-1');
    expect(asked.at(-1)?.body.get('amount')).toBe(sent);
  });

  it.each([
    ['KWD', 1235],
    ['MGA', 150],
  ])('of %s that Stripe cannot make are not sent', async (currency, amountCents) => {
    expect(await refunds.refund({ ...refund, amountCents, currency }, 'refund-1')).toMatchObject({ refunded: false });
    expect(asked).toEqual([]);
  });

  it.each([
    [error(400, 'invalid_request_error', 'charge_already_refunded'), 'already-refunded'],
    [error(400, 'invalid_request_error', 'charge_disputed'), 'disputed'],
    [error(400, 'invalid_request_error', 'resource_missing'), 'unknown-payment'],
    [error(400, 'invalid_request_error', 'balance_insufficient'), 'no-balance'],
    [error(400, 'invalid_request_error', 'parameter_invalid_integer'), 'refused'],
    [error(401, 'invalid_request_error'), 'not-allowed'],
    [error(403, 'invalid_request_error'), 'not-allowed'],
    [{ status: 200, body: { object: 'refund', id: 're_1', status: 'failed' } }, 'refused'],
  ])('that are refused with %j fail with a code of ours', async (given, failure) => {
    answer = given;
    expect(await refunds.refund(refund, 'refund-1')).toEqual({ refunded: false, failure });
  });

  it.each([
    ['nothing comes back', 'nothing' as const],
    ['Stripe has trouble', error(500, 'api_error')],
    ['there are too many requests', error(429, 'rate_limit_error')],
  ])('have no known result when %s, and can be repeated with the same key', async (_, given) => {
    answer = given;
    await expect(refunds.refund(refund, 'refund-1')).rejects.toThrow();
    answer = 'made';
    expect(await refunds.refund(refund, 'refund-1')).toMatchObject({ refunded: true });
  });
});
