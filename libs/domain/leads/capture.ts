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
  if (capturedAt === undefined || !isInFuture(capturedAt, at, policy)) return undefined;
  return refuse('captured-in-future', `capturedAt: ${capturedAt} is in the future`, 'DLV-6');
}

type Tolerance = Pick<PolicyDocument, 'captureToleranceMinutes'>;

const isInFuture = (given: Instant, at: Instant, policy: Tolerance): boolean =>
  given > addSeconds(at, captureToleranceMinutesOf(policy) * 60);

/** Before that nobody agreed on a web page. Programs write such instants when they do not know one: 1970, 1900. */
const FIRST_CONSENT = '1990-01-01T00:00:00.000Z';

/** DLV-12: evidence of an agreement that was not given yet, or long before there were forms, is none. */
export function refuseConsent(consentedAt: Instant | undefined, at: Instant, policy: Tolerance): Refusal | undefined {
  if (consentedAt === undefined) return undefined;
  if (isInFuture(consentedAt, at, policy))
    return refuse('consent-at-wrong', `consent.at: ${consentedAt} is in the future`, 'DLV-12');
  if (consentedAt >= FIRST_CONSENT) return undefined;
  return refuse('consent-at-wrong', `consent.at: ${consentedAt} is before 1990`, 'DLV-12');
}
