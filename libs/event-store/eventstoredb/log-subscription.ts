import { isThere, landmarkOf } from '../landmarks.ts';
import {
  BEFORE_FIRST,
  type EventFilter,
  type Landmark,
  LogReplaced,
  NoSuchPosition,
  type Position,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '../port.ts';
import { checkFilter, passes } from '../read-checks.ts';
import { catchUp, positionIn } from './catch-up.ts';
import type { Connection } from './connection.ts';
import type { LogReader } from './log-reader.ts';
import type { Follower, Tail } from './tail.ts';
import { serverPositionOf } from './translation.ts';

interface Sources {
  readonly connection: Connection;
  readonly reader: LogReader;
  readonly tail: Tail;
}

export async function* subscribeTo(
  sources: Sources,
  { after, filter, signal }: SubscribeOptions,
): AsyncGenerator<SubscriptionMessage> {
  checkFilter(filter);
  serverPositionOf(after);
  sources.connection.mustBeOpen();
  const over = sources.connection.over(signal);
  if (over.aborted) return;
  yield* new LogSubscription(sources, after, sources.reader.filterOf(filter), over).messages();
}

/**
 * First the events that exist, filtered by the server; then new events from the tail, which this process receives in any
 * case. It joins the tail before it reads what exists, so that no event is missed in between.
 */
class LogSubscription {
  readonly #sources: Sources;
  readonly #filter: EventFilter | undefined;
  readonly #over: AbortSignal;
  #at: Position;
  /** The newest event that was passed, also one that was filtered out: with each connection it must still be there. */
  #landmark: Landmark | undefined;
  /** The position of the last `caught-up` message. */
  #caughtUpAt: Position | undefined;
  #failures = 0;

  constructor(sources: Sources, after: Position, filter: EventFilter | undefined, over: AbortSignal) {
    this.#sources = sources;
    this.#at = after;
    this.#filter = filter;
    this.#over = over;
  }

  async *messages(): AsyncGenerator<SubscriptionMessage> {
    const { tail } = this.#sources;
    while (!this.#over.aborted) {
      const follower = await tail.join().catch((error: unknown) => this.#recover(error));
      if (!follower) continue;
      try {
        await this.#findPlace();
        yield* this.#existing();
        this.#failures = 0;
        yield* this.#arriving(follower);
      } catch (error) {
        await this.#recover(error);
      } finally {
        tail.leave(follower);
      }
    }
  }

  /**
   * The server accepts positions beyond the end of a log that was restored from an older copy, and sends what comes next at
   * lower ones; at positions inside another event it fails. So each connection continues after an event that is there.
   */
  async #findPlace(): Promise<void> {
    const { reader } = this.#sources;
    if (this.#landmark) {
      if (!(await isThere(reader, this.#landmark))) throw new LogReplaced(this.#landmark);
      this.#at = this.#landmark.position;
    } else if (this.#at !== BEFORE_FIRST) {
      const place = await reader.placeAt(this.#at);
      if (place.kind === 'none') throw new NoSuchPosition(this.#at);
      if (place.kind === 'event') this.#landmark = { position: this.#at, id: place.id };
    }
  }

  async *#existing(): AsyncGenerator<SubscriptionMessage> {
    const { connection, reader } = this.#sources;
    // It joined the tail before: what comes after the newest event arrives there.
    const newest = await reader.newest();
    if (!newest || newest.position <= this.#at) return;
    for await (const message of catchUp(connection.link.reads, this.#at, this.#filter, this.#over)) {
      this.#at = positionIn(message);
      if (message.kind === 'event') this.#landmark = landmarkOf(message.event);
      yield message;
      this.#failures = 0;
      if (this.#over.aborted || this.#at >= newest.position) return;
    }
    this.#at = newest.position;
    this.#landmark = newest;
  }

  /** Ends when the follower missed something. */
  async *#arriving(follower: Follower): AsyncGenerator<SubscriptionMessage> {
    while (!this.#over.aborted && !follower.missedEvents) {
      const event = follower.take();
      if (event && event.position > this.#at) {
        this.#at = event.position;
        this.#landmark = landmarkOf(event);
        if (passes(this.#filter, event)) yield { kind: 'event', event };
      } else if (!event && this.#caughtUpAt !== this.#at) {
        this.#caughtUpAt = this.#at;
        yield { kind: 'caught-up', position: this.#at };
      } else if (!event) await follower.more(this.#over);
    }
  }

  /** A subscription survives every failure that a retry can fix. @throws the other failures */
  async #recover(error: unknown): Promise<undefined> {
    await this.#sources.connection.recover(error, this.#failures, this.#over);
    this.#failures += 1;
    return undefined;
  }
}
