import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import { defineProcess } from './process.ts';

/**
 * Restarts orders in Loyalty Rewards that were paused long enough (ORD-3). A customer who left the programme restarts
 * the order by hand.
 */
export const autoRestart = defineProcess({
  name: 'auto-restart',
  eventTypes: ['OrderPaused', 'OrderRestarted', 'OrderCancelled', 'ProgrammeCancelled'],
  initialState: () => new DueList<FactOf<'OrderPaused'>>(),

  evolve(pauses, fact) {
    const orderId = idOf(fact.stream);
    if (fact.type !== 'OrderPaused') pauses.remove(orderId);
    else if (fact.data.restartsAt !== undefined) pauses.put(orderId, fact, fact.data.restartsAt);
  },

  next: (pauses, { now }, limit) =>
    pauses.take(now, limit).map((paused) => ({
      commandId: deriveId('RestartAutomatically', paused.eventId),
      stream: orderStream(idOf(paused.stream)),
      command: { type: 'RestartAutomatically', pauseNumber: paused.data.pauseNumber as number },
      because: paused,
    })),

  wakeAt: (pauses) => pauses.nextDueAt(),
});
