import { type Cause, encode } from '#domain/codec';
import { Activities, type ActivityKey, activityTime, type Ending } from '#domain/kernel/activities';
import type { Caller } from '#domain/kernel/caller';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { type AnyCommand, type AnyEvent, type Family, familyOf, ledger } from '#domain/ledger';
import {
  BEFORE_FIRST,
  type EventStore,
  type NewEvent,
  OutcomeUnknown,
  type Patience,
  type Position,
  StoreUnavailable,
  WrongExpectedRevision,
} from '#event-store/port';
import { systemClock } from '#gateways/clock';
import { checkRight } from './rights.ts';
import { type FirstOutcome, type FoldedStream, StreamCache } from './stream-cache.ts';
import { WaitingCommands } from './waiting-commands.ts';

/** A command with the stream that decides it, and who sends it and why. */
export interface AddressedCommand {
  readonly stream: string;
  /** Or a refusal, when no command could be made. A repeat still gets the first outcome. */
  readonly command: AnyCommand | Refusal;
  readonly caller: Caller;
  readonly cause: Cause;
  /** Why, in the caller's words, for the rights. It is stored in the cause, sealed. */
  readonly reason?: string | undefined;
  /** The hash of the request as older versions stored it: their requests may be repeated, too. */
  readonly unkeyedHash?: string | undefined;
  /** The revision that the caller saw (If-Match). When the stream has another one, nothing is decided. */
  readonly ifRevision?: number;
  /** When its sender gives up, as `performance.now()` counts. Default: after a time of the store's. */
  readonly until?: number | undefined;
  /** What led to it, for traces: a request, or a process. */
  readonly parent?: ActivityKey | undefined;
  /** The caller expects to begin the stream, so it need not be read first. A wrong guess only costs time. */
  readonly likelyNew?: boolean;
}

