import { z } from 'zod';
import { decode, type Fact } from '#domain/codec';
import { earliest } from '#domain/kernel/instants';
import { LeadgerError } from '#domain/kernel/leadger-error';
import {
  BEFORE_FIRST,
  LogReplaced,
  type Patience,
  type Position,
  type RecordedEvent,
  StoreUnavailable,
  type SubscriptionMessage,
} from '#event-store/port';
import { unitOf } from '../process.ts';
import { Lookahead } from './lookahead.ts';
import type { EngineOptions } from './options.ts';
import { type FailingCall, type Parked, ProcessRun, processStatus } from './process-run.ts';
import { type TakenWish, WishesUnderWay } from './wishes-under-way.ts';

export const engineStatus = z.object({
  position: z.string().describe('The last event that the processes know of.'),
  caughtUpTo: z.string().describe('The end of the log when they last knew all of it.'),
  idle: z.boolean().describe('True when there is nothing to do before the clock moves on.'),
  processes: z.array(processStatus).describe('The processes, one by one.'),
});
export type EngineStatus = z.infer<typeof engineStatus>;

class DamagesChanged extends LeadgerError {
  constructor() {
    super('damages-changed', 'a stream was damaged, or is whole again');
  }
}

const unlessAway = (error: unknown): void => {
  if (!(error instanceof StoreUnavailable)) throw error;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Runs processes over the log: folds new facts, takes the wishes of each process, carries them out, folds the resulting
 * facts, and so on until there are no more wishes. There is one loop, and wishes are taken only at the end of the log.
 *
 * After a crash, wishes whose events were not folded yet are carried out again: their ids and the deciders make that
 * harmless. A failure holds up only its own stream (ADR 4).
 */
export class ProcessEngine {
  readonly #options: EngineOptions;
  readonly #wishes: WishesUnderWay;
  #runs: readonly ProcessRun[];
  readonly #stopping = new AbortController();
  #position: Position = BEFORE_FIRST;
  #eventsSeen = 0;
  #caughtUpTo: Position = BEFORE_FIRST;
  /** A position known to be in the log: it must be folded before wishes are taken again. */
  #target: Position = BEFORE_FIRST;
  #idle = false;
  /** A stream was damaged, or is whole again, since the state was folded. */
  #damagesChanged = false;
  #untilSettled: (() => void)[] = [];
  #wake = Promise.withResolvers<'wake'>();
  /** It was woken since it looked for wishes. */
  #isWoken = false;
  #cancelTimer: () => void = () => {};
  #loop: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#wishes = new WishesUnderWay(options, this.#stopping.signal, {
      appended: (position) => this.#mustFold(position),
      callEnded: () => this.#kick(),
    });
    this.#runs = this.#newRuns();
  }

  /**
   * Folds the log and acts once it is at the end. Resolves when stopped; rejects with UnitLost, or when the log cannot be
   * read any more.
   */
  start(): Promise<void> {
    this.#loop ??= this.#run();
    return this.#loop;
  }

  /** Finishes the commands under way. Calls to the outside that have no result are repeated at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#kick();
    await this.#loop?.catch(() => {});
    this.#cancelTimer();
  }

  /** Resolves when every fact is folded, there is no wish until the clock moves on, and every call to the outside has ended. */
  async settle(): Promise<void> {
    await this.foldToEnd({ until: Number.POSITIVE_INFINITY });
    if (this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#untilSettled.push(resolve);
      this.#kick();
    });
  }

  /** To be called before this worker acts for another unit: the log up to its present end will be folded first. */
  async foldToEnd(patience?: Patience): Promise<void> {
    this.#mustFold(await this.#options.store.head(patience));
  }

  #mustFold(position: Position): void {
    if (position > this.#target) this.#target = position;
  }

  /** Whether a call to the outside for this unit has no answer yet, or its answer is not recorded. */
  hasCallsFor(unit: string): boolean {
    return this.#wishes.hasCallsFor(unit);
  }

  /** To be called when the engine may act for more than before: it takes wishes that it had to leave until now. */
  wake(): void {
    this.#kick();
  }

  status(): EngineStatus {
    return {
      position: this.#position,
      caughtUpTo: this.#caughtUpTo,
      idle: this.#idle,
      processes: [...this.#runs.map((run) => run.status()), ...(this.#options.besides?.() ?? [])],
    };
  }

  parked(): readonly Parked[] {
    return this.#runs.flatMap((run) => run.parked());
  }

  failingCalls(): readonly FailingCall[] {
    return this.#runs.flatMap((run) => run.failingCalls());
  }

  /** Tries a parked item again. @returns false when nothing is parked under this id */
  retry(id: string): boolean {
    const found = this.#runs.some((run) => run.retry(id, this.#options.clock.now()));
    if (found) this.#kick();
    return found;
  }

  /**
   * After an older copy of the log was restored, everything is folded anew; also without a stream that was damaged, and with
   * one that is whole again. What is under way ends with the former state.
   */
  async #run(): Promise<void> {
    const { damages } = this.#options.store;
    const end = damages?.onChange(() => {
      this.#damagesChanged = true;
      this.#kick();
    });
    if (damages) await Promise.race([damages.searched(), aborted(this.#stopping.signal)]);
    await this.#runUntilStopped().finally(end);
  }

  async #runUntilStopped(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        // It returns when the engine or the event store is closed.
        return await this.#follow();
      } catch (error) {
        if (!(error instanceof LogReplaced || error instanceof DamagesChanged)) throw error;
        console.warn(`leadger: the processes begin anew: ${error.message}`);
        this.#beginAnew();
      }
    }
  }

  #newRuns(): readonly ProcessRun[] {
    const { processes, store } = this.#options;
    return processes.map((process) => new ProcessRun(process, store.damages));
  }

  #beginAnew(): void {
    this.#options.forget?.();
    this.#runs = this.#newRuns();
    this.#damagesChanged = false;
    this.#position = BEFORE_FIRST;
    this.#caughtUpTo = BEFORE_FIRST;
    this.#eventsSeen = 0;
  }

  async #follow(): Promise<void> {
    this.#target = await this.#options.store.head({ until: Number.POSITIVE_INFINITY });
    const over = new AbortController();
    const messages = new Lookahead(this.#subscribe(over.signal));
    try {
      let atEnd = false;
      while (!this.#stopping.signal.aborted) {
        while (!atEnd || this.#caughtUpTo < this.#target) {
          const message = await messages.next();
          if (!message) return;
          atEnd = this.#take(message);
        }
        if (this.#damagesChanged) throw new DamagesChanged();
        this.#isWoken = false;
        if (await this.#act()) continue;
        if (this.#wishes.lost) throw this.#wishes.lost;
        atEnd = (await this.#rest(messages.upcoming)) === 'wake';
      }
    } finally {
      // It waits for the next event, which may never come.
      over.abort();
      await messages.close();
      this.#setIdle(false);
    }
  }

  #subscribe(over: AbortSignal): AsyncIterator<SubscriptionMessage> {
    const signal = AbortSignal.any([this.#stopping.signal, over]);
    return this.#options.store.subscribe({ after: BEFORE_FIRST, signal })[Symbol.asyncIterator]();
  }

  /** @returns whether the end of the log is reached */
  #take(message: SubscriptionMessage): boolean {
    if (message.kind === 'event') this.#fold(message.event);
    if (message.kind === 'caught-up') this.#caughtUpTo = message.position;
    return message.kind === 'caught-up';
  }

  #fold(event: RecordedEvent): void {
    this.#position = event.position;
    this.#eventsSeen += 1;
    const subscribers = this.#runs.filter((run) => run.subscribesTo(event.type));
    if (subscribers.length === 0) return;
    const now = this.#options.clock.now();
    let fact: Fact;
    try {
      fact = decode(event);
    } catch (error) {
      for (const run of subscribers) run.parkUnreadable(event, error, now);
      return;
    }
    for (const run of subscribers) run.fold(fact, now);
  }

  /** Takes the wishes of every process and carries them out. @returns whether there were any */
  async #act(): Promise<boolean> {
    const wishes = this.#takeWishes();
    if (wishes.length === 0) return false;
    await this.#options.warm?.(wishes.map(({ wish }) => wish.stream));
    await Promise.all(wishes.map((taken) => this.#wishes.begin(taken)));
    return true;
  }

  #takeWishes(): TakenWish[] {
    const { clock, wishesAtOnce = 512 } = this.#options;
    const now = clock.now();
    return this.#actingRuns().flatMap((run) => {
      const { name } = run.process;
      const runs = (part: string) => this.#wishes.mayBeginFor(unitOf(name, part));
      const eventsSeen = this.#eventsSeen;
      return run.next({ now, eventsSeen, runs }, wishesAtOnce).map((wish) => ({ run, wish, eventsSeen }));
    });
  }

  /** Those in parts may have one of ours. */
  #actingRuns(): readonly ProcessRun[] {
    return this.#runs.filter(({ process: { name, inParts } }) => inParts || this.#wishes.mayBeginFor(name));
  }

  /** Waits for a new event, the next due instant, or a call that wakes the engine. */
  async #rest(upcoming: Promise<unknown>): Promise<'news' | 'wake'> {
    this.#setTimer();
    if (!this.#isWoken) this.#setIdle(true);
    const reason = await Promise.race([upcoming.then(() => 'news' as const), this.#wake.promise]);
    this.#setIdle(false);
    if (reason === 'wake') this.#wake = Promise.withResolvers();
    return reason;
  }

  /** What is due for a unit of another worker would ring again and again. */
  #setTimer(): void {
    this.#cancelTimer();
    const wakesAt = earliest(this.#actingRuns().map((run) => run.wakesAt()));
    if (wakesAt === undefined) return;
    const settled = () => this.settle().catch(unlessAway);
    this.#cancelTimer = this.#options.clock.at(wakesAt, () => this.#kick(), settled);
  }

  #kick(): void {
    this.#idle = false;
    this.#isWoken = true;
    this.#wake.resolve('wake');
  }

  #setIdle(idle: boolean): void {
    this.#idle = idle;
    const isSettled = idle && !this.#wishes.hasCalls;
    if (!isSettled && !this.#stopping.signal.aborted) return;
    for (const resolve of this.#untilSettled.splice(0)) resolve();
  }
}
