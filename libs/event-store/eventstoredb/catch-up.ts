import {
  type AllStreamSubscription,
  END,
  type EventStoreDBClient,
  type ResolvedEvent,
  type Position as ServerPosition,
} from '@eventstore/db-client';
import type { EventFilter, Position, SubscriptionMessage } from '../port.ts';
import { passes } from '../read-checks.ts';
import { isEmpty, positionOf, recordedEventOf, serverFilterOf, serverPositionOf } from './translation.ts';

export const CAUGHT_UP = Symbol('caught up');
/** The server sends a checkpoint after it has filtered out 32 times this many events. */
const CHECKPOINT_INTERVAL = 32;

type CatchUpMessage = Exclude<SubscriptionMessage, { kind: 'caught-up' }>;

/**
 * The events after a position, filtered by the server, until the server says that there are no more. A checkpoint comes after
 * a long stretch in which no event passed.
 * @throws the client's errors when the connection breaks, or when `over` is aborted
 */
export async function* catchUp(
  client: EventStoreDBClient,
  after: Position,
  filter: EventFilter | undefined,
  over: AbortSignal,
): AsyncGenerator<CatchUpMessage> {
  if (isEmpty(filter)) return;
  const subscription = subscribe(client, after, filter);
  const stop = () => subscription.destroy();
  over.addEventListener('abort', stop);
  let at = after;
  try {
    over.throwIfAborted();
    for await (const notice of subscription) {
      if (notice === CAUGHT_UP) return;
      const message = messageOf(notice);
      // Servers of some versions send checkpoints at positions that they had passed before.
      if (!message || positionIn(message) <= at) continue;
      at = positionIn(message);
      if (message.kind === 'checkpoint' || passes(filter, message.event)) yield message;
    }
    throw new Error('the server ended the subscription');
  } finally {
    over.removeEventListener('abort', stop);
    subscription.unsubscribe().catch(() => {});
  }
}

export const positionIn = (message: CatchUpMessage): Position =>
  message.kind === 'event' ? message.event.position : message.position;

/** @returns undefined for an event of the server itself */
function messageOf(notice: Exclude<ServerNotice, typeof CAUGHT_UP>): CatchUpMessage | undefined {
  if ('checkpoint' in notice) return { kind: 'checkpoint', position: positionOf(notice.checkpoint) };
  const event = recordedEventOf(notice);
  return event && { kind: 'event', event };
}

/** Notices go through the subscription's own buffer: as callbacks they would overtake the events before them. */
export function subscribe(
  client: EventStoreDBClient,
  after: Position | typeof END,
  filter: EventFilter | undefined,
  checkpointInterval = CHECKPOINT_INTERVAL,
): ServerSubscription {
  const subscription = client.subscribeToAll({
    fromPosition: after === END ? END : serverPositionOf(after),
    filter: {
      ...serverFilterOf(filter),
      checkpointInterval,
      checkpointReached: (reached: AllStreamSubscription, checkpoint: ServerPosition) => {
        (reached as unknown as ServerSubscription).push({ checkpoint });
      },
    } as never,
  }) as unknown as ServerSubscription;
  subscription.on('caughtUp', () => subscription.push(CAUGHT_UP));
  return subscription;
}

type ServerNotice = { checkpoint: ServerPosition } | typeof CAUGHT_UP | ResolvedEvent;

export interface ServerSubscription extends AsyncIterable<ServerNotice> {
  push(notice: ServerNotice): void;
  on(event: 'caughtUp' | 'confirmation', listener: () => void): void;
  unsubscribe(): Promise<void>;
  destroy(): void;
}
