import { type Cause, encode } from '#domain/codec';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type AnyCommand, type AnyEvent, type Family, familyOf, ledger } from '#domain/ledger';
import { BEFORE_FIRST, type NewEvent, type Position } from '#event-store/port';
import { systemClock } from '#gateways/clock';
import { type AddressedCommand, type Outcome, TooMuchContention } from './addressed-command.ts';
import { checkRight } from './rights.ts';
import type { FirstOutcome, FoldedStream } from './stream-cache.ts';

/** Not the store's clock, which a simulation moves: it says when an event was recorded, not when it happened. */
const machineClock = systemClock();

export interface DecidedBatch {
  readonly folded: FoldedStream;
  /** The revision on which the first command was decided. */
  readonly readRevision: number;
  /** The stream was taken for new and not read. */
  readonly begins: boolean;
  readonly decisions: readonly Decided[];
  readonly events: readonly NewEvent[];
}

export interface Decided {
  readonly events: readonly NewEvent[];
  /** The outcome, once everything that was decided before and with it is stored up to a position, now or `repeated`. */
  readonly outcomeAt: (position: Position, repeated: boolean) => Outcome;
}

/** One of several commands for the same stream. */
interface Asked {
  readonly asked: AddressedCommand;
}

/** Decides commands in turn, each on what the earlier ones recorded. Nothing is appended yet. */
export function decideBatch(
  stream: string,
  folded: FoldedStream,
  batch: readonly Asked[],
  begins: boolean,
): DecidedBatch {
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
