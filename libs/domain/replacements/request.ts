import { inDays } from '../kernel/counted.ts';
import { type Decision, type Refusal, refuse } from '../kernel/decider.ts';
import type { Instant, Sealed } from '../kernel/events.ts';
import { addDays, DAY_MILLISECONDS } from '../kernel/instants.ts';
import { namesReason, type ReturnReason, returnReasonNamed, returnReasonsOf } from '../policy/return-reasons.ts';
import type {
  ReplacementCommand,
  ReplacementEvent,
  ReplacementState,
  ReturnPolicy,
  ReturnRequest,
  RuleBroken,
} from './replacement.ts';

type Request = Extract<ReplacementCommand, { type: 'RequestReplacement' }>;
type Requested = Extract<ReplacementEvent, { type: 'ReplacementRequested' }>['data'];
/** What decides whether a request is denied at once. */
type Judged = Pick<Request, 'at' | 'deliveredAt' | 'returnableUntil' | 'reason' | 'returnPolicy'>;

/** A request that a rule denies is recorded too, with its denial: the business asks about both. */
export function requestReplacement(command: Request, state: ReplacementState): Decision<ReplacementEvent> {
  const repeated = state.requests.find((request) => names(request, command));
  if (repeated) return isSameNote(repeated.note, command.note) ? [] : requestedWith(repeated);
  const last = state.requests.at(-1);
  if (last && state.status !== 'denied') return requestedFor(last);
  const { type: _type, returnPolicy, explanation: _explanation, ...data } = command;
  const reason = returnReasonNamed(returnPolicy, data.reason);
  if (!reason) return unknownReason(returnPolicy);
  const { policyVersion, verificationDays } = returnPolicy;
  const verifyBy = addDays(data.at, verificationDays);
  const named = { reason: reason.code, reasonLabel: reason.label };
  const beyondRules = ruleBroken(command, reason);
  return [
    {
      type: 'ReplacementRequested',
      data: { ...data, ...named, ...(beyondRules && { beyondRules }), verifyBy, policyVersion },
    },
    ...(beyondRules ? [deniedAtOnce(command)] : []),
  ];
}

const names = ({ reason, reasonLabel = reason }: ReturnRequest, command: Request): boolean =>
  namesReason(command.reason, { code: reason, label: reasonLabel }) ||
  returnReasonNamed(command.returnPolicy, command.reason)?.code === reason;

/** The request layer sends the box of the note that is stored, where the words are the same. */
const isSameNote = (stored: Sealed | undefined, sent: Sealed | undefined): boolean => stored?.box === sent?.box;

/** @throws RangeError without the sealed explanation: the request layer seals it before it sends the command */
function deniedAtOnce({ at, orderId, leadId, explanation }: Request): ReplacementEvent {
  if (!explanation) throw new RangeError('a return that is denied at once needs its sealed explanation');
  return { type: 'ChargebackDenied', data: { at, orderId, leadId, explanation } };
}

const unknownReason = (returnPolicy: ReturnPolicy): Refusal =>
  refuse(
    'return-reason-unknown',
    `known reasons are: ${returnReasonsOf(returnPolicy)
      .map(({ label }) => label)
      .join('; ')}`,
    'RPL-3',
  );

function ruleBroken({ at, returnableUntil }: Judged, { valid }: ReturnReason): RuleBroken | undefined {
  if (!valid) return 'reason-not-valid';
  return at > returnableUntil ? 'too-late' : undefined;
}

/** Why the request is denied at once; undefined when it needs a verification. */
export function explainDenial({ at, deliveredAt, returnableUntil, reason, returnPolicy }: Judged): string | undefined {
  if (at > returnableUntil)
    return `the lead was delivered more than ${inDays(daysBetween(deliveredAt, returnableUntil))} before the request`;
  const named = returnReasonNamed(returnPolicy, reason);
  return named && !named.valid ? `"${named.label}" is no reason for a replacement` : undefined;
}

const daysBetween = (from: Instant, until: Instant): number =>
  Number(((Date.parse(until) - Date.parse(from)) / DAY_MILLISECONDS).toFixed(2));

/** Another reason is another claim: it is not passed off as the one that was recorded. */
const requestedFor = (request: ReturnRequest): Refusal =>
  refuse(
    'return-requested',
    `the return of this lead was requested already, for the reason "${labelOf(request)}"`,
    'RPL-8',
  );

const requestedWith = (request: ReturnRequest): Refusal =>
  refuse(
    'return-requested',
    `the return of this lead was requested already, for the reason "${labelOf(request)}" with another note`,
    'RPL-8',
  );

const labelOf = ({ reason, reasonLabel = reason }: ReturnRequest): string => reasonLabel;

export const requestIn = ({
  at: requestedAt,
  reason,
  reasonLabel,
  note,
  beyondRules,
  returnableUntil,
}: Requested): ReturnRequest => ({
  reason,
  reasonLabel,
  note,
  requestedAt,
  beyondRules: beyondRules ?? (returnableUntil === undefined ? 'unknown' : undefined),
});

/** An older version did not say that the rules denied a request. They did so in the instant of the request, staff did not. */
export function judgedRequests(requests: readonly ReturnRequest[], deniedAt?: Instant): readonly ReturnRequest[] {
  const last = requests.at(-1);
  if (last?.beyondRules !== 'unknown' || last.requestedAt === deniedAt) return requests;
  return [...requests.slice(0, -1), { ...last, beyondRules: undefined }];
}

export const reasonOf = (request: ReturnRequest | undefined) => ({
  reason: request?.reason ?? '',
  ...(request?.reasonLabel !== undefined && { reasonLabel: request.reasonLabel }),
});
