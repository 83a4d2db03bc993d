import { LRUCache } from 'lru-cache';
import type { Position } from '#event-store/port';
import { type ChangeMessage, concerns, type Interest } from './messages.ts';

/** A feed that has not taken a change before so many newer ones came is cut. */
export const MOST_KEPT = 10_000;
const MOST_POSITIONS = 20_000;

/** Callers who may see more than one customer. */
const EVERYBODY = Symbol('everybody');
type Audience = string | typeof EVERYBODY;

/**
 * The newest changes, in memory once for all feeds. A feed that has come back within them misses nothing. A change wakes only
 * the feeds that it concerns.
 */
export class RecentChanges {
  #kept: ChangeMessage[] = [];
  /** How many were kept before the first of those that are. */
  #gone = 0;
  /** All changes after this position are kept. */
  #since: Position;
  #upTo: Position;
  /** Positions that the log certainly has. */
  readonly #positions = new LRUCache<Position, true>({ max: MOST_POSITIONS });
  readonly #followers = new Map<Audience, Set<Follower>>();
  #end: { readonly error?: unknown } | undefined;

  /** @param since the end of the log when these begin */
  constructor(since: Position) {
    this.#since = since;
    this.#upTo = since;
    this.#positions.set(since, true);
  }

  /** All that was to be reported up to here is known. */
  get upTo(): Position {
    return this.#upTo;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Whether this log has the position, and all changes after it are here. */
  knows(position: Position): boolean {
    return position >= this.#since && this.#positions.has(position);
  }

  /** @param messages what is reported of the events up to a position */
  add(messages: readonly ChangeMessage[], upTo: Position): void {
    this.#upTo = upTo;
    this.#positions.set(upTo, true);
    for (const message of messages) {
      this.#kept.push(message);
      const number = this.#gone + this.#kept.length - 1;
      for (const follower of this.#audienceOf(message)) follower.notice(message, number);
    }
    // Not one by one: that would move all others each time.
    if (this.#kept.length >= 2 * MOST_KEPT) this.#forget(this.#kept.length - MOST_KEPT);
  }

  /** No more changes come. One feed reports an error: they are many, and it is one. */
  end(failure: { readonly error?: unknown } = {}): void {
    this.#end = failure;
    for (const followers of this.#followers.values()) for (const follower of followers) follower.wake();
  }

  /** @returns undefined when some changes after the position are not here any more */
  join(after: Position, interest: Interest): Follower | undefined {
    if (after < this.#since) return undefined;
    const follower = new Follower(this, interest, after, this.#firstAfter(after));
    const audience = audienceFor(interest);
    const followers = this.#followers.get(audience);
    if (followers) followers.add(follower);
    else this.#followers.set(audience, new Set([follower]));
    return follower;
  }

  leave(follower: Follower): void {
    const audience = audienceFor(follower.interest);
    const followers = this.#followers.get(audience);
    followers?.delete(follower);
    if (followers?.size === 0) this.#followers.delete(audience);
  }

  /** @returns undefined when there is none (yet, or any more) */
  at(number: number): ChangeMessage | undefined {
    return this.#kept[number - this.#gone];
  }

  isGone(number: number): boolean {
    return number < this.#gone;
  }

  /** @throws the error with which they ended, once */
  throwIfFailed(): void {
    const { error } = this.#end ?? {};
    if (error === undefined) return;
    this.#end = {};
    throw error;
  }

  *#audienceOf(message: ChangeMessage): Generator<Follower> {
    yield* this.#followers.get(EVERYBODY) ?? [];
    if (message.kind === 'change') yield* this.#followers.get(message.change.customerId) ?? [];
  }

  #forget(count: number): void {
    const forgotten = this.#kept.splice(0, count);
    this.#gone += count;
    this.#since = forgotten.at(-1)?.position ?? this.#since;
  }

  #firstAfter(after: Position): number | undefined {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#kept[middle] as ChangeMessage).position > after) high = middle;
      else low = middle + 1;
    }
    return low === this.#kept.length ? undefined : this.#gone + low;
  }
}

const audienceFor = ({ scope }: Interest): Audience =>
  typeof scope === 'object' && 'customerId' in scope ? scope.customerId : EVERYBODY;

/** The place of one feed among the recent changes. */
export class Follower {
  readonly interest: Interest;
  readonly #recent: RecentChanges;
  readonly #after: Position;
  /** The first change that may concern this feed and was not taken. */
  #next: number | undefined;
  #wake: () => void = () => {};

  constructor(recent: RecentChanges, interest: Interest, after: Position, next: number | undefined) {
    this.#recent = recent;
    this.interest = interest;
    this.#after = after;
    this.#next = next;
  }

  /** Nothing is left to take up to here. Undefined: there is something. */
  get reached(): Position | undefined {
    return this.#next === undefined ? this.#recent.upTo : undefined;
  }

  /** Changes were forgotten before this feed took them. */
  get fellBehind(): boolean {
    return this.#next !== undefined && this.#recent.isGone(this.#next);
  }

  /** No more changes come. */
  get isOver(): boolean {
    return this.#recent.hasEnded;
  }

  notice(message: ChangeMessage, number: number): void {
    if (message.position <= this.#after || !concerns(this.interest, message)) return;
    this.#next ??= number;
    this.wake();
  }

  wake(): void {
    this.#wake();
  }

  /** @returns undefined when there is nothing to take */
  take(): ChangeMessage | undefined {
    while (this.#next !== undefined && !this.fellBehind) {
      const message = this.#recent.at(this.#next);
      this.#next = message && this.#next + 1;
      if (message && concerns(this.interest, message)) return message;
    }
    return undefined;
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
