import type { Position } from '#event-store/port';
import type { Turn } from '../turns.ts';
import type { Follower } from './change-line.ts';
import type { ChangeLog } from './change-log.ts';
import { type ChangeMessage, concerns, type Interest } from './messages.ts';

const MOST_AT_ONCE = 500;

interface FeedOptions extends Interest {
  /** The last position that its reader knows. */
  readonly after: Position;
  /** Ends the feed. */
  readonly signal: AbortSignal;
  /** All feeds of a program share its time. */
  readonly turn: Turn;
}

/** The changes after a position for one reader: first those of before, in pages from the log; then the recent ones as they come. */
export class Feed {
  readonly #log: ChangeLog;
  readonly #options: FeedOptions;
  #at: Position;
  #follower: Follower | undefined;

  constructor(log: ChangeLog, options: FeedOptions) {
    this.#log = log;
    this.#options = options;
    this.#at = options.after;
  }

  /** The reader has got everything up to here. */
  get reached(): Position {
    const reached = this.#follower?.reached;
    return reached !== undefined && reached > this.#at ? reached : this.#at;
  }

  /**
   * Some at a time, in the order of the log. They end with the signal, with the event store, or when the reader fell too far
   * behind.
   */
  async *changes(): AsyncGenerator<readonly ChangeMessage[]> {
    const { signal } = this.#options;
    const recent = await this.#log.recent();
    while (!signal.aborted && !recent.hasEnded && !this.#follower) {
      this.#follower = recent.join(this.#at, this.#options);
      if (!this.#follower) yield* this.#page(recent.upTo);
    }
    try {
      if (this.#follower) yield* this.#following(this.#follower);
    } finally {
      if (this.#follower) recent.leave(this.#follower);
    }
    if (!signal.aborted) recent.throwIfFailed();
  }

  async *#page(upTo: Position): AsyncGenerator<readonly ChangeMessage[]> {
    const { signal, turn } = this.#options;
    const { reached, messages } = await this.#log.pageAfter(this.#at, upTo, signal);
    await turn();
    yield* this.#given(messages.filter((message) => message.position > this.#at && concerns(this.#options, message)));
    this.#at = reached;
  }

  async *#following(follower: Follower): AsyncGenerator<readonly ChangeMessage[]> {
    const { signal, turn } = this.#options;
    while (!signal.aborted) {
      const messages = follower.take(MOST_AT_ONCE);
      yield* this.#given(messages);
      if (follower.fellBehind || (messages.length === 0 && follower.isOver)) return;
      await follower.more(signal);
      await turn();
    }
  }

  /** Reached when it is given: whoever asks before its reader has it asks in the same turn of the event loop. */
  *#given(messages: readonly ChangeMessage[]): Generator<readonly ChangeMessage[]> {
    const last = messages.at(-1);
    if (!last) return;
    this.#at = last.position;
    yield messages;
  }
}
