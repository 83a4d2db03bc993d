import type { Refusal } from '#domain/kernel/decider';
import type { Consent } from '#domain/leads/consent';
import type { Contact } from '#domain/leads/contact';
import { contactBookStream } from '#domain/leads/contact-book';
import { leadStream } from '#domain/leads/lead';
import type { LeadRow } from '#read-models/models/leads';
import type { Marked } from '#read-models/queries/damaged';
import type { HistoryRequest } from './histories.ts';
import { type ReceiveLeadRequest, receiveLeads, tellsOfPerson } from './lead-receipt.ts';
import { verdictOn } from './lead-verdicts.ts';
import { openColumns, type QueryTools } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';

/** A form may leave out when the person agreed: that is now. */
interface LeadFormRequest extends Omit<ReceiveLeadRequest, 'consent' | 'leadId' | 'capturedAt'> {
  readonly consent?: (Omit<Consent, 'at'> & { readonly at?: Consent['at'] | undefined }) | undefined;
}

/** Leads: received by the store, and rated by customers. */
export const leadRequests = (tools: RequestTools) => ({
  /**
   * Receives leads. The same person, source, type and capture instant mean the same lead, which is recorded only once.
   * A further record of a person is recorded as a duplicate (DLV-11).
   * @returns one answer per lead, in the order given
   */
  receive: (requests: readonly ReceiveLeadRequest[], context: RequestContext) => receiveLeads(tools, requests, context),
  /** A lead of a form that anybody may fill in. @returns why the form is refused, whoever the person is */
  async receiveForm({ consent, ...form }: LeadFormRequest, context: RequestContext): Promise<Refusal | undefined> {
    const request = { ...form, ...(consent && { consent: { ...consent, at: consent.at ?? tools.now() } }) };
    const [receipt] = await receiveLeads(tools, [request], context);
    const refusal = receipt?.outcome.kind === 'refused' ? receipt.outcome.refusal : undefined;
    return refusal && !tellsOfPerson(refusal) ? refusal : undefined;
  },
  rate: (customerId: string, leadId: string, rating: number, context: RequestContext) =>
    tools.send(
      leadId,
      contactBookStream(customerId),
      { type: 'RateContact', at: tools.now(), leadId, rating },
      context,
    ),
});

export const leadQueries = (tools: QueryTools) => ({
  /** A lead with its contact, and the evidence of consent, opened. */
  async get(context: RequestContext, { leadId }: { leadId: string }) {
    const row = await tools.rows.leads.find(context.caller, leadId);
    return (
      row &&
      openColumns<Marked<LeadRow>, { contact: Contact; consent: Consent }>(tools, context, row, ['contact', 'consent'])
    );
  },
  /** What became of a lead, for the program that brought it. */
  verdict: ({ caller }: RequestContext, { leadId }: { leadId: string }) => verdictOn(tools, caller, leadId),
  history: (context: RequestContext, { leadId, ...upTo }: { leadId: string } & HistoryRequest) =>
    tools.histories.of(context, leadStream(leadId), upTo),
  listStock: ({ caller }: RequestContext) => tools.rows.leads.stock(caller),
});
