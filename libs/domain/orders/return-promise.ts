import type { Instant } from '../kernel/events.ts';
import { addDays } from '../kernel/instants.ts';
import type { PolicyState, PolicyVersion } from '../policy/policy.ts';

/**
 * Until when a delivered lead may be returned (RPL-2). Deliveries of older versions did not say so: they name the policy
 * version by which they were decided.
 */
export type ReturnPromise = { readonly until: Instant } | { readonly policyVersion: number };

export const returnPromiseOf = ({
  returnableUntil,
  decision,
}: {
  readonly returnableUntil?: Instant | undefined;
  readonly decision: { readonly policyVersion: number };
}): ReturnPromise =>
  returnableUntil === undefined ? { policyVersion: decision.policyVersion } : { until: returnableUntil };

/** The present policy says it where the version of the delivery is not known. */
export function endOfReturnWindow(
  deliveredAt: Instant,
  promise: ReturnPromise,
  { versions }: PolicyState,
  present: PolicyVersion,
): Instant {
  if ('until' in promise) return promise.until;
  const decidedBy = versions.find(({ version }) => version === promise.policyVersion) ?? present;
  return addDays(deliveredAt, decidedBy.policy.returnWindowDays);
}
