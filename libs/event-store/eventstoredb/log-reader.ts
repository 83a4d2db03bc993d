import { BACKWARDS, END, type EventStoreDBClient, FORWARDS, type ReadRevision, START } from '@eventstore/db-client';
import {
  BEFORE_FIRST,
  type EventFilter,
  type Patience,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
} from '../port.ts';
import { checkCount, checkFilter, passes } from '../read-checks.ts';
import { catchUp } from './catch-up.ts';
import type { Connection } from './connection.ts';
import { isEmpty, recordedEventOf, serverPositionOf } from './translation.ts';

const READ_TO_THE_END = Number.MAX_SAFE_INTEGER;
const LOOK_BACK_FACTOR = 32;

/** Reads streams and the log of a server. */
export class LogReader {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
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
    for await (const event of this.#eventsUpTo(await this.head(), options)) {
      if (!passes(filter, event)) continue;
      yield event;
      left -= 1;
      if (left === 0) return;
    }
  }

  /** What is appended after this head is not part of the read: it ends. */
  #eventsUpTo(head: Position, { after, direction, filter, signal }: ReadAllOptions): AsyncIterable<RecordedEvent> {
    if (direction === 'backwards') return this.#readBackwards(after ?? head, after === undefined, signal);
    if (filter) return this.#readFiltered(after ?? BEFORE_FIRST, head, filter, signal);
    return this.#readForwards(after ?? BEFORE_FIRST, head, signal);
  }

  async *#readForwards(after: Position, head: Position, signal: AbortSignal | undefined) {
    let at = after;
    const begin = (client: EventStoreDBClient) =>
      client.readAll({ fromPosition: serverPositionOf(at), maxCount: READ_TO_THE_END });
    for await (const resolved of this.#connection.read(begin, { wantsMore: () => at < head, signal })) {
      const event = recordedEventOf(resolved);
      // A read of the server includes the event at its position.
      if (!event || event.position <= at) continue;
      if (event.position > head) return;
      at = event.position;
      yield event;
      if (at === head) return;
    }
  }

  /** @param included whether the event at that position, the head, is read too */
  async *#readBackwards(before: Position, included: boolean, signal: AbortSignal | undefined) {
    let at = before;
    let includesIt = included;
    const begin = (client: EventStoreDBClient) => {
      const fromPosition = includesIt ? END : serverPositionOf(at);
      return client.readAll({ direction: BACKWARDS, fromPosition, maxCount: READ_TO_THE_END });
    };
    for await (const resolved of this.#connection.read(begin, { wantsMore: () => at !== BEFORE_FIRST, signal })) {
      const event = recordedEventOf(resolved);
      if (!event || (includesIt ? event.position > at : event.position >= at)) continue;
      includesIt = false;
      at = event.position;
      yield event;
    }
  }

  /** The server filters subscriptions only: follow one until it has caught up. */
  async *#readFiltered(after: Position, head: Position, filter: EventFilter, signal: AbortSignal | undefined) {
    if (after >= head) return;
    for await (const message of catchUp(this.#connection, after, filter, this.#connection.over(signal))) {
      if (message.kind !== 'event') continue;
      if (message.event.position > head) return;
      yield message.event;
    }
    this.#connection.mustBeOpen();
  }

  async head({ until }: Patience = {}): Promise<Position> {
    this.#connection.mustBeOpen();
    for (let maxCount = 1; ; maxCount *= LOOK_BACK_FACTOR) {
      let seen = 0;
      const begin = (client: EventStoreDBClient) =>
        client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount });
      for await (const resolved of this.#connection.read(begin, { until })) {
        seen += 1;
        const event = recordedEventOf(resolved);
        if (event) return event.position;
      }
      // Only events of the server itself so far: look further back.
      if (seen < maxCount) return BEFORE_FIRST;
    }
  }

  /** The id of the very first event: a server begins its log with one of its own, and makes the id up. */
  async identity(): Promise<string> {
    this.#connection.mustBeOpen();
    const begin = (client: EventStoreDBClient) => client.readAll({ fromPosition: START, maxCount: 1 });
    for await (const { event } of this.#connection.read(begin)) return event?.id ?? '';
    return '';
  }
}
