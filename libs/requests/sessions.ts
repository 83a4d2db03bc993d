import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import { signInsStream } from '#domain/accounts/sign-ins';
import { factorsStream, hasFactor } from '#domain/factors/factors';
import type { Instant } from '#domain/kernel/events';
import { instant } from '#domain/kernel/events';
import { addSeconds } from '#domain/kernel/instants';
import type { CommandOf } from '#domain/ledger';
import { memberUnknown, staffStream } from '#domain/staff/staff';
import { exampleIds } from '#read-models/models/examples';
import { type Session, type SessionFactor, type SessionStore, sessionFactors } from '#sessions/session-store';
import { deviceIn } from './devices.ts';
import { signInCaller, useCode } from './factors.ts';
import type { Identities, NewSession } from './identities.ts';
import { holderSigningIn, isPasskeyOf, type PasskeyProof } from './passkeys.ts';
import { signIn } from './passwords.ts';
import { type QueryTools, sameForAll } from './query-tools.ts';
import {
  type Receipt,
  type RequestContext,
  type RequestDependencies,
  requestTools,
  whateverRevision,
} from './request-tools.ts';
import { mustBeAccepted, RequestRefused } from './rights.ts';
import { memberSigningIn } from './staff.ts';

export { DAYS_OF_A_SIGN_IN } from '#sessions/session-store';

interface SignIn extends Browser {
  readonly email: string;
  readonly password: string;
  /** Of an authenticator app, or a recovery code. */
  readonly code?: string | undefined;
  /** In place of a code. */
  readonly passkey?: PasskeyProof | undefined;
}

type PasskeySignIn = PasskeyProof & Browser;

interface Browser {
  readonly userAgent?: string | undefined;
  /** What tells the browser, or the program, from others. It is kept as a keyed hash. */
  readonly browser: string;
}

/** Whose sessions: of a member of staff, or of a customer. */
export type SessionHolder = { readonly memberId: string } | { readonly customerId: string };

interface SessionTools extends Pick<QueryTools, 'stateOf' | 'now'>, RequestDependencies {
  readonly identities: Identities;
  readonly sessions: SessionStore;
}

type SignedIn = NewSession & { readonly factorRequired: boolean } & SessionHolder;

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
  /** It is recorded first: after a crash between the two, it is asked for again. @returns how many ended */
  async endSessionsOf(context: RequestContext, holder: SessionHolder): Promise<number> {
    await mustExist(tools, holder);
    const { outcome } = await sendAbout(tools, holder, { type: 'EndSessions', at: tools.now(), ...holder }, context);
    mustBeAccepted(outcome, 'that sessions were ended');
    return tools.sessions.endAllOf(actorOf(holder));
  },
});

const idIn = (holder: SessionHolder): string => ('memberId' in holder ? holder.memberId : holder.customerId);
const actorOf = (holder: SessionHolder): string => `${'memberId' in holder ? 'staff' : 'customer'}:${idIn(holder)}`;

/** @throws RequestRefused: an id that was typed is not recorded */
async function mustExist({ stateOf }: Pick<SessionTools, 'stateOf'>, holder: SessionHolder): Promise<void> {
  if ('memberId' in holder) {
    const { members } = await stateOf<'staff'>(staffStream);
    if (!members.has(holder.memberId)) throw new RequestRefused(memberUnknown);
  } else if (!isRegistered(await stateOf<'customer'>(customerStream(holder.customerId))))
    throw new RequestRefused(notRegistered);
}

const sendAbout = (
  tools: SessionTools,
  holder: SessionHolder,
  command: CommandOf<'signins'>,
  context: RequestContext,
): Promise<Receipt> =>
  requestTools(tools).send(idIn(holder), signInsStream(idIn(holder)), command, whateverRevision(context));

/** Both are asked, so that the time it takes does not tell who is staff. */
async function startSession(
  tools: SessionTools,
  context: RequestContext,
  { email, password, userAgent, browser, ...proof }: SignIn,
): Promise<SignedIn | NotSignedIn> {
  const [member, customerId] = await Promise.all([
    memberSigningIn(tools, email, password),
    signIn(tools, email, password),
  ]);
  const account = member ? { memberId: member.memberId } : customerId === undefined ? undefined : { customerId };
  if (!account) return 'sign-in-failed';
  const factor = await provedFactor(tools, context, idIn(account), proof);
  if (factor === 'factor-needed' || factor === 'factor-wrong') return factor;
  const session = await startOn(tools, account, factor, { userAgent, browser });
  return session
    ? { ...account, ...session, factorRequired: 'memberId' in account && factor === 'password' }
    : 'sign-in-failed';
}

