import { StoreUnavailable } from '../port.ts';

/** A server has at most 100 calls of one connection open. Subscriptions need some of them at any time. */
const MOST_AT_ONCE = 50;
const LOOK_EVERY_MILLISECONDS = 100;

interface WaitingRead {
  readonly until: number;
  readonly signal: AbortSignal | undefined;
  resolve(isItsTurn: boolean): void;
  reject(error: Error): void;
}

/**
 * However many read, few do at a time; the others wait in the order in which they came. So a server that comes back is not asked
 * by all of them at once. Who gives up leaves: one timer looks for all of them.
 */
export class ReadTurns {
  #taken = 0;
  #waiting: WaitingRead[] = [];
  #look: NodeJS.Timeout | undefined;

  /**
   * @param until when the reader gives up, as `performance.now()` counts
   * @returns whether it is its turn, which it has to end; else it was aborted @throws StoreUnavailable when its time is over
   */
  take(until: number, signal: AbortSignal | undefined): Promise<boolean> | boolean {
    if (this.#taken < MOST_AT_ONCE) {
      this.#taken += 1;
      return true;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ until, signal, resolve, reject });
      this.#lookInTime();
    });
  }

  end(): void {
    let next = this.#waiting.shift();
    while (next && hasGivenUp(next)) next = this.#waiting.shift();
    if (next) next.resolve(true);
    else this.#taken -= 1;
  }

  /** Nobody gets a turn any more. */
  close(): void {
    clearTimeout(this.#look);
    for (const { reject } of this.#waiting.splice(0)) reject(new StoreUnavailable('the event store was closed'));
  }

  #lookInTime(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      this.#waiting = this.#waiting.filter((read) => !hasGivenUp(read));
      if (this.#waiting.length > 0) this.#lookInTime();
    }, LOOK_EVERY_MILLISECONDS).unref();
  }
}

/** Whoever has is told so. */
function hasGivenUp({ until, signal, resolve, reject }: WaitingRead): boolean {
  if (signal?.aborted) resolve(false);
  else if (until <= performance.now())
    reject(new StoreUnavailable('so many read the event store that it was not asked in time'));
  else return false;
  return true;
}
