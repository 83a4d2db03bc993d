import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { codedReason, type DeclineReason, declineReasons } from '../kernel/declines.ts';
import { cents, type EventsOf, fact, type Instant, instant, type Secret, unsealed } from '../kernel/events.ts';
import { currency, id, secretFor, storeText } from '../kernel/fields.ts';
import { addDays } from '../kernel/instants.ts';
import { ownerOrSupportWithoutReason, processOnly, type RightsOf, support } from '../kernel/rights.ts';
import type { Finding } from '../orders/unknown-payments.ts';
import { customerErased } from '../persons/erasures.ts';
import { missUnderWay, release, skip } from './late-renewals.ts';
import {
  begin,
  recordDeclined,
  recordPaid,
  recordUnknown,
  requestConfirmation,
  resolveRenewal,
} from './renewal-charges.ts';

/**
 * An order's programme in Loyalty Rewards: when it renews, and the result of each renewal. The order's own stream
 * decides what a renewal gives, because it counts the pauses.
 */
export const programmeStream = (orderId: string) => `programme-${orderId}` as const;

/** Who or what held a programme (LOY-5, LOY-8). */
export const holdCauses = ['customer', 'declined-payment'] as const;
/** Why a renewal waits for an operator, other than that the store stood still. */
export const missCauses = ['time-zone-unknown'] as const;
/** Who or what ended a programme. */
export const cancellationCauses = ['customer', 'order-cancelled', 'payment-failed', customerErased] as const;

const renewalNumber = z.int().positive();
const attempt = z.int().positive();
const policyVersion = z.int().positive();

export const programmeEvents = {
  ProgrammeJoined: fact({
    customerId: id,
    storeId: id,
    leadTypeId: id,
    cadence: storeText,
    cadenceDays: z.number().positive(),
    /** When the first renewal is due: one cadence after the first order was placed (LOY-1). */
    dueAt: instant,
  }),
  RenewalAnnounced: fact({ customerId: id, renewalNumber, dueAt: instant, policyVersion }),
  /** Recorded before the charge is made, so that its result is always recorded too. */
  RenewalBegun: fact({
    renewalNumber,
    dueAt: instant,
    /** Counts all attempts to charge this renewal. */
    attempt,
    charge: z.object({
      token: secretFor('customer', 'payment-token'),
      amountCents: cents,
      currency,
      statementDescriptor: storeText,
      /** Where the provider keeps the card. Absent: it does not yet. */
      providerCustomerId: id.optional(),
    }),
    /** After how long a declined charge is tried again; absent: a decline holds the programme (LOY-8). */
    retryAfterHours: z.number().positive().optional(),
    policyVersion,
  }),
  RenewalPaid: fact({
    renewalNumber,
    attempt,
    reference: id,
    amountCents: cents,
    currency,
    /** When the next renewal is due: one cadence after this one was (LOY-1). */
    nextDueAt: instant,
    providerCustomerId: id.optional(),
    /** Its customer was erased before the result was known: the order is not re-opened, and the money is given back (CHK-6). */
    owedBack: z.literal(true).optional(),
  }),
  /** The bank wants the customer to confirm the charge. It has a result when it is confirmed, or at `until`. */
  RenewalConfirmationRequested: fact({
    customerId: id,
    renewalNumber,
    attempt,
    /** The charge at the provider. */
    reference: id,
    /** The page of the bank. Who has the link can confirm the charge. */
    link: secretFor('customer', 'link-token'),
    until: instant,
    policyVersion,
  }),
  RenewalDeclined: fact({
    customerId: id,
    renewalNumber,
    attempt,
    reason: z.enum(declineReasons),
    /** Absent when there is no further attempt. */
    retryAt: instant.optional(),
    policyVersion,
  }),
  /** The customer was erased before the provider answered: money may have moved. */
  RenewalUnknown: fact({ renewalNumber, attempt, chargeKey: id, amountCents: cents, currency }),
  /** The staff found at the provider that the unknown charge was not captured. */
  RenewalNotCaptured: fact({ renewalNumber, attempt, chargeKey: id }),
  /**
   * The store stood still: the renewal is not charged by itself any more, and waits for an operator's word (LOY-10).
   * `attempt`: the charge that was begun before, and may have been captured. `cause`: absent where the store stood still; else nothing
   * could be delivered.
   */
  RenewalMissed: fact({
    customerId: id,
    renewalNumber,
    dueAt: instant,
    attempt: attempt.optional(),
    cause: z.enum(missCauses).optional(),
    policyVersion,
  }),
  /** An operator's word: it is charged now. */
  RenewalReleased: fact({ customerId: id, renewalNumber, dueAt: instant }),
  /** Never charged. The same number comes on the next date. `policyVersion`: absent where an operator skipped it. */
  RenewalSkipped: fact({
    customerId: id,
    renewalNumber,
    dueAt: instant,
    nextDueAt: instant,
    policyVersion: policyVersion.optional(),
  }),
  /** `renewalNumber`: the renewal that waits until the programme is active again. */
  ProgrammeHeld: fact({ customerId: id, renewalNumber, cause: z.enum(holdCauses) }),
  /** `dueAt`: the date of the next renewal, or this instant if that date has passed (LOY-5). */
  ProgrammeActivated: fact({ renewalNumber, dueAt: instant }),
  ProgrammeCancelled: fact({ renewalNumber, cause: z.enum(cancellationCauses) }),
};
export type ProgrammeEvent = EventsOf<typeof programmeEvents>;
type DataOf<Type extends ProgrammeEvent['type']> = Extract<ProgrammeEvent, { type: Type }>['data'];
export type RenewalCharge = DataOf<'RenewalBegun'>['charge'];

