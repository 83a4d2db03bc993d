import type { Intent } from './account.ts';
import { type Answer, invalid, refusal, success } from './answers.ts';
import { steps } from './refused-intents.ts';

export interface MadeRefund {
  readonly id: string;
  readonly payment_intent: string;
  /** In Stripe's own units. */
  readonly amount: number;
  readonly currency: string;
  readonly metadata: { readonly refund_id: string };
  status: 'succeeded' | 'failed' | 'canceled';
}

/** https://docs.stripe.com/refunds#failed-refunds: the money is in the balance again. */
const counts = ({ status }: MadeRefund): boolean => status === 'succeeded';

/** The refunds of one account at Stripe. */
export class StripeRefunds {
  readonly made: MadeRefund[] = [];
  readonly #intents: ReadonlyMap<string, Intent>;

  constructor(intents: ReadonlyMap<string, Intent>) {
    this.#intents = intents;
  }

  /** https://docs.stripe.com/api/refunds/create */
  create(body: URLSearchParams): Answer {
    const intent = this.#intents.get(body.get('payment_intent') ?? '');
    if (intent?.status !== 'succeeded') return invalid('resource_missing', 'payment_intent');
    const { id: payment_intent, currency } = intent;
    const given = this.made.filter((one) => one.payment_intent === payment_intent && counts(one));
    const left = given.reduce((sum, { amount }) => sum - amount, intent.amount);
    if (left === 0) return invalid('charge_already_refunded', 'payment_intent');
    const asked = body.get('amount') ?? String(left);
    const refused = refuseAmount(asked, currency, left);
    if (refused) return refused;
    const metadata = { refund_id: body.get('metadata[refund_id]') ?? '' };
    const about = { payment_intent, amount: Number(asked), currency, metadata };
    const refund: MadeRefund = { id: `re_${this.made.length + 1}`, ...about, status: 'succeeded' };
    this.made.push(refund);
    return success({ object: 'refund', ...refund });
  }

  /** https://docs.stripe.com/api/refunds/list: the newest first */
  list(body: URLSearchParams): Answer {
    const data = this.made.filter((one) => one.payment_intent === body.get('payment_intent')).reverse();
    return success({ object: 'list', url: '/v1/refunds', has_more: false, data });
  }
}

/** https://docs.stripe.com/currencies#special-cases, #three-decimal: what cannot be charged cannot be given back. */
function refuseAmount(asked: string, currency: string, left: number): Answer | undefined {
  if (!/^[1-9]\d{0,7}$/.test(asked) || Number(asked) % (steps[currency] ?? 1) !== 0)
    return invalid('parameter_invalid_integer', 'amount');
  const message = 'Refund amount is greater than unrefunded amount on charge';
  return Number(asked) > left ? refusal(400, { type: 'invalid_request_error', param: 'amount', message }) : undefined;
}
