import { checkoutStream } from '#domain/checkouts/checkout';
import { type FactOf, idOf } from '#domain/codec';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import type { CommandWish, Process } from './process.ts';

/** Closes checkouts: as placed once their order is there, as abandoned when nobody finished them in time. */
export const checkoutEnd: Process<Checkouts, (typeof eventTypes)[number]> = {
  name: 'checkout-end',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({
    open: new Map(),
    placed: new Map(),
    byTime: heapOf((a, b) => (giveUpAt(a) < giveUpAt(b) ? -1 : 1)),
  }),

  evolve({ open, placed, byTime }, fact) {
    if (fact.type === 'OrderPlaced') {
      const { checkoutId } = fact.data;
      if (checkoutId !== undefined) placed.set(checkoutId, fact);
      return;
    }
    const checkoutId = idOf(fact.stream);
    if (fact.type === 'CheckoutStarted') {
      const checkout = { checkoutId, started: fact, place: -1 };
      open.set(checkoutId, checkout);
      byTime.put(checkout);
      return;
    }
    if (fact.type === 'CheckoutPlaced') placed.delete(checkoutId);
    const checkout = open.get(checkoutId);
    if (checkout) byTime.remove(checkout);
    open.delete(checkoutId);
  },

  next({ placed, byTime }, { now }, limit) {
    const wishes: CommandWish[] = [];
    for (const [checkoutId, order] of placed) {
      if (wishes.length >= limit) break;
      placed.delete(checkoutId);
      wishes.push({
        commandId: deriveId('RecordPlaced', order.eventId),
        stream: checkoutStream(checkoutId),
        command: { type: 'RecordPlaced', orderId: idOf(order.stream) },
        because: order,
      });
    }
    for (let first = byTime.first(); first && giveUpAt(first) <= now; first = byTime.first()) {
      if (wishes.length >= limit) break;
      byTime.remove(first);
      wishes.push({
        commandId: deriveId('AbandonCheckout', first.started.eventId),
        stream: checkoutStream(first.checkoutId),
        command: { type: 'AbandonCheckout' },
        because: first.started,
      });
    }
    return wishes;
  },

  wakeAt: ({ byTime }) => {
    const first = byTime.first();
    return first && giveUpAt(first);
  },
};

const eventTypes = ['CheckoutStarted', 'CheckoutPlaced', 'CheckoutAbandoned', 'OrderPlaced'] as const;

interface Checkout extends Placed {
  readonly checkoutId: string;
  readonly started: FactOf<'CheckoutStarted'>;
}

interface Checkouts {
  readonly open: Map<string, Checkout>;
  /** Checkout → its order, until the checkout knows. */
  readonly placed: Map<string, FactOf<'OrderPlaced'>>;
  readonly byTime: Heap<Checkout>;
}

const giveUpAt = ({ started }: Checkout): string => started.data.giveUpAt;
