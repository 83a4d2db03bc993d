import type { Instant } from '#domain/kernel/events';
import { type PolicyDocument, policyStream } from '#domain/policy/policy';
import type { RequestContext, RequestTools } from './request-tools.ts';

export interface PublishPolicyRequest {
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
