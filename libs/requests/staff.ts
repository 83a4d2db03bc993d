import { randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import { type Caller, staffRoles } from '#domain/kernel/caller';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import { instant, type Purpose } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
import { ID } from '#domain/kernel/text';
import { erasuresStream } from '#domain/persons/erasures';
import {
  addressOfMember,
  administrator,
  INVITATION_DAYS,
  invitationInvalid,
  isTrial,
  memberKey,
  memberUnknown,
  memberWith,
  type StaffAccess,
  type StaffCommand,
  type StaffMember,
  staffStream,
  trialOver,
} from '#domain/staff/staff';
import { exampleIds } from '#read-models/models/examples';
import type { Vault } from '#vault/vault';
import { addressKeyOf, hashOfToken, openIfThere } from './account-seals.ts';
import { chosenVerifierOfMember } from './chosen-password.ts';
import { matches, type Verifier } from './password-hash.ts';
import { openRow, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

interface NewMember extends StaffAccess {
  readonly email: string;
  readonly name?: string;
}

interface FirstMember extends Pick<NewMember, 'email' | 'name'> {
  readonly password: string;
  /** Of the trial. Whoever is at the machine needs none. */
  readonly token?: string;
}

/** Who works for the store. Names, addresses and passwords are sealed here. */
export const staffRequests = (tools: RequestTools) => ({
  addFirst: (first: FirstMember, context: RequestContext) => addFirst(tools, first, context),
  add: (member: NewMember, context: RequestContext) => add(tools, member, context),
  invite: (memberId: string, context: RequestContext) => invite(tools, memberId, context),
  acceptInvitation: (token: string, password: string, context: RequestContext) =>
    acceptInvitation(tools, token, password, context),
  changeRoles: (memberId: string, access: StaffAccess, context: RequestContext) =>
    changeRoles(tools, memberId, access, context),
  remove: (memberId: string, context: RequestContext) => remove(tools, memberId, context),
});

/**
 * With it, the first account can be made from another machine, or through a proxy. All programs of a store have the same one,
 * and it is good for nothing once there is a member of staff.
 */
export const firstAccountToken = (vault: Pick<Vault, 'personKey'>): string => vault.personKey('first-account', 'token');

const wrongToken = refuse('first-account-token-wrong', 'this is not the token that the programs of this store print');

async function addFirst(
  tools: RequestTools,
  { email, name, password, token }: FirstMember,
  context: RequestContext,
): Promise<Receipt> {
  const memberId = deriveId('staff-member', context.commandId);
  const refusal = token === undefined ? administrator(context) : refuseToken(tools.vault, token);
  if (refusal) return tools.refuse(memberId, staffStream, refusal, context);
  const state = await tools.stateOf<'staff'>(staffStream);
  // No password is hashed for a store that has its staff.
  if (!isTrial(state)) return tools.send(memberId, staffStream, trialOver, context);
  const chosen = await chosenVerifierOfMember(tools, email, password);
  if (isRefusal(chosen)) return tools.send(memberId, staffStream, chosen, context);
  const sealed = await sealedMember(tools, memberId, { email, ...(name !== undefined && { name }) });
  const verifier = await sealSecretOfMember(tools, memberId, 'password-verifier', chosen);
  const command = { type: 'AddFirstAdministrator', at: tools.now(), memberId, ...sealed, verifier } as const;
  return tools.send(memberId, staffStream, command, context);
}

function refuseToken(vault: Pick<Vault, 'personKey'>, token: string): Refusal | undefined {
  const [given, right] = [Buffer.from(token), Buffer.from(firstAccountToken(vault))];
  return given.length === right.length && timingSafeEqual(given, right) ? undefined : wrongToken;
}

async function add(tools: RequestTools, member: NewMember, context: RequestContext): Promise<Receipt> {
  const memberId = deriveId('staff-member', context.commandId);
  const { roles, stores } = member;
  return changeStaff(tools, memberId, 'AddStaffMember', context, async () => {
    const refusal = await refuseStores(tools, stores);
    if (refusal) return refusal;
    const state = await tools.stateOf<'staff'>(staffStream);
    const sealed = await sealedMember(tools, memberId, member);
    if (!state.members.has(memberId) && memberWith(state, sealed.addressKey)) return addressOfMember;
    const invitation = await newInvitation(tools, memberId, stores);
    if (isRefusal(invitation)) return invitation;
    return { type: 'AddStaffMember', at: tools.now(), memberId, ...sealed, roles, stores, invitation };
  });
}

const invite = (tools: RequestTools, memberId: string, context: RequestContext) =>
  changeStaff(tools, memberId, 'InviteStaffMember', context, async (member) => {
    if (!member) return memberUnknown;
    const invitation = await newInvitation(tools, memberId, member.stores);
    if (isRefusal(invitation)) return invitation;
    return { type: 'InviteStaffMember', at: tools.now(), memberId, ...invitation };
  });

const changeRoles = (tools: RequestTools, memberId: string, access: StaffAccess, context: RequestContext) =>
  changeStaff(tools, memberId, 'ChangeStaffRoles', context, async () => {
    const { roles, stores } = access;
    return (
      (await refuseStores(tools, stores)) ?? { type: 'ChangeStaffRoles', at: tools.now(), memberId, roles, stores }
    );
  });

/** The link gives the right. It names its member. */
async function acceptInvitation(
  tools: RequestTools,
  token: string,
  password: string,
  context: RequestContext,
): Promise<Receipt> {
  const memberId = token.slice(0, Math.max(token.lastIndexOf('.'), 0));
  const { members } = await tools.stateOf<'staff'>(staffStream);
  const tokenHash = hashOfToken(token);
  const member = ID.test(memberId) ? members.get(memberId) : undefined;
  if (member?.invitation?.tokenHash !== tokenHash) return tools.send('none', staffStream, invitationInvalid, context);
  const email = (await openIfThere(tools.vault, member.email)) as string | undefined;
  const chosen = await chosenVerifierOfMember(tools, email, password);
  if (isRefusal(chosen)) return tools.send(memberId, staffStream, chosen, context);
  const verifier = await sealSecretOfMember(tools, memberId, 'password-verifier', chosen);
  return tools.send(
    memberId,
    staffStream,
    { type: 'SetStaffPassword', at: tools.now(), memberId, tokenHash, verifier },
    context,
  );
}

/** The member goes first, so that nobody loses a key who stays. A repeat completes what a crash left. */
async function remove(tools: RequestTools, memberId: string, context: RequestContext): Promise<Receipt> {
  const receipt = await tools.send(
    memberId,
    staffStream,
    { type: 'RemoveStaffMember', at: tools.now(), memberId },
    context,
  );
  if (receipt.outcome.kind !== 'accepted') return receipt;
  const commandId = deriveId('erase-member', memberId);
  const erasure = { subjects: [memberKey(memberId)], personKeys: [], ends: [] };
  await tools.send(
    'main',
    erasuresStream,
    { type: 'ErasePerson', at: tools.now(), ...erasure },
    { caller: store, commandId },
  );
  await tools.vault.erase(memberKey(memberId));
  return receipt;
}

const store: Caller = { kind: 'process', actor: 'process:staff', roles: ['process'], stores: 'all' };

/** Creates and sends a command with sealed data, only for a caller with the right. */
async function changeStaff(
  tools: RequestTools,
  memberId: string,
  type: 'AddStaffMember' | 'InviteStaffMember' | 'ChangeStaffRoles',
  context: RequestContext,
  make: (member: StaffMember | undefined) => Promise<StaffCommand | Refusal>,
): Promise<Receipt> {
  const state = await tools.stateOf<'staff'>(staffStream);
  const refusal = checkRightEarly(staffStream, { type }, state, context);
  if (refusal) return tools.refuse(memberId, staffStream, refusal, context);
  return tools.send(memberId, staffStream, await make(state.members.get(memberId)), context);
}

async function refuseStores({ stateOf }: RequestTools, stores: StaffAccess['stores']): Promise<Refusal | undefined> {
  if (stores === 'all') return undefined;
  const known = (await stateOf<'catalogue'>(catalogueStream)).stores;
  const unknown = stores.find((storeId) => !known.has(storeId));
  return unknown === undefined ? undefined : unknownStore(unknown);
}

const sealFor = ({ vault }: RequestTools, memberId: string, purpose: Purpose, value: unknown) =>
  vault.seal(memberKey(memberId), purpose, value);

export const sealSecretOfMember = async (tools: RequestTools, memberId: string, purpose: Purpose, value: unknown) =>
  ({ ...(await sealFor(tools, memberId, purpose, value)), secret: true }) as const;

const sealedMember = async (
  tools: RequestTools,
  memberId: string,
  { email, name }: Pick<NewMember, 'email' | 'name'>,
) => ({
  email: await sealFor(tools, memberId, 'email', email),
  addressKey: addressKeyOf(tools.vault, email),
  ...(name !== undefined && { name: await sealFor(tools, memberId, 'name', name) }),
});

const noStore = refuse('no-store', 'open a store first: an invitation comes in the name of one');

async function newInvitation(tools: RequestTools, memberId: string, stores: StaffAccess['stores']) {
  const [first] = stores === 'all' ? (await tools.stateOf<'catalogue'>(catalogueStream)).stores.keys() : stores;
  if (first === undefined) return noStore;
  const token = `${memberId}.${randomBytes(24).toString('base64url')}`;
  return {
    storeId: first,
    token: await sealSecretOfMember(tools, memberId, 'link-token', token),
    tokenHash: hashOfToken(token),
    expiresAt: addDays(tools.now(), INVITATION_DAYS),
  };
}

/** Whether it is the password of a member. @returns the box that it was checked against; undefined for a wrong one */
export async function checkedVerifier(
  { stateOf, vault }: Pick<QueryTools, 'stateOf'> & { readonly vault: Vault },
  memberId: string,
  password: string,
) {
  const member = (await stateOf<'staff'>(staffStream)).members.get(memberId);
  const verifier = (await openIfThere(vault, member?.verifier)) as Verifier | undefined;
  return (await matches(password, verifier)) ? member?.verifier : undefined;
}

/** Both are compared with exact case, as for customers. Takes equally long for whoever is no member. */
export async function memberSigningIn(
  { stateOf, vault }: Pick<QueryTools, 'stateOf'> & { readonly vault: Vault },
  email: string,
  password: string,
): Promise<StaffMember | undefined> {
  const member = memberWith(await stateOf<'staff'>(staffStream), addressKeyOf(vault, email));
  const isTheirs = member && (await openIfThere(vault, member.email)) === email;
  const verifier = isTheirs ? ((await openIfThere(vault, member.verifier)) as Verifier | undefined) : undefined;
  return (await matches(password, verifier)) ? member : undefined;
}

export const staffMember = z
  .object({
    memberId: z.string().describe('The id of the member, as histories name it: staff:ID.'),
    email: z.string().nullable().describe('With which the member signs in.'),
    name: z.string().nullable().describe('Null: none was given.'),
    roles: z.array(z.enum(staffRoles)).describe('What the member may do.'),
    stores: z.union([z.literal('all'), z.array(z.string())]).describe('The stores in which the roles hold.'),
    addedAt: instant.describe('Since when.'),
    status: z.enum(['invited', 'active']).describe('Invited: has not chosen a password yet.'),
    keyMissing: z.boolean().describe('True when the key of a value is missing or damaged: the value is null.'),
  })
  .meta({ id: 'StaffMember' });

export const staffMemberExample: z.infer<typeof staffMember> = {
  memberId: exampleIds.memberId,
  email: 'grace@example.com',
  name: 'Grace Hopper',
  roles: ['support'],
  stores: 'all',
  addedAt: '2026-03-01T09:30:00.000Z',
  status: 'active',
  keyMissing: false,
};

export const staffQueries = (tools: QueryTools) => ({
  /** All members, the longest here first. */
  async list(context: RequestContext) {
    const { members } = await tools.stateOf<'staff'>(staffStream);
    return Promise.all([...members.values()].map((member) => shownMember(tools, context, member)));
  },
});

const shownMember = (tools: QueryTools, context: RequestContext, member: StaffMember) => {
  const { memberId, roles, stores, addedAt, verifier } = member;
  const status = verifier ? ('active' as const) : ('invited' as const);
  return openRow(tools, { ...context, opensBoxes: true }, async (openValue) => ({
    memberId,
    email: await openValue<string>(member.email),
    name: await openValue<string>(member.name),
    roles: [...roles],
    stores: stores === 'all' ? ('all' as const) : [...stores],
    addedAt,
    status,
  }));
};
