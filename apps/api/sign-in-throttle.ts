import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import { normaliseEmail } from '#domain/leads/person-form';
import type { Vault } from '#vault/vault';
import type { AttemptCounters } from '#wiring/attempt-counters';
import { Problem } from './problems.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** So many failures of a network with an account cost nothing but themselves. */
const FREE = 5;
const FIRST_PAUSE = 30;
const LONGEST_PAUSE = 15 * MINUTE;

const limits = {
  failuresOfPair: { points: FREE, seconds: DAY },
  pauseOfPair: { points: 1, seconds: FIRST_PAUSE },
  failuresOfNetwork: { points: 100, seconds: 15 * MINUTE },
  failuresOfAccount: { points: 50, seconds: HOUR },
  /** Wrong codes of somebody who has the password or a session, from whatever network, in a row (NIST 800-63B-4, 3.2.2: 100). */
  guessesOfHolder: { points: 30, seconds: DAY },
  /** A timer of Node can wait for 24 days at most. */
  known: { points: 1, seconds: 20 * DAY },
  /** Pages ask for one before somebody signs in. */
  challengesOfNetwork: { points: 300, seconds: 15 * MINUTE },
  recoveriesOfPair: { points: 5, seconds: HOUR },
  recoveriesOfNetwork: { points: 30, seconds: HOUR },
  recoveriesOfAccount: { points: 20, seconds: HOUR },
} as const;

/**
 * Makes guessing expensive for who guesses, and for nobody else (ADR 58). What counts is the pair of an account and the network
 * from which it is tried: after some failures the pair must pause, longer each time. Many failures from many networks shorten that
 * to one, so that the first attempt from a new network always counts, and its owner gets in. A network from which somebody signed
 * in to the account is known there, and stays out of what others do.
 */
export class SignInThrottle {
  readonly #vault: Pick<Vault, 'personKey'>;
  readonly #counts: { readonly [Name in keyof typeof limits]: RateLimiterAbstract };

  constructor(counters: AttemptCounters, vault: Pick<Vault, 'personKey'>) {
    this.#vault = vault;
    const counts = Object.entries(limits).map(([name, limit]) => [name, counters.of({ name, ...limit })]);
    this.#counts = Object.fromEntries(counts);
  }

  /**
   * Checks a secret of an account, if it may be tried now. What throws counts as no attempt.
   * @param account its address or its id, whether there is one or not
   * @param isGuess whether somebody who has the password failed with what comes after it
   * @throws Problem
   */
  async attempt<Answer>(
    network: string,
    account: string,
    check: () => Promise<Answer>,
    isFailure: (answer: Answer) => boolean,
    isGuess: (answer: Answer) => boolean = () => false,
  ): Promise<Answer> {
    const keys = this.#keysOf(network, account);
    await this.#refuseGuesser(keys);
    const answer = await this.#counted(keys, await this.#begin(keys), check, isFailure);
    if (isGuess(answer)) await this.#counts.guessesOfHolder.penalty(keys.account);
    return answer;
  }

