import { decode, type Fact } from '#domain/codec';
import { type AnyEvent, type Family, type FamilyName, familyOf, ledger, type StateOf } from '#domain/ledger';
import { type BoundedCache, boundedCache } from '#event-store/bounded-cache';
import { BEFORE_FIRST, type EventStore, type Patience, type Position } from '#event-store/port';

/** A stream, folded as far as it was read. */
export interface FoldedStream {
  state: unknown;
  /** -1 before the first event. */
  revision: number;
  position: Position;
  /** Outcomes of commands with an Idempotency-Key, by command id. Most streams have none. */
  firstOutcomes: Map<string, FirstOutcome> | undefined;
  /** How often the cache had been cleared when it began to read the stream. */
  readonly generation: number;
}

export interface FirstOutcome {
  readonly requestHash: string;
  readonly events: readonly AnyEvent[];
  readonly revision: number;
  position: Position;
}

const USED_STREAMS = 50_000;
const BEGUN_STREAMS = 4096;

/**
 * Folded streams, kept in memory. A read brings one up to date with what is newer in the store, so that a decision on a
 * long stream costs no more than one on a short stream.
 */
export class StreamCache {
  readonly #store: Pick<EventStore, 'readStream' | 'head'>;
  readonly #used: BoundedCache<FoldedStream>;
  /** Streams that were begun and not used since: an import of millions does not push out the streams in use. */
  readonly #begun = boundedCache<FoldedStream>(BEGUN_STREAMS);

  /** Raised when all is forgotten. */
  #generation = 0;

  constructor(store: Pick<EventStore, 'readStream' | 'head'>, { streams = USED_STREAMS }: { streams?: number } = {}) {
    this.#store = store;
    this.#used = boundedCache(streams);
  }

  /** The state of a stream as it is in the store now, and its revision (-1 when there is no such stream). */
  async read<Name extends FamilyName>(
    stream: `${Name}-${string}`,
    patience?: Patience,
  ): Promise<{ state: StateOf<Name>; revision: number }> {
    const folded = await this.catchUp(stream, this.take(stream) ?? this.empty(stream), patience);
    this.keep(stream, folded);
    return { state: folded.state as StateOf<Name>, revision: folded.revision };
  }

  /** The end of the log. */
  head(): Promise<Position> {
    return this.#store.head();
  }

  /** Loads streams that commands need next, so that the commands are decided in the order in which they are sent. */
  async warm(streams: Iterable<string>, patience?: Patience): Promise<void> {
    await Promise.all(
      [...new Set(streams)].map(async (stream) => {
        if (this.#used.get(stream) || this.#begun.get(stream)) return;
        // What cannot be read fails its own command, and only that.
        await this.#load(stream, patience).catch(() => {});
      }),
    );
  }

  async #load(stream: string, patience: Patience | undefined): Promise<void> {
    this.keep(stream, await this.catchUp(stream, this.empty(stream), patience));
  }

  /** Forgets all streams, also those that are in use: their log was restored from an older copy. */
  clear(): void {
    this.#generation += 1;
    this.#used.clear();
    this.#begun.clear();
  }

  /** Whether a stream has events, as far as the cache knows. */
  exists(stream: string): boolean {
    return (this.peek(stream)?.revision ?? -1) >= 0;
  }

  /** A stream as far as it was read, or written here. Undefined while it is changed. */
  peek(stream: string): Pick<FoldedStream, 'state' | 'revision'> | undefined {
    return this.#used.peek(stream) ?? this.#begun.peek(stream);
  }

  /** Removes a stream from the cache while it is changed: no other reader may see what is decided and not yet written. */
  take(stream: string): FoldedStream | undefined {
    const folded = this.#used.get(stream) ?? this.#begun.get(stream);
    this.#used.delete(stream);
    this.#begun.delete(stream);
    return folded;
  }

  keep(stream: string, folded: FoldedStream): void {
    // Who only read it may have begun before somebody wrote.
    const isOlder = (this.#used.peek(stream)?.revision ?? -1) > folded.revision;
    if (folded.generation === this.#generation && !isOlder) this.#used.set(stream, folded);
  }

  keepBegun(stream: string, folded: FoldedStream): void {
    if (folded.generation === this.#generation) this.#begun.set(stream, folded);
  }

  empty(stream: string): FoldedStream {
    return {
      state: ledger[familyOf(stream)].decider.initialState(),
      revision: -1,
      position: BEFORE_FIRST,
      firstOutcomes: undefined,
      generation: this.#generation,
    };
  }

  /** Folds what is newer in the store. @returns the same object */
  async catchUp(stream: string, folded: FoldedStream, { until }: Patience = {}): Promise<FoldedStream> {
    const { decider }: Family = ledger[familyOf(stream)];
    for await (const recorded of this.#store.readStream(stream, { from: folded.revision + 1, until })) {
      const fact = decode(recorded);
      folded.state = decider.evolve(folded.state, fact);
      remember(folded, fact);
    }
    return folded;
  }
}

function remember(folded: FoldedStream, fact: Fact): void {
  folded.revision = fact.revision;
  folded.position = fact.position as Position;
  const { commandId, requestHash } = fact.cause;
  if (requestHash === undefined) return;
  const { revision, position } = folded;
  folded.firstOutcomes ??= new Map();
  const earlier = folded.firstOutcomes.get(commandId)?.events ?? [];
  const events = [...earlier, { type: fact.type, data: fact.data } as AnyEvent];
  folded.firstOutcomes.set(commandId, { requestHash, events, revision, position });
}