async function startOn(
  tools: SessionTools,
  account: SessionHolder,
  factor: SessionFactor,
  { userAgent, browser }: Browser,
): Promise<NewSession | undefined> {
  const device = deviceIn(userAgent);
  const hash = await knownBrowser(tools, account, device, browser);
  return tools.identities.start(actorOf(account), device, factor, hash);
}

const MOST_TOLD_AN_HOUR = 10;

/**
 * A sign-in from a browser with which nobody signed in to the account before is recorded, and told to its owner. Not the first one of an
 * account: its owner has just proved the address. Of many new ones within an hour, the first ones are told. @returns the hash of the browser
 */
async function knownBrowser(
  tools: SessionTools,
  account: SessionHolder,
  device: string,
  browser: string,
): Promise<string> {
  const hash = tools.vault.personKey('browser', `${actorOf(account)} ${device} ${browser}`);
  const before = await tools.sessions.signInsOf(actorOf(account));
  const isTold = before.length > 0 && newSince(before, addSeconds(tools.now(), -3600)) < MOST_TOLD_AN_HOUR;
  if (isTold && !before.some((one) => one.browser === hash)) {
    const command = { type: 'NoteNewBrowser', at: tools.now(), ...account, device } as const;
    // Of its own: the request may be of somebody else's session, and its hash is that of a body with a password.
    const { outcome } = await sendAbout(tools, account, command, { caller: signInCaller, commandId: randomUUID() });
    mustBeAccepted(outcome, 'the sign-in from a new browser');
  }
  return hash;
}

/** How many browsers signed in for the first time since then. */
function newSince(signIns: readonly { readonly browser: string; readonly at: Instant }[], since: Instant): number {
  const isKnown = (browser: string) => signIns.some((one) => one.browser === browser && one.at <= since);
  return new Set(signIns.map(({ browser }) => browser).filter((browser) => !isKnown(browser))).size;
}

async function startByPasskey(
  tools: SessionTools,
  { userAgent, browser, ...proof }: PasskeySignIn,
): Promise<SignedIn | 'sign-in-failed'> {
  const { memberId, customerId } = (await holderSigningIn(tools, proof)) ?? {};
  const account = memberId !== undefined ? { memberId } : customerId !== undefined ? { customerId } : undefined;
  if (!account) return 'sign-in-failed';
  const session = await startOn(tools, account, 'passkey', { userAgent, browser });
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

export const signInShown = z
  .object({
    sessionId: z.string().describe('The id of its session.'),
    device: z.string().describe('The kind of program that signed in.'),
    at: instant.describe('When.'),
    ended: z.boolean().describe('Whether its session has ended.'),
    current: z.boolean().describe('Whether its session is the one that asks.'),
  })
  .meta({ id: 'SignIn' });

export const signInExample: z.infer<typeof signInShown> = {
  sessionId: exampleIds.sessionId,
  device: 'Firefox on Linux',
  at: '2026-03-01T09:30:00.000Z',
  ended: false,
  current: true,
};

/** So many are listed for their owner. */
const MOST_SIGN_INS_SHOWN = 20;

export const sessionQueries = ({
  identities,
  sessions,
  stateOf,
}: Pick<SessionTools, 'identities' | 'sessions' | 'stateOf'>) => ({
  /** Those of the caller, the newest first. */
  async list({ caller }: RequestContext, { current }: { current: string | undefined }) {
    return (await identities.sessionsOf(caller.actor)).map((one) => shownSession(one, current));
  },
  /** Those of a member of staff or a customer, the newest first. */
  listOf: sameForAll(async (holder: SessionHolder) => {
    await mustExist({ stateOf }, holder);
    return (await identities.sessionsOf(actorOf(holder))).map((one) => shownSession(one, undefined));
  }),
  /** The last ones of the caller, the newest first. */
  async listSignIns({ caller }: RequestContext, { current }: { current: string | undefined }) {
    const live = new Set((await identities.sessionsOf(caller.actor)).map(({ sessionId }) => sessionId));
    const newest = (await sessions.signInsOf(caller.actor)).slice(0, MOST_SIGN_INS_SHOWN);
    return newest.map(({ sessionId, device, at }) => {
      return { sessionId, device, at, ended: !live.has(sessionId), current: sessionId === current };
    });
  },
});

function shownSession(session: Session, current: string | undefined) {
  const { sessionId, device, startedAt, seenAt, endsAt, factor, provedAt } = session;
  return { sessionId, device, startedAt, seenAt, endsAt, factor, provedAt, current: sessionId === current };
}
