import { z } from 'zod';
import { type HistoryEvent, historyEvent } from '#audit/history';
import {
  defaultPolicy,
  type PolicyEvent,
  type PolicyVersion,
  policy,
  policyEvents,
  policyStream,
} from '#domain/policy/policy';
import { changesBetween, policyBefore } from '#domain/policy/versions';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';
import { revision } from './revision.ts';

const { PolicyPublished } = policyEvents;
const whole = PolicyPublished.shape.policy.unwrap();

/** The policy in force. */
export const policyInForce = PolicyPublished.pick({ version: true, author: true, effectiveFrom: true })
  .extend({ policy: whole.describe('The whole policy: all numbers and lists.'), revision })
  .meta({ id: 'Policy' });

const value = z.unknown();

/** What a version changes, compared with what would hold without it. */
const policyChange = z
  .object({
    field: z.string().describe('The field of the policy.'),
    from: value.describe('What would hold from that instant without the version. Null: nothing, or its default.'),
    to: value.describe('What holds with it. Null: it is left out, and its default holds.'),
  })
  .meta({ id: 'PolicyChange' });

export const policyVersion = PolicyPublished.pick({ version: true, author: true, effectiveFrom: true })
  .extend({
    publishedAt: z.iso.datetime({ precision: 3 }).describe('When it was published.'),
    reason: historyEvent.shape.reason.unwrap().nullable().describe('Why, in the words of its author. Null: not said.'),
    changes: z
      .array(policyChange)
      .describe('The fields that it names, or of a version that was published whole: those that differ.'),
    policy: whole.describe(
      'The whole policy from its instant. Of a planned version it may still change, by what is published to hold before it.',
    ),
  })
  .meta({ id: 'PolicyVersion' });

type ToldVersion = z.infer<typeof policyVersion>;

/** The revision is what a publication names that goes by this list (POL-2). */
interface PolicyVersions {
  readonly items: readonly ToldVersion[];
  readonly revision: number;
}

export const policyVersionExample: ToldVersion = {
  version: 2,
  author: 'staff:ada',
  effectiveFrom: '2026-03-01T09:30:00.000Z',
  publishedAt: '2026-02-20T14:00:00.000Z',
  reason: 'as we promised at the fair',
  changes: [{ field: 'returnWindowDays', from: 5, to: 9 }],
  policy: { ...defaultPolicy, returnWindowDays: 9 },
};

export async function policyHistory(
  { histories }: Pick<QueryTools, 'histories'>,
  context: RequestContext,
): Promise<PolicyVersions> {
  // POL-2: its reasons are about the store, and whoever may see the versions sees them.
  const events = (await histories.of({ ...context, opensBoxes: true }, policyStream, {}))?.events ?? [];
  return { items: toldVersions(events), revision: events.at(-1)?.revision ?? -1 };
}

/** The versions that these events published, with what each changed: what is planned may still change by later ones. */
export function toldVersions(events: readonly HistoryEvent[]): readonly ToldVersion[] {
  const { versions } = events.map(asEvent).reduce(policy.evolve, policy.initialState());
  return versions.map((one, index) => told(one, events[index] as HistoryEvent, versions));
}

const asEvent = ({ type, at, data }: HistoryEvent) => ({ type, data: { at, ...data } }) as PolicyEvent;

function told(one: PolicyVersion, { at: publishedAt, reason }: HistoryEvent, versions: readonly PolicyVersion[]) {
  const { version, author, effectiveFrom, policy } = one;
  return {
    version,
    author,
    effectiveFrom,
    publishedAt,
    reason: reason ?? null,
    policy,
    changes: changesOf(one, versions),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function changesOf(one: PolicyVersion, versions: readonly PolicyVersion[]) {
  const held = policyBefore(versions, one);
  const named = Object.keys(one.changes ?? (held ? changesBetween(held, one.policy) : one.policy));
  const [before, after]: readonly [Fields, Fields] = [held ?? {}, one.policy];
  return named.map((field) => ({ field, from: before[field] ?? null, to: after[field] ?? null }));
}
