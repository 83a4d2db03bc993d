import type { Consent } from '#domain/leads/consent';
import type { Contact } from '#domain/leads/contact';
import { contactBookStream } from '#domain/leads/contact-book';
import type { DeliveredLead } from '#read-models/queries/delivered-leads';
import type { Page, PageRequest } from '#read-models/queries/paging';
import { mentions } from './mentions.ts';
import { type OpenedRow, openColumns, type QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

export type OpenedLead = OpenedRow<DeliveredLead, { contact: Contact; consent: Consent }>;

interface LeadsRequest {
  readonly customerId: string;
  readonly orderId?: string | undefined;
  /** All these words, or the digits of a telephone number, are in the contact (DLV-9). */
  readonly search?: string | undefined;
}

type LeadPageRequest = LeadsRequest & PageRequest & { readonly leadTypeId?: string };

/** The leads that a customer received, newest first, with their contacts opened (BCK-1). */
export const deliveredLeadQueries = (tools: QueryTools) => ({
  /** @returns undefined when there is no such customer */
  list: (context: RequestContext, request: LeadPageRequest) => listLeads(tools, context, request),
  async get(context: RequestContext, { customerId, leadId }: { customerId: string; leadId: string }) {
    // Read first, so that a rating in between makes it stale.
    const { revision } = await tools.streams.read(contactBookStream(customerId));
    const row = await tools.rows.deliveredLeads.find(context.caller, customerId, leadId);
    return row && { ...(await opened(tools, context, row)), revision };
  },
  /** All of them, page by page. @returns undefined when there is no such customer */
  download: async (context: RequestContext, request: LeadsRequest) =>
    (await customerExists(tools, context, request)) ? eachLead(tools, context, request) : undefined,
});

async function listLeads(
  tools: QueryTools,
  context: RequestContext,
  { search, ...request }: LeadPageRequest,
): Promise<Page<OpenedLead> | undefined> {
  if (!(await customerExists(tools, context, request))) return undefined;
  const { caller } = context;
  const { deliveredLeads } = tools.rows;
  if (search !== undefined) return deliveredLeads.pick(caller, request, (row) => found(tools, context, row, search));
  const page = await deliveredLeads.list(caller, request);
  return { ...page, items: await Promise.all(page.items.map((row) => opened(tools, context, row))) };
}

async function* eachLead(
  tools: QueryTools,
  context: RequestContext,
  { search, ...which }: LeadsRequest,
): AsyncGenerator<OpenedLead> {
  for await (const row of tools.rows.deliveredLeads.each(context.caller, which)) {
    const lead = await (search === undefined ? opened(tools, context, row) : found(tools, context, row, search));
    if (lead) yield lead;
  }
}

const customerExists = async (
  { rows }: QueryTools,
  { caller }: RequestContext,
  { customerId }: { customerId: string },
) => (await rows.customers.find(caller, customerId)) !== undefined;

const opened = (tools: QueryTools, context: RequestContext, row: DeliveredLead): Promise<OpenedLead> =>
  openColumns<DeliveredLead, { contact: Contact; consent: Consent }>(tools, context, row, ['contact', 'consent']);

/** A search does not find leads whose contact was erased. */
async function found(
  tools: QueryTools,
  context: RequestContext,
  row: DeliveredLead,
  search: string,
): Promise<OpenedLead | undefined> {
  const lead = await opened(tools, context, row);
  return lead.contact && mentions(lead.contact, search) ? lead : undefined;
}
