import type { EventStore, ReadStreamOptions, RecordedEvent } from '../port.ts';
import { cutsOf } from '../stream-metadata.ts';
import type { Positions } from './positions.ts';
import { type ServedEvent, servedEvent, TOMBSTONE_TYPE } from './served-event.ts';
import { serverTime } from './server-clock.ts';
import { StreamDeleted } from './server-errors.ts';

/** What is to be seen of a stream. */
export interface StreamState {
  /** The revision of its newest event, -1 without one. */
  readonly last: number;
  /** Older events are cut off. */
  readonly first: number;
  /** Deleted: it can begin again after its last event. */
  readonly isDeleted: boolean;
  readonly isTombstoned: boolean;
  /** Events recorded before this instant are cut off (milliseconds since 1970). */
  readonly notBefore: number;
}

const METADATA = '$$';
export const metadataStreamOf = (stream: string): string => `${METADATA}${stream}`;
const isMetadataStream = (stream: string): boolean => stream.startsWith(METADATA);

/** `$tb` of a deleted stream: 2^63 - 1, which is no number of JavaScript. */
const DELETED = 2 ** 53;

/** The streams with what their metadata hides, and with links resolved. */
export class ServedStreams {
  readonly #store: EventStore;
  readonly #positions: Positions;

  constructor(store: EventStore, positions: Positions) {
    this.#store = store;
    this.#positions = positions;
  }

  async stateOf(stream: string): Promise<StreamState> {
    const newest = await this.#newest(stream);
    const cuts = await this.#cutsOf(stream);
    const isTombstoned = newest?.type === TOMBSTONE_TYPE || (await this.#isMetadataOfTombstoned(stream));
    const last = newest?.revision ?? -1;
    const isDeleted = last >= 0 && cuts.truncateBefore >= DELETED;
    const first = Math.max(cuts.truncateBefore, last - cuts.maxCount + 1, 0);
    return { last, first, isDeleted, isTombstoned, notBefore: serverTime() - cuts.maxAgeSeconds * 1000 };
  }

  /** Without the events that are cut off. @throws StreamDeleted for a stream with a tombstone */
  async *read(stream: string, state: StreamState, options: ReadStreamOptions): AsyncGenerator<ServedEvent> {
    if (state.isTombstoned) throw new StreamDeleted(stream);
    const { from, direction = 'forwards' } = options;
    const forwards = direction === 'forwards';
    const start = forwards ? { from: Math.max(from ?? 0, state.first) } : from === undefined ? {} : { from };
    if (forwards && (start.from ?? 0) > state.last) return;
    for await (const event of this.#store.readStream(stream, { ...options, ...start })) {
      const isOld = event.revision < state.first || Date.parse(event.recordedAt) < state.notBefore;
      if (!isOld) yield servedEvent(event, this.#positions);
      else if (!forwards) return;
    }
  }

  /** The event that a link names. @returns undefined if it cannot be seen; 'no link' if the event is none */
  async target(link: ServedEvent): Promise<ServedEvent | undefined | 'no link'> {
    const [, revision, stream] = (link.type === '$>' && LINK.exec(Buffer.from(link.data).toString())) || [];
    if (revision === undefined || stream === undefined) return 'no link';
    const state = await this.stateOf(stream);
    if (state.isTombstoned || state.isDeleted) return undefined;
    for await (const event of this.read(stream, state, { from: Number(revision), maxCount: 1 }))
      if (event.revision === Number(revision)) return event;
    return undefined;
  }

  async #newest(stream: string): Promise<RecordedEvent | undefined> {
    for await (const event of this.#store.readStream(stream, { direction: 'backwards', maxCount: 1 })) return event;
    return undefined;
  }

  async #isMetadataOfTombstoned(stream: string): Promise<boolean> {
    if (!isMetadataStream(stream)) return false;
    return (await this.#newest(stream.slice(METADATA.length)))?.type === TOMBSTONE_TYPE;
  }

  async #cutsOf(stream: string): Promise<StreamCuts> {
    if (isMetadataStream(stream)) return { ...NO_CUTS, maxCount: 1 };
    const metadata = await this.#newest(metadataStreamOf(stream));
    return metadata && metadata.json !== false ? cutsIn(metadata.data) : NO_CUTS;
  }
}

const LINK = /^(\d{1,15})@(.+)$/s;

interface StreamCuts {
  readonly truncateBefore: number;
  readonly maxCount: number;
  readonly maxAgeSeconds: number;
}

const NO_CUTS: StreamCuts = {
  truncateBefore: 0,
  maxCount: Number.POSITIVE_INFINITY,
  maxAgeSeconds: Number.POSITIVE_INFINITY,
};

function cutsIn(data: Uint8Array): StreamCuts {
  const { $tb, $maxCount, $maxAge } = cutsOf(parsed(data));
  return {
    truncateBefore: $tb ?? NO_CUTS.truncateBefore,
    maxCount: $maxCount ?? NO_CUTS.maxCount,
    maxAgeSeconds: $maxAge ?? NO_CUTS.maxAgeSeconds,
  };
}

export function parsed(data: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
