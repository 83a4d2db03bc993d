import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Call, parametersOf } from './parameters.ts';

/** What the bank says to a card: `ok`, a decline code, or when it wants to ask its holder. */
type Bank = 'ok' | 'asks-when-absent' | 'asks-always' | { readonly declines: string; readonly code?: string };

interface Card {
  readonly id: string;
  bank: Bank;
  customer: string | null;
  /** It was charged and not kept. */
  spent: boolean;
}

interface Intent {
  readonly id: string;
  status: 'succeeded' | 'requires_action' | 'requires_payment_method' | 'canceled';
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly descriptor: string | undefined;
  /** The bank has said that it wants the holder of the card. */
  isAsked: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** A request as it came. */
export interface Asked {
  readonly call: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly body: URLSearchParams;
}

/**
 * Stripe's API, as far as this store uses it. It moves no money, and refuses what Stripe's documentation says that Stripe
 * refuses: each refusal names its page and code. A parameter that the installed SDK does not know is refused, too.
 */
export interface StripeStandIn {
  readonly server: { readonly host: string; readonly port: number; readonly protocol: 'http' };
  readonly asked: Asked[];
  readonly intents: ReadonlyMap<string, Intent>;
  /** A card from Stripe's form. @returns its token */
  card(token: string, bank?: Bank): string;
  /** The holder confirms a charge at the page of the bank. */
  confirmAt(link: string): void;
  /** Every request is answered so, until it is called with undefined. `lost`: it is carried out, and the answer is lost. */
  answerAll(answer: Answer | 'lost' | 'nothing' | undefined): void;
  stop(): Promise<void>;
}

const SECRET_KEY = 'sk_test_1';
/** https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
const minimum: Readonly<Record<string, number>> = { usd: 50, eur: 50, gbp: 30, jpy: 50 };

const refusal = (status: number, error: object): Answer => ({ status, body: { error } });
const invalid = (code: string, param: string, message: string, status = 400): Answer =>
  refusal(status, { type: 'invalid_request_error', code, param, message });

export async function startStripeStandIn(): Promise<StripeStandIn> {
  const cards = new Map<string, Card>();
  const customers = new Set<string>();
  const intents = new Map<string, Intent>();
  const answers = new Map<string, { readonly request: string; readonly answer: Answer }>();
  const asked: Asked[] = [];
  let forAll: Answer | 'lost' | 'nothing' | undefined;

  const shown = ({ id, status, amount, currency, customer }: Intent) => ({
    ...{ id, object: 'payment_intent', status, amount, currency, customer },
    ...(status === 'requires_action' && {
      next_action: { type: 'redirect_to_url', redirect_to_url: { url: `https://hooks.stripe.example/${id}` } },
    }),
  });

  /** @returns why the charge fails; undefined: it succeeded */
  function charge(
    intent: Intent,
    card: Card,
    { present, keep }: { present: boolean; keep: boolean },
  ): Answer | undefined {
    const { bank } = card;
    const asks = bank === 'asks-always' || (bank === 'asks-when-absent' && (!present || intent.isAsked));
    if (typeof bank === 'object') {
      intent.status = 'requires_payment_method';
      // https://docs.stripe.com/declines/codes
      const declined = { code: bank.code ?? 'card_declined', decline_code: bank.declines };
      return refusal(402, {
        type: 'card_error',
        ...declined,
        message: 'Your card was declined.',
        payment_intent: shown(intent),
      });
    }
    if (asks && !present) {
      intent.isAsked = true;
      intent.status = 'requires_payment_method';
      // https://docs.stripe.com/error-codes#authentication-required
      const error = { type: 'card_error', code: 'authentication_required', decline_code: 'authentication_required' };
      return refusal(402, {
        ...error,
        message: 'This transaction requires authentication.',
        payment_intent: shown(intent),
      });
    }
    intent.status = asks ? 'requires_action' : 'succeeded';
    if (keep) card.customer = intent.customer;
    else if (card.customer === null) card.spent = true;
    return undefined;
  }

