import { z } from 'zod';
import { historyEvent } from '#audit/history';
import { decode, type Fact } from '#domain/codec';
import { type Family, ledger } from '#domain/ledger';
import { policyStream } from '#domain/policy/policy';
import type { EventStore, Position } from '#event-store/port';
import { isPosition } from '#event-store/position-text';
import { BadCursor } from '#read-models/errors';
import { exampleIds } from '#read-models/models/examples';
import type { Page } from '#read-models/queries/paging';
import type { QueryTools } from './query-tools.ts';

export interface DecisionsRequest {
  readonly version: number;
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** What was decided by a version of the policy: the event that says so. */
export const policyDecision = historyEvent
  .pick({ revision: true, type: true, at: true, actor: true, position: true })
  .extend({ stream: z.string().describe('The stream that it is in: the kind and id of the thing.') })
  .meta({ id: 'PolicyDecision' });
export type PolicyDecision = z.infer<typeof policyDecision>;

export const policyDecisionExample: PolicyDecision = {
  stream: `order-${exampleIds.orderId}`,
  revision: 0,
  type: 'OrderPlaced',
  at: '2026-03-01T09:30:00.000Z',
  actor: `customer:${exampleIds.customerId}`,
  position: '0000000000000042',
};

/** Of a version that decided little, few events of many are named: a page ends after so many, with a cursor. */
const MOST_EVENTS_A_PAGE = 10_000;

interface DecisionTools extends Pick<QueryTools, 'histories'> {
  readonly events: Pick<EventStore, 'readAll'>;
}

/**
 * POL-2: the decisions that name a version, in the order of the log. They are read from the log and not from rows: a row for
 * every receipt and delivery would be as much again, for a question that is seldom asked.
 * @returns undefined when there is no such version @throws BadCursor
 */
export async function decisionsOf(
  { events, histories }: DecisionTools,
  { version, limit, cursor }: DecisionsRequest,
  mostEventsAPage = MOST_EVENTS_A_PAGE,
): Promise<Page<PolicyDecision> | undefined> {
  if (cursor !== undefined && !isPosition(cursor)) throw new BadCursor();
  const published = (await histories.facts([policyStream])).find((fact) => versionIn(fact) === version);
  if (!published) return undefined;
  const after = cursor ?? (published.position as Position);
  const items: PolicyDecision[] = [];
  let read = 0;
  for await (const stored of events.readAll({ after, filter: { types: decidingTypes }, maxCount: mostEventsAPage })) {
    const fact = decode(stored);
    read += 1;
    if (policyCitedBy(fact) === version) items.push(told(fact));
    if (items.length === limit || read === mostEventsAPage) return { items, nextCursor: fact.position };
  }
  return { items };
}

const versionIn = (fact: Fact) => (fact.type === 'PolicyPublished' ? fact.data.version : undefined);

/** A decision of the distribution has its version among the reasons of its choice. */
function policyCitedBy({ data }: Fact): number | undefined {
  const { policyVersion } = { ...('decision' in data ? data.decision : data) } as { policyVersion?: number };
  return policyVersion;
}

const told = ({ stream, revision, type, data, cause, position }: Fact): PolicyDecision => ({
  ...{ stream, revision, type, at: data.at, actor: cause.actor, position },
});

/** The types of events that name a version of the policy. Their schemas say it, so that none is forgotten. */
const decidingTypes: readonly string[] = Object.values(ledger as Record<string, Family>).flatMap(({ events }) =>
  Object.entries(events).flatMap(([type, schema]) => (namesAPolicy(schema) ? [type] : [])),
);

function namesAPolicy({ shape }: z.ZodObject): boolean {
  const { decision } = shape;
  const reasons = decision instanceof z.ZodOptional ? decision.unwrap() : decision;
  return 'policyVersion' in shape || (reasons instanceof z.ZodObject && 'policyVersion' in reasons.shape);
}
