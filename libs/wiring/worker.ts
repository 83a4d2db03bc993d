import { setTimeout as wait } from 'node:timers/promises';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { StreamDamaged } from '#event-store/damage';
import type { Lease, Leases } from '#postgres/leases';
import type { ProcessEngine } from '#processes/engine/engine';
import { UnitLost } from '#processes/engine/wishes-under-way';
import { leadDistribution } from '#processes/lead-distribution';
import { unitOf } from '#processes/process';
import { processes } from '#processes/processes';
import type { ReadModels } from '#read-models/read-models';
import { type RunningProcesses, runningHere, type WorkerReport } from '#requests/running-processes';
import type { StreamCache } from '#requests/stream-cache';
import type { ReactionDependencies } from './reactions.ts';
import { sharesOf } from './shares.ts';

interface WorkerDependencies {
  readonly leases: Leases;
  readonly streams: StreamCache;
  readonly readModels: ReadModels;
  /** Creates an engine that acts for the units of which the worker has a lease. */
  readonly createEngine: (parts: Required<Pick<ReactionDependencies, 'leaseOf' | 'mayBeginFor'>>) => ProcessEngine;
}

const APPEARANCES_A_TERM = 3;
/** A server that hangs keeps a unit no longer from the worker that is to have it. */
const TERMS_TO_LEAVE = 3;
const FOLLOWER = 'read-model/';

/**
 * One of several workers. Each has its share of all units: processes, lead distribution by lead type, and read models. It
 * acts for the units of which it holds a lease, hands over those beyond its share, and takes those that others left. Every
 * worker folds all facts all the time, so that it can take over at once.
 */
export class Worker {
  readonly #dependencies: WorkerDependencies;
  readonly #stopping = new AbortController();
  readonly #held = new Map<string, Lease>();
  /** Units of processes for which the engine may act: it has folded everything that was in the log when they were taken. */
  readonly #acting = new Set<string>();
  /** Units that another worker will have, and how long their calls under way are waited for, as `performance.now()` counts. */
  readonly #leaving = new Map<string, number>();
  readonly #following = new Map<string, AbortController>();
  readonly #followed = new Set<Promise<void>>();
  readonly #failed = Promise.withResolvers<never>();
  #engine: ProcessEngine;
  /** As they were when the catalogue was read the last time. */
  #leadTypes: readonly string[] = [];
  #lastError: string | undefined;

  constructor(dependencies: WorkerDependencies) {
    this.#dependencies = dependencies;
    this.#engine = this.#newEngine();
  }

