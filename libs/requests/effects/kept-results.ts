import type { AnyCommand } from '#domain/ledger';
import { FailureToRecord, type Untimed } from '#processes/process';

type Result = Untimed<AnyCommand> | undefined;

/**
 * Results of calls to the outside until they are recorded. When the ledger cannot take one, it is sent to the ledger again,
 * and the call is not made again.
 */
export class KeptResults {
  /** By the key of the call. */
  readonly #results = new Map<string, () => Result>();
  /** The id of the command that records a failure → the key of the call. */
  readonly #failures = new Map<string, string>();

  async of(key: string, call: () => Promise<Result>): Promise<Result> {
    const kept = this.#results.get(key);
    if (kept) return kept();
    try {
      const result = await call();
      if (result) this.#results.set(key, () => result);
      return result;
    } catch (error) {
      if (error instanceof FailureToRecord) this.#keepFailure(key, error);
      throw error;
    }
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
