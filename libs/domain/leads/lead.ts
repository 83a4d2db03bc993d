import { z } from 'zod';
import { withFormerKey } from '../accounts/business.ts';
import { type DistributionDecision, distributionDecision } from '../distribution/decision.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant, instant, type Sealed } from '../kernel/events.ts';
import { code, id, keyedHash, personKey, sealedFor, storeText } from '../kernel/fields.ts';
import { anyone, processOnly, type RightsOf } from '../kernel/rights.ts';

/** One contact of one prospect. Its stream is the lock that prevents a double sale. */
export const leadStream = (leadId: string) => `lead-${leadId}` as const;

/** Every event carries the present type of the lead, and the number of customers who can still get it. */
const standing = { leadTypeId: id, openPlaces: count };

export const leadEvents = {
  LeadReceived: fact({
    ...standing,
    source: storeText.describe('The list, campaign or page that the store got it from.'),
    capturedAt: instant.optional(),
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
    contact: sealedFor('lead', 'contact'),
    policyVersion: z.int().positive(),
  }),
  LeadAssigned: fact({
    ...standing,
    orderId: id,
    customerId: id,
    businessKey: keyedHash,
    replacementFor: id.optional(),
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
    decision: distributionDecision,
  }),
  LeadReleased: fact({ ...standing, orderId: id, customerId: id, reason: code }),
  LeadAged: fact({ ...standing, fromLeadTypeId: id, policyVersion: z.int().positive() }),
  /** As bad, for a granted return; or because the person was erased. */
  LeadWithdrawn: fact({ ...standing, replacementId: id.optional(), reason: storeText }),
};
/** How older versions are read. */
export const leadUpcasters = {
  /** Version 1: every withdrawal was for a return. */
  LeadWithdrawn: [(data: Record<string, unknown>) => data],
  LeadAssigned: [withFormerKey],
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
      /** The key of this business in assignments of older versions. */
      formerBusinessKey?: string;
      replacementFor?: string;
      decision: DistributionDecision;
    }
  | { type: 'ReleaseLead'; at: Instant; orderId: string; reason: string }
  | { type: 'AgeLead'; at: Instant; leadTypeId: string; intoLeadTypeId: string; policyVersion: number }
  | { type: 'WithdrawLead'; at: Instant; replacementId?: string; reason: string };

/** Who may ask for which command. */
export const leadRights = {
  ReceiveLead: anyone,
  AssignLead: processOnly,
  ReleaseLead: processOnly,
  AgeLead: processOnly,
  WithdrawLead: processOnly,
} satisfies RightsOf<LeadCommand, LeadState>;

interface Assignment {
  readonly orderId: string;
  readonly customerId: string;
  readonly businessKey: string;
}

interface LeadState {
  readonly status: 'unknown' | 'available' | 'withdrawn';
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
    if (command.type === 'ReceiveLead') return receive(command, state);
    if (state.status === 'unknown') return refuse('lead-unknown', 'there is no such lead');
    switch (command.type) {
      case 'AssignLead':
        return assign(command, state);
      case 'ReleaseLead':
        return release(command, state);
      case 'AgeLead':
        return age(command, state);
      case 'WithdrawLead':
        return withdraw(command, state);
      default:
        return undecided(command);
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

type Command<Type extends LeadCommand['type']> = Extract<LeadCommand, { type: Type }>;

function receive(command: Command<'ReceiveLead'>, { status }: LeadState): Decision<LeadEvent> {
  if (status !== 'unknown') return [];
  const { type: _, maximumCustomers, ...data } = command;
  return [{ type: 'LeadReceived', data: { ...data, openPlaces: maximumCustomers } }];
}

function assign(command: Command<'AssignLead'>, state: LeadState): Decision<LeadEvent> {
  if (assignmentOf(state, command.orderId)) return [];
  const refusal = refuseAssignment(command, state);
  if (refusal) return refusal;
  const { type: _, formerBusinessKey: __, ...data } = command;
  const { telephoneKey, emailKey } = state;
  return [{ type: 'LeadAssigned', data: { ...data, telephoneKey, emailKey, openPlaces: state.openPlaces - 1 } }];
}

/** The place is open again, unless the lead was withdrawn. */
function release({ at, orderId, reason }: Command<'ReleaseLead'>, state: LeadState): Decision<LeadEvent> {
  const assignment = assignmentOf(state, orderId);
  if (!assignment) return [];
  const { leadTypeId, status } = state;
  const openPlaces = status === 'withdrawn' ? 0 : state.openPlaces + 1;
  const { customerId } = assignment;
  return [{ type: 'LeadReleased', data: { at, leadTypeId, openPlaces, orderId, customerId, reason } }];
}

function age(command: Command<'AgeLead'>, { status, openPlaces, leadTypeId: present }: LeadState): Decision<LeadEvent> {
  const { at, leadTypeId: fromLeadTypeId, intoLeadTypeId: leadTypeId, policyVersion } = command;
  if (status === 'withdrawn' || openPlaces === 0 || present !== fromLeadTypeId) return [];
  return [{ type: 'LeadAged', data: { at, leadTypeId, openPlaces, fromLeadTypeId, policyVersion } }];
}

function withdraw(
  { at, replacementId, reason }: Command<'WithdrawLead'>,
  { status, leadTypeId }: LeadState,
): Decision<LeadEvent> {
  if (status === 'withdrawn') return [];
  const replacement = replacementId !== undefined && { replacementId };
  return [{ type: 'LeadWithdrawn', data: { at, leadTypeId, openPlaces: 0, ...replacement, reason } }];
}

const assignmentOf = (state: LeadState, orderId: string) =>
  state.assignments.find((assignment) => assignment.orderId === orderId);

function refuseAssignment(command: Command<'AssignLead'>, state: LeadState) {
  if (state.status === 'withdrawn') return refuse('lead-withdrawn', 'the lead was withdrawn as bad', 'DLV-10');
  if (state.leadTypeId !== command.leadTypeId)
    return refuse('lead-aged', `the lead is now of type ${state.leadTypeId}`, 'DLV-6');
  if (state.openPlaces === 0)
    return refuse('lead-taken', 'the lead has no open place: it was given to the maximum number of customers', 'DLV-2');
  if (state.assignments.some(({ customerId }) => customerId === command.customerId))
    return refuse('customer-has-lead', 'the customer already has this lead', 'DLV-4');
  const { businessKey, formerBusinessKey = businessKey } = command;
  if (state.assignments.some((other) => other.businessKey === businessKey || other.businessKey === formerBusinessKey))
    return refuse('business-has-lead', 'a customer of the same business already has this lead', 'DLV-3');
  return undefined;
}
