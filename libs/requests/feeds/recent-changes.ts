import { boundedCache } from '#event-store/bounded-cache';
import type { Position } from '#event-store/port';
import { ChangeLine, type Follower } from './change-line.ts';
import type { ChangeMessage, Interest } from './messages.ts';

/** A feed that has not taken a change before so many newer ones came is cut. */
export const MOST_KEPT = 10_000;
const MOST_POSITIONS = 20_000;
/** A feed with many changes writes all of these at once. */
const MILLISECONDS_BETWEEN_WAKINGS = 50;

/**
 * The newest changes, in memory once for all feeds. A feed that has come back within them misses nothing. A change wakes only
 * the feeds that it concerns.
 */
export class RecentChanges {
  readonly #all = new ChangeLine();
  /** The same changes by customer: a customer's feed does not look through those of others. */
  readonly #ofCustomers = new Map<string, ChangeLine>();
  /** All changes after this position are kept. */
  #since: Position;
  #upTo: Position;
  /** Positions that the log certainly has. */
  readonly #positions = boundedCache<true>(MOST_POSITIONS);
  readonly #toWake = new Set<Follower>();
  #wokenAt = Number.NEGATIVE_INFINITY;
  #waking: NodeJS.Timeout | undefined;
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
      this.#all.add(message, this.#toWake);
      if (message.kind === 'change') this.#lineOf(message.change.customerId).add(message, this.#toWake);
    }
    // Not one by one: that would move all others each time.
    if (this.#all.length >= 2 * MOST_KEPT) this.#forget(this.#all.length - MOST_KEPT);
    this.#wakeInTime();
  }

  /** At once after a time without changes; those of a busy time together. */
  #wakeInTime(): void {
    if (this.#toWake.size === 0 || this.#waking) return;
    const rest = this.#wokenAt + MILLISECONDS_BETWEEN_WAKINGS - performance.now();
    if (rest <= 0) this.#wake();
    else this.#waking = setTimeout(() => this.#wake(), rest).unref();
  }

  #wake(): void {
    clearTimeout(this.#waking);
    this.#waking = undefined;
    this.#wokenAt = performance.now();
    for (const follower of this.#toWake) follower.wake();
    this.#toWake.clear();
  }

  /** No more changes come. One feed reports an error: they are many, and it is one. */
  end(failure: { readonly error?: unknown } = {}): void {
    this.#end = failure;
    for (const line of [this.#all, ...this.#ofCustomers.values()])
      for (const follower of line.followers) this.#toWake.add(follower);
    this.#wake();
  }

  /** @returns undefined when some changes after the position are not here any more */
  join(after: Position, interest: Interest): Follower | undefined {
    return after < this.#since ? undefined : this.#lineFor(interest).join(this, interest, after);
  }

  leave(follower: Follower): void {
    this.#lineFor(follower.interest).followers.delete(follower);
    this.#toWake.delete(follower);
    this.#dropIfUnused(follower.interest.scope);
  }

  /** @throws the error with which they ended, once */
  throwIfFailed(): void {
    const { error } = this.#end ?? {};
    if (error === undefined) return;
    this.#end = {};
    throw error;
  }

  #lineFor({ scope }: Interest): ChangeLine {
    return typeof scope === 'object' && 'customerId' in scope ? this.#lineOf(scope.customerId) : this.#all;
  }

  #lineOf(customerId: string): ChangeLine {
    const line = this.#ofCustomers.get(customerId) ?? new ChangeLine();
    this.#ofCustomers.set(customerId, line);
    return line;
  }

  #forget(count: number): void {
    const forgotten = this.#all.forget(count);
    this.#since = forgotten.at(-1)?.position ?? this.#since;
    const customers = forgotten.flatMap((message) => (message.kind === 'change' ? message.change.customerId : []));
    for (const [customerId, { length }] of Map.groupBy(customers, (customerId) => customerId)) {
      this.#lineOf(customerId).forget(length);
      this.#dropIfUnused({ customerId });
    }
  }

  #dropIfUnused(scope: Interest['scope']): void {
    if (typeof scope !== 'object' || !('customerId' in scope)) return;
    if (this.#ofCustomers.get(scope.customerId)?.isUnused) this.#ofCustomers.delete(scope.customerId);
  }
}
