import { hash, randomBytes, randomUUID } from 'node:crypto';
import { customerStream } from '#domain/accounts/customer';
import { factorsStream, hasFactor } from '#domain/factors/factors';
import {
  type Caller,
  customerCaller,
  formCaller,
  memberCaller,
  type ProvedFactor,
  programCaller,
} from '#domain/kernel/caller';
import type { Instant, Secret } from '#domain/kernel/events';
import { addSeconds } from '#domain/kernel/instants';
import { erasuresStream } from '#domain/persons/erasures';
import { type ApiKey, type ApiKeyGrant, apiKeysStream, holds, opensWith } from '#domain/staff/api-keys';
import { isTrial, staffStream } from '#domain/staff/staff';
import type { Clock } from '#gateways/clock';
import type { Session, SessionFactor, SessionStore } from '#sessions/session-store';
import { hashOfToken } from './account-seals.ts';
import { partsOfToken } from './api-keys.ts';
import { RecentStates } from './recent-states.ts';
import type { StreamCache } from './stream-cache.ts';

/** Who asks, as a program found out. */
export interface Identity {
  readonly caller: Caller;
  /** Of a person who signed in. */
  readonly sessionId?: string;
  /** Of web pages, where a program sends its key only with these. */
  readonly origins?: ApiKeyGrant['origins'];
  /** Whether it would be found out again now: for what stays open. */
  readonly holds: () => Promise<boolean>;
}

export interface LeadForm extends NonNullable<ApiKey['form']> {
  readonly caller: Caller;
  /** Of the pages that have it. */
  readonly origins: readonly string[];
}

interface Account {
  readonly callerWith: (factor: ProvedFactor) => Caller;
  readonly hasFactor: boolean;
  /** It changes with the password, and where something was taken away: what was begun with another one has ended. */
  readonly credential: string;
}

/** How long a factor that was proved is fresh: then it counts for what gives away money, data or rights. */
const FRESH_SECONDS = 10 * 60;

export interface NewSession {
  readonly token: string;
  readonly endsAt: Instant;
}

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

/** Seconds until a session ends that is not used, and that is used all the time. */
const limits = {
  staff: { idleSeconds: 30 * MINUTE, mostSeconds: DAY / 2 },
  customer: { idleSeconds: 14 * DAY, mostSeconds: 90 * DAY },
} as const;

/** Uses are noted once a minute: writing at each request would cost more than the request. */
const SECONDS_BETWEEN_NOTES = MINUTE;
const SECONDS_BETWEEN_SWEEPS = 60 * MINUTE;

const limitsOf = (actor: string) => (actor.startsWith('staff:') ? limits.staff : limits.customer);

interface IdentityDependencies {
  readonly streams: StreamCache;
  readonly sessions: SessionStore;
  readonly clock: Clock;
}

/**
 * Finds out who asks: by the token of a session, or by the key of a program. What they may do is what the log says now, and not
 * what it said when they signed in.
 */
export class Identities {
  readonly #recent: RecentStates;
  readonly #sessions: SessionStore;
  readonly #clock: Clock;
  readonly #find: (tokenHash: string) => Promise<Session | undefined>;
  readonly #keyUses = new Map<string, Instant>();
  #sweptAt = '';

  constructor({ streams, sessions, clock }: IdentityDependencies) {
    this.#recent = new RecentStates(streams);
    this.#sessions = sessions;
    this.#clock = clock;
    this.#find = foundTogether((tokenHashes) => sessions.findAmong(tokenHashes, clock.now()));
  }

