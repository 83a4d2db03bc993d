import { decode, type Fact } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { type Family, type FamilyName, familyOf, ledger, type StateOf } from '#domain/ledger';
import { DamagedEvent, type EventStore, type RecordedEvent } from '#event-store/port';

/** A stream as it was: its events, and the state that they give. */
interface Replay<State = unknown> {
  readonly facts: readonly Fact[];
  readonly state: State;
}

export interface ReplayOptions {
  /** The last instant to count, ISO 8601 UTC with milliseconds. Default: to the end. */
  readonly at?: Instant;
  readonly hashOf: (event: RecordedEvent) => Uint8Array;
}

/**
 * Replays a stream. Ends before the first event later than `at`, also when a clock was set back afterwards, because a
 * history has no gaps. A stream that does not exist, or did not exist yet, has no facts.
 * @throws DamagedEvent, UnreadableEvent, RangeError for a stream of no family
 */
export async function replay<Name extends FamilyName>(
  store: Pick<EventStore, 'readStream'>,
  stream: `${Name}-${string}`,
  { at, hashOf }: ReplayOptions,
): Promise<Replay<StateOf<Name>>> {
  const { decider }: Family = ledger[familyOf(stream)];
  const facts: Fact[] = [];
  let state = decider.initialState();
  for await (const recorded of store.readStream(stream)) {
    const fact = decodeChecked(recorded, hashOf);
    if (at !== undefined && fact.data.at > at) break;
    facts.push(fact);
    state = decider.evolve(state, fact);
  }
  return { facts, state };
}

function decodeChecked(recorded: RecordedEvent, hashOf: ReplayOptions['hashOf']): Fact {
  if (recorded.hash && Buffer.compare(recorded.hash, hashOf(recorded)) !== 0) throw new DamagedEvent(recorded);
  return decode(recorded);
}