/** Version 1 stored the token as it is, and the provider's reason. */
export const programmeUpcasters = {
  RenewalBegun: [
    (data: Record<string, unknown>) => {
      const { token, ...charge } = data.charge as Record<string, unknown>;
      return { ...data, charge: { ...charge, token: { ...unsealed(token, 'payment-token'), secret: true } } };
    },
  ],
  RenewalDeclined: [codedReason],
};

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
      /** By the policy: the delay after the first, second, … decline in a row. */
      retryHours: readonly number[];
      /** By the policy: a renewal that is later is not charged by itself (LOY-10). */
      graceHours: number;
      policyVersion: number;
      /** The order has a time zone that is not known (DLV-5): nothing could be delivered for the charge. */
      withoutDays?: true;
    }
  /** Its charge was begun, and the store stood still before there was a result. */
  | {
      type: 'MissRenewal';
      at: Instant;
      renewalNumber: number;
      attempt: number;
      graceHours: number;
      policyVersion: number;
    }
  | { type: 'ReleaseRenewal'; at: Instant; withoutDays?: true }
  | { type: 'SkipRenewal'; at: Instant }
  | {
      type: 'RecordRenewalPaid';
      at: Instant;
      renewalNumber: number;
      attempt: number;
      reference: string;
      amountCents: number;
      currency: string;
      providerCustomerId?: string;
    }
  | {
      type: 'RequestConfirmation';
      at: Instant;
      renewalNumber: number;
      attempt: number;
      reference: string;
      link: Secret;
    }
  | { type: 'RecordRenewalDeclined'; at: Instant; renewalNumber: number; attempt: number; reason: DeclineReason }
  | {
      type: 'RecordRenewalUnknown';
      at: Instant;
      renewalNumber: number;
      attempt: number;
      chargeKey: string;
      amountCents: number;
      currency: string;
    }
  /** What the staff found at the provider about an unknown renewal. */
  | ({ type: 'ResolveRenewal'; at: Instant } & Finding)
  | { type: 'HoldProgramme'; at: Instant }
  | { type: 'ActivateProgramme'; at: Instant }
  | { type: 'CancelProgramme'; at: Instant; cause: DataOf<'ProgrammeCancelled'>['cause'] };

export const customerOfProgramme = ({ status, customerId }: ProgrammeState): string | undefined =>
  status === 'unknown' ? undefined : customerId;
const owner = ownerOrSupportWithoutReason<unknown, ProgrammeState>(({ state }) => customerOfProgramme(state), 'BCK-2');

/** Who may ask for which command. */
export const programmeRights = {
  JoinProgramme: processOnly,
  AnnounceRenewal: processOnly,
  BeginRenewal: processOnly,
  MissRenewal: processOnly,
  ReleaseRenewal: support('LOY-10'),
  SkipRenewal: support('LOY-10'),
  RecordRenewalPaid: processOnly,
  RequestConfirmation: processOnly,
  RecordRenewalDeclined: processOnly,
  RecordRenewalUnknown: processOnly,
  ResolveRenewal: support('LOY-8'),
  HoldProgramme: owner,
  ActivateProgramme: owner,
  CancelProgramme: owner,
} satisfies RightsOf<ProgrammeCommand, ProgrammeState>;

