import { z } from 'zod';
import type { Fact } from '#domain/codec';
import { messageWithoutValues } from '#domain/kernel/error-texts';
import { type Instant, instant } from '#domain/kernel/events';
import { addSeconds, earliest } from '#domain/kernel/instants';
import { type Damages, StreamDamaged } from '#event-store/damage';
import { EventStoreError, OutcomeUnknown, StoreUnavailable } from '#event-store/port';
import { FailureToRecord, type Moment, OutOfReach, type Process, type Wish } from '../process.ts';

// biome-ignore lint/suspicious/noExplicitAny: each process knows its own state; the engine only carries it
export type AnyProcess = Process<any, any>;

/** Something that failed too often to be tried again by itself, with the reason. */
export const parked = z.object({
  id: z.string().describe('Names the item when it is retried.'),
  process: z.string().describe('The process that it belongs to.'),
  stream: z.string().describe('The stream that waits for it.'),
  what: z.string().describe('The command that failed, or the event that could not be read.'),
  reason: z.string().describe('Why it failed the last time.'),
  attempts: z.int().describe('How often it was tried.'),
  since: instant.describe('When it was parked.'),
});
export type Parked = Readonly<z.infer<typeof parked>>;

/** A call to the outside that failed and is tried again. */
export interface FailingCall {
  readonly stream: string;
  readonly what: string;
  readonly reason: string;
}

/** More of them are only counted: an outage does not make every report long. */
const MOST_FAILING_CALLS = 500;

/** The wishes of one kind that have no result yet: those that failed and are tried again, and those whose call has no answer. */
export const wishesWithoutResult = z.object({
  what: z.string().describe('The call to the outside, or the command.'),
  isEffect: z.boolean().describe('Whether it is a call to the outside, or to the vault.'),
  failing: z.int().describe('How many failed, and are tried again by themselves.'),
  failingSince: instant.optional().describe('When the first of these failed first.'),
  lastError: z.string().optional().describe('Why one of these failed the last time.'),
  noneAnsweredSince: instant
    .optional()
    .describe('Since when a call of this kind has failed, and none was answered. Absent while they are answered.'),
  underWay: z.int().describe('How many were begun, and have no answer yet.'),
  underWaySince: instant.optional().describe('When the first of these began.'),
  waiting: z
    .int()
    .optional()
    .describe(
      'How many wait for their turn, because so many are made at once. Absent in reports of the version before.',
    ),
  waitingSince: instant.optional().describe('Since when the first of these waits.'),
});
export type WishesWithoutResult = Readonly<z.infer<typeof wishesWithoutResult>>;

export const processStatus = z.object({
  name: z.string().describe('The process.'),
  waitingForRetry: z.int().describe('Items that failed and are tried again by themselves.'),
  parked: z.int().describe('Items that failed too often, and wait to be retried by a person.'),
  lastError: z.string().optional().describe('The last error, where there was one.'),
  wakesAt: instant.optional().describe('When its next timer is due.'),
  withoutResult: z
    .array(wishesWithoutResult)
    .optional()
    .describe('What failed or has no answer yet, by its kind. Absent in reports of workers of the version before.'),
});
export type ProcessStatus = z.infer<typeof processStatus>;

/** The delays before each new try of a failed wish. After the last one the wish is parked. */
const BACKOFF_SECONDS = [1, 2, 5, 15, 60];
/** The delay before each further try when a service is out of reach: such a wish is never parked. */
const LONGEST_WAIT_SECONDS = 60;
/** While the store is away, each try waits for it already. So everything goes on soon after it is back. */
const LONGEST_WAIT_FOR_STORE_SECONDS = 5;

const isStoreAway = (error: unknown): boolean => error instanceof StoreUnavailable || error instanceof OutcomeUnknown;

/** @returns undefined when a failed wish is not tried again by itself */
function secondsToWait(attempts: number, error: unknown): number | undefined {
  const delay = BACKOFF_SECONDS[attempts - 1];
  if (isStoreAway(error)) return Math.min(delay ?? LONGEST_WAIT_FOR_STORE_SECONDS, LONGEST_WAIT_FOR_STORE_SECONDS);
  const isOutOfReach = error instanceof EventStoreError || error instanceof OutOfReach;
  return delay ?? (isOutOfReach ? LONGEST_WAIT_SECONDS : undefined);
}

interface FailedWish {
  readonly wish: Wish;
  attempts: number;
  reason: string;
  since: Instant;
  /** `'now'` while the wish is under way or its process will wish it again, `'never'` when it is parked. */
  retryAt: Instant | 'now' | 'never';
  /** The event store did not answer: nobody knows yet whether and when its command is written. */
  outcomeIsOpen: boolean;
}

/** The kind of a wish: the type of its command, or the kind of its effect. */
export const whatOf = (wish: Wish): string => ('command' in wish ? wish.command.type : wish.effect.kind);

