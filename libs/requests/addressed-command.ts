import type { Cause } from '#domain/codec';
import type { ActivityKey } from '#domain/kernel/activities';
import type { Caller } from '#domain/kernel/caller';
import type { Refusal } from '#domain/kernel/decider';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { AnyCommand, AnyEvent } from '#domain/ledger';
import type { Position } from '#event-store/port';

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
