import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { type Caller, worksForStore } from '#domain/kernel/caller';
import type { Vault } from '#vault/vault';
import type { AttemptCounters } from '#wiring/attempt-counters';
import { consumed } from './sign-in-throttle.ts';

const MINUTE = 60;

const limits = {
  /** A person sends one or two; an office behind one address some more. */
  formsOfNetwork: { points: 30, seconds: 10 * MINUTE },
  formsOfKey: { points: 600, seconds: 10 * MINUTE },
  /** Each takes a person out of the stock for good. */
  suppressionsOfNetwork: { points: 30, seconds: 10 * MINUTE },
  /** Each costs the work of a password, for which others wait, and a mail to whatever address was typed in. */
  accountsOfNetwork: { points: 30, seconds: 10 * MINUTE },
} as const;

/** Forms that anybody may fill in (of a website, to be suppressed, to open an account): so many from one network, and of one form. */
export class FormThrottle {
  readonly #vault: Pick<Vault, 'personKey'>;
  readonly #ofNetwork: RateLimiterAbstract;
  readonly #ofKey: RateLimiterAbstract;
  readonly #suppressions: RateLimiterAbstract;
  readonly #accounts: RateLimiterAbstract;

  constructor(counters: AttemptCounters, vault: Pick<Vault, 'personKey'>) {
    this.#vault = vault;
    this.#ofNetwork = counters.of({ name: 'formsOfNetwork', ...limits.formsOfNetwork });
    this.#ofKey = counters.of({ name: 'formsOfKey', ...limits.formsOfKey });
    this.#suppressions = counters.of({ name: 'suppressionsOfNetwork', ...limits.suppressionsOfNetwork });
    this.#accounts = counters.of({ name: 'accountsOfNetwork', ...limits.accountsOfNetwork });
  }

  /**
   * Takes what somebody sends. What one network sends too much does not count against the others, nor does what was not received; and
   * the first form of a network is always taken, so that nobody closes a form for everybody.
   * @param receive whether it was received
   * @throws Problem
   */
  async take(network: string, formId: string, receive: () => Promise<boolean>): Promise<boolean> {
    const isFirst = (await consumed(this.#ofNetwork, this.#keyOf(network))) === 1;
    await consumed(this.#ofKey, formId).catch((error) => {
      if (!isFirst) throw error;
    });
    let isReceived = false;
    try {
      isReceived = await receive();
      return isReceived;
    } finally {
      if (!isReceived) await this.#ofKey.reward(formId);
    }
  }

  /** Whoever works for the store answers for what it sends. @throws Problem */
  async countSuppression(network: string, caller: Caller): Promise<void> {
    if (!worksForStore(caller)) await consumed(this.#suppressions, this.#keyOf(network));
  }

  /** Of an account that somebody opens, also with an order. @throws Problem */
  async countAccount(network: string, caller: Caller): Promise<void> {
    if (!worksForStore(caller)) await consumed(this.#accounts, this.#keyOf(network));
  }

  #keyOf = (network: string): string => this.#vault.personKey('network', network);
}