  /** Whether nobody is staff yet. @throws StoreUnavailable */
  async isTrial(): Promise<boolean> {
    return isTrial(await this.#recent.of<'staff'>(staffStream));
  }

  async ofSession(token: string): Promise<Identity | undefined> {
    const tokenHash = hashOfToken(token);
    const found = await this.#accountOf(tokenHash);
    if (!found) return undefined;
    const { session, caller } = found;
    await this.#noteUse(session);
    const holds = async () => (await this.#accountOf(tokenHash)) !== undefined;
    return { caller, sessionId: session.sessionId, holds };
  }

  async ofApiKey(token: string): Promise<Identity | undefined> {
    const parts = partsOfToken(token);
    if (!parts) return undefined;
    const { keyId, secretHash } = parts;
    const find = async () => {
      const key = (await this.#recent.of<'apikeys'>(apiKeysStream)).get(keyId);
      return key && opensWith(key, secretHash, this.#clock.now()) ? key : undefined;
    };
    const key = await find();
    if (!key) return undefined;
    await this.noteKeyUse(keyId);
    const { origins } = key;
    return { caller: programCaller(keyId, key), origins, holds: async () => (await find()) !== undefined };
  }

  /** A form of the key of a lead source, which anybody may fill in. @returns undefined where there is none, or its key has ended */
  async ofForm(formId: string): Promise<LeadForm | undefined> {
    const key = (await this.#recent.of<'apikeys'>(apiKeysStream)).get(formId);
    if (!key?.form || !holds(key, this.#clock.now())) return undefined;
    return { caller: formCaller(formId), origins: key.origins ?? [], ...key.form };
  }

  /** A new token each time: one that somebody had before never becomes that of an account. @returns undefined where there is no account any more */
  async start(actor: string, device: string, factor: SessionFactor, browser: string): Promise<NewSession | undefined> {
    const account = await this.#account(actor);
    if (!account) return undefined;
    const token = newToken();
    const now = this.#clock.now();
    const { idleSeconds, mostSeconds } = limitsOf(actor);
    const endsAt = addSeconds(now, mostSeconds);
    const session = {
      sessionId: randomUUID(),
      tokenHash: hashOfToken(token),
      actor,
      credential: account.credential,
      startedAt: now,
      seenAt: now,
      idleUntil: addSeconds(now, idleSeconds),
      endsAt,
      factor,
      provedAt: now,
      device,
    };
    await this.#sessions.start(session, browser);
    await this.#sweep(now);
    return { token, endsAt };
  }

  /**
   * A session goes on with what was proved, or changed, just now, and with another token: who had the one of before has nothing
   * of it. @param factor that was proved now; undefined: none was @returns undefined when it has ended
   */
  async renew(sessionId: string, actor: string, factor?: SessionFactor): Promise<NewSession | undefined> {
    const [account, sessions] = [await this.#account(actor), await this.#sessions.listOf(actor, this.#clock.now())];
    const session = sessions.find((one) => one.sessionId === sessionId);
    if (!account || !session) return undefined;
    const token = newToken();
    const proved = factor === undefined ? session : { factor, provedAt: this.#clock.now() };
    const goesOn = await this.#sessions.renew(sessionId, {
      ...{ tokenHash: hashOfToken(token), credential: account.credential },
      ...{ factor: proved.factor, provedAt: proved.provedAt },
    });
    return goesOn ? { token, endsAt: session.endsAt } : undefined;
  }

  /** The sessions of an actor that still count, the newest first. */
  async sessionsOf(actor: string): Promise<readonly Session[]> {
    const account = await this.#account(actor);
    const sessions = account ? await this.#sessions.listOf(actor, this.#clock.now()) : [];
    return sessions.filter((session) => account && counts(session, account));
  }

  async #accountOf(tokenHash: string): Promise<{ session: Session; caller: Caller } | undefined> {
    const session = await this.#find(tokenHash);
    const account = session && (await this.#account(session.actor));
    if (!account || !counts(session, account)) return undefined;
    return { session, caller: account.callerWith(provedIn(session, this.#clock.now())) };
  }

  async #account(actor: string): Promise<Account | undefined> {
    const id = actor.slice(actor.indexOf(':') + 1);
    const [holder, factors] = await Promise.all([
      actor.startsWith('staff:') ? this.#member(id) : this.#customer(id),
      this.#recent.of<'factors'>(factorsStream(id)),
    ]);
    if (!holder) return undefined;
    const { credential, callerWith } = holder;
    return { callerWith, credential: `${credential}.${factors.reductions}`, hasFactor: hasFactor(factors) };
  }

  async #member(memberId: string): Promise<Omit<Account, 'hasFactor'> | undefined> {
    const member = (await this.#recent.of<'staff'>(staffStream)).members.get(memberId);
    if (!member?.verifier) return undefined;
    const credential = `${credentialIn(member.verifier)}.${member.reductions}`;
    return { callerWith: (factor) => memberCaller(memberId, member, factor), credential };
  }

  async #customer(customerId: string): Promise<Omit<Account, 'hasFactor'> | undefined> {
    const { verifier } = await this.#recent.of<'customer'>(customerStream(customerId));
    const { subjects } = await this.#recent.of<'erasures'>(erasuresStream);
    if (!verifier || subjects.has(customerStream(customerId))) return undefined;
    return { callerWith: (factor) => customerCaller(customerId, factor), credential: credentialIn(verifier) };
  }

  async #noteUse({ sessionId, actor, seenAt, endsAt }: Session): Promise<void> {
    const now = this.#clock.now();
    if (now < addSeconds(seenAt, SECONDS_BETWEEN_NOTES)) return;
    const idleUntil = addSeconds(now, limitsOf(actor).idleSeconds);
    await this.#sessions.touch(sessionId, now, idleUntil < endsAt ? idleUntil : endsAt);
  }

  async noteKeyUse(keyId: string): Promise<void> {
    const now = this.#clock.now();
    const notedAt = this.#keyUses.get(keyId);
    if (notedAt !== undefined && now < addSeconds(notedAt, SECONDS_BETWEEN_NOTES)) return;
    this.#keyUses.set(keyId, now);
    await this.#sessions.noteKeyUse(keyId, now);
  }

  async #sweep(now: Instant): Promise<void> {
    if (this.#sweptAt !== '' && now < addSeconds(this.#sweptAt, SECONDS_BETWEEN_SWEEPS)) return;
    this.#sweptAt = now;
    await this.#sessions.sweep(now);
  }
}

/** Who has a factor has no session without it. */
const counts = ({ credential, factor }: Session, account: Account): boolean =>
  credential === account.credential && !(account.hasFactor && factor === 'password');

const provedIn = ({ factor, provedAt }: Session, now: Instant): ProvedFactor => {
  if (factor === 'password') return 'none';
  return now < addSeconds(provedAt, FRESH_SECONDS) ? 'fresh' : 'proved';
};

const newToken = (): string => randomBytes(32).toString('base64url');

/** Each password has another box, also the same one that was set again. */
const credentialIn = ({ box }: Secret): string => hash('sha256', box, 'base64url').slice(0, 22);

/** What is asked for in one turn is looked up together: feeds ask for all their sessions every second. */
function foundTogether(findAmong: (tokenHashes: readonly string[]) => Promise<readonly Session[]>) {
  let next: { readonly hashes: Set<string>; readonly found: Promise<ReadonlyMap<string, Session>> } | undefined;
  const begin = () => {
    const hashes = new Set<string>();
    const found = Promise.resolve().then(async () => {
      next = undefined;
      return new Map((await findAmong([...hashes])).map((session) => [session.tokenHash, session]));
    });
    return { hashes, found };
  };
  return async (tokenHash: string): Promise<Session | undefined> => {
    next ??= begin();
    next.hashes.add(tokenHash);
    return (await next.found).get(tokenHash);
  };
}
