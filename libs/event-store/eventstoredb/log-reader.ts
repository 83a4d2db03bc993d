import { BACKWARDS, END, type EventStoreDBClient, FORWARDS, type ReadRevision, START } from '@eventstore/db-client';
import { landmarkOf } from '../landmarks.ts';
import {
  BEFORE_FIRST,
  type EventFilter,
  type Landmark,
  NoSuchPosition,
  type Patience,
  type Place,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
} from '../port.ts';
import { isPosition } from '../position-text.ts';
import { checkCount, checkFilter, passes } from '../read-checks.ts';
import type { Connection } from './connection.ts';
import { PositionRefused } from './failures.ts';
import { readAllFiltered } from './filtered-read.ts';
import { isEmpty, positionOf, recordedEventOf, serverFilterOf, serverPositionOf } from './translation.ts';

const READ_TO_THE_END = Number.MAX_SAFE_INTEGER;
const LOOK_BACK_FACTOR = 32;

type ReadOptions = Parameters<typeof readAllFiltered>[1];

/** A read that the server filters. Its options are those of the moment: a read that continues begins where it was. */
const beginRead = (options: () => ReadOptions, filter: EventFilter | undefined) => (client: EventStoreDBClient) =>
  readAllFiltered(client, options(), serverFilterOf(filter));

/** Reads streams and the log of a server. */
export class LogReader {
  readonly #connection: Connection;
  readonly #ours: EventFilter | undefined;

  /** @param ours lets the events pass that are ours; undefined: all are, besides the server's own */
  constructor(connection: Connection, ours: EventFilter | undefined) {
    this.#connection = connection;
    this.#ours = ours;
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    const { from, direction = 'forwards', maxCount = READ_TO_THE_END, signal, until } = options;
    checkCount('maxCount', maxCount);
    if (from !== undefined) checkCount('from', from);
    this.#connection.mustBeOpen();
    const forwards = direction === 'forwards';
    let next = from;
    let left = maxCount;
    const begin = (client: EventStoreDBClient) => {
      const fromRevision: ReadRevision = next !== undefined ? BigInt(next) : forwards ? START : END;
      const way = forwards ? FORWARDS : BACKWARDS;
      return client.readStream(stream, { direction: way, fromRevision, maxCount: left });
    };
    const wantsMore = () => left > 0 && (next === undefined || next >= 0);
    for await (const resolved of this.#connection.read(begin, { wantsMore, signal, until })) {
      const event = recordedEventOf(resolved);
      if (!event) continue;
      left -= 1;
      next = event.revision + (forwards ? 1 : -1);
      yield event;
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after, filter, maxCount = READ_TO_THE_END } = options;
    checkCount('maxCount', maxCount);
    checkFilter(filter);
    if (after !== undefined) serverPositionOf(after);
    this.#connection.mustBeOpen();
    if (maxCount === 0 || isEmpty(filter)) return;
    let left = maxCount;
    for await (const event of this.#eventsUpTo(await this.head(), this.filterOf(filter), options)) {
      yield event;
      left -= 1;
      if (left === 0) return;
    }
  }

  /** What passes a filter, of the events that are ours. */
  filterOf(filter: EventFilter | undefined): EventFilter | undefined {
    return filter?.streamPrefixes || !this.#ours ? filter : { ...filter, ...this.#ours };
  }

