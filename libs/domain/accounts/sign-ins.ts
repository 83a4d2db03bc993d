import type { Decider, Decision } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { code, id } from '../kernel/fields.ts';
import { type AskedBy, described, processOnly, type RightsOf, refuseWithoutReason } from '../kernel/rights.ts';
import { administrator } from '../staff/staff.ts';

/**
 * What is recorded of the sessions of a member of staff or a customer, by their id: not each of them, but what their owner is told, and
 * what others did.
 */
export const signInsStream = (holderId: string) => `signins-${holderId}` as const;

/** One of them. */
const holder = { memberId: id.optional(), customerId: id.optional() };

export const signInEvents = {
  /** Not the first sign-in of the account. */
  NewBrowserSignedIn: fact({ ...holder, device: code.describe('The kind of browser and system.') }),
  /** All of them, by an administrator. */
  SessionsEnded: fact(holder),
};
export type SignInEvent = EventsOf<typeof signInEvents>;

/** Whose sessions they are: a member of staff, or a customer. */
export interface AccountHolder {
  readonly memberId?: string | undefined;
  readonly customerId?: string | undefined;
}

type SignInCommand =
  | ({ type: 'NoteNewBrowser'; at: Instant; device: string } & AccountHolder)
  | ({ type: 'EndSessions'; at: Instant } & AccountHolder);

/** Who may ask for which command. */
export const signInRights = {
  // A step of a sign-in, which has proved the account.
  NoteNewBrowser: processOnly,
  EndSessions: described(
    `${administrator.who}, with a reason`,
    (asked: AskedBy) => administrator(asked) ?? refuseWithoutReason(asked, 'administrators give'),
  ),
} satisfies RightsOf<SignInCommand, AccountHolder>;

/** Each is recorded: there is no state that could refuse one. */
export const signIns: Decider<AccountHolder, SignInCommand, SignInEvent> = {
  initialState: () => ({}),

  decide(command): Decision<SignInEvent> {
    const { at, memberId, customerId } = command;
    const data = { at, ...(memberId !== undefined && { memberId }), ...(customerId !== undefined && { customerId }) };
    return command.type === 'NoteNewBrowser'
      ? [{ type: 'NewBrowserSignedIn', data: { ...data, device: command.device } }]
      : [{ type: 'SessionsEnded', data }];
  },

  evolve: (_, { data: { memberId, customerId } }) => ({ memberId, customerId }),
};