export const programmeStatuses = ['active', 'held', 'cancelled'] as const;
type ProgrammeStatus = (typeof programmeStatuses)[number];

export interface ProgrammeState {
  status: ProgrammeStatus | 'unknown';
  customerId: string;
  storeId: string;
  cadenceDays: number;
  /** The renewal that comes next, or whose charge is under way. */
  next: {
    readonly number: number;
    dueAt: Instant;
    announced: boolean;
    /** When a declined charge is tried again. */
    retryAt: Instant | undefined;
    /** It came too late and waits for an operator's word (LOY-10); and when it was given. */
    missed: boolean;
    releasedAt: Instant | undefined;
    /** Attempts to charge it: all, and those since the programme was last activated. */
    attempts: number;
    attemptsInARow: number;
  };
  /** The charge that was begun and has no result yet. */
  underWay: DataOf<'RenewalBegun'> | undefined;
  /** Until when the customer may confirm it; undefined: the bank does not want that. */
  confirmableUntil: Instant | undefined;
  /** Nobody knows whether that charge was captured. No other is begun. */
  isUnknown: boolean;
  /** The charge that is or was unknown, and its payment, as the provider names it, once it is recorded as captured. */
  unknownCharge: (DataOf<'RenewalUnknown'> & { readonly capturedAs?: string }) | undefined;
}

