import { type Decision, refuse } from '../kernel/decider.ts';
import type { Instant } from '../kernel/events.ts';
import { addDays, addHours } from '../kernel/instants.ts';
import type { ProgrammeCommand, ProgrammeEvent, ProgrammeState } from './programme.ts';

/**
 * LOY-10: a store that stood still does not charge its customers for that. Once a renewal is later than the policy
 * allows, the newest date that has come waits for an operator's word, and the older ones are skipped. The same holds for a renewal of an
 * order that can receive nothing, because its time zone is not known.
 */

type Command<Type extends ProgrammeCommand['type']> = Extract<ProgrammeCommand, { type: Type }>;

/** One command skips no more: an append is limited, and a store may have stood still for years. */
const MOST_SKIPPED_AT_ONCE = 200;

/** When a programme's next renewal is to be charged; undefined while nothing is to be charged. */
export const chargeDueAt = ({ status, next, underWay }: ProgrammeState): Instant | undefined =>
  status === 'active' && !underWay && !next.missed ? (next.retryAt ?? next.releasedAt ?? next.dueAt) : undefined;

/** When something is to be decided about the next renewal: for one that waits, that is the date after it. */
export const decisionDueAt = (state: ProgrammeState): Instant | undefined => {
  const { status, next, underWay, cadenceDays } = state;
  return status === 'active' && !underWay && next.missed ? addDays(next.dueAt, cadenceDays) : chargeDueAt(state);
};

/** A renewal that waits stays so, whatever the policy: only a word, or a later date, ends that. */
export const isLate = (state: ProgrammeState, at: Instant, graceHours: number): boolean =>
  state.next.missed || at > addHours(chargeDueAt(state) as Instant, graceHours);

/** What is recorded in place of a charge. The customer is charged nothing. */
export function missLate(
  { at, policyVersion, withoutDays }: Pick<Command<'BeginRenewal'>, 'at' | 'policyVersion' | 'withoutDays'>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const { events, dueAt } = skipOlder(state, at, policyVersion);
  if (isOlder(state, dueAt, at) || (state.next.missed && events.length === 0)) return events;
  const { customerId, next } = state;
  const cause = withoutDays && { cause: 'time-zone-unknown' as const };
  const missed = { at, customerId, renewalNumber: next.number, dueAt, ...cause, policyVersion };
  return [...events, { type: 'RenewalMissed', data: missed }];
}

/**
 * A charge that was begun before the store stood still: it is not known whether money moved, so it stays under way, and
 * its renewal waits.
 */
export function missUnderWay(
  { at, renewalNumber, attempt, graceHours, policyVersion }: Command<'MissRenewal'>,
  { customerId, next, underWay, isUnknown }: ProgrammeState,
): Decision<ProgrammeEvent> {
  if (underWay?.renewalNumber !== renewalNumber || underWay.attempt !== attempt || isUnknown || next.missed) return [];
  if (at <= addHours(next.releasedAt ?? underWay.at, graceHours)) return [];
  return [
    { type: 'RenewalMissed', data: { at, customerId, renewalNumber, dueAt: next.dueAt, attempt, policyVersion } },
  ];
}

/** The word is about the newest date, also if it came a moment before the word. */
export function release(
  { at, withoutDays }: Command<'ReleaseRenewal'>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const { customerId, next, underWay } = state;
  if (!next.missed) return next.releasedAt === undefined ? nothingWaits : [];
  if (withoutDays && !underWay)
    return refuse(
      'time-zone-unknown',
      'the time zone of its order is not known, so nothing could be delivered: correct it first',
      'DLV-5',
    );
  const released = (dueAt: Instant): ProgrammeEvent => ({
    type: 'RenewalReleased',
    data: { at, customerId, renewalNumber: next.number, dueAt },
  });
  if (underWay) return [released(next.dueAt)];
  const { events, dueAt } = skipOlder(state, at);
  return [...events, released(dueAt)];
}

/** Every date that has come is skipped: the programme goes on with the next one. */
export function skip({ at }: Command<'SkipRenewal'>, state: ProgrammeState): Decision<ProgrammeEvent> {
  const { next, underWay } = state;
  if (!next.missed) return nothingWaits;
  if (underWay)
    return refuse(
      'charge-under-way',
      'its charge was begun before the store stood still, and may have been captured: release it, and the provider answers under the same key',
      'LOY-10',
    );
  const { events, dueAt } = skipOlder(state, at);
  return [...events, skipped(state, at, dueAt)];
}

const nothingWaits = refuse('no-renewal-waits', 'no renewal of the programme waits for a word', 'LOY-10');

function skipOlder(
  state: ProgrammeState,
  at: Instant,
  policyVersion?: number,
): { readonly events: readonly ProgrammeEvent[]; readonly dueAt: Instant } {
  const events: ProgrammeEvent[] = [];
  let { dueAt } = state.next;
  for (; isOlder(state, dueAt, at) && events.length < MOST_SKIPPED_AT_ONCE; dueAt = addDays(dueAt, state.cadenceDays))
    events.push(skipped(state, at, dueAt, policyVersion));
  return { events, dueAt };
}

/** The date after it has come too. */
const isOlder = ({ cadenceDays }: ProgrammeState, dueAt: Instant, at: Instant): boolean =>
  addDays(dueAt, cadenceDays) <= at;

/** The number stays for the next date: what was not paid is no step of the ladder (LOY-3). */
const skipped = (
  { customerId, next, cadenceDays }: ProgrammeState,
  at: Instant,
  dueAt: Instant,
  policyVersion?: number,
): ProgrammeEvent => ({
  type: 'RenewalSkipped',
  data: {
    at,
    customerId,
    renewalNumber: next.number,
    dueAt,
    nextDueAt: addDays(dueAt, cadenceDays),
    ...(policyVersion !== undefined && { policyVersion }),
  },
});
