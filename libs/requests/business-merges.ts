import { z } from 'zod';
import { type HistoryEvent, historyEvent } from '#audit/history';
import { businessMergesStream } from '#domain/accounts/business-merges';
import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import { deriveId } from '#domain/kernel/ids';
import { isPosition } from '#event-store/position-text';
import { BadCursor } from '#read-models/errors';
import { exampleIds } from '#read-models/models/examples';
import type { Page } from '#read-models/queries/paging';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

interface MergeRequest {
  readonly customerId: string;
  readonly otherCustomerId: string;
}

/** Businesses with different names that are one (DLV-3). Each customer stands for the business that it works for now. */
export function businessMergeRequests(tools: RequestTools) {
  return {
    merge: (request: MergeRequest, context: RequestContext) => merge(tools, request, context),
    takeBack: (mergeId: string, context: RequestContext) =>
      tools.send(mergeId, businessMergesStream, { type: 'TakeBusinessMergeBack', at: tools.now(), mergeId }, context),
  };
}

async function merge(tools: RequestTools, { customerId, otherCustomerId }: MergeRequest, context: RequestContext) {
  const stream = businessMergesStream;
  const mergeId = deriveId('business-merge', context.commandId);
  const state = await tools.stateOf<'businesses'>(stream);
  const refusal = checkRightEarly(stream, { type: 'MergeBusinesses' }, state, context);
  if (refusal) return tools.refuse(mergeId, stream, refusal, context);
  const one = await tools.stateOf<'customer'>(customerStream(customerId));
  const other = await tools.stateOf<'customer'>(customerStream(otherCustomerId));
  if (!isRegistered(one) || !isRegistered(other)) return tools.send(mergeId, stream, notRegistered, context);
  const keys = { businessKey: one.businessKey, otherBusinessKey: other.businessKey };
  const command = { type: 'MergeBusinesses', at: tools.now(), mergeId, customerId, otherCustomerId, ...keys } as const;
  return tools.send(mergeId, stream, command, context);
}

/** Who did it, when and why. */
const act = {
  at: historyEvent.shape.at,
  author: z.string().describe('Who did it.'),
  reason: historyEvent.shape.reason.unwrap().nullable().describe('Why, in the words of its author. Null: not said.'),
};

export const businessMergeStatuses = ['holds', 'taken-back'] as const;

export const businessMerge = z
  .object({
    mergeId: z.string().describe('The id of the merge.'),
    customerId: z.string().describe('The customer who stood for the one business.'),
    businessKey: z.string().describe('Of that business, then.'),
    otherCustomerId: z.string().describe('The customer who stood for the other business.'),
    otherBusinessKey: z.string().describe('Of that business, then.'),
    status: z.enum(businessMergeStatuses).describe('Whether it holds, or was taken back.'),
    merged: z.object(act).describe('When, by whom and why they were merged.'),
    takenBack: z.object(act).nullable().describe('When, by whom and why that was taken back. Null: the merge holds.'),
  })
  .meta({ id: 'BusinessMerge' });
type BusinessMerge = z.infer<typeof businessMerge>;

export const businessMergeExample: BusinessMerge = {
  mergeId: exampleIds.mergeId,
  customerId: exampleIds.customerId,
  businessKey: 'Vh3cQ0uXb1nT8sKzR5yLpA',
  otherCustomerId: exampleIds.otherCustomerId,
  otherBusinessKey: 'q7Ze2mJx4bD0uPw9TtHs1A',
  status: 'holds',
  merged: { at: '2026-03-01T09:30:00.000Z', author: 'staff:ada', reason: 'one owner, said by telephone' },
  takenBack: null,
};

interface MergesRequest {
  readonly limit: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  /** Absent: those that hold. */
  readonly status?: (typeof businessMergeStatuses)[number];
}

export const businessMergeQueries = ({ histories }: Pick<QueryTools, 'histories'>) => ({
  /** The oldest first. @throws BadCursor */
  async list(
    context: RequestContext,
    { limit, cursor, status = 'holds' }: MergesRequest,
  ): Promise<Page<BusinessMerge>> {
    if (cursor !== undefined && !isPosition(cursor)) throw new BadCursor();
    const events = (await histories.of(context, businessMergesStream, {}))?.events ?? [];
    const found = toldMerges(events)
      .filter(({ merge }) => merge.status === status)
      .filter(({ position }) => cursor === undefined || position > cursor);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const items = page.map(({ merge }) => merge);
    return found.length > limit && last ? { items, nextCursor: last.position } : { items };
  },
});

/** Each with its place in the log. */
function toldMerges(events: readonly HistoryEvent[]) {
  const told = new Map<string, { readonly position: string; readonly merge: BusinessMerge }>();
  for (const { type, at, actor: author, reason = null, data, position } of events) {
    const merge = data as Omit<BusinessMerge, 'status' | 'merged' | 'takenBack'>;
    const known = told.get(merge.mergeId);
    const act = { at, author, reason };
    if (type === 'BusinessesMerged')
      told.set(merge.mergeId, { position, merge: { ...merge, status: 'holds', merged: act, takenBack: null } });
    else if (known)
      told.set(merge.mergeId, { ...known, merge: { ...known.merge, status: 'taken-back', takenBack: act } });
  }
  return [...told.values()];
}
