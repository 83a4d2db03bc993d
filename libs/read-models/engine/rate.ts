const SECONDS = 10;

/** Counts events, and how many a second there were lately. */
export class Rate {
  total = 0;
  readonly #counts = new Map<number, number>();
  readonly #begun = secondNow();

  add(count: number): void {
    const second = secondNow();
    this.total += count;
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + count);
    for (const old of this.#counts.keys()) if (old <= second - SECONDS) this.#counts.delete(old);
  }

  /** Over the last ten seconds, or since it began. */
  get perSecond(): number {
    const now = secondNow();
    let count = 0;
    for (const [second, counted] of this.#counts) if (second > now - SECONDS) count += counted;
    return count / Math.min(SECONDS, now - this.#begun + 1);
  }
}

const secondNow = (): number => Math.floor(performance.now() / 1000);
