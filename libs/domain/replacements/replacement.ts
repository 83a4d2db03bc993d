import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, type Sealed, unsealed } from '../kernel/events.ts';
import { id, sealedFor, storeText } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { addDays } from '../kernel/instants.ts';
import { customerInCommand, ownerOrStaff, processOnly, type RightsOf, support } from '../kernel/rights.ts';
import { customerErased } from '../persons/erasures.ts';
import type { PolicyDocument } from '../policy/policy.ts';

/** The return of one delivered lead, from the customer's request to the replacement (RPL). */
export const replacementStream = (replacementId: string) => `replacement-${replacementId}` as const;

/** One request per delivered lead (RPL-8): the id is made from both. */
export const replacementIdOf = (orderId: string, leadId: string): string => deriveId('replacement', orderId, leadId);

export const replacementEvents = {
  ReplacementRequested: fact({
    orderId: id,
    leadId: id,
    leadTypeId: id,
    customerId: id,
    storeId: id,
    reason: storeText,
    note: sealedFor('lead', 'note').optional(),
    deliveredAt: instant,
    verifyBy: instant,
    policyVersion: z.int().positive(),
  }),
  ChargebackGranted: fact({ orderId: id, leadId: id, reason: storeText }),
  ChargebackDenied: fact({ orderId: id, leadId: id, explanation: sealedFor('customer', 'explanation') }),
  VerificationOverdue: fact({ orderId: id, leadId: id, verifyBy: instant }),
  ReplacementDelivered: fact({ orderId: id, leadId: id, replacementLeadId: id }),
  /** Nobody decides any more, and no replacement is owed any more. */
  ReplacementEnded: fact({ orderId: id, leadId: id, cause: z.literal(customerErased) }),
};
export type ReplacementEvent = EventsOf<typeof replacementEvents>;

/** Version 1 stored the explanation as it was typed. */
export const replacementUpcasters = {
  ChargebackDenied: [
    ({ explanation, ...data }: Record<string, unknown>) => ({
      ...data,
      explanation: unsealed(explanation, 'explanation'),
    }),
  ],
};

/** The numbers and lists in force when the request was made. */
type ReturnPolicy = { readonly policyVersion: number } & Pick<
  PolicyDocument,
  'returnWindowDays' | 'verificationDays' | 'approvedReturnReasons' | 'invalidReturnReasons'
>;

export type ReplacementCommand =
  | {
      type: 'RequestReplacement';
      at: Instant;
      orderId: string;
      leadId: string;
      leadTypeId: string;
      customerId: string;
      storeId: string;
      reason: string;
      note?: Sealed;
      /** What {@link explainDenial} says, where the request is denied at once. */
      explanation?: Sealed;
      deliveredAt: Instant;
      returnPolicy: ReturnPolicy;
    }
  | { type: 'GrantChargeback'; at: Instant }
  | { type: 'DenyChargeback'; at: Instant; explanation: Sealed }
  | { type: 'RecordOverdue'; at: Instant }
  | { type: 'RecordReplacementDelivered'; at: Instant; replacementLeadId: string }
  | { type: 'EndReplacement'; at: Instant; cause: typeof customerErased };

export const customerOfReplacement = ({ status, customerId }: ReplacementState): string | undefined =>
  status === 'unknown' ? undefined : customerId;

/** Who may ask for which command. */
export const replacementRights = {
  RequestReplacement: ownerOrStaff(customerInCommand, 'RPL-1'),
  GrantChargeback: support('SUP-2'),
  DenyChargeback: support('SUP-2'),
  RecordOverdue: processOnly,
  RecordReplacementDelivered: processOnly,
  EndReplacement: processOnly,
} satisfies RightsOf<ReplacementCommand, ReplacementState>;

export const replacementStatuses = ['requested', 'granted', 'denied', 'replaced', 'ended'] as const;
type ReplacementStatus = (typeof replacementStatuses)[number];

interface ReplacementState {
  readonly status: ReplacementStatus | 'unknown';
  readonly customerId: string;
  readonly orderId: string;
  readonly leadId: string;
  readonly reason: string;
  readonly verifyBy: Instant;
  readonly overdue: boolean;
}