export const programme: Decider<ProgrammeState, ProgrammeCommand, ProgrammeEvent> = {
  initialState: () => ({
    status: 'unknown',
    customerId: '',
    storeId: '',
    cadenceDays: 0,
    next: renewal(0, ''),
    underWay: undefined,
    confirmableUntil: undefined,
    isUnknown: false,
    unknownCharge: undefined,
  }),

  decide(command, state): Decision<ProgrammeEvent> {
    if (command.type === 'JoinProgramme') return join(command, state);
    if (state.status === 'unknown')
      return refuse('programme-unknown', 'the order does not take part in Loyalty Rewards', 'LOY-1');
    switch (command.type) {
      case 'AnnounceRenewal':
        return announce(command, state);
      case 'BeginRenewal':
        return begin(command, state);
      case 'MissRenewal':
        return missUnderWay(command, state);
      case 'ReleaseRenewal':
        return release(command, state);
      case 'SkipRenewal':
        return skip(command, state);
      case 'RecordRenewalPaid':
        return recordPaid(command, state);
      case 'RequestConfirmation':
        return requestConfirmation(command, state);
      case 'RecordRenewalDeclined':
        return recordDeclined(command, state);
      case 'RecordRenewalUnknown':
        return recordUnknown(command, state);
      case 'ResolveRenewal':
        return resolveRenewal(command, state);
      case 'HoldProgramme':
        return hold(command, state);
      case 'ActivateProgramme':
        return activate(command, state);
      case 'CancelProgramme':
        return cancel(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'ProgrammeJoined': {
        const { customerId, storeId, cadenceDays, dueAt } = event.data;
        return {
          status: 'active',
          customerId,
          storeId,
          cadenceDays,
          next: renewal(1, dueAt),
          underWay: undefined,
          confirmableUntil: undefined,
          isUnknown: false,
          unknownCharge: undefined,
        };
      }
      case 'RenewalAnnounced':
        state.next.announced = true;
        break;
      case 'RenewalBegun':
        state.underWay = event.data;
        state.unknownCharge = undefined;
        state.confirmableUntil = undefined;
        state.next.attempts = event.data.attempt;
        state.next.attemptsInARow += 1;
        state.next.retryAt = undefined;
        break;
      case 'RenewalConfirmationRequested':
        state.confirmableUntil = event.data.until;
        break;
      case 'RenewalPaid':
        state.underWay = undefined;
        state.confirmableUntil = undefined;
        state.isUnknown = false;
        if (state.unknownCharge) state.unknownCharge = { ...state.unknownCharge, capturedAs: event.data.reference };
        state.next = renewal(event.data.renewalNumber + 1, event.data.nextDueAt);
        break;
      case 'RenewalDeclined':
        state.underWay = undefined;
        state.confirmableUntil = undefined;
        state.isUnknown = false;
        state.next.retryAt = event.data.retryAt;
        state.next.missed = false;
        break;
      case 'RenewalUnknown':
        state.isUnknown = true;
        state.unknownCharge = event.data;
        state.next.missed = false;
        break;
      // Its charge stays under way: the provider's own answer may still arrive.
      case 'RenewalNotCaptured':
        state.isUnknown = false;
        break;
      case 'RenewalMissed':
        state.next = { ...state.next, dueAt: event.data.dueAt, ...notPlanned, missed: true };
        break;
      case 'RenewalReleased':
        state.next = { ...state.next, dueAt: event.data.dueAt, missed: false, releasedAt: event.data.at };
        break;
      case 'RenewalSkipped':
        state.next = { ...renewal(event.data.renewalNumber, event.data.nextDueAt), attempts: state.next.attempts };
        break;
      case 'ProgrammeHeld':
        state.status = 'held';
        stopNext(state);
        break;
      case 'ProgrammeActivated':
        state.status = 'active';
        state.next.dueAt = event.data.dueAt;
        state.next.attemptsInARow = 0;
        if (!state.underWay) state.next = { ...state.next, ...notPlanned };
        break;
      case 'ProgrammeCancelled':
        state.status = 'cancelled';
        stopNext(state);
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

const notPlanned = { retryAt: undefined, missed: false, releasedAt: undefined };

/** A charge under way is finished all the same, and one that waits for a word goes on waiting (LOY-5). */
function stopNext({ next, underWay }: ProgrammeState): void {
  Object.assign(next, underWay ? { retryAt: undefined } : notPlanned);
}

const renewal = (number: number, dueAt: Instant): ProgrammeState['next'] => ({
  number,
  dueAt,
  announced: false,
  ...notPlanned,
  attempts: 0,
  attemptsInARow: 0,
});

type Command<Type extends ProgrammeCommand['type']> = Extract<ProgrammeCommand, { type: Type }>;

function join(command: Command<'JoinProgramme'>, { status }: ProgrammeState): Decision<ProgrammeEvent> {
  if (status !== 'unknown') return [];
  const { type: _, countedFrom, ...terms } = command;
  return [{ type: 'ProgrammeJoined', data: { ...terms, dueAt: addDays(countedFrom, terms.cadenceDays) } }];
}

function announce(
  { at, renewalNumber, policyVersion }: Command<'AnnounceRenewal'>,
  { status, customerId, next }: ProgrammeState,
): Decision<ProgrammeEvent> {
  const { announced, number, dueAt } = next;
  if (status !== 'active' || announced || renewalNumber !== number || dueAt <= at) return [];
  return [{ type: 'RenewalAnnounced', data: { at, customerId, renewalNumber, dueAt, policyVersion } }];
}

function hold(
  { at }: Command<'HoldProgramme'>,
  { status, customerId, next }: ProgrammeState,
): Decision<ProgrammeEvent> {
  if (status === 'held') return [];
  if (status !== 'active') return refuseCancelled('held');
  return [{ type: 'ProgrammeHeld', data: { at, customerId, renewalNumber: next.number, cause: 'customer' } }];
}

/** A renewal that has become due meanwhile is charged at once. A charge under way keeps its date. */
function activate({ at }: Command<'ActivateProgramme'>, state: ProgrammeState): Decision<ProgrammeEvent> {
  const { status, next, underWay } = state;
  if (status === 'active') return [];
  if (status === 'cancelled') return refuseCancelled('activated');
  const dueAt = underWay || next.dueAt > at ? next.dueAt : at;
  return [{ type: 'ProgrammeActivated', data: { at, renewalNumber: next.number, dueAt } }];
}

function cancel({ at, cause }: Command<'CancelProgramme'>, { status, next }: ProgrammeState): Decision<ProgrammeEvent> {
  if (status === 'cancelled') return [];
  return [{ type: 'ProgrammeCancelled', data: { at, renewalNumber: next.number, cause } }];
}

const refuseCancelled = (what: string) =>
  refuse(
    'programme-cancelled',
    `the programme is cancelled: it cannot be ${what}; place a new order to join again`,
    'LOY-6',
  );
