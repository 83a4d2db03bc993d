import { Activities, activityTime, type Ending } from '#domain/kernel/activities';
import { isRefusal } from '#domain/kernel/decider';
import { familyOf } from '#domain/ledger';
import {
  type EventStore,
  type NewEvent,
  OutcomeUnknown,
  type Patience,
  type Position,
  StoreUnavailable,
  WrongExpectedRevision,
} from '#event-store/port';
import { type AddressedCommand, type Outcome, TooMuchContention } from './addressed-command.ts';
import { type Decided, type DecidedBatch, decideBatch } from './decide-batch.ts';
import { StreamCache } from './stream-cache.ts';
import { WaitingCommands } from './waiting-commands.ts';

interface Pending {
  readonly asked: AddressedCommand;
  /** While it waits behind others. */
  expiry?: NodeJS.Timeout | undefined;
  attempts: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

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
