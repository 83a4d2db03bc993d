import type { Caller } from '#domain/kernel/caller';
import type { QueryRule } from './query-rights.ts';
import type { RequestTools } from './request-tools.ts';
import { RequestRefused } from './rights.ts';

/** A query or an operation by its name, and who asks for it. */
export interface NamedRequest {
  readonly name: string;
  readonly caller: Caller;
  readonly request: unknown;
}

type Functions = Readonly<Record<string, (caller: Caller, request: unknown) => Promise<unknown>>>;
type Rules = Readonly<Record<string, QueryRule<never>>>;

/** Functions that are called only when their line in a table of rights allows it. */
export class CheckedFunctions {
  readonly #functions: Functions;
  readonly #rules: Rules;
  readonly #tools: Pick<RequestTools, 'stateOf'>;

  constructor(functions: object, rules: Rules, tools: Pick<RequestTools, 'stateOf'>) {
    this.#functions = functions as Functions;
    this.#rules = rules;
    this.#tools = tools;
  }

  /** @throws RequestRefused, RangeError for a name that the table does not have, and what the function throws */
  async call({ name, caller, request }: NamedRequest): Promise<unknown> {
    const rule = ownEntry(this.#rules, name);
    const refusal = await rule({ caller, request: request as never, stateOf: this.#tools.stateOf });
    if (refusal) throw new RequestRefused(refusal);
    return ownEntry(this.#functions, name)(caller, request);
  }
}

/** @throws RangeError */
export function ownEntry<Value>(record: Readonly<Record<string, Value>>, name: string): Value {
  if (!Object.hasOwn(record, name)) throw new RangeError(`nobody can ask for ${name}`);
  return record[name] as Value;
}
