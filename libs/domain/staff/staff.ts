import { z } from 'zod';
import { wrongPassword } from '../accounts/customer.ts';
import { scopeOf, staffRoles } from '../kernel/caller.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, type Sealed, type Secret } from '../kernel/events.ts';
import { id, personKey, randomTokenHash, sealedFor, secretFor } from '../kernel/fields.ts';
import { type AskedBy, aboutCaller, anyone, described, freshFactor, type RightsOf } from '../kernel/rights.ts';

/**
 * Who works for the store. They are in one stream, so that "the last administrator stays" is decided on all of them, and each
 * request knows at once what its caller may do. The first one ends the trial for good.
 */
export const staffStream = 'staff-main';

/** The key that seals what is personal about a member. It is destroyed when the member is removed. */
export const memberKey = (memberId: string): string => `staff-${memberId}`;

/** How long an invitation is valid. */
export const INVITATION_DAYS = 7;

const stores = z.union([z.literal('all'), z.array(id).min(1)]).describe('The stores in which the roles hold.');
const access = { roles: z.array(z.enum(staffRoles)).min(1), stores };
const email = sealedFor('member', 'email');

export const staffEvents = {
  StaffMemberAdded: fact({
    memberId: id,
    email,
    addressKey: personKey,
    name: sealedFor('member', 'name').optional(),
    ...access,
  }),
  /** A link to choose a password goes to the member. `storeId`: in whose name. An earlier link does not work any more. */
  StaffMemberInvited: fact({
    memberId: id,
    email,
    storeId: id,
    token: secretFor('member', 'link-token'),
    tokenHash: randomTokenHash.length(43),
    expiresAt: instant,
  }),
  /**
   * `changed`: by the member, who knew the one of before. `invited-again`: by the link of a later invitation. Absent: the first one.
   */
  StaffPasswordSet: fact({
    memberId: id,
    verifier: secretFor('member', 'password-verifier'),
    how: z.enum(['changed', 'invited-again']).optional(),
  }),
  StaffRolesChanged: fact({ memberId: id, ...access }),
  StaffMemberRemoved: fact({ memberId: id }),
};
export type StaffEvent = EventsOf<typeof staffEvents>;

type DataOf<Type extends StaffEvent['type']> = Omit<Extract<StaffEvent, { type: Type }>['data'], 'at'>;
export type StaffAccess = Pick<DataOf<'StaffRolesChanged'>, 'roles' | 'stores'>;
type Invitation = Omit<DataOf<'StaffMemberInvited'>, 'memberId' | 'email'>;

export type StaffCommand =
  /** An administrator of all stores, with all other roles: a store may have one person only. */
  | ({ type: 'AddFirstAdministrator'; at: Instant; verifier: Secret } & Omit<
      DataOf<'StaffMemberAdded'>,
      'roles' | 'stores'
    >)
  | ({ type: 'AddStaffMember'; at: Instant; invitation: Invitation } & DataOf<'StaffMemberAdded'>)
  | ({ type: 'InviteStaffMember'; at: Instant; memberId: string } & Invitation)
  | { type: 'SetStaffPassword'; at: Instant; memberId: string; tokenHash: string; verifier: Secret }
  /** `checked`: the verifier that the present password was checked against. */
  | { type: 'ChangeStaffPassword'; at: Instant; memberId: string; checked: Secret; verifier: Secret }
  | ({ type: 'ChangeStaffRoles'; at: Instant; memberId: string } & StaffAccess)
  | { type: 'RemoveStaffMember'; at: Instant; memberId: string };

/** Who gives rights to others. */
export const administrator = described('administrators of all stores', ({ caller }: AskedBy) =>
  caller.roles.includes('administrator') && scopeOf(caller) === 'all'
    ? undefined
    : refuse('administrator-only', 'only administrators of all stores may do this'),
);

const notYourPassword = refuse('not-your-password', 'everybody changes the own password only');

