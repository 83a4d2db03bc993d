import { type Decision, refuse } from '../kernel/decider.ts';
import type { Instant, Sealed } from '../kernel/events.ts';
import type { ReplacementEvent, ReplacementState } from './replacement.ts';
import { reasonOf } from './request.ts';

/*
 * What staff may change about a verdict. A denial is corrected at any time. A grant is taken back in two steps, because
 * its replacement may be delivered at the same moment: the request is recorded here, then the order forgives the debt
 * or has delivered it (its stream decides), and then the outcome is recorded here.
 */

export const alreadyEnded = refuse('person-erased', 'the return ended when its customer was erased');

export const alreadyDecided = refuse(
  'already-decided',
  'the return was granted or denied already: to change that, correct the verdict',
  'RPL-8',
);

export const correctionUnderWay = refuse(
  'correction-under-way',
  'the grant is being taken back already, with another explanation',
  'RPL-10',
);

const notDecided = refuse('return-not-decided', 'the return has no verdict yet: grant or deny it', 'RPL-10');

const replacementDelivered = refuse(
  'replacement-delivered',
  'the replacement was delivered: the grant cannot be taken back any more',
  'RPL-10',
);

const beyondRules = refuse(
  'return-beyond-rules',
  'the request came too late or its reason is not valid: the rules denied it, and only goodwill can replace the lead',
  'RPL-11',
);

export function correctToGranted(at: Instant, state: ReplacementState): Decision<ReplacementEvent> {
  const { status, correction, orderId, leadId, customerId, requests } = state;
  if (status === 'ended') return alreadyEnded;
  if (status === 'requested') return notDecided;
  if (correction) return correctionUnderWay;
  // Its reason would be lost.
  if (status !== 'denied') return alreadyDecided;
  const request = requests.findLast(({ beyondRules }) => beyondRules === undefined);
  if (!request) return beyondRules;
  const about = { at, orderId, leadId, customerId };
  return [{ type: 'VerdictCorrected', data: { ...about, verdict: 'granted', ...reasonOf(request) } }];
}

export function correctToDenied(at: Instant, explanation: Sealed, state: ReplacementState): Decision<ReplacementEvent> {
  const { status, correction, orderId, leadId } = state;
  if (status === 'ended') return alreadyEnded;
  if (status === 'requested') return notDecided;
  if (status === 'replaced') return replacementDelivered;
  // Its explanation would be lost.
  if (status === 'denied') return alreadyDecided;
  if (correction) return correctionUnderWay;
  return [{ type: 'CorrectionRequested', data: { at, orderId, leadId, explanation } }];
}

export function completeCorrection(at: Instant, state: ReplacementState): Decision<ReplacementEvent> {
  const { correction: explanation, orderId, leadId, customerId, requests } = state;
  if (!explanation) return [];
  const about = { at, orderId, leadId, customerId };
  return [
    { type: 'VerdictCorrected', data: { ...about, verdict: 'denied', ...reasonOf(requests.at(-1)), explanation } },
  ];
}

/** RPL-11. A return that was granted needs no goodwill. */
export function grantGoodwill(at: Instant, state: ReplacementState): Decision<ReplacementEvent> {
  const { status, correction, orderId, leadId, customerId, requests } = state;
  if (status === 'ended') return alreadyEnded;
  if (correction) return correctionUnderWay;
  if (status === 'granted' || status === 'replaced') return alreadyDecided;
  const about = { at, orderId, leadId, customerId };
  return [{ type: 'GoodwillGranted', data: { ...about, ...reasonOf(requests.at(-1)) } }];
}
