import { LeadgerError } from './leadger-error.ts';

const kinds = [
  'request',
  'command',
  'append',
  'process',
  'effect',
  'read-model',
  'row',
  'import',
  'support-mail',
  'lead-form',
  'cli',
] as const;
type ActivityKind = (typeof kinds)[number];

/** The activity that led to another one. Its trace is named by the correlation id. */
export interface ActivityKey {
  readonly kind: ActivityKind;
  readonly id: string;
  readonly correlationId: string;
}

/**
 * `refused`: a rule of the store, or the service outside, does not do it; `failed`: it is tried again; `given-up`: it was tried as
 * long as it may be; `parked`: it waits for a person.
 */
export const outcomes = ['done', 'refused', 'failed', 'given-up', 'parked'] as const;
type Outcome = (typeof outcomes)[number];

/**
 * Something that a program did, as its log, its metrics and its traces tell it. It has ids, names of kinds and codes, and
 * nothing personal. Instants are milliseconds since 1970 by the clock of the machine.
 */
export interface Activity extends ActivityKey {
  /** Of a small set, because metrics count by it: a route, a type of command or event, a kind of effect, a read model. */
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  readonly parent?: ActivityKey | undefined;
  /** One that exists: else its name may be what somebody typed. */
  readonly stream?: string;
  /** Why it failed, without personal data; a code for a refusal. */
  readonly reason?: string;
  /** From 1. Absent for what is done once. */
  readonly attempt?: number;
  readonly details?: Readonly<Record<string, string | number>>;
}

export type Ending = Pick<Activity, 'outcome' | 'reason' | 'details' | 'stream'>;

type Listener = (activity: Activity) => void;

/** What one program does is told here, and whoever writes logs, counts or traces listens. */
export class Activities {
  readonly #listeners = new Set<Listener>();
  /** Whether rows are told one by one. That costs more than all else, and only traces need it. */
  tellsRows = false;

  /** @returns a function that ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells what is done meanwhile. @throws what it throws, which is told as its failure */
  async during<Answer>(
    about: Omit<Activity, 'startedAt' | 'endedAt' | 'outcome'>,
    run: () => Promise<Answer>,
    endingOf: (answer: Answer) => Ending,
  ): Promise<Answer> {
    const startedAt = activityTime();
    const tell = (ending: Ending) => this.tell({ ...about, ...ending, startedAt, endedAt: activityTime() });
    try {
      const answer = await run();
      tell(endingOf(answer));
      return answer;
    } catch (error) {
      tell({ outcome: 'failed', reason: reasonToTell(error) });
      throw error;
    }
  }

  /** Nothing fails because it could not be told. */
  tell(activity: Activity): void {
    for (const listener of this.#listeners) {
      try {
        listener(activity);
      } catch (error) {
        console.warn(`leadger: an activity could not be told: ${reasonToTell(error)}`);
      }
    }
  }
}

/** Milliseconds since 1970, finer than a millisecond. */
export const activityTime = (): number => performance.timeOrigin + performance.now();

/**
 * What a log may say of an error. Our own messages name ids and codes. Those of libraries may quote a value: only their name
 * and code are told.
 */
export function reasonToTell(error: unknown): string {
  if (error instanceof LeadgerError) return error.quotes ? `${error.name} (${error.code})` : error.message;
  if (!(error instanceof Error)) return 'something that is no error';
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? `${error.name} (${code})` : error.name;
}
