import { type AllStreamSubscription, END } from '@eventstore/db-client';
import type { EventFilter, RecordedEvent } from '../port.ts';
import type { NodeLink } from './node-link.ts';
import { recordedEventOf, serverFilterOf } from './translation.ts';

/** A follower that is further behind should ask the server for what it needs. */
const LONGEST_QUEUE = 10_000;

interface SharedSubscription {
  /** Resolves when the server has confirmed it. */
  readonly live: Promise<void>;
  end(): void;
}

/**
 * New events for all followers in this process: one subscription of the server for all of them, to all events of the
 * ledger, so that each follower knows how far the log has come, also when it wants none of the events.
 */
export class Tail {
  readonly #link: NodeLink;
  readonly #filter: EventFilter | undefined;
  readonly #followers = new Set<Follower>();
  #shared: SharedSubscription | undefined;

  constructor(link: NodeLink, filter: EventFilter | undefined) {
    this.#link = link;
    this.#filter = filter;
  }

  /** Resolves when no event that is appended afterwards is missed. @throws the client's errors */
  async join(): Promise<Follower> {
    const follower = new Follower();
    this.#followers.add(follower);
    this.#shared ??= this.#start();
    try {
      await this.#shared.live;
      return follower;
    } catch (error) {
      this.leave(follower);
      throw error;
    }
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size === 0) this.#shared?.end();
  }

  #start(): SharedSubscription {
    const live = Promise.withResolvers<void>();
    live.promise.catch(() => {});
    const subscription = this.#link.reads.subscribeToAll({
      fromPosition: END,
      filter: { ...serverFilterOf(this.#filter), checkpointInterval: 1 } as never,
    });
    subscription.on('confirmation', () => live.resolve());
    const end = () => {
      if (this.#shared === shared) this.#shared = undefined;
      subscription.unsubscribe().catch(() => {});
      subscription.destroy();
    };
    const shared = { live: live.promise, end };
    void this.#distribute(subscription).catch((error: unknown) => {
      live.reject(error);
      end();
      // Followers that have joined a newer subscription already catch up once more, which does no harm.
      for (const follower of this.#followers) follower.miss();
    });
    return shared;
  }

  /** Gives each event to all followers. @throws an error when the subscription ends */
  async #distribute(subscription: AllStreamSubscription): Promise<never> {
    for await (const resolved of subscription) {
      const event = recordedEventOf(resolved);
      if (!event) continue;
      for (const follower of this.#followers) follower.put(event);
    }
    throw new Error('the server ended the subscription');
  }
}

/** The events that one follower has not taken yet. */
export class Follower {
  #events: RecordedEvent[] = [];
  #taken = 0;
  #wake: () => void = () => {};
  #missedEvents = false;

  /** If true: catch up, and join again. */
  get missedEvents(): boolean {
    return this.#missedEvents;
  }

  put(event: RecordedEvent): void {
    if (this.#missedEvents) return;
    if (this.#events.length - this.#taken >= LONGEST_QUEUE) {
      this.miss();
      return;
    }
    this.#events.push(event);
    this.#wake();
  }

  miss(): void {
    this.#missedEvents = true;
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

  /** Resolves when there is an event to take, events were missed, or `over` is aborted. */
  async more(over: AbortSignal): Promise<void> {
    if (this.#events.length > 0 || this.#missedEvents || over.aborted) return;
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
