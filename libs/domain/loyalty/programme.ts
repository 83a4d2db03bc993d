import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { cents, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { addDays, addSeconds } from '../kernel/instants.ts';

/**
 * An order's part in Loyalty Rewards: when it is due to re-open, and what became of each renewal. What a renewal gives
 * is for the order's own stream to say, where pauses are counted.
 */
export const programmeStream = (orderId: string) => `programme-${orderId}` as const;

const renewalNumber = z.int().positive();
const attempt = z.int().positive();
const policyVersion = z.int().positive();

export const programmeEvents = {
  ProgrammeJoined: fact({
    customerId: z.string(),
    storeId: z.string(),
    leadTypeId: z.string(),
    cadence: z.string(),
    cadenceDays: z.number().positive(),
    /** Of the first renewal: one cadence after the first order was placed (LOY-1). */
    dueAt: instant,
  }),
  RenewalAnnounced: fact({ customerId: z.string(), renewalNumber, dueAt: instant, policyVersion }),
  /** The charge is about to be made: whatever happens from here on, its outcome is recorded. */
  RenewalBegun: fact({
    renewalNumber,
    dueAt: instant,
    /** Of all tries to charge this renewal. */
    attempt,
    charge: z.object({ token: z.string(), amountCents: cents, currency: z.string(), statementDescriptor: z.string() }),
    /** When a decline is to be tried again; absent: the programme is held then (LOY-8). */
    retryAfterHours: z.number().positive().optional(),
    policyVersion,
  }),
  RenewalPaid: fact({
    renewalNumber,
    attempt,
    reference: z.string(),
    amountCents: cents,
    currency: z.string(),
    /** When the next renewal is due: one cadence after this one was (LOY-1). */
    nextDueAt: instant,
  }),
  RenewalDeclined: fact({
    customerId: z.string(),
    renewalNumber,
    attempt,
    reason: z.string(),
    /** Absent when it is not tried again by itself. */
    retryAt: instant.optional(),
    policyVersion,
  }),
  /** The renewal named is the one that does not come until the programme is active again. */
  ProgrammeHeld: fact({ customerId: z.string(), renewalNumber, cause: z.enum(['customer', 'declined-payment']) }),
  /** When the next renewal is due now: on its date, or at once when that has passed (LOY-5). */
  ProgrammeActivated: fact({ renewalNumber, dueAt: instant }),
  ProgrammeCancelled: fact({ renewalNumber, cause: z.enum(['customer', 'order-cancelled', 'payment-failed']) }),
};
export type ProgrammeEvent = EventsOf<typeof programmeEvents>;
type DataOf<Type extends ProgrammeEvent['type']> = Extract<ProgrammeEvent, { type: Type }>['data'];
export type RenewalCharge = DataOf<'RenewalBegun'>['charge'];

export type ProgrammeCommand =
  | {
      type: 'JoinProgramme';
      at: Instant;
      customerId: string;
      storeId: string;
      leadTypeId: string;
      cadence: string;
      cadenceDays: number;
      /** The instant of the first order. */
      countedFrom: Instant;
    }
  | { type: 'AnnounceRenewal'; at: Instant; renewalNumber: number; policyVersion: number }
  | {
      type: 'BeginRenewal';
      at: Instant;
      renewalNumber: number;
      charge: RenewalCharge;
      /** The policy's: after each decline in a row. */
      retryHours: readonly number[];
      policyVersion: number;
    }
  | {
      type: 'RecordRenewalPaid';
      at: Instant;
      renewalNumber: number;
      attempt: number;
      reference: string;
      amountCents: number;
      currency: string;
    }
  | { type: 'RecordRenewalDeclined'; at: Instant; renewalNumber: number; attempt: number; reason: string }
  | { type: 'HoldProgramme'; at: Instant }
  | { type: 'ActivateProgramme'; at: Instant }
  | { type: 'CancelProgramme'; at: Instant; cause: DataOf<'ProgrammeCancelled'>['cause'] };

export const programmeStatuses = ['active', 'held', 'cancelled'] as const;
export type ProgrammeStatus = 'unknown' | (typeof programmeStatuses)[number];

export interface ProgrammeState {
  status: ProgrammeStatus;
  customerId: string;
  cadenceDays: number;
  /** The renewal that comes next, or whose charge is under way. */
  next: {
    readonly number: number;
    dueAt: Instant;
    announced: boolean;
    /** When a declined charge is tried again. */
    retryAt: Instant | undefined;
    /** To charge it, ever; and since the programme was activated last. */
    attempts: number;
    attemptsInARow: number;
  };
  /** The charge that was begun and has no outcome yet. */
  underWay: DataOf<'RenewalBegun'> | undefined;
}

export const programme: Decider<ProgrammeState, ProgrammeCommand, ProgrammeEvent> = {
  initialState: () => ({
    status: 'unknown',
    customerId: '',
    cadenceDays: 0,
    next: renewal(0, ''),
    underWay: undefined,
  }),

  decide(command, state): Decision<ProgrammeEvent> {
    const { at } = command;
    if (command.type === 'JoinProgramme') {
      const { type: _, countedFrom, ...terms } = command;
      if (state.status !== 'unknown') return [];
      return [{ type: 'ProgrammeJoined', data: { ...terms, dueAt: addDays(countedFrom, terms.cadenceDays) } }];
    }
    const { status, customerId, next } = state;
    if (status === 'unknown')
      return refuse('programme-unknown', 'the order does not take part in Loyalty Rewards', 'LOY-1');

    switch (command.type) {
      case 'AnnounceRenewal': {
        const { renewalNumber, policyVersion } = command;
        if (status !== 'active' || next.announced || renewalNumber !== next.number || next.dueAt <= at) return [];
        return [
          { type: 'RenewalAnnounced', data: { at, customerId, renewalNumber, dueAt: next.dueAt, policyVersion } },
        ];
      }
      case 'BeginRenewal':
        return begin(command, state);
      case 'RecordRenewalPaid': {
        const { type: _, ...paid } = command;
        const begun = beginningOf(state, command);
        if (!begun) return [];
        return [{ type: 'RenewalPaid', data: { ...paid, nextDueAt: addDays(begun.dueAt, state.cadenceDays) } }];
      }
      case 'RecordRenewalDeclined':
        return decline(command, state);
      case 'HoldProgramme':
        if (status === 'held') return [];
        return status === 'active'
          ? [{ type: 'ProgrammeHeld', data: { at, customerId, renewalNumber: next.number, cause: 'customer' } }]
          : refuseCancelled('held');
      case 'ActivateProgramme': {
        if (status === 'active') return [];
        if (status === 'cancelled') return refuseCancelled('activated');
        // A charge that is under way keeps its date: only what is not yet begun can come late.
        const dueAt = state.underWay || next.dueAt > at ? next.dueAt : at;
        return [{ type: 'ProgrammeActivated', data: { at, renewalNumber: next.number, dueAt } }];
      }
      case 'CancelProgramme':
        if (status === 'cancelled') return [];
        return [{ type: 'ProgrammeCancelled', data: { at, renewalNumber: next.number, cause: command.cause } }];
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'ProgrammeJoined': {
        const { customerId, cadenceDays, dueAt } = event.data;
        return { status: 'active', customerId, cadenceDays, next: renewal(1, dueAt), underWay: undefined };
      }
      case 'RenewalAnnounced':
        state.next.announced = true;
        break;
      case 'RenewalBegun':
        state.underWay = event.data;
        state.next.attempts = event.data.attempt;
        state.next.attemptsInARow += 1;
        state.next.retryAt = undefined;
        break;
      case 'RenewalPaid':
        state.underWay = undefined;
        state.next = renewal(event.data.renewalNumber + 1, event.data.nextDueAt);
        break;
      case 'RenewalDeclined':
        state.underWay = undefined;
        state.next.retryAt = event.data.retryAt;
        break;
      case 'ProgrammeHeld':
        state.status = 'held';
        state.next.retryAt = undefined;
        break;
      case 'ProgrammeActivated':
        state.status = 'active';
        state.next.dueAt = event.data.dueAt;
        state.next.attemptsInARow = 0;
        break;
      case 'ProgrammeCancelled':
        state.status = 'cancelled';
        state.next.retryAt = undefined;
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

/** When a programme's next renewal is to be charged; undefined while nothing is to be charged. */
export const chargeDueAt = ({ status, next, underWay }: ProgrammeState): Instant | undefined =>
  status === 'active' && !underWay ? (next.retryAt ?? next.dueAt) : undefined;

const renewal = (number: number, dueAt: Instant): ProgrammeState['next'] => ({
  number,
  dueAt,
  announced: false,
  retryAt: undefined,
  attempts: 0,
  attemptsInARow: 0,
});

/** A held or cancelled programme charges nothing, and no renewal is charged before its date or out of turn. */
function begin(
  { at, renewalNumber, charge, retryHours, policyVersion }: Extract<ProgrammeCommand, { type: 'BeginRenewal' }>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const { next } = state;
  const dueAt = chargeDueAt(state);
  if (dueAt === undefined || dueAt > at || renewalNumber !== next.number) return [];
  const retryAfterHours = retryHours[next.attemptsInARow];
  const begun = { at, renewalNumber, dueAt: next.dueAt, attempt: next.attempts + 1, charge, policyVersion };
  return [{ type: 'RenewalBegun', data: { ...begun, ...(retryAfterHours !== undefined && { retryAfterHours }) } }];
}

/** LOY-8. Whoever held or cancelled the programme meanwhile is told that the charge failed, and it is not repeated. */
function decline(
  command: Extract<ProgrammeCommand, { type: 'RecordRenewalDeclined' }>,
  state: ProgrammeState,
): Decision<ProgrammeEvent> {
  const begun = beginningOf(state, command);
  if (!begun) return [];
  const { at, renewalNumber, attempt, reason } = command;
  const { customerId, status } = state;
  const { retryAfterHours, policyVersion } = begun;
  const declined = { at, customerId, renewalNumber, attempt, reason, policyVersion };
  if (status !== 'active') return [{ type: 'RenewalDeclined', data: declined }];
  if (retryAfterHours !== undefined)
    return [{ type: 'RenewalDeclined', data: { ...declined, retryAt: addSeconds(at, retryAfterHours * 3600) } }];
  return [
    { type: 'RenewalDeclined', data: declined },
    { type: 'ProgrammeHeld', data: { at, customerId, renewalNumber, cause: 'declined-payment' } },
  ];
}

/** An outcome that was recorded before, or of another try, says nothing new. */
const beginningOf = (
  { underWay }: ProgrammeState,
  { renewalNumber, attempt }: { renewalNumber: number; attempt: number },
): ProgrammeState['underWay'] =>
  underWay?.renewalNumber === renewalNumber && underWay.attempt === attempt ? underWay : undefined;

const refuseCancelled = (what: string) =>
  refuse('programme-cancelled', `the programme is cancelled: it cannot be ${what}`, 'LOY-6');
