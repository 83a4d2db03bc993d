import type { Instant } from '#domain/kernel/events';
import { type PolicyDocument, policyAt, policyStream } from '#domain/policy/policy';
import { type QueryTools, sameForAll } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';

interface PublishPolicyRequest {
  readonly policy: PolicyDocument;
  readonly effectiveFrom?: Instant;
}

/** The versions of the policy (POL). */
export const policyRequests = (tools: RequestTools) => ({
  publish(request: PublishPolicyRequest, context: RequestContext) {
    const at = tools.now();
    const { actor } = context.caller;
    const command = { type: 'PublishPolicy', at, author: actor, effectiveFrom: at, ...request } as const;
    return tools.send('main', policyStream, command, context);
  },
});

export const policyQueries = ({ stateOf, now }: QueryTools) => ({
  /** The policy in force now. */
  get: sameForAll(async () => policyAt(await stateOf<'policy'>(policyStream), now())),
  /** Every policy that was ever published, oldest first. */
  listVersions: sameForAll(async () => (await stateOf<'policy'>(policyStream)).versions),
});