export type Outcome =
  | {
      readonly kind: 'accepted';
      /** What was recorded; empty when nothing had to change. */
      readonly events: readonly AnyEvent[];
      readonly revision: number;
      /** A read that reflects this position sees the outcome. */
      readonly position: Position;
      /** The command was carried out before; these are its events of that time. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'revision-mismatch'; readonly actual: number | 'no-stream' };

/** Too many others wrote the stream at the same time. The command was not carried out and may be sent again. */
export class TooMuchContention extends LeadgerError {
  constructor(options?: ErrorOptions) {
    super('too-much-contention', 'others keep writing the same stream; nothing was done, ask again', options);
  }
}

interface Pending {
  readonly asked: AddressedCommand;
  /** While it waits behind others. */
  expiry?: NodeJS.Timeout | undefined;
  attempts: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/** Not the store's clock, which a simulation moves: it says when an event was recorded, not when it happened. */
const machineClock = systemClock();
const MAX_ATTEMPTS = 8;
const MAX_COMMANDS_AT_ONCE = 64;

/**
 * Carries out the commands of all streams: loads the stream, decides, and appends at the revision that was read. On a
 * conflict it loads and decides again. Commands that wait for the same stream are decided in turn and appended together.
 */
export class CommandHandler {
  readonly streams: StreamCache;
  readonly #store: EventStore;
  readonly #waiting = new Map<string, Pending[]>();
  /** The last position that is known to be in the log. */
  #knownUpTo: Position | undefined;
  readonly #waitedFor = new WaitingCommands();
  readonly #activities: Activities;

  constructor(store: EventStore, streams = new StreamCache(store), activities = new Activities()) {
    this.#store = store;
    this.streams = streams;
    this.#activities = activities;
  }

  /** @throws TooMuchContention and the errors of {@link EventStore.append}. */
  async execute(asked: AddressedCommand): Promise<Outcome> {
    const execute = () => this.#waitedFor.during(asked, () => this.#enqueue(asked));
    const about = { ...commandActivity(asked), ...this.#knownStream(asked) };
    return this.#activities.during(about, execute, (outcome) => ({
      ...endingOf(outcome),
      ...this.#knownStream(asked),
    }));
  }

  #knownStream = ({ stream }: AddressedCommand) => (this.streams.exists(stream) ? { stream } : {});

  #enqueue(asked: AddressedCommand): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { asked, attempts: 0, resolve, reject };
      const queue = this.#waiting.get(asked.stream);
      if (queue) {
        queue.push(pending);
        expireIn(queue, pending);
        return;
      }
      this.#waiting.set(asked.stream, [pending]);
      queueMicrotask(() => this.#work(asked.stream));
    });
  }

  /** Forgets what it read of a log that was restored from an older copy. */
  forget(): void {
    this.streams.clear();
    this.#knownUpTo = undefined;
  }

  async #work(stream: string): Promise<void> {
    const queue = this.#waiting.get(stream) as Pending[];
    while (queue.length > 0) {
      const batch = queue.splice(0, MAX_COMMANDS_AT_ONCE);
      for (const { expiry } of batch) clearTimeout(expiry);
      try {
        const again = await this.#carryOut(stream, batch);
        queue.unshift(...again);
      } catch (error) {
        for (const pending of batch) pending.reject(error);
      }
    }
    this.#waiting.delete(stream);
  }

  /** Decides a batch and appends its events. @returns the commands that must be decided again */
  async #carryOut(stream: string, batch: readonly Pending[]): Promise<readonly Pending[]> {
    const patience = { until: untilOf(batch) };
    try {
      const decided = await this.#decide(stream, batch, patience);
      const startedAt = activityTime();
      const repeated = await this.#record(stream, decided, patience);
      this.#tellAppended(batch, decided, startedAt);
      for (const [index, decision] of decided.decisions.entries())
        settle(batch[index] as Pending, decision, decided.folded.position, repeated);
      return [];
    } catch (error) {
      if (error instanceof WrongExpectedRevision) return againOrGiveUp(batch, error);
      if (error instanceof OutcomeUnknown) return againOrGiveUp(rejectExpired(batch, error), error);
      const others = error instanceof StoreUnavailable ? rejectExpired(batch, error) : batch;
      if (others.length < batch.length) return others;
      throw error;
    }
  }

  async #decide(stream: string, batch: readonly Pending[], patience: Patience): Promise<DecidedBatch> {
    const cached = this.streams.take(stream);
    const begins = !cached && batch[0]?.attempts === 0 && batch[0].asked.likelyNew === true;
    const folded = cached ?? this.streams.empty(stream);
    if (!cached && !begins) await this.streams.catchUp(stream, folded, patience);
    const decided = decideBatch(stream, folded, batch, begins);
    if (!cached || decided.events.length > 0) return decided;

    // Nothing to append, so no expected revision shows that the cached state is stale: read what is newer.
    await this.streams.catchUp(stream, folded, patience);
    return folded.revision === decided.readRevision ? decided : decideBatch(stream, folded, batch, begins);
  }

  /**
   * Appends what was decided, if anything, and keeps the new state.
   * @returns whether an earlier append had the same events
   */
  async #record(
    stream: string,
    { folded, readRevision, begins, events }: DecidedBatch,
    patience: Patience,
  ): Promise<boolean> {
    let repeated = false;
    if (events.length > 0) {
      if (begins && this.#knownUpTo === undefined) this.#know(await this.#store.head(patience));
      const known = this.#knownUpTo;
      const expected = readRevision < 0 ? 'no-stream' : readRevision;
      const { position } = await this.#store.append(stream, events, expected, patience);
      folded.position = position;
      // New events come after every position that was known before.
      repeated = known !== undefined && position <= known;
      this.#know(position);
      // Others may have written to the stream since the earlier append: this state may be stale.
      if (repeated && begins) return repeated;
    }
    if (begins) this.streams.keepBegun(stream, folded);
    else this.streams.keep(stream, folded);
    return repeated;
  }

  #tellAppended(batch: readonly Pending[], { decisions }: DecidedBatch, startedAt: number): void {
    const endedAt = activityTime();
    for (const [index, { events }] of decisions.entries()) {
      const { asked } = batch[index] as Pending;
      if (events.length > 0) this.#activities.tell({ ...appendActivity(asked, events), startedAt, endedAt });
    }
  }

  #know(position: Position): void {
    if (this.#knownUpTo === undefined || position > this.#knownUpTo) this.#knownUpTo = position;
  }
}

