import { refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { type PolicyContent, policyAt, policyStream } from '#domain/policy/policy';
import { type DecisionsRequest, decisionsOf } from './policy-decisions.ts';
import { policyHistory } from './policy-history.ts';
import { type QueryDependencies, type QueryTools, sameForAll } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

type PublishPolicyRequest = PolicyContent & { readonly effectiveFrom?: Instant };

/** The versions of the policy (POL). */
export const policyRequests = (tools: RequestTools) => ({
  publish(request: PublishPolicyRequest, context: RequestContext) {
    const at = tools.now();
    const { actor } = context.caller;
    const command = { type: 'PublishPolicy', at, author: actor, effectiveFrom: at, ...request } as const;
    if (context.ifRevision !== undefined) return tools.send('main', policyStream, command, context);
    const noRight = checkRightEarly(policyStream, command, { versions: [] }, context);
    return tools.send('main', policyStream, noRight ?? policyNotSeen, context);
  },
});

/** POL-2: otherwise two who publish at once would undo each other. */
const policyNotSeen = refuse('policy-not-seen', 'name the versions that you saw: send their ETag in If-Match', 'POL-2');

export const policyQueries = (tools: QueryTools & Pick<QueryDependencies, 'events'>) => ({
  /** The policy in force now, with the revision that a publication names. */
  get: sameForAll(async () => {
    const { state, revision } = await tools.streams.read<'policy'>(policyStream);
    const inForce = policyAt(state, tools.now());
    if (!inForce) return undefined;
    const { version, author, effectiveFrom, policy } = inForce;
    return { version, author, effectiveFrom, policy, revision };
  }),
  /** Every version that was ever published, oldest first: by whom, why, and what it changed (POL-2). */
  listVersions: (context: RequestContext) => policyHistory(tools, context),
  /** What was decided by a version (POL-2). */
  listDecisions: sameForAll((request: DecisionsRequest) => decisionsOf(tools, request)),
});
