import type { Instant } from '#domain/kernel/events';

/** `password`: no second factor. */
export const sessionFactors = ['password', 'totp', 'recovery-code', 'passkey'] as const;
export type SessionFactor = (typeof sessionFactors)[number];

/** Who is signed in, on one device. The token that its holder sends is not stored: only its hash is. */
export interface Session {
  readonly sessionId: string;
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string;
  /** `customer:ID` or `staff:ID`. */
  readonly actor: string;
  /** What of the account it was begun with: the session counts only as long as the account says the same. */
  readonly credential: string;
  readonly startedAt: Instant;
  readonly seenAt: Instant;
  /** It ends then, unless it is used before. */
  readonly idleUntil: Instant;
  /** It ends then, however much it is used. */
  readonly endsAt: Instant;
  /** What was proved besides the password, or in place of it, the last time. */
  readonly factor: SessionFactor;
  /** When that was. */
  readonly provedAt: Instant;
  /** The kind of browser and system, in words. It tells nothing that would name a person. */
  readonly device: string;
}

/**
 * Where sessions are kept: in SQLite beside the keys of one machine, or in a PostgreSQL that many programs share. Whoever asks,
 * asks the store: a session that was ended is found nowhere any more.
 * @throws StoreUnavailable from every function
 */
export interface SessionStore {
  /** @param browser a keyed hash of what tells the browser of this actor from others; the newest sign-ins are kept */
  start(session: Session, browser: string): Promise<void>;
  /** Those that were kept of an actor, the newest first, also of sessions that have ended. */
  signInsOf(actor: string): Promise<readonly SignIn[]>;
  /** Everything that is kept of an actor, who was erased. */
  forget(actor: string): Promise<void>;
  /** Those that have not ended, in any order. */
  findAmong(tokenHashes: readonly string[], now: Instant): Promise<readonly Session[]>;
  /** It is in use. One that has ended meanwhile stays ended. */
  touch(sessionId: string, seenAt: Instant, idleUntil: Instant): Promise<void>;
  /** It goes on with another token, and as what was proved just now. One that has ended stays ended. @returns whether it goes on */
  renew(sessionId: string, renewed: RenewedSession): Promise<boolean>;
  /** @returns false when the actor has no such session */
  end(actor: string, sessionId: string): Promise<boolean>;
  /** @param except the one that goes on @returns how many ended */
  endAllOf(actor: string, except?: string): Promise<number>;
  /** Those that have not ended, the newest first. */
  listOf(actor: string, now: Instant): Promise<readonly Session[]>;
  /** Removes those that have ended by themselves, challenges that nobody took, and sign-ins that are {@link DAYS_OF_A_SIGN_IN} days old. */
  sweep(now: Instant): Promise<void>;
  /** Notes when a key of a program was last used. */
  noteKeyUse(keyId: string, at: Instant): Promise<void>;
  /** When each key was last used. */
  keyUses(): Promise<ReadonlyMap<string, Instant>>;
  /**
   * Notes that a code of this step, or a signature with this counter, was used, once for all programs.
   * @returns false when it, or a later one, was used before
   */
  useStep(factorId: string, step: number): Promise<boolean>;
  /** Whether any step was used. */
  hasUsedStep(factorId: string): Promise<boolean>;
  /** Somebody is to sign it. */
  addChallenge(challenge: Challenge): Promise<void>;
  /** Of programs that ask at once, one gets it. @returns whether it was there, for this use, and in time */
  takeChallenge(challengeHash: string, use: string, now: Instant): Promise<boolean>;
  close(): Promise<void>;
}

/** A sign-in, which outlives its session. */
export interface SignIn extends Pick<Session, 'sessionId' | 'actor' | 'device'> {
  readonly browser: string;
  readonly at: Instant;
}

/** Of each account: the newest, and the newest of as many browsers. */
export const MOST_SIGN_INS_KEPT = 50;
/** The longest time for which browsers keep a cookie. */
export const DAYS_OF_A_SIGN_IN = 400;

/** A random value that a passkey signs, once. */
export interface Challenge {
  /** SHA-256, base64url. */
  readonly challengeHash: string;
  /** For what it is, and in which session. */
  readonly use: string;
  readonly expiresAt: Instant;
}

export type RenewedSession = Pick<Session, 'tokenHash' | 'credential' | 'factor' | 'provedAt'>;

export interface SessionsLocation {
  /** Undefined: in memory. */
  readonly directory?: string | undefined;
  /** `postgres://…`: sessions are in a PostgreSQL that many programs share. */
  readonly databaseUrl?: string | undefined;
}

/** @throws CannotOpenStore, PostgresRefused, PostgresAway */
export async function openSessions({ directory, databaseUrl }: SessionsLocation): Promise<SessionStore> {
  if (databaseUrl === undefined) return (await import('./sqlite-sessions.ts')).openSqliteSessions(directory);
  return (await import('./postgres-sessions.ts')).openPostgresSessions(databaseUrl);
}