const commandActivity = ({ command, cause: { commandId: id, correlationId }, parent }: AddressedCommand) => {
  const name = isRefusal(command) ? 'refused-request' : command.type;
  return { kind: 'command' as const, name, id, correlationId, parent };
};

const endingOf = (outcome: Outcome): Ending =>
  outcome.kind === 'accepted'
    ? { outcome: 'done' }
    : { outcome: 'refused', reason: outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind };

const appendActivity = (
  { stream, cause: { commandId: id, correlationId } }: AddressedCommand,
  events: readonly NewEvent[],
) => ({
  kind: 'append' as const,
  name: familyOf(stream),
  id,
  correlationId,
  stream,
  parent: { kind: 'command' as const, id, correlationId },
  outcome: 'done' as const,
  details: { events: events.length },
});

/** A batch ends when the first of its senders gives up. Where nobody said when, the store's usual time counts. */
function untilOf(batch: readonly Pending[]): number | undefined {
  const said = batch.flatMap(({ asked }) => (asked.until === undefined ? [] : [asked.until]));
  return said.length > 0 ? Math.min(...said) : undefined;
}

/** @returns those whose senders have not given up: the time of others must not end theirs */
function rejectExpired(batch: readonly Pending[], error: Error): readonly Pending[] {
  const now = performance.now();
  return batch.filter(({ asked, reject }) => {
    if (asked.until === undefined || asked.until > now) return true;
    reject(error);
    return false;
  });
}

/** A command whose sender gives up while it waits behind others is not carried out. */
function expireIn(queue: Pending[], pending: Pending): void {
  const { asked, reject } = pending;
  if (asked.until === undefined) return;
  const expire = () => {
    const at = queue.indexOf(pending);
    if (at < 0) return;
    queue.splice(at, 1);
    reject(new StoreUnavailable('earlier commands of the same stream did not end in time; nothing was done'));
  };
  pending.expiry = setTimeout(expire, Math.max(0, asked.until - performance.now())).unref();
}

function againOrGiveUp(batch: readonly Pending[], cause: Error): readonly Pending[] {
  return batch.filter((pending) => {
    pending.attempts += 1;
    if (pending.attempts < MAX_ATTEMPTS) return true;
    pending.reject(cause instanceof OutcomeUnknown ? cause : new TooMuchContention({ cause }));
    return false;
  });
}

function settle({ resolve, reject }: Pending, { outcomeAt }: Decided, position: Position, repeated: boolean): void {
  try {
    resolve(outcomeAt(position, repeated));
  } catch (error) {
    reject(error);
  }
}

interface DecidedBatch {
  readonly folded: FoldedStream;
  /** The revision on which the first command was decided. */
  readonly readRevision: number;
  /** The stream was taken for new and not read. */
  readonly begins: boolean;
  readonly decisions: readonly Decided[];
  readonly events: readonly NewEvent[];
}

interface Decided {
  readonly events: readonly NewEvent[];
  /** The outcome, once everything that was decided before and with it is stored up to a position, now or `repeated`. */
  readonly outcomeAt: (position: Position, repeated: boolean) => Outcome;
}

function decideBatch(stream: string, folded: FoldedStream, batch: readonly Pending[], begins: boolean): DecidedBatch {
  const readRevision = folded.revision;
  const decisions = batch.map(({ asked }) => decideOne(stream, folded, asked));
  return { folded, readRevision, begins, decisions, events: decisions.flatMap(({ events }) => events) };
}

/** Decides one command and folds its events, so that the next command of the batch sees them. */
function decideOne(stream: string, folded: FoldedStream, asked: AddressedCommand): Decided {
  const { cause } = asked;
  const first = folded.firstOutcomes?.get(cause.commandId);
  // The first one may be of the same batch: it has its position after the append.
  if (first) return { events: [], outcomeAt: () => repeatOf(first, asked) };
  try {
    const decision = decisionOn(stream, folded, asked);
    return Array.isArray(decision) ? record(stream, folded, decision, asked) : recordsNothing(decision as Outcome);
  } catch (error) {
    // A defect in one decision must not fail the other commands of the batch.
    return {
      events: [],
      outcomeAt: () => {
        throw error;
      },
    };
  }
}