  /** The same for somebody who is signed in: whoever has the session guesses the rest. @throws Problem */
  async attemptSignedIn<Answer>(
    network: string,
    holder: string,
    check: () => Promise<Answer>,
    isFailure: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const keys = this.#keysOf(network, holder);
    const { guessesOfHolder } = this.#counts;
    // Before it is checked, so that many at once are no way around.
    if (!(await this.#isKnown(keys))) await consumed(guessesOfHolder, keys.account);
    return this.#counted(keys, await this.#begin(keys), check, isFailure);
  }

  async #counted<Answer>(
    keys: Keys,
    giveBack: () => Promise<unknown>,
    check: () => Promise<Answer>,
    isFailure: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const answer = await check().catch(async (error) => {
      await giveBack();
      throw error;
    });
    if (isFailure(answer)) return answer;
    await giveBack();
    await this.#remember(keys);
    return answer;
  }

  /** A network where the owner signed in before stays out of what others guess. @throws Problem */
  async #refuseGuesser(keys: Keys): Promise<void> {
    const { guessesOfHolder } = this.#counts;
    const guessed = await guessesOfHolder.get(keys.account);
    if ((guessed?.consumedPoints ?? 0) < limits.guessesOfHolder.points || (await this.#isKnown(keys))) return;
    throw await this.#tooMany(guessesOfHolder, keys.account);
  }

  /** Somebody asks for a link. The first ones from a network are always sent. @throws Problem */
  async recovery(network: string, email: string): Promise<void> {
    const keys = this.#keysOf(network, email);
    const counts = this.#counts;
    const isFirst = (await consumed(counts.recoveriesOfPair, keys.pair)) === 1;
    await consumed(counts.recoveriesOfNetwork, keys.network);
    if (await this.#isKnown(keys)) return;
    await consumed(counts.recoveriesOfAccount, keys.account).catch((error) => {
      if (!isFirst) throw error;
    });
  }

  /** Somebody asks for a challenge of a passkey. @throws Problem */
  async challenge(network: string): Promise<void> {
    await consumed(this.#counts.challengesOfNetwork, this.#vault.personKey('network', network));
  }

  #keysOf(network: string, account: string) {
    const networkKey = this.#vault.personKey('network', network);
    const accountKey = this.#vault.personKey('account-address', normaliseEmail(account));
    return { network: networkKey, account: accountKey, pair: `${accountKey}:${networkKey}` };
  }

  /** Counted before it is known whether it fails: many at once are no way around. @returns what takes it back */
  async #begin(keys: Keys): Promise<() => Promise<unknown>> {
    const counts = this.#counts;
    const isKnown = await this.#isKnown(keys);
    const counted: [RateLimiterAbstract, string][] = [[counts.failuresOfPair, keys.pair]];
    if (!isKnown) counted.push([counts.failuresOfNetwork, keys.network], [counts.failuresOfAccount, keys.account]);
    const giveBack = () => Promise.all(counted.map(([count, key]) => count.reward(key)));
    const [ofPair = 0, ofNetwork = 0, ofAccount = 0] = await Promise.all(
      counted.map(async ([count, key]) => (await count.penalty(key)).consumedPoints),
    );
    try {
      if (ofNetwork > limits.failuresOfNetwork.points)
        throw await this.#tooMany(counts.failuresOfNetwork, keys.network);
      await this.#pause(ofPair - (ofAccount > limits.failuresOfAccount.points ? 1 : FREE), keys);
    } catch (error) {
      await giveBack();
      throw error;
    }
    return giveBack;
  }

  /** Of those who come during a pause, none is heard, and the first one after it begins the next. */
  async #pause(failures: number, { pair }: Keys): Promise<void> {
    if (failures > 0) await consumed(this.#counts.pauseOfPair, pair, { customDuration: pauseAfter(failures) });
  }

  #isKnown = async ({ pair }: Keys): Promise<boolean> => (await this.#counts.known.get(pair)) !== null;

  async #remember({ pair, account }: Keys): Promise<void> {
    const { known, failuresOfPair, pauseOfPair, guessesOfHolder } = this.#counts;
    await Promise.all([
      guessesOfHolder.delete(account),
      known.set(pair, 1, limits.known.seconds),
      failuresOfPair.delete(pair),
      pauseOfPair.delete(pair),
    ]);
  }

  #tooMany = async (count: RateLimiterAbstract, key: string): Promise<Problem> =>
    tooManyAttempts((await count.get(key))?.msBeforeNext);
}

/** In seconds. */
export const pauseAfter = (failures: number): number => Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE);

interface Keys {
  readonly network: string;
  readonly account: string;
  readonly pair: string;
}

/** @throws Problem when it is more than the limit */
export async function consumed(count: RateLimiterAbstract, key: string, options = {}): Promise<number> {
  const { consumedPoints } = await count.consume(key, 1, options).catch((refused: RateLimiterRes | Error) => {
    throw refused instanceof Error ? refused : tooManyAttempts(refused.msBeforeNext);
  });
  return consumedPoints;
}

const tooManyAttempts = (milliseconds = 0): Problem =>
  new Problem('too-many-attempts', 'too many attempts: wait before the next one', {
    retryAfterSeconds: Math.max(1, Math.ceil(milliseconds / 1000)),
  });
