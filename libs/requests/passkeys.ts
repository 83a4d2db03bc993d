import { randomBytes } from 'node:crypto';
import { type FactorState, factorsOf, factorsStream, notYourFactors, type Passkey } from '#domain/factors/factors';
import type { Secret } from '#domain/kernel/events';
import { addSeconds } from '#domain/kernel/instants';
import { ID } from '#domain/kernel/text';
import type { SessionStore } from '#sessions/session-store';
import type { Vault } from '#vault/vault';
import { hashOfToken, openIfThere } from './account-seals.ts';
import { holderOf, labelOf } from './factors.ts';
import { type RequestContext, type RequestDependencies, requestTools } from './request-tools.ts';
import { checkRightEarly, RequestRefused } from './rights.ts';
import {
  type Assertion,
  accountIdIn,
  CHALLENGE_SECONDS,
  type CreationOptions,
  type Credential,
  creationOptionsFor,
  type NewCredential,
  type RelyingParty,
  type RequestOptions,
  requestOptionsFor,
  verifiedAssertion,
  verifiedCredential,
} from './web-authn.ts';

export interface PasskeyTools extends RequestDependencies {
  readonly sessions: SessionStore;
}

interface InSession {
  readonly party: RelyingParty;
  /** The one that asks. */
  readonly sessionId: string | undefined;
}

/** A challenge is good for one thing, and in one session. */
const uses = {
  signIn: 'sign-in',
  prove: (sessionId = '') => `prove ${sessionId}`,
  add: (sessionId = '') => `add ${sessionId}`,
};

/** Each gives a challenge, which is signed once. */
export const passkeyOperations = (tools: PasskeyTools) => ({
  beginPasskeySignIn: async (_: RequestContext, { party }: Pick<InSession, 'party'>): Promise<RequestOptions> =>
    requestOptionsFor(party, await newChallenge(tools, uses.signIn), []),
  /** @throws RequestRefused for who did not sign in */
  beginPasskeyProof: async (context: RequestContext, { party, sessionId }: InSession): Promise<RequestOptions> => {
    if (sessionId === undefined) throw new RequestRefused(notYourFactors);
    const known = await credentialsOf(tools, holderOf(context.caller).id);
    return requestOptionsFor(party, await newChallenge(tools, uses.prove(sessionId)), known);
  },
  beginPasskey: (context: RequestContext, given: InSession): Promise<CreationOptions> =>
    beginPasskey(tools, context, given),
});

async function newChallenge({ sessions, clock }: PasskeyTools, use: string): Promise<string> {
  const challenge = randomBytes(32).toString('base64url');
  const expiresAt = addSeconds(clock.now(), CHALLENGE_SECONDS);
  await sessions.addChallenge({ challengeHash: hashOfToken(challenge), use, expiresAt });
  return challenge;
}

const taking =
  ({ sessions, clock }: PasskeyTools, use: string) =>
  (challenge: string): Promise<boolean> =>
    sessions.takeChallenge(hashOfToken(challenge), use, clock.now());

/** @throws RequestRefused */
async function beginPasskey(
  tools: PasskeyTools,
  context: RequestContext,
  { party, sessionId }: InSession,
): Promise<CreationOptions> {
  const requests = requestTools(tools);
  const { id: accountId } = holderOf(context.caller);
  const stream = factorsStream(accountId);
  const refusal = checkRightEarly(stream, { type: 'AddPasskey' }, await requests.stateOf<'factors'>(stream), context);
  if (refusal) throw new RequestRefused(refusal);
  const { issuer: storeName, label: accountName } = await labelOf(requests, context.caller);
  const challenge = await newChallenge(tools, uses.add(sessionId));
  const known = await credentialsOf(tools, accountId);
  return creationOptionsFor({ party, storeName, accountId, accountName, challenge, known });
}

async function credentialsOf({ streams, vault }: PasskeyTools, holderId: string): Promise<Credential[]> {
  const { state } = await streams.read<'factors'>(factorsStream(holderId));
  const opened = await Promise.all(factorsOf(state, 'passkey').map((passkey) => openCredential(vault, passkey)));
  return opened.filter((credential) => credential !== undefined);
}

const openCredential = async (vault: Vault, passkey: Passkey | undefined) =>
  (await openIfThere(vault, passkey?.credential)) as Credential | undefined;

/** Nobody who sees the log finds two accounts with one authenticator. */
const credentialKeyOf = (vault: Pick<Vault, 'personKey'>, holderId: string, credentialId: string): string =>
  vault.personKey('passkey', `${holderId}:${credentialId}`);

/** @returns what is recorded of a new passkey; undefined: it did not sign a challenge of this session */
export async function newPasskey(
  tools: PasskeyTools,
  { subject, id, ...holder }: ReturnType<typeof holderOf>,
  { credential: response, party, sessionId }: InSession & { readonly credential: NewCredential },
) {
  const verified = await verifiedCredential(response, party, taking(tools, uses.add(sessionId)));
  if (!verified) return undefined;
  const { credential, ...state } = verified;
  const sealed = await tools.vault.seal(subject, 'passkey', credential);
  return {
    ...holder,
    credentialKey: credentialKeyOf(tools.vault, id, credential.credentialId),
    credential: { ...sealed, secret: true } as Secret,
    ...state,
  };
}

export interface PasskeyProof {
  readonly passkey: Assertion;
  readonly party: RelyingParty;
}

/** @param sessionId of the one that goes on; undefined: a new one begins @returns whether it is a passkey of the account */
export const isPasskeyOf = async (
  tools: PasskeyTools,
  holderId: string,
  proof: PasskeyProof,
  sessionId?: string,
): Promise<boolean> =>
  (await provedBy(tools, holderId, proof, sessionId === undefined ? uses.signIn : uses.prove(sessionId))) !== undefined;

/** Its stream is read where there is no account, so that both are the same work. */
const NOBODY = 'nobody';

/** @returns whose passkey it is */
export function holderSigningIn(tools: PasskeyTools, proof: PasskeyProof): Promise<FactorState | undefined> {
  const holderId = accountIdIn(proof.passkey);
  return provedBy(tools, ID.test(holderId) ? holderId : NOBODY, proof, uses.signIn);
}

async function provedBy(
  tools: PasskeyTools,
  holderId: string,
  { passkey: response, party }: PasskeyProof,
  use: string,
): Promise<FactorState | undefined> {
  const { state } = await tools.streams.read<'factors'>(factorsStream(holderId));
  const credentialKey = credentialKeyOf(tools.vault, holderId, response.id);
  const passkey = factorsOf(state, 'passkey').find((one) => one.credentialKey === credentialKey);
  const credential = await openCredential(tools.vault, passkey);
  const verified = await verifiedAssertion(response, party, credential, taking(tools, use));
  if (!passkey || !verified || verified.isBackupEligible !== passkey.isBackupEligible) return undefined;
  return (await goesOn(tools, passkey, verified.counter)) ? state : undefined;
}

/** A counter that went back is that of a copy. Passkeys on several devices do not count: theirs stays 0. */
async function goesOn({ sessions }: PasskeyTools, { factorId, counter }: Passkey, next: number): Promise<boolean> {
  if (next === 0) return counter === 0 && !(await sessions.hasUsedStep(factorId));
  return next > counter && (await sessions.useStep(factorId, next));
}