const unknownReplacement: ReplacementState = {
  status: 'unknown',
  customerId: '',
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

    switch (command.type) {
      case 'GrantChargeback':
        return grant(command, state);
      case 'DenyChargeback':
        return deny(command, state);
      case 'RecordOverdue':
        return recordOverdue(command, state);
      case 'RecordReplacementDelivered':
        return recordDelivered(command, state);
      case 'EndReplacement':
        return end(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event): ReplacementState {
    switch (event.type) {
      case 'ReplacementRequested': {
        const { customerId, orderId, leadId, reason, verifyBy } = event.data;
        return { ...state, status: 'requested', customerId, orderId, leadId, reason, verifyBy };
      }
      case 'ChargebackGranted':
        return { ...state, status: 'granted' };
      case 'ChargebackDenied':
        return { ...state, status: 'denied' };
      case 'VerificationOverdue':
        return { ...state, overdue: true };
      case 'ReplacementDelivered':
        return { ...state, status: 'replaced' };
      case 'ReplacementEnded':
        return { ...state, status: 'ended' };
    }
  },
};

type Command<Type extends ReplacementCommand['type']> = Extract<ReplacementCommand, { type: Type }>;

/** A request that a rule denies is recorded too, with its denial: the business asks about both. */
function request(command: Command<'RequestReplacement'>, state: ReplacementState): Decision<ReplacementEvent> {
  if (state.status !== 'unknown') return command.reason === state.reason ? [] : requestedBefore(state);
  const { type: _type, returnPolicy, explanation: _explanation, ...data } = command;
  const refusal = refuseReason(data.reason, returnPolicy);
  if (refusal) return refusal;
  const { policyVersion, verificationDays } = returnPolicy;
  const verifyBy = addDays(data.at, verificationDays);
  return [
    { type: 'ReplacementRequested', data: { ...data, verifyBy, policyVersion } },
    ...(explainDenial(command) === undefined ? [] : [deniedAtOnce(command)]),
  ];
}

/** @throws RangeError without the sealed explanation: the request layer seals it before it sends the command */
function deniedAtOnce({ at, orderId, leadId, explanation }: Command<'RequestReplacement'>): ReplacementEvent {
  if (!explanation) throw new RangeError('a return that is denied at once needs its sealed explanation');
  return { type: 'ChargebackDenied', data: { at, orderId, leadId, explanation } };
}

function refuseReason(reason: string, { approvedReturnReasons, invalidReturnReasons }: ReturnPolicy) {
  const known = [...approvedReturnReasons, ...invalidReturnReasons];
  if (known.includes(reason)) return undefined;
  return refuse('return-reason-unknown', `known reasons are: ${known.join('; ')}`, 'RPL-3');
}

/** Why the request is denied at once; undefined when it needs a verification. */
export function explainDenial({
  at,
  deliveredAt,
  reason,
  returnPolicy,
}: Pick<Command<'RequestReplacement'>, 'at' | 'deliveredAt' | 'reason' | 'returnPolicy'>): string | undefined {
  const { returnWindowDays, invalidReturnReasons } = returnPolicy;
  if (at > addDays(deliveredAt, returnWindowDays))
    return `the lead was delivered more than ${returnWindowDays} days before the request`;
  return invalidReturnReasons.includes(reason) ? `"${reason}" is no reason for a replacement` : undefined;
}

/** Another reason is another claim: it is not passed off as the one that was recorded. */
const requestedBefore = ({ reason }: ReplacementState) =>
  refuse('return-requested', `the return of this lead was requested already, for the reason "${reason}"`, 'RPL-8');

const alreadyEnded = refuse('person-erased', 'the return ended when its customer was erased');

const alreadyDecided = refuse(
  'already-decided',
  'the return was already granted or denied: the decision is final',
  'RPL-8',
);

function grant(
  { at }: Command<'GrantChargeback'>,
  { status, orderId, leadId, reason }: ReplacementState,
): Decision<ReplacementEvent> {
  if (status === 'granted' || status === 'replaced') return [];
  if (status === 'ended') return alreadyEnded;
  return status === 'denied' ? alreadyDecided : [{ type: 'ChargebackGranted', data: { at, orderId, leadId, reason } }];
}

function deny(
  { at, explanation }: Command<'DenyChargeback'>,
  { status, orderId, leadId }: ReplacementState,
): Decision<ReplacementEvent> {
  if (status === 'ended') return alreadyEnded;
  // Also another denial: its explanation would be lost.
  if (status !== 'requested') return alreadyDecided;
  return [{ type: 'ChargebackDenied', data: { at, orderId, leadId, explanation } }];
}

function recordOverdue({ at }: Command<'RecordOverdue'>, state: ReplacementState): Decision<ReplacementEvent> {
  const { status, overdue, verifyBy, orderId, leadId } = state;
  if (status !== 'requested' || overdue || at < verifyBy) return [];
  return [{ type: 'VerificationOverdue', data: { at, orderId, leadId, verifyBy } }];
}

function recordDelivered(
  { at, replacementLeadId }: Command<'RecordReplacementDelivered'>,
  { status, orderId, leadId }: ReplacementState,
): Decision<ReplacementEvent> {
  if (status === 'replaced') return [];
  // The delivery may have been under way when the return ended.
  if (status !== 'granted' && status !== 'ended')
    return refuse('replacement-not-granted', 'no replacement was granted', 'RPL-6');
  return [{ type: 'ReplacementDelivered', data: { at, orderId, leadId, replacementLeadId } }];
}

/** A return that was denied or replaced has ended before. */
function end(
  { at, cause }: Command<'EndReplacement'>,
  { status, orderId, leadId }: ReplacementState,
): Decision<ReplacementEvent> {
  if (status !== 'requested' && status !== 'granted') return [];
  return [{ type: 'ReplacementEnded', data: { at, orderId, leadId, cause } }];
}
