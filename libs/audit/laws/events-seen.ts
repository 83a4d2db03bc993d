/** What a decision says about its place in the log. */
interface Decision {
  readonly eventsSeen?: number;
  readonly decidedOn?: string;
}

/** Whether an event with this ordinal can have been decided after so many events. */
export const couldSee = (eventsSeen: unknown, ordinal: number): eventsSeen is number =>
  Number.isSafeInteger(eventsSeen) && (eventsSeen as number) >= 0 && (eventsSeen as number) < ordinal;

/**
 * Tells how many events a decision had seen. Decisions name that number. Older ones name the position of the last event
 * seen, which only the log in which they were made can translate.
 */
export class EventsSeen {
  /** Of all events so far. Positions are decimal numbers in both stores that older decisions were made in. */
  readonly #positions: number[] = [];
  /** An older decision names a position at which this log has no event. So this log is a copy into another store. */
  #isCopy = false;

  /** Must be called for all events in the order of the log. @returns the number of events up to this one */
  count(position: string): number {
    return this.#positions.push(Number(position));
  }

  /** @returns undefined when the log does not tell */
  by({ eventsSeen, decidedOn }: Decision): number | undefined {
    if (eventsSeen !== undefined) return eventsSeen;
    if (this.#isCopy) return undefined;
    const seen = this.#countUpTo(Number(decidedOn));
    this.#isCopy = this.#positions[seen - 1] !== Number(decidedOn);
    return this.#isCopy ? undefined : seen;
  }

  #countUpTo(position: number): number {
    let [low, high] = [0, this.#positions.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#positions[middle] as number) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
