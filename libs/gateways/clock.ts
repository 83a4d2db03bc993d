import type { Instant } from '#domain/kernel/events';
import { toInstant } from '#domain/kernel/instants';

export interface Clock {
  /** ISO 8601 UTC with milliseconds. Never earlier than what it said before. */
  now(): Instant;
  /** Calls back once, at that instant or as soon as possible after it. @returns a function that cancels it */
  at(instant: Instant, callback: () => unknown): () => void;
}

/** Node's timers do not reach further. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** The machine's clock. Set back, it stands still until the time has come again. */
export function systemClock(): Clock {
  let latest = 0;
  const now = () => {
    latest = Math.max(latest, Date.now());
    return latest;
  };
  return {
    now: () => toInstant(now()),
    at(instant, callback) {
      const due = Date.parse(instant);
      let timer: NodeJS.Timeout;
      const wait = () => {
        const left = due - now();
        timer = setTimeout(
          () => (left > 0 ? wait() : callback()),
          Math.min(Math.max(left, 0), LONGEST_TIMER_MILLISECONDS),
        );
        timer.unref();
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}

interface Alarm {
  readonly at: Instant;
  readonly callback: () => unknown;
}

/** A clock that stands still until it is moved: for tests, and for a demo that lives through years in a minute. */
export class MovedClock implements Clock {
  #now: Instant;
  readonly #alarms = new Set<Alarm>();

  constructor(start: Instant) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  at(instant: Instant, callback: () => unknown): () => void {
    const alarm = { at: instant, callback };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Moves on, stopping at each alarm on the way until what it called has ended. Never moves back. */
  async moveTo(instant: Instant): Promise<void> {
    for (;;) {
      const next = this.#next();
      if (!next || next.at > instant) break;
      this.#alarms.delete(next);
      if (next.at > this.#now) this.#now = next.at;
      await next.callback();
    }
    if (instant > this.#now) this.#now = instant;
  }

  #next(): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) if (!next || alarm.at < next.at) next = alarm;
    return next;
  }
}
