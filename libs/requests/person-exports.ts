import { z } from 'zod';
import type { Fact } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { isBox } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { contactBookStream } from '#domain/leads/contact-book';
import { leadStream } from '#domain/leads/lead';
import { replacementIdOf, replacementStream } from '#domain/replacements/replacement';
import { looksStream } from '#domain/support/look';
import { exampleIds } from '#read-models/models/examples';
import { deliveredLeadRow } from '#read-models/models/leads';
import { passingsOn } from './lead-passings.ts';
import type { NamedPerson } from './named-person.ts';
import { type PersonTools, recordsNamed } from './person-search.ts';
import { type RequestContext, requestTools } from './request-tools.ts';
import { mustBeAccepted } from './rights.ts';
import { type ActRequest, type AwaitedApproval, asPolicySays } from './two-members.ts';
import { factsAbout, recordLook, streamEvent, streamEventExample } from './whole-history.ts';

const history = z.array(streamEvent).describe('All that is recorded, oldest first, opened.');

const { customerId, orderId, deliveredAt } = deliveredLeadRow.shape;

export const personExport = z
  .object({
    asCustomer: z
      .array(
        z.object({
          customerId: z.string().describe('Id of the customer, or of who wrote without an account.'),
          history,
        }),
      )
      .describe('As a customer, and as somebody without an account who wrote to support.'),
    asLead: z
      .array(
        z.object({
          leadId: z.string().describe('Id of the lead.'),
          deliveries: z.array(z.object({ customerId, orderId, deliveredAt })).describe('Who has the lead.'),
          history,
        }),
      )
      .describe('As a lead, in each record.'),
  })
  .meta({ id: 'PersonExport' });
type PersonExport = z.infer<typeof personExport>;
type PersonEntry = z.infer<typeof streamEvent>;

export const personExportExample: PersonExport = {
  asCustomer: [{ customerId: exampleIds.customerId, history: [streamEventExample] }],
  asLead: [],
};

export const personQueries = (tools: PersonTools) => ({
  /** All that is held about a person, opened: as a customer, and as each lead. The look at a customer is recorded (SUP-2). */
  export: (context: RequestContext, request: ActRequest): Promise<PersonExport | AwaitedApproval> =>
    asPolicySays(tools, context, 'export', request, () => exportPerson(tools, context, request.person)),
});

async function exportPerson(tools: PersonTools, context: RequestContext, name: NamedPerson): Promise<PersonExport> {
  const { customerIds, leadIds } = await recordsNamed(tools, context.caller, name);
  return {
    asCustomer: await Promise.all([...customerIds].sort().map((id) => asCustomer(tools, context, id))),
    asLead: await Promise.all([...leadIds].sort().map((leadId) => asLead(tools, context, leadId))),
  };
}

/** Also who looked at the history, when, and why: the look of this export is the last one. */
async function asCustomer(tools: PersonTools, context: RequestContext, customerId: string) {
  // One request looks at each customer of the person, and ids of events follow from that of the command.
  const commandId = deriveId('look-of-export', context.commandId, customerId);
  const { outcome } = await recordLook(requestTools(tools), customerId, { ...context, commandId }, true);
  mustBeAccepted(outcome, 'the look');
  const facts = [
    ...(await factsAbout(tools, context, customerId)),
    ...(await tools.histories.facts([looksStream(customerId)])),
  ].sort(byPosition);
  return { customerId, history: await entriesOf(tools, context, facts) };
}

/** Also what was recorded about the lead with its customers: that it was passed on, how, its rating, and its returns. */
async function asLead(tools: PersonTools, context: RequestContext, leadId: string) {
  const { histories, rows } = tools;
  const delivered = await rows.leads.deliveries(context.caller, leadId);
  const own = await histories.facts([leadStream(leadId)]);
  const elsewhere = [...(await withCustomers(tools, context.caller, leadId, delivered, own))].map(withoutWordsOfOthers);
  const deliveries = delivered.map(({ customerId, orderId, deliveredAt }) => ({ customerId, orderId, deliveredAt }));
  const facts = [...own, ...elsewhere].sort(byPosition);
  return { leadId, deliveries, history: await entriesOf(tools, context, facts) };
}

async function withCustomers(
  { histories, ...tools }: PersonTools,
  caller: Caller,
  leadId: string,
  delivered: readonly { readonly orderId: string }[],
  own: readonly Fact[],
): Promise<readonly Fact[]> {
  const customerIds = new Set(own.flatMap(({ type, data }) => (type === 'LeadAssigned' ? [data.customerId] : [])));
  const books = await histories.facts([...customerIds].map(contactBookStream));
  const returns = delivered.map(({ orderId }) => replacementStream(replacementIdOf(orderId, leadId)));
  const passings = await passingsOn({ histories, ...tools }, caller, leadId);
  const messages = passings.flatMap(({ mails, webhook }) => [...mails, webhook]);
  return [
    ...books.filter(({ data }) => 'leadId' in data && data.leadId === leadId),
    ...(await histories.facts([...returns, ...messages])),
  ];
}

/**
 * A customer's note about the lead belongs to the lead. What else was written there, and why somebody decided, is about the
 * customer.
 */
const withoutWordsOfOthers = (fact: Fact): Fact => {
  const { reason: _, ...cause } = fact.cause;
  return { ...fact, data: withoutBoxes(fact.data), cause } as Fact;
};

function withoutBoxes(data: object): object {
  const kept = Object.entries(data).filter(([name, value]) => name === 'note' || !isBox(value));
  return Object.fromEntries(
    kept.map(([name, value]) => [name, isPlainObject(value) && !isBox(value) ? withoutBoxes(value) : value]),
  );
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const byPosition = (a: Fact, b: Fact): number => (a.position < b.position ? -1 : 1);

const entriesOf = (
  { histories }: PersonTools,
  context: RequestContext,
  facts: readonly Fact[],
): Promise<PersonEntry[]> =>
  Promise.all(facts.map(async (fact) => ({ stream: fact.stream, ...(await histories.entry(context, fact)) })));
