import { wrongPassword } from '#domain/accounts/customer';
import { factorsStream, factorUnknown, factorWrong, hasFactor } from '#domain/factors/factors';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { memberUnknown, staffStream } from '#domain/staff/staff';
import type { SessionFactor } from '#sessions/session-store';
import { openIfThere } from './account-seals.ts';
import { chosenVerifierOfMember } from './chosen-password.ts';
import { holderOf, newCodes, offeredFactor, useCode } from './factors.ts';
import type { NewSession } from './identities.ts';
import { isPasskeyOf, newPasskey, type PasskeyProof } from './passkeys.ts';
import { isPasswordOf } from './passwords.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import { type Receipt, type RequestContext, type RequestTools, requestTools } from './request-tools.ts';
import { checkRightEarly, RequestRefused } from './rights.ts';
import { checkedVerifier, sealSecretOfMember } from './staff.ts';
import type { NewCredential, RelyingParty } from './web-authn.ts';

interface InSession {
  /** The one that asks. */
  readonly sessionId: string | undefined;
}

/** One of them. */
interface GivenProof extends InSession {
  readonly code?: string | undefined;
  readonly passkey?: PasskeyProof | undefined;
}

interface NewFactor extends InSession {
  /** For the first factor of an account. */
  readonly currentPassword?: string | undefined;
}

interface NewTotp extends NewFactor {
  readonly factorId: string;
  readonly code: string;
}

interface NewPasskey extends NewFactor {
  readonly credential: NewCredential;
  readonly party: RelyingParty;
  readonly name?: string | undefined;
}

type ProofTools = QueryTools & QueryDependencies;

/** A session that goes on, with another token. Undefined: it ended meanwhile. */
type Renewed = { readonly session: NewSession | undefined };
type Added = Renewed & { readonly factorId: string; readonly recoveryCodes?: readonly string[] };

/**
 * What changes with what people sign in, while a session of theirs goes on: all others of the account end, where something was
 * taken away. A wrong code, and a wrong password, are told as a refusal: whoever asks counts them.
 */
export const proofOperations = (tools: ProofTools) => ({
  proveFactor: (context: RequestContext, given: GivenProof) => proveFactor(tools, context, given),
  addTotp: (context: RequestContext, given: NewTotp) => addTotp(tools, context, given),
  addPasskey: (context: RequestContext, given: NewPasskey) => addPasskey(tools, context, given),
  removeFactor: (context: RequestContext, given: InSession & { factorId: string }) =>
    removeFactor(tools, context, given),
  changeOwnPassword: (context: RequestContext, given: InSession & Passwords) =>
    changeOwnPassword(tools, context, given),
});

const idOfCaller = ({ caller: { actor } }: RequestContext): string => actor.slice(actor.indexOf(':') + 1);

const renewed = async (
  { identities }: ProofTools,
  { caller }: RequestContext,
  { sessionId }: InSession,
  factor?: SessionFactor,
): Promise<Renewed> => ({ session: await identities.renew(sessionId ?? '', caller.actor, factor) });

async function proveFactor(tools: ProofTools, context: RequestContext, given: GivenProof): Promise<Renewed | Refusal> {
  const factor = await useProof(tools, context, given);
  return factor ? renewed(tools, context, given, factor) : factorWrong;
}

async function useProof(tools: ProofTools, context: RequestContext, { code, passkey, sessionId = '' }: GivenProof) {
  const holderId = idOfCaller(context);
  if (code !== undefined || !passkey) return useCode(tools, holderId, code ?? '', context);
  return (await isPasskeyOf(tools, holderId, passkey, sessionId)) ? 'passkey' : undefined;
}

/** A session alone adds no first factor: whoever found it open would keep the account for good. @throws RequestRefused */
async function refuseAdding(
  tools: ProofTools,
  context: RequestContext,
  type: 'AddTotp' | 'AddPasskey',
  { currentPassword = '' }: NewFactor,
): Promise<Refusal | undefined> {
  const stream = factorsStream(idOfCaller(context));
  const state = await tools.stateOf<'factors'>(stream);
  const refusal = checkRightEarly(stream, { type }, state, context);
  if (refusal) throw new RequestRefused(refusal);
  return hasFactor(state) || (await isOwnPassword(tools, context, currentPassword)) ? undefined : wrongPassword;
}

/** Recovery codes come with the first factor. */
async function answerAdded(
  tools: ProofTools,
  context: RequestContext,
  receipt: Receipt,
  { shown, sessionId, factor }: InSession & { readonly shown: readonly string[]; readonly factor: SessionFactor },
): Promise<Added> {
  const isFirst = eventsOf(receipt).some(({ data }) => 'codes' in data);
  const session = await renewed(tools, context, { sessionId }, factor);
  return { ...session, factorId: receipt.id, ...(isFirst && { recoveryCodes: shown }) };
}

