import { type Activities, type Activity, activityTime, reasonToTell } from '#domain/kernel/activities';
import type { Instant } from '#domain/kernel/events';
import type { Clock } from '#gateways/clock';
import type { Effect, Wish } from '../process.ts';
import { callEndingIn, wasAnswered } from './call-ending.ts';
import type { CallTurn, CommandResult } from './options.ts';
import { type ProcessRun, whatOf } from './process-run.ts';

/** One attempt to carry out a wish: its end is noted in the run of its process, and told. */
export class Attempt {
  readonly #run: ProcessRun;
  readonly #wish: Wish;
  readonly #activities: Activities | undefined;
  readonly #number: number;
  readonly #startedAt = activityTime();
  /** Of the call to the outside. Undefined while it waits for its turn. */
  #callStartedAt: number | undefined = this.#startedAt;
  /** When the call to the outside was answered. */
  #answeredAt: number | undefined;
  #effectFailed = false;

  constructor(run: ProcessRun, wish: Wish, activities: Activities | undefined) {
    this.#run = run;
    this.#wish = wish;
    this.#activities = activities;
    this.#number = run.attemptOf(wish);
  }

  /** For a call that waits for others: its time begins when its turn comes. */
  turnOf(clock: Pick<Clock, 'now'>): Pick<CallTurn, 'waits' | 'begins'> {
    return {
      waits: () => {
        this.#callStartedAt = undefined;
        this.#run.waits(this.#wish, clock.now());
      },
      begins: () => {
        this.#callStartedAt = activityTime();
        this.#run.begun(this.#wish, clock.now());
      },
    };
  }

  /** The call to the outside. How it ended is told with what is recorded of it: a failure may be a result. @throws what it throws */
  async ofEffect<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await call();
      this.#answeredAt = activityTime();
      return answer;
    } catch (error) {
      this.#effectFailed = true;
      throw error;
    }
  }

  /** @param result undefined: nothing is recorded of the call */
  succeeded(now: Instant, result?: CommandResult): void {
    const events = result && 'events' in result ? result.events : [];
    this.#run.succeeded(this.#wish, now, { wasAnswered: wasAnswered(events) });
    if (this.#answeredAt !== undefined)
      this.#tell({ ...this.#effect(), endedAt: this.#answeredAt, ...callEndingIn(events) });
    const refusal = result && 'refusal' in result ? result.refusal : undefined;
    this.#tell({ ...this.#process(), outcome: refusal ? 'refused' : 'done', ...(refusal && { reason: refusal.code }) });
  }

  failed(error: unknown, now: Instant): void {
    const isParked = this.#run.failed(this.#wish, error, now);
    const end = { outcome: isParked ? 'parked' : 'failed', reason: reasonToTell(error) } as const;
    if (this.#effectFailed) this.#tell({ ...this.#effect(), ...end });
    // The failure of a call is told by the call.
    this.#tell(this.#effectFailed ? { ...this.#process(), outcome: end.outcome } : { ...this.#process(), ...end });
  }

  /** A wish of a timer begins a trace of its own. */
  get #correlationId(): string {
    return this.#wish.because?.cause.correlationId ?? this.#wish.commandId;
  }

  /** The commands of a repeated attempt have the same id. */
  get #id(): string {
    const { commandId } = this.#wish;
    return this.#number === 1 ? commandId : `${commandId}#${this.#number}`;
  }

  #process() {
    const { because } = this.#wish;
    const parent = because && {
      kind: 'append' as const,
      id: because.cause.commandId,
      correlationId: this.#correlationId,
    };
    return { kind: 'process' as const, name: this.#run.process.name, startedAt: this.#startedAt, parent };
  }

  #effect() {
    const parent = { kind: 'process' as const, id: this.#id, correlationId: this.#correlationId };
    return {
      kind: 'effect' as const,
      name: whatOf(this.#wish),
      startedAt: this.#callStartedAt ?? activityTime(),
      parent,
    };
  }

  #tell(
    activity: Pick<Activity, 'kind' | 'name' | 'startedAt' | 'parent' | 'outcome' | 'reason'> & { endedAt?: number },
  ): void {
    if (!this.#activities) return;
    const [id, correlationId, { stream }] = [this.#id, this.#correlationId, this.#wish];
    const details = activity.kind === 'process' ? { details: { what: whatOf(this.#wish) } } : {};
    const recorded = 'effect' in this.#wish ? attemptIn(this.#wish.effect) : 1;
    const attempt = activity.kind === 'effect' ? Math.max(recorded, this.#number) : this.#number;
    this.#activities.tell({ endedAt: activityTime(), ...activity, id, correlationId, stream, attempt, ...details });
  }
}

/** Which attempt a call is, as far as earlier ones were recorded: a program counts only its own. */
function attemptIn(effect: Effect): number {
  if (effect.kind === 'send-mail') return (effect.attemptsBefore ?? 0) + (effect.failed?.attempts ?? 0) + 1;
  return 'attempt' in effect ? effect.attempt : 1;
}