/** Who may ask for which command. */
export const staffRights = {
  // The request asks an administrator, as whom everybody counts in a trial at the machine, or the token of the trial.
  AddFirstAdministrator: anyone,
  AddStaffMember: freshFactor(administrator),
  InviteStaffMember: freshFactor(administrator),
  // The link in the mail gives the right.
  SetStaffPassword: anyone,
  ChangeStaffPassword: aboutCaller(
    freshFactor(
      described('the member', ({ caller, command }: AskedBy & { command: { memberId: string } }) =>
        caller.actor === `staff:${command.memberId}` ? undefined : notYourPassword,
      ),
    ),
  ),
  ChangeStaffRoles: freshFactor(administrator),
  RemoveStaffMember: freshFactor(administrator),
} satisfies RightsOf<StaffCommand, StaffState>;

export interface StaffMember extends StaffAccess {
  readonly memberId: string;
  readonly email: Sealed;
  readonly addressKey: string;
  readonly name?: Sealed | undefined;
  readonly addedAt: Instant;
  /** Absent until the invitation is accepted. */
  readonly verifier?: Secret;
  readonly invitation?: Pick<Invitation, 'tokenHash' | 'expiresAt'> | undefined;
  /** How often something was taken away: sessions from before it have ended. */
  readonly reductions: number;
}

export interface StaffState {
  readonly members: ReadonlyMap<string, StaffMember>;
  readonly removed: ReadonlySet<string>;
}

/** Until the first member is added, whoever is at the machine may do everything. */
export const isTrial = ({ members, removed }: StaffState): boolean => members.size === 0 && removed.size === 0;

export const memberUnknown = refuse('staff-member-unknown', 'there is no such member of staff');
export const trialOver = refuse('trial-over', 'this store has members of staff: an administrator adds others');
const lastAdministrator = refuse('last-administrator', 'somebody must stay who can give rights');
const notOfAllStores = refuse('administrator-of-all-stores', 'an administrator is one of all stores');
export const addressOfMember = refuse('staff-address-taken', 'another member of staff has this e-mail address');
export const invitationInvalid = refuse(
  'invitation-invalid',
  'this invitation was used, has expired or was never sent: ask an administrator for a new one',
);

export const staffList: Decider<StaffState, StaffCommand, StaffEvent> = {
  initialState: () => ({ members: new Map(), removed: new Set() }),

  decide(command, state): Decision<StaffEvent> {
    switch (command.type) {
      case 'AddFirstAdministrator':
        return isTrial(state) ? addFirst(command) : trialOver;
      case 'AddStaffMember':
        return addMember(command, state);
      case 'InviteStaffMember': {
        const { type: _, ...data } = command;
        const member = state.members.get(data.memberId);
        return member ? [{ type: 'StaffMemberInvited', data: { ...data, email: member.email } }] : memberUnknown;
      }
      case 'SetStaffPassword':
        return acceptInvitation(command, state);
      case 'ChangeStaffPassword': {
        const { type: _, checked, ...data } = command;
        // Another one was set since the check.
        if (state.members.get(data.memberId)?.verifier?.box !== checked.box) return wrongPassword;
        return [{ type: 'StaffPasswordSet', data: { ...data, how: 'changed' } }];
      }
      case 'ChangeStaffRoles':
        return changeRoles(command, state);
      case 'RemoveStaffMember': {
        const { at, memberId } = command;
        if (state.removed.has(memberId)) return [];
        if (!state.members.has(memberId)) return memberUnknown;
        if (!othersAdminister(state, memberId)) return lastAdministrator;
        return [{ type: 'StaffMemberRemoved', data: { at, memberId } }];
      }
      default:
        return undecided(command);
    }
  },

  evolve(state, { type, data }): StaffState {
    const { memberId } = data;
    const member = state.members.get(memberId);
    const changed = (changes: Partial<StaffMember>): StaffState =>
      member ? { ...state, members: new Map(state.members).set(memberId, { ...member, ...changes }) } : state;
    switch (type) {
      case 'StaffMemberAdded': {
        const { at: addedAt, ...added } = data;
        return { ...state, members: new Map(state.members).set(memberId, { ...added, addedAt, reductions: 0 }) };
      }
      case 'StaffMemberInvited':
        return changed({ invitation: { tokenHash: data.tokenHash, expiresAt: data.expiresAt } });
      case 'StaffPasswordSet':
        return changed({ verifier: data.verifier, invitation: undefined });
      case 'StaffRolesChanged': {
        const { roles, stores } = data;
        const reductions = (member?.reductions ?? 0) + (member && takesAway(member, data) ? 1 : 0);
        return changed({ roles, stores, reductions });
      }
      case 'StaffMemberRemoved': {
        const members = new Map(state.members);
        members.delete(memberId);
        return { members, removed: new Set(state.removed).add(memberId) };
      }
    }
  },
};

