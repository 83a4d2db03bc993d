import { setTimeout as wait } from 'node:timers/promises';
import { BACKWARDS, END, type EventStoreDBClient, FORWARDS, type ReadRevision, START } from '@eventstore/db-client';
import { askedTogether } from '../in-turn.ts';
import { isThere, landmarkOf } from '../landmarks.ts';
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
  StoreUnavailable,
} from '../port.ts';
import { isPosition } from '../position-text.ts';
import { checkCount, checkFilter, passes } from '../read-checks.ts';
import type { Connection, ReadLimits } from './connection.ts';
import { isAccessRefused, PositionRefused, refusedFor } from './failures.ts';
import { readAllFiltered } from './filtered-read.ts';
import type { LogEnd } from './log-end.ts';
import { isEmpty, positionOf, recordedEventOf, serverFilterOf, serverPositionOf } from './translation.ts';

const READ_TO_THE_END = Number.MAX_SAFE_INTEGER;
const LOOK_BACK_FACTOR = 32;
/** Where more are newer, the newest is found from the end. */
const MOST_NEWER = 1000;

type ReadOptions = Parameters<typeof readAllFiltered>[1];

/** A read that the server filters. Its options are those of the moment: a read that continues begins where it was. */
const beginRead = (options: () => ReadOptions, filter: EventFilter | undefined) => (client: EventStoreDBClient) =>
  readAllFiltered(client, options(), serverFilterOf(filter));

/** Reads streams and the log of a server. */
export class LogReader {
  readonly #connection: Connection;
  readonly #ours: EventFilter | undefined;
  readonly #end: LogEnd;
  readonly #look = askedTogether(() => this.#lookOnce());

