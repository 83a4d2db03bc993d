import { type Decision, isRefusal } from '../kernel/decider.ts';
import { addDays, addHours } from '../kernel/instants.ts';
import { judgeFinding, paymentKnown } from '../orders/unknown-payments.ts';
import { decisionDueAt, isLate, missLate } from './late-renewals.ts';
import type { ProgrammeCommand, ProgrammeEvent, ProgrammeState } from './programme.ts';

/** The charge of a renewal: its beginning, and its result. */

type Command<Type extends ProgrammeCommand['type']> = Extract<ProgrammeCommand, { type: Type }>;

/**
 * Charges nothing while the programme is held or cancelled, before the renewal's date, too late, out of order, or for an order that can
 * receive nothing.
 */
export function begin(command: Command<'BeginRenewal'>, state: ProgrammeState): Decision<ProgrammeEvent> {
  const { at, renewalNumber, charge, retryHours, graceHours, policyVersion } = command;
  const { next } = state;
  const dueAt = decisionDueAt(state);
  if (dueAt === undefined || dueAt > at || renewalNumber !== next.number) return [];
  if (command.withoutDays || isLate(state, at, graceHours)) return missLate(command, state);
  const retryAfterHours = retryHours[next.attemptsInARow];
  const begun = { at, renewalNumber, dueAt: next.dueAt, attempt: next.attempts + 1, charge, policyVersion };
  return [{ type: 'RenewalBegun', data: { ...begun, ...(retryAfterHours !== undefined && { retryAfterHours }) } }];
}

export function recordPaid(command: Command<'RecordRenewalPaid'>, state: ProgrammeState): Decision<ProgrammeEvent> {
  const begun = beginningOf(state, command);
  if (!begun) return [];
  const { type: _, ...paid } = command;
  const nextDueAt = addDays(begun.dueAt, state.cadenceDays);
  return [{ type: 'RenewalPaid', data: { ...paid, nextDueAt, ...(state.unknownCharge && { owedBack: true }) } }];
}

/** LOY-8: the customer has as long as until the next attempt. After the last one there is none: then nobody is asked. */
export function requestConfirmation(
  { type: _, at, ...asked }: Command<'RequestConfirmation'>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const begun = beginningOf(state, asked);
  if (begun?.retryAfterHours === undefined || state.confirmableUntil !== undefined) return [];
  const { customerId } = state;
  const { retryAfterHours, policyVersion } = begun;
  const until = addHours(at, retryAfterHours);
  return [{ type: 'RenewalConfirmationRequested', data: { at, customerId, ...asked, until, policyVersion } }];
}

/** LOY-8. If the programme was held or cancelled meanwhile, the failure is recorded and the charge is not repeated. */
export function recordDeclined(
  command: Command<'RecordRenewalDeclined'>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const begun = beginningOf(state, command);
  if (!begun) return [];
  const { at, renewalNumber, attempt, reason } = command;
  const { customerId, status } = state;
  const { retryAfterHours, policyVersion } = begun;
  const declined = { at, customerId, renewalNumber, attempt, reason, policyVersion };
  if (status !== 'active') return [{ type: 'RenewalDeclined', data: declined }];
  if (retryAfterHours !== undefined) {
    // The time until the next attempt was the time to confirm this one.
    const retryAt = state.confirmableUntil === undefined ? addHours(at, retryAfterHours) : at;
    return [{ type: 'RenewalDeclined', data: { ...declined, retryAt } }];
  }
  return [
    { type: 'RenewalDeclined', data: declined },
    { type: 'ProgrammeHeld', data: { at, customerId, renewalNumber, cause: 'declined-payment' } },
  ];
}

export function recordUnknown(
  command: Command<'RecordRenewalUnknown'>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  if (state.unknownCharge || !beginningOf(state, command)) return [];
  const { type: _, ...data } = command;
  return [{ type: 'RenewalUnknown', data }];
}

/** What was captured is owed back (CHK-6). */
export function resolveRenewal(
  { at, ...finding }: Command<'ResolveRenewal'>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const { unknownCharge, isUnknown } = state;
  const charge = unknownCharge && { isUnknown, capturedAs: unknownCharge.capturedAs };
  const found = judgeFinding(finding, charge, 'LOY-8');
  if (typeof found === 'object' && isRefusal(found)) return found;
  if (!found || !unknownCharge) return [];
  const { renewalNumber, attempt, chargeKey, amountCents, currency } = unknownCharge;
  if (found === 'not-captured')
    return [{ type: 'RenewalNotCaptured', data: { at, renewalNumber, attempt, chargeKey } }];
  const payment = { reference: found.capturedAs, amountCents, currency };
  const paid = recordPaid({ type: 'RecordRenewalPaid', at, renewalNumber, attempt, ...payment }, state);
  return isRefusal(paid) || paid.length > 0 ? paid : paymentKnown('LOY-8');
}

/** Undefined for a result that was recorded before, or that belongs to another attempt. */
const beginningOf = (
  { underWay }: ProgrammeState,
  { renewalNumber, attempt }: { renewalNumber: number; attempt: number },
): ProgrammeState['underWay'] =>
  underWay?.renewalNumber === renewalNumber && underWay.attempt === attempt ? underWay : undefined;
