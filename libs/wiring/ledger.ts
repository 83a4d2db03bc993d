import { type Cause, decode, encode, type Fact } from '#domain/codec';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { RecentlyUsed } from '#domain/kernel/recently-used';
import {
  type AnyCommand,
  type AnyEvent,
  type Family,
  type FamilyName,
  familyOf,
  ledger,
  type StateOf,
} from '#domain/ledger';
import {
  BEFORE_FIRST,
  type EventStore,
  type NewEvent,
  OutcomeUnknown,
  type Position,
  WrongExpectedRevision,
} from '#event-store/port';

export interface Order {
  readonly stream: string;
  /** What is asked, or why it cannot even be asked: a repeat gets its first outcome all the same. */
  readonly command: AnyCommand | Refusal;
  readonly cause: Cause;
  /** The revision the caller saw (If-Match). Something else there now: nothing is decided. */
  readonly ifRevision?: number;
  /** The caller expects to create the stream, so that reading it first would be a waste. Wrong guesses are only slower. */
  readonly likelyNew?: boolean;
}

export type Outcome =
  | {
      readonly kind: 'accepted';
      /** What was recorded; empty when all was so already. */
      readonly events: readonly AnyEvent[];
      readonly revision: number;
      /** A read that reflects this position sees the outcome. */
      readonly position: Position;
      /** The command was carried out before; these are the events of that time. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'revision-mismatch'; readonly actual: number | 'no-stream' };

/** Too many others wrote the stream at the same time; the command was not carried out and may be sent again. */
export class TooMuchContention extends Error {}

/** A stream as far as it was read. */
interface Folded {
  state: unknown;
  /** -1 before the first event. */
  revision: number;
  position: Position;
  /** What clients' commands with an Idempotency-Key led to, by command id. Most streams know of none. */
  requests: Map<string, FirstOutcome> | undefined;
}

interface FirstOutcome {
  readonly requestHash: string;
  readonly events: readonly AnyEvent[];
  readonly revision: number;
  position: Position;
}

interface Pending {
  readonly order: Order;
  attempts: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

const MAX_ATTEMPTS = 8;
const MAX_COMMANDS_AT_ONCE = 64;
const BEGUN_STREAMS = 4096;

/**
 * Carries out commands: load the stream, fold, decide, append at the revision that was read; on a conflict load and
 * decide again. Commands that wait for the same stream are decided one after the other and appended as one.
 */
export class Ledger {
  readonly #store: EventStore;
  readonly #folded: RecentlyUsed<string, Folded>;
  /** Streams that were begun and not asked for since: an import of millions does not drive out those in use. */
  readonly #begun = new RecentlyUsed<string, Folded>(BEGUN_STREAMS);
  readonly #waiting = new Map<string, Pending[]>();
  /** How far the log is known to go. */
  #knownUpTo: Position | undefined;

  constructor(store: EventStore, options: { cachedStreams?: number } = {}) {
    this.#store = store;
    this.#folded = new RecentlyUsed(options.cachedStreams ?? 50_000);
  }

  /** @throws TooMuchContention and the errors of {@link EventStore.append}. */
  execute(order: Order): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { order, attempts: 0, resolve, reject };
      const queue = this.#waiting.get(order.stream);
      if (queue) {
        queue.push(pending);
        return;
      }
      this.#waiting.set(order.stream, [pending]);
      queueMicrotask(() => this.#work(order.stream));
    });
  }

  /** The state of a stream as it stands in the store now, and the revision it stands at (-1 when there is no stream). */
  async read<Name extends FamilyName>(
    stream: `${Name}-${string}`,
  ): Promise<{ state: StateOf<Name>; revision: number }> {
    const folded = await this.#catchUp(stream, this.#take(stream) ?? emptyFold(stream));
    this.#folded.set(stream, folded);
    return { state: folded.state as StateOf<Name>, revision: folded.revision };
  }

  /** Loads streams that commands are about to need, so that these are decided in the order in which they are sent. */
  async warm(streams: Iterable<string>): Promise<void> {
    await Promise.all(
      [...new Set(streams)].map(async (stream) => {
        if (!this.#folded.get(stream) && !this.#begun.get(stream))
          this.#folded.set(stream, await this.#catchUp(stream, emptyFold(stream)));
      }),
    );
  }

  async #work(stream: string): Promise<void> {
    const queue = this.#waiting.get(stream) as Pending[];
    while (queue.length > 0) {
      const batch = queue.splice(0, MAX_COMMANDS_AT_ONCE);
      try {
        const again = await this.#carryOut(stream, batch);
        queue.unshift(...again);
      } catch (error) {
        for (const pending of batch) pending.reject(error);
      }
    }
    this.#waiting.delete(stream);
  }

  /** Decides a batch and appends what it led to. Returns the commands that must be decided anew. */
  async #carryOut(stream: string, batch: readonly Pending[]): Promise<readonly Pending[]> {
    const cached = this.#take(stream);
    const likelyNew = !cached && batch[0]?.attempts === 0 && batch[0].order.likelyNew;
    let folded = cached ?? (likelyNew ? emptyFold(stream) : await this.#catchUp(stream, emptyFold(stream)));
    let readRevision = folded.revision;
    let decided = batch.map(({ order }) => decideOne(stream, folded, order));
    if (cached && decided.every(({ events }) => events.length === 0)) {
      // Nothing to append, so no expected revision would tell that the cached state was stale: look.
      folded = await this.#catchUp(stream, cached);
      if (folded.revision !== readRevision) decided = batch.map(({ order }) => decideOne(stream, folded, order));
      readRevision = folded.revision;
    }

    const events = decided.flatMap((one) => one.events);
    // What was begun long ago has gone on since: the state after its beginning is no state to decide on.
    let isStale = false;
    if (events.length > 0) {
      try {
        if (likelyNew && this.#knownUpTo === undefined) {
          const head = await this.#store.head();
          this.#knownUpTo ??= head;
        }
        const { position } = await this.#store.append(stream, events, readRevision < 0 ? 'no-stream' : readRevision);
        folded.position = position;
        isStale = this.#isRepeat(position) && likelyNew === true;
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision || error instanceof OutcomeUnknown)) throw error;
        return againOrGiveUp(batch, error);
      }
    }
    if (!isStale) (likelyNew ? this.#begun : this.#folded).set(stream, folded);
    for (const [index, { settle }] of decided.entries()) {
      const { resolve, reject } = batch[index] as Pending;
      try {
        resolve(settle(folded.position));
      } catch (error) {
        reject(error);
      }
    }
    return [];
  }

  /** Something new comes behind all that is known; what does not was appended before, by somebody who asked the same. */
  #isRepeat(position: Position): boolean {
    if (this.#knownUpTo !== undefined && position <= this.#knownUpTo) return true;
    this.#knownUpTo = position;
    return false;
  }

  /** Out of the cache while it is worked on: nobody else may see what is decided but not yet written. */
  #take(stream: string): Folded | undefined {
    const folded = this.#folded.get(stream) ?? this.#begun.get(stream);
    this.#folded.delete(stream);
    this.#begun.delete(stream);
    return folded;
  }

  async #catchUp(stream: string, folded: Folded): Promise<Folded> {
    const { decider }: Family = ledger[familyOf(stream)];
    for await (const recorded of this.#store.readStream(stream, { from: folded.revision + 1 })) {
      const fact = decode(recorded);
      folded.state = decider.evolve(folded.state, fact);
      remember(folded, fact);
    }
    return folded;
  }
}