async function addTotp(tools: ProofTools, context: RequestContext, given: NewTotp): Promise<Added | Refusal> {
  const { factorId, code, sessionId } = given;
  const holderId = idOfCaller(context);
  const stream = factorsStream(holderId);
  const { send, stateOf, now } = requestTools(tools);
  const state = await stateOf<'factors'>(stream);
  if (state.offered?.factorId !== factorId) return factorUnknown;
  const refusal =
    (await refuseAdding(tools, context, 'AddTotp', given)) ?? (await offeredFactor(tools, state, factorId, code));
  if (refusal) return refusal;
  const { hashes: codes, shown } = newCodes(tools.vault, holderId);
  const added = await send(factorId, stream, { type: 'AddTotp', at: now(), factorId, codes }, context);
  return answerAdded(tools, context, added, { shown, sessionId, factor: 'totp' });
}

async function addPasskey(tools: ProofTools, context: RequestContext, given: NewPasskey): Promise<Added | Refusal> {
  const holder = holderOf(context.caller);
  const { send, now } = requestTools(tools);
  const refusal = await refuseAdding(tools, context, 'AddPasskey', given);
  if (refusal) return refusal;
  const passkey = await newPasskey(tools, holder, given);
  if (!passkey) return factorWrong;
  const factorId = deriveId('passkey', context.commandId);
  const name = given.name === undefined ? {} : { name: await tools.vault.seal(holder.subject, 'name', given.name) };
  const { hashes: codes, shown } = newCodes(tools.vault, holder.id);
  const command = { type: 'AddPasskey', at: now(), factorId, codes, ...passkey, ...name } as const;
  const added = await send(factorId, factorsStream(holder.id), command, context);
  return answerAdded(tools, context, added, { ...given, shown, factor: 'passkey' });
}

async function isOwnPassword(tools: ProofTools, context: RequestContext, password: string): Promise<boolean> {
  const holderId = idOfCaller(context);
  return context.caller.actor.startsWith('customer:')
    ? isPasswordOf(requestTools(tools), holderId, password)
    : (await checkedVerifier(tools, holderId, password)) !== undefined;
}

/** @throws RequestRefused */
function eventsOf({ outcome }: Receipt) {
  if (outcome.kind === 'accepted') return outcome.events;
  throw new RequestRefused(outcome.kind === 'refused' ? outcome.refusal : factorWrong);
}

async function removeFactor(
  tools: ProofTools,
  context: RequestContext,
  { factorId, sessionId }: InSession & { factorId: string },
): Promise<Renewed> {
  const holderId = idOfCaller(context);
  const { send, stateOf, now } = requestTools(tools);
  eventsOf(await send(holderId, factorsStream(holderId), { type: 'RemoveFactor', at: now(), factorId }, context));
  const { factors } = await stateOf<'factors'>(factorsStream(holderId));
  return renewed(tools, context, { sessionId }, factors.size > 0 ? undefined : 'password');
}

interface Passwords {
  readonly password: string;
  readonly currentPassword: string;
}

async function changeOwnPassword(
  tools: ProofTools,
  context: RequestContext,
  { password, currentPassword, sessionId }: InSession & Passwords,
): Promise<Renewed | Refusal> {
  const memberId = idOfCaller(context);
  const requests = requestTools(tools);
  const state = await requests.stateOf<'staff'>(staffStream);
  const refusal = checkRightEarly(staffStream, { type: 'ChangeStaffPassword', memberId }, state, context);
  if (refusal) throw new RequestRefused(refusal);
  const checked = await checkedVerifier(tools, memberId, currentPassword);
  if (!checked) return wrongPassword;
  const verifier = await newVerifier(requests, memberId, password);
  if (isRefusal(verifier)) throw new RequestRefused(verifier);
  const command = { type: 'ChangeStaffPassword', at: requests.now(), memberId, checked, verifier } as const;
  eventsOf(await requests.send(memberId, staffStream, command, context));
  return renewed(tools, context, { sessionId });
}

async function newVerifier(tools: RequestTools, memberId: string, password: string) {
  const member = (await tools.stateOf<'staff'>(staffStream)).members.get(memberId);
  if (!member) return memberUnknown;
  const email = (await openIfThere(tools.vault, member.email)) as string | undefined;
  const chosen = await chosenVerifierOfMember(tools, email, password);
  return isRefusal(chosen) ? chosen : sealSecretOfMember(tools, memberId, 'password-verifier', chosen);
}
