import { businessMergesStream } from '#domain/accounts/business-merges';
import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import { deriveId } from '#domain/kernel/ids';
import { type QueryTools, sameForAll } from './query-tools.ts';
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

export const businessMergeQueries = ({ stateOf }: QueryTools) => ({
  /** The merges that hold, the oldest first. */
  list: sameForAll(async (_: object) => [...(await stateOf<'businesses'>(businessMergesStream)).values()]),
});
