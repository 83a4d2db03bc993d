import type { FamilyName, StateOf } from '#domain/ledger';
import { boundedCache } from '#event-store/bounded-cache';
import { StoreUnavailable } from '#event-store/port';
import type { StreamCache } from './stream-cache.ts';

interface RecentState {
  readonly state: unknown;
  readonly revision: number;
  readonly readAt: number;
}

/** What another program wrote is seen after this time, at the latest. */
const MILLISECONDS_A_STATE_IS_RECENT = 500;
const MILLISECONDS_TO_WAIT = 1000;
const MOST_STREAMS = 10_000;

/**
 * States of streams on which each request depends: who is staff, which keys there are. They are at most half a second old, and
 * what this program wrote is seen at once. While the log cannot be read, what was known last counts: nothing can be recorded
 * meanwhile that would change it.
 */
export class RecentStates {
  readonly #streams: StreamCache;
  /** Milliseconds, which only grow. */
  readonly #elapsed: () => number;
  readonly #known = boundedCache<RecentState>(MOST_STREAMS);
  readonly #reading = new Map<string, Promise<RecentState>>();

  constructor(streams: StreamCache, elapsed = () => performance.now()) {
    this.#streams = streams;
    this.#elapsed = elapsed;
  }

  /** @throws StoreUnavailable where nothing is known yet */
  async of<Name extends FamilyName>(stream: `${Name}-${string}`): Promise<StateOf<Name>> {
    const known = this.#newest(stream);
    // While this program changes a stream, what it wrote before may be newer than what is known.
    const isSeen = this.#streams.peek(stream) !== undefined;
    const recent = known && isSeen && this.#elapsed() - known.readAt < MILLISECONDS_A_STATE_IS_RECENT;
    return (recent ? known : await this.#read(stream)).state as StateOf<Name>;
  }

  /** This program may have written since. */
  #newest(stream: string): RecentState | undefined {
    const known = this.#known.get(stream);
    const written = this.#streams.peek(stream);
    if (!known || !written || written.revision <= known.revision) return known;
    return { ...known, state: written.state, revision: written.revision };
  }

  /** Whoever asks meanwhile waits for the same read. */
  #read(stream: string): Promise<RecentState> {
    const reading = this.#reading.get(stream) ?? this.#readNow(stream).finally(() => void this.#reading.delete(stream));
    this.#reading.set(stream, reading);
    return reading;
  }

  async #readNow(stream: string): Promise<RecentState> {
    // Before the read: what is written while it is under way may be missing in it.
    const readAt = this.#elapsed();
    const read = await this.#readOrKnown(stream);
    this.#known.set(stream, { ...read, readAt });
    return this.#newest(stream) as RecentState;
  }

  async #readOrKnown(stream: string): Promise<Omit<RecentState, 'readAt'>> {
    try {
      const until = performance.now() + MILLISECONDS_TO_WAIT;
      return await this.#streams.read(stream as `${FamilyName}-${string}`, { until });
    } catch (error) {
      const known = this.#newest(stream);
      if (known && error instanceof StoreUnavailable) return known;
      throw error;
    }
  }
}
