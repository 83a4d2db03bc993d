import type { Caller } from '#domain/kernel/caller';
import { CheckedFunctions, type NamedRequest, ownEntry } from './checked-functions.ts';
import { createQueries, type Queries } from './queries.ts';
import { queryRights } from './query-rights.ts';
import type { QueryDependencies } from './query-tools.ts';
import { requestTools } from './request-tools.ts';

/** A query with its subject and its name, and who asks it. */
export interface AddressedQuery extends NamedRequest {
  readonly subject: string;
}

/** Answers all queries, once the table of rights says that the caller may ask. */
export class QueryHandler {
  readonly #subjects: Readonly<Record<string, CheckedFunctions>>;

  constructor(dependencies: QueryDependencies) {
    const queries: Readonly<Record<string, object>> = createQueries(dependencies);
    const tools = requestTools(dependencies);
    const subjects = Object.entries(queryRights).map(
      ([subject, rules]) => [subject, new CheckedFunctions(ownEntry(queries, subject), rules, tools)] as const,
    );
    this.#subjects = Object.fromEntries(subjects);
  }

  /** @throws RequestRefused, RangeError for a query that does not exist, and what the query throws */
  async execute({ subject, ...asking }: AddressedQuery): Promise<unknown> {
    return ownEntry(this.#subjects, subject).call(asking);
  }
}

/**
 * All queries that the table of rights names.
 * @param send sends a query to its handler: over the query bus in an application
 */
export function queriesOver(send: (query: AddressedQuery) => Promise<unknown>): Queries {
  const subjects = Object.entries(queryRights).map(([subject, rules]) => {
    const queries = Object.keys(rules).map((name) => [
      name,
      (caller: Caller, request: unknown) => send({ subject, name, caller, request }),
    ]);
    return [subject, Object.fromEntries(queries)];
  });
  return Object.fromEntries(subjects) as Queries;
}