  /** https://docs.stripe.com/api/payment_intents/create */
  function refuseIntent(body: URLSearchParams): Answer | undefined {
    const [amount, currency, token, customer] = ['amount', 'currency', 'payment_method', 'customer'].map((one) =>
      body.get(one),
    );
    if (!amount) return invalid('parameter_missing', 'amount', 'Missing required param: amount.');
    if (!currency) return invalid('parameter_missing', 'currency', 'Missing required param: currency.');
    if (!/^[1-9]\d{0,7}$/.test(amount)) return invalid('parameter_invalid_integer', 'amount', 'Invalid integer');
    // https://docs.stripe.com/error-codes#amount-too-small
    if (Number(amount) < (minimum[currency] ?? 1))
      return invalid('amount_too_small', 'amount', 'Amount must be at least …');
    // https://docs.stripe.com/currencies#special-cases: ISK and UGX have two decimals, which are zeros; #three-decimal
    const step = { isk: 100, ugx: 100, bhd: 10, jod: 10, kwd: 10, omr: 10, tnd: 10 }[currency] ?? 1;
    if (Number(amount) % step !== 0) return invalid('parameter_invalid_integer', 'amount', 'Invalid amount');
    // https://docs.stripe.com/api/payment_intents/create#create_payment_intent-statement_descriptor
    if (body.has('statement_descriptor'))
      return invalid(
        'payment_intent_invalid_parameter',
        'statement_descriptor',
        'Use statement_descriptor_suffix for cards.',
      );
    // https://docs.stripe.com/get-started/account/statement-descriptors#requirements
    const suffix = body.get('statement_descriptor_suffix');
    if (suffix !== null && (!/[A-Za-z]/.test(suffix) || /[<>\\'"*]|[^\x20-\x7e]/.test(suffix) || suffix.length > 22))
      return invalid('parameter_invalid_string', 'statement_descriptor_suffix', 'The suffix is not allowed.');
    // https://docs.stripe.com/payments/payment-methods/integration-options: redirecting methods need a return_url
    if (body.get('confirm') === 'true' && !body.has('allowed_payment_method_types[0]') && !body.has('return_url'))
      return invalid('parameter_missing', 'return_url', 'Some payment methods of the Dashboard redirect: return_url.');
    // https://docs.stripe.com/api/payment_intents/create#create_payment_intent-off_session
    if (body.has('off_session') && body.get('confirm') !== 'true')
      return invalid('payment_intent_invalid_parameter', 'off_session', 'off_session is for confirm=true only.');
    // https://docs.stripe.com/payments/save-and-reuse: the customer who is absent cannot agree to keep a card
    if (body.get('off_session') === 'true' && body.has('setup_future_usage'))
      return invalid('payment_intent_invalid_parameter', 'setup_future_usage', 'Not with off_session=true.');
    if (customer && !customers.has(customer))
      return invalid('resource_missing', 'customer', `No such customer: '${customer}'`);
    return refuseCard(cards.get(token ?? ''), token, customer);
  }

  function refuseCard(
    card: Card | undefined,
    token: string | null | undefined,
    customer: string | null | undefined,
  ): Answer | undefined {
    // https://docs.stripe.com/error-codes#resource-missing
    if (!card) return invalid('resource_missing', 'payment_method', `No such PaymentMethod: '${token}'`);
    // https://docs.stripe.com/api/payment_intents/create#create_payment_intent-payment_method
    if (card.customer !== null && card.customer !== customer)
      return invalid('payment_intent_invalid_parameter', 'customer', 'The card belongs to a customer: name it.');
    // https://docs.stripe.com/api/payment_methods/attach: used without a customer, it may not be used again
    if (card.spent) return invalid('payment_method_unexpected_state', 'payment_method', 'It may not be used again.');
    return undefined;
  }

  function createIntent(body: URLSearchParams): Answer {
    const refused = refuseIntent(body);
    if (refused) return refused;
    const [customer, keep] = [body.get('customer'), body.has('setup_future_usage')];
    const money = { amount: Number(body.get('amount')), currency: body.get('currency') as string };
    const id = `pi_${intents.size + 1}`;
    const descriptor = body.get('statement_descriptor_suffix') ?? undefined;
    const intent: Intent = { id, status: 'requires_payment_method', ...money, customer, descriptor, isAsked: false };
    intents.set(id, intent);
    const card = cards.get(body.get('payment_method') as string) as Card;
    const failed = charge(intent, card, {
      present: body.get('off_session') !== 'true',
      keep: keep && customer !== null,
    });
    return failed ?? { status: 200, body: shown(intent) };
  }

  function confirmIntent(intent: Intent, body: URLSearchParams): Answer {
    if (intent.status !== 'requires_payment_method') return unexpectedState(intent);
    const card = cards.get(body.get('payment_method') ?? '');
    const refused = refuseCard(card, body.get('payment_method'), intent.customer);
    if (refused) return refused;
    const failed = charge(intent, card as Card, { present: body.get('off_session') !== 'true', keep: false });
    return failed ?? { status: 200, body: shown(intent) };
  }

  /** https://docs.stripe.com/error-codes#payment-intent-unexpected-state */
  const unexpectedState = (intent: Intent): Answer =>
    refusal(400, {
      ...{ type: 'invalid_request_error', code: 'payment_intent_unexpected_state', payment_intent: shown(intent) },
      message: `The PaymentIntent has a status of ${intent.status}.`,
    });

  function cancelIntent(intent: Intent): Answer {
    if (intent.status === 'succeeded' || intent.status === 'canceled') return unexpectedState(intent);
    intent.status = 'canceled';
    return { status: 200, body: shown(intent) };
  }

  function attach(card: Card, body: URLSearchParams): Answer {
    const customer = body.get('customer') ?? '';
    if (!customers.has(customer)) return invalid('resource_missing', 'customer', `No such customer: '${customer}'`);
    // https://docs.stripe.com/api/payment_methods/attach: neither a spent card nor one that is attached
    if (card.spent || card.customer !== null)
      return refusal(400, { type: 'invalid_request_error', message: 'The payment method cannot be attached.' });
    card.customer = customer;
    return { status: 200, body: cardShown(card) };
  }

  const cardShown = ({ id, customer }: Card) => ({ id, object: 'payment_method', type: 'card', customer });
  const createCustomer = (): Answer => {
    const id = `cus_${customers.size + 1}`;
    customers.add(id);
    return { status: 200, body: { id, object: 'customer' } };
  };
  const withIntent = (id: string, then: (intent: Intent) => Answer): Answer => {
    const intent = intents.get(id);
    return intent ? then(intent) : invalid('resource_missing', 'intent', `No such payment_intent: '${id}'`, 404);
  };
  const withCard = (id: string, then: (card: Card) => Answer): Answer => {
    const card = cards.get(id);
    return card ? then(card) : invalid('resource_missing', 'payment_method', `No such PaymentMethod: '${id}'`, 404);
  };

  const calls: Readonly<Record<Call, (id: string, body: URLSearchParams) => Answer>> = {
    'POST /v1/customers': createCustomer,
    'GET /v1/payment_methods/:id': (id) => withCard(id, (card) => ({ status: 200, body: cardShown(card) })),
    'POST /v1/payment_methods/:id/attach': (id, body) => withCard(id, (card) => attach(card, body)),
    'POST /v1/payment_intents': (_, body) => createIntent(body),
    'GET /v1/payment_intents/:id': (id) => withIntent(id, (intent) => ({ status: 200, body: shown(intent) })),
    'POST /v1/payment_intents/:id/confirm': (id, body) => withIntent(id, (intent) => confirmIntent(intent, body)),
    'POST /v1/payment_intents/:id/cancel': (id) => withIntent(id, cancelIntent),
  };

  function answerTo({ call, id, key, body }: Asked, authorization: string | undefined): Answer {
    // https://docs.stripe.com/api/authentication
    if (authorization !== `Bearer ${SECRET_KEY}`)
      return refusal(401, { type: 'invalid_request_error', message: 'Invalid API Key provided.' });
    const carryOut = calls[call as Call];
    if (!carryOut)
      return refusal(404, { type: 'invalid_request_error', message: `Unrecognized request URL (${call})` });
    const unknown = [...body.keys()]
      .map((one) => one.split('[', 1)[0] as string)
      .find((one) => !parametersOf(call as Call).has(one));
    // https://docs.stripe.com/error-codes#parameter-unknown
    if (unknown !== undefined) return invalid('parameter_unknown', unknown, `Received unknown parameter: ${unknown}`);
    if (key === undefined) return carryOut(id, body);
    // https://docs.stripe.com/api/idempotent_requests: the same key has the same parameters, and gets the same answer
    const request = `${call} ${id} ${body}`;
    const known = answers.get(key);
    if (known && known.request !== request)
      return refusal(400, {
        type: 'idempotency_error',
        message: 'Keys for idempotent requests are for the same parameters.',
      });
    const answer = known?.answer ?? carryOut(id, body);
    // Nothing is kept of a request that failed validation.
    if (answer.status === 200 || answer.status === 402) answers.set(key, { request, answer });
    return answer;
  }

  const server = createServer(async (request, response) => {
    const one = await readRequest(request);
    asked.push(one);
    const answer = forAll === undefined || forAll === 'lost' ? answerTo(one, request.headers.authorization) : forAll;
    if (answer === 'nothing' || (forAll === 'lost' && one.call === 'POST /v1/payment_intents')) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server: { host: '127.0.0.1', port, protocol: 'http' },
    asked,
    intents,
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
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function readRequest(request: IncomingMessage): Promise<Asked> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://stripe');
  const [, version, resource, id = '', action] = pathname.split('/');
  const call = `${request.method} /${version}/${resource}${id && '/:id'}${action === undefined ? '' : `/${action}`}`;
  const body = request.method === 'GET' ? searchParams : new URLSearchParams(await text(request));
  return { call, id: decodeURIComponent(id), key: request.headers['idempotency-key']?.toString(), body };
}
