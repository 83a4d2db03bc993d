import { type Refusal, refuse } from '../kernel/decider.ts';
import type { Instant } from '../kernel/events.ts';
import { addSeconds } from '../kernel/instants.ts';
import { captureToleranceMinutesOf, type PolicyDocument } from '../policy/policy.ts';

/**
 * DLV-6: the age of a lead counts from its capture. One that is captured in the future would never age, and a local time that was sent
 * as UTC makes it older or younger than it is.
 */
export function refuseCapture(
  capturedAt: Instant | undefined,
  at: Instant,
  policy: Pick<PolicyDocument, 'captureToleranceMinutes'>,
): Refusal | undefined {
  if (capturedAt === undefined || capturedAt <= addSeconds(at, captureToleranceMinutesOf(policy) * 60))
    return undefined;
  return refuse('captured-in-future', `capturedAt: ${capturedAt} is in the future`, 'DLV-6');
}
