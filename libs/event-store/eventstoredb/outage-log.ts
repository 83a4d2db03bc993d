const LINE_EVERY_MILLISECONDS = 5000;
/** A connection that broke and came back at once is not worth a line. */
const FIRST_LINE_AFTER_MILLISECONDS = 1000;

/** Says every five seconds what is away and why, and once that it is back. */
export class OutageLog {
  readonly #log: (line: string) => void;
  #since: number | undefined;
  #nextLineAt = 0;
  #wasSaid = false;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  away(reason: string): void {
    const now = performance.now();
    if (this.#since === undefined) this.#nextLineAt = now + FIRST_LINE_AFTER_MILLISECONDS;
    this.#since ??= now;
    if (now < this.#nextLineAt) return;
    this.#nextLineAt = now + LINE_EVERY_MILLISECONDS;
    this.#wasSaid = true;
    this.#log(`waiting for the event store: ${reason}`);
  }

  isBack(): void {
    if (this.#since !== undefined && this.#wasSaid)
      this.#log(`the event store answers again after ${((performance.now() - this.#since) / 1000).toFixed(1)} seconds`);
    this.#since = undefined;
    this.#wasSaid = false;
  }
}
