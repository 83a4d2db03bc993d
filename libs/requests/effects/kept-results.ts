import type { AnyCommand } from '#domain/ledger';
import { FailureToRecord, type Untimed } from '#processes/process';

type Result = Untimed<AnyCommand> | undefined;

/** Calls that have no answer yet, by their keys. A program has one list, whichever engine made a call. */
export type CallsUnderWay = Map<string, Promise<Result>>;

/**
 * Results of calls to the outside until they are recorded. When the ledger cannot take one, it is sent to the ledger again,
 * and the call is not made again.
 */
export class KeptResults {
  /** By the key of the call. */
  readonly #results = new Map<string, () => Result>();
  /** The id of the command that records a failure → the key of the call. */
  readonly #failures = new Map<string, string>();
  readonly #underWay: CallsUnderWay;

  constructor(underWay: CallsUnderWay) {
    this.#underWay = underWay;
  }

  async of(key: string, call: () => Promise<Result>): Promise<Result> {
    const kept = this.#results.get(key);
    if (kept) return kept();
    try {
      const result = await this.#together(key, call);
      if (result) this.#results.set(key, () => result);
      return result;
    } catch (error) {
      if (error instanceof FailureToRecord) this.#keepFailure(key, error);
      throw error;
    }
  }

  /** An engine that replaces another one waits for the same answer: a server that hangs gets no mail twice. */
  #together(key: string, call: () => Promise<Result>): Promise<Result> {
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const begun = call().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, begun);
    return begun;
  }

  /** The ledger took the command with this id, or a rule refused it. */
  forget(commandId: string): void {
    this.#results.delete(this.#failures.get(commandId) ?? commandId);
    this.#failures.delete(commandId);
  }

  #keepFailure(key: string, failure: FailureToRecord): void {
    this.#failures.set(failure.commandId, key);
    this.#results.set(key, () => {
      throw failure;
    });
  }
}
