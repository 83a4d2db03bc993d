import { ANY, type AppendResult as ClientResult, NO_STREAM, STREAM_EXISTS } from '@eventstore/db-client';
import {
  type AppendResult,
  DEFAULT_LIMITS,
  type ExpectedRevision,
  type NewEvent,
  OutcomeUnknown,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../port.ts';
import { AppendQueue, NoAnswer } from './append-queue.ts';
import type { Connection } from './connection.ts';
import { finalError, neverSent, throwIfFinal, unavailable } from './failures.ts';
import type { LogReader } from './log-reader.ts';
import { eventDataOf, positionOf } from './translation.ts';

interface AppendRequest {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

const EXPECTED = { 'no-stream': NO_STREAM, 'stream-exists': STREAM_EXISTS, any: ANY } as const;

/** Appends to a server, once, whatever happens to requests and answers on the way. */
export class LogAppender {
  readonly #connection: Connection;
  readonly #reader: LogReader;
  readonly #queue = new AppendQueue();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(connection: Connection, reader: LogReader) {
    this.#connection = connection;
    this.#reader = reader;
  }

  get pending(): ReadonlySet<Promise<unknown>> {
    return this.#pending;
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    this.#connection.mustBeOpen();
    const appending = this.#queue.add({
      send: () => this.#send(request),
      sendUntilAnswered: (sentBefore) => this.#sendUntilAnswered(request, sentBefore),
    });
    this.#pending.add(appending);
    try {
      return await appending;
    } finally {
      this.#pending.delete(appending);
    }
  }

  async #send(request: AppendRequest): Promise<AppendResult> {
    try {
      return await this.#appendOnce(request);
    } catch (error) {
      throw finalError(error) ?? new NoAnswer({ cause: error });
    }
  }

  /** Looks whether the events were written, and sends them again where they were not, until the server answers. */
  async #sendUntilAnswered(request: AppendRequest, sentBefore: boolean): Promise<AppendResult> {
    const retries = this.#connection.retries();
    let mayBeWritten = sentBefore;
    for (;;) {
      try {
        return (mayBeWritten && (await this.#find(request))) || (await this.#appendOnce(request));
      } catch (error) {
        const earlier = mayBeWritten ? await this.#earlierAttempt(request, error) : undefined;
        if (earlier) return earlier;
        throwIfFinal(error);
        mayBeWritten ||= !neverSent(error);
        if (retries.isExhausted) throw mayBeWritten ? outcomeUnknown(request, error) : unavailable(error);
        await retries.pause();
      }
    }
  }

  /** A conflict may be with an earlier attempt of ours that arrived after all. */
  async #earlierAttempt(request: AppendRequest, error: unknown): Promise<AppendResult | undefined> {
    if (!(error instanceof WrongExpectedRevision)) return undefined;
    return this.#find(request).catch(() => undefined);
  }

  async #appendOnce({ stream, events, expected }: AppendRequest): Promise<AppendResult> {
    const result = await this.#callServer({ stream, events, expected });
    // With `throwOnAppendFailure=false` the client does not say at which revision the stream is: look.
    if (!result.success) throw new WrongExpectedRevision(stream, expected, await this.#lastRevision(stream));
    const revision = Number(result.nextExpectedRevision);
    if (result.position) return { revision, position: positionOf(result.position) };
    for await (const event of this.#reader.readStream(stream, { from: revision, maxCount: 1 }))
      return { revision, position: event.position };
    throw new OutcomeUnknown(`the event that was appended to ${stream} cannot be found`);
  }

  async #callServer({ stream, events, expected }: AppendRequest): Promise<ClientResult> {
    try {
      const expectedRevision = typeof expected === 'number' ? BigInt(expected) : EXPECTED[expected];
      const call = this.#connection.client.appendToStream(stream, events.map(eventDataOf), { expectedRevision });
      return await this.#connection.answered(call);
    } catch (error) {
      const { type, actualVersion } = error as { type?: string; actualVersion?: bigint | 'no_stream' };
      if (type !== 'wrong-expected-version') throw error;
      const actual = typeof actualVersion === 'bigint' ? Number(actualVersion) : 'no-stream';
      throw new WrongExpectedRevision(stream, expected, actual);
    }
  }

  async #lastRevision(stream: string): Promise<number | 'no-stream'> {
    const last = this.#reader.readStream(stream, { direction: 'backwards', maxCount: 1 });
    for await (const { revision } of last) return revision;
    return 'no-stream';
  }

  /** Looks for events where an append would have put them. */
  async #find({ stream, events, expected }: AppendRequest): Promise<AppendResult | undefined> {
    const first = expected === 'no-stream' ? 0 : typeof expected === 'number' ? expected + 1 : undefined;
    const from = first ?? (await this.#revisionOf(stream, (events[0] as NewEvent).id));
    if (from === undefined) return undefined;
    let index = 0;
    let last: RecordedEvent | undefined;
    for await (const event of this.#reader.readStream(stream, { from, maxCount: events.length })) {
      if (event.id !== events[index]?.id) return undefined;
      index += 1;
      last = event;
    }
    return last && index === events.length ? { revision: last.revision, position: last.position } : undefined;
  }

  async #revisionOf(stream: string, id: string): Promise<number | undefined> {
    const options = { direction: 'backwards', maxCount: DEFAULT_LIMITS.maxAppendEvents } as const;
    for await (const event of this.#reader.readStream(stream, options)) if (event.id === id) return event.revision;
    return undefined;
  }
}

const outcomeUnknown = ({ stream, events }: AppendRequest, cause: unknown): OutcomeUnknown =>
  new OutcomeUnknown(`it is not known whether ${events.length} events were appended to ${stream}`, { cause });
