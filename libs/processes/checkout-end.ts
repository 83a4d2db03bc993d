import { checkoutStream } from '#domain/checkouts/checkout';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

interface Checkouts {
  readonly open: DueList<FactOf<'CheckoutStarted'>>;
  /** Checkout → its order, until the checkout itself records it. */
  readonly placed: Map<string, FactOf<'OrderPlaced'>>;
}

/** Ends checkouts: as placed once there is an order, as abandoned when the customer did not finish in time. */
export const checkoutEnd = defineProcess({
  name: 'checkout-end',
  eventTypes: ['CheckoutStarted', 'CheckoutPlaced', 'CheckoutAbandoned', 'OrderPlaced'],
  initialState: (): Checkouts => ({ open: new DueList(), placed: new Map() }),

  evolve({ open, placed }, fact) {
    const checkoutId = idOf(fact.stream);
    switch (fact.type) {
      case 'OrderPlaced':
        if (fact.data.checkoutId !== undefined) placed.set(fact.data.checkoutId, fact);
        break;
      case 'CheckoutStarted':
        open.put(checkoutId, fact, fact.data.giveUpAt);
        break;
      case 'CheckoutPlaced':
        placed.delete(checkoutId);
        open.remove(checkoutId);
        break;
      case 'CheckoutAbandoned':
        open.remove(checkoutId);
        break;
    }
  },

  next({ open, placed }, { now }, limit) {
    const finished = takeFrom(placed, limit).map(([checkoutId, order]) => recordPlaced(checkoutId, order));
    return [...finished, ...open.take(now, limit - finished.length).map(abandon)];
  },

  wakeAt: ({ open }) => open.nextDueAt(),
});

const recordPlaced = (checkoutId: string, order: FactOf<'OrderPlaced'>): CommandWish => ({
  commandId: deriveId('RecordPlaced', order.eventId),
  stream: checkoutStream(checkoutId),
  command: { type: 'RecordPlaced', orderId: idOf(order.stream) },
  because: order,
});

const abandon = (started: FactOf<'CheckoutStarted'>): CommandWish => ({
  commandId: deriveId('AbandonCheckout', started.eventId),
  stream: checkoutStream(idOf(started.stream)),
  command: { type: 'AbandonCheckout' },
  because: started,
});
