import {
  ANY,
  type AppendResult as ClientResult,
  type EventStoreDBClient,
  NO_STREAM,
  STREAM_EXISTS,
} from '@eventstore/db-client';
import {
  type AppendResult,
  type AskBeforeAppend,
  DEFAULT_LIMITS,
  type ExpectedRevision,
  LogLost,
  type NewEvent,
  OutcomeUnknown,
  type RecordedEvent,
  StoreUnavailable,
  WrongExpectedRevision,
} from '../port.ts';
import { AppendQueue, NoAnswer } from './append-queue.ts';
import type { Connection } from './connection.ts';
import type { Host } from './connection-string.ts';
import { finalError, isConnectionLost, neverSent, refusedFor, throwIfFinal } from './failures.ts';
import type { LogReader } from './log-reader.ts';
import { eventDataOf, positionOf } from './translation.ts';

interface AppendRequest {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
  /** When its caller gives up, as `performance.now()` counts. */
  readonly until: number;
}

const EXPECTED = { 'no-stream': NO_STREAM, 'stream-exists': STREAM_EXISTS, any: ANY } as const;

/** Appends to a server, once, whatever happens to requests and answers on the way. */
export class LogAppender {
  readonly #connection: Connection;
  readonly #reader: LogReader;
  readonly #queue: AppendQueue;
  readonly #pending = new Set<Promise<unknown>>();
  ask: AskBeforeAppend = () => undefined;

  constructor(connection: Connection, reader: LogReader) {
    this.#connection = connection;
    this.#reader = reader;
    this.#queue = new AppendQueue(() => connection.link.appends);
  }

  get pending(): ReadonlySet<Promise<unknown>> {
    return this.#pending;
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    this.#connection.mustBeOpen();
    const appending = this.#queue.add({
      until: request.until,
      expired: (sentBefore) => (sentBefore ? outcomeUnknown(request) : neverSentInTime()),
      send: () => this.#send(request),
      sendUntilAnswered: (sentBefore) => this.#sendUntilAnswered(request, sentBefore),
    });
    this.#pending.add(appending);
    try {
      return await appending;
    } catch (error) {
      throw refusedFor(request.stream, error);
    } finally {
      this.#pending.delete(appending);
    }
  }

  async #send(request: AppendRequest): Promise<AppendResult> {
    const { link } = this.#connection;
    const client = link.appends;
    try {
      return await this.#appendOnce(request, client);
    } catch (error) {
      this.#connection.noteIfRefused(error, true);
      const final = finalError(error);
      // The search begins at once; what is sent again waits for its end.
      if (!final) void (isConnectionLost(error) ? link.search() : link.renew(client)).catch(() => {});
      throw final ?? new NoAnswer({ cause: error });
    }
  }

  /** Looks whether the events were written, and sends them again where they were not, until the server answers. */
  async #sendUntilAnswered(
    request: AppendRequest,
    sentBefore: boolean,
  ): Promise<{ result: AppendResult; over: object | undefined }> {
    const retries = this.#connection.retries(request.until);
    let mayBeWritten = sentBefore;
    if (sentBefore) await this.#connection.link.searched().catch(() => {});
    for (;;) {
      if (retries.isExhausted) throw mayBeWritten ? outcomeUnknown(request) : neverSentInTime();
      let client = this.#connection.link.appends;
      try {
        const found = mayBeWritten ? await this.#find(request) : undefined;
        if (found) return { result: found, over: undefined };
        client = this.#connection.link.appends;
        return { result: await this.#appendOnce(request, client), over: client };
      } catch (error) {
        const earlier = mayBeWritten ? await this.#earlierAttempt(request, error) : undefined;
        if (earlier) return { result: earlier, over: undefined };
        this.#connection.noteIfRefused(error, true);
        throwIfFinal(error);
        if (error instanceof LogLost) throw mayBeWritten ? outcomeUnknown(request, error) : error;
        mayBeWritten ||= !neverSent(error);
        const unanswered = isConnectionLost(error) ? undefined : client;
        await retries.afterFailure(error, { unanswered }).catch((end: unknown) => {
          throw mayBeWritten ? outcomeUnknown(request, error) : end;
        });
      }
    }
  }

  /** A conflict may be with an earlier attempt of ours that arrived after all. */
  async #earlierAttempt(request: AppendRequest, error: unknown): Promise<AppendResult | undefined> {
    if (!(error instanceof WrongExpectedRevision)) return undefined;
    return this.#find(request).catch(() => undefined);
  }

  async #appendOnce(request: AppendRequest, client: EventStoreDBClient): Promise<AppendResult> {
    const { stream, until } = request;
    const { nextExpectedRevision, position } = await this.#callServer(request, client);
    this.#connection.works();
    const revision = Number(nextExpectedRevision);
    if (position) return { revision, position: positionOf(position) };
    for await (const event of this.#reader.readStream(stream, { from: revision, maxCount: 1, until }))
      return { revision, position: event.position };
    throw new OutcomeUnknown(`the event that was appended to ${stream} cannot be found`);
  }

  async #callServer(
    { stream, events, expected, until }: AppendRequest,
    client: EventStoreDBClient,
  ): Promise<ClientResult> {
    try {
      const expectedRevision = typeof expected === 'number' ? BigInt(expected) : EXPECTED[expected];
      const asked = this.ask();
      if (asked) await asked;
      const call = client.appendToStream(stream, events.map(eventDataOf), { expectedRevision });
      return await this.#connection.answered(call, until - performance.now());
    } catch (error) {
      const { type, actualVersion, leader } = error as AppendFailure;
      if (type === 'not-leader' && leader) this.#connection.link.moveTo(leader);
      if (type !== 'wrong-expected-version') throw error;
      this.#connection.works();
      const actual = typeof actualVersion === 'bigint' ? Number(actualVersion) : 'no-stream';
      throw new WrongExpectedRevision(stream, expected, actual);
    }
  }

  /** Looks for events where an append would have put them. */
  async #find({ stream, events, expected, until }: AppendRequest): Promise<AppendResult | undefined> {
    const first = expected === 'no-stream' ? 0 : typeof expected === 'number' ? expected + 1 : undefined;
    const from = first ?? (await this.#revisionOf(stream, (events[0] as NewEvent).id, until));
    if (from === undefined) return undefined;
    let index = 0;
    let last: RecordedEvent | undefined;
    for await (const event of this.#reader.readStream(stream, { from, maxCount: events.length, until })) {
      if (event.id !== events[index]?.id) return undefined;
      index += 1;
      last = event;
    }
    return last && index === events.length ? { revision: last.revision, position: last.position } : undefined;
  }

  async #revisionOf(stream: string, id: string, until: number): Promise<number | undefined> {
    const options = { direction: 'backwards', maxCount: DEFAULT_LIMITS.maxAppendEvents, until } as const;
    for await (const event of this.#reader.readStream(stream, options)) if (event.id === id) return event.revision;
    return undefined;
  }
}

interface AppendFailure {
  readonly type?: string;
  readonly actualVersion?: bigint | 'no_stream';
  readonly leader?: Host;
}

const neverSentInTime = (): StoreUnavailable =>
  new StoreUnavailable('the event store could not be reached in time; nothing was sent');

const outcomeUnknown = ({ stream, events }: AppendRequest, cause?: unknown): OutcomeUnknown =>
  new OutcomeUnknown(`it is not known whether ${events.length} events were appended to ${stream}`, { cause });
