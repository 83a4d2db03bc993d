import type { OutageCount } from '#domain/kernel/outages';

const LINE_EVERY_MILLISECONDS = 5000;
/** A connection that broke and came back at once is not worth a line. */
const FIRST_LINE_AFTER_MILLISECONDS = 1000;

/** Says every five seconds what is away and why, and once that it is back. What is worth a line counts as an outage. */
export class OutageLog {
  readonly #log: (line: string) => void;
  readonly #outages: OutageCount;
  #since: number | undefined;
  #nextLineAt = 0;
  #wasSaid = false;

  constructor(log: (line: string) => void, outages: OutageCount) {
    this.#log = log;
    this.#outages = outages;
  }

  away(reason: string): void {
    const now = performance.now();
    if (this.#since === undefined) this.#nextLineAt = now + FIRST_LINE_AFTER_MILLISECONDS;
    this.#since ??= now;
    if (now < this.#nextLineAt) return;
    this.#nextLineAt = now + LINE_EVERY_MILLISECONDS;
    if (!this.#wasSaid) this.#outages.began(this.#since);
    this.#wasSaid = true;
    this.#log(`waiting for the event store: ${reason}`);
  }

  isBack(): void {
    if (this.#since !== undefined && this.#wasSaid) {
      const now = performance.now();
      this.#outages.ended(now);
      this.#log(`the event store answers again after ${((now - this.#since) / 1000).toFixed(1)} seconds`);
    }
    this.#since = undefined;
    this.#wasSaid = false;
  }
}
