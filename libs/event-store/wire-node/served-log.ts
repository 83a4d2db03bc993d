import { BEFORE_FIRST, type EventFilter, type EventStore, type Position, type RecordedEvent } from '../port.ts';
import type { Manners } from './manners.ts';
import type { NamePattern } from './name-pattern.ts';
import { Positions, type RecordPlace } from './positions.ts';
import { anyStatistics, firstEvent, type ServedEvent, servedEvent, statisticsAfter } from './served-event.ts';
import { unexpected } from './server-errors.ts';

/** Which events of the log a client wants. */
export interface LogFilter {
  readonly by: 'stream' | 'type';
  readonly pattern: NamePattern;
}

export interface LogRead {
  readonly from: number | 'start' | 'end';
  readonly filter?: LogFilter | undefined;
  readonly signal: AbortSignal;
}

export type LogMessage =
  | { readonly kind: 'event'; readonly event: ServedEvent; readonly seen: number }
  /** Everything up to this position was yielded or filtered out. `seen`: so many events of the store. */
  | { readonly kind: 'progress'; readonly position: number; readonly seen: number }
  | { readonly kind: 'caught-up' };

const passes = ({ by, pattern }: LogFilter, event: Pick<ServedEvent, 'stream' | 'type'>): boolean =>
  pattern.passes(by === 'stream' ? event.stream : event.type);

/** The whole log with the positions that clients see, and with the server's own events between those of the store. */
export class ServedLog {
  readonly positions: Positions;
  readonly #store: EventStore;

  constructor(store: EventStore, manners: Manners) {
    this.#store = store;
    this.positions = new Positions(manners);
  }

  /** From the record at a position on. @throws NoRecordThere */
  async *forwards({ from, filter, signal }: LogRead): AsyncGenerator<ServedEvent> {
    if (from === 'end') return;
    const at = from === 'start' ? 0 : from;
    const place = await this.#placeAt(at);
    if (place === 'beyond') return;
    if (at === 0) yield* only(filter, await this.#firstEvent());
    const options = { after: storePosition(Math.max(place.number - 1, 0)), signal, ...this.#storeFilter(filter) };
    for await (const event of this.#store.readAll(options)) {
      const served = this.served(event);
      if (served.position >= at && (!filter || passes(filter, served))) yield served;
      const after = this.#systemEventOf(event);
      if (after && after.position >= at) yield* only(filter, after);
    }
  }

  /** The records before a position, the newest first. @throws NoRecordThere */
  async *backwards({ from, filter, signal }: LogRead): AsyncGenerator<ServedEvent> {
    if (from === 'start' || from === 0) return;
    const place = from === 'end' ? undefined : await this.#placeAt(from);
    if (place === 'beyond') throw new NoRecordThere();
    const before = from === 'end' ? Number.POSITIVE_INFINITY : from;
    const options = { direction: 'backwards' as const, signal, ...this.#storeFilter(filter) };
    const start = place ? { after: storePosition(place.number + 1) } : {};
    for await (const event of this.#store.readAll({ ...options, ...start }))
      for (const served of [this.#systemEventOf(event), this.served(event)])
        if (served && served.position < before) yield* only(filter, served);
    yield* only(filter, await this.#firstEvent());
  }

  /** The records after a position, and those that come. Beyond the end: those that come. @throws NoRecordThere */
  async *follow({ from, filter, signal }: LogRead): AsyncGenerator<LogMessage> {
    const start = await this.#startOfFollowing(from);
    if (from === 'start') yield* asMessages(only(filter, await this.#firstEvent()), 0);
    const options = { after: storePosition(start.number), signal, ...this.#storeFilter(filter) };
    if (start.systemIsLeft) yield* asMessages(only(filter, await this.#systemEventAfter(start.number)), start.number);
    for await (const message of this.#store.subscribe(options)) {
      if (message.kind === 'event') {
        const served = this.served(message.event);
        const seen = Number(message.event.position);
        if (!filter || passes(filter, served)) yield { kind: 'event', event: served, seen };
        const after = this.#systemEventOf(message.event);
        if (after) yield* asMessages(only(filter, after), seen);
      } else {
        if (message.kind === 'caught-up') yield { kind: 'caught-up' };
        yield this.#progress(message.position);
      }
    }
  }

  async head(): Promise<number> {
    return Number(await this.#store.head());
  }

  #progress(position: Position): LogMessage {
    const seen = Number(position);
    return { kind: 'progress', position: this.positions.last(seen), seen };
  }

  async #startOfFollowing(from: LogRead['from']): Promise<{ number: number; systemIsLeft: boolean }> {
    if (from === 'start') return { number: 0, systemIsLeft: false };
    const place = from === 'end' ? 'beyond' : await this.#placeAt(from);
    if (place === 'beyond') return { number: await this.head(), systemIsLeft: false };
    return { number: place.number, systemIsLeft: !place.isSystem && this.positions.hasSystemEventAfter(place.number) };
  }

  async #placeAt(position: number): Promise<RecordPlace | 'beyond'> {
    const head = await this.head();
    if (position > this.positions.last(head)) return 'beyond';
    const place = this.positions.placeAt(position);
    if (!place) throw new NoRecordThere();
    return place;
  }

  served(event: RecordedEvent): ServedEvent {
    return servedEvent(event, this.positions);
  }

  /** The server's own event after an event of the store. */
  #systemEventOf(event: RecordedEvent): ServedEvent | undefined {
    const isFollowed = this.positions.hasSystemEventAfter(Number(event.position));
    return isFollowed ? statisticsAfter(event, this.positions) : undefined;
  }

  async #systemEventAfter(number: number): Promise<ServedEvent> {
    const options = { after: storePosition(number - 1), maxCount: 1 };
    for await (const event of this.#store.readAll(options)) return statisticsAfter(event, this.positions);
    throw unexpected();
  }

  async #firstEvent(): Promise<ServedEvent> {
    return firstEvent(await this.#store.identity());
  }

  /** The part of the filter that the store can do by itself, if no event of the server passes. */
  #storeFilter(filter: LogFilter | undefined): { filter?: EventFilter } {
    if (!filter || passes(filter, anyStatistics)) return {};
    const { by, pattern } = filter;
    if (by === 'type' && pattern.names) return { filter: { types: pattern.names } };
    if (by === 'stream' && pattern.prefixes) return { filter: { streamPrefixes: pattern.prefixes } };
    return {};
  }
}

/** No record begins at the position. */
export class NoRecordThere extends Error {}

function* only(filter: LogFilter | undefined, event: ServedEvent): Generator<ServedEvent> {
  if (!filter || passes(filter, event)) yield event;
}

function* asMessages(events: Iterable<ServedEvent>, seen: number): Generator<LogMessage> {
  for (const event of events) yield { kind: 'event', event, seen };
}

const storePosition = (number: number): Position =>
  number <= 0 ? BEFORE_FIRST : (String(number).padStart(16, '0') as Position);
