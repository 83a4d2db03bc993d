import { counted } from '#domain/kernel/counted';
import type { LiftingRequest } from '#requests/lifted-suppressions';
import { personReached } from '#requests/named-person';
import type { StoreLocation } from '#wiring/stores';
import { askStore } from './ask-store.ts';
import { CommandFailed } from './command-failed.ts';
import { printLines } from './print.ts';
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
