import { decode, type Fact } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { type Family, type FamilyName, familyOf, ledger, type StateOf } from '#domain/ledger';
import { damageInWords, StreamDamaged } from '#event-store/damage';
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

/**
 * One event of a stream. @returns undefined where the stream ends before it @throws DamagedEvent, StreamDamaged, UnreadableEvent
 */
export async function readFact(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  revision: number,
  { hashOf }: ReplayOptions,
): Promise<Fact | undefined> {
  for await (const recorded of store.readStream(stream, { from: revision, maxCount: 1 }))
    return decodeChecked(recorded, hashOf);
  return undefined;
}

export type Readable = Pick<EventStore, 'readStream' | 'readAll'>;

/**
 * Replays a stream. Of a damaged one there are the events that the log still has, no state, and what happened to it.
 * @throws DamagedEvent, UnreadableEvent, RangeError for a stream of no family
 */
export async function replayOrRest<Name extends FamilyName>(
  store: Readable,
  stream: `${Name}-${string}`,
  options: ReplayOptions,
): Promise<Omit<Replay, 'state'> & { readonly state?: StateOf<Name>; readonly damaged?: string }> {
  try {
    return await replay(store, stream, options);
  } catch (error) {
    if (!(error instanceof StreamDamaged)) throw error;
    return { facts: await restOf(store, stream, options), damaged: damageInWords(error.damage) };
  }
}

/** The log shows hidden events, too, until a scavenge removes them. */
async function restOf(store: Readable, stream: string, { at, hashOf }: ReplayOptions): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for await (const recorded of store.readAll({ filter: { streamPrefixes: [stream] } })) {
    if (recorded.stream !== stream) continue;
    const fact = decodeChecked(recorded, hashOf);
    if (at === undefined || fact.data.at <= at) facts.push(fact);
  }
  return facts;
}

function decodeChecked(recorded: RecordedEvent, hashOf: ReplayOptions['hashOf']): Fact {
  if (recorded.hash && Buffer.compare(recorded.hash, hashOf(recorded)) !== 0) throw new DamagedEvent(recorded);
  return decode(recorded);
}
