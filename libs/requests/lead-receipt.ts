import { unknownLeadType } from '#domain/catalogue/catalogue';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { refuseCapture, refuseConsent } from '#domain/leads/capture';
import type { Consent } from '#domain/leads/consent';
import type { Contact } from '#domain/leads/contact';
import { lead, leadStream, receiptForfeited } from '#domain/leads/lead';
import { isSuppressed } from '#domain/leads/person-claim';
import { normaliseEmail, normaliseTelephone } from '#domain/leads/person-form';
import { idOfRecord } from '#domain/leads/same-record';
import type { CommandOf } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import { noPolicy } from '#domain/policy/policy';
import type { Vault } from '#vault/vault';
import { addressKeyOf, sealOrRefuse } from './account-seals.ts';
import { type AddressedCommand, type Outcome, TooMuchContention } from './addressed-command.ts';
import {
  claimPerson,
  keysInOrder,
  type Newcomer,
  type PersonKeys,
  type Settled,
  settleClaims,
} from './person-claims.ts';
import {
  type Receipt,
  type RequestContext,
  type RequestTools,
  requestTools,
  whateverRevision,
} from './request-tools.ts';
import { checkRightEarly, RequestRefused } from './rights.ts';
import { type TermsOfBusiness, termsOfBusiness } from './terms-of-business.ts';
import { startInTurns } from './turns.ts';

export interface ReceiveLeadRequest {
  readonly leadTypeId: string;
  readonly source: string;
  readonly capturedAt?: Instant;
  readonly contact: Contact;
  readonly consent?: Consent | undefined;
  /** The caller's own key for the lead. */
  readonly leadId?: string;
}

/** What all leads of one request are received with. */
interface Intake extends TermsOfBusiness {
  readonly at: Instant;
  readonly erased: ReadonlySet<string>;
}

/** A lead on its way into the log. */
interface Arrival extends Newcomer {
  readonly request: ReceiveLeadRequest;
  readonly context: RequestContext;
}

/**
 * Receives leads (DLV-11): the person of each is claimed first, then the lead is stored, or recorded as a duplicate of the
 * lead that has the person. A record that is known is not stored again.
 * @throws RequestRefused
 */
export async function receiveLeads(
  tools: RequestTools,
  requests: readonly ReceiveLeadRequest[],
  asked: RequestContext,
): Promise<Receipt[]> {
  // Before anything of it is stored.
  const noRight = checkRightEarly(leadStream('new'), { type: 'ReceiveLead' }, lead.initialState(), asked);
  if (noRight) throw new RequestRefused(noRight);
  const at = tools.now();
  // A new lead has no revision that its sender could have seen, and one that is known is none of theirs.
  const context = whateverRevision(asked);
  const [terms, { personKeys: erased }] = await Promise.all([
    termsOfBusiness(tools, at),
    tools.stateOf<'erasures'>(erasuresStream),
  ]);
  const intake = { at, ...terms, erased };
  const arrivals = await startInTurns(requests, async (request) => arrivalOf(tools.vault, request, at, context));
  const received = new Map<Arrival, Receipt>();
  for (const wave of wavesOf(arrivals))
    for (const [arrival, receipt] of await receiveWave(tools, intake, wave)) received.set(arrival, receipt);
  return arrivals.map((arrival) => received.get(arrival) as Receipt);
}

/** Whoever fills in a form is not told that a person was erased (DLV-11) or is suppressed (DLV-12). */
export const tellsOfPerson = (refusal: Refusal): boolean => [personErased, isSuppressed].includes(refusal);

function arrivalOf(vault: Vault, request: ReceiveLeadRequest, at: Instant, context: RequestContext): Arrival {
  const { leadTypeId, source, capturedAt } = request;
  const record = {
    ...{ leadTypeId, source, ...personKeys(vault, request.contact) },
    ...(capturedAt !== undefined && { capturedAt }),
  };
  const leadId = request.leadId ?? idOfRecord({ ...record, at });
  const commandId = request.leadId ? context.commandId : deriveId('receive-lead', leadId);
  return { leadId, ...record, request, context: { ...context, commandId } };
}

/** Of several records of one person, one is stored before the next one is looked at. */
function wavesOf(arrivals: readonly Arrival[]): readonly (readonly Arrival[])[] {
  const waves: Arrival[][] = [];
  const wavesOfKeys = new Map<string, number>();
  for (const arrival of arrivals) {
    const keys = keysInOrder(arrival);
    const number = Math.max(0, ...keys.map((key) => (wavesOfKeys.get(key) ?? -1) + 1));
    for (const key of keys) wavesOfKeys.set(key, number);
    waves[number] ??= [];
    waves[number].push(arrival);
  }
  return waves;
}

