import type { Caller } from '#domain/kernel/caller';
import type { Contact } from '#domain/leads/contact';
import { contactBookStream } from '#domain/leads/contact-book';
import type { DeliveredLead } from '#read-models/queries/delivered-leads';
import type { Page, PageRequest } from '#read-models/queries/paging';
import { mentions } from './mentions.ts';
import { type OpenedRow, openColumns, type QueryTools } from './query-tools.ts';

export type OpenedLead = OpenedRow<DeliveredLead, { contact: Contact }>;

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
  list: (caller: Caller, request: LeadPageRequest) => listLeads(tools, caller, request),
  async get(caller: Caller, { customerId, leadId }: { customerId: string; leadId: string }) {
    // Read first, so that a rating in between makes it stale.
    const { revision } = await tools.streams.read(contactBookStream(customerId));
    const row = await tools.rows.deliveredLeads.find(caller, customerId, leadId);
    return row && { ...(await opened(tools, row)), revision };
  },
  /** All of them, page by page. @returns undefined when there is no such customer */
  download: async (caller: Caller, request: LeadsRequest) =>
    (await customerExists(tools, caller, request)) ? eachLead(tools, caller, request) : undefined,
});

async function listLeads(
  tools: QueryTools,
  caller: Caller,
  { search, ...request }: LeadPageRequest,
): Promise<Page<OpenedLead> | undefined> {
  if (!(await customerExists(tools, caller, request))) return undefined;
  const { deliveredLeads } = tools.rows;
  if (search !== undefined) return deliveredLeads.pick(caller, request, (row) => found(tools, row, search));
  const page = await deliveredLeads.list(caller, request);
  return { ...page, items: await Promise.all(page.items.map((row) => opened(tools, row))) };
}

async function* eachLead(
  tools: QueryTools,
  caller: Caller,
  { search, ...which }: LeadsRequest,
): AsyncGenerator<OpenedLead> {
  for await (const row of tools.rows.deliveredLeads.each(caller, which)) {
    const lead = await (search === undefined ? opened(tools, row) : found(tools, row, search));
    if (lead) yield lead;
  }
}

const customerExists = async ({ rows }: QueryTools, caller: Caller, { customerId }: { customerId: string }) =>
  (await rows.customers.find(caller, customerId)) !== undefined;

const opened = (tools: QueryTools, row: DeliveredLead): Promise<OpenedLead> =>
  openColumns<DeliveredLead, { contact: Contact }>(tools, row, ['contact']);

/** A search does not find leads whose contact was erased. */
async function found(tools: QueryTools, row: DeliveredLead, search: string): Promise<OpenedLead | undefined> {
  const lead = await opened(tools, row);
  return lead.contact && mentions(lead.contact, search) ? lead : undefined;
}
