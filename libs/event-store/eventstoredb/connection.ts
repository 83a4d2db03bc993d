import { setTimeout as wait } from 'node:timers/promises';
import { BACKWARDS, END, type EventStoreDBClient, type ResolvedEvent, type StreamingRead } from '@eventstore/db-client';
import { OutageCount, type Outages } from '#domain/kernel/outages';
import { StoreUnavailable } from '../port.ts';
import { parseConnectionString } from './connection-string.ts';
import {
  isAccessRefused,
  isAccountRefused,
  isUnexpectedByServer,
  PositionRefused,
  throwIfFinal,
  unavailable,
} from './failures.ts';
import { NodeLink } from './node-link.ts';
import { OutageLog } from './outage-log.ts';
import { ReadTurns } from './read-turns.ts';
import { Watchdog } from './watchdog.ts';

export interface EventStoreDbOptions {
  /** `esdb://…` or `kurrentdb://…`: hosts, TLS, credentials, as `docs/stores.md` describes. */
  readonly connectionString: string;
  /** Default: the log is ours alone. Else only streams whose names begin so are ours, and no other events are read. */
  readonly streamPrefixes?: readonly string[];
  /** A request without an answer fails after this time. Default: 3,000 for appends, 10,000 for reads. */
  readonly answerWithinMilliseconds?: number;
  /** How long requests are repeated while the server is unreachable, in milliseconds. Default: 10,000. */
  readonly patienceMilliseconds?: number;
  /** Whether opening waits for a server that is away as long as it takes. Default: only as long as for other requests. */
  readonly waitForServer?: boolean;
  /** Takes a line every five seconds while the server is away, and one when it is back. */
  readonly log?: (line: string) => void;
}

const MILLISECONDS_BETWEEN_QUESTIONS = 500;
const APPENDS_FORGOTTEN_AFTER_MILLISECONDS = 5000;
/** Who is late all the same gives the server this time. */
const SHORTEST_MILLISECONDS = 1000;
const BACKOFF_MILLISECONDS = [50, 100, 200, 500, 1000, 2000];

/** The connection to one server or cluster: time limits, repeated calls, and the end of it all. */
export class Connection {
  readonly link: NodeLink;
  readonly #outages = new OutageCount();
  readonly #outage: OutageLog;
  readonly #searchEvery: number;
  readonly #appendWithin: number;
  readonly #readWithin: number;
  readonly #patience: number;
  readonly #closing = new AbortController();
  readonly #turns = new ReadTurns();
  #appendFailedAt = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  private constructor({ connectionString, log = () => {}, ...limits }: EventStoreDbOptions) {
    const address = parseConnectionString(connectionString);
    this.#outage = new OutageLog(log, this.#outages);
    this.#searchEvery = address.discoveryIntervalMilliseconds;
    this.link = new NodeLink(address, log, this.#outages);
    this.#appendWithin = limits.answerWithinMilliseconds ?? 3000;
    this.#readWithin = limits.answerWithinMilliseconds ?? 10_000;
    this.#patience = limits.patienceMilliseconds ?? 10_000;
  }

