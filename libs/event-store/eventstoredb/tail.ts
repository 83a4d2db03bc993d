import { END, type EventStoreDBClient } from '@eventstore/db-client';
import type { RecordedEvent } from '../port.ts';
import { recordedEventOf, serverFilterOf } from './translation.ts';

/** Whoever is so far behind does better to ask the server for what it needs. */
const LONGEST_QUEUE = 10_000;

/**
 * What is appended from now on, to all who follow in this process: one subscription of the server for them all, of all
 * events, so that each follower knows how far the log has come also when it wants nothing of it.
 */
export class Tail {
  readonly #client: EventStoreDBClient;
  readonly #followers = new Set<Follower>();
  #standing: { readonly live: Promise<void>; end(): void } | undefined;

  constructor(client: EventStoreDBClient) {
    this.#client = client;
  }

  /** Resolves when nothing that is appended afterwards is missed. @throws the client's errors */
  async join(): Promise<Follower> {
    const follower = new Follower();
    this.#followers.add(follower);
    this.#standing ??= this.#start();
    try {
      await this.#standing.live;
      return follower;
    } catch (error) {
      this.leave(follower);
      throw error;
    }
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size === 0) this.#standing?.end();
  }

  #start() {
    const live = Promise.withResolvers<void>();
    const subscription = this.#client.subscribeToAll({
      fromPosition: END,
      filter: { ...serverFilterOf(undefined), checkpointInterval: 1 } as never,
    });
    subscription.on('confirmation', () => live.resolve());
    const end = () => {
      if (this.#standing === standing) this.#standing = undefined;
      subscription.unsubscribe().catch(() => {});
      subscription.destroy();
    };
    const standing = { live: live.promise, end };
    const run = async () => {
      try {
        for await (const resolved of subscription) {
          const event = recordedEventOf(resolved);
          if (!event) continue;
          for (const follower of this.#followers) follower.put(event);
        }
        throw new Error('the server ended the subscription');
      } catch (error) {
        live.reject(error);
        end();
        // Of those who joined a newer one already, nobody minds: they catch up once more.
        for (const follower of this.#followers) follower.lose();
      }
    };
    live.promise.catch(() => {});
    void run();
    return standing;
  }
}

/** What one follower has still to take. */
export class Follower {
  #events: RecordedEvent[] = [];
  #taken = 0;
  #wake: () => void = () => {};
  /** Something was missed: catch up, and join again. */
  lost = false;

  put(event: RecordedEvent): void {
    if (this.lost) return;
    if (this.#events.length - this.#taken >= LONGEST_QUEUE) {
      this.lose();
      return;
    }
    this.#events.push(event);
    this.#wake();
  }

  lose(): void {
    this.lost = true;
    this.#events = [];
    this.#taken = 0;
    this.#wake();
  }

  take(): RecordedEvent | undefined {
    const event = this.#events[this.#taken];
    if (!event) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#events.length) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }

  /** Resolves when there is something to take, something was lost, or nobody waits any more. */
  async more(over: AbortSignal): Promise<void> {
    if (this.#events.length > 0 || this.lost || over.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        over.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      over.addEventListener('abort', done);
    });
  }
}