const isInstant = (retryAt: string): boolean => retryAt !== 'now' && retryAt !== 'never';

/** A stream with a fact that could not be folded: this fact and all later ones of the stream wait. */
interface HeldStream {
  readonly facts: Fact[];
  readonly what: string;
  reason: string;
  attempts: number;
  readonly since: Instant;
}

/** One process as the engine runs it: its state, its failed wishes and its held streams. */
export class ProcessRun {
  readonly process: AnyProcess;
  readonly state: unknown;
  readonly #types: ReadonlySet<string>;
  readonly #failed = new Map<string, FailedWish>();
  readonly #held = new Map<string, HeldStream>();
  /** Wishes that are carried out now, and since when. */
  readonly #underWay = new Map<string, { readonly wish: Wish; readonly since: Instant }>();
  /** Calls that wait for their turn, and since when. */
  readonly #waiting = new Map<string, { readonly wish: Wish; readonly since: Instant }>();
  /** Kind of wish → when one had an answer the last time. */
  readonly #answeredAt = new Map<string, Instant>();
  /** Kind of wish → since when one failed, and none had an answer. */
  readonly #noneAnsweredSince = new Map<string, Instant>();
  readonly #damages: Damages | undefined;
  #lastError: string | undefined;

  constructor(process: AnyProcess, damages?: Damages) {
    this.process = process;
    this.#damages = damages;
    this.state = process.initialState();
    this.#types = new Set(process.eventTypes);
  }

  subscribesTo(type: string): boolean {
    return this.#types.has(type);
  }

  fold(fact: Fact, now: Instant): void {
    const held = this.#held.get(fact.stream);
    if (held) {
      held.facts.push(fact);
      return;
    }
    const damage = this.#damages?.of(fact.stream);
    try {
      if (damage) throw new StreamDamaged(damage);
      this.process.evolve(this.state, fact);
    } catch (error) {
      this.#hold(fact.stream, `${fact.type} at revision ${fact.revision}`, [fact], error, now);
    }
  }

