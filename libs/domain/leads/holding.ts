import type { Instant } from '../kernel/events.ts';
import { compareText } from '../kernel/text.ts';
import { type ClaimTerms, claimHasEnded } from './claim-terms.ts';
import { type LeadState, type Match, mayBeSold } from './lead.ts';
import type { Claim } from './person-claim.ts';

/**
 * What the claim of a lead on a person means for another record of the person (DLV-11). `missing`: the lead is not stored,
 * or not yet. `led`: another lead has the person of this one. `ends`: it ends when the lead is superseded.
 */
export type Holding =
  | { readonly kind: 'missing' | 'held' | 'ended' | 'ends' }
  | { readonly kind: 'led'; readonly to: string };

/** @param key The hash that was claimed. A claim counts only for a lead that has it. */
export function holdingOf(
  { attempt }: Pick<Claim, 'attempt'>,
  key: string,
  lead: LeadState,
  at: Instant,
  terms: ClaimTerms,
): Holding {
  if (lead.status === 'unknown') return { kind: lead.forfeits > attempt ? 'ended' : 'missing' };
  if (lead.telephoneKey !== key && lead.emailKey !== key) return { kind: 'ended' };
  return ledOrHeld(lead, at, terms);
}

/** Of a lead that another one led to: it may have the person by another key. */
export const holdingOfHolder = (lead: LeadState, at: Instant, terms: ClaimTerms): Holding =>
  lead.status === 'unknown' ? { kind: 'missing' } : ledOrHeld(lead, at, terms);

function ledOrHeld(lead: LeadState, at: Instant, terms: ClaimTerms): Holding {
  if (lead.holder !== undefined) return { kind: 'led', to: lead.holder };
  if (lead.status === 'withdrawn') return { kind: isFreeAgain(lead, at, terms) ? 'ended' : 'held' };
  return { kind: claimHasEnded(lead, at, terms) ? 'ends' : 'held' };
}

/** DLV-12: a suppression that was lifted withdrew it for ever, but what was sold before stays sold. */
const isFreeAgain = (lead: LeadState, at: Instant, terms: ClaimTerms): boolean =>
  lead.withdrawnAs === 'returned' ||
  (lead.withdrawnAs === 'suppressed' && terms.isLifted === true && !isStillSold(lead, at, terms));

/** Whether somebody bought it and has it still, also if it was withdrawn for another lead of the person. */
export const isStillSold = (lead: LeadState, at: Instant, terms: ClaimTerms): boolean =>
  lead.assignments.length > 0 && !lead.wasReturned && !claimHasEnded(lead, at, terms);

interface HolderOfOne {
  readonly leadId: string;
  readonly lead: LeadState;
}

/**
 * Which of several leads keeps a person when a record tells that they are one: what is sold out cannot be taken back, then the one
 * that was sold most often, then the oldest.
 */
export const compareHolders = (a: HolderOfOne, b: HolderOfOne): number =>
  Number(mayBeSold(a.lead)) - Number(mayBeSold(b.lead)) ||
  b.lead.assignments.length - a.lead.assignments.length ||
  compareText(a.lead.ofTypeSince, b.lead.ofTypeSince) ||
  compareText(a.leadId, b.leadId);

/** What a record has in common with those before it, by the kinds of the keys that others hold. */
export function matchOf(held: { readonly telephone: boolean; readonly email: boolean }): Match {
  if (held.telephone && held.email) return 'telephone and email';
  return held.telephone ? 'telephone' : 'email';
}
