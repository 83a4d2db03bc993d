import type { OutageCount } from '#domain/kernel/outages';

const LINE_EVERY_MILLISECONDS = 5000;
/** A connection that broke and came back at once is not worth a line. */
const FIRST_LINE_AFTER_MILLISECONDS = 1000;

/** Says every five seconds what is away and why, and once that it is back. What is worth a line counts as an outage. */
export class OutageLog {
  readonly #log: (line: string) => void;
  readonly #outages: OutageCount;
  #since: number | undefined;
  #reason = '';
  #nextLine: NodeJS.Timeout | undefined;
  #wasSaid = false;

  constructor(log: (line: string) => void, outages: OutageCount) {
    this.#log = log;
    this.#outages = outages;
  }

  get isOpen(): boolean {
    return this.#since !== undefined;
  }

  /** Whoever notices it last says why. */
  away(reason: string): void {
    this.#reason = reason;
    if (this.#since !== undefined) return;
    this.#since = performance.now();
    this.#sayIn(FIRST_LINE_AFTER_MILLISECONDS);
  }

  isBack(): void {
    if (this.#since !== undefined && this.#wasSaid) {
      const now = performance.now();
      this.#outages.ended(now);
      this.#log(`the event store answers again after ${((now - this.#since) / 1000).toFixed(1)} seconds`);
    }
    this.stop();
    this.#since = undefined;
    this.#wasSaid = false;
  }

  /** No more lines. */
  stop(): void {
    clearTimeout(this.#nextLine);
  }

  #sayIn(milliseconds: number): void {
    this.#nextLine = setTimeout(() => {
      if (!this.#wasSaid) this.#outages.began(this.#since as number);
      this.#wasSaid = true;
      this.#log(`waiting for the event store: ${this.#reason}`);
      this.#sayIn(LINE_EVERY_MILLISECONDS);
    }, milliseconds).unref();
  }
}
