import { z } from 'zod';
import { type DistributionDecision, distributionDecision } from '../distribution/decision.ts';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant, instant, personKey, type Sealed, sealed } from '../kernel/events.ts';

/** One contact of one prospect. Its stream is the lock that no double sale gets past. */
export const leadStream = (leadId: string) => `lead-${leadId}` as const;

/** Every event says of which type the lead now is, and to how many customers it can still be given. */
const standing = { leadTypeId: z.string(), openPlaces: count };

export const leadEvents = {
  LeadReceived: fact({
    ...standing,
    source: z.string(),
    capturedAt: instant.optional(),
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
    contact: sealed,
    policyVersion: z.int().positive(),
  }),
  LeadAssigned: fact({
    ...standing,
    orderId: z.string(),
    customerId: z.string(),
    businessKey: z.string(),
    replacementFor: z.string().optional(),
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
    decision: distributionDecision,
  }),
  LeadReleased: fact({ ...standing, orderId: z.string(), customerId: z.string(), reason: z.string() }),
  LeadAged: fact({ ...standing, fromLeadTypeId: z.string(), policyVersion: z.int().positive() }),
  LeadWithdrawn: fact({ ...standing, replacementId: z.string(), reason: z.string() }),
};
export type LeadEvent = EventsOf<typeof leadEvents>;

export type LeadCommand =
  | {
      type: 'ReceiveLead';
      at: Instant;
      leadTypeId: string;
      /** 1 for an exclusive type (DLV-1), else by policy (DLV-2). */
      maximumCustomers: number;
      source: string;
      capturedAt?: Instant;
      telephoneKey?: string;
      emailKey?: string;
      contact: Sealed;
      policyVersion: number;
    }
  | {
      type: 'AssignLead';
      at: Instant;
      leadTypeId: string;
      orderId: string;
      customerId: string;
      businessKey: string;
      replacementFor?: string;
      decision: DistributionDecision;
    }
  | { type: 'ReleaseLead'; at: Instant; orderId: string; reason: string }
  | { type: 'AgeLead'; at: Instant; leadTypeId: string; intoLeadTypeId: string; policyVersion: number }
  | { type: 'WithdrawLead'; at: Instant; replacementId: string; reason: string };

interface Assignment {
  readonly orderId: string;
  readonly customerId: string;
  readonly businessKey: string;
}

export const leadStatuses = ['available', 'withdrawn'] as const;
export type LeadStatus = (typeof leadStatuses)[number];

export interface LeadState {
  readonly status: LeadStatus | 'unknown';
  readonly leadTypeId: string;
  readonly openPlaces: number;
  readonly telephoneKey?: string | undefined;
  readonly emailKey?: string | undefined;
  readonly assignments: readonly Assignment[];
}

const unknownLead: LeadState = { status: 'unknown', leadTypeId: '', openPlaces: 0, assignments: [] };

export const lead: Decider<LeadState, LeadCommand, LeadEvent> = {
  initialState: () => unknownLead,

  decide(command, state): Decision<LeadEvent> {
    const { at } = command;
    if (command.type === 'ReceiveLead') {
      if (state.status !== 'unknown') return [];
      const { type: _, maximumCustomers, ...data } = command;
      return [{ type: 'LeadReceived', data: { ...data, openPlaces: maximumCustomers } }];
    }
    if (state.status === 'unknown') return refuse('lead-unknown', 'there is no such lead');

    switch (command.type) {
      case 'AssignLead': {
        if (assignmentOf(state, command.orderId)) return [];
        const refusal = refuseAssignment(command, state);
        if (refusal) return refusal;
        const { type: _, ...data } = command;
        const { telephoneKey, emailKey } = state;
        return [{ type: 'LeadAssigned', data: { ...data, telephoneKey, emailKey, openPlaces: state.openPlaces - 1 } }];
      }
      case 'ReleaseLead': {
        const assignment = assignmentOf(state, command.orderId);
        if (!assignment) return [];
        const { orderId, reason } = command;
        const openPlaces = state.status === 'withdrawn' ? 0 : state.openPlaces + 1;
        const { customerId } = assignment;
        return [
          { type: 'LeadReleased', data: { at, leadTypeId: state.leadTypeId, openPlaces, orderId, customerId, reason } },
        ];
      }
      case 'AgeLead': {
        if (state.status === 'withdrawn' || state.openPlaces === 0 || state.leadTypeId !== command.leadTypeId)
          return [];
        const { leadTypeId: fromLeadTypeId, intoLeadTypeId: leadTypeId, policyVersion } = command;
        return [
          { type: 'LeadAged', data: { at, leadTypeId, openPlaces: state.openPlaces, fromLeadTypeId, policyVersion } },
        ];
      }
      case 'WithdrawLead': {
        if (state.status === 'withdrawn') return [];
        const { replacementId, reason } = command;
        return [
          { type: 'LeadWithdrawn', data: { at, leadTypeId: state.leadTypeId, openPlaces: 0, replacementId, reason } },
        ];
      }
    }
  },

  evolve(state, event): LeadState {
    const { leadTypeId, openPlaces } = event.data;
    const next = { ...state, leadTypeId, openPlaces };
    switch (event.type) {
      case 'LeadReceived':
        return { ...next, status: 'available', telephoneKey: event.data.telephoneKey, emailKey: event.data.emailKey };
      case 'LeadAssigned': {
        const { orderId, customerId, businessKey } = event.data;
        return { ...next, assignments: [...state.assignments, { orderId, customerId, businessKey }] };
      }
      case 'LeadReleased':
        return { ...next, assignments: state.assignments.filter(({ orderId }) => orderId !== event.data.orderId) };
      case 'LeadAged':
        return next;
      case 'LeadWithdrawn':
        return { ...next, status: 'withdrawn' };
    }
  },
};

const assignmentOf = (state: LeadState, orderId: string) =>
  state.assignments.find((assignment) => assignment.orderId === orderId);

function refuseAssignment(command: Extract<LeadCommand, { type: 'AssignLead' }>, state: LeadState) {
  if (state.status === 'withdrawn') return refuse('lead-withdrawn', 'the lead was withdrawn as bad', 'DLV-10');
  if (state.leadTypeId !== command.leadTypeId)
    return refuse('lead-aged', `the lead is of type ${state.leadTypeId} by now`, 'DLV-6');
  if (state.openPlaces === 0) return refuse('lead-taken', 'the lead was given to as many customers as it may', 'DLV-2');
  if (state.assignments.some(({ customerId }) => customerId === command.customerId))
    return refuse('customer-has-lead', 'the customer was given this lead before', 'DLV-4');
  if (state.assignments.some(({ businessKey }) => businessKey === command.businessKey))
    return refuse('business-has-lead', 'a customer of the same business was given this lead before', 'DLV-3');
  return undefined;
}
