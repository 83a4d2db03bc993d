import { type Answer, invalid } from './answers.ts';

/** https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in Stripe's own units. */
const minimum: Readonly<Record<string, number>> = {
  ...{ usd: 50, aed: 200, aud: 50, brl: 50, cad: 50, chf: 50, czk: 1500, dkk: 250, eur: 50, gbp: 30, hkd: 400 },
  ...{ huf: 17_500, inr: 50, jpy: 50, mxn: 1000, myr: 200, nok: 300, nzd: 50, pln: 200, ron: 200, sek: 300, sgd: 50 },
  thb: 1000,
};
/** https://docs.stripe.com/currencies#special-cases: two decimals, which are zeros; #three-decimal: the last is a zero. */
export const steps: Readonly<Record<string, number>> = {
  isk: 100,
  ugx: 100,
  bhd: 10,
  jod: 10,
  kwd: 10,
  omr: 10,
  tnd: 10,
};

type Check = (body: URLSearchParams) => Answer | undefined;

const needs =
  (param: string): Check =>
  (body) =>
    body.get(param) ? undefined : invalid('parameter_missing', param);

const amount: Check = (body) => {
  const [asked, currency] = [body.get('amount') ?? '', body.get('currency') ?? ''];
  if (!/^[1-9]\d{0,7}$/.test(asked)) return invalid('parameter_invalid_integer', 'amount');
  // https://docs.stripe.com/error-codes#amount-too-small
  if (Number(asked) < (minimum[currency] ?? 1)) return invalid('amount_too_small', 'amount');
  return Number(asked) % (steps[currency] ?? 1) === 0 ? undefined : invalid('parameter_invalid_integer', 'amount');
};

/**
 * https://docs.stripe.com/api/payment_intents/create#create_payment_intent-statement_descriptor: not for cards, a 400
 * (https://support.stripe.com/questions/use-of-the-statement-descriptor-parameter-on-paymentintents-for-card-charges).
 */
const descriptor: Check = (body) =>
  body.has('statement_descriptor') ? invalid('payment_intent_invalid_parameter', 'statement_descriptor') : undefined;

/** https://docs.stripe.com/get-started/account/statement-descriptors#requirements */
const suffix: Check = (body) => {
  const asked = body.get('statement_descriptor_suffix');
  if (asked === null || (/[A-Za-z]/.test(asked) && !/[<>\\'"*]|[^\x20-\x7e]/.test(asked) && asked.length <= 22))
    return undefined;
  return invalid('parameter_invalid_string', 'statement_descriptor_suffix');
};

/** https://docs.stripe.com/api/payment_intents/create#create_payment_intent-return_url: other methods than cards redirect. */
const returnUrl: Check = (body) => {
  const onlyCards = body.getAll('allowed_payment_method_types[0]').every((type) => type === 'card');
  const isNamed = body.has('allowed_payment_method_types[0]') && onlyCards;
  return body.get('confirm') !== 'true' || isNamed ? undefined : needs('return_url')(body);
};

/** https://docs.stripe.com/api/payment_intents/create#create_payment_intent-off_session: for confirm=true only. */
const offSession: Check = (body) =>
  body.has('off_session') && body.get('confirm') !== 'true'
    ? invalid('payment_intent_invalid_parameter', 'off_session')
    : undefined;

/**
 * https://docs.stripe.com/payments/save-during-payment: a customer who is not there cannot agree that a card is kept. Seen as
 * "you cannot set up future usages when processing payments off-session" in https://github.com/artsy/exchange/pull/484.
 */
const setup: Check = (body) =>
  body.get('off_session') === 'true' && body.has('setup_future_usage')
    ? invalid('payment_intent_invalid_parameter', 'setup_future_usage')
    : undefined;

const checks = [needs('amount'), needs('currency'), amount, descriptor, suffix, returnUrl, offSession, setup];

/** Why Stripe creates no such payment intent, whatever card and customer it names. */
export const refuseIntent: Check = (body) =>
  checks.map((check) => check(body)).find((refused) => refused !== undefined);
