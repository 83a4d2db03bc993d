import { type Activities, type Activity, activityTime, reasonToTell } from '#domain/kernel/activities';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import type { Wish } from '../process.ts';
import { type ProcessRun, whatOf } from './process-run.ts';

/** One attempt to carry out a wish: its end is noted in the run of its process, and told. */
export class Attempt {
  readonly #run: ProcessRun;
  readonly #wish: Wish;
  readonly #activities: Activities | undefined;
  readonly #number: number;
  readonly #startedAt = activityTime();
  #effectFailed = false;

  constructor(run: ProcessRun, wish: Wish, activities: Activities | undefined) {
    this.#run = run;
    this.#wish = wish;
    this.#activities = activities;
    this.#number = run.attemptOf(wish);
  }

  /** The call to the outside, which is told by itself. @throws what it throws */
  async ofEffect<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const startedAt = activityTime();
    try {
      const answer = await call();
      this.#tell({ ...this.#effect(), startedAt, outcome: 'done' });
      return answer;
    } catch (error) {
      this.#effectFailed = true;
      throw error;
    }
  }

  succeeded(refusal?: Refusal): void {
    this.#run.succeeded(this.#wish);
    this.#tell({ ...this.#process(), outcome: refusal ? 'refused' : 'done', ...(refusal && { reason: refusal.code }) });
  }

  failed(error: unknown, now: Instant): void {
    const isParked = this.#run.failed(this.#wish, error, now);
    const end = { outcome: isParked ? 'parked' : 'failed', reason: reasonToTell(error) } as const;
    if (this.#effectFailed) this.#tell({ ...this.#effect(), startedAt: this.#startedAt, ...end });
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
    return { kind: 'effect' as const, name: whatOf(this.#wish), parent };
  }

  #tell(activity: Pick<Activity, 'kind' | 'name' | 'startedAt' | 'parent' | 'outcome' | 'reason'>): void {
    if (!this.#activities) return;
    const [id, correlationId, { stream }] = [this.#id, this.#correlationId, this.#wish];
    const details = activity.kind === 'process' ? { details: { what: whatOf(this.#wish) } } : {};
    const attempt = this.#number;
    this.#activities.tell({ ...activity, id, correlationId, stream, attempt, ...details, endedAt: activityTime() });
  }
}
