import type { Position } from '#event-store/port';
import type { ChangeLog } from './change-log.ts';
import { type ChangeMessage, concerns, type Interest } from './messages.ts';
import type { Follower } from './recent-changes.ts';

interface FeedOptions extends Interest {
  /** The last position that its reader knows. */
  readonly after: Position;
  /** Ends the feed. */
  readonly signal: AbortSignal;
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

  /** In the order of the log. They end with the signal, with the event store, or when the reader fell too far behind. */
  async *changes(): AsyncGenerator<ChangeMessage> {
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

  async *#page(upTo: Position): AsyncGenerator<ChangeMessage> {
    const { reached, messages } = await this.#log.pageAfter(this.#at, upTo, this.#options.signal);
    for (const message of messages)
      if (message.position > this.#at && concerns(this.#options, message)) yield this.#given(message);
    this.#at = reached;
  }

  async *#following(follower: Follower): AsyncGenerator<ChangeMessage> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const message = follower.take();
      if (message) yield this.#given(message);
      else if (follower.fellBehind || follower.isOver) return;
      else await follower.more(signal);
    }
  }

  /** Reached when it is given: whoever asks before its reader has it asks in the same turn of the event loop. */
  #given(message: ChangeMessage): ChangeMessage {
    this.#at = message.position;
    return message;
  }
}
