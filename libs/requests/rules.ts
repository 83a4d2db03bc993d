import { type Caller, customerOf, staffRoles } from '#domain/kernel/caller';
import { type Refusal, refuse } from '#domain/kernel/decider';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { FamilyName, StateOf } from '#domain/ledger';

/** Who asks, and why. */
export interface AskedBy {
  readonly caller: Caller;
  readonly reason?: string | undefined;
}

export interface Asked<Command, State> extends AskedBy {
  readonly command: Command;
  readonly state: State;
  /** Of the stream, without its family. */
  readonly id: string;
}

/** @returns why the caller may not ask this; undefined when it may */
export type Rule<Command = unknown, State = unknown> = (asked: Asked<Command, State>) => Refusal | undefined;

export const anyone = (): undefined => undefined;

/** The caller has no right to ask for this. */
export class RequestRefused extends LeadgerError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code, refusal.message);
    this.refusal = refusal;
  }
}

/** For commands that the store's own processes send. */
export const processOnly: Rule = ({ caller }) =>
  caller.roles.includes('process') ? undefined : refuse('process-only', 'only the store itself does this');

const isStaff = ({ roles }: Caller): boolean => staffRoles.some((role) => roles.includes(role));

export const staff =
  (rule?: string) =>
  ({ caller }: AskedBy): Refusal | undefined =>
    isStaff(caller) ? undefined : refuse('staff-only', 'only staff may do this', rule);

/** SUP-2: support gives a reason for everything it does for a customer. */
function refuseSupport({ caller, reason }: AskedBy, rule: string): Refusal | undefined {
  if (!caller.roles.includes('support')) return refuse('support-only', 'only support may do this', rule);
  return reason === undefined ? refuse('reason-missing', 'support gives a reason for this', rule) : undefined;
}

export const support =
  (rule: string) =>
  (asked: AskedBy): Refusal | undefined =>
    refuseSupport(asked, rule);

/** Staff and the store itself: they may ask about every customer. */
export const actsForStore = (caller: Caller): boolean => isStaff(caller) || caller.roles.includes('process');

/** For data of a customer: the customer, staff and processes may ask. Without an owner the thing does not exist. */
export function refuseStranger(owner: string | undefined, { caller }: AskedBy, rule: string): Refusal | undefined {
  if (owner === undefined || owner === customerOf(caller)) return undefined;
  if (actsForStore(caller)) return undefined;
  return refuse('not-yours', 'this belongs to another customer', rule);
}

/** For data of an account: the customer may ask, and support with a reason. */
export function refuseOtherAccount(owner: string | undefined, asked: AskedBy, rule: string): Refusal | undefined {
  if (owner === undefined || owner === customerOf(asked.caller)) return undefined;
  return refuseStranger(owner, asked, rule) ?? refuseSupport(asked, rule);
}

/** The owner of a stream, by its state; undefined for a stream that does not exist. */
export const customerIn = {
  checkout: ({ wishes }: StateOf<'checkout'>) => wishes?.customerId,
  order: ({ terms }: StateOf<'order'>) => terms?.customerId,
  programme: (state: StateOf<'programme'>) => (state.status === 'unknown' ? undefined : state.customerId),
  ticket: (state: StateOf<'ticket'>) => (state.status === 'unknown' ? undefined : state.customerId),
} satisfies { readonly [Name in FamilyName]?: (state: StateOf<Name>) => string | undefined };
