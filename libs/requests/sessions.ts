import { z } from 'zod';
import { factorsStream, hasFactor } from '#domain/factors/factors';
import { instant } from '#domain/kernel/events';
import { exampleIds } from '#read-models/models/examples';
import { type SessionFactor, type SessionStore, sessionFactors } from '#sessions/session-store';
import { deviceIn } from './devices.ts';
import { useCode } from './factors.ts';
import type { Identities, NewSession } from './identities.ts';
import { holderSigningIn, isPasskeyOf, type PasskeyProof } from './passkeys.ts';
import { signIn } from './passwords.ts';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext, RequestDependencies } from './request-tools.ts';
import { memberSigningIn } from './staff.ts';

interface SignIn {
  readonly email: string;
  readonly password: string;
  /** Of an authenticator app, or a recovery code. */
  readonly code?: string | undefined;
  /** In place of a code. */
  readonly passkey?: PasskeyProof | undefined;
  readonly userAgent?: string | undefined;
}

interface PasskeySignIn extends PasskeyProof {
  readonly userAgent?: string | undefined;
}

interface SessionTools extends Pick<QueryTools, 'stateOf'>, RequestDependencies {
  readonly identities: Identities;
  readonly sessions: SessionStore;
}

type SignedIn = NewSession & { readonly factorRequired: boolean } & Account;
type Account = { readonly customerId: string } | { readonly memberId: string };

/** Whose password was wrong, and whose was right but for the code. */
export type NotSignedIn = 'sign-in-failed' | 'factor-needed' | 'factor-wrong';

/** Sessions begin and end here. They are not in the log: they are nobody's business but their owner's. */
export const sessionOperations = (tools: SessionTools) => ({
  /** @returns why not, for who did not prove an account */
  signIn: (context: RequestContext, request: SignIn): Promise<SignedIn | NotSignedIn> =>
    startSession(tools, context, request),
  /** It stands for a password and a second factor: a person was verified where it is. */
  signInWithPasskey: (_: RequestContext, request: PasskeySignIn): Promise<SignedIn | 'sign-in-failed'> =>
    startByPasskey(tools, request),
  /** @returns false when the caller has no such session */
  endSession: ({ caller }: RequestContext, { sessionId }: { sessionId: string }): Promise<boolean> =>
    tools.sessions.end(caller.actor, sessionId),
  /** @param except the one that goes on. @returns how many ended */
  endOtherSessions: ({ caller }: RequestContext, { except }: { except: string | undefined }): Promise<number> =>
    tools.sessions.endAllOf(caller.actor, except),
});

/** Both are asked, so that the time it takes does not tell who is staff. */
async function startSession(
  tools: SessionTools,
  context: RequestContext,
  { email, password, userAgent, ...proof }: SignIn,
): Promise<SignedIn | NotSignedIn> {
  const [member, customerId] = await Promise.all([
    memberSigningIn(tools, email, password),
    signIn(tools, email, password),
  ]);
  const account = member ? { memberId: member.memberId } : customerId === undefined ? undefined : { customerId };
  if (!account) return 'sign-in-failed';
  const [kind, id] =
    'memberId' in account ? (['staff', account.memberId] as const) : (['customer', account.customerId] as const);
  const factor = await provedFactor(tools, context, id, proof);
  if (factor === 'factor-needed' || factor === 'factor-wrong') return factor;
  const session = await tools.identities.start(`${kind}:${id}`, deviceIn(userAgent), factor);
  if (!session) return 'sign-in-failed';
  return { ...account, ...session, factorRequired: kind === 'staff' && factor === 'password' };
}

async function startByPasskey(
  tools: SessionTools,
  { userAgent, ...proof }: PasskeySignIn,
): Promise<SignedIn | 'sign-in-failed'> {
  const { memberId, customerId } = (await holderSigningIn(tools, proof)) ?? {};
  const account = memberId !== undefined ? { memberId } : customerId !== undefined ? { customerId } : undefined;
  if (!account) return 'sign-in-failed';
  const actor = 'memberId' in account ? `staff:${account.memberId}` : `customer:${account.customerId}`;
  const session = await tools.identities.start(actor, deviceIn(userAgent), 'passkey');
  return session ? { ...account, ...session, factorRequired: false } : 'sign-in-failed';
}

async function provedFactor(
  tools: SessionTools,
  context: RequestContext,
  holderId: string,
  { code, passkey }: Pick<SignIn, 'code' | 'passkey'>,
): Promise<SessionFactor | 'factor-needed' | 'factor-wrong'> {
  if (!hasFactor(await tools.stateOf<'factors'>(factorsStream(holderId)))) return 'password';
  if (code !== undefined) return (await useCode(tools, holderId, code, context)) ?? 'factor-wrong';
  if (!passkey) return 'factor-needed';
  return (await isPasskeyOf(tools, holderId, passkey)) ? 'passkey' : 'factor-wrong';
}

export const session = z
  .object({
    sessionId: z.string().describe('The id of the session.'),
    device: z.string().describe('The kind of program that signed in.'),
    startedAt: instant.describe('When.'),
    seenAt: instant.describe('When it was last used, to the minute.'),
    endsAt: instant.describe('When it ends, however much it is used.'),
    factor: z.enum(sessionFactors).describe('What was proved besides the password, the last time. password: nothing.'),
    provedAt: instant.describe('When that was.'),
    current: z.boolean().describe('Whether it is the one that asks.'),
  })
  .meta({ id: 'Session' });

export const sessionExample: z.infer<typeof session> = {
  sessionId: exampleIds.sessionId,
  device: 'Firefox on Linux',
  startedAt: '2026-03-01T09:30:00.000Z',
  seenAt: '2026-03-01T09:41:00.000Z',
  endsAt: '2026-03-01T21:30:00.000Z',
  factor: 'totp',
  provedAt: '2026-03-01T09:30:00.000Z',
  current: true,
};

export const sessionQueries = ({ identities }: Pick<SessionTools, 'identities'>) => ({
  /** Those of the caller, the newest first. */
  async list({ caller }: RequestContext, { current }: { current: string | undefined }) {
    const sessions = await identities.sessionsOf(caller.actor);
    return sessions.map(({ sessionId, device, startedAt, seenAt, endsAt, factor, provedAt }) => {
      return { sessionId, device, startedAt, seenAt, endsAt, factor, provedAt, current: sessionId === current };
    });
  },
});
