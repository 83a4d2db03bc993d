import {
  BEFORE_FIRST,
  type EventFilter,
  type Position,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '../port.ts';
import { checkFilter, passes } from '../read-checks.ts';
import { catchUp, positionIn } from './catch-up.ts';
import type { Connection } from './connection.ts';
import { PositionBeyondLog } from './failures.ts';
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
  if (after !== BEFORE_FIRST) {
    const head = await sources.reader.head();
    if (after > head) throw new PositionBeyondLog(after, head);
  }
  yield* new LogSubscription(sources, after, filter, over).messages();
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

  async *#existing(): AsyncGenerator<SubscriptionMessage> {
    const { connection, reader } = this.#sources;
    const head = await reader.head();
    for await (const message of catchUp(connection, this.#at, this.#filter, this.#over)) {
      this.#at = positionIn(message);
      yield message;
    }
    if (head > this.#at) this.#at = head;
  }

  /** Ends when the follower missed something. */
  async *#arriving(follower: Follower): AsyncGenerator<SubscriptionMessage> {
    while (!this.#over.aborted && !follower.missedEvents) {
      const event = follower.take();
      if (event && event.position > this.#at) {
        this.#at = event.position;
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