  parkUnreadable(
    { stream, type, revision }: { stream: string; type: string; revision: number },
    error: unknown,
    now: Instant,
  ): void {
    if (!this.#held.has(stream)) this.#hold(stream, `${type} at revision ${revision}`, [], error, now);
  }

  /**
   * A part decides in turn. So it decides nothing while an earlier command of it has no outcome: whoever was served by that
   * command would be passed over for good if it were never written, because another worker runs the part by then (DLV-7).
   */
  next(moment: Moment, limit: number): Wish[] {
    const open = this.#partsWithOpenOutcome();
    const runs = (part: string) => !open.has(part) && moment.runs(part);
    const again: Wish[] = [];
    for (const failed of this.#failed.values()) {
      if (!isInstant(failed.retryAt) || failed.retryAt > moment.now) continue;
      failed.retryAt = 'now';
      again.push(failed.wish);
    }
    return [...again, ...this.process.next(this.state, { ...moment, runs }, limit)];
  }

  #partsWithOpenOutcome(): ReadonlySet<string | undefined> {
    const open = [...this.#failed.values()].filter(({ outcomeIsOpen }) => outcomeIsOpen);
    return new Set(open.map(({ wish }) => wish.part));
  }

  begun(wish: Wish, now: Instant): void {
    this.#waiting.delete(wish.commandId);
    this.#underWay.set(wish.commandId, { wish, since: now });
  }

  /** Others are called before it. */
  waits(wish: Wish, now: Instant): void {
    this.#underWay.delete(wish.commandId);
    this.#waiting.set(wish.commandId, { wish, since: now });
  }

  /** How often a wish was tried, with the present attempt. */
  attemptOf({ commandId }: Wish): number {
    return (this.#failed.get(commandId)?.attempts ?? 0) + 1;
  }

  /** @param wasAnswered false: it was given up, or nobody had to be called */
  succeeded(wish: Wish, now: Instant, { wasAnswered }: { readonly wasAnswered: boolean }): void {
    if (wasAnswered) this.#noteAnswer(whatOf(wish), now);
    this.#ended(wish);
    this.#failed.delete(wish.commandId);
  }

  /**
   * While the store or a service is unreachable, the wish is retried without limit. Any other wish is finally parked.
   * @returns whether it is parked now
   */
  failed(wish: Wish, error: unknown, now: Instant): boolean {
    if (error instanceof FailureToRecord && error.wasAnswered) this.#noteAnswer(whatOf(wish), now);
    else this.#noteNoAnswer(wish, now);
    this.#ended(wish);
    const failed = this.#failed.get(wish.commandId) ?? {
      wish,
      attempts: 0,
      reason: '',
      since: now,
      retryAt: 'now' as const,
      outcomeIsOpen: false,
    };
    failed.outcomeIsOpen = isStoreAway(error);
    failed.attempts += 1;
    failed.reason = this.#note(error);
    const delay = secondsToWait(failed.attempts, error);
    failed.retryAt = delay === undefined ? 'never' : addSeconds(now, delay);
    if (error instanceof FailureToRecord) failed.retryAt = 'now';
    this.#failed.set(wish.commandId, failed);
    return delay === undefined;
  }

  /** @returns whether something was parked under this id */
  retry(id: string, now: Instant): boolean {
    const failed = this.#failed.get(id);
    if (failed) {
      failed.attempts = 0;
      failed.retryAt = now;
      return true;
    }
    const stream = id.slice(this.process.name.length + 1);
    const held = this.#held.get(stream);
    if (!held || !id.startsWith(`${this.process.name}/`)) return false;
    this.#held.delete(stream);
    for (const fact of held.facts) this.fold(fact, now);
    const heldAgain = this.#held.get(stream);
    if (heldAgain) heldAgain.attempts = held.attempts + 1;
    return true;
  }

  wakesAt(): Instant | undefined {
    const retries = [...this.#failed.values()].map(({ retryAt }) => retryAt).filter(isInstant);
    return earliest([this.process.wakeAt?.(this.state), ...retries]);
  }

  parked(): Parked[] {
    const process = this.process.name;
    const wishes = [...this.#failed.values()].filter(({ retryAt }) => retryAt === 'never');
    return [
      ...wishes.map(({ wish, attempts, reason, since }) => {
        return { id: wish.commandId, process, stream: wish.stream, what: whatOf(wish), reason, attempts, since };
      }),
      ...[...this.#held].map(([stream, { what, reason, attempts, since }]) => {
        return { id: `${process}/${stream}`, process, stream, what, reason, attempts, since };
      }),
    ];
  }

  /** Those that failed first. */
  failingCalls(): FailingCall[] {
    return [...this.#failed.values()]
      .filter(({ wish, retryAt }) => 'effect' in wish && retryAt !== 'never')
      .slice(0, MOST_FAILING_CALLS)
      .map(({ wish, reason }) => ({ stream: wish.stream, what: whatOf(wish), reason }));
  }

  status(): ProcessStatus {
    const parked = this.parked().length;
    return {
      name: this.process.name,
      waitingForRetry: this.#failed.size + this.#held.size - parked,
      parked,
      lastError: this.#lastError,
      wakesAt: this.wakesAt(),
      withoutResult: this.#withoutResult(),
    };
  }

  #withoutResult(): WishesWithoutResult[] {
    const failing = [...this.#failed.values()].filter(({ retryAt }) => retryAt !== 'never');
    const [underWay, waiting] = [[...this.#underWay.values()], [...this.#waiting.values()]];
    const kinds = new Map([...failing, ...underWay, ...waiting].map(({ wish }) => [whatOf(wish), 'effect' in wish]));
    return [...kinds].map(([what, isEffect]) => {
      const ofKind = <Item extends { readonly wish: Wish }>(items: readonly Item[]) =>
        items.filter(({ wish }) => whatOf(wish) === what);
      const [failed, open, queue] = [ofKind(failing), ofKind(underWay), ofKind(waiting)];
      return {
        what,
        isEffect,
        failing: failed.length,
        failingSince: earliest(failed.map(({ since }) => since)),
        noneAnsweredSince: failed.length > 0 ? this.#noneAnsweredSince.get(what) : undefined,
        lastError: failed.at(-1)?.reason,
        underWay: open.length,
        underWaySince: earliest(open.map(({ since }) => since)),
        waiting: queue.length,
        waitingSince: earliest(queue.map(({ since }) => since)),
      };
    });
  }

  #ended({ commandId }: Wish): void {
    this.#waiting.delete(commandId);
    this.#underWay.delete(commandId);
  }

  #noteAnswer(what: string, now: Instant): void {
    this.#answeredAt.set(what, now);
    this.#noneAnsweredSince.delete(what);
  }

  /** A call may have been under way for long before it failed. */
  #noteNoAnswer(wish: Wish, now: Instant): void {
    const what = whatOf(wish);
    if (this.#noneAnsweredSince.has(what)) return;
    const begunAt = this.#underWay.get(wish.commandId)?.since ?? now;
    const answeredAt = this.#answeredAt.get(what);
    const isLater = answeredAt !== undefined && answeredAt > begunAt;
    this.#noneAnsweredSince.set(what, isLater ? answeredAt : begunAt);
  }

  #hold(stream: string, what: string, facts: Fact[], error: unknown, since: Instant): void {
    this.#held.set(stream, { facts, what, reason: this.#note(error), attempts: 1, since });
  }

  #note(error: unknown): string {
    this.#lastError = messageWithoutValues(error);
    return this.#lastError;
  }
}
