import { type Answer, invalid, refusal, success } from './answers.ts';
import type { Call } from './parameters.ts';
import { StripeRefunds } from './refunds.ts';
import { refuseIntent } from './refused-intents.ts';

/** What the bank says to a card: `ok`, a decline code, or when it wants to ask its holder. */
export type Bank = 'ok' | 'asks-when-absent' | 'asks-always' | { readonly declines: string; readonly code?: string };

interface Card {
  readonly id: string;
  readonly bank: Bank;
  customer: string | null;
  /** It was charged and not kept. */
  spent: boolean;
}

export interface Intent {
  readonly id: string;
  status: 'succeeded' | 'requires_action' | 'requires_payment_method' | 'canceled';
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly descriptor: string | undefined;
  /** What the store calls the charge. */
  readonly name: string | undefined;
  /** The bank has said that it wants the holder of the card. */
  isAsked: boolean;
}

interface Occasion {
  readonly isPresent: boolean;
  readonly isKept: boolean;
}

/** https://docs.stripe.com/search#search-query-language */
const nameIn = (query: string): string | undefined => /^metadata\["charge"\]:"([^"\\]+)"$/.exec(query)?.[1];
const notParsed = refusal(400, { type: 'invalid_request_error', message: 'We were unable to parse it.' });
const found = (what: string, data: readonly object[]): Answer =>
  success({ object: 'search_result', url: `/v1/${what}/search`, has_more: false, data });

const isPresentIn = (body: URLSearchParams): boolean => body.get('off_session') !== 'true';

/** Cards, customers and payment intents of one account at Stripe. */
export class StripeAccount {
  readonly cards = new Map<string, Card>();
  readonly intents = new Map<string, Intent>();
  readonly refunds = new StripeRefunds(this.intents);
  /** Id → what the store calls the charge for which it was made. */
  readonly customers = new Map<string, string | undefined>();
  #made = 0;
  /** https://docs.stripe.com/search#data-freshness: what was made a moment ago is not found. */
  #found: readonly Intent[] = [];
  #foundCustomers: readonly (readonly [id: string, name: string | undefined])[] = [];

  readonly calls: Readonly<Record<Call, (id: string, body: URLSearchParams) => Answer>> = {
    'POST /v1/customers': (_, body) => this.#createCustomer(body),
    'GET /v1/customers/search': (_, body) => this.#searchCustomers(body.get('query') ?? ''),
    'DELETE /v1/customers/:id': (id) => this.#deleteCustomer(id),
    'GET /v1/payment_methods/:id': (id) => this.#withCard(id, (card) => success(cardShown(card))),
    'POST /v1/payment_methods/:id/attach': (id, body) => this.#withCard(id, (card) => this.#attach(card, body)),
    'POST /v1/payment_intents': (_, body) => this.#createIntent(body),
    'GET /v1/payment_intents/search': (_, body) => this.#search(body.get('query') ?? ''),
    'GET /v1/payment_intents/:id': (id) => this.#withIntent(id, (intent) => success(shown(intent))),
    'POST /v1/payment_intents/:id/confirm': (id, body) => this.#withIntent(id, (one) => this.#confirm(one, body)),
    'POST /v1/payment_intents/:id/cancel': (id) => this.#withIntent(id, cancel),
    'POST /v1/refunds': (_, body) => this.refunds.create(body),
    'GET /v1/refunds': (_, body) => this.refunds.list(body),
  };

  /** All that is there now can be found from now on. */
  index(): void {
    this.#found = [...this.intents.values()];
    this.#foundCustomers = [...this.customers];
  }

  #search(query: string): Answer {
    const name = nameIn(query);
    if (name === undefined) return notParsed;
    return found('payment_intents', this.#found.filter((intent) => intent.name === name).map(shown));
  }