type Command<Type extends StaffCommand['type']> = Extract<StaffCommand, { type: Type }>;

function addFirst({ type: _, verifier, ...data }: Command<'AddFirstAdministrator'>): Decision<StaffEvent> {
  const { at, memberId } = data;
  return [
    { type: 'StaffMemberAdded', data: { ...data, roles: [...staffRoles], stores: 'all' } },
    { type: 'StaffPasswordSet', data: { at, memberId, verifier } },
  ];
}

function addMember(
  { type: _, invitation, ...data }: Command<'AddStaffMember'>,
  state: StaffState,
): Decision<StaffEvent> {
  if (isTrial(state))
    return refuse('trial-goes-on', 'the first member of staff is an administrator: add that one first');
  if (state.members.has(data.memberId)) return [];
  if (memberWith(state, data.addressKey)) return addressOfMember;
  if (!fitTogether(data)) return notOfAllStores;
  const { at, memberId, email } = data;
  return [
    { type: 'StaffMemberAdded', data },
    { type: 'StaffMemberInvited', data: { at, memberId, email, ...invitation } },
  ];
}

function acceptInvitation(
  { at, memberId, tokenHash, verifier }: Command<'SetStaffPassword'>,
  { members }: StaffState,
): Decision<StaffEvent> {
  const { invitation, verifier: former } = members.get(memberId) ?? {};
  if (invitation?.tokenHash !== tokenHash || invitation.expiresAt <= at) return invitationInvalid;
  const how = former && ({ how: 'invited-again' } as const);
  return [{ type: 'StaffPasswordSet', data: { at, memberId, verifier, ...how } }];
}

function changeRoles({ type: _, ...data }: Command<'ChangeStaffRoles'>, state: StaffState): Decision<StaffEvent> {
  const member = state.members.get(data.memberId);
  if (!member) return memberUnknown;
  if (!fitTogether(data)) return notOfAllStores;
  if (!data.roles.includes('administrator') && !othersAdminister(state, data.memberId)) return lastAdministrator;
  if (!takesAway(member, data) && !takesAway(data, member)) return [];
  return [{ type: 'StaffRolesChanged', data }];
}

export const memberWith = ({ members }: StaffState, addressKey: string): StaffMember | undefined =>
  [...members.values()].find((member) => member.addressKey === addressKey);

/** Rights cannot be given for one store by somebody who has them in another one only. */
const fitTogether = ({ roles, stores }: StaffAccess): boolean => !roles.includes('administrator') || stores === 'all';

/** Whoever has not accepted the invitation yet cannot give rights. */
const othersAdminister = ({ members }: StaffState, memberId: string): boolean =>
  [...members.values()].some(
    (member) => member.memberId !== memberId && member.verifier && member.roles.includes('administrator'),
  ) || !members.get(memberId)?.roles.includes('administrator');

/** Whether the second lacks a role or a store that the first has. */
const takesAway = (before: StaffAccess, after: StaffAccess): boolean =>
  before.roles.some((role) => !after.roles.includes(role)) ||
  (after.stores !== 'all' &&
    (before.stores === 'all' || before.stores.some((storeId) => !after.stores.includes(storeId))));
