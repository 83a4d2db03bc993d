import { checkoutStream } from '#domain/checkouts/checkout';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds, earliest } from '#domain/kernel/instants';
import { orderStream, type PromisedOrder } from '#domain/orders/order';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

/** The request that places a checkout also places its order. After this time that request has failed. */
const PLACE_AFTER_SECONDS = 30;

interface PromiseOfOrder {
  readonly placed: FactOf<'CheckoutPlaced'>;
  readonly order: PromisedOrder;
}

interface Checkouts {
  readonly open: DueList<FactOf<'CheckoutStarted'>>;
  /** Checkout → the order that it promised, until there is this order. */
  readonly promised: DueList<PromiseOfOrder>;
  /** Checkout → the order that an older version placed before it closed the checkout, until the checkout records it. */
  readonly placed: Map<string, FactOf<'OrderPlaced'>>;
}

/**
 * Ends checkouts as abandoned when the customer did not finish in time, and places the order of a placed one where the
 * request did not (CHK-1).
 */
export const checkoutEnd = defineProcess({
  name: 'checkout-end',
  eventTypes: ['CheckoutStarted', 'CheckoutPlaced', 'CheckoutAbandoned', 'OrderPlaced'],
  initialState: (): Checkouts => ({ open: new DueList(), promised: new DueList(), placed: new Map() }),

  evolve({ open, promised, placed }, fact) {
    const checkoutId = idOf(fact.stream);
    switch (fact.type) {
      case 'OrderPlaced':
        noteOrder({ promised, placed }, fact);
        break;
      case 'CheckoutStarted':
        open.put(checkoutId, fact, fact.data.giveUpAt);
        break;
      case 'CheckoutPlaced':
        placed.delete(checkoutId);
        open.remove(checkoutId);
        notePromise(promised, checkoutId, fact);
        break;
      case 'CheckoutAbandoned':
        open.remove(checkoutId);
        break;
    }
  },

  next({ open, promised, placed }, { now }, limit) {
    const recorded = takeFrom(placed, limit).map(([checkoutId, order]) => recordPlaced(checkoutId, order));
    const orders = promised.take(now, limit - recorded.length).map(placeOrder);
    const finished = [...recorded, ...orders];
    return [...finished, ...open.take(now, limit - finished.length).map(abandon)];
  },

  wakeAt: ({ open, promised }) => earliest([open.nextDueAt(), promised.nextDueAt()]),
});

function noteOrder({ promised, placed }: Pick<Checkouts, 'promised' | 'placed'>, order: FactOf<'OrderPlaced'>): void {
  const { checkoutId } = order.data;
  if (checkoutId === undefined) return;
  if (promised.get(checkoutId)) promised.remove(checkoutId);
  else placed.set(checkoutId, order);
}

function notePromise(promised: Checkouts['promised'], checkoutId: string, placed: FactOf<'CheckoutPlaced'>): void {
  const { at, order } = placed.data;
  if (order) promised.put(checkoutId, { placed, order }, addSeconds(at, PLACE_AFTER_SECONDS));
}

const placeOrder = ({ placed, order }: PromiseOfOrder): CommandWish => ({
  commandId: deriveId('PlacePromisedOrder', placed.eventId),
  stream: orderStream(placed.data.orderId),
  command: { type: 'PlacePromisedOrder', checkoutId: idOf(placed.stream), ...order },
  because: placed,
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
