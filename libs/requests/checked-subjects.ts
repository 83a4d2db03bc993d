import { refuseBeforeFactor } from '#domain/kernel/rights';
import { createOperations, type Operations } from './operations.ts';
import type { OwnerOf } from './owners.ts';
import { createQueries, type Queries } from './queries.ts';
import { operationRights, type QueryRule, queryRights } from './query-rights.ts';
import { type QueryDependencies, queryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';
import { RequestRefused } from './rights.ts';

/** A query or an operation: its subject and its name, who asks, and what for. */
export interface AddressedRequest {
  readonly subject: string;
  readonly name: string;
  readonly context: RequestContext;
  readonly request: unknown;
}

type BySubject<Entry> = Readonly<Record<string, Readonly<Record<string, Entry>>>>;

/** All queries by subject, and the operations on the programs as one more subject. */
export interface Subjects extends Queries {
  readonly programs: Operations;
}

const rights = { ...queryRights, programs: operationRights } satisfies Record<keyof Subjects, object>;

/** Answers queries and carries out operations, each only after its right was checked. */
export class CheckedSubjects {
  readonly #subjects: BySubject<(context: RequestContext, request: never) => Promise<unknown>>;
  readonly #ownerOf: OwnerOf;

  constructor(dependencies: QueryDependencies) {
    const tools = queryTools(dependencies);
    this.#subjects = { ...createQueries(tools), programs: createOperations(tools) };
    this.#ownerOf = tools.ownerOf;
  }

  /** @throws RequestRefused, RangeError for what does not exist, and what the query or the operation throws */
  async execute({ subject, name, context, request }: AddressedRequest): Promise<unknown> {
    const rule = entryOf<QueryRule<never>>(rights, subject, name);
    const refusal =
      refuseBeforeFactor(rule, context) ??
      (await rule({ ...context, request: request as never, ownerOf: this.#ownerOf }));
    if (refusal) throw new RequestRefused(refusal);
    return entryOf(this.#subjects, subject, name)({ ...context, asked: `${subject}.${name}` }, request as never);
  }
}

/** @throws RangeError */
function entryOf<Entry>(table: BySubject<Entry>, subject: string, name: string): Entry {
  const entries = Object.hasOwn(table, subject) ? table[subject] : undefined;
  const entry = entries && Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) throw new RangeError(`nobody can ask for ${subject}.${name}`);
  return entry;
}

/** @param send sends a query or an operation to {@link CheckedSubjects}: over a bus in an application */
export function subjectsOver(send: (asked: AddressedRequest) => Promise<unknown>): Subjects {
  const subjects = Object.entries(rights).map(([subject, rules]) => {
    const senders = Object.keys(rules).map((name) => [
      name,
      (context: RequestContext, request: unknown) => send({ subject, name, context, request }),
    ]);
    return [subject, Object.fromEntries(senders)];
  });
  return Object.fromEntries(subjects);
}
