import type { AllStreamSubscription, EventStoreDBClient, Position as ServerPosition } from '@eventstore/db-client';
import type { EventFilter, Position, SubscriptionMessage } from '../port.ts';
import { passes } from '../read-checks.ts';
import { positionOf, recordedEventOf, serverFilterOf, serverPositionOf } from './translation.ts';

const CAUGHT_UP = Symbol('caught up');
/** The server says how far it has looked after 32 times so many events that it filtered out. */
const CHECKPOINT_INTERVAL = 32;

/**
 * What the log holds behind a position, filtered by the server, until the server says that there is no more. A checkpoint
 * comes after long stretches of which nothing passed.
 * @throws the client's errors when the connection breaks, or `over` is aborted
 */
export async function* catchUp(
  client: EventStoreDBClient,
  after: Position,
  filter: EventFilter | undefined,
  over: AbortSignal,
): AsyncGenerator<Exclude<SubscriptionMessage, { kind: 'caught-up' }>> {
  const subscription = subscribe(client, after, filter);
  const stop = () => subscription.destroy();
  over.addEventListener('abort', stop);
  let at = after;
  try {
    over.throwIfAborted();
    for await (const item of subscription) {
      if (item === CAUGHT_UP) return;
      if ('checkpoint' in item) {
        const position = positionOf(item.checkpoint);
        // Servers of some versions told of positions that they had passed before.
        if (position <= at) continue;
        at = position;
        yield { kind: 'checkpoint', position };
      } else {
        const event = recordedEventOf(item);
        if (!event || event.position <= at) continue;
        at = event.position;
        if (passes(filter, event)) yield { kind: 'event', event };
      }
    }
    throw new Error('the server ended the subscription');
  } finally {
    over.removeEventListener('abort', stop);
    subscription.unsubscribe().catch(() => {});
  }
}

/** Marks go through the subscription's own buffer: told by callbacks, they would overtake the events before them. */
function subscribe(client: EventStoreDBClient, after: Position, filter: EventFilter | undefined): Items {
  const subscription = client.subscribeToAll({
    fromPosition: serverPositionOf(after),
    filter: {
      ...serverFilterOf(filter),
      checkpointInterval: CHECKPOINT_INTERVAL,
      checkpointReached: (reached: AllStreamSubscription, checkpoint: ServerPosition) => {
        (reached as unknown as Items).push({ checkpoint });
      },
    } as never,
  }) as unknown as Items;
  subscription.on('caughtUp', () => subscription.push(CAUGHT_UP));
  return subscription;
}

type Item = { checkpoint: ServerPosition } | typeof CAUGHT_UP | Parameters<typeof recordedEventOf>[0];

interface Items extends AsyncIterable<Item> {
  push(item: Item): void;
  on(event: 'caughtUp', listener: () => void): void;
  unsubscribe(): Promise<void>;
  destroy(): void;
}
