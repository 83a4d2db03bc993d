import { z } from 'zod';
import { withFormerKey } from '../accounts/business.ts';
import { type DistributionDecision, distributionDecision } from '../distribution/decision.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant, instant, type Sealed } from '../kernel/events.ts';
import { code, id, keyedHash, personKey, sealedFor, storeText } from '../kernel/fields.ts';
import { anyone, bringingLeads, processOnly, type RightsOf } from '../kernel/rights.ts';
import { type ClaimTerms, claimHasEnded } from './claim-terms.ts';
import type { ReceivedRecord } from './same-record.ts';
import { personSuppressed, type Suppression, suppression } from './suppression.ts';

/** One contact of one prospect. Its stream is the lock that prevents a double sale. */
export const leadStream = (leadId: string) => `lead-${leadId}` as const;

/** By what a record was recognised as a duplicate. */
export const matches = ['telephone', 'email', 'telephone and email'] as const;
export type Match = (typeof matches)[number];

/** Every event of a stored lead carries the present type of the lead, and the number of customers who can still get it. */
const standing = { leadTypeId: id, openPlaces: count };

export const leadEvents = {
  LeadReceived: fact({
    ...standing,
    source: storeText.describe('The list, campaign or page that the store got it from.'),
    capturedAt: instant.optional(),
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
    contact: sealedFor('lead', 'contact'),
    consent: sealedFor('lead', 'consent').optional(),
    consentedAt: instant.optional(),
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
  /** As bad, for a granted return; because the person was erased, or is suppressed; or because another lead has the person. */
  LeadWithdrawn: fact({
    ...standing,
    replacementId: id.optional(),
    supersededBy: id.optional().describe('The lead that has the person from now on (DLV-11).'),
    suppression: suppression.optional().describe('Why its person is not sold any more (DLV-12).'),
    suppressedKey: personKey
      .optional()
      .describe('By what its person was suppressed, where that is known of another lead of the person.'),
    buyers: z
      .array(z.object({ orderId: id, customerId: id }))
      .optional()
      .describe('To whom a lead of a suppressed person was assigned: they are told.'),
    reason: storeText,
  }),
  /** Another lead has the person. The contact is not stored, and nothing is sold. */
  DuplicateReceived: fact({
    leadTypeId: id,
    source: storeText.describe('The list, campaign or page that the store got it from.'),
    capturedAt: instant.optional(),
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
    duplicateOf: id.describe('The lead that has the person.'),
    match: z.enum(matches).describe('What the two have in common.'),
    addressKey: keyedHash
      .optional()
      .describe(
        'By which an account with the e-mail address of the record is found: the address itself is not stored.',
      ),
    policyVersion: z.int().positive(),
  }),
  /**
   * The same record was received before (DLV-11). Only a request with a key of its own is remembered in this way, so that a
   * repeat gets the same answer.
   */
  KnownReceived: fact({ knownAs: id.describe('The lead, or the duplicate, that the record is.') }),
  /**
   * The return for which it was withdrawn was denied after all: its buyer has it, and it has its person. It stays withdrawn.
   */
  WithdrawalCorrected: fact({ replacementId: id }),
  /** The person was claimed for this lead, which did not follow. Another lead may take the claim. */
  ReceiptForfeited: fact({
    toLeadId: id.optional().describe('The lead that takes the claim; none when the person is suppressed.'),
  }),
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
      /** Evidence that the person agreed to be contacted, and when (DLV-12). */
      consent?: Sealed;
      consentedAt?: Instant;
      policyVersion: number;
      /** How often the receipt had been forfeited when the person was claimed; never when absent. */
      attempt?: number;
    }
  | {
      type: 'ReceiveDuplicate';
      at: Instant;
      leadTypeId: string;
      source: string;
      capturedAt?: Instant;
      telephoneKey?: string;
      emailKey?: string;
      duplicateOf: string;
      match: Match;
      addressKey?: string;
      policyVersion: number;
    }
  | { type: 'ReceiveKnown'; at: Instant; knownAs: string }
  | { type: 'ForfeitReceipt'; at: Instant; attempt: number; toLeadId?: string }
  /** Another record tells that this lead and another one are of one person. */
  /** `assignments`: how many the lead had when it was compared with the other one. */
  | { type: 'MergeLead'; at: Instant; byLeadId: string; assignments?: number }
  | ({ type: 'SupersedeLead'; at: Instant; leadTypeId: string; byLeadId: string } & ClaimTerms)
  | {
      type: 'AssignLead';
      at: Instant;
      leadTypeId: string;
      orderId: string;
      customerId: string;
      businessKey: string;
      /** The other keys by which assignments name this business: of older versions, and of businesses merged with it. */
      otherBusinessKeys?: readonly string[];
      replacementFor?: string;
      decision: DistributionDecision;
    }
  | { type: 'ReleaseLead'; at: Instant; orderId: string; reason: string }
  | { type: 'AgeLead'; at: Instant; leadTypeId: string; intoLeadTypeId: string; policyVersion: number }
  | { type: 'WithdrawLead'; at: Instant; replacementId?: string; supersededBy?: string; reason: string }
  | {
      type: 'SuppressLead';
      at: Instant;
      suppression: Suppression;
      /** The telephone number or e-mail address that is suppressed. */
      personKey: string;
    }
  | { type: 'CorrectWithdrawal'; at: Instant; replacementId: string };

/** Who may ask for which command. */
export const leadRights = {
  ReceiveLead: bringingLeads('DLV-11'),
  // Steps of the receipt of another lead. No route leads here.
  ReceiveDuplicate: anyone,
  ReceiveKnown: anyone,
  ForfeitReceipt: anyone,
  SupersedeLead: anyone,
  MergeLead: anyone,
  // A step of the suppression of its person. No route leads here.
  SuppressLead: anyone,
  AssignLead: processOnly,
  ReleaseLead: processOnly,
  AgeLead: processOnly,
  WithdrawLead: processOnly,
  CorrectWithdrawal: processOnly,
} satisfies RightsOf<LeadCommand, LeadState>;

/**
 * Why it was withdrawn: a return was granted; and denied after all, so that its buyer keeps it; another lead has the person; or the
 * person was erased, or is suppressed.
 */
export const withdrawals = ['returned', 'kept-by-buyer', 'superseded', 'erased', 'suppressed'] as const;
export type WithdrawnAs = (typeof withdrawals)[number];

interface Assignment {
  readonly orderId: string;
  readonly customerId: string;
  readonly businessKey: string;
}

export interface LeadState {
  /** `known`: the record is another lead, `knownAs`. */
  readonly status: 'unknown' | 'available' | 'withdrawn' | 'duplicate' | 'known';
  readonly knownAs?: string;
  /** As it was received. */
  readonly record?: ReceivedRecord;
  readonly leadTypeId: string;
  readonly openPlaces: number;
  readonly telephoneKey?: string | undefined;
  readonly emailKey?: string | undefined;
  readonly assignments: readonly Assignment[];
  /** Since when it is of its present type. */
  readonly ofTypeSince: Instant | '';
  readonly hasAged: boolean;
  readonly lastAssignedAt: Instant | '';
  /** How often its person was claimed in vain. */
  readonly forfeits: number;
  /** Why it was withdrawn. */
  readonly withdrawnAs?: WithdrawnAs;
  /** Its return was granted, and not denied after all. Nobody has it, also if its person was suppressed later. */
  readonly wasReturned: boolean;
  /** By what its person was suppressed, besides its own keys. */
  readonly suppressedKeys: readonly string[];
  /** The lead that has the person of a duplicate, or of a lead that was superseded. */
  readonly holder?: string | undefined;
}

const unknownLead: LeadState = {
  status: 'unknown',
  leadTypeId: '',
  openPlaces: 0,
  assignments: [],
  ofTypeSince: '',
  hasAged: false,
  lastAssignedAt: '',
  forfeits: 0,
  wasReturned: false,
  suppressedKeys: [],
};

export const lead: Decider<LeadState, LeadCommand, LeadEvent> = {
  initialState: () => unknownLead,

  decide(command, state): Decision<LeadEvent> {
    if (command.type === 'ReceiveLead') return receive(command, state);
    if (command.type === 'ReceiveDuplicate') return receiveDuplicate(command, state);
    if (command.type === 'ReceiveKnown') return receiveKnown(command, state);
    if (command.type === 'ForfeitReceipt') return forfeit(command, state);
    if (state.status === 'unknown' || state.status === 'known') return refuse('lead-unknown', 'there is no such lead');
    if (state.status === 'duplicate') return refuse('lead-duplicate', 'another lead has this person', 'DLV-11');
    switch (command.type) {
      case 'AssignLead':
        return assign(command, state);
      case 'ReleaseLead':
        return release(command, state);
      case 'AgeLead':
        return age(command, state);
      case 'WithdrawLead':
        return withdraw(command, state);
      case 'SuppressLead':
        return suppress(command, state);
      case 'CorrectWithdrawal':
        return correctWithdrawal(command, state);
      case 'SupersedeLead':
        return supersede(command, state);
      case 'MergeLead':
        return merge(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event): LeadState {
    switch (event.type) {
      case 'LeadReceived': {
        const { at, telephoneKey, emailKey } = event.data;
        const keys = { telephoneKey, emailKey };
        const record = recordIn(event.data);
        return { ...standingAfter(state, event), status: 'available', ofTypeSince: at, ...keys, record };
      }
      case 'LeadAssigned': {
        const { at, orderId, customerId, businessKey } = event.data;
        const assignments = [...state.assignments, { orderId, customerId, businessKey }];
        return { ...standingAfter(state, event), assignments, lastAssignedAt: at };
      }
      case 'LeadReleased': {
        const assignments = state.assignments.filter(({ orderId }) => orderId !== event.data.orderId);
        return { ...standingAfter(state, event), assignments };
      }
      case 'LeadAged':
        return { ...standingAfter(state, event), hasAged: true, ofTypeSince: event.data.at };
      case 'LeadWithdrawn': {
        const { replacementId, suppressedKey } = event.data;
        const why = {
          ...whyWithdrawn(event.data),
          wasReturned: state.wasReturned || replacementId !== undefined,
          suppressedKeys: [...state.suppressedKeys, ...(suppressedKey === undefined ? [] : [suppressedKey])],
        };
        return { ...standingAfter(state, event), status: 'withdrawn', ...why };
      }
      case 'DuplicateReceived': {
        const { leadTypeId, telephoneKey, emailKey, duplicateOf: holder } = event.data;
        const record = recordIn(event.data);
        return { ...state, status: 'duplicate', leadTypeId, telephoneKey, emailKey, holder, record };
      }
      case 'KnownReceived':
        return { ...state, status: 'known', knownAs: event.data.knownAs };
      case 'WithdrawalCorrected':
        return { ...state, withdrawnAs: 'kept-by-buyer', wasReturned: false };
      case 'ReceiptForfeited':
        return { ...state, forfeits: state.forfeits + 1 };
    }
  },
};

const recordIn = ({ at, leadTypeId, source, capturedAt, telephoneKey, emailKey }: ReceivedRecord): ReceivedRecord => ({
  at,
  leadTypeId,
  source,
  capturedAt,
  telephoneKey,
  emailKey,
});

type StandingEvent = Exclude<
  LeadEvent,
  { type: 'DuplicateReceived' | 'KnownReceived' | 'WithdrawalCorrected' | 'ReceiptForfeited' }
>;

const standingAfter = (state: LeadState, { data: { leadTypeId, openPlaces } }: StandingEvent): LeadState => ({
  ...state,
  leadTypeId,
  openPlaces,
});

export function whyWithdrawn({
  replacementId,
  supersededBy,
  suppression,
}: {
  replacementId?: string | undefined;
  supersededBy?: string | undefined;
  suppression?: Suppression | undefined;
}): Pick<LeadState, 'holder'> & { readonly withdrawnAs: WithdrawnAs } {
  if (suppression !== undefined) return { withdrawnAs: 'suppressed' };
  if (supersededBy !== undefined) return { withdrawnAs: 'superseded', holder: supersededBy };
  return { withdrawnAs: replacementId === undefined ? 'erased' : 'returned' };
}

type Command<Type extends LeadCommand['type']> = Extract<LeadCommand, { type: Type }>;

function receive(command: Command<'ReceiveLead'>, { status, forfeits }: LeadState): Decision<LeadEvent> {
  if (status !== 'unknown') return [];
  const { type: _, maximumCustomers, attempt = 0, ...data } = command;
  if (attempt !== forfeits) return receiptForfeited;
  return [{ type: 'LeadReceived', data: { ...data, openPlaces: maximumCustomers } }];
}

/** The person was claimed for another lead meanwhile. */
export const receiptForfeited = refuse('receipt-forfeited', 'another lead took the claim on the person', 'DLV-11');

function receiveDuplicate(command: Command<'ReceiveDuplicate'>, { status }: LeadState): Decision<LeadEvent> {
  const { type: _, ...data } = command;
  return status === 'unknown' ? [{ type: 'DuplicateReceived', data }] : [];
}

function receiveKnown({ at, knownAs }: Command<'ReceiveKnown'>, { status }: LeadState): Decision<LeadEvent> {
  return status === 'unknown' ? [{ type: 'KnownReceived', data: { at, knownAs } }] : [];
}

function forfeit(
  { at, attempt, toLeadId }: Command<'ForfeitReceipt'>,
  { status, forfeits }: LeadState,
): Decision<LeadEvent> {
  if (status !== 'unknown' || forfeits !== attempt) return [];
  return [{ type: 'ReceiptForfeited', data: { at, ...(toLeadId !== undefined && { toLeadId }) } }];
}

function assign(command: Command<'AssignLead'>, state: LeadState): Decision<LeadEvent> {
  if (assignmentOf(state, command.orderId)) return [];
  const refusal = refuseAssignment(command, state);
  if (refusal) return refusal;
  const { type: _, otherBusinessKeys: __, ...data } = command;
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
  { at, replacementId, supersededBy, reason }: Command<'WithdrawLead'>,
  { status, withdrawnAs, leadTypeId }: LeadState,
): Decision<LeadEvent> {
  const isReturnedAfterAll = withdrawnAs === 'kept-by-buyer' && replacementId !== undefined;
  if (status === 'withdrawn' && !isReturnedAfterAll) return [];
  const why = {
    ...(replacementId !== undefined && { replacementId }),
    ...(supersededBy !== undefined && { supersededBy }),
  };
  return [{ type: 'LeadWithdrawn', data: { at, leadTypeId, openPlaces: 0, ...why, reason } }];
}

/** DLV-12: also of a lead that was withdrawn before. Whoever has it is told, once. */
function suppress({ at, suppression, personKey }: Command<'SuppressLead'>, state: LeadState): Decision<LeadEvent> {
  const { leadTypeId, withdrawnAs, assignments } = state;
  const isKnown = keysOf(state).includes(personKey);
  const isTold = withdrawnAs === 'suppressed';
  if (isTold && isKnown) return [];
  const buyers = isTold ? [] : assignments.map(({ orderId, customerId }) => ({ orderId, customerId }));
  const by = { suppression, ...(!isKnown && { suppressedKey: personKey }) };
  const why = { ...by, ...(buyers.length > 0 && { buyers }), reason: personSuppressed };
  return [{ type: 'LeadWithdrawn', data: { at, leadTypeId, openPlaces: 0, ...why } }];
}

/** All by which the person of a lead is known to be suppressed, or would be. */
export const keysOf = ({ telephoneKey, emailKey, suppressedKeys }: LeadState): readonly string[] =>
  [telephoneKey, emailKey, ...suppressedKeys].filter((key) => key !== undefined);

function correctWithdrawal(
  { at, replacementId }: Command<'CorrectWithdrawal'>,
  { withdrawnAs }: LeadState,
): Decision<LeadEvent> {
  return withdrawnAs === 'returned' ? [{ type: 'WithdrawalCorrected', data: { at, replacementId } }] : [];
}

/** Why a lead was withdrawn whose person another lead has from then on. */
export const superseded = 'superseded';

function supersede(command: Command<'SupersedeLead'>, state: LeadState): Decision<LeadEvent> {
  const { at, leadTypeId, byLeadId: supersededBy } = command;
  if (state.holder === supersededBy) return [];
  if (state.status === 'withdrawn' || state.leadTypeId !== leadTypeId || !claimHasEnded(state, at, command))
    return refuse('person-claimed', 'the lead still has its person', 'DLV-11');
  return [{ type: 'LeadWithdrawn', data: { at, leadTypeId, openPlaces: 0, supersededBy, reason: superseded } }];
}

/** What is sold out cannot be taken back. */
function merge(command: Command<'MergeLead'>, state: LeadState): Decision<LeadEvent> {
  const { at, byLeadId: supersededBy, assignments = state.assignments.length } = command;
  if (state.holder === supersededBy) return [];
  if (!mayBeSold(state) || state.assignments.length !== assignments)
    return refuse('person-claimed', 'the lead still has its person', 'DLV-11');
  const { leadTypeId } = state;
  return [{ type: 'LeadWithdrawn', data: { at, leadTypeId, openPlaces: 0, supersededBy, reason: superseded } }];
}

export const mayBeSold = ({ status, openPlaces }: LeadState): boolean => status === 'available' && openPlaces > 0;

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
  const { businessKey, otherBusinessKeys = [] } = command;
  if (state.assignments.some((other) => [businessKey, ...otherBusinessKeys].includes(other.businessKey)))
    return refuse('business-has-lead', 'a customer of the same business already has this lead', 'DLV-3');
  return undefined;
}
