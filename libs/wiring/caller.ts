import { type Refusal, refuse } from '#domain/kernel/decider';
import type { AnyCommand } from '#domain/ledger';
import type { Outcome } from './ledger.ts';

/** Who asks, why, and under which command id: a repeat with the same id is the same request. */
export interface Caller {
  readonly actor: string;
  readonly commandId: string;
  readonly reason?: string;
  readonly requestHash?: string;
  /** The revision of the stream that the caller saw (If-Match). */
  readonly ifRevision?: number;
}

/** The id of what was asked for, and how the ledger answered. */
export interface Answer {
  readonly id: string;
  readonly outcome: Outcome;
}

/** Sends one command for a caller. A refusal goes the same way: a repeat of what was accepted gets its first outcome. */
export type Send = (id: string, stream: string, command: AnyCommand | Refusal, caller: Caller) => Promise<Answer>;

/** What only support does, and never without saying why (SUP-2). @returns why not; undefined when it may */
export function notSupport({ actor, reason }: Caller, rule: string): Refusal | undefined {
  if (!actor.startsWith('staff:')) return refuse('support-only', 'only support may do this', rule);
  return reason === undefined ? refuse('reason-missing', 'support says why it does this', rule) : undefined;
}

/** What customers never do, and staff and programs of the store's own may. @returns why not; undefined when it may */
export const notStaff = ({ actor }: Caller, rule: string): Refusal | undefined =>
  actor.startsWith('customer:') ? refuse('staff-only', 'only staff may do this', rule) : undefined;

/** What a customer does with what is its own. @returns why not; undefined when it may */
export const notYours = (customerId: string, { actor }: Caller, rule?: string): Refusal | undefined =>
  actor.startsWith('customer:') && actor !== `customer:${customerId}`
    ? refuse('not-yours', 'this belongs to another customer', rule)
    : undefined;

/** ACC-4: customers change what is theirs; support may do it for them, and says why. */
export function notOwner(customerId: string, caller: Caller, rule = 'ACC-4'): Refusal | undefined {
  if (caller.actor === `customer:${customerId}`) return undefined;
  return notYours(customerId, caller, rule) ?? notSupport(caller, rule);
}
