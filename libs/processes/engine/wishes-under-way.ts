import { LeadgerError } from '#domain/kernel/leadger-error';
import type { AnyCommand } from '#domain/ledger';
import type { Position } from '#event-store/port';
import { type Effect, type EffectWish, FailureToRecord, type Untimed, unitOf, type Wish } from '../process.ts';
import { Attempt } from './attempt.ts';
import type { CallTurn, EngineOptions } from './options.ts';
import type { ProcessRun } from './process-run.ts';

export interface TakenWish<AnyWish = Wish> {
  readonly run: ProcessRun;
  readonly wish: AnyWish;
  readonly eventsSeen: number;
}

interface BegunWish<AnyWish = Wish> extends TakenWish<AnyWish> {
  readonly attempt: Attempt;
}

/** This engine lost a unit while it had wishes for it: its state may be out of date and must not be used any more. */
export class UnitLost extends LeadgerError {
  constructor(unit: string) {
    super('unit-lost', `this worker no longer has the lease of ${unit}`);
  }
}

/** How the engine is notified. */
interface EngineCallbacks {
  readonly appended: (position: Position) => void;
  /** A call has ended, and its result is recorded, if it could be. */
  readonly callEnded: () => void;
}

/** Carries out wishes: sends their commands, and makes their calls to the outside, whose results it records. */
export class WishesUnderWay {
  readonly #options: EngineOptions;
  readonly #stopping: AbortSignal;
  readonly #engine: EngineCallbacks;
  /** To the outside, without an answer. */
  readonly #calls = new Set<BegunWish<EffectWish>>();
  readonly #mayActFor: (unit: string) => boolean;
  readonly mayBeginFor: (unit: string) => boolean;
  /** The unit of a wish was lost meanwhile. */
  lost: UnitLost | undefined;

  constructor(options: EngineOptions, stopping: AbortSignal, engine: EngineCallbacks) {
    this.#options = options;
    this.#stopping = stopping;
    this.#engine = engine;
    const { mayActFor = () => true, mayBeginFor = () => true } = options;
    this.#mayActFor = mayActFor;
    this.mayBeginFor = (unit) => mayActFor(unit) && mayBeginFor(unit);
  }

  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  hasCallsFor(unit: string): boolean {
    return [...this.#calls].some(({ run, wish }) => unitOf(run.process.name, wish.part) === unit);
  }

  /** @returns resolves when its command has ended; undefined for a call to the outside, which ends later */
  begin({ run, wish, eventsSeen }: TakenWish): Promise<void> | undefined {
    run.begun(wish, this.#options.clock.now());
    const attempt = new Attempt(run, wish, this.#options.activities);
    if ('command' in wish) return this.#sendCommand({ run, wish, eventsSeen, attempt }, wish.command);
    void this.#carryOut({ run, wish, eventsSeen, attempt });
    return undefined;
  }

  async #carryOut(taken: BegunWish<EffectWish>): Promise<void> {
    const { run, wish, attempt } = taken;
    this.#calls.add(taken);
    try {
      if (!this.#isMine(run, wish)) return;
      const command = await attempt.ofEffect(() => this.#perform(taken));
      if (command) await this.#sendCommand(taken, command);
      else attempt.succeeded(this.#options.clock.now());
    } catch (error) {
      const notRecorded = await this.#record(taken, error);
      attempt.failed(notRecorded ?? error, this.#options.clock.now());
    } finally {
      this.#calls.delete(taken);
      this.#engine.callEnded();
    }
  }

  #perform({ run, wish, attempt }: BegunWish<EffectWish>): Promise<Untimed<AnyCommand> | undefined> {
    const { effect, commandId } = wish;
    const { clock, effects } = this.#options;
    // Each handler takes the effects of its own kind, which the compiler cannot see through the table.
    const handle = effects[effect.kind] as (
      ...call: [Effect, idempotencyKey: string, CallTurn]
    ) => Promise<Untimed<AnyCommand> | undefined>;
    const mayBegin = () => this.#isMine(run, wish) && this.mayBeginFor(unitOf(run.process.name, wish.part));
    const isMine = () => !this.#stopping.aborted && mayBegin();
    return handle(effect, commandId, { isMine, ...attempt.turnOf(clock) });
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
    if ('position' in result) this.#engine.appended(result.position);
    return result;
  }

  #isMine(run: ProcessRun, { part }: Wish): boolean {
    const unit = unitOf(run.process.name, part);
    if (this.#mayActFor(unit)) return true;
    this.lost ??= new UnitLost(unit);
    return false;
  }
}
