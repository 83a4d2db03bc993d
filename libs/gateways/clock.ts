import type { Instant } from '#domain/kernel/events';
import { toInstant } from '#domain/kernel/instants';

export interface Clock {
  /** ISO 8601 UTC with milliseconds. Never goes back. */
  now(): Instant;
  /** Calls back once, at that instant or as soon as possible after it. @returns a function that cancels the call */
  at(instant: Instant, callback: () => unknown): () => void;
}

/** A timer does not count the time of a machine that sleeps, and knows nothing of a clock that is set: so it is short. */
const LONGEST_TIMER_MILLISECONDS = 60_000;

/** The machine's clock. When it is set back, time stands still until it has caught up. */
export function systemClock(): Clock {
  let latest = 0;
  const now = () => {
    latest = Math.max(latest, Date.now());
    return latest;
  };
  return {
    now: () => toInstant(now()),
    at: (instant, callback) => callAt(now, Date.parse(instant), callback),
  };
}

/** Looks at the clock again at least every minute. */
function callAt(now: () => number, due: number, callback: () => unknown): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = due - now();
    const delay = Math.min(Math.max(left, 0), LONGEST_TIMER_MILLISECONDS);
    timer = setTimeout(() => (left > 0 ? wait() : callback()), delay);
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}

interface Alarm {
  readonly at: Instant;
  readonly callback: () => unknown;
}

/** A clock that stands still until it is moved: for tests, and for the demo, which simulates months in a minute. */
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

  /** Moves forward, and waits at each alarm on the way until its callback has ended. Never moves back. */
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

  /** Moves forward without a stop, as for a machine that was switched off: what was due on the way rings at the end. */
  async standStillUntil(instant: Instant): Promise<void> {
    if (instant > this.#now) this.#now = instant;
    await this.moveTo(instant);
  }

  #next(): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) if (!next || alarm.at < next.at) next = alarm;
    return next;
  }
}