function decisionOn(
  stream: string,
  folded: FoldedStream,
  { command, caller, cause, reason, ifRevision }: AddressedCommand,
): readonly AnyEvent[] | Outcome {
  const noRight = isRefusal(command) ? undefined : checkRight(stream, command, folded.state, { caller, reason });
  if (noRight) return { kind: 'refused', refusal: noRight };
  if (ifRevision !== undefined && ifRevision !== folded.revision)
    return { kind: 'revision-mismatch', actual: folded.revision < 0 ? 'no-stream' : folded.revision };
  const { decider }: Family = ledger[familyOf(stream)];
  const decision = isRefusal(command) ? command : decider.decide(command, folded.state);
  if (isRefusal(decision)) return { kind: 'refused', refusal: decision };
  // The reason was not sealed, because the stream did not exist then. Nothing is recorded without its reason.
  if (reason !== undefined && cause.reason === undefined && decision.length > 0) throw new TooMuchContention();
  return decision as readonly AnyEvent[];
}

const recordsNothing = (outcome: Outcome): Decided => ({ events: [], outcomeAt: () => outcome });

function record(
  stream: string,
  folded: FoldedStream,
  events: readonly AnyEvent[],
  { command, cause }: AddressedCommand,
): Decided {
  const { decider }: Family = ledger[familyOf(stream)];
  const recorded = { ...cause, ...instantsOf(command, machineClock.now()) };
  const first = folded.revision + 1;
  const encoded = events.map((event, index) => ({
    id: eventIdOf(cause.commandId, stream, first + index),
    ...encode(stream, event, recorded),
  }));
  for (const event of events) folded.state = decider.evolve(folded.state, event);
  folded.revision += events.length;
  const { revision } = folded;
  const outcome = rememberFirst(folded, events, cause);
  return {
    events: encoded,
    outcomeAt(position, repeated) {
      if (outcome) outcome.position = position;
      return { kind: 'accepted', events, revision, position, repeated };
    },
  };
}

/**
 * A command may be decided again, on a later state, and otherwise: a customer repeats a request that was refused, a process
 * ends before it has stored how far it came. One id may also come to two streams. So the id of an event has its place in it,
 * and no log has one twice. A repeat that is decided on the same state comes to the same id, and is stored once.
 */
const eventIdOf = (commandId: string, stream: string, revision: number): string =>
  deriveId(commandId, stream, String(revision));

/** A command takes some time until it is recorded. Instants that are closer than this are of one clock. */
const CLOCKS_AGREE_MILLISECONDS = 60_000;

/** A simulated store lives in another time than its machine, and a machine may be set to another time. */
function instantsOf(command: AnyCommand | Refusal, recordedAt: Instant): Pick<Cause, 'recordedAt' | 'effectiveAt'> {
  if (isRefusal(command)) return { recordedAt };
  const apart = Math.abs(Date.parse(recordedAt) - Date.parse(command.at));
  return apart < CLOCKS_AGREE_MILLISECONDS ? { recordedAt } : { recordedAt, effectiveAt: command.at };
}

/** Commands with a key are remembered, so that a repeat gets this outcome. Its position follows with the append. */
function rememberFirst(
  folded: FoldedStream,
  events: readonly AnyEvent[],
  { commandId, requestHash }: Cause,
): FirstOutcome | undefined {
  if (requestHash === undefined || events.length === 0) return undefined;
  const first = { requestHash, events, revision: folded.revision, position: BEFORE_FIRST };
  folded.firstOutcomes ??= new Map();
  folded.firstOutcomes.set(commandId, first);
  return first;
}

function repeatOf(first: FirstOutcome, { cause, unkeyedHash }: AddressedCommand): Outcome {
  const { requestHash, events, revision, position } = first;
  if (requestHash !== cause.requestHash && requestHash !== unkeyedHash) return { kind: 'key-reused' };
  return { kind: 'accepted', events, revision, position, repeated: true };
}