  /** @param ours lets the events pass that are ours; undefined: all are, besides the server's own */
  constructor(connection: Connection, ours: EventFilter | undefined, end: LogEnd) {
    this.#connection = connection;
    this.#ours = ours;
    this.#end = end;
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
    try {
      for await (const resolved of this.#connection.read(begin, { wantsMore, signal, until })) {
        const event = recordedEventOf(resolved);
        if (!event) continue;
        left -= 1;
        next = event.revision + (forwards ? 1 : -1);
        yield event;
      }
    } catch (error) {
      throw refusedFor(stream, error);
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
    for await (const resolved of this.#readFrom(after, begin, { wantsMore: () => at < head, signal, scans: true })) {
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
    // A read of the server leaves out the event at its position. It does not begin at the end: others may be there.
    const head = included ? await this.#eventAt(before) : undefined;
    if (head && passes(filter, head)) yield head;
    const begin = beginRead(
      () => ({ direction: BACKWARDS, fromPosition: serverPositionOf(at), maxCount: READ_TO_THE_END }),
      filter,
    );
    for await (const resolved of this.#readFrom(before, begin, {
      wantsMore: () => at !== BEFORE_FIRST,
      signal,
      scans: true,
    })) {
      const event = recordedEventOf(resolved);
      if (!event || event.position >= at) continue;
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

  /** Reads the last event of the log, be it ours or not. @throws AccessRefused, StoreUnavailable */
  async answers({ until }: Patience = {}): Promise<void> {
    await this.#last({ until });
  }

  /**
   * The newest event that is ours. A server finds it by looking through all events of others behind it: so that is done once for
   * all who ask, and then only what is newer is looked through. Who does not say an end waits for that as long as it takes; who
   * gives up leaves the look to the next one. Who waits without an end waits for the right to read the log, too.
   */
  async newest({ until }: Patience = {}): Promise<Landmark | undefined> {
    const limits = { until, awaitsAccess: until === Number.POSITIVE_INFINITY };
    for (;;) {
      const last = await this.#last(limits);
      if (!last || last.id === this.#end.passed?.id) return last && this.#end.newest;
      try {
        await inTime(this.#look(), until);
        return this.#end.newest;
      } catch (error) {
        if (!mayPass(error, limits)) throw error;
      }
    }
  }

  /** The last event of the log, be it ours or not. */
  async #last(limits?: ReadLimits): Promise<Landmark | undefined> {
    this.#connection.mustBeOpen();
    const begin = (client: EventStoreDBClient) =>
      client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
    for await (const { event } of this.#connection.read(begin, limits))
      if (event?.position) return { id: event.id, position: positionOf(event.position) };
    return undefined;
  }

  /** Whether what is known of the end of the log is still true: an older copy may have been restored. */
  async #isKnown(): Promise<boolean> {
    const { passed, isSame } = this.#end;
    if (!passed) return false;
    if (isSame || (await isThere(this, passed))) return true;
    this.#end.forget();
    return false;
  }

  /** Looks for the newest event that is ours, if that is not known. */
  async #lookOnce(): Promise<void> {
    const { following } = this.#end;
    const last = await this.#last();
    if (!last || last.id === this.#end.passed?.id) return;
    if ((await this.#isKnown()) && (await this.#lookForNewer(last, following))) return;
    this.#end.found(await this.#newestFromEnd(), last, following);
  }

  /** @param last the last event of the log before this look @returns false when there are too many */
  async #lookForNewer(last: Landmark, following: LogEnd['following']): Promise<boolean> {
    const from = this.#end.lookedUpTo ?? BEFORE_FIRST;
    const fromPosition = serverPositionOf(from);
    const begin = beginRead(() => ({ direction: FORWARDS, fromPosition, maxCount: MOST_NEWER }), this.#ours);
    let newest: Landmark | undefined;
    let seen = 0;
    for await (const resolved of this.#connection.read(begin, { scans: true })) {
      seen += 1;
      const event = recordedEventOf(resolved);
      if (event && event.position > from && passes(this.#ours, event)) newest = landmarkOf(event);
    }
    if (seen < MOST_NEWER) this.#end.found(newest, last, following);
    return seen < MOST_NEWER;
  }

  async #newestFromEnd(): Promise<Landmark | undefined> {
    for (let maxCount = 1; ; maxCount *= LOOK_BACK_FACTOR) {
      let seen = 0;
      const options = { direction: BACKWARDS, fromPosition: END, maxCount } as const;
      const begin = beginRead(() => options, this.#ours);
      for await (const resolved of this.#connection.read(begin, { scans: true })) {
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
    await this.answers();
    return this.#placeAt(position).catch((error: unknown): Place => {
      if (error instanceof PositionRefused) return { kind: 'none' };
      throw error;
    });
  }

  async #placeAt(position: Position): Promise<Place> {
    for await (const { event } of this.#readAt(position)) {
      if (!event?.position) continue;
      return positionOf(event.position) === position ? { kind: 'event', id: event.id } : { kind: 'removed' };
    }
    return { kind: 'none' };
  }

  async #eventAt(position: Position): Promise<RecordedEvent | undefined> {
    if (position === BEFORE_FIRST) return undefined;
    for await (const resolved of this.#readAt(position)) {
      const event = recordedEventOf(resolved);
      return event?.position === position ? event : undefined;
    }
    return undefined;
  }

  #readAt(position: Position): ReturnType<Connection['read']> {
    this.#connection.mustBeOpen();
    const begin = (client: EventStoreDBClient) =>
      client.readAll({ fromPosition: serverPositionOf(position), maxCount: 1 });
    return this.#connection.read(begin, { looksAtPosition: true });
  }

  /** The id of the very first event: a server begins its log with one of its own, and makes the id up. */
  async identity(): Promise<string> {
    this.#connection.mustBeOpen();
    const begin = (client: EventStoreDBClient) => client.readAll({ fromPosition: START, maxCount: 1 });
    for await (const { event } of this.#connection.read(begin)) return event?.id ?? '';
    return '';
  }
}

/** Whether the caller has time left to ask again. */
const mayPass = (error: unknown, { until = 0, awaitsAccess = false }: ReadLimits): boolean =>
  error instanceof StoreUnavailable && performance.now() < until && (awaitsAccess || !isAccessRefused(error));

/** @throws StoreUnavailable when the time of the caller is over */
async function inTime(looking: Promise<void>, until = Number.POSITIVE_INFINITY): Promise<void> {
  if (until === Number.POSITIVE_INFINITY) return looking;
  const over = new AbortController();
  const late = wait(Math.max(0, until - performance.now()), undefined, { signal: over.signal, ref: false }).then(
    () => {
      throw new StoreUnavailable('the event store still looks for the newest event of the ledger');
    },
    () => {},
  );
  looking.catch(() => {});
  await Promise.race([looking, late]).finally(() => over.abort());
}