  /** Asks the hosts for the node to use. @throws CannotConnect, StoreUnavailable */
  static async open(options: EventStoreDbOptions): Promise<Connection> {
    const connection = new Connection(options);
    const until = options.waitForServer ? Number.POSITIVE_INFINITY : undefined;
    try {
      await connection.retries(until).untilFound();
      return connection;
    } catch (error) {
      await connection.close([]);
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  outages(): Outages {
    return this.#outages.upTo(performance.now());
  }

  /** @throws StoreUnavailable */
  mustBeOpen(): void {
    if (this.isClosed) throw new StoreUnavailable('the event store was closed');
  }

  /** Aborted by the caller's signal or by closing the connection. */
  over(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }

  /** @param until when they end, as `performance.now()` counts. Default: after the usual patience without progress */
  retries(until?: number): Retries {
    return new Retries(this, until === undefined ? { patience: this.#patience } : { until });
  }

  /** When a caller gives up who did not say. */
  usualUntil(): number {
    return performance.now() + this.#patience;
  }

  async pause(milliseconds: number, over: AbortSignal = this.#closing.signal): Promise<void> {
    await wait(milliseconds, undefined, { signal: over }).catch(() => {});
  }

  /** Grows with each failure, and is at least the `discoveryInterval` of the connection string. */
  pauseAfter(failures: number): number {
    return Math.max(this.#searchEvery, BACKOFF_MILLISECONDS[failures] ?? (BACKOFF_MILLISECONDS.at(-1) as number));
  }

  /**
   * For what goes on until it is aborted: waits for a while, and looks where the leader is. The account was accepted before, and
   * may be again; so may a right that was taken away.
   * @throws what is final
   */
  async recover(error: unknown, failures: number, over: AbortSignal): Promise<void> {
    if (over.aborted) return;
    if (isAccessRefused(error)) this.#noteRefused(error, false);
    else throwIfFinal(error);
    await this.pause(this.pauseAfter(failures), over);
    if (!over.aborted) await this.link.search();
  }

  /** The server answered. */
  works(): void {
    this.#outage.isBack();
  }

  /** Where the server refuses the account, and not only one stream: that is said like an outage. */
  noteIfRefused(error: unknown, isAppend = false): void {
    if (isAccountRefused(error)) this.#noteRefused(error, isAppend);
  }

  #noteRefused(error: unknown, isAppend: boolean): void {
    const { message } = error as Error;
    this.doesNotWork(`${this.link.nodeName ?? 'the host'}: it refuses this account: ${message}`, isAppend);
  }

  /** There is a node, and yet it does not do what it should. It is asked until it does: who noticed may not ask again. */
  doesNotWork(reason: string, isAppend: boolean): void {
    if (isAppend) this.#appendFailedAt = performance.now();
    this.#outage.away(reason);
    if (!this.#isAsking) void this.#askUntilItWorks();
  }

  async #askUntilItWorks(): Promise<void> {
    this.#isAsking = true;
    while (this.#outage.isOpen && !this.isClosed) {
      await this.pause(MILLISECONDS_BETWEEN_QUESTIONS);
      await this.#askForEnd().catch(() => {});
    }
    this.#isAsking = false;
  }

  async #askForEnd(): Promise<void> {
    await this.#readEnd(this.#readWithin);
    // A node that answers reads may still answer no append: that, the next append tells, if there is one.
    if (performance.now() - this.#appendFailedAt > APPENDS_FORGOTTEN_AFTER_MILLISECONDS) this.works();
  }

  async #readEnd(limit: number): Promise<void> {
    const end = { direction: BACKWARDS, fromPosition: END, maxCount: 1 } as const;
    for await (const _ of this.#readOnce(this.link.reads.readAll(end), { limit }));
  }

  /**
   * The client itself would wait for ever. A plain timer, because promises and signals would cost more than the rest of
   * an append.
   * @throws an error when no answer to an append comes in time
   */
  answered<Result>(request: Promise<Result>, atMost = Number.POSITIVE_INFINITY): Promise<Result> {
    const limit = Math.min(this.#appendWithin, Math.max(SHORTEST_MILLISECONDS, atMost));
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer within ${Math.round(limit)} ms`)), limit);
      const inTime =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(late);
          settle(value);
        };
      request.then(inTime(resolve), inTime(reject));
    });
  }

  /**
   * Reads when it is its turn, and continues where it was when the connection breaks or stops answering.
   * @param begin makes the next call
   */
  async *read(begin: BeginRead, limits: ReadLimits = {}): AsyncGenerator<ResolvedEvent> {
    const { wantsMore = () => true, signal, until = this.usualUntil() } = limits;
    if (!wantsMore() || signal?.aborted) return;
    this.mustBeOpen();
    if (!(await this.#turns.take(until, signal))) return;
    try {
      yield* this.#readInTurn(begin, { ...limits, wantsMore });
    } finally {
      this.#turns.end();
    }
  }

  async *#readInTurn(
    begin: BeginRead,
    {
      wantsMore,
      signal,
      until,
      awaitsAccess = false,
      scans = false,
      looksAtPosition = false,
    }: ReadLimits & { wantsMore: () => boolean },
  ): AsyncGenerator<ResolvedEvent> {
    const retries = this.retries(until);
    while (wantsMore() && !signal?.aborted) {
      this.mustBeOpen();
      try {
        const limit = Math.min(this.#readWithin, Math.max(SHORTEST_MILLISECONDS, retries.millisecondsLeft));
        const mayBeSilent = scans && (() => this.#answersOthers(limit, retries));
        for await (const resolved of this.#readOnce(begin(this.link.reads), { limit, signal, mayBeSilent })) {
          yield resolved;
          if (signal?.aborted) return;
          retries.reset();
        }
        this.mustBeOpen();
        this.works();
        return;
      } catch (error) {
        if (signal?.aborted) return;
        this.mustBeOpen();
        if ((error as { type?: string }).type === 'stream-not-found') return this.works();
        if (looksAtPosition && isUnexpectedByServer(error)) throw new PositionRefused({ cause: error });
        this.noteIfRefused(error);
        await retries.afterFailure(error, { awaitsAccess });
      }
    }
  }

  /** A server that looks through millions of events of others says nothing meanwhile. It is there when it answers other reads. */
  async #answersOthers(limit: number, retries: Retries): Promise<boolean> {
    await this.#readEnd(limit);
    retries.reset();
    return !retries.isExhausted;
  }

  /** One call. It is cancelled however the reader leaves: the client would leave it open. */
  async *#readOnce(
    call: StreamingRead<ResolvedEvent>,
    { limit, signal, mayBeSilent }: CallLimits,
  ): AsyncGenerator<ResolvedEvent> {
    const watchdog = new Watchdog(limit, async (error) => {
      watchdog.rest();
      if (mayBeSilent && (await mayBeSilent().catch(() => false))) watchdog.watch();
      else call.destroy(error);
    });
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
    await Promise.race([Promise.allSettled(pending), wait(this.#appendWithin, undefined, { ref: false })]);
    this.#closing.abort();
    this.#turns.close();
    this.#outage.stop();
    await this.link.close();
  }
}

type BeginRead = (client: EventStoreDBClient) => StreamingRead<ResolvedEvent>;

export interface ReadLimits {
  readonly wantsMore?: () => boolean;
  /** Waits for a right that the account does not have. */
  readonly awaitsAccess?: boolean;
  /** The server filters: it may be silent as long as it looks through what does not pass. */
  readonly scans?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** When the reader gives up, as `performance.now()` counts. */
  readonly until?: number | undefined;
  /** It is only asked what is at a position, which may be none of this log. */
  readonly looksAtPosition?: boolean;
}

interface CallLimits {
  /** Milliseconds without anything received. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether a call that received nothing for so long goes on. */
  readonly mayBeSilent?: false | (() => Promise<boolean>);
}

/** The repetitions of one request: growing pauses, and an end. */
class Retries {
  readonly #connection: Connection;
  readonly #patience: number | undefined;
  #until: number;
  #attempt = 0;

  constructor(connection: Connection, end: { patience: number } | { until: number }) {
    this.#connection = connection;
    this.#patience = 'patience' in end ? end.patience : undefined;
    this.#until = 'until' in end ? end.until : performance.now() + end.patience;
  }

  get isExhausted(): boolean {
    return this.#connection.isClosed || this.millisecondsLeft <= 0;
  }

  get millisecondsLeft(): number {
    return this.#until - performance.now();
  }

  /** After progress, patience starts again. */
  reset(): void {
    this.#attempt = 0;
    if (this.#patience !== undefined) this.#until = performance.now() + this.#patience;
  }

  /**
   * Waits for a while, then until there is a node to use.
   * @param unanswered the client whose append was not answered: it is replaced
   * @throws the error when no repetition can help, StoreUnavailable when patience is over
   */
  async afterFailure(
    error: unknown,
    { unanswered, awaitsAccess = false }: { unanswered?: EventStoreDBClient | undefined; awaitsAccess?: boolean } = {},
  ): Promise<void> {
    if (!(awaitsAccess && isAccessRefused(error))) throwIfFinal(error);
    if (this.isExhausted) throw unavailable(error);
    await this.#pause();
    // After an outage, what failed in it says nothing of now.
    const wasThere = await this.untilFound({ error, unanswered });
    if (wasThere) this.#connection.doesNotWork((error as Error).message, unanswered !== undefined);
  }

  /** @returns whether it was found at once @throws CannotConnect; StoreUnavailable when there is no node to use in time */
  async untilFound({ error, unanswered }: { error?: unknown; unanswered?: EventStoreDBClient | undefined } = {}) {
    const { link } = this.#connection;
    let atOnce = true;
    while (!(await this.#inTime(unanswered ? link.renew(unanswered) : link.search()))) {
      if (this.isExhausted) throw unavailable(error ?? new Error(link.reasons));
      atOnce = false;
      await this.#pause();
    }
    return atOnce;
  }

  async #pause(): Promise<void> {
    const milliseconds = this.#connection.pauseAfter(this.#attempt);
    await this.#connection.pause(Math.max(0, Math.min(milliseconds, this.millisecondsLeft)));
    this.#attempt += 1;
  }

  /** Asking hosts that are frozen takes longer than some callers have. */
  async #inTime<Result>(search: Promise<Result>): Promise<Result | undefined> {
    if (!Number.isFinite(this.#until)) return search;
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(late.resolve, Math.max(0, this.millisecondsLeft), undefined).unref();
    return Promise.race([search, late.promise]).finally(() => clearTimeout(timer));
  }
}
