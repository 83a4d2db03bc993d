import { z } from 'zod';
import { decode, type Fact } from '#domain/codec';
import { earliest } from '#domain/kernel/instants';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { AnyCommand } from '#domain/ledger';
import {
  BEFORE_FIRST,
  LogReplaced,
  type Patience,
  type Position,
  type RecordedEvent,
  StoreUnavailable,
  type SubscriptionMessage,
} from '#event-store/port';
import { type Effect, type EffectWish, FailureToRecord, type Untimed, unitOf, type Wish } from '../process.ts';
import { Attempt } from './attempt.ts';
import { Lookahead } from './lookahead.ts';
import type { EngineOptions } from './options.ts';
import { type FailingCall, type Parked, ProcessRun, processStatus } from './process-run.ts';

interface TakenWish<AnyWish = Wish> {
  readonly run: ProcessRun;
  readonly wish: AnyWish;
  readonly eventsSeen: number;
}

interface BegunWish<AnyWish = Wish> extends TakenWish<AnyWish> {
  readonly attempt: Attempt;
}

export const engineStatus = z.object({
  position: z.string().describe('The last event that the processes know of.'),
  caughtUpTo: z.string().describe('The end of the log when they last knew all of it.'),
  idle: z.boolean().describe('True when there is nothing to do before the clock moves on.'),
  processes: z.array(processStatus).describe('The processes, one by one.'),
});
export type EngineStatus = z.infer<typeof engineStatus>;

/** This engine lost a unit while it had wishes for it: its state may be out of date and must not be used any more. */
export class UnitLost extends LeadgerError {
  constructor(unit: string) {
    super('unit-lost', `this worker no longer has the lease of ${unit}`);
  }
}

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
  #runs: readonly ProcessRun[];
  readonly #stopping = new AbortController();
  #position: Position = BEFORE_FIRST;
  #eventsSeen = 0;
  #caughtUpTo: Position = BEFORE_FIRST;
  /** A position known to be in the log: it must be folded before wishes are taken again. */
  #target: Position = BEFORE_FIRST;
  /** To the outside, without an answer. */
  readonly #calls = new Set<BegunWish<EffectWish>>();
  #idle = false;
  /** A stream was damaged, or is whole again, since the state was folded. */
  #damagesChanged = false;
  #untilSettled: (() => void)[] = [];
  #wake = Promise.withResolvers<'wake'>();
  /** It was woken since it looked for wishes. */
  #isWoken = false;
  #cancelTimer: () => void = () => {};
  #loop: Promise<void> | undefined;
  #lost: UnitLost | undefined;
  readonly #mayActFor: (unit: string) => boolean;
  readonly #mayBeginFor: (unit: string) => boolean;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { mayActFor = () => true, mayBeginFor = () => true } = options;
    this.#mayActFor = mayActFor;
    this.#mayBeginFor = (unit) => mayActFor(unit) && mayBeginFor(unit);
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
    const head = await this.#options.store.head(patience);
    if (head > this.#target) this.#target = head;
  }

  /** Whether a call to the outside for this unit has no answer yet, or its answer is not recorded. */
  hasCallsFor(unit: string): boolean {
    return [...this.#calls].some(({ run, wish }) => unitOf(run.process.name, wish.part) === unit);
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
        if (this.#lost) throw this.#lost;
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
    const commands = wishes.map(({ run, wish, eventsSeen }) => {
      const attempt = this.#begin(run, wish);
      if ('command' in wish) return this.#sendCommand({ run, wish, eventsSeen, attempt }, wish.command);
      void this.#carryOut({ run, wish, eventsSeen, attempt });
      return undefined;
    });
    await Promise.all(commands);
    return true;
  }

  #takeWishes(): TakenWish[] {
    const { clock, wishesAtOnce = 512 } = this.#options;
    const now = clock.now();
    return this.#actingRuns().flatMap((run) => {
      const { name } = run.process;
      const runs = (part: string) => this.#mayBeginFor(unitOf(name, part));
      const eventsSeen = this.#eventsSeen;
      return run.next({ now, eventsSeen, runs }, wishesAtOnce).map((wish) => ({ run, wish, eventsSeen }));
    });
  }

  /** Those in parts may have one of ours. */
  #actingRuns(): readonly ProcessRun[] {
    return this.#runs.filter(({ process: { name, inParts } }) => inParts || this.#mayBeginFor(name));
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

  #begin(run: ProcessRun, wish: Wish): Attempt {
    run.begun(wish, this.#options.clock.now());
    return new Attempt(run, wish, this.#options.activities);
  }

  async #carryOut(taken: BegunWish<EffectWish>): Promise<void> {
    const { run, wish, attempt } = taken;
    this.#calls.add(taken);
    try {
      if (!this.#isMine(run, wish)) return;
      const command = await attempt.ofEffect(() => this.#perform(run, wish));
      if (command) await this.#sendCommand(taken, command);
      else attempt.succeeded(this.#options.clock.now());
    } catch (error) {
      const notRecorded = await this.#record(taken, error);
      attempt.failed(notRecorded ?? error, this.#options.clock.now());
    } finally {
      this.#calls.delete(taken);
      this.#kick();
    }
  }

  #perform(run: ProcessRun, wish: EffectWish): Promise<Untimed<AnyCommand> | undefined> {
    const { effect, commandId } = wish;
    // Each handler takes the effects of its own kind, which the compiler cannot see through the table.
    const handle = this.#options.effects[effect.kind] as (
      effect: Effect,
      idempotencyKey: string,
      isStillMine: () => boolean,
    ) => Promise<Untimed<AnyCommand> | undefined>;
    const mayBegin = () => this.#isMine(run, wish) && this.#mayBeginFor(unitOf(run.process.name, wish.part));
    return handle(effect, commandId, () => !this.#stopping.signal.aborted && mayBegin());
  }

  async #sendCommand(taken: BegunWish, untimed: Untimed<AnyCommand>): Promise<void> {
    const { run, wish, attempt } = taken;
    if (!this.#isMine(run, wish)) return;
    try {
      const result = await this.#send(taken, wish.commandId, untimed);
      if ('refusal' in result) run.process.refused?.(run.state, wish, result.refusal);
      attempt.succeeded(this.#options.clock.now(), result);
    } catch (error) {
      attempt.failed(error, this.#options.clock.now());
    }
  }

  /** Records a failed call, if it is to be recorded. @returns why that was not possible */
  async #record(taken: TakenWish<EffectWish>, failure: unknown): Promise<unknown> {
    if (!(failure instanceof FailureToRecord) || !this.#isMine(taken.run, taken.wish)) return undefined;
    try {
      await this.#send(taken, failure.commandId, failure.record);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #send({ run, wish, eventsSeen }: TakenWish, commandId: string, untimed: Untimed<AnyCommand>) {
    const { clock, send } = this.#options;
    const { name } = run.process;
    const { stream, because } = wish;
    const command = { ...untimed, at: clock.now() } as AnyCommand;
    const unit = unitOf(name, wish.part);
    const result = await send({ commandId, stream, command, actor: `process:${name}`, unit, because, eventsSeen });
    if ('position' in result && result.position > this.#target) this.#target = result.position;
    return result;
  }

  #isMine(run: ProcessRun, { part }: Wish): boolean {
    const unit = unitOf(run.process.name, part);
    if (this.#mayActFor(unit)) return true;
    this.#lost ??= new UnitLost(unit);
    return false;
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
    const isSettled = idle && this.#calls.size === 0;
    if (!isSettled && !this.#stopping.signal.aborted) return;
    for (const resolve of this.#untilSettled.splice(0)) resolve();
  }
}
