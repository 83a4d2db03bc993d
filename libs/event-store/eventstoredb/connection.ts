import { setTimeout as wait } from 'node:timers/promises';
import type { EventStoreDBClient, ResolvedEvent, StreamingRead } from '@eventstore/db-client';
import { StoreUnavailable } from '../port.ts';
import { throwIfFinal, unavailable } from './failures.ts';
import { guardedClient } from './guarded-client.ts';
import { Watchdog } from './watchdog.ts';

export interface EventStoreDbOptions {
  /** `esdb://…` or `kurrentdb://…`: hosts, TLS, credentials, as the client reads it. */
  readonly connectionString: string;
  /** Default: the log is ours alone. Else only streams whose names begin so are ours, and no other events are read. */
  readonly streamPrefixes?: readonly string[];
  /** A request without an answer fails after this time. Default: 10,000. */
  readonly answerWithinMilliseconds?: number;
  /** How long requests are repeated while the server is unreachable, in milliseconds. Default: 30,000. */
  readonly patienceMilliseconds?: number;
}

const BACKOFF_MILLISECONDS = [50, 100, 200, 500, 1000, 2000];

/** The connection to one server or cluster: time limits, repeated calls, and the end of it all. */
export class Connection {
  readonly client: EventStoreDBClient;
  readonly #answerWithin: number;
  readonly #patience: number;
  readonly #closing = new AbortController();

  constructor({ connectionString, answerWithinMilliseconds, patienceMilliseconds }: EventStoreDbOptions) {
    this.client = guardedClient(connectionString);
    this.#answerWithin = answerWithinMilliseconds ?? 10_000;
    this.#patience = patienceMilliseconds ?? 30_000;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @throws StoreUnavailable */
  mustBeOpen(): void {
    if (this.isClosed) throw new StoreUnavailable('the event store was closed');
  }

  /** Aborted by the caller's signal or by closing the connection. */
  over(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }

  retries(): Retries {
    return new Retries(this, this.#patience);
  }

  async pause(attempt: number, over: AbortSignal = this.#closing.signal): Promise<void> {
    const milliseconds = BACKOFF_MILLISECONDS[attempt] ?? (BACKOFF_MILLISECONDS.at(-1) as number);
    await wait(milliseconds, undefined, { signal: over }).catch(() => {});
  }

  /**
   * The client itself would wait for ever. A plain timer, because promises and signals would cost more than the rest of
   * an append.
   * @throws an error when no answer comes in time
   */
  answered<Result>(request: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer within ${this.#answerWithin} ms`)), this.#answerWithin);
      const inTime =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(late);
          settle(value);
        };
      request.then(inTime(resolve), inTime(reject));
    });
  }

  /** Reads, and continues where it was when the connection breaks or stops answering. @param begin makes the next call */
  async *read(
    begin: () => StreamingRead<ResolvedEvent>,
    wantsMore: () => boolean = () => true,
    signal?: AbortSignal,
  ): AsyncGenerator<ResolvedEvent> {
    const retries = this.retries();
    while (wantsMore() && !signal?.aborted) {
      this.mustBeOpen();
      try {
        for await (const resolved of this.#readOnce(begin(), signal)) {
          yield resolved;
          if (signal?.aborted) return;
          retries.reset();
        }
        this.mustBeOpen();
        return;
      } catch (error) {
        if (signal?.aborted) return;
        this.mustBeOpen();
        if ((error as { type?: string }).type === 'stream-not-found') return;
        await retries.afterFailure(error);
      }
    }
  }

  /** One call. It is cancelled however the reader leaves: the client would leave it open. */
  async *#readOnce(call: StreamingRead<ResolvedEvent>, signal: AbortSignal | undefined): AsyncGenerator<ResolvedEvent> {
    const watchdog = new Watchdog(this.#answerWithin, (error) => call.destroy(error));
    const stop = () => call.destroy();
    const over = this.over(signal);
    over.addEventListener('abort', stop);
    try {
      for await (const resolved of call) {
        watchdog.rest();
        yield resolved;
        watchdog.watch();
      }
    } finally {
      over.removeEventListener('abort', stop);
      watchdog.end();
      call.cancel().catch(() => {});
    }
  }

  /** @param pending work that is given the time of one answer to end */
  async close(pending: Iterable<Promise<unknown>>): Promise<void> {
    if (this.isClosed) return;
    await Promise.race([Promise.allSettled(pending), wait(this.#answerWithin, undefined, { ref: false })]);
    this.#closing.abort();
    await this.client.dispose();
    await closeChannel(this.client);
  }
}

/** The repetitions of one request: growing pauses, and an end. */
class Retries {
  readonly #connection: Connection;
  readonly #patience: number;
  #until: number;
  #attempt = 0;

  constructor(connection: Connection, patience: number) {
    this.#connection = connection;
    this.#patience = patience;
    this.#until = performance.now() + patience;
  }

  get isExhausted(): boolean {
    return this.#connection.isClosed || performance.now() > this.#until;
  }

  /** After progress, patience starts again. */
  reset(): void {
    this.#attempt = 0;
    this.#until = performance.now() + this.#patience;
  }

  async pause(): Promise<void> {
    await this.#connection.pause(this.#attempt);
    this.#attempt += 1;
  }

  /** @throws the error when no repetition can help, StoreUnavailable when patience is over */
  async afterFailure(error: unknown): Promise<void> {
    throwIfFinal(error);
    if (this.isExhausted) throw unavailable(error);
    await this.pause();
  }
}

/** Disposing a client ends its calls but leaves its connection open. */
async function closeChannel(client: EventStoreDBClient): Promise<void> {
  const { getChannel } = client as unknown as { getChannel(): Promise<{ close(): void }> };
  (await getChannel().catch(() => undefined))?.close();
}
