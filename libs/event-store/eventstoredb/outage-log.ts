const LINE_EVERY_MILLISECONDS = 5000;
/** A connection that broke and came back at once is not worth a line. */
const FIRST_LINE_AFTER_MILLISECONDS = 1000;

/** Says every five seconds what is away and why, and once that it is back. */
export class OutageLog {
  readonly #log: (line: string) => void;
  #since: number | undefined;
  #nextLineAt = 0;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  away(reason: string): void {
    const now = performance.now();
    if (this.#since === undefined) this.#nextLineAt = now + FIRST_LINE_AFTER_MILLISECONDS;
    this.#since ??= now;
    if (now < this.#nextLineAt) return;
    this.#nextLineAt = now + LINE_EVERY_MILLISECONDS;
    this.#log(`waiting for the event store: ${reason}`);
  }

  isBack(): void {
    if (this.#since === undefined) return;
    const seconds = (performance.now() - this.#since) / 1000;
    if (performance.now() >= this.#since + FIRST_LINE_AFTER_MILLISECONDS)
      this.#log(`the event store answers again after ${seconds.toFixed(1)} seconds`);
    this.#since = undefined;
  }
}
