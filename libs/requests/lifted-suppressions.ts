import { z } from 'zod';
import { idOf } from '#domain/codec';
import { refuse } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { personClaimStream } from '#domain/leads/person-claim';
import { sourceOf } from '#domain/leads/suppression';
import type { PersonReached } from './named-person.ts';
import type { PersonTools } from './person-search.ts';
import { type RequestContext, requestTools } from './request-tools.ts';
import { mustBeAccepted, RequestRefused } from './rights.ts';
import { suppressionsIn } from './suppression-lists.ts';
import { keysOfReached } from './suppressions.ts';

/** One person, whatever suppresses them; or all whom a list named, but only for what the list said. */
export type LiftingRequest = { readonly person: PersonReached } | { readonly listId: string };

export const suppressionsLifted = z
  .object({
    lifted: z.int().describe('Telephone numbers and e-mail addresses of which this request lifted a suppression.'),
    stillSuppressed: z
      .int()
      .describe('Of these: those that another list, or the own request of the person, still suppresses.'),
  })
  .meta({ id: 'SuppressionsLifted' });
type SuppressionsLifted = z.infer<typeof suppressionsLifted>;

export const suppressionsLiftedExample: SuppressionsLifted = { lifted: 998, stillSuppressed: 3 };

const AT_ONCE = 256;

/**
 * Lifts suppressions (DLV-12): from then on the persons may be sold again, as new leads. Each number and address is lifted by
 * itself. Interrupted, it is asked for again, and goes on with what is left.
 * @throws RequestRefused, also for a list that never named anybody: its name is mistyped
 */
export async function liftSuppressions(
  tools: PersonTools,
  context: RequestContext,
  request: LiftingRequest,
): Promise<SuppressionsLifted> {
  const report = { lifted: 0, stillSuppressed: 0 };
  const listId = 'listId' in request ? request.listId : undefined;
  for await (const keys of 'listId' in request
    ? keysOnList(tools, request.listId)
    : [keysOfPerson(tools, request.person)])
    for (const left of await Promise.all(keys.map((key) => liftKey(tools, context, key, listId)))) {
      if (left === undefined) continue;
      report.lifted += 1;
      if (left > 0) report.stillSuppressed += 1;
    }
  return report;
}

const keysOfPerson = ({ vault }: PersonTools, { telephone, email }: PersonReached): readonly string[] =>
  keysOfReached(vault, {
    telephones: telephone === undefined ? [] : [telephone],
    emails: email === undefined ? [] : [email],
  });

/**
 * All that a list ever named. It is read from the log and not from rows: a row for each number would be as much again, for what
 * is seldom asked.
 */
async function* keysOnList({ events }: PersonTools, listId: string): AsyncGenerator<readonly string[]> {
  let keys = new Set<string>();
  let isUnknown = true;
  for await (const fact of suppressionsIn(events)) {
    if (fact.type !== 'PersonSuppressed' || sourceOf(fact.data) !== listId) continue;
    isUnknown = false;
    keys.add(idOf(fact.stream));
    if (keys.size < AT_ONCE) continue;
    yield [...keys];
    keys = new Set();
  }
  if (isUnknown) throw new RequestRefused(refuse('list-unknown', `no list ${listId} has ever named anybody`, 'DLV-12'));
  yield [...keys];
}

/** @returns how many others still suppress it; undefined when there was nothing to lift */
async function liftKey(
  tools: PersonTools,
  context: RequestContext,
  key: string,
  listId: string | undefined,
): Promise<number | undefined> {
  const stream = personClaimStream(key);
  const command = { type: 'LiftSuppression', at: tools.now(), ...(listId !== undefined && { listId }) } as const;
  const commandId = deriveId(command.type, context.commandId, key);
  const { outcome } = await requestTools(tools).send(key, stream, command, { ...context, commandId });
  mustBeAccepted(outcome, 'that the suppression is lifted');
  return outcome.events.length === 0 ? undefined : (await tools.stateOf<'person'>(stream)).suppressedBy.length;
}
