import { setImmediate as nextTurn } from 'node:timers/promises';
import { decode, type Fact } from '#domain/codec';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import type { AnyCommand } from '#domain/ledger';
import {
  BEFORE_FIRST,
  type EventStore,
  type Position,
  type RecordedEvent,
  type SubscriptionMessage,
} from '#event-store/port';
import type { Clock } from '#gateways/clock';
import { type CommandWish, type Effect, type EffectWish, type Untimed, unitOf, type Wish } from '../process.ts';
import { type AnyProcess, type Parked, ProcessRun } from './process-run.ts';

/** A command as it leaves the engine: with its instant, and with who wants it and why. */
export interface Sent {
  readonly commandId: string;
  readonly stream: string;
  readonly command: AnyCommand;
  readonly actor: string;
  /** The process, or the part of it, that wants it. */
  readonly unit: string;
  readonly because: Fact | undefined;
}

/** How the ledger answered: up to where a reader sees what was done, or which rule said no. */
export type Answer = { readonly position: Position } | { readonly refusal: Refusal };

export interface EngineOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** Asked in this order. */
  readonly processes: readonly AnyProcess[];
  /** Sends a command to the ledger. A refusal is an answer; an error is none: the command is tried again. */
  readonly send: (sent: Sent) => Promise<Answer>;
  /** Has streams loaded, so that the commands for them are decided in the order in which they are sent. */
  readonly warm?: (streams: readonly string[]) => Promise<void>;
  /** Calls to the outside. What one returns is sent as a command. The key makes a repeated call the same call. */
  readonly effects: {
    readonly [Kind in Effect['kind']]: (
      effect: Extract<Effect, { kind: Kind }>,
      idempotencyKey: string,
    ) => Promise<Untimed<AnyCommand>>;
  };
  /** Whether this engine may act for a unit at this moment; asked at the last one before it does. Default: for all. */
  readonly mayActFor?: (unit: string) => boolean;
  /** The most wishes taken from one process at a time. */
  readonly wishesAtOnce?: number;
}

export interface EngineStatus {
  /** The last fact that was folded, and the end of the log when that was last reached. */
  readonly position: string;
  readonly caughtUpTo: string;
  readonly idle: boolean;
  readonly processes: readonly {
    readonly name: string;
    readonly waitingForRetry: number;
    readonly parked: number;
    readonly lastError: string | undefined;
    readonly wakesAt: Instant | undefined;
  }[];
}

/** A unit was taken away while something was wished for it: what this engine believes is not to be trusted any more. */
export class UnitLost extends Error {}

/**
 * Runs processes over the log: folds what is new, asks each process what is to be done, does it, folds what came of it,
 * and so on until nobody wishes anything. One loop; a process is asked only at the end of the log.
 *
 * A crash repeats wishes whose events were not folded yet: their ids and the deciders make the repeat harmless. A
 * failure holds up the one stream it happened on (ADR 4).
 */
