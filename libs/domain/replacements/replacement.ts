import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, type Sealed, unsealed } from '../kernel/events.ts';
import { id, sealedFor, storeText } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import {
  customerInCommand,
  ownerOrSupportWithoutReason,
  processOnly,
  type RightsOf,
  support,
  supportOr,
} from '../kernel/rights.ts';
import { customerErased } from '../persons/erasures.ts';
import type { PolicyDocument } from '../policy/policy.ts';
import {
  alreadyDecided,
  alreadyEnded,
  completeCorrection,
  correctionUnderWay,
  correctToDenied,
  correctToGranted,
  grantGoodwill,
} from './corrections.ts';
import { judgedRequests, reasonOf, requestIn, requestReplacement } from './request.ts';

/** The return of one delivered lead, from the customer's request to the replacement (RPL). */
export const replacementStream = (replacementId: string) => `replacement-${replacementId}` as const;

/** One request per delivered lead (RPL-8): the id is made from both. */
export const replacementIdOf = (orderId: string, leadId: string): string => deriveId('replacement', orderId, leadId);

/** What may be wrong with a request that is denied at once (RPL-8). */
const rulesBroken = ['reason-not-valid', 'too-late'] as const;
export type RuleBroken = (typeof rulesBroken)[number];

export const verdicts = ['granted', 'denied'] as const;

export const replacementEvents = {
  ReplacementRequested: fact({
    orderId: id,
    leadId: id,
    leadTypeId: id,
    customerId: id,
    storeId: id,
    /** The code of the reason in the policy. In older requests: the reason itself. */
    reason: storeText,
    /** The reason as it was shown. */
    reasonLabel: storeText.optional(),
    note: sealedFor('lead', 'note').optional(),
    deliveredAt: instant,
    /** The end of the window that was promised with the delivery (RPL-2). Absent in older requests. */
    returnableUntil: instant.optional(),
    /** Why it is denied at once (RPL-8). Older requests do not say it. */
    beyondRules: z.enum(rulesBroken).optional(),
    verifyBy: instant,
    policyVersion: z.int().positive(),
  }),
  ChargebackGranted: fact({ orderId: id, leadId: id, reason: storeText, reasonLabel: storeText.optional() }),
  ChargebackDenied: fact({ orderId: id, leadId: id, explanation: sealedFor('customer', 'explanation') }),
  /** RPL-11: a replacement beyond the rules. It is no verdict about the lead, which is not withdrawn. */
  GoodwillGranted: fact({
    orderId: id,
    leadId: id,
    customerId: id,
    reason: storeText,
    reasonLabel: storeText.optional(),
  }),
  /** RPL-10: a grant is to be taken back, unless its replacement is delivered first. The order decides which. */
  CorrectionRequested: fact({ orderId: id, leadId: id, explanation: sealedFor('customer', 'explanation') }),
  /** RPL-10. `explanation`: why it is denied now. */
  VerdictCorrected: fact({
    orderId: id,
    leadId: id,
    customerId: id,
    verdict: z.enum(verdicts),
    reason: storeText,
    reasonLabel: storeText.optional(),
    explanation: sealedFor('customer', 'explanation').optional(),
  }),
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
export type ReturnPolicy = { readonly policyVersion: number } & Pick<
  PolicyDocument,
  'verificationDays' | 'approvedReturnReasons' | 'invalidReturnReasons' | 'returnReasonLabels'
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
      /** The code or the label of a reason, in any case of letters. */
      reason: string;
      note?: Sealed;
      /** What {@link explainDenial} says, where the request is denied at once. */
      explanation?: Sealed;
      deliveredAt: Instant;
      returnableUntil: Instant;
      returnPolicy: ReturnPolicy;
    }
  | { type: 'GrantChargeback'; at: Instant }
  | { type: 'DenyChargeback'; at: Instant; explanation: Sealed }
  | { type: 'GrantGoodwill'; at: Instant }
  | { type: 'CorrectToGranted'; at: Instant }
  | { type: 'CorrectToDenied'; at: Instant; explanation: Sealed }
  /** The order does not owe the replacement any more. */
  | { type: 'CompleteCorrection'; at: Instant }
  | { type: 'RecordOverdue'; at: Instant }
  | { type: 'RecordReplacementDelivered'; at: Instant; replacementLeadId: string }
  | { type: 'EndReplacement'; at: Instant; cause: typeof customerErased };

export const customerOfReplacement = ({ status, customerId }: ReplacementState): string | undefined =>
  status === 'unknown' ? undefined : customerId;

