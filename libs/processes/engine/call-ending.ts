import type { Ending } from '#domain/kernel/activities';
import type { AnyEvent, EventTypeName } from '#domain/ledger';
import { tellFailedCall, tellFailedMail, tellMailAnswer } from '#domain/notifications/outcomes';
import { NOTHING_DUE } from '#domain/orders/payments';
import { tellRefundFailure } from '#domain/orders/refunds';

type Data<Type extends EventTypeName> = Extract<AnyEvent, { type: Type }>['data'];
type Endings = { readonly [Type in EventTypeName]?: (data: Data<Type>) => Ending };

/** Events that record how a call to the outside ended other than well. */
const endings: Endings = {
  PaymentDeclined: ({ reason }) => ({ outcome: 'refused', reason }),
  RenewalDeclined: ({ reason }) => ({ outcome: 'refused', reason }),
  PaymentUnknown: () => ({ outcome: 'parked', reason: 'nobody knows whether the money was taken' }),
  RenewalUnknown: () => ({ outcome: 'parked', reason: 'nobody knows whether the money was taken' }),
  RefundFailed: ({ failure, retryAt }) => ({
    outcome: retryAt === undefined ? 'parked' : 'failed',
    reason: tellRefundFailure(failure),
  }),
  MailRefused: ({ answer }) => ({ outcome: 'refused', reason: tellMailAnswer(answer) }),
  MailGivenUp: (failed) => ({ outcome: 'given-up', reason: tellFailedMail(failed) }),
  WebhookFailed: (failed) => ({ outcome: 'failed', reason: tellFailedCall(failed) }),
  WebhookParked: (failed) => ({ outcome: 'parked', reason: tellFailedCall(failed) }),
};

/** How a call to the outside ended, by what was recorded of it: a failure may be a result. */
export function callEndingIn(events: readonly AnyEvent[]): Ending {
  for (const { type, data } of events) {
    // Each takes the data of its own type, which the compiler cannot see through the table.
    const ending = endings[type] as ((data: AnyEvent['data']) => Ending) | undefined;
    if (ending) return ending(data);
  }
  return { outcome: 'done' };
}

/** Results that nobody outside gave, or that say that there was no answer. */
const withoutAnswer: { readonly [Type in EventTypeName]?: (data: Data<Type>) => boolean } = {
  PaymentCaptured: ({ reference }) => reference === NOTHING_DUE,
  PaymentDeclined: ({ reason }) => reason === 'payment-details-erased',
  PaymentUnknown: () => true,
  RenewalUnknown: () => true,
  MailWithheld: () => true,
  MailGivenUp: () => true,
};

/** Whether what was recorded of a call shows that the service outside works. */
export const wasAnswered = (events: readonly AnyEvent[]): boolean =>
  !events.some(({ type, data }) => (withoutAnswer[type] as ((data: AnyEvent['data']) => boolean) | undefined)?.(data));
