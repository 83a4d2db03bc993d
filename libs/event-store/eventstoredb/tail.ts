import { END } from '@eventstore/db-client';
import { landmarkOf } from '../landmarks.ts';
import type { EventFilter, RecordedEvent } from '../port.ts';
import { passes } from '../read-checks.ts';
import { CAUGHT_UP, type ServerSubscription, subscribe } from './catch-up.ts';
import type { LogEnd } from './log-end.ts';
import type { NodeLink } from './node-link.ts';
import { positionOf, recordedEventOf } from './translation.ts';

/** A follower that is further behind should ask the server for what it needs. */
const LONGEST_QUEUE = 10_000;
/** The server says every 32 events of others how far it is. */
const CHECKPOINT_INTERVAL = 1;

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
  readonly #logEnd: LogEnd;
  readonly #followers = new Set<Follower>();
  #shared: SharedSubscription | undefined;

  /** @param logEnd gets to know how far the log has come */
  constructor(link: NodeLink, filter: EventFilter | undefined, logEnd: LogEnd) {
    this.#link = link;
    this.#filter = filter;
    this.#logEnd = logEnd;
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
    const subscription = subscribe(this.#link.reads, END, this.#filter, CHECKPOINT_INTERVAL);
    subscription.on('confirmation', () => {
      if (this.#shared === shared) this.#logEnd.followingBegins();
      live.resolve();
    });
    const end = () => {
      if (this.#shared === shared) {
        this.#shared = undefined;
        this.#logEnd.followingEnds();
      }
      subscription.unsubscribe().catch(() => {});
      subscription.destroy();
    };
    const shared = { live: live.promise, end };
    void this.#distribute(subscription, () => this.#shared === shared).catch((error: unknown) => {
      live.reject(error);
      end();
      // Followers that have joined a newer subscription already catch up once more, which does no harm.
      for (const follower of this.#followers) follower.miss();
    });
    return shared;
  }

  /** Gives each event to all followers. @throws an error when the subscription ends */
  async #distribute(subscription: ServerSubscription, isShared: () => boolean): Promise<never> {
    for await (const notice of subscription) {
      if (notice === CAUGHT_UP) continue;
      if ('checkpoint' in notice) {
        if (isShared()) this.#logEnd.hasPassed(positionOf(notice.checkpoint));
        continue;
      }
      const event = recordedEventOf(notice);
      if (!event) continue;
      if (isShared() && passes(this.#filter, event)) this.#logEnd.passes(landmarkOf(event));
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
