import type { Position } from '#event-store/port';
import { type ChangeMessage, concerns, type Interest } from './messages.ts';

/** What followers see of the recent changes. */
interface Ending {
  readonly upTo: Position;
  readonly hasEnded: boolean;
}

/** The newest changes of one customer, or of all, and the feeds that follow them. */
export class ChangeLine {
  #kept: ChangeMessage[] = [];
  /** How many were kept before the first of those that are. */
  #gone = 0;
  readonly followers = new Set<Follower>();

  get length(): number {
    return this.#kept.length;
  }

  get isUnused(): boolean {
    return this.#kept.length === 0 && this.followers.size === 0;
  }

  /** @param toWake gets the followers whom it concerns */
  add(message: ChangeMessage, toWake: Set<Follower>): void {
    const number = this.#gone + this.#kept.push(message) - 1;
    for (const follower of this.followers) if (follower.notice(message, number)) toWake.add(follower);
  }

  join(recent: Ending, interest: Interest, after: Position): Follower {
    const follower = new Follower(recent, this, interest, after);
    this.followers.add(follower);
    return follower;
  }

  /** Forgets the oldest ones. @returns them */
  forget(count: number): readonly ChangeMessage[] {
    this.#gone += count;
    return this.#kept.splice(0, count);
  }

  /** @returns undefined when there is none (yet, or any more) */
  at(number: number): ChangeMessage | undefined {
    return this.#kept[number - this.#gone];
  }

  isGone(number: number): boolean {
    return number < this.#gone;
  }

  firstAfter(after: Position): number | undefined {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#kept[middle] as ChangeMessage).position > after) high = middle;
      else low = middle + 1;
    }
    return low === this.#kept.length ? undefined : this.#gone + low;
  }
}

/** The place of one feed among the recent changes. */
export class Follower {
  readonly interest: Interest;
  readonly #recent: Ending;
  readonly #line: ChangeLine;
  readonly #after: Position;
  /** The first change that may concern this feed and was not taken. */
  #next: number | undefined;
  #wake: () => void = () => {};

  constructor(recent: Ending, line: ChangeLine, interest: Interest, after: Position) {
    this.#recent = recent;
    this.#line = line;
    this.interest = interest;
    this.#after = after;
    this.#next = line.firstAfter(after);
  }

  /** Nothing is left to take up to here. Undefined: there is something. */
  get reached(): Position | undefined {
    return this.#next === undefined ? this.#recent.upTo : undefined;
  }

  /** Changes were forgotten before this feed took them. */
  get fellBehind(): boolean {
    return this.#next !== undefined && this.#line.isGone(this.#next);
  }

  /** No more changes come. */
  get isOver(): boolean {
    return this.#recent.hasEnded;
  }

  /** @returns whether it is for this feed */
  notice(message: ChangeMessage, number: number): boolean {
    if (message.position <= this.#after || !concerns(this.interest, message)) return false;
    this.#next ??= number;
    return true;
  }

  wake(): void {
    this.#wake();
  }

  /** @returns the next ones; none when there is nothing to take */
  take(most: number): readonly ChangeMessage[] {
    const taken: ChangeMessage[] = [];
    while (taken.length < most && this.#next !== undefined && !this.fellBehind) {
      const message = this.#line.at(this.#next);
      this.#next = message && this.#next + 1;
      if (message && concerns(this.interest, message)) taken.push(message);
    }
    return taken;
  }

  /** Resolves when there may be something to take, the changes have ended, or the signal is aborted. */
  async more(signal: AbortSignal): Promise<void> {
    if (this.#next !== undefined || this.#recent.hasEnded || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
  }
}
