import type { Fact, FactOf } from '#domain/codec';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import type { AnyCommand, EventTypeName } from '#domain/ledger';
import type { MailWish } from '#domain/notifications/mail';
import type { WebhookWish } from '#domain/notifications/webhook';

/** What a process wants done. The id is made from the cause, so wishing twice does nothing twice. */
export type Wish = CommandWish | EffectWish;

export interface CommandWish {
  readonly commandId: string;
  readonly stream: string;
  /** Of a process in parts: the part that wishes it. */
  readonly part?: string;
  /** Without its instant: the engine adds the one at which it is sent. */
  readonly command: Untimed<AnyCommand>;
  /** The event that led to it: its chain goes on. */
  readonly because?: Fact;
}

/** A call to the outside (a gateway); its answer becomes a command. */
export interface EffectWish {
  readonly commandId: string;
  readonly stream: string;
  readonly part?: string;
  readonly effect: Effect;
  readonly because?: Fact;
}

/** What is called is away: it is waited for, however long that takes. */
export class OutOfReach extends Error {}

/** Each kind is carried out by the engine's handler of that name. */
export type Effect =
  | ({ readonly kind: 'capture-payment' } & Charge)
  | ({ readonly kind: 'charge-renewal'; readonly renewalNumber: number; readonly attempt: number } & Charge)
  | {
      readonly kind: 'send-mail';
      readonly mailId: string;
      readonly mail: Omit<MailWish, 'eventId'>;
      readonly wishedAt: Instant;
    }
  | { readonly kind: 'call-webhook'; readonly webhookId: string; readonly attempt: number; readonly wish: WebhookWish };

interface Charge {
  readonly token: string;
  readonly amountCents: number;
  readonly currency: string;
  readonly statementDescriptor: string;
}

export type Untimed<Command> = Command extends unknown ? Omit<Command, 'at'> : never;

/**
 * A process is a to-do list that facts write: `evolve` notes what a fact means, `next` says what is to be done now.
 * Both are deterministic; the state belongs to the engine's one loop and may be updated in place. Nothing of it is
 * stored: after a restart the facts are folded again, and what was begun but not finished is still on the list (ADR 4).
 */
export interface Process<State, Types extends EventTypeName = EventTypeName> {
  /** What it does, e.g. `lead-distribution`. Also the actor of its commands. */
  readonly name: string;
  readonly eventTypes: readonly Types[];
  /** Its parts may be run by several workers, each by one of them. All fold the same facts. */
  readonly inParts?: true;
  readonly initialState: () => State;
  readonly evolve: (state: State, fact: FactOf<Types>) => void;
  /** Takes at most `limit` items off the list. The state reflects the log up to `position`. */
  readonly next: (state: State, moment: Moment, limit: number) => Wish[];
  /** A rule said no. What was wished is done with, unless the process puts something on its list. */
  readonly refused?: (state: State, wish: Wish, refusal: Refusal) => void;
  /** When `next` is to be asked again although nothing happened. */
  readonly wakeAt?: (state: State) => Instant | undefined;
}

export interface Moment {
  readonly now: Instant;
  readonly position: string;
  /** Whether this worker runs that part of the process. */
  readonly runs: (part: string) => boolean;
}

/** What one worker at a time runs: a process, or one part of it. */
export const unitOf = (process: string, part?: string): string => (part === undefined ? process : `${process}/${part}`);
