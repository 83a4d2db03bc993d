import { setTimeout as wait } from 'node:timers/promises';
import { BEFORE_FIRST, type Position } from '#event-store/port';

const MILLISECONDS_BETWEEN_LOOKS = 20;

interface Waiting {
  readonly names: readonly string[];
  readonly position: Position;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Waits for read models that other programs follow. However many wait, the database is asked once at a time for all of them. */
export class PositionsElsewhere {
  readonly #look: () => Promise<ReadonlyMap<string, Position>>;
  readonly #waiting = new Set<Waiting>();
  #isLooking = false;

  /** @param look how far each read model has come, by name */
  constructor(look: () => Promise<ReadonlyMap<string, Position>>) {
    this.#look = look;
  }

  /** Resolves when these read models reflect a position, or when the signal is aborted. @throws the database's errors */
  async reached(names: readonly string[], position: Position, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { names, position, resolve, reject };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', resolve as () => void);
    if (!this.#isLooking) void this.#lookWhileSomebodyWaits();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', resolve as () => void);
      this.#waiting.delete(waiting);
    }
  }

  async #lookWhileSomebodyWaits(): Promise<void> {
    this.#isLooking = true;
    while (this.#waiting.size > 0) {
      await this.#lookOnce();
      await wait(MILLISECONDS_BETWEEN_LOOKS);
    }
    this.#isLooking = false;
  }

  async #lookOnce(): Promise<void> {
    const asked = [...this.#waiting];
    try {
      const positions = await this.#look();
      for (const { names, position, resolve } of asked)
        if (names.every((name) => (positions.get(name) ?? BEFORE_FIRST) >= position)) resolve();
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
