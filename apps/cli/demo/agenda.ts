import type { Instant } from '#domain/kernel/events';
import { type HeapItem, heapOf } from '#domain/kernel/heap';
import type { MovedClock } from '#gateways/clock';

/** A planned action. Of two actions at one instant, the one that was planned first comes first. */
interface Appointment extends HeapItem {
  readonly at: Instant;
  readonly number: number;
  readonly keep: () => Promise<void>;
}

const compareAppointments = (a: Appointment, b: Appointment): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : a.number - b.number;

/** The simulated time, and what people plan to do. */
export class Agenda {
  /** The simulated instant. The clock may be ahead of it while a continued demo repeats its completed days. */
  now: Instant;
  readonly #clock: MovedClock;
  readonly #appointments = heapOf<Appointment>(compareAppointments);
  #planned = 0;

  constructor(clock: MovedClock, now: Instant) {
    this.#clock = clock;
    this.now = now;
  }

  /** What was to be done in the past is done now. */
  plan(at: Instant, keep: () => Promise<void>): void {
    this.#planned += 1;
    this.#appointments.put({ at: at < this.now ? this.now : at, number: this.#planned, keep, heapIndex: -1 });
  }

  /** Keeps all appointments before an instant, also those that are planned meanwhile. @param afterEach also at the end */
  async liveUntil(end: Instant, afterEach: () => Promise<void>): Promise<void> {
    for (let next = this.#appointments.first(); next && next.at < end; next = this.#appointments.first()) {
      this.#appointments.remove(next);
      await this.#moveTo(next.at);
      await next.keep();
      await afterEach();
    }
    await this.#moveTo(end);
    await afterEach();
  }

  /** The store is switched off until then: what people plan meanwhile waits. */
  async standStillUntil(end: Instant): Promise<void> {
    await this.#clock.standStillUntil(end);
    this.now = end;
  }

  /** After a stand-still, an instant may be over. */
  async #moveTo(instant: Instant): Promise<void> {
    await this.#clock.moveTo(instant);
    if (instant > this.now) this.now = instant;
  }
}
