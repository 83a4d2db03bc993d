import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import { refundIdOf } from '#domain/orders/refunds';
import { type CommandWish, defineProcess, type EffectWish, takeFrom } from './process.ts';

type Late = FactOf<'PaymentCapturedTooLate'>;

interface Attempt {
  readonly refund: FactOf<'RefundWished' | 'RefundReturned'>;
  readonly attempt: number;
  readonly because: FactOf<'RefundWished' | 'RefundReturned' | 'RefundFailed' | 'RefundRetried'>;
}

interface Refunds {
  /** Payments that came too late and of which no refund is wished. By the id of the refund. */
  readonly late: Map<string, Late>;
  /** Refunds that are not made yet. Those that wait for an operator are not scheduled. */
  readonly attempts: DueList<Attempt>;
}

/** Gives back what was captured too late, and asks the provider for each refund until it is made (CHK-6). */
export const refunds = defineProcess({
  name: 'refunds',
  eventTypes: [
    'PaymentCapturedTooLate',
    'RefundWished',
    'PaymentRefunded',
    'RefundReturned',
    'RefundFailed',
    'RefundRetried',
    'RefundSettled',
  ],
  initialState: (): Refunds => ({ late: new Map(), attempts: new DueList() }),

  evolve({ late, attempts }, fact) {
    switch (fact.type) {
      case 'PaymentCapturedTooLate':
        if (fact.data.amountCents > 0) late.set(refundIdOf(fact.eventId), fact);
        break;
      case 'RefundWished':
        late.delete(fact.data.refundId);
        attempts.put(fact.data.refundId, { refund: fact, attempt: 1, because: fact }, fact.data.at, fact.data.at);
        break;
      case 'RefundReturned':
        attempts.put(fact.data.refundId, { refund: fact, attempt: fact.data.attempt + 1, because: fact });
        break;
      case 'RefundFailed':
      case 'RefundRetried':
        noteAttempt(attempts, fact);
        break;
      default:
        attempts.remove(fact.data.refundId);
    }
  },

  next({ late, attempts }, { now }, limit) {
    const wishes = takeFrom(late, limit).map(([refundId, captured]) => wishRefund(refundId, captured));
    const due = attempts.take(now, limit - wishes.length);
    for (const one of due) attempts.put(one.refund.data.refundId, one);
    return [...wishes, ...due.map(refundToMake)];
  },

  wakeAt: ({ attempts }) => attempts.nextDueAt(),
});

/** A failure ends its attempt: the next one has another key, and is made when it is due. A retry makes it due now. */
function noteAttempt(attempts: Refunds['attempts'], fact: FactOf<'RefundFailed' | 'RefundRetried'>): void {
  const former = attempts.get(fact.data.refundId);
  if (!former) return;
  const failed = fact.type === 'RefundFailed';
  const attempt = failed ? fact.data.attempt + 1 : former.attempt;
  const dueAt = failed ? fact.data.retryAt : fact.data.at;
  attempts.put(fact.data.refundId, { ...former, attempt, because: fact }, dueAt, fact.data.at);
}

const wishRefund = (refundId: string, because: Late): CommandWish => ({
  commandId: deriveId('WishRefund', refundId),
  stream: orderStream(idOf(because.stream)),
  command: {
    type: 'WishRefund',
    refundId,
    renewalNumber: because.data.renewalNumber ?? 0,
    cause: 'captured-too-late',
  },
  because,
});

/** Refund and attempt are the key: sent twice, it is made once. */
function refundToMake({ refund, attempt, because }: Attempt): EffectWish {
  const { refundId, reference, amountCents, currency } = refund.data;
  return {
    commandId: deriveId('make-refund', refundId, String(attempt)),
    stream: refund.stream,
    effect: { kind: 'make-refund', refundId, attempt, reference, amountCents, currency },
    because,
  };
}
