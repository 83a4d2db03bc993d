import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { orderStream } from '#domain/orders/order';
import type { CommandWish, Process } from './process.ts';

/** Restarts orders in Loyalty Rewards that were paused long enough (ORD-3). Who left the programme restarts by hand. */
export const autoRestart: Process<Pauses, (typeof eventTypes)[number]> = {
  name: 'auto-restart',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({ pauses: new Map(), byRestart: heapOf((a, b) => (restartsAt(a) < restartsAt(b) ? -1 : 1)) }),

  evolve({ pauses, byRestart }, fact) {
    const orderId = idOf(fact.stream);
    if (fact.type === 'OrderPaused') {
      if (fact.data.restartsAt === undefined) return;
      const pause = { orderId, paused: fact, place: -1 };
      pauses.set(orderId, pause);
      byRestart.put(pause);
      return;
    }
    const pause = pauses.get(orderId);
    if (pause) byRestart.remove(pause);
    pauses.delete(orderId);
  },

  next({ byRestart }, { now }, limit) {
    const wishes: CommandWish[] = [];
    for (let first = byRestart.first(); first && restartsAt(first) <= now; first = byRestart.first()) {
      if (wishes.length >= limit) break;
      byRestart.remove(first);
      const { orderId, paused } = first;
      wishes.push({
        commandId: deriveId('RestartAutomatically', paused.eventId),
        stream: orderStream(orderId),
        command: { type: 'RestartAutomatically', pauseNumber: paused.data.pauseNumber as number },
        because: paused,
      });
    }
    return wishes;
  },

  wakeAt: ({ byRestart }) => {
    const first = byRestart.first();
    return first && restartsAt(first);
  },
};

const eventTypes = ['OrderPaused', 'OrderRestarted', 'OrderCancelled', 'ProgrammeCancelled'] as const;

/** A pause that ends by itself. */
interface Pause extends Placed {
  readonly orderId: string;
  readonly paused: FactOf<'OrderPaused'>;
}

interface Pauses {
  readonly pauses: Map<string, Pause>;
  readonly byRestart: Heap<Pause>;
}

const restartsAt = ({ paused }: Pause): Instant => paused.data.restartsAt as Instant;
