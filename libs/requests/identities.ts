import { hash, randomBytes, randomUUID } from 'node:crypto';
import { customerStream } from '#domain/accounts/customer';
import { type Caller, customerCaller, memberCaller, programCaller } from '#domain/kernel/caller';
import type { Instant, Secret } from '#domain/kernel/events';
import { addSeconds } from '#domain/kernel/instants';
import { erasuresStream } from '#domain/persons/erasures';
import { apiKeysStream, opensWith } from '#domain/staff/api-keys';
import { isTrial, type StaffMember, staffStream } from '#domain/staff/staff';
import type { Clock } from '#gateways/clock';
import type { Session, SessionStore } from '#sessions/session-store';
import { hashOfToken } from './account-seals.ts';
import { partsOfToken } from './api-keys.ts';
import { RecentStates } from './recent-states.ts';
import type { StreamCache } from './stream-cache.ts';

/** Who asks, as a program found out. */
export interface Identity {
  readonly caller: Caller;
  /** Of a person who signed in. */
  readonly sessionId?: string;
  /** Whether it would be found out again now: for what stays open. */
  readonly holds: () => Promise<boolean>;
}

interface Account {
  readonly caller: Caller;
  /** It changes with the password, and where something was taken away: what was begun with another one has ended. */
  readonly credential: string;
}

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
    await this.#noteKeyUse(keyId);
    return { caller: programCaller(keyId, key), holds: async () => (await find()) !== undefined };
  }

  /** A new token each time: one that somebody had before never becomes that of an account. */
  async start(actor: string, device: string): Promise<NewSession> {
    const account = await this.#account(actor);
    if (!account) throw new RangeError(`${actor} cannot sign in`);
    const token = randomBytes(32).toString('base64url');
    const now = this.#clock.now();
    const { idleSeconds, mostSeconds } = limitsOf(actor);
    const endsAt = addSeconds(now, mostSeconds);
    await this.#sessions.start({
      sessionId: randomUUID(),
      tokenHash: hashOfToken(token),
      actor,
      credential: account.credential,
      startedAt: now,
      seenAt: now,
      idleUntil: addSeconds(now, idleSeconds),
      endsAt,
      provedAt: now,
      device,
    });
    await this.#sweep(now);
    return { token, endsAt };
  }

  /** The sessions of an actor that still count, the newest first. */
  async sessionsOf(actor: string): Promise<readonly Session[]> {
    const account = await this.#account(actor);
    const sessions = account ? await this.#sessions.listOf(actor, this.#clock.now()) : [];
    return sessions.filter(({ credential }) => credential === account?.credential);
  }

  async #accountOf(tokenHash: string): Promise<{ session: Session; caller: Caller } | undefined> {
    const session = await this.#find(tokenHash);
    const account = session && (await this.#account(session.actor));
    if (!account || account.credential !== session.credential) return undefined;
    return { session, caller: account.caller };
  }

  async #account(actor: string): Promise<Account | undefined> {
    const id = actor.slice(actor.indexOf(':') + 1);
    if (!actor.startsWith('staff:')) return this.#customer(id);
    const member = (await this.#recent.of<'staff'>(staffStream)).members.get(id);
    return member?.verifier && accountOfMember(member, member.verifier);
  }

  async #customer(customerId: string): Promise<Account | undefined> {
    const { verifier } = await this.#recent.of<'customer'>(customerStream(customerId));
    const { subjects } = await this.#recent.of<'erasures'>(erasuresStream);
    if (!verifier || subjects.has(customerStream(customerId))) return undefined;
    return { caller: customerCaller(customerId), credential: credentialIn(verifier) };
  }

  async #noteUse({ sessionId, actor, seenAt, endsAt }: Session): Promise<void> {
    const now = this.#clock.now();
    if (now < addSeconds(seenAt, SECONDS_BETWEEN_NOTES)) return;
    const idleUntil = addSeconds(now, limitsOf(actor).idleSeconds);
    await this.#sessions.touch(sessionId, now, idleUntil < endsAt ? idleUntil : endsAt);
  }

  async #noteKeyUse(keyId: string): Promise<void> {
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

const accountOfMember = (member: StaffMember, verifier: Secret): Account => ({
  caller: memberCaller(member.memberId, member),
  credential: `${credentialIn(verifier)}.${member.reductions}`,
});

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
