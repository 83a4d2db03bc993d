import type { Caller } from '#domain/kernel/caller';
import { CheckedFunctions, type NamedRequest } from './checked-functions.ts';
import { createOperations, type OperationDependencies, type Operations } from './operations.ts';
import { operationRights } from './query-rights.ts';
import { type RequestDependencies, requestTools } from './request-tools.ts';

/** Carries out all operations, once the table of rights says that the caller may ask. */
export class OperationHandler {
  readonly #operations: CheckedFunctions;

  constructor(dependencies: OperationDependencies & RequestDependencies) {
    this.#operations = new CheckedFunctions(
      createOperations(dependencies),
      operationRights,
      requestTools(dependencies),
    );
  }

  /** @throws RequestRefused, RangeError for an operation that does not exist, and what the operation throws */
  execute(operation: NamedRequest): Promise<unknown> {
    return this.#operations.call(operation);
  }
}

/** All operations that the table of rights names. Each is sent to the handler. */
export function operationsOver(send: (operation: NamedRequest) => Promise<unknown>): Operations {
  const operations = Object.keys(operationRights).map((name) => [
    name,
    (caller: Caller, request: unknown) => send({ name, caller, request }),
  ]);
  return Object.fromEntries(operations) as Operations;
}
