import { setTimeout as wait } from 'node:timers/promises';
import type { Damages } from './damage.ts';
import { askedTogether } from './in-turn.ts';
import { isThere, landmarkOf } from './landmarks.ts';
import { passedOn } from './passed-on.ts';
import {
  type EventStore,
  type Landmark,
  LogLost,
  LogReplaced,
  NoSuchPosition,
  type Patience,
  StoreUnavailable,
  type SubscribeOptions,
  type SubscriptionMessage,
} from './port.ts';

interface SameLogOptions {
  /** Why the log is not the one that the program was started on; undefined: it is. */
  readonly whyAnother: (store: EventStore) => Promise<string | undefined>;
  readonly log: (line: string) => void;
}

const MILLISECONDS_BETWEEN_LOOKS = 1000;
const MILLISECONDS_BETWEEN_TRIES = 100;
/** Who gives no time to wait does not fail because one connection broke after the other. */
const MOST_LOOKS = 5;
const MILLISECONDS_BETWEEN_LINES = 5000;

/**
 * A server may come back with an empty log, or with that of others: its volume was lost, or the wrong one was mounted. Whoever
 * went on would begin a second ledger under the keys of the first one, and empty what was made of that. So whenever a connection
 * broke, the log is looked at before anything is believed or written. While it is another one, all calls fail, and those who
 * follow it wait. When the log is put back, they go on.
 */
export function sameLogOf(store: EventStore, options: SameLogOptions): EventStore {
  const watch = new LogIdentity(store, options);
  store.askBeforeAppends?.(() => watch.mustBeSame());
  const { answers, damages } = store;
  return {
    ...passedOn(store),
    ...(damages && { damages: seenWhile(() => watch.isSame, damages) }),
    append: (stream, events, expected, patience) =>
      watch.during(() => store.append(stream, events, expected, patience), patience),
    readStream: (stream, read) => watch.whileReading(store.readStream(stream, read), read),
    readAll: (read) => watch.whileReading(store.readAll(read)),
    subscribe: (subscribe) => watch.follow(subscribe),
    head: (patience) => watch.whileSame(() => store.head(patience), patience),
    placeAt: (position) => watch.looking(() => store.placeAt(position)),
    identity: () => watch.looking(() => store.identity()),
    ...(answers && { answers: (patience) => watch.whileSame(() => answers.call(store, patience), patience) }),
    limits: store.limits,
    async close() {
      watch.stop();
      await store.close();
    },
  };
}

/** What others do to the streams of another log says nothing of ours. */
const seenWhile = (isSame: () => boolean, damages: Damages): Damages => ({
  of: (stream) => damages.of(stream),
  all: () => damages.all(),
  get sight() {
    return isSame() ? damages.sight : 'away';
  },
  searched: () => damages.searched(),
  onChange: (changed) => damages.onChange(changed),
});

/** Knows whether the log is the one of before. */
class LogIdentity {
  readonly #store: EventStore;
  readonly #options: SameLogOptions;
  readonly #look: () => Promise<void>;
  readonly #over = new AbortController();
  #breaksLookedAt: number;
  #lost: LogLost | undefined;
  #nextLineAt = 0;

  constructor(store: EventStore, options: SameLogOptions) {
    this.#store = store;
    this.#options = options;
    this.#breaksLookedAt = this.#breaks;
    this.#look = askedTogether(() => this.#lookOnce());
    void this.#keepLooking();
  }

  stop(): void {
    this.#over.abort();
  }

  /** @throws LogLost */
  async during<Result>(call: () => Promise<Result>, patience?: Patience): Promise<Result> {
    await this.mustBeSame(patience);
    return call();
  }

  /** A call whose answer may come from another log than the one that it was sent to. @throws LogLost */
  async looking<Result>(call: () => Promise<Result>): Promise<Result> {
    const answer = await this.during(call);
    await this.#look();
    this.#mustNotBeLost();
    return answer;
  }

  async *whileReading<Item>(items: AsyncIterable<Item>, patience?: Patience): AsyncGenerator<Item> {
    await this.mustBeSame(patience);
    yield* items;
    await this.mustBeSame(patience);
  }

  /** Who waits without an end waits here, too. */
  async whileSame<Result>(call: () => Promise<Result>, patience?: Patience): Promise<Result> {
    if (patience?.until === Number.POSITIVE_INFINITY) await this.#untilSame(this.#over.signal);
    await this.mustBeSame(patience);
    const answer = await call();
    await this.mustBeSame(patience);
    return answer;
  }

