import { z } from 'zod';
import { instant } from '#domain/kernel/events';
import { exampleIds } from '#read-models/models/examples';
import type { SessionStore } from '#sessions/session-store';
import type { Vault } from '#vault/vault';
import { deviceIn } from './devices.ts';
import type { Identities, NewSession } from './identities.ts';
import { signIn } from './passwords.ts';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';
import { memberSigningIn } from './staff.ts';

interface SignIn {
  readonly email: string;
  readonly password: string;
  readonly userAgent?: string | undefined;
}

interface SessionTools extends Pick<QueryTools, 'stateOf'> {
  readonly identities: Identities;
  readonly sessions: SessionStore;
  readonly vault: Vault;
}

type SignedIn = NewSession & ({ readonly customerId: string } | { readonly memberId: string });

/** Sessions begin and end here. They are not in the log: they are nobody's business but their owner's. */
export const sessionOperations = (tools: SessionTools) => ({
  /** @returns undefined when no account has this address and this password */
  signIn: (_: RequestContext, request: SignIn): Promise<SignedIn | undefined> => startSession(tools, request),
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
  { email, password, userAgent }: SignIn,
): Promise<SignedIn | undefined> {
  const [member, customerId] = await Promise.all([
    memberSigningIn(tools, email, password),
    signIn(tools, email, password),
  ]);
  const start = (actor: string) => tools.identities.start(actor, deviceIn(userAgent));
  if (member) return { memberId: member.memberId, ...(await start(`staff:${member.memberId}`)) };
  return customerId === undefined ? undefined : { customerId, ...(await start(`customer:${customerId}`)) };
}

export const session = z
  .object({
    sessionId: z.string().describe('The id of the session.'),
    device: z.string().describe('The kind of program that signed in.'),
    startedAt: instant.describe('When.'),
    seenAt: instant.describe('When it was last used, to the minute.'),
    endsAt: instant.describe('When it ends, however much it is used.'),
    current: z.boolean().describe('Whether it is the one that asks.'),
  })
  .meta({ id: 'Session' });

export const sessionExample: z.infer<typeof session> = {
  sessionId: exampleIds.sessionId,
  device: 'Firefox on Linux',
  startedAt: '2026-03-01T09:30:00.000Z',
  seenAt: '2026-03-01T09:41:00.000Z',
  endsAt: '2026-03-01T21:30:00.000Z',
  current: true,
};

export const sessionQueries = ({ identities }: Pick<SessionTools, 'identities'>) => ({
  /** Those of the caller, the newest first. */
  async list({ caller }: RequestContext, { current }: { current: string | undefined }) {
    return (await identities.sessionsOf(caller.actor)).map(({ sessionId, device, startedAt, seenAt, endsAt }) => {
      return { sessionId, device, startedAt, seenAt, endsAt, current: sessionId === current };
    });
  },
});
