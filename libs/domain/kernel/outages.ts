/** How often a server was away, and how long in all, also now. */
export interface Outages {
  readonly count: number;
  readonly awaySeconds: number;
}

/**
 * Counts the outages of a server. Several watchers may see the same one: the server is away as long as one of them says so.
 * Instants are milliseconds of a clock that only goes forward.
 */
export class OutageCount {
  #count = 0;
  #milliseconds = 0;
  #watchers = 0;
  #since = 0;

  began(at: number): void {
    this.#watchers += 1;
    if (this.#watchers > 1) return;
    this.#count += 1;
    this.#since = at;
  }

  /** Exactly once for each time that the same watcher said `began`. */
  ended(at: number): void {
    this.#watchers -= 1;
    if (this.#watchers === 0) this.#milliseconds += at - this.#since;
  }

  upTo(now: number): Outages {
    const ofThisOne = this.#watchers > 0 ? now - this.#since : 0;
    return { count: this.#count, awaySeconds: (this.#milliseconds + ofThisOne) / 1000 };
  }
}
