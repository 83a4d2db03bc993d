import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { addHours } from '#domain/kernel/instants';
import { orderStream } from '#domain/orders/order';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

/** Nothing is recorded of a charge that was not made, so it is not looked for at every start for ever. */
const HOURS_A_CHARGE_IS_LOOKED_FOR = 72;

interface Payments {
  readonly unpaid: Map<string, FactOf<'OrderPlaced'>>;
  /** Cancelled without a result: a process that stopped may have begun the charge, and what it took is given back (CHK-6). */
  readonly cancelled: Map<string, FactOf<'OrderPlaced'>>;
  /** Subjects of erasures. What such a customer still orders is never charged, and is cancelled. */
  readonly erased: Set<string>;
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
    'OrderCancelled',
    'PersonErased',
  ],
  initialState: (): Payments => ({ unpaid: new Map(), cancelled: new Map(), erased: new Set() }),

  evolve({ unpaid, cancelled, erased }, fact) {
    const orderId = idOf(fact.stream);
    switch (fact.type) {
      case 'PersonErased':
        for (const subject of fact.data.subjects) erased.add(subject);
        break;
      case 'OrderPlaced':
        if (!erased.has(customerStream(fact.data.customerId))) unpaid.set(orderId, fact);
        break;
      case 'OrderCancelled':
        noteCancelled({ unpaid, cancelled }, orderId, fact);
        break;
      default:
        unpaid.delete(orderId);
        cancelled.delete(orderId);
    }
  },

  next({ unpaid, cancelled }, { now }, limit) {
    const begun = takeFrom(cancelled, limit).filter(
      ([, { data }]) => now <= addHours(data.at, HOURS_A_CHARGE_IS_LOOKED_FOR),
    );
    const placed = takeFrom(unpaid, limit - begun.length);
    return [
      ...begun.map(([orderId, order]) => paymentToCapture(orderId, order, true)),
      ...placed.map(([orderId, order]) => paymentToCapture(orderId, order, false)),
    ];
  },
});

/** The charge may have been made before. Nobody else will ask what became of it. */
function noteCancelled(
  { unpaid, cancelled }: Pick<Payments, 'unpaid' | 'cancelled'>,
  orderId: string,
  { data }: FactOf<'OrderCancelled'>,
): void {
  const placed = unpaid.get(orderId);
  if (!placed) return;
  const mayBeCharged = placed.data.totalCents > 0;
  // An erased customer is asked about at any time: without the key of its person, nothing new is charged.
  if (mayBeCharged && data.cause !== undefined) return;
  unpaid.delete(orderId);
  if (mayBeCharged) cancelled.set(orderId, placed);
}

function paymentToCapture(orderId: string, because: FactOf<'OrderPlaced'>, onlyIfMade: boolean): EffectWish {
  const { at: wishedAt, paymentToken: token, totalCents: amountCents, loyalty, ...terms } = because.data;
  const { currency, statementDescriptor } = terms;
  const charge = { orderId, token, amountCents, currency, statementDescriptor, wishedAt };
  return {
    commandId: deriveId('capture-payment', orderId),
    stream: orderStream(orderId),
    effect: { kind: 'capture-payment', isKept: loyalty !== undefined, onlyIfMade, ...charge },
    because,
  };
}