  /** Resolves when it is stopped; rejects when the log cannot be read any more. */
  async run(): Promise<void> {
    this.#failed.promise.catch(() => {});
    this.#startEngine();
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await Promise.race([this.#appear(), this.#failed.promise]).catch((error) => this.#noteError(error));
      const pause = this.#dependencies.leases.termMilliseconds / APPEARANCES_A_TERM;
      await Promise.race([wait(pause, undefined, { signal }).catch(() => {}), this.#failed.promise]);
    }
  }

  /** Finishes the commands under way, and leaves its units to the others. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#engine.stop();
    for (const following of this.#following.values()) following.abort();
    await Promise.all(this.#followed);
    await this.#dependencies.leases.leave().catch(() => {});
  }

  units = (): readonly string[] => [...this.#held.values()].filter((lease) => lease.holds()).map(({ unit }) => unit);

  /** The processes of the engine that runs at the time of the request. */
  running = (): RunningProcesses => ({
    status: () => runningHere(this.#engine).status(),
    parked: () => runningHere(this.#engine).parked(),
    failingCalls: () => runningHere(this.#engine).failingCalls(),
    retry: (id) => runningHere(this.#engine).retry(id),
  });

  /** Why it could not renew its leases the last time; undefined when it could. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Without the database no lease is renewed: soon none holds, and the worker does nothing until it can renew them. */
  #noteError(error: unknown): void {
    this.#lastError = (error as Error).message;
  }

  async #appear(): Promise<void> {
    const { leases } = this.#dependencies;
    const report: WorkerReport = {
      units: this.units(),
      status: this.#engine.status(),
      parked: this.#engine.parked(),
      failingCalls: this.#engine.failingCalls(),
    };
    const workers = await leases.appear(report);
    const share = new Set(sharesOf(await this.#allUnits(), workers).get(leases.worker));
    for (const unit of share) this.#leaving.delete(unit);
    await this.#handOver(this.#leavingNow([...this.#held.keys()].filter((unit) => !share.has(unit))));
    if (this.#stopping.signal.aborted) return;
    await this.#take([...share, ...this.#leaving.keys()]);
    for (const id of await leases.takeRetries(report.parked.map((item) => item.id))) this.#engine.retry(id);
    this.#lastError = undefined;
  }

  async #allUnits(): Promise<readonly string[]> {
    const { readModels } = this.#dependencies;
    this.#leadTypes = await this.#readLeadTypes();
    return [
      ...processes.filter(({ inParts }) => !inParts).map(({ name }) => name),
      ...this.#leadTypes.map((leadTypeId) => unitOf(leadDistribution.name, leadTypeId)),
      ...readModels.names.map((name) => `${FOLLOWER}${name}`),
    ];
  }

  /** A catalogue that cannot be read stops nothing else: damaged, closed, or with an event that this version does not know. */
  async #readLeadTypes(): Promise<readonly string[]> {
    try {
      const { state } = await this.#dependencies.streams.read<'catalogue'>(catalogueStream);
      return [...state.leadTypes.keys()];
    } catch (error) {
      if (!(error instanceof StreamDamaged || error instanceof UnreadableEvent)) throw error;
      return this.#leadTypes;
    }
  }

  /**
   * Of units that others are to have, those that go now. What a call brings is recorded before another worker has its unit, which would
   * make the call again; and all units of processes go together, because the engine is replaced then.
   */
  #leavingNow(units: readonly string[]): readonly string[] {
    const now = performance.now();
    const acting = units.filter((unit) => this.#acting.has(unit));
    const until = now + TERMS_TO_LEAVE * this.#dependencies.leases.termMilliseconds;
    for (const unit of acting) if (!this.#leaving.has(unit)) this.#leaving.set(unit, until);
    const isWaitedFor = (unit: string) => this.#engine.hasCallsFor(unit) && now < (this.#leaving.get(unit) ?? 0);
    return acting.some(isWaitedFor) ? units.filter((unit) => !this.#acting.has(unit)) : units;
  }

  async #handOver(units: readonly string[]): Promise<void> {
    if (units.length === 0) return;
    await this.#giveUp(units);
    await this.#dependencies.leases.release(units);
  }

  /** Ends the work for units. An engine that acted for one is replaced: its state may contain what was never recorded. */
  async #giveUp(units: readonly string[]): Promise<void> {
    for (const unit of units) {
      this.#held.delete(unit);
      this.#leaving.delete(unit);
      this.#following.get(unit)?.abort();
      this.#following.delete(unit);
    }
    if (!units.some((unit) => this.#acting.delete(unit))) return;
    for (const unit of units) this.#acting.delete(unit);
    await this.#engine.stop();
    this.#engine = this.#newEngine();
    this.#startEngine();
  }

  async #take(units: readonly string[]): Promise<void> {
    const taken = new Map((await this.#dependencies.leases.take(units)).map((lease) => [lease.unit, lease]));
    const lost = [...this.#held.values()].filter(({ unit, token }) => taken.get(unit)?.token !== token);
    await this.#giveUp(lost.map(({ unit }) => unit));
    const gained = [...taken.values()].filter(({ unit }) => !this.#held.has(unit));
    for (const lease of taken.values()) if (!gained.includes(lease)) this.#held.set(lease.unit, lease);
    const ofProcesses = gained.filter(({ unit }) => !unit.startsWith(FOLLOWER));
    // When that fails, they are gained the next time.
    if (ofProcesses.length > 0) await this.#engine.foldToEnd();
    for (const lease of gained) this.#held.set(lease.unit, lease);
    for (const { unit } of ofProcesses) this.#acting.add(unit);
    // Also without a new unit: a lease that lapsed for a moment made the engine leave wishes, and no event follows.
    this.#engine.wake();
    for (const { unit } of gained) if (unit.startsWith(FOLLOWER)) this.#follow(unit);
  }

  #follow(unit: string): void {
    const over = new AbortController();
    this.#following.set(unit, over);
    const followed = this.#dependencies.readModels.follow(unit.slice(FOLLOWER.length), over.signal);
    this.#followed.add(followed);
    void followed.finally(() => this.#followed.delete(followed));
  }

  #leaseOf = (unit: string): Lease | undefined => {
    const lease = this.#acting.has(unit) ? this.#held.get(unit) : undefined;
    return lease?.holds() ? lease : undefined;
  };

  #newEngine = (): ProcessEngine =>
    this.#dependencies.createEngine({ leaseOf: this.#leaseOf, mayBeginFor: (unit) => !this.#leaving.has(unit) });

  #startEngine(): void {
    const engine = this.#engine;
    engine.start().catch((error: unknown) => {
      if (!(error instanceof UnitLost)) this.#failed.reject(error);
      else if (engine === this.#engine && !this.#stopping.signal.aborted) {
        this.#engine = this.#newEngine();
        this.#startEngine();
      }
    });
  }
}