  /** What is appended after this head is not part of the read: it ends. */
  #eventsUpTo(
    head: Position,
    filter: EventFilter | undefined,
    { after, direction, signal }: ReadAllOptions,
  ): AsyncIterable<RecordedEvent> {
    if (direction === 'backwards') return this.#readBackwards(after ?? head, after === undefined, filter, signal);
    return this.#readForwards(after ?? BEFORE_FIRST, head, filter, signal);
  }

  async *#readForwards(
    after: Position,
    head: Position,
    filter: EventFilter | undefined,
    signal: AbortSignal | undefined,
  ) {
    let at = after;
    const begin = beginRead(
      () => ({ fromPosition: serverPositionOf(at), maxCount: READ_TO_THE_END, direction: FORWARDS }),
      filter,
    );
    for await (const resolved of this.#readFrom(after, begin, { wantsMore: () => at < head, signal })) {
      const event = recordedEventOf(resolved);
      // A read of the server includes the event at its position.
      if (!event || event.position <= at) continue;
      if (event.position > head) return;
      at = event.position;
      if (passes(filter, event)) yield event;
      if (at === head) return;
    }
  }

  /** @param included whether the event at that position, the head, is read too */
  async *#readBackwards(
    before: Position,
    included: boolean,
    filter: EventFilter | undefined,
    signal: AbortSignal | undefined,
  ) {
    let at = before;
    let includesIt = included;
    const begin = beginRead(() => {
      const fromPosition = includesIt ? END : serverPositionOf(at);
      return { direction: BACKWARDS, fromPosition, maxCount: READ_TO_THE_END } as const;
    }, filter);
    for await (const resolved of this.#readFrom(before, begin, { wantsMore: () => at !== BEFORE_FIRST, signal })) {
      const event = recordedEventOf(resolved);
      if (!event || (includesIt ? event.position > at : event.position >= at)) continue;
      includesIt = false;
      at = event.position;
      if (passes(filter, event)) yield event;
    }
  }

  /** @throws NoSuchPosition when the log does not have the position that the caller gave */
  async *#readFrom(position: Position, ...read: Parameters<Connection['read']>): ReturnType<Connection['read']> {
    try {
      yield* this.#connection.read(...read);
    } catch (error) {
      throw error instanceof PositionRefused ? new NoSuchPosition(position, { cause: error }) : error;
    }
  }

  async head(patience?: Patience): Promise<Position> {
    return (await this.newest(patience))?.position ?? BEFORE_FIRST;
  }

  /** The newest event that is ours. */
  async newest({ until }: Patience = {}): Promise<Landmark | undefined> {
    this.#connection.mustBeOpen();
    for (let maxCount = 1; ; maxCount *= LOOK_BACK_FACTOR) {
      let seen = 0;
      const options = { direction: BACKWARDS, fromPosition: END, maxCount } as const;
      for await (const resolved of this.#connection.read(
        beginRead(() => options, this.#ours),
        { until },
      )) {
        seen += 1;
        const event = recordedEventOf(resolved);
        if (event && passes(this.#ours, event)) return landmarkOf(event);
      }
      // Only events of others so far, which the server did not filter out: look further back.
      if (seen < maxCount) return undefined;
    }
  }

  /** What is at a position, be it ours or not. A server in trouble may fail with the same words: so it is asked twice. */
  async placeAt(position: Position): Promise<Place> {
    if (!isPosition(position)) return { kind: 'none' };
    try {
      return await this.#placeAt(position);
    } catch (error) {
      if (!(error instanceof PositionRefused)) throw error;
    }
    await this.head();
    return this.#placeAt(position).catch((error: unknown): Place => {
      if (error instanceof PositionRefused) return { kind: 'none' };
      throw error;
    });
  }

  async #placeAt(position: Position): Promise<Place> {
    this.#connection.mustBeOpen();
    const begin = (client: EventStoreDBClient) =>
      client.readAll({ fromPosition: serverPositionOf(position), maxCount: 1 });
    for await (const { event } of this.#connection.read(begin, { looksAtPosition: true })) {
      if (!event?.position) continue;
      return positionOf(event.position) === position ? { kind: 'event', id: event.id } : { kind: 'removed' };
    }
    return { kind: 'none' };
  }

  /** The id of the very first event: a server begins its log with one of its own, and makes the id up. */
  async identity(): Promise<string> {
    this.#connection.mustBeOpen();
    const begin = (client: EventStoreDBClient) => client.readAll({ fromPosition: START, maxCount: 1 });
    for await (const { event } of this.#connection.read(begin)) return event?.id ?? '';
    return '';
  }
}
