import { type Patience, StoreUnavailable } from '#event-store/port';

/** More would only wait in vain while the store is away. */
const MOST_WAITING = 1000;

/** Counts the commands of callers, who wait for an answer. Those of processes wait without an end, and are not counted. */
export class WaitingCommands {
  #count = 0;

  /** @throws StoreUnavailable at once, when too many wait already */
  async during<Result>({ until }: Patience, command: () => Promise<Result>): Promise<Result> {
    if (until === undefined) return command();
    if (this.#count >= MOST_WAITING)
      throw new StoreUnavailable(`${MOST_WAITING} commands wait for the event store already; nothing was done`);
    this.#count += 1;
    try {
      return await command();
    } finally {
      this.#count -= 1;
    }
  }
}