function againOrGiveUp(batch: readonly Pending[], cause: Error): readonly Pending[] {
  return batch.filter((pending) => {
    pending.attempts += 1;
    if (pending.attempts < MAX_ATTEMPTS) return true;
    const { stream } = pending.order;
    pending.reject(
      cause instanceof OutcomeUnknown ? cause : new TooMuchContention(`others keep writing ${stream}`, { cause }),
    );
    return false;
  });
}

const emptyFold = (stream: string): Folded => ({
  state: ledger[familyOf(stream)].decider.initialState(),
  revision: -1,
  position: BEFORE_FIRST,
  requests: undefined,
});

function remember(folded: Folded, fact: Fact): void {
  folded.revision = fact.revision;
  folded.position = fact.position as Position;
  const { commandId, requestHash } = fact.cause;
  if (requestHash === undefined) return;
  const { revision, position } = folded;
  folded.requests ??= new Map();
  const events = [...(folded.requests.get(commandId)?.events ?? []), { type: fact.type, data: fact.data } as AnyEvent];
  folded.requests.set(commandId, { requestHash, events, revision, position });
}

interface Decided {
  readonly events: readonly NewEvent[];
  /** The outcome, once all that was decided before and with it is in the store up to a position. */
  readonly settle: (position: Position) => Outcome;
}

/** Decides one command and folds what it decided, so that the next one in the batch sees it. */
function decideOne(stream: string, folded: Folded, order: Order): Decided {
  const { command, cause, ifRevision } = order;
  const before = folded.requests?.get(cause.commandId);
  if (before) return { events: [], settle: () => repeatOf(before, cause) };
  if (ifRevision !== undefined && ifRevision !== folded.revision) {
    const actual = folded.revision < 0 ? 'no-stream' : folded.revision;
    return { events: [], settle: () => ({ kind: 'revision-mismatch', actual }) };
  }

  try {
    const { decider }: Family = ledger[familyOf(stream)];
    const decision = isRefusal(command) ? command : decider.decide(command, folded.state);
    if (isRefusal(decision)) return { events: [], settle: () => ({ kind: 'refused', refusal: decision }) };
    return recordOne(stream, folded, decision as readonly AnyEvent[], cause);
  } catch (error) {
    // A defect in one decision must not take its neighbours along.
    return {
      events: [],
      settle: () => {
        throw error;
      },
    };
  }
}

function recordOne(stream: string, folded: Folded, events: readonly AnyEvent[], cause: Cause): Decided {
  const { decider }: Family = ledger[familyOf(stream)];
  const encoded = events.map((event, index) => ({
    id: deriveId(cause.commandId, String(index)),
    ...encode(stream, event, cause),
  }));
  for (const event of events) folded.state = decider.evolve(folded.state, event);
  folded.revision += events.length;
  const { revision } = folded;
  const { requestHash } = cause;
  const first =
    requestHash !== undefined && events.length > 0
      ? { requestHash, events, revision, position: BEFORE_FIRST }
      : undefined;
  if (first) {
    folded.requests ??= new Map();
    folded.requests.set(cause.commandId, first);
  }
  return {
    events: encoded,
    settle(position) {
      if (first) first.position = position;
      return { kind: 'accepted', events, revision, position, repeated: false };
    },
  };
}

function repeatOf({ requestHash, events, revision, position }: FirstOutcome, cause: Cause): Outcome {
  if (requestHash !== cause.requestHash) return { kind: 'key-reused' };
  return { kind: 'accepted', events, revision, position, repeated: true };
}
