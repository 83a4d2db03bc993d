import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, type Sealed, sealed } from '../kernel/events.ts';
import { deriveId } from '../kernel/ids.ts';
import { addDays } from '../kernel/instants.ts';

/** The return of one delivered lead, from the customer's request to the replacement (RPL). */
export const replacementStream = (replacementId: string) => `replacement-${replacementId}` as const;

/** One request per delivered lead (RPL-8): the id is made from both. */
export const replacementIdOf = (orderId: string, leadId: string): string => deriveId('replacement', orderId, leadId);

export const replacementEvents = {
  ReplacementRequested: fact({
    orderId: z.string(),
    leadId: z.string(),
    leadTypeId: z.string(),
    customerId: z.string(),
    storeId: z.string(),
    reason: z.string(),
    note: sealed.optional(),
    deliveredAt: instant,
    verifyBy: instant,
    policyVersion: z.int().positive(),
  }),
  ChargebackGranted: fact({ orderId: z.string(), leadId: z.string(), reason: z.string() }),
  ChargebackDenied: fact({ orderId: z.string(), leadId: z.string(), explanation: z.string() }),
  VerificationOverdue: fact({ orderId: z.string(), leadId: z.string(), verifyBy: instant }),
  ReplacementDelivered: fact({ orderId: z.string(), leadId: z.string(), replacementLeadId: z.string() }),
};
export type ReplacementEvent = EventsOf<typeof replacementEvents>;

/** The numbers and lists in force when the request was made. */
export interface ReturnPolicy {
  readonly policyVersion: number;
  readonly returnWindowDays: number;
  readonly verificationDays: number;
  readonly approvedReturnReasons: readonly string[];
  readonly invalidReturnReasons: readonly string[];
}

export type ReplacementCommand =
  | ({
      type: 'RequestReplacement';
      at: Instant;
      note?: Sealed;
      returnPolicy: ReturnPolicy;
    } & Request)
  | { type: 'GrantChargeback'; at: Instant }
  | { type: 'DenyChargeback'; at: Instant; explanation: string }
  | { type: 'RecordOverdue'; at: Instant }
  | { type: 'RecordReplacementDelivered'; at: Instant; replacementLeadId: string };

interface Request {
  orderId: string;
  leadId: string;
  leadTypeId: string;
  customerId: string;
  storeId: string;
  reason: string;
  deliveredAt: Instant;
}

export const replacementStatuses = ['requested', 'granted', 'denied', 'replaced'] as const;

export interface ReplacementState {
  readonly status: 'unknown' | (typeof replacementStatuses)[number];
  readonly orderId: string;
  readonly leadId: string;
  readonly reason: string;
  readonly verifyBy: Instant;
  readonly overdue: boolean;
}

const unknownReplacement: ReplacementState = {
  status: 'unknown',
  orderId: '',
  leadId: '',
  reason: '',
  verifyBy: '',
  overdue: false,
};

export const replacement: Decider<ReplacementState, ReplacementCommand, ReplacementEvent> = {
  initialState: () => unknownReplacement,

  decide(command, state): Decision<ReplacementEvent> {
    if (command.type === 'RequestReplacement') return request(command, state);
    if (state.status === 'unknown') return refuse('replacement-unknown', 'there is no such request');

    const { at } = command;
    const { orderId, leadId } = state;
    switch (command.type) {
      case 'GrantChargeback':
        if (state.status === 'granted' || state.status === 'replaced') return [];
        if (state.status === 'denied') return decidedAlready;
        return [{ type: 'ChargebackGranted', data: { at, orderId, leadId, reason: state.reason } }];
      case 'DenyChargeback':
        if (state.status === 'denied') return [];
        if (state.status !== 'requested') return decidedAlready;
        return [{ type: 'ChargebackDenied', data: { at, orderId, leadId, explanation: command.explanation } }];
      case 'RecordOverdue':
        if (state.status !== 'requested' || state.overdue || at < state.verifyBy) return [];
        return [{ type: 'VerificationOverdue', data: { at, orderId, leadId, verifyBy: state.verifyBy } }];
      case 'RecordReplacementDelivered': {
        if (state.status === 'replaced') return [];
        if (state.status !== 'granted') return refuse('replacement-not-granted', 'no replacement was granted', 'RPL-6');
        const { replacementLeadId } = command;
        return [{ type: 'ReplacementDelivered', data: { at, orderId, leadId, replacementLeadId } }];
      }
    }
  },

  evolve(state, event): ReplacementState {
    switch (event.type) {
      case 'ReplacementRequested': {
        const { orderId, leadId, reason, verifyBy } = event.data;
        return { ...state, status: 'requested', orderId, leadId, reason, verifyBy };
      }
      case 'ChargebackGranted':
        return { ...state, status: 'granted' };
      case 'ChargebackDenied':
        return { ...state, status: 'denied' };
      case 'VerificationOverdue':
        return { ...state, overdue: true };
      case 'ReplacementDelivered':
        return { ...state, status: 'replaced' };
    }
  },
};

const decidedAlready = refuse('verdict-given', 'the verdict was given already; it stands', 'RPL-8');

function request(
  command: Extract<ReplacementCommand, { type: 'RequestReplacement' }>,
  state: ReplacementState,
): Decision<ReplacementEvent> {
  if (state.status !== 'unknown') return [];
  const { type: _, returnPolicy, ...data } = command;
  const { at, orderId, leadId, reason, deliveredAt } = data;
  const { policyVersion, returnWindowDays, verificationDays, approvedReturnReasons, invalidReturnReasons } =
    returnPolicy;
  if (!approvedReturnReasons.includes(reason) && !invalidReturnReasons.includes(reason))
    return refuse(
      'return-reason-unknown',
      `known reasons are: ${[...approvedReturnReasons, ...invalidReturnReasons].join('; ')}`,
      'RPL-3',
    );

  const requested: ReplacementEvent = {
    type: 'ReplacementRequested',
    data: { ...data, verifyBy: addDays(at, verificationDays), policyVersion },
  };
  const denied = (explanation: string): ReplacementEvent => ({
    type: 'ChargebackDenied',
    data: { at, orderId, leadId, explanation },
  });
  if (at > addDays(deliveredAt, returnWindowDays))
    return [requested, denied(`the lead was delivered more than ${returnWindowDays} days before the request`)];
  if (invalidReturnReasons.includes(reason)) return [requested, denied(`"${reason}" is no reason for a replacement`)];
  return [requested];
}
