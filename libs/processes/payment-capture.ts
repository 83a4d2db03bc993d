import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import type { Process } from './process.ts';

/** Has the payment of a placed order captured; the order opens or ends by the answer (CHK-4). */
export const paymentCapture: Process<Map<string, FactOf<'OrderPlaced'>>, (typeof eventTypes)[number]> = {
  name: 'payment-capture',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => new Map(),

  evolve(unpaid, fact) {
    const orderId = idOf(fact.stream);
    if (fact.type === 'OrderPlaced') unpaid.set(orderId, fact);
    else unpaid.delete(orderId);
  },

  next(unpaid, _moment, limit) {
    const due = [...unpaid].slice(0, limit);
    return due.map(([orderId, placed]) => {
      unpaid.delete(orderId);
      const { paymentToken: token, totalCents: amountCents, currency, statementDescriptor } = placed.data;
      return {
        commandId: deriveId('capture-payment', orderId),
        stream: orderStream(orderId),
        effect: { kind: 'capture-payment', token, amountCents, currency, statementDescriptor },
        because: placed,
      };
    });
  },
};

const eventTypes = ['OrderPlaced', 'PaymentCaptured', 'PaymentDeclined', 'OrderCancelled'] as const;
