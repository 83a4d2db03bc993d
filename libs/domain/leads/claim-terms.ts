import type { Instant } from '../kernel/events.ts';
import { addDays } from '../kernel/instants.ts';
import type { LeadState } from './lead.ts';

/** On what it depends how long an available lead has its person. */
export interface ClaimTerms {
  /** The present type of the lead ages into no other. */
  readonly agesNoFurther: boolean;
  readonly agedAfterDays: number;
  /** The lead and the record that would follow it are of shared types. */
  readonly bothShared: boolean;
  /** How long a sold person of a shared lead is not sold again. Undefined: for ever. */
  readonly sharedPersonDays?: number | undefined;
  /** Its person was suppressed, and is not any more (DLV-12). */
  readonly isLifted?: boolean;
}

/** DLV-11: it was never sold and has aged out, or it is shared and was last sold long ago. */
export function claimHasEnded(
  { assignments, ofTypeSince, hasAged, lastAssignedAt }: LeadState,
  at: Instant,
  { agesNoFurther, agedAfterDays, bothShared, sharedPersonDays }: ClaimTerms,
): boolean {
  if (assignments.length === 0) return agesNoFurther && (hasAged || addDays(ofTypeSince, agedAfterDays) <= at);
  return bothShared && sharedPersonDays !== undefined && addDays(lastAssignedAt, sharedPersonDays) <= at;
}