export class ProcessEngine {
  readonly #options: EngineOptions;
  readonly #runs: readonly ProcessRun[];
  readonly #stopping = new AbortController();
  #position: Position = BEFORE_FIRST;
  #caughtUpTo: Position = BEFORE_FIRST;
  /** What is known to be in the log and must be folded before anybody is asked again. */
  #target: Position = BEFORE_FIRST;
  #effectsUnderWay = 0;
  #idle = false;
  #untilIdle: (() => void)[] = [];
  #wake = Promise.withResolvers<'wake'>();
  #cancelTimer: () => void = () => {};
  #loop: Promise<void> | undefined;
  #lost: UnitLost | undefined;
  readonly #mayActFor: (unit: string) => boolean;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#mayActFor = options.mayActFor ?? (() => true);
    this.#runs = options.processes.map((process) => new ProcessRun(process));
  }

  /**
   * Folds the log and, once at its end, acts. Resolves when stopped; rejects when the log cannot be read any more, or
   * with UnitLost.
   */
  start(): Promise<void> {
    this.#loop ??= this.#run();
    return this.#loop;
  }

  /** Finishes the commands under way. Calls to the outside without an answer are repeated at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#kick();
    await this.#loop?.catch(() => {});
    this.#cancelTimer();
  }

  /** Resolves when every fact is folded and nobody wishes anything before the clock moves on. */
  async settle(): Promise<void> {
    const { store } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const head = await store.head();
      if (this.#idle && this.#effectsUnderWay === 0 && this.#caughtUpTo >= head) return;
      await new Promise<void>((resolve) => {
        this.#untilIdle.push(resolve);
        this.#kick();
      });
      // The store must get a turn to tell of what lies between here and its head.
      await nextTurn();
    }
  }

  /** For who was given another unit: nothing is done for it before all that is in the log by now is folded. */
  async catchUp(): Promise<void> {
    const head = await this.#options.store.head();
    if (head > this.#target) this.#target = head;
    this.#kick();
  }

  status(): EngineStatus {
    return {
      position: this.#position,
      caughtUpTo: this.#caughtUpTo,
      idle: this.#idle,
      processes: this.#runs.map((run) => run.status()),
    };
  }

  parked(): readonly Parked[] {
    return this.#runs.flatMap((run) => run.parked());
  }

  /** Tries a parked item again. @returns false when nothing is parked under this id */
  retry(id: string): boolean {
    const found = this.#runs.some((run) => run.retry(id, this.#options.clock.now()));
    if (found) this.#kick();
    return found;
  }

  async #run(): Promise<void> {
    const { store } = this.#options;
    const { signal } = this.#stopping;
    const types = [...new Set(this.#runs.flatMap(({ process }) => process.eventTypes))];
    this.#target = await store.head();
    const messages = store.subscribe({ after: BEFORE_FIRST, filter: { types }, signal })[Symbol.asyncIterator]();
    let upcoming = messages.next();
    let atEnd = false;
    try {
      while (!signal.aborted) {
        while (!atEnd || this.#caughtUpTo < this.#target) {
          const { done, value } = await upcoming;
          if (done) return;
          upcoming = messages.next();
          atEnd = this.#take(value);
        }
        if (await this.#act()) continue;
        if (this.#lost) throw this.#lost;
        atEnd = (await this.#rest(upcoming)) === 'wake';
      }
    } finally {
      upcoming.catch(() => {});
      await messages.return?.();
      this.#setIdle(false);
    }
  }

  /** @returns whether the end of the log is reached */
  #take(message: SubscriptionMessage): boolean {
    if (message.kind === 'event') this.#fold(message.event);
    if (message.kind === 'caught-up') this.#caughtUpTo = message.position;
    return message.kind === 'caught-up';
  }

  #fold(event: RecordedEvent): void {
    this.#position = event.position;
    const now = this.#options.clock.now();
    const listeners = this.#runs.filter((run) => run.listensTo(event.type));
    let fact: Fact;
    try {
      fact = decode(event);
    } catch (error) {
      for (const run of listeners) run.parkUnreadable(event, error, now);
      return;
    }
    for (const run of listeners) run.fold(fact, now);
  }

  /** Asks every process what is to be done, and does it. @returns whether there was anything */
  async #act(): Promise<boolean> {
    const { clock, warm, wishesAtOnce = 512 } = this.#options;
    const [now, position] = [clock.now(), this.#position];
    const wishes = this.#runs.flatMap((run) => {
      const { name, inParts } = run.process;
      const runs = (part: string) => this.#mayActFor(unitOf(name, part));
      if (!inParts && !this.#mayActFor(name)) return [];
      return run.next({ now, position, runs }, wishesAtOnce).map((wish) => ({ run, wish }));
    });
    if (wishes.length === 0) return false;
    await warm?.(wishes.map(({ wish }) => wish.stream));
    const commands = wishes.map(({ run, wish }) => {
      if ('command' in wish) return this.#sendWish(run, wish);
      void this.#carryOut(run, wish);
      return undefined;
    });
    await Promise.all(commands);
    return true;
  }

  /** Waits until there is something new in the log, or the time for something, or somebody asks. */
  async #rest(upcoming: Promise<unknown>): Promise<'news' | 'wake'> {
    this.#setTimer();
    this.#setIdle(true);
    const reason = await Promise.race([upcoming.then(() => 'news' as const), this.#wake.promise]);
    this.#setIdle(false);
    if (reason === 'wake') this.#wake = Promise.withResolvers();
    return reason;
  }

  async #sendWish(run: ProcessRun, wish: CommandWish): Promise<void> {
    await this.#sendCommand(run, wish, wish.command);
  }

  async #carryOut(run: ProcessRun, wish: EffectWish): Promise<void> {
    this.#effectsUnderWay += 1;
    try {
      if (!this.#isMine(run, wish)) return;
      const { effect, commandId } = wish;
      // Each handler takes the effects of its own kind: the compiler cannot follow that through the table.
      const handle = this.#options.effects[effect.kind] as (
        effect: Effect,
        key: string,
      ) => Promise<Untimed<AnyCommand>>;
      const command = await handle(effect, commandId);
      await this.#sendCommand(run, wish, command);
    } catch (error) {
      run.failed(wish, error, this.#options.clock.now());
    } finally {
      this.#effectsUnderWay -= 1;
      this.#kick();
    }
  }

  async #sendCommand(run: ProcessRun, wish: Wish, untimed: Untimed<AnyCommand>): Promise<void> {
    if (!this.#isMine(run, wish)) return;
    const { clock, send } = this.#options;
    const { commandId, stream, because } = wish;
    const command = { ...untimed, at: clock.now() } as AnyCommand;
    try {
      const { name } = run.process;
      const answer = await send({
        commandId,
        stream,
        command,
        actor: `process:${name}`,
        unit: unitOf(name, wish.part),
        because,
      });
      if ('refusal' in answer) run.process.refused?.(run.state, wish, answer.refusal);
      else if (answer.position > this.#target) this.#target = answer.position;
      run.succeeded(wish);
    } catch (error) {
      run.failed(wish, error, clock.now());
    }
  }

  #isMine(run: ProcessRun, { part }: Wish): boolean {
    const unit = unitOf(run.process.name, part);
    if (this.#mayActFor(unit)) return true;
    this.#lost ??= new UnitLost(`${unit} was taken away`);
    return false;
  }

  #setTimer(): void {
    this.#cancelTimer();
    const wakesAt = this.#runs
      .map((run) => run.wakesAt())
      .filter((at) => at !== undefined)
      .sort()[0];
    if (wakesAt === undefined) return;
    // Whoever moves the clock by hand moves on when all that was due is done.
    this.#cancelTimer = this.#options.clock.at(wakesAt, () => {
      this.#kick();
      return this.settle();
    });
  }

  #kick(): void {
    this.#idle = false;
    this.#wake.resolve('wake');
  }

  #setIdle(idle: boolean): void {
    this.#idle = idle;
    if (!idle && !this.#stopping.signal.aborted) return;
    for (const resolve of this.#untilIdle.splice(0)) resolve();
  }
}