  #searchCustomers(query: string): Answer {
    const name = nameIn(query);
    if (name === undefined) return notParsed;
    const ids = this.#foundCustomers.filter(([id, made]) => made === name && this.customers.has(id));
    return found(
      'customers',
      ids.map(([id]) => ({ id, object: 'customer' })),
    );
  }

  #createCustomer(body: URLSearchParams): Answer {
    this.#made += 1;
    const id = `cus_${this.#made}`;
    this.customers.set(id, body.get('metadata[charge]') ?? undefined);
    return success({ id, object: 'customer' });
  }

  /** https://docs.stripe.com/api/customers/delete: its cards cannot be used any more. */
  #deleteCustomer(id: string): Answer {
    if (!this.customers.delete(id)) return invalid('resource_missing', 'id', `No such customer: '${id}'`, 404);
    for (const [token, card] of this.cards) if (card.customer === id) this.cards.delete(token);
    return success({ id, object: 'customer', deleted: true });
  }

  #attach(card: Card, body: URLSearchParams): Answer {
    const customer = body.get('customer') ?? '';
    if (!this.customers.has(customer)) return invalid('resource_missing', 'customer');
    // https://docs.stripe.com/api/payment_methods/attach: neither a spent card nor one that is attached
    if (card.spent || card.customer !== null)
      return refusal(400, { type: 'invalid_request_error', message: 'The payment method cannot be attached.' });
    card.customer = customer;
    return success(cardShown(card));
  }

  #createIntent(body: URLSearchParams): Answer {
    const [token, customer] = [body.get('payment_method') ?? '', body.get('customer')];
    const card = this.cards.get(token);
    const noCustomer = customer !== null && !this.customers.has(customer);
    const refused =
      refuseIntent(body) ?? (noCustomer ? invalid('resource_missing', 'customer') : refuseCard(card, customer));
    if (refused) return refused;
    const money = { amount: Number(body.get('amount')), currency: body.get('currency') as string };
    const descriptor = body.get('statement_descriptor_suffix') ?? undefined;
    const id = `pi_${this.intents.size + 1}`;
    const name = body.get('metadata[charge]') ?? undefined;
    const about = { customer, descriptor, name, isAsked: false };
    const intent: Intent = { id, status: 'requires_payment_method', ...money, ...about };
    this.intents.set(id, intent);
    const isKept = body.has('setup_future_usage') && customer !== null;
    return charge(intent, card as Card, { isPresent: isPresentIn(body), isKept });
  }

  #confirm(intent: Intent, body: URLSearchParams): Answer {
    if (intent.status !== 'requires_payment_method') return unexpectedState(intent);
    const card = this.cards.get(body.get('payment_method') ?? '');
    const refused = refuseCard(card, intent.customer);
    return refused ?? charge(intent, card as Card, { isPresent: isPresentIn(body), isKept: false });
  }

  #withIntent(id: string, then: (intent: Intent) => Answer): Answer {
    const intent = this.intents.get(id);
    return intent ? then(intent) : invalid('resource_missing', 'intent', `No such payment_intent: '${id}'`, 404);
  }

  #withCard(id: string, then: (card: Card) => Answer): Answer {
    const card = this.cards.get(id);
    return card ? then(card) : invalid('resource_missing', 'payment_method', `No such PaymentMethod: '${id}'`, 404);
  }
}

const cardShown = ({ id, customer }: Card) => ({ id, object: 'payment_method', type: 'card', customer });

const shown = ({ id, status, amount, currency, customer }: Intent) => ({
  ...{ id, object: 'payment_intent', status, amount, currency, customer },
  ...(status === 'requires_action' && {
    next_action: { type: 'redirect_to_url', redirect_to_url: { url: `https://hooks.stripe.example/${id}` } },
  }),
});

const spent =
  'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment. It may not be used again.';

function refuseCard(card: Card | undefined, customer: string | null): Answer | undefined {
  // https://docs.stripe.com/error-codes#resource-missing
  if (!card) return invalid('resource_missing', 'payment_method');
  // https://docs.stripe.com/api/payment_intents/create#create_payment_intent-payment_method
  if (card.customer !== null && card.customer !== customer)
    return invalid('payment_intent_invalid_parameter', 'customer');
  // https://docs.stripe.com/api/payment_methods/attach: used without a customer, it may not be used again. The answer has no
  // code, as seen in https://github.com/Automattic/woocommerce-payments/issues/323.
  return card.spent ? refusal(400, { type: 'invalid_request_error', message: spent }) : undefined;
}

function charge(intent: Intent, card: Card, { isPresent, isKept }: Occasion): Answer {
  const { bank } = card;
  // https://docs.stripe.com/declines/codes
  if (typeof bank === 'object') return cardError(intent, bank.code ?? 'card_declined', bank.declines);
  const asks = bank === 'asks-always' || (bank === 'asks-when-absent' && (!isPresent || intent.isAsked));
  intent.isAsked = asks;
  // https://docs.stripe.com/error-codes#authentication-required
  if (asks && !isPresent) return cardError(intent, 'authentication_required', 'authentication_required');
  intent.status = asks ? 'requires_action' : 'succeeded';
  if (isKept) card.customer = intent.customer;
  else if (card.customer === null) card.spent = true;
  return success(shown(intent));
}

const cardError = (intent: Intent, code: string, decline_code: string): Answer =>
  refusal(402, { type: 'card_error', code, decline_code, message: 'It was declined.', payment_intent: shown(intent) });

function cancel(intent: Intent): Answer {
  if (intent.status === 'succeeded' || intent.status === 'canceled') return unexpectedState(intent);
  intent.status = 'canceled';
  return success(shown(intent));
}

/** https://docs.stripe.com/error-codes#payment-intent-unexpected-state */
const unexpectedState = (intent: Intent): Answer =>
  refusal(400, {
    ...{ type: 'invalid_request_error', code: 'payment_intent_unexpected_state', payment_intent: shown(intent) },
    message: `The PaymentIntent has a status of ${intent.status}.`,
  });
