import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Bank, type Intent, StripeAccount } from './account.ts';
import { type Answer, invalid, refusal } from './answers.ts';
import { type Call, parametersOf } from './parameters.ts';
import type { MadeRefund } from './refunds.ts';

/** A request as it came. */
interface Asked {
  readonly call: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly body: URLSearchParams;
  readonly authorization: string | undefined;
}

/**
 * Stripe's API, as far as this store uses it. It moves no money, and refuses what Stripe's documentation says that Stripe
 * refuses: each refusal names its page and code. A parameter that the installed SDK does not know is refused, too.
 */
export interface StripeStandIn {
  readonly server: { readonly host: string; readonly port: number; readonly protocol: 'http' };
  readonly asked: readonly Asked[];
  readonly intents: ReadonlyMap<string, Intent>;
  /** Ids of customers that are there. */
  readonly customers: ReadonlyMap<string, unknown>;
  readonly refunds: readonly MadeRefund[];
  /** A card from Stripe's form. @returns its token */
  card(token: string, bank?: Bank): string;
  /** The holder confirms a charge at the page of the bank. */
  confirmAt(link: string): void;
  /** Every request is answered so, until it is called with undefined. `lost`: charges are made, and the answers are lost. */
  answerAll(answer: Answer | 'lost' | 'nothing' | undefined): void;
  /** A day is over: keys are forgotten, and what was charged can be found. */
  passADay(): void;
  stop(): Promise<void>;
}

const SECRET_KEY = 'sk_test_1';

export async function startStripeStandIn(): Promise<StripeStandIn> {
  const account = new StripeAccount();
  const { cards, intents, customers, refunds } = account;
  const { answerTo, forget } = answersOf(account);
  const asked: Asked[] = [];
  let forAll: Answer | 'lost' | 'nothing' | undefined;
  const server = createServer(async (request, response) => {
    const one = await readRequest(request);
    asked.push(one);
    const answer = forAll === undefined || forAll === 'lost' ? answerTo(one) : forAll;
    if (answer === 'nothing' || (forAll === 'lost' && one.call === 'POST /v1/payment_intents')) response.destroy();
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server: { host: '127.0.0.1', port, protocol: 'http' },
    asked,
    intents,
    customers,
    refunds: refunds.made,
    card(id, bank = 'ok') {
      cards.set(id, { id, bank, customer: null, spent: false });
      return id;
    },
    confirmAt(link) {
      const intent = intents.get(link.slice(link.lastIndexOf('/') + 1));
      if (intent?.status === 'requires_action') intent.status = 'succeeded';
    },
    answerAll(answer) {
      forAll = answer;
    },
    passADay() {
      forget();
      account.index();
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/**
 * https://docs.stripe.com/api/idempotent_requests: the same key has the same parameters, and gets the same answer, until it is
 * forgotten after a day.
 */
function answersOf({ calls }: StripeAccount) {
  const known = new Map<string, { readonly request: string; readonly answer: Answer }>();
  const answerTo = (asked: Asked): Answer => {
    const refused = refuse(asked);
    if (refused) return refused;
    const { call, id, key, body } = asked;
    const request = `${call} ${id} ${body}`;
    const before = key === undefined ? undefined : known.get(key);
    if (before && before.request !== request)
      return refusal(400, { type: 'idempotency_error', message: 'The key was used with other parameters.' });
    const answer = before?.answer ?? calls[call as Call](id, body);
    // Nothing is kept of a request that failed validation.
    if (key !== undefined && (answer.status === 200 || answer.status === 402)) known.set(key, { request, answer });
    return answer;
  };
  return { answerTo, forget: () => known.clear() };
}

function refuse({ call, body, authorization }: Asked): Answer | undefined {
  // https://docs.stripe.com/api/authentication
  if (authorization !== `Bearer ${SECRET_KEY}`)
    return refusal(401, { type: 'invalid_request_error', message: 'Invalid API Key provided.' });
  const known = parametersOf(call);
  if (!known) return refusal(404, { type: 'invalid_request_error', message: `Unrecognized request URL (${call})` });
  const names = [...body.keys()].map((one) => one.split('[', 1)[0] as string);
  const unknown = names.find((one) => !known.has(one));
  // https://docs.stripe.com/error-codes#parameter-unknown
  return unknown === undefined ? undefined : invalid('parameter_unknown', unknown);
}

async function readRequest(request: IncomingMessage): Promise<Asked> {
  const { method, url, headers } = request;
  const { pathname, searchParams } = new URL(url ?? '', 'http://stripe');
  const [, version, resource, id = '', action] = pathname.split('/');
  const one = id && (id === 'search' ? '/search' : '/:id');
  const call = `${method} /${version}/${resource}${one}${action === undefined ? '' : `/${action}`}`;
  const body = method === 'GET' ? searchParams : new URLSearchParams(await text(request));
  const { 'idempotency-key': key, authorization } = headers;
  return { call, id: decodeURIComponent(id), key: key?.toString(), body, authorization };
}
