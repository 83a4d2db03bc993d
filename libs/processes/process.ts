import type { Fact, FactOf } from '#domain/codec';
import type { Refusal } from '#domain/kernel/decider';
import type { Instant, Secret } from '#domain/kernel/events';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { AnyCommand, EventTypeName } from '#domain/ledger';
import type { MailWish } from '#domain/notifications/mail';
import type { FailedTries } from '#domain/notifications/mail-retries';
import type { WebhookWish } from '#domain/notifications/webhook';
import type { PayerToForget } from '#domain/orders/payments';

/**
 * What a process wants done. The id is derived from the cause, so that the same wish twice has the effect of one.
 */
export type Wish = CommandWish | EffectWish;

export interface CommandWish {
  readonly commandId: string;
  readonly stream: string;
  /** Of a process that is run in parts: the part with this wish. */
  readonly part?: string;
  /** Without its instant: the engine adds the one at which it sends the command. */
  readonly command: Untimed<AnyCommand>;
  /** The event that caused it. The command continues its correlation. */
  readonly because?: Fact;
}

/** A call to the outside (a gateway), or to the vault. The engine sends the result as a command, if there is one. */
export interface EffectWish {
  readonly commandId: string;
  readonly stream: string;
  readonly part?: string;
  readonly effect: Effect;
  readonly because?: Fact;
}

/** A service outside does not respond. The engine tries again, however long that takes. */
export class OutOfReach extends LeadgerError {
  constructor(message: string) {
    super('out-of-reach', message);
  }
}

/** The call failed, and `record` says so in the ledger. When it is made again, its process knows from that. */
export class FailureToRecord extends OutOfReach {
  readonly record: Untimed<AnyCommand>;
  /** Of the command: each failed attempt has its own. */
  readonly commandId: string;
  /** The service outside was reached, and works: it only does not do this now. */
  readonly wasAnswered: boolean;

  constructor(message: string, commandId: string, record: Untimed<AnyCommand>, wasAnswered: boolean) {
    super(message);
    this.wasAnswered = wasAnswered;
    this.commandId = commandId;
    this.record = record;
  }
}

/** Each kind is carried out by the engine's handler of that name. */
export type Effect =
  | ({
      readonly kind: 'capture-payment';
      readonly isKept: boolean;
      /** The order was cancelled meanwhile: nothing new is charged, and until then the provider is asked what it has charged. */
      readonly onlyIfMadeUntil?: Instant;
    } & Charge)
  | ({
      readonly kind: 'charge-renewal';
      readonly renewalNumber: number;
      readonly attempt: number;
      /** Whether a charge that is not confirmed is tried again: only then the customer is asked to confirm it. */
      readonly isTriedAgain: boolean;
    } & Charge)
  | {
      readonly kind: 'settle-renewal';
      readonly orderId: string;
      readonly renewalNumber: number;
      readonly attempt: number;
      /** The charge that the customer was asked to confirm. */
      readonly reference: string;
      /** The time to confirm it is over. */
      readonly isOver: boolean;
    }
  | ({ readonly kind: 'make-refund'; readonly attempt: number } & Refund)
  | {
      readonly kind: 'send-mail';
      readonly mailId: string;
      readonly mail: Omit<MailWish, 'eventId'>;
      readonly wishedAt: Instant;
      /** Earlier attempts, which failed, since it was wished or sent again by hand. */
      readonly failed?: FailedTries;
      /** Attempts that failed before it was sent again by hand. */
      readonly attemptsBefore?: number;
    }
  | { readonly kind: 'call-webhook'; readonly webhookId: string; readonly attempt: number; readonly wish: WebhookWish }
  | { readonly kind: 'erase-lead'; readonly leadStream: string }
  /** The lead of a return that was denied after all. */
  | { readonly kind: 'keep-person'; readonly leadId: string; readonly replacementId: string }
  /** The customer of an order, as the payment provider names it. */
  | ({ readonly kind: 'forget-payer' } & PayerToForget)
  | { readonly kind: 'complete-erasure'; readonly erasure: FactOf<'PersonErased'>['data'] }
  /** A customer whose keys are of a former list of legal endings. */
  | { readonly kind: 'renew-business-keys'; readonly customerId: string }
  | { readonly kind: 'remove-mail-copies'; readonly before: Instant }
  | { readonly kind: 'destroy-keys'; readonly subjects: readonly string[] };

interface Charge {
  /** The order that is paid: its customer's key opens the token. */
  readonly orderId: string;
  readonly token: Secret;
  readonly amountCents: number;
  readonly currency: string;
  readonly statementDescriptor: string;
  /** When it was decided to charge. */
  readonly wishedAt: Instant;
  /** Where the provider keeps the card, if it does. */
  readonly providerCustomerId?: string | undefined;
}

interface Refund {
  readonly refundId: string;
  readonly reference: string;
  readonly amountCents: number;
  readonly currency: string;
}

export type Untimed<Command> = Command extends unknown ? Omit<Command, 'at'> : never;

/**
 * A process is a to-do list made from facts: `evolve` notes what a fact means, `next` returns what is to be done now.
 * Both are deterministic. The state belongs to the engine's one loop and may be updated in place. It is not stored:
 * after a restart the facts are folded again, and unfinished work is still on the list (ADR 4).
 */
export interface Process<State, Types extends EventTypeName = EventTypeName> {
  /** What it does, e.g. `lead-distribution`. Also the actor of its commands. */
  readonly name: string;
  readonly eventTypes: readonly Types[];
  /** Several workers may run its parts, one worker each part. All of them fold the same facts. */
  readonly inParts?: true;
  readonly initialState: () => State;
  readonly evolve: (state: State, fact: FactOf<Types>) => void;
  /** Takes at most `limit` items off the list. */
  readonly next: (state: State, moment: Moment, limit: number) => Wish[];
  /** A rule refused the command of a wish. The wish is finished, unless the process puts something on its list. */
  readonly refused?: (state: State, wish: Wish, refusal: Refusal) => void;
  /** When the engine must call `next` again although nothing happened. */
  readonly wakeAt?: (state: State) => Instant | undefined;
}

/** The state's type comes from `initialState`, the types of the facts from `eventTypes`. */
export const defineProcess = <State, const Types extends EventTypeName>(
  process: Process<State, Types>,
): Process<State, Types> => process;

/** Removes the first entries of a to-do list, at most `limit`, and returns them. */
export function takeFrom<Key, Item>(list: Map<Key, Item>, limit: number): [Key, Item][] {
  const taken: [Key, Item][] = [];
  for (const entry of list) {
    if (taken.length >= limit) break;
    list.delete(entry[0]);
    taken.push(entry);
  }
  return taken;
}

export interface Moment {
  readonly now: Instant;
  /** How many events of the ledger the state reflects. */
  readonly eventsSeen: number;
  /** Whether this worker runs that part of the process. */
  readonly runs: (part: string) => boolean;
}

/** What only one worker at a time may run: a process, or one part of it. */
export const unitOf = (process: string, part?: string): string => (part === undefined ? process : `${process}/${part}`);
