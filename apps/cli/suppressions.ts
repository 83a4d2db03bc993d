import { z } from 'zod';
import { counted } from '#domain/kernel/counted';
import { LARGEST_PAGE } from '#read-models/queries/paging';
import type { LiftingRequest } from '#requests/lifted-suppressions';
import { personReached } from '#requests/named-person';
import { type SuppressionList, suppressionList } from '#requests/suppression-lists';
import type { StoreLocation } from '#wiring/stores';
import { askStore } from './ask-store.ts';
import { CommandFailed } from './command-failed.ts';
import { printJson, printLines } from './print.ts';
import { noteCounts } from './telling.ts';

interface LiftOptions {
  readonly listId?: string;
  readonly telephone?: string;
  readonly email?: string;
  /** Why. It is recorded, sealed. */
  readonly reason: string;
}

/** Lifts the suppressions of a person, or all that a list made (DLV-12). @throws CommandFailed, CannotOpenStore */
export async function liftSuppressions(location: StoreLocation, { reason, ...options }: LiftOptions): Promise<void> {
  const request = requestIn(options);
  const { lifted, stillSuppressed } = (await askStore(location, {
    method: 'POST',
    path: '/api/suppressions/lift',
    body: request,
    reason,
    here: ({ operations }, context) => operations.liftSuppressions(context, request),
  })) as { lifted: number; stillSuppressed: number };
  noteCounts({ lifted, stillSuppressed });
  printLines(
    `lifted: ${counted(lifted, 'number or address', 'numbers and addresses')}; of these still suppressed by others: ${stillSuppressed}`,
  );
}

const page = z.object({ items: z.array(suppressionList), nextCursor: z.string().optional() });

/** Prints the lists of persons who are not sold (DLV-12), by name. @throws CommandFailed, CannotOpenStore */
export async function listSuppressionLists(
  location: StoreLocation,
  { json = false }: { json?: boolean },
): Promise<void> {
  const lists: SuppressionList[] = [];
  let cursor: string | undefined;
  do {
    const found = page.parse(await onePage(location, cursor));
    lists.push(...found.items);
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  if (json) return printJson({ items: lists });
  printLines(...lists.map(inOneLine), counted(lists.length, 'list'));
}

const inOneLine = ({ listId, suppressed, lastNamedAt }: SuppressionList): string =>
  `${listId}: ${counted(suppressed, 'number or address', 'numbers and addresses')}; last named one ${lastNamedAt}`;

const onePage = (location: StoreLocation, cursor: string | undefined): Promise<unknown> => {
  const next = cursor === undefined ? {} : { cursor };
  return askStore(location, {
    method: 'GET',
    path: `/api/suppressions/lists?${new URLSearchParams({ limit: String(LARGEST_PAGE), ...next })}`,
    here: ({ queries }, context) => queries.suppressions.listLists(context, { limit: LARGEST_PAGE, ...next }),
  });
};

/** What the API would refuse is refused before the store is opened. @throws CommandFailed */
function requestIn({ listId, ...person }: Omit<LiftOptions, 'reason'>): LiftingRequest {
  const isPerson = Object.values(person).some((name) => name !== undefined);
  if (isPerson === (listId !== undefined))
    throw new CommandFailed('say what to lift: --list, or a person by --telephone, --email or both');
  if (listId !== undefined) return { listId };
  const [issue] = personReached.safeParse(person).error?.issues ?? [];
  if (issue) throw new CommandFailed(`--${String(issue.path[0])} ${issue.message}`);
  return { person };
}
