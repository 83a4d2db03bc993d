import type { Fact } from '#domain/codec';
import type { Activities } from '#domain/kernel/activities';
import type { Refusal } from '#domain/kernel/decider';
import type { AnyCommand, AnyEvent } from '#domain/ledger';
import type { EventStore, Position } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { Effect, Untimed } from '../process.ts';
import type { AnyProcess, ProcessStatus } from './process-run.ts';

/** A command as the engine sends it: with its instant, its actor and its cause. */
export interface SentCommand {
  readonly commandId: string;
  readonly stream: string;
  readonly command: AnyCommand;
  readonly actor: string;
  /** The process, or its part, with the wish. */
  readonly unit: string;
  readonly because: Fact | undefined;
  /** How many events were folded when the process wished it. */
  readonly eventsSeen: number;
}

/** The result of a command: its events, and the log position that includes them; or the refusal of a rule. */
export type CommandResult =
  | { readonly position: Position; readonly events: readonly AnyEvent[] }
  | { readonly refusal: Refusal };

/** What a call to the outside asks its engine, and tells it. Without a limit of calls at once, it begins as soon as it is taken. */
export interface CallTurn {
  /** False when the program stops, or another worker may make the call. */
  readonly isMine: () => boolean;
  /** It waits for others to end. */
  readonly waits: () => void;
  /** Its turn has come: how long it has no answer counts from now. */
  readonly begins: () => void;
}

export interface EngineOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** Run in this order. */
  readonly processes: readonly AnyProcess[];
  /** Sends a command to the ledger. A refusal is a result; after an error the command is tried again. */
  readonly send: (sent: SentCommand) => Promise<CommandResult>;
  /** Called when the log was restored from an older copy: what was read of it is out of date. */
  readonly forget?: () => void;
  /** Loads streams in advance, so that their commands are decided in the order in which they are sent. */
  readonly warm?: (streams: readonly string[]) => Promise<void>;
  /**
   * Calls to the outside. What a call returns is sent as a command; undefined: nothing is recorded. The key makes a repeated
   * call the same call. A call that waited for its turn is made only if it is still this engine's.
   */
  readonly effects: {
    readonly [Kind in Effect['kind']]: (
      effect: Extract<Effect, { kind: Kind }>,
      idempotencyKey: string,
      turn: CallTurn,
    ) => Promise<Untimed<AnyCommand> | undefined>;
  };
  /** Whether this engine may act for a unit now. Checked immediately before each act. Default: for all units. */
  readonly mayActFor?: (unit: string) => boolean;
  /** Whether it begins anything for a unit for which it may act. Without, it only records what its calls under way bring. Default: it does. */
  readonly mayBeginFor?: (unit: string) => boolean;
  /** Where each attempt of a wish is told. */
  readonly activities?: Activities | undefined;
  /** What else of this program calls the outside, to be reported beside the processes. */
  readonly besides?: (() => readonly ProcessStatus[]) | undefined;
  /** The maximum number of wishes taken from one process at a time. */
  readonly wishesAtOnce?: number;
}
