import { z } from 'zod';
import { decode, type Fact } from '#domain/codec';
import { type Instant, instant } from '#domain/kernel/events';
import { compareText, ID } from '#domain/kernel/text';
import { personClaim, personClaimEvents, personClaimStream } from '#domain/leads/person-claim';
import { OWN_REQUEST, sourceOf } from '#domain/leads/suppression';
import type { EventStore } from '#event-store/port';
import { BadCursor } from '#read-models/errors';
import type { Page } from '#read-models/queries/paging';
import { type QueryDependencies, type QueryTools, sameForAll } from './query-tools.ts';

export const suppressionList = z
  .object({
    listId: z.string().describe('The list, as it was named; `do-not-call` for those who were named without one.'),
    suppressed: z
      .int()
      .describe(
        'Telephone numbers and e-mail addresses that the list suppresses now. 0 after it was lifted. Others may suppress them, too.',
      ),
    firstNamedAt: instant.describe('When it first named somebody.'),
    lastNamedAt: instant.describe('When it last named somebody who was new on it.'),
  })
  .meta({ id: 'SuppressionList' });
export type SuppressionList = z.infer<typeof suppressionList>;

export const suppressionListExample: SuppressionList = {
  listId: 'state-registry-2026-03',
  suppressed: 998,
  firstNamedAt: '2026-03-02T15:00:00.000Z',
  lastNamedAt: '2026-04-02T15:00:00.000Z',
};

export interface SuppressionListsRequest {
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

export const suppressionQueries = (tools: Pick<QueryTools, 'histories'> & Pick<QueryDependencies, 'events'>) => ({
  /** The lists that there are of persons who are not sold (DLV-12). */
  listLists: sameForAll((request: SuppressionListsRequest) => suppressionLists(tools, request)),
});

/**
 * The lists by their names. They are counted in the log, as whom a list named is read from it: a row for each number would be as
 * much again, for what is seldom asked.
 * @throws BadCursor
 */
async function suppressionLists(
  { events, histories }: Parameters<typeof suppressionQueries>[0],
  { limit, cursor }: SuppressionListsRequest,
): Promise<Page<SuppressionList>> {
  if (cursor !== undefined && !ID.test(cursor)) throw new BadCursor();
  const found = new FirstLists(limit + 1, cursor);
  for await (const fact of suppressionsIn(events)) {
    if (fact.type === 'PersonSuppressed') found.named(sourceOf(fact.data), fact.data.at);
    else if (fact.data.listId !== undefined) found.lifted(fact.data.listId);
    else for (const source of sourcesOf(await histories.facts([fact.stream]), fact)) found.lifted(source);
  }
  const lists = found.inOrder();
  const items = lists.slice(0, limit);
  return { items, ...(lists.length > limit && { nextCursor: (items.at(-1) as SuppressionList).listId }) };
}

type Suppressing = Extract<Fact, { type: 'PersonSuppressed' | 'SuppressionLifted' }>;

/** What suppresses persons, and what lifts that, in the order of the log. */
export async function* suppressionsIn(events: Pick<EventStore, 'readAll'>): AsyncGenerator<Suppressing> {
  const types = ['PersonSuppressed', 'SuppressionLifted'] satisfies (keyof typeof personClaimEvents)[];
  for await (const stored of events.readAll({ filter: { types, streamPrefixes: [personClaimStream('')] } }))
    yield decode(stored) as Suppressing;
}

/** What suppressed a person before something happened. */
function sourcesOf(history: readonly Fact[], { revision }: Suppressing): readonly string[] {
  const before = history.filter((fact) => fact.revision < revision) as Suppressing[];
  return before.reduce(personClaim.evolve, personClaim.initialState()).suppressedBy;
}

/** Of all lists, the first ones by name after a cursor. Programs name lists, so nobody knows how many there are. */
class FirstLists {
  readonly #most: number;
  readonly #after: string;
  readonly #lists = new Map<string, SuppressionList>();

  constructor(most: number, after = '') {
    this.#most = most;
    this.#after = after;
  }

  named(listId: string, at: Instant): void {
    if (listId === OWN_REQUEST || listId <= this.#after) return;
    const known = this.#lists.get(listId);
    if (!known && this.#lists.size === this.#most && !this.#makeRoomFor(listId)) return;
    const { suppressed = 0, firstNamedAt = at } = known ?? {};
    this.#lists.set(listId, { listId, suppressed: suppressed + 1, firstNamedAt, lastNamedAt: at });
  }

  /** What is left out once stays behind so many others. @returns whether it is not what is left out */
  #makeRoomFor(listId: string): boolean {
    const last = this.inOrder().at(-1)?.listId ?? '';
    return listId < last && this.#lists.delete(last);
  }

  lifted(listId: string): void {
    const list = this.#lists.get(listId);
    if (list) this.#lists.set(listId, { ...list, suppressed: list.suppressed - 1 });
  }

  inOrder(): readonly SuppressionList[] {
    return [...this.#lists.values()].sort((one, other) => compareText(one.listId, other.listId));
  }
}
