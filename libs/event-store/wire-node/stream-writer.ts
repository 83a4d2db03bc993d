import { randomUUID } from 'node:crypto';
import {
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../port.ts';
import type { Appended } from './replies.ts';
import { TOMBSTONE_TYPE } from './served-event.ts';
import type { ServedLog } from './served-log.ts';
import { metadataStreamOf, parsed, type ServedStreams, type StreamState } from './served-streams.ts';
import { BadRequest, StreamDeleted } from './server-errors.ts';
import { AccessDenied } from './status.ts';

interface Writable {
  readonly store: EventStore;
  readonly log: ServedLog;
  readonly streams: ServedStreams;
  /** Whether the events of a stream must all stay to be seen. */
  readonly isProtected: (stream: string) => boolean;
  /** Which events it takes. Undefined: all. */
  readonly accepts: ((event: Pick<RecordedEvent, 'stream' | 'metadata'>) => boolean) | undefined;
}

const STREAMS_KEPT = 10_000;
/** `$tb` of a stream that is deleted and has not begun again. It is no number of JavaScript. */
const DELETED = '{"$tb":9223372036854775807}';

/** Streams of a store that were neither deleted nor have a tombstone. All nodes on the store know them. */
const undeletedStreams = new WeakMap<EventStore, Set<string>>();

/** Writes to streams, some of which may be deleted. */
export class StreamWriter {
  readonly #node: Writable;
  readonly #undeleted: Set<string>;

  constructor(node: Writable) {
    this.#node = node;
    this.#undeleted = undeletedStreams.get(node.store) ?? new Set();
    undeletedStreams.set(node.store, this.#undeleted);
  }

  /** @throws WrongExpectedRevision, StreamDeleted, AccessDenied, BadRequest, and what the store throws */
  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    if (stream.startsWith('$$')) this.#prepareMetadata(stream.slice(2), events);
    this.#refuseOthers(stream, events);
    if (events.some(({ type }) => type === TOMBSTONE_TYPE))
      throw new BadRequest(`${TOMBSTONE_TYPE} is a type of the node's own.`);
    if (events.length === 0) return this.#appendNothing(stream, expected);
    // A stream that is deleted has events: the store refuses it.
    if (expected === 'no-stream') return this.#appendNew(stream, events);
    if (this.#undeleted.has(stream)) return this.#write(stream, events, expected);
    const state = await this.#node.streams.stateOf(stream);
    if (state.isTombstoned) throw new StreamDeleted(stream);
    if (state.isDeleted) return this.#appendToDeleted(stream, events, expected, state);
    this.#remember(stream);
    return this.#write(stream, events, expected);
  }

  /** @returns the position of the event that says so. @throws WrongExpectedRevision, StreamDeleted, AccessDenied */
  async delete(stream: string, expected: ExpectedRevision): Promise<number> {
    await this.#mayDelete(stream, expected);
    this.#undeleted.delete(stream);
    return this.#writeMetadata(stream, DELETED);
  }

  /** No event can be appended to the stream again. @throws WrongExpectedRevision, StreamDeleted, AccessDenied */
  async tombstone(stream: string, expected: ExpectedRevision): Promise<number> {
    const { last } = await this.#mayDelete(stream, expected, 'tombstone');
    this.#undeleted.delete(stream);
    const event = newEvent(TOMBSTONE_TYPE, '', false);
    return (await this.#write(stream, [event], last < 0 ? 'no-stream' : last)).position;
  }

  /** What others write into a ledger of one machine would be a broken law for ever. */
  #refuseOthers(stream: string, events: readonly NewEvent[]): void {
    const { accepts } = this.#node;
    if (accepts && !events.every(({ metadata }) => accepts({ stream, metadata })))
      throw new AccessDenied('this node serves a ledger, and takes only events that the ledger writes');
  }

  async #mayDelete(stream: string, expected: ExpectedRevision, how?: 'tombstone'): Promise<StreamState> {
    if (this.#node.isProtected(stream)) throw new AccessDenied(`${stream} belongs to the ledger: its events stay`);
    const state = await this.#node.streams.stateOf(stream);
    if (state.isTombstoned) throw new StreamDeleted(stream);
    // A server tombstones also what does not exist, but deletes only what does.
    const exists = state.last >= 0;
    if (!holds(expected, state.last) || (!exists && !how)) throw conflict(stream, expected, state.last);
    return state;
  }

  async #appendNothing(stream: string, expected: ExpectedRevision): Promise<Appended> {
    const { streams, log } = this.#node;
    const { last, isTombstoned } = await streams.stateOf(stream);
    if (isTombstoned) throw new StreamDeleted(stream);
    if (!holds(expected, last)) throw conflict(stream, expected, last);
    return { revision: last < 0 ? undefined : last, position: log.positions.last(await log.head()) };
  }

  async #appendNew(stream: string, events: readonly NewEvent[]): Promise<Appended> {
    try {
      return await this.#write(stream, events, 'no-stream');
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      const state = await this.#node.streams.stateOf(stream);
      if (state.isTombstoned) throw new StreamDeleted(stream);
      if (!state.isDeleted) throw error;
      return this.#appendToDeleted(stream, events, 'no-stream', state);
    }
  }

  /** The stream begins again after its last event: metadata says where. */
  async #appendToDeleted(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    { last }: StreamState,
  ): Promise<Appended> {
    if (expected === 'stream-exists') throw new StreamDeleted(stream);
    const at = expected === 'no-stream' ? last : expected;
    // If the node was killed before it wrote the metadata, the events are there: a repeat must not write them again.
    const result = (await this.#earlier(stream, events, last)) ?? (await this.#write(stream, events, at));
    await this.#writeMetadata(stream, JSON.stringify({ $tb: (result.revision ?? last) - events.length + 1 }));
    return result;
  }

  /** The result of an append of the same events, if they are the last ones of a stream. */
  async #earlier(stream: string, events: readonly NewEvent[], last: number): Promise<Appended | undefined> {
    const before = last - events.length;
    if (before < -1) return undefined;
    try {
      return await this.#write(stream, events, before < 0 ? 'no-stream' : before);
    } catch (error) {
      if (error instanceof WrongExpectedRevision) return undefined;
      throw error;
    }
  }

  async #write(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    const { store, log } = this.#node;
    const { revision, position } = store.appendAsServer
      ? await store.appendAsServer(stream, events, expected)
      : await store.append(stream, events, expected);
    return { revision, position: log.positions.of({ number: Number(position), isSystem: false }) };
  }

  async #writeMetadata(stream: string, metadata: string): Promise<number> {
    return (await this.#write(metadataStreamOf(stream), [newEvent('$metadata', metadata, true)], 'any')).position;
  }

  #prepareMetadata(stream: string, events: readonly NewEvent[]): void {
    this.#undeleted.delete(stream);
    if (this.#node.isProtected(stream) && events.some(({ data }) => hides(data)))
      throw new AccessDenied(`${stream} belongs to the ledger: its events stay`);
  }

  #remember(stream: string): void {
    if (this.#undeleted.size >= STREAMS_KEPT) this.#undeleted.clear();
    this.#undeleted.add(stream);
  }
}

const newEvent = (type: string, data: string, json: boolean): NewEvent => ({
  id: randomUUID(),
  type,
  data: Buffer.from(data),
  metadata: new Uint8Array(0),
  json,
});

const hides = (metadata: Uint8Array): boolean => ['$maxCount', '$maxAge', '$tb'].some((key) => key in parsed(metadata));

function holds(expected: ExpectedRevision, last: number): boolean {
  if (expected === 'any') return true;
  if (expected === 'no-stream') return last < 0;
  return expected === 'stream-exists' ? last >= 0 : expected === last;
}

const conflict = (stream: string, expected: ExpectedRevision, last: number): WrongExpectedRevision =>
  new WrongExpectedRevision(stream, expected, last < 0 ? 'no-stream' : last);
