import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';

/** All numbers and lists that a store may choose for itself. Never changed, only published anew (POL-1). */
export const policyStream = 'policy-main';

const reasons = z.array(z.string().min(1).max(100)).min(1).max(50);
const days = z.number().positive().max(3650);

/** RULES: DLV-2, DLV-6, RPL-2 … RPL-5. */
export const policyDocument = z.strictObject({
  maximumCustomersPerSharedLead: z.int().min(1).max(100),
  /** Age at which an unsold real-time lead becomes fresh, and an unsold fresh one aged. */
  freshAfterDays: days,
  agedAfterDays: days,
  returnWindowDays: days,
  verificationDays: days,
  approvedReturnReasons: reasons,
  invalidReturnReasons: reasons,
});
export type PolicyDocument = z.infer<typeof policyDocument>;

export const defaultPolicy: PolicyDocument = {
  maximumCustomersPerSharedLead: 3,
  freshAfterDays: 1,
  agedAfterDays: 30,
  returnWindowDays: 5,
  verificationDays: 7,
  approvedReturnReasons: [
    'telephone disconnected',
    'wrong number',
    'outside the US and Canada',
    "submitted by a third party against the person's will",
  ],
  invalidReturnReasons: [
    'not interested',
    'cannot be reached',
    'no voice mail possible',
    'bad e-mail address',
    'contacted before by someone of the same company',
    'already in network marketing',
    'delivered more than 5 days ago',
  ],
};

export const policyEvents = {
  PolicyPublished: fact({
    version: z.int().positive(),
    author: z.string().min(1),
    effectiveFrom: instant,
    policy: policyDocument,
  }),
};
export type PolicyEvent = EventsOf<typeof policyEvents>;

export type PolicyCommand = {
  type: 'PublishPolicy';
  at: Instant;
  author: string;
  effectiveFrom: Instant;
  policy: PolicyDocument;
};

export interface PolicyVersion {
  readonly version: number;
  readonly effectiveFrom: Instant;
  readonly policy: PolicyDocument;
}

export interface PolicyState {
  readonly versions: PolicyVersion[];
}

export const policy: Decider<PolicyState, PolicyCommand, PolicyEvent> = {
  initialState: () => ({ versions: [] }),

  decide(command, state): Decision<PolicyEvent> {
    const { at, author, effectiveFrom, policy } = command;
    if (effectiveFrom < at) return refuse('policy-in-the-past', 'a policy holds from now on or later', 'POL-1');
    const nonsense = contradictionIn(policy);
    if (nonsense) return refuse('policy-contradicts-itself', nonsense, 'POL-1');
    const version = state.versions.length + 1;
    return [{ type: 'PolicyPublished', data: { at, version, author, effectiveFrom, policy } }];
  },

  evolve(state, event) {
    const { version, effectiveFrom, policy } = event.data;
    state.versions.push({ version, effectiveFrom, policy });
    return state;
  },
};

/** The policy in force at an instant: of those that hold already, the one published last. */
export const policyAt = (state: PolicyState, at: Instant): PolicyVersion | undefined =>
  state.versions.findLast((version) => version.effectiveFrom <= at);

function contradictionIn(policy: PolicyDocument): string | undefined {
  if (policy.agedAfterDays <= policy.freshAfterDays) return 'agedAfterDays must be more than freshAfterDays';
  const both = policy.approvedReturnReasons.find((reason) => policy.invalidReturnReasons.includes(reason));
  if (both) return `approvedReturnReasons and invalidReturnReasons both name "${both}"`;
  return undefined;
}
