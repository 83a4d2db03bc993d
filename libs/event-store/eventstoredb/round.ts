import { setTimeout as wait } from 'node:timers/promises';
import type { AllStreamSubscription, EventStoreDBClient, Position as ServerPosition } from '@eventstore/db-client';
import type { News } from '../news.ts';
import type { EventFilter, Position, SubscriptionMessage } from '../port.ts';
import { passes, positionOf, recordedEventOf, serverFilterOf, serverPositionOf } from './translation.ts';

interface RoundOptions {
  readonly client: EventStoreDBClient;
  readonly after: Position;
  /** Where the log ended before the round. */
  readonly head: Position;
  readonly filter: EventFilter | undefined;
  readonly over: AbortSignal;
  /** Tells that the log may have grown. */
  readonly news: News;
  readonly lookAtHead: () => Promise<Position>;
}

const CAUGHT_UP = Symbol('caught up');
/** Events that are under way take less. */
const QUIET_MILLISECONDS = 4;
/** The server says how far it has looked after 32 times so many events that it filtered out. */
const CHECKPOINT_INTERVAL = 32;

/**
 * One subscription of the server, from where the last one stopped. It ends with an error when the connection breaks, and
 * without one when the log has grown and the server keeps silent: what came is filtered out, and only a new round tells
 * that nothing else was among it.
 */
export class Round {
  readonly #options: RoundOptions;
  #at: Position;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#at = options.after;
  }

  async *messages(): AsyncGenerator<SubscriptionMessage> {
    const { over, head, filter } = this.#options;
    const subscription = this.#subscribe();
    const items = subscription[Symbol.asyncIterator]();
    const stop = () => subscription.destroy();
    over.addEventListener('abort', stop);
    let pending = items.next();
    let live = false;
    try {
      while (!over.aborted) {
        if (live && !(await soon(pending))) {
          const news = this.#options.news.next();
          const headNow = await this.#options.lookAtHead();
          if (headNow > this.#at) {
            if (await soon(pending)) continue;
            return;
          }
          yield { kind: 'caught-up', position: this.#at };
          const waiting = new AbortController();
          await Promise.race([pending, news.orAborted(AbortSignal.any([over, waiting.signal]))]);
          waiting.abort();
          continue;
        }
        const item = await pending;
        if (item.done) return;
        pending = items.next();
        if (item.value === CAUGHT_UP) {
          live = true;
          // All up to where the log ended before the round began was either here or filtered out.
          if (head > this.#at) this.#at = head;
          yield { kind: 'caught-up', position: this.#at };
        } else if ('checkpoint' in item.value) {
          const position = positionOf(item.value.checkpoint);
          // Servers of some versions told of positions that they had passed before.
          if (position <= this.#at) continue;
          this.#at = position;
          yield { kind: 'checkpoint', position };
        } else {
          const event = recordedEventOf(item.value);
          if (!event || event.position <= this.#at) continue;
          this.#at = event.position;
          if (passes(filter, event)) yield { kind: 'event', event };
        }
      }
    } finally {
      over.removeEventListener('abort', stop);
      pending.catch(() => {});
      subscription.unsubscribe().catch(() => {});
      subscription.destroy();
    }
  }

  /** Marks go through the subscription's own buffer: told by callbacks, they would overtake the events before them. */
  #subscribe(): Items {
    const { client, filter } = this.#options;
    const subscription = client.subscribeToAll({
      fromPosition: serverPositionOf(this.#at),
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
}

type Item = { checkpoint: ServerPosition } | typeof CAUGHT_UP | Parameters<typeof recordedEventOf>[0];

interface Items {
  push(item: Item): void;
  on(event: 'caughtUp', listener: () => void): void;
  unsubscribe(): Promise<void>;
  destroy(): void;
  [Symbol.asyncIterator](): AsyncIterator<Item, undefined>;
}

/** Whether something comes before it has been quiet for a moment. */
async function soon(pending: Promise<unknown>): Promise<boolean> {
  const waiting = new AbortController();
  const came = pending.then(
    () => true,
    () => true,
  );
  const quiet = wait(QUIET_MILLISECONDS, false, { signal: waiting.signal }).catch(() => false);
  const result = await Promise.race([came, quiet]);
  waiting.abort();
  return result;
}
