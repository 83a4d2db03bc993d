import { trialCaller } from '#domain/kernel/caller';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import type { Deed } from './habits.ts';

/** What a deed is about. `id` names the customer who rates, the return that is decided, or the ticket that is answered. */
interface Occasion {
  readonly id: string;
  readonly orderId: string;
  readonly leadId: string;
  /** Who placed the order. */
  readonly customerId: string;
}

/** Asks the store for what a person of the demo does. */
export function askFor(
  { orders, refunds, programmes, leads, returns, support }: Requests,
  deed: Deed,
  { id, orderId, leadId, customerId }: Occasion,
  command: Pick<RequestContext, 'commandId' | 'requestHash'>,
): Promise<Receipt> {
  const customer = { ...command, caller: trialCaller(`customer:${customerId}`, 'cli') };
  const staff = { ...command, caller: trialCaller('staff:returns', 'cli'), reason: 'called the person' };
  const supporter = (reason: string) => ({ ...command, caller: trialCaller('staff:support', 'cli'), reason });
  switch (deed.kind) {
    case 'rate':
      return leads.rate(id, leadId, deed.rating, customer);
    case 'return':
      return returns.request({ ...withoutKind(deed), orderId, leadId }, customer);
    case 'grant':
      return returns.grant(id, staff);
    case 'deny':
      return returns.deny(id, deed.explanation, staff);
    case 'goodwill':
      return returns.grantGoodwill(id, staff);
    case 'correct':
      return returns.correct(id, deed.explanation, staff);
    case 'pause':
    case 'restart':
    case 'cancel':
      return orders[deed.kind](orderId, customer);
    case 'hold':
    case 'activate':
      return programmes[deed.kind](orderId, customer);
    case 'leave':
      return programmes.cancel(orderId, customer);
    case 'release-renewal':
      return programmes.releaseRenewal(orderId, supporter('the store stood still'));
    case 'skip-renewal':
      return programmes.skipRenewal(orderId, supporter('the store stood still'));
    case 'change-card':
      return orders.changePaymentCard(orderId, deed.paymentToken, supporter('asked by telephone'));
    case 'give-back': {
      const { kind: _, ...amount } = deed;
      return refunds.wish(orderId, amount, supporter('was not content'));
    }
    case 'write':
      return support.openTicket(letterOf(deed, customerId), customer);
    case 'answer':
      return support.answerTicket(id, deed.answer, supporter('it was asked'));
  }
}

const withoutKind = ({ kind: _, ...request }: Extract<Deed, { kind: 'return' }>) => request;

const letterOf = ({ subject, message, callBack }: Extract<Deed, { kind: 'write' }>, customerId: string) => ({
  customerId,
  subject,
  message,
  ...(callBack && { callBack: { telephone: '+1 212 555 0142' } }),
});