/** Who may ask for which command. */
export const replacementRights = {
  RequestReplacement: ownerOrSupportWithoutReason(customerInCommand, 'RPL-1'),
  GrantChargeback: supportOr('verifier', 'SUP-2'),
  DenyChargeback: supportOr('verifier', 'SUP-2'),
  GrantGoodwill: support('RPL-11'),
  CorrectToGranted: supportOr('verifier', 'RPL-10'),
  CorrectToDenied: supportOr('verifier', 'RPL-10'),
  CompleteCorrection: processOnly,
  RecordOverdue: processOnly,
  RecordReplacementDelivered: processOnly,
  EndReplacement: processOnly,
} satisfies RightsOf<ReplacementCommand, ReplacementState>;

export const replacementStatuses = ['requested', 'granted', 'denied', 'replaced', 'ended'] as const;
type ReplacementStatus = (typeof replacementStatuses)[number];

/** One request: after a denial there may be another, for another reason (RPL-8). */
export interface ReturnRequest {
  readonly reason: string;
  readonly reasonLabel?: string | undefined;
  readonly note?: Sealed | undefined;
  readonly requestedAt: Instant;
  readonly beyondRules?: RuleBroken | 'unknown' | undefined;
}

export interface ReplacementState {
  readonly status: ReplacementStatus | 'unknown';
  readonly customerId: string;
  readonly storeId: string;
  readonly orderId: string;
  readonly leadId: string;
  /** All requests, the present one last. */
  readonly requests: readonly ReturnRequest[];
  readonly verifyBy: Instant;
  readonly overdue: boolean;
  /** The present verdict is goodwill (RPL-11). */
  readonly goodwill: boolean;
  /** Why a grant is to be taken back, while the order has not decided whether it can be (RPL-10). */
  readonly correction?: Sealed | undefined;
}

const unknownReplacement: ReplacementState = {
  status: 'unknown',
  customerId: '',
  storeId: '',
  orderId: '',
  leadId: '',
  requests: [],
  verifyBy: '',
  overdue: false,
  goodwill: false,
};

export const replacement: Decider<ReplacementState, ReplacementCommand, ReplacementEvent> = {
  initialState: () => unknownReplacement,

  decide(command, state): Decision<ReplacementEvent> {
    if (command.type === 'RequestReplacement') return requestReplacement(command, state);
    if (state.status === 'unknown') return refuse('replacement-unknown', 'there is no such request');

    switch (command.type) {
      case 'GrantChargeback':
        return grant(command, state);
      case 'DenyChargeback':
        return deny(command, state);
      case 'RecordOverdue':
        return recordOverdue(command, state);
      case 'GrantGoodwill':
        return grantGoodwill(command.at, state);
      case 'CorrectToGranted':
        return correctToGranted(command.at, state);
      case 'CorrectToDenied':
        return correctToDenied(command.at, command.explanation, state);
      case 'CompleteCorrection':
        return completeCorrection(command.at, state);
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
        const { customerId, storeId, orderId, leadId, verifyBy } = event.data;
        const requests = [...state.requests, requestIn(event.data)];
        return {
          ...state,
          status: 'requested',
          customerId,
          storeId,
          orderId,
          leadId,
          requests,
          verifyBy,
          overdue: false,
        };
      }
      case 'ChargebackGranted':
        return { ...state, status: 'granted', requests: judgedRequests(state.requests) };
      case 'GoodwillGranted':
        return { ...state, status: 'granted', goodwill: true };
      case 'ChargebackDenied':
        return { ...state, status: 'denied', requests: judgedRequests(state.requests, event.data.at) };
      case 'CorrectionRequested':
        return { ...state, correction: event.data.explanation };
      case 'VerdictCorrected':
        return { ...state, status: event.data.verdict, goodwill: false, correction: undefined };
      case 'VerificationOverdue':
        return { ...state, overdue: true };
      case 'ReplacementDelivered':
        return { ...state, status: 'replaced', correction: undefined };
      case 'ReplacementEnded':
        return { ...state, status: 'ended', correction: undefined };
    }
  },
};

type Command<Type extends ReplacementCommand['type']> = Extract<ReplacementCommand, { type: Type }>;

function grant({ at }: Command<'GrantChargeback'>, state: ReplacementState): Decision<ReplacementEvent> {
  const { status, orderId, leadId } = state;
  if (state.correction) return correctionUnderWay;
  if (status === 'ended') return alreadyEnded;
  // Also another grant: its reason would be lost. And goodwill leaves the lead where it is, so it is another verdict.
  if (status !== 'requested') return alreadyDecided;
  return [{ type: 'ChargebackGranted', data: { at, orderId, leadId, ...reasonOf(state.requests.at(-1)) } }];
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