  /** In another log, the place of a follower is not there. It is there again when the log is put back. */
  async *follow({ after, filter, signal }: SubscribeOptions): AsyncGenerator<SubscriptionMessage> {
    if (this.#over.signal.aborted) throw new StoreUnavailable('the event store was closed');
    const over = signal ? AbortSignal.any([signal, this.#over.signal]) : this.#over.signal;
    let newest: Landmark | undefined;
    let at = after;
    while (!over.aborted) {
      await this.#untilSame(over);
      if (over.aborted) return;
      try {
        if (newest && !(await this.looking(() => isThere(this.#store, newest as Landmark))))
          throw new LogReplaced(newest);
        for await (const message of this.#store.subscribe({ after: at, ...(filter && { filter }), signal: over })) {
          if (message.kind === 'event') newest = landmarkOf(message.event);
          at = message.kind === 'event' ? message.event.position : message.position;
          yield message;
        }
        return;
      } catch (error) {
        if (!(error instanceof LogLost) && !(await this.#isOfAnotherLog(error))) throw error;
      }
    }
  }

  async #isOfAnotherLog(error: unknown): Promise<boolean> {
    if (!(error instanceof LogReplaced || error instanceof NoSuchPosition)) return false;
    await this.#look().catch(() => {});
    return !this.isSame;
  }

  /** As far as known: an outage or another log says nothing of it. */
  get isSame(): boolean {
    return !this.#lost && !this.#isUnsure;
  }

  get #breaks(): number {
    return this.#store.breaks?.() ?? 0;
  }

  get #isUnsure(): boolean {
    return this.#breaks !== this.#breaksLookedAt;
  }

  /** @returns undefined when it is known already @throws LogLost; StoreUnavailable when the log cannot be looked at in time */
  mustBeSame({ until }: Patience = {}): Promise<void> | undefined {
    if (this.isSame) return undefined;
    return this.#lookUntil(until);
  }

  async #lookUntil(until: number | undefined): Promise<void> {
    while (this.#isUnsure) {
      try {
        await inTime(this.#look(), until);
      } catch (error) {
        const isOver = this.#over.signal.aborted || until === undefined || performance.now() >= until;
        if (isOver || !(error instanceof StoreUnavailable)) throw error;
        await pause(MILLISECONDS_BETWEEN_TRIES, this.#over.signal);
      }
    }
    this.#mustNotBeLost();
  }

  #mustNotBeLost(): void {
    if (this.#lost) throw this.#lost;
  }

  async #untilSame(over: AbortSignal): Promise<void> {
    while (!over.aborted && !this.isSame) {
      if (!this.#lost) await this.#look().catch(() => {});
      if (!this.isSame) await pause(MILLISECONDS_BETWEEN_LOOKS, over);
    }
  }

  async #lookOnce(): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const breaks = this.#breaks;
      const why = await this.#options.whyAnother(this.#store);
      // What was seen over a connection that broke meanwhile says nothing of the next one.
      if (breaks !== this.#breaks) continue;
      this.#breaksLookedAt = breaks;
      this.#note(why);
      return;
    }
    throw new StoreUnavailable('the connection to the event store broke');
  }

  #note(why: string | undefined): void {
    const { log } = this.#options;
    if (why === undefined) {
      if (this.#lost) log('the log of the event store is the right one again');
      this.#lost = undefined;
      return;
    }
    const now = performance.now();
    if (!this.#lost) this.#nextLineAt = now;
    this.#lost = new LogLost(why);
    if (now < this.#nextLineAt) return;
    this.#nextLineAt = now + MILLISECONDS_BETWEEN_LINES;
    log(`${why}: until then nothing is read or written`);
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await pause(MILLISECONDS_BETWEEN_LOOKS, signal);
      if (!signal.aborted && !this.isSame) await this.#look().catch(() => {});
    }
  }
}

function inTime(looked: Promise<void>, until = Number.POSITIVE_INFINITY): Promise<void> {
  if (until === Number.POSITIVE_INFINITY) return looked;
  const over = new AbortController();
  const late = wait(Math.max(0, until - performance.now()), undefined, { signal: over.signal }).then(() => {
    throw new StoreUnavailable('the event store could not be reached in time; nothing was sent');
  });
  return Promise.race([looked, late]).finally(() => {
    over.abort();
    late.catch(() => {});
  });
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  wait(milliseconds, undefined, { signal, ref: false }).catch(() => {});