async function receiveWave(
  tools: RequestTools,
  intake: Intake,
  wave: readonly Arrival[],
): Promise<readonly [Arrival, Receipt][]> {
  const claims = await startInTurns(wave, (arrival) => claimAtOnce(tools, intake, arrival));
  const claimed = wave.filter((_, index) => claims[index]);
  // All are sealed before the first one is sent, so that the order of arrival is the order in the log.
  const addressed = await startInTurns(claimed, (arrival) => addressedLead(tools, intake, arrival));
  const stored = await startInTurns(addressed, (command) => tools.dispatch(command));
  const outcomes = new Map(claimed.map((arrival, index) => [arrival, stored[index] as Outcome]));
  return startInTurns(wave, async (arrival) => {
    const outcome = outcomes.get(arrival);
    const isReceived = outcome && !wasForfeited(outcome);
    return [arrival, isReceived ? receiptOf(arrival, outcome) : await receiveSettled(tools, intake, arrival)];
  });
}

const wasForfeited = (outcome: Outcome): boolean =>
  outcome.kind === 'refused' && outcome.refusal.code === receiptForfeited.code;

/** @returns whether the lead can be stored now, or need not be: it is refused, or was stored before */
async function claimAtOnce(tools: RequestTools, intake: Intake, arrival: Arrival): Promise<boolean> {
  if (refusalOf(intake, arrival)) return true;
  // Under a key of the caller, another person may have come before.
  if (arrival.request.leadId && (await isStored(tools, arrival))) return true;
  return claimPerson(tools, arrival, intake.at, arrival.context);
}

const isStored = async ({ streams }: RequestTools, { leadId, context }: Arrival): Promise<boolean> =>
  (await streams.read<'lead'>(leadStream(leadId), context)).state.status !== 'unknown';

function refusalOf({ at, catalogue, policy, erased }: Intake, arrival: Arrival): Refusal | undefined {
  if (!catalogue.leadTypes.has(arrival.leadTypeId)) return unknownLeadType(arrival.leadTypeId);
  if (!policy) return noPolicy;
  const inFuture = refuseCapture(arrival.capturedAt, at, policy.policy);
  if (inFuture) return inFuture;
  const wrongConsent = refuseConsent(arrival.request.consent?.at, at, policy.policy);
  if (wrongConsent) return wrongConsent;
  if (policy.policy.consentRequired && !arrival.request.consent) return consentMissing;
  return keysInOrder(arrival).some((key) => erased.has(key)) ? personErased : undefined;
}

/** Nobody who was erased is stored again. */
const personErased = refuse('person-erased', 'the person was erased, and is not stored again');

/** The policy of the store. */
const consentMissing = refuse('consent-missing', 'the store takes no lead without evidence of consent', 'DLV-12');

const MAX_ROUNDS = 3;

/** Where a record with a key of its sender is known as another one, it says as which. */
function receiptOf({ leadId }: Arrival, outcome: Outcome): Receipt {
  const [event] = outcome.kind === 'accepted' ? outcome.events : [];
  return { id: event?.type === 'KnownReceived' ? event.data.knownAs : leadId, outcome };
}

/** Somebody may have the person of the lead. @throws TooMuchContention */
async function receiveSettled(tools: RequestTools, intake: Intake, arrival: Arrival): Promise<Receipt> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    // Of its own, so that the command names what was read for it.
    const own = requestTools(tools, arrival.context);
    const settled = await settleClaims(own, arrival, intake.at, arrival.context);
    if (settled.kind === 'same') return receiveKnown(own, intake, arrival, settled.leadId);
    if (settled.kind === 'duplicate' && !(await pointTo(own, intake, arrival))) continue;
    const outcome = await tools.dispatch(await addressedAs(own, intake, arrival, settled));
    const isWithAnother = settled.kind === 'duplicate' && wasKnownMeanwhile(outcome);
    if (!wasForfeited(outcome) && !isWithAnother) return receiptOf(arrival, outcome);
  }
  throw new TooMuchContention();
}

function addressedAs(
  tools: RequestTools,
  intake: Intake,
  arrival: Arrival,
  settled: Exclude<Settled, { kind: 'same' }>,
): Promise<AddressedCommand> {
  const { leadId, context } = arrival;
  if (settled.kind === 'suppressed') return tools.addressed(leadStream(leadId), isSuppressed, context);
  if (settled.kind === 'duplicate') return addressedDuplicate(tools, intake, arrival, settled);
  return addressedLead(tools, intake, arrival, settled.kind === 'claimed' ? settled.attempt : 0);
}

/** The same record came with a key of its sender, and is recorded under that. */
const wasKnownMeanwhile = (outcome: Outcome): boolean => outcome.kind === 'accepted' && outcome.events.length === 0;

/** Nothing is recorded, unless the request has a key, which must get this answer for ever. */
async function receiveKnown(tools: RequestTools, { at }: Intake, arrival: Arrival, knownAs: string): Promise<Receipt> {
  const { request, leadId, context } = arrival;
  if (request.leadId) {
    const command = { type: 'ReceiveKnown', at, knownAs } as const;
    return receiptOf(arrival, (await tools.send(leadId, leadStream(leadId), command, context)).outcome);
  }
  const { revision } = await tools.streams.read<'lead'>(leadStream(knownAs), context);
  const position = await tools.streams.head();
  return { id: knownAs, outcome: { kind: 'accepted', events: [], revision, position, repeated: true } };
}

