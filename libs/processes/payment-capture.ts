import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

interface Payments {
  readonly unpaid: Map<string, FactOf<'OrderPlaced'>>;
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
  initialState: (): Payments => ({ unpaid: new Map(), erased: new Set() }),

  evolve({ unpaid, erased }, fact) {
    const orderId = idOf(fact.stream);
    switch (fact.type) {
      case 'PersonErased':
        for (const subject of fact.data.subjects) erased.add(subject);
        break;
      case 'OrderPlaced':
        if (!erased.has(customerStream(fact.data.customerId))) unpaid.set(orderId, fact);
        break;
      case 'OrderCancelled':
        if (!mayBeCharged(unpaid.get(orderId), fact)) unpaid.delete(orderId);
        break;
      default:
        unpaid.delete(orderId);
    }
  },

  next: ({ unpaid }, _moment, limit) =>
    takeFrom(unpaid, limit).map(([orderId, placed]) => paymentToCapture(orderId, placed)),
});

/** The charge may have been made before the customer was erased. Nobody else will ask what became of it. */
const mayBeCharged = (placed: FactOf<'OrderPlaced'> | undefined, { data }: FactOf<'OrderCancelled'>): boolean =>
  data.cause !== undefined && placed !== undefined && placed.data.totalCents > 0;

function paymentToCapture(orderId: string, because: FactOf<'OrderPlaced'>): EffectWish {
  const { at: wishedAt, paymentToken: token, totalCents: amountCents, loyalty, ...terms } = because.data;
  const { currency, statementDescriptor } = terms;
  const charge = { orderId, token, amountCents, currency, statementDescriptor, wishedAt };
  return {
    commandId: deriveId('capture-payment', orderId),
    stream: orderStream(orderId),
    effect: { kind: 'capture-payment', isKept: loyalty !== undefined, ...charge },
    because,
  };
}
