import type { Outages } from '#domain/kernel/outages';
import { checkAppend } from '../append-checks.ts';
import {
  type AppendResult,
  type AskBeforeAppend,
  type CutMessage,
  DEFAULT_LIMITS,
  type EventStore,
  type ExpectedRevision,
  type FollowsCuts,
  type NewEvent,
  type Patience,
  type Place,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '../port.ts';
import { Connection, type EventStoreDbOptions } from './connection.ts';
import { cutsAfter } from './cuts.ts';
import { LogAppender } from './log-appender.ts';
import { LogEnd } from './log-end.ts';
import { LogReader } from './log-reader.ts';
import { subscribeTo } from './log-subscription.ts';
import { Tail } from './tail.ts';

/**
 * Opens the event store on an EventStoreDB or KurrentDB server or cluster.
 * @throws CannotConnect, AccessRefused: what does not mend by itself; StoreUnavailable
 */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore & FollowsCuts> {
  const connection = await Connection.open(options);
  const store = new EventStoreDbStore(connection, options);
  try {
    // Only a read shows whether the account is accepted.
    await store.answers(options.waitForServer ? { until: Number.POSITIVE_INFINITY } : {});
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

class EventStoreDbStore implements EventStore, FollowsCuts {
  readonly limits = DEFAULT_LIMITS;
  readonly #connection: Connection;
  readonly #reader: LogReader;
  readonly #appender: LogAppender;
  readonly #tail: Tail;

  constructor(connection: Connection, { streamPrefixes }: EventStoreDbOptions) {
    this.#connection = connection;
    const ours = streamPrefixes && { streamPrefixes };
    const end = new LogEnd();
    this.#reader = new LogReader(connection, ours, end);
    this.#appender = new LogAppender(connection, this.#reader);
    this.#tail = new Tail(connection.link, ours, end);
  }

  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    { until }: Patience = {},
  ): Promise<AppendResult> {
    checkAppend(stream, events, expected, this.limits);
    return this.#appender.append({ stream, events, expected, until: until ?? this.#connection.usualUntil() });
  }

  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    return this.#reader.readStream(stream, options);
  }

  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    return this.#reader.readAll(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    return subscribeTo({ connection: this.#connection, reader: this.#reader, tail: this.#tail }, options);
  }

  followCuts({ after, signal }: Pick<SubscribeOptions, 'after' | 'signal'>): AsyncIterable<CutMessage> {
    this.#connection.mustBeOpen();
    return cutsAfter(this.#connection.link.reads, after, this.#connection.over(signal));
  }

  head(patience?: Patience): Promise<Position> {
    return this.#reader.head(patience);
  }

  answers(patience?: Patience): Promise<void> {
    return this.#reader.answers(patience);
  }

  placeAt(position: Position): Promise<Place> {
    return this.#reader.placeAt(position);
  }

  identity(): Promise<string> {
    return this.#reader.identity();
  }

  breaks(): number {
    return this.#connection.link.breaks;
  }

  askBeforeAppends(ask: AskBeforeAppend): void {
    this.#appender.ask = ask;
  }

  outages(): Outages {
    return this.#connection.outages();
  }

  close(): Promise<void> {
    return this.#connection.close(this.#appender.pending);
  }
}