/**
 * A duplicate claims nothing by which another route could find it. So where a key of its sender names it, the id that is made from
 * the record leads to it. @returns whether the record is not stored under that id meanwhile
 */
async function pointTo(tools: RequestTools, { at }: Intake, arrival: Arrival): Promise<boolean> {
  const { leadId, request, context } = arrival;
  if (!request.leadId) return true;
  const made = idOfRecord({ ...arrival, at });
  const { caller, until } = context;
  const commandId = deriveId('receive-known', made, leadId);
  const asking = { caller, commandId, ...(until !== undefined && { until }) };
  await tools.send(made, leadStream(made), { type: 'ReceiveKnown', at, knownAs: leadId }, asking);
  const { knownAs = made } = (await tools.streams.read<'lead'>(leadStream(made), context)).state;
  // Whoever was first may have failed before its record was stored.
  return (
    knownAs === leadId || (await tools.streams.read<'lead'>(leadStream(knownAs), context)).state.status === 'unknown'
  );
}

type ReceiveLead = Extract<CommandOf<'lead'>, { type: 'ReceiveLead' }>;
type Duplicate = Extract<Settled, { kind: 'duplicate' }>;

/** @param attempt as in ReceiveLead; undefined when the lead is expected to be new */
async function addressedLead(
  tools: RequestTools,
  intake: Intake,
  arrival: Arrival,
  attempt?: number,
): Promise<AddressedCommand> {
  const command = refusalOf(intake, arrival) ?? (await receiveLead(tools.vault, intake, arrival, attempt ?? 0));
  const likelyNew = attempt === undefined;
  return tools.addressed(leadStream(arrival.leadId), command, arrival.context, { likelyNew });
}

async function receiveLead(
  vault: Vault,
  intake: Intake,
  arrival: Arrival,
  attempt: number,
): Promise<ReceiveLead | Refusal> {
  const { catalogue, policy } = intake;
  if (!policy) return noPolicy;
  const isExclusive = catalogue.leadTypes.get(arrival.leadTypeId)?.exclusivity === 'exclusive';
  const maximumCustomers = isExclusive ? 1 : policy.policy.maximumCustomersPerSharedLead;
  const contact = await sealOrRefuse(vault, leadStream(arrival.leadId), 'contact', arrival.request.contact);
  if (isRefusal(contact)) return contact;
  const consent = await sealedConsent(vault, arrival);
  if (isRefusal(consent)) return consent;
  const stated = { ...captureOf(intake, arrival), ...consent };
  return { type: 'ReceiveLead', ...stated, maximumCustomers, contact, policyVersion: policy.version, attempt };
}

async function sealedConsent(vault: Vault, { leadId, request: { consent } }: Arrival) {
  if (!consent) return {};
  const box = await sealOrRefuse(vault, leadStream(leadId), 'consent', consent);
  return isRefusal(box) ? box : { consent: box, consentedAt: consent.at };
}

function captureOf({ at }: Intake, { leadTypeId, source, capturedAt, telephoneKey, emailKey }: Arrival) {
  const keys = { ...(telephoneKey && { telephoneKey }), ...(emailKey && { emailKey }) };
  return { at, leadTypeId, source, ...(capturedAt && { capturedAt }), ...keys };
}

/** Without its contact: nothing of it is sealed, and no key is made. */
async function addressedDuplicate(
  tools: RequestTools,
  intake: Intake,
  arrival: Arrival,
  { duplicateOf, match }: Duplicate,
): Promise<AddressedCommand> {
  const { leadId, request, context } = arrival;
  const { policy } = intake;
  const { email } = request.contact;
  const addressKey = email && addressKeyOf(tools.vault, email);
  const recognised = { ...captureOf(intake, arrival), duplicateOf, match, ...(addressKey && { addressKey }) };
  const command = policy
    ? ({ type: 'ReceiveDuplicate', ...recognised, policyVersion: policy.version } as const)
    : noPolicy;
  // Its event is another than that of a lead that was stored, so it has another id, too.
  const commandId = request.leadId ? context.commandId : deriveId('receive-duplicate', leadId);
  return tools.addressed(leadStream(leadId), command, { ...context, commandId });
}

export function personKeys(vault: Vault, contact: Pick<Contact, 'telephone' | 'email'>): PersonKeys {
  const telephone = contact.telephone && normaliseTelephone(contact.telephone);
  const email = contact.email && normaliseEmail(contact.email);
  return {
    ...(telephone && { telephoneKey: vault.personKey('telephone', telephone) }),
    ...(email && { emailKey: vault.personKey('email', email) }),
  };
}
