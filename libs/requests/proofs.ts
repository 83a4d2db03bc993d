import { wrongPassword } from '#domain/accounts/customer';
import { factorsStream, factorUnknown, factorWrong, hasFactor } from '#domain/factors/factors';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { memberUnknown, staffStream } from '#domain/staff/staff';
import type { SessionFactor } from '#sessions/session-store';
import { openIfThere } from './account-seals.ts';
import { chosenVerifierOfMember } from './chosen-password.ts';
import { newCodes, offeredFactor, useCode } from './factors.ts';
import type { NewSession } from './identities.ts';
import { isPasswordOf } from './passwords.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import { type Receipt, type RequestContext, type RequestTools, requestTools } from './request-tools.ts';
import { checkRightEarly, RequestRefused } from './rights.ts';
import { checkedVerifier, sealSecretOfMember } from './staff.ts';

interface InSession {
  /** The one that asks. */
  readonly sessionId: string | undefined;
}

interface GivenCode extends InSession {
  readonly code: string;
}

interface NewFactor extends GivenCode {
  readonly factorId: string;
  /** For the first factor of an account. */
  readonly currentPassword?: string | undefined;
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
  proveFactor: (context: RequestContext, given: GivenCode) => proveFactor(tools, context, given),
  addTotp: (context: RequestContext, given: NewFactor) => addTotp(tools, context, given),
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
  factor: SessionFactor,
): Promise<Renewed> => ({ session: await identities.renew(sessionId ?? '', caller.actor, factor) });

async function proveFactor(tools: ProofTools, context: RequestContext, given: GivenCode): Promise<Renewed | Refusal> {
  const factor = await useCode(tools, idOfCaller(context), given.code, context);
  return factor ? renewed(tools, context, given, factor) : factorWrong;
}

async function addTotp(
  tools: ProofTools,
  context: RequestContext,
  { factorId, code, currentPassword = '', sessionId }: NewFactor,
): Promise<Added | Refusal> {
  const holderId = idOfCaller(context);
  const stream = factorsStream(holderId);
  const { send, stateOf, now } = requestTools(tools);
  const state = await stateOf<'factors'>(stream);
  if (state.offered?.factorId !== factorId) return factorUnknown;
  const refusal = checkRightEarly(stream, { type: 'AddTotp' }, state, context);
  if (refusal) throw new RequestRefused(refusal);
  // A session alone adds no first factor: whoever found it open would keep the account for good.
  if (!hasFactor(state) && !(await isOwnPassword(tools, context, currentPassword))) return wrongPassword;
  const wrong = await offeredFactor(tools, state, factorId, code);
  if (wrong) return wrong;
  const { hashes, shown } = newCodes(tools.vault, holderId);
  const added = await send(holderId, stream, { type: 'AddTotp', at: now(), factorId, codes: hashes }, context);
  const events = eventsOf(added);
  const isFirst = events.some(({ type, data }) => type === 'TotpAdded' && 'codes' in data);
  const session = await renewed(tools, context, { sessionId }, 'totp');
  return { ...session, factorId, ...(isFirst && { recoveryCodes: shown }) };
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
  return renewed(tools, context, { sessionId }, factors.size > 0 ? 'totp' : 'password');
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
  return renewed(tools, context, { sessionId }, 'totp');
}

async function newVerifier(tools: RequestTools, memberId: string, password: string) {
  const member = (await tools.stateOf<'staff'>(staffStream)).members.get(memberId);
  if (!member) return memberUnknown;
  const email = (await openIfThere(tools.vault, member.email)) as string | undefined;
  const chosen = await chosenVerifierOfMember(tools, email, password);
  return isRefusal(chosen) ? chosen : sealSecretOfMember(tools, memberId, 'password-verifier', chosen);
}
