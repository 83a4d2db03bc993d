import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import type { Contact } from '#domain/leads/contact';
import { contactBookStream } from '#domain/leads/contact-book';
import { leadStream } from '#domain/leads/lead';
import { normaliseEmail, normaliseTelephone } from '#domain/leads/person-form';
import type { CommandOf } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import { noPolicy } from '#domain/policy/policy';
import type { LeadRow } from '#read-models/models/leads';
import type { Marked } from '#read-models/queries/damaged';
import type { Vault } from '#vault/vault';
import { sealOrRefuse } from './account-seals.ts';
import type { HistoryRequest } from './histories.ts';
import { openColumns, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { type TermsOfBusiness, termsOfBusiness, unknownLeadType } from './terms-of-business.ts';
import { startInTurns } from './turns.ts';

export interface ReceiveLeadRequest {
  readonly leadTypeId: string;
  readonly source: string;
  readonly capturedAt?: Instant;
  readonly contact: Contact;
  /** Distinguishes two captures of one person when there is no capture instant. */
  readonly occasion?: string;
  /** The caller's own key for the lead. */
  readonly leadId?: string;
}

/** Leads: received by the store, and rated by customers. */
export const leadRequests = (tools: RequestTools) => ({
  /**
   * Receives leads. The same person, source, type and capture instant mean the same lead, which is recorded only once.
   * @returns one answer per lead, in the order given
   */
  receive: (requests: readonly ReceiveLeadRequest[], context: RequestContext) => receive(tools, requests, context),
  rate: (customerId: string, leadId: string, rating: number, context: RequestContext) =>
    tools.send(
      leadId,
      contactBookStream(customerId),
      { type: 'RateContact', at: tools.now(), leadId, rating },
      context,
    ),
});

async function receive(
  tools: RequestTools,
  requests: readonly ReceiveLeadRequest[],
  context: RequestContext,
): Promise<Receipt[]> {
  const at = tools.now();
  const [terms, { personKeys: erased }] = await Promise.all([
    termsOfBusiness(tools, at),
    tools.stateOf<'erasures'>(erasuresStream),
  ]);
  // All are sealed before the first one is sent, so that the order of arrival is the order in the log.
  const prepared = await startInTurns(requests, async (request) => {
    const { id, command } = await prepare(tools.vault, at, request, { ...terms, erased });
    const commandId = request.leadId ? context.commandId : deriveId('receive-lead', id);
    const asked = { ...context, commandId };
    return { id, addressed: await tools.addressed(leadStream(id), command, asked, { likelyNew: true }) };
  });
  return startInTurns(prepared, async ({ id, addressed }) => ({ id, outcome: await tools.dispatch(addressed) }));
}

type ReceiveLead = Extract<CommandOf<'lead'>, { type: 'ReceiveLead' }>;

async function prepare(
  vault: Vault,
  at: Instant,
  request: ReceiveLeadRequest,
  { catalogue, policy, erased }: TermsOfBusiness & { readonly erased: ReadonlySet<string> },
): Promise<{ id: string; command: ReceiveLead | Refusal }> {
  const { leadTypeId, source, capturedAt, contact } = request;
  const keys = personKeys(vault, contact);
  const id = idOfLead(request, keys);
  const leadType = catalogue.leadTypes.get(leadTypeId);
  if (!leadType) return { id, command: unknownLeadType(leadTypeId) };
  if (!policy) return { id, command: noPolicy };
  if (Object.values(keys).some((key) => erased.has(key))) return { id, command: personErased };
  const maximumCustomers = leadType.exclusivity === 'exclusive' ? 1 : policy.policy.maximumCustomersPerSharedLead;
  const captured = capturedAt && { capturedAt };
  const sealed = await sealOrRefuse(vault, leadStream(id), 'contact', contact);
  if (isRefusal(sealed)) return { id, command: sealed };
  const capture = { leadTypeId, maximumCustomers, source, ...captured, ...keys, contact: sealed };
  return { id, command: { type: 'ReceiveLead', at, ...capture, policyVersion: policy.version } };
}

/** Nobody who was erased is stored again. */
const personErased = refuse('person-erased', 'the person was erased, and is not stored again');

interface PersonKeys {
  readonly telephoneKey?: string;
  readonly emailKey?: string;
}

export function personKeys(vault: Vault, contact: Pick<Contact, 'telephone' | 'email'>): PersonKeys {
  const telephone = contact.telephone && normaliseTelephone(contact.telephone);
  const email = contact.email && normaliseEmail(contact.email);
  return {
    ...(telephone && { telephoneKey: vault.personKey('telephone', telephone) }),
    ...(email && { emailKey: vault.personKey('email', email) }),
  };
}

const idOfLead = (
  { leadId, leadTypeId, source, capturedAt, occasion = '' }: ReceiveLeadRequest,
  { telephoneKey = '', emailKey = '' }: PersonKeys,
): string => leadId ?? deriveId('lead', leadTypeId, source, telephoneKey, emailKey, capturedAt ?? occasion);

export const leadQueries = (tools: QueryTools) => ({
  /** A lead with its contact opened. */
  async get(context: RequestContext, { leadId }: { leadId: string }) {
    const row = await tools.rows.leads.find(context.caller, leadId);
    return row && openColumns<Marked<LeadRow>, { contact: Contact }>(tools, context, row, ['contact']);
  },
  history: (context: RequestContext, { leadId, ...upTo }: { leadId: string } & HistoryRequest) =>
    tools.histories.of(context, leadStream(leadId), upTo),
  listStock: ({ caller }: RequestContext) => tools.rows.leads.stock(caller),
});
