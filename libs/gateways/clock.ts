import type { Instant } from '#domain/kernel/events';
import { toInstant } from '#domain/kernel/instants';

export interface Clock {
  /** ISO 8601 UTC with milliseconds. Never goes back. */
  now(): Instant;
  /**
   * Calls back once, at that instant or as soon as possible after it. @returns a function that cancels the call
   * @param done asked only by a clock that is moved by hand: it waits for that before it moves on
   */
  at(instant: Instant, callback: () => unknown, done?: () => Promise<unknown>): () => void;
}

/** A timer does not count the time of a machine that sleeps, and knows nothing of a clock that is set: so it is short. */
const LONGEST_TIMER_MILLISECONDS = 60_000;
/** Clocks are put right by less all the time. */
const SET_BACK_MILLISECONDS = 1000;
/** Machines that share a log have clocks that differ by less. */
const CLOCKS_AGREE_MILLISECONDS = 60_000;

/** Milliseconds since 1970, as a machine says them: it may jump, and it may be set back. */
type MachineClock = () => number;

/** The time of a machine, which never goes back: when its clock is set back, it stands still until the clock has caught up. */
class SteadyTime {
  readonly #machine: MachineClock;
  readonly #warn: (line: string) => void;
  #latest = 0;
  /** The latest instant that some program of the store has shown. */
  #seen = 0;
  #wasSetBack = false;

  constructor(machine: MachineClock, warn: (line: string) => void) {
    this.#machine = machine;
    this.#warn = warn;
  }

  now(): number {
    const machine = this.#machine();
    this.#tellIfSetBack(this.#latest - machine);
    this.#latest = Math.max(this.#latest, machine);
    return this.#latest;
  }

  note(seen: number): void {
    this.#seen = Math.max(this.#seen, seen);
  }

  behindMilliseconds(): number {
    const [behind, behindOthers] = [this.now() - this.#machine(), this.#seen - this.#machine()];
    if (behindOthers >= CLOCKS_AGREE_MILLISECONDS) return Math.max(behind, behindOthers);
    return behind < SET_BACK_MILLISECONDS ? 0 : behind;
  }

  #tellIfSetBack(behind: number): void {
    if (!this.#wasSetBack && behind >= SET_BACK_MILLISECONDS) {
      this.#wasSetBack = true;
      this.#warn(
        `leadger: the clock of the machine was set back by ${Math.round(behind / 1000)} seconds: time stands still until it has caught up`,
      );
    }
    if (this.#wasSetBack && behind <= 0) {
      this.#wasSetBack = false;
      this.#warn('leadger: the clock of the machine has caught up: time goes on');
    }
  }
}

/** All clocks of a program show one time. */
const ofThisMachine = new SteadyTime(Date.now, (line) => console.warn(line));

/**
 * How far the machine's clock is behind what it showed before, or behind what the store has seen; 0 when it is not.
 * @param seen The instant of an event of the log. It is remembered.
 */
export function clockIsBehind(seen: Instant | undefined): number {
  if (seen !== undefined) ofThisMachine.note(Date.parse(seen));
  return ofThisMachine.behindMilliseconds();
}

interface SystemClockOptions {
  /** Default: the clock of this machine. */
  readonly machine?: MachineClock;
  readonly longestTimerMilliseconds?: number;
  /** Called when the machine's clock was set back, and when it has caught up. */
  readonly warn?: (line: string) => void;
}

/** The machine's clock. When it is set back, time stands still until it has caught up. */
export function systemClock({
  machine,
  longestTimerMilliseconds = LONGEST_TIMER_MILLISECONDS,
  warn = console.warn,
}: SystemClockOptions = {}): Clock {
  const time = machine ? new SteadyTime(machine, warn) : ofThisMachine;
  return {
    now: () => toInstant(time.now()),
    at: (instant, callback) => callAt(time, Date.parse(instant), callback, longestTimerMilliseconds),
  };
}

/** Looks at the clock again at least every minute. */
function callAt(
  time: Pick<SteadyTime, 'now'>,
  due: number,
  callback: () => unknown,
  longestTimerMilliseconds: number,
): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = due - time.now();
    const delay = Math.min(Math.max(left, 0), longestTimerMilliseconds);
    timer = setTimeout(() => (left > 0 ? wait() : callback()), delay);
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}

interface Alarm {
  readonly at: Instant;
  readonly callback: () => unknown;
  readonly done: (() => Promise<unknown>) | undefined;
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

  at(instant: Instant, callback: () => unknown, done?: () => Promise<unknown>): () => void {
    const alarm = { at: instant, callback, done };
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
      await next.done?.();
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
