import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import { defineProcess, type EffectWish, takeFrom } from './process.ts';

/** Captures the payment of a placed order. The result opens the order or ends it (CHK-4). */
export const paymentCapture = defineProcess({
  name: 'payment-capture',
  eventTypes: ['OrderPlaced', 'PaymentCaptured', 'PaymentDeclined', 'OrderCancelled'],
  initialState: () => new Map<string, FactOf<'OrderPlaced'>>(),

  evolve(unpaid, fact) {
    const orderId = idOf(fact.stream);
    if (fact.type === 'OrderPlaced') unpaid.set(orderId, fact);
    else unpaid.delete(orderId);
  },

  next: (unpaid, _moment, limit) =>
    takeFrom(unpaid, limit).map(([orderId, placed]) => paymentToCapture(orderId, placed)),
});

function paymentToCapture(orderId: string, because: FactOf<'OrderPlaced'>): EffectWish {
  const { paymentToken: token, totalCents: amountCents, currency, statementDescriptor } = because.data;
  return {
    commandId: deriveId('capture-payment', orderId),
    stream: orderStream(orderId),
    effect: { kind: 'capture-payment', orderId, token, amountCents, currency, statementDescriptor },
    because,
  };
}
