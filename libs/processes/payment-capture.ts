import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { addHours } from '#domain/kernel/instants';
import { orderStream } from '#domain/orders/order';
import { HOURS_A_CHARGE_IS_LOOKED_FOR } from '#domain/orders/payments';
import { keyOfCapture } from './charge-keys.ts';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

/** A store that stood still longer has not asked yet: the provider may be away at its start. */
const LEAST_HOURS_AFTER_A_START = 1;

interface Payments {
  readonly unpaid: Map<string, FactOf<'OrderPlaced'>>;
  /** The provider is asked to charge them, and has not answered. */
  readonly underWay: Map<string, FactOf<'OrderPlaced'>>;
  /**
   * Cancelled without a result: a process that stopped may have begun the charge, and what it took is given back (CHK-6). The provider
   * is asked at once, where it is not being asked already, and once more when the time is over. That answer is recorded, or that there is none.
   */
  readonly cancelled: DueList<Cancelled>;
  /** Subjects of erasures. What such a customer still orders is never charged, and is cancelled. */
  readonly erased: Set<string>;
}

interface Cancelled {
  readonly placed: FactOf<'OrderPlaced'>;
  readonly at: Instant;
  /** When the provider is asked for the last time. Undefined: it was not asked yet. */
  readonly until?: Instant;
}

/** Captures the payment of a placed order. The result opens the order or ends it (CHK-4). */
export const paymentCapture = defineProcess({
  name: 'payment-capture',
  eventTypes: [
    'OrderPlaced',
    'PaymentCaptured',
    'PaymentCapturedTooLate',
    'PaymentDeclined',
    'PaymentUnknown',
    'PaymentNotCaptured',
    'OrderCancelled',
    'PersonErased',
  ],
  initialState: (): Payments => ({
    unpaid: new Map(),
    underWay: new Map(),
    cancelled: new DueList(),
    erased: new Set(),
  }),

  evolve({ erased, ...payments }, fact) {
    const { unpaid, underWay, cancelled } = payments;
    const orderId = idOf(fact.stream);
    switch (fact.type) {
      case 'PersonErased':
        for (const subject of fact.data.subjects) erased.add(subject);
        break;
      case 'OrderPlaced':
        if (!erased.has(customerStream(fact.data.customerId))) unpaid.set(orderId, fact);
        break;
      case 'OrderCancelled':
        noteCancelled(payments, orderId, fact);
        break;
      default:
        unpaid.delete(orderId);
        underWay.delete(orderId);
        cancelled.remove(orderId);
    }
  },

  next({ unpaid, underWay, cancelled }, { now }, limit) {
    const begun = cancelled.take(now, limit).map((one) => chargeToLookFor(cancelled, one, now));
    const placed = takeFrom(unpaid, limit - begun.length);
    for (const [orderId, order] of placed) underWay.set(orderId, order);
    return [...begun, ...placed.map(([orderId, order]) => paymentToCapture(orderId, order))];
  },

  wakeAt: ({ cancelled }) => cancelled.nextDueAt(),
});

/** The charge may have been made before. Nobody else will ask what became of it. */
function noteCancelled(
  { unpaid, underWay, cancelled }: Omit<Payments, 'erased'>,
  orderId: string,
  { data: { at, cause } }: FactOf<'OrderCancelled'>,
): void {
  const placed = unpaid.get(orderId) ?? underWay.get(orderId);
  if (!placed) return;
  const mayBeCharged = placed.data.totalCents > 0;
  // An erased customer is asked about at any time: without the key of its person, nothing new is charged.
  if (mayBeCharged && cause !== undefined) return;
  const isAsked = !unpaid.delete(orderId);
  underWay.delete(orderId);
  const until = lastAskedAt(at);
  if (mayBeCharged && isAsked) cancelled.put(orderId, { placed, at, until }, until);
  else if (mayBeCharged) cancelled.put(orderId, { placed, at }, at);
}

const lastAskedAt = (cancelledAt: Instant): Instant => addHours(cancelledAt, HOURS_A_CHARGE_IS_LOOKED_FOR);

function chargeToLookFor(cancelled: Payments['cancelled'], { placed, at, until }: Cancelled, now: Instant): EffectWish {
  const orderId = idOf(placed.stream);
  const ends = [lastAskedAt(at), addHours(now, LEAST_HOURS_AFTER_A_START)];
  const onlyIfMadeUntil = until ?? (ends.sort().at(-1) as Instant);
  if (until === undefined) cancelled.put(orderId, { placed, at, until: onlyIfMadeUntil }, onlyIfMadeUntil);
  return paymentToCapture(orderId, placed, { onlyIfMadeUntil });
}

function paymentToCapture(
  orderId: string,
  because: FactOf<'OrderPlaced'>,
  asked: { readonly onlyIfMadeUntil?: Instant } = {},
): EffectWish {
  const { at: wishedAt, paymentToken: token, totalCents: amountCents, loyalty, ...terms } = because.data;
  const { currency, statementDescriptor } = terms;
  const charge = { orderId, token, amountCents, currency, statementDescriptor, wishedAt };
  return {
    commandId: keyOfCapture(orderId),
    stream: orderStream(orderId),
    effect: { kind: 'capture-payment', isKept: loyalty !== undefined, ...asked, ...charge },
    because,
  };
}
