import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { addressStream } from '#domain/accounts/address';
import { customerStream, isRegistered, notRegistered } from '#domain/accounts/customer';
import { idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { refuse } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { familyOf } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import { replacementIdOf, replacementStream } from '#domain/replacements/replacement';
import { lookKey, looksStream, monthOf } from '#domain/support/look';
import { StoreUnavailable } from '#event-store/port';
import { exampleIds } from '#read-models/models/examples';
import { deliveredLeadRow } from '#read-models/models/leads';
import { addressKeyOf, openIfThere } from './account-seals.ts';
import { isErased } from './address-claim.ts';
import { personKeys } from './leads.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import { type RequestContext, requestTools } from './request-tools.ts';
import { RequestRefused } from './rights.ts';
import { factsAbout, recordLook, streamEvent, streamEventExample } from './whole-history.ts';

/** By what a person is named: one of these. All records of the person are found by it. */
export interface PersonRequest {
  readonly customerId?: string | undefined;
  readonly leadId?: string | undefined;
  readonly telephone?: string | undefined;
  readonly email?: string | undefined;
}

/** What the store knows a person as. */
interface Person {
  readonly customerIds: readonly string[];
  readonly leadIds: readonly string[];
  /** Keyed hashes of telephone numbers and e-mail addresses. */
  readonly personKeys: readonly string[];
  /** Those, and the hashes of all leads that were found: no lead with one of them is stored again. */
  readonly blocked: readonly string[];
  /** Keys of the reasons for which the history of the customer was looked at. */
  readonly looks: readonly string[];
  /** Streams of the customer that are ended. */
  readonly open: readonly string[];
}

export type PersonTools = QueryTools & QueryDependencies;

export const personErasure = z
  .object({
    customers: z.int().describe('Customers that were the person.'),
    leads: z.int().describe('Leads that were the person.'),
  })
  .meta({ id: 'PersonErasure' });
type PersonErasure = z.infer<typeof personErasure>;

export const personErasureExample: PersonErasure = { customers: 1, leads: 2 };

const history = z.array(streamEvent).describe('All that is recorded, oldest first, opened.');

const { customerId, orderId, deliveredAt } = deliveredLeadRow.shape;

export const personExport = z
  .object({
    asCustomer: z
      .array(z.object({ customerId: z.string().describe('Id of the customer.'), history }))
      .describe('As a customer.'),
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
  async export(context: RequestContext, request: PersonRequest): Promise<PersonExport> {
    const { customerIds, leadIds } = await find(tools, context.caller, request);
    return {
      asCustomer: await Promise.all(customerIds.map((customerId) => asCustomer(tools, context, customerId))),
      asLead: await Promise.all(leadIds.map((leadId) => asLead(tools, context, leadId))),
    };
  },
});

/**
 * How often more may be found, because it arrived while the erasure was under way. What arrives after the fact is ended by the
 * process.
 */
const MAX_ROUNDS = 5;

/**
 * Erases a person. The fact comes first: after a crash, the next start destroys the keys. What the person still had is
 * ended by a process that follows the fact.
 * @throws RequestRefused, ErasureIncomplete, StoreUnavailable
 */
export async function erasePerson(
  tools: PersonTools,
  context: RequestContext,
  request: PersonRequest,
): Promise<PersonErasure> {
  let person = await find(tools, context.caller, request);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    await purgeMails(tools, context.caller, person);
    await record(tools, context, person, round);
    for (const subject of subjectsOf(person)) await tools.vault.erase(subject);
    const now = await findAll(tools, context.caller, person);
    if (sizeOf(now) === sizeOf(person)) break;
    person = now;
  }
  // A mail that was being written when its copy would have been deleted.
  await purgeMails(tools, context.caller, person);
  return { customers: person.customerIds.length, leads: person.leadIds.length };
}

async function record(tools: PersonTools, context: RequestContext, person: Person, round: number): Promise<void> {
  const subjects = [...subjectsOf(person)];
  const ends = [...person.leadIds.map(leadStream), ...person.open];
  const command = { type: 'ErasePerson', at: tools.now(), subjects, personKeys: [...person.blocked], ends } as const;
  const send = async (commandId: string, asked: RequestContext) =>
    (await requestTools(tools).send('main', erasuresStream, command, { ...asked, commandId })).outcome;
  const first = await send(deriveId('erase-person', context.commandId, String(round)), context);
  // Sent again with its key: what was found since is recorded before its keys are destroyed.
  const outcome =
    first.kind === 'accepted' && first.repeated ? await send(randomUUID(), withoutRequestHash(context)) : first;
  if (outcome.kind === 'refused') throw new RequestRefused(outcome.refusal);
  if (outcome.kind === 'key-reused') throw new RequestRefused(keyReused);
  if (outcome.kind !== 'accepted') throw new Error(`the erasure was not recorded: ${outcome.kind}`);
}

const keyReused = refuse('key-reused', 'this Idempotency-Key came with another body before');

const withoutRequestHash = ({ requestHash: _, ...context }: RequestContext): RequestContext => context;

const subjectsOf = ({ customerIds, leadIds, looks }: Person): readonly string[] => [
  ...customerIds.map(customerStream),
  ...leadIds.map(leadStream),
  ...looks,
];

const sizeOf = ({ leadIds, looks, open }: Person): number => leadIds.length + looks.length + open.length;

/** Families of streams that are ended when their customer is erased. */
const ended: readonly string[] = ['order', 'programme', 'ticket', 'address'];

export async function openStreamsOf(
  { rows }: Pick<PersonTools, 'rows'>,
  caller: Caller,
  customerIds: readonly string[],
): Promise<readonly string[]> {
  const streams = await Promise.all(customerIds.map((customerId) => rows.customers.streams(caller, customerId)));
  return streams.flat().filter((stream) => ended.includes(familyOf(stream)));
}

/** Copies of mails to the person, and of mails that show the contact of the lead to its customer. */
export async function purgeMails(
  { rows, mails }: Pick<PersonTools, 'rows' | 'mails'>,
  caller: Caller,
  { customerIds, leadIds }: { readonly customerIds: Iterable<string>; readonly leadIds: Iterable<string> },
): Promise<void> {
  if (!mails?.forget) return;
  for (const customerId of customerIds)
    for (const stream of await rows.customers.streams(caller, customerId))
      if (familyOf(stream) === 'mail') await mails.forget(idOf(stream));
  for (const leadId of leadIds)
    for (const { customerId, deliveredAt } of await rows.leads.deliveries(caller, leadId))
      for (const mailId of await rows.mails.about(caller, customerId, deliveredAt)) await mails.forget(mailId);
}

/** @throws StoreUnavailable when the read models are too far behind to find everything */
async function find(tools: PersonTools, caller: Caller, request: PersonRequest): Promise<Person> {
  const customerIds = await customersOf(tools, caller, request);
  const keys = [
    ...Object.values(personKeys(tools.vault, request)),
    ...(request.leadId === undefined ? [] : await keysOfLead(tools, request.leadId)),
    ...(await Promise.all(customerIds.map((customerId) => keysOfCustomer(tools, customerId)))).flat(),
  ];
  const leadIds = request.leadId === undefined ? [] : [request.leadId];
  const known = [...new Set(keys)];
  return findAll(tools, caller, { customerIds, leadIds, personKeys: known, blocked: known, looks: [], open: [] });
}

const MILLISECONDS_TO_CATCH_UP = 30_000;

/** @throws StoreUnavailable */
async function mustBeUpToDate({ events, readModels }: PersonTools): Promise<void> {
  if (!(await readModels.waitFor(await events.head(), MILLISECONDS_TO_CATCH_UP)))
    throw new StoreUnavailable('the read models are behind the log, so not everything would be found: try again');
}

/** The same person, with all that there is now. */
async function findAll(tools: PersonTools, caller: Caller, person: Person): Promise<Person> {
  const { rows } = tools;
  await mustBeUpToDate(tools);
  const leadIds = [...new Set([...person.leadIds, ...(await rows.leads.ofPerson(caller, person.personKeys))])];
  const looks = [...new Set((await Promise.all(person.customerIds.map((id) => looksAt(tools, id)))).flat())];
  const blocked = [
    ...person.blocked,
    ...(await Promise.all(leadIds.map((leadId) => keysOfLead(tools, leadId)))).flat(),
  ];
  const open = await openStreamsOf(tools, caller, person.customerIds);
  return { ...person, leadIds, blocked: [...new Set(blocked)], looks, open };
}

/** Of this month too: nothing more is sealed with that key. */
async function looksAt({ histories, now }: PersonTools, customerId: string): Promise<readonly string[]> {
  const facts = await histories.facts([looksStream(customerId)]);
  return [...facts.map(({ data: { at } }) => at), now()].map((at) => lookKey(customerId, monthOf(at)));
}

/** An address that is not confirmed yet finds its customer too, until the customer is erased. */
async function customersOf(
  tools: PersonTools,
  caller: Caller,
  { customerId, email }: PersonRequest,
): Promise<readonly string[]> {
  if (customerId !== undefined) {
    if (!isRegistered(await tools.stateOf<'customer'>(customerStream(customerId))))
      throw new RequestRefused(notRegistered);
    return [customerId];
  }
  if (email === undefined) return [];
  const addressKey = addressKeyOf(tools.vault, email);
  const { customerId: holder } = await tools.stateOf<'address'>(addressStream(addressKey));
  await mustBeUpToDate(tools);
  const waiting = await tools.rows.customers.waitingFor(caller, addressKey);
  const erased = await Promise.all(waiting.map((waitingId) => isErased(tools, waitingId)));
  return [...new Set([...(holder === undefined ? [] : [holder]), ...waiting.filter((_, index) => !erased[index])])];
}

/** A customer may be a lead too, under the same address. An erased one is found by its id only. */
async function keysOfCustomer({ stateOf, vault }: PersonTools, customerId: string): Promise<readonly string[]> {
  const { email } = await stateOf<'customer'>(customerStream(customerId));
  const opened = await openIfThere(vault, email);
  return typeof opened === 'string' ? Object.values(personKeys(vault, { email: opened })) : [];
}

/** @throws RequestRefused for a lead that does not exist: an id that was typed is not recorded */
async function keysOfLead({ stateOf }: PersonTools, leadId: string): Promise<readonly string[]> {
  const { status, telephoneKey, emailKey } = await stateOf<'lead'>(leadStream(leadId));
  if (status === 'unknown') throw new RequestRefused(refuse('lead-unknown', 'there is no such lead'));
  return [telephoneKey, emailKey].filter((key) => key !== undefined);
}

/** Also who looked at the history, when, and why: the look of this export is the last one. */
async function asCustomer(tools: PersonTools, context: RequestContext, customerId: string) {
  const { outcome } = await recordLook(requestTools(tools), customerId, context);
  if (outcome.kind === 'refused') throw new RequestRefused(outcome.refusal);
  const facts = [
    ...(await factsAbout(tools, context, customerId)),
    ...(await tools.histories.facts([looksStream(customerId)])),
  ].sort((a, b) => (a.position < b.position ? -1 : 1));
  return { customerId, history: await entriesOf(tools, context, facts) };
}

async function asLead(tools: PersonTools, context: RequestContext, leadId: string) {
  const rows = await tools.rows.leads.deliveries(context.caller, leadId);
  const returns = rows.map(({ orderId }) => replacementStream(replacementIdOf(orderId, leadId)));
  const facts = await tools.histories.facts([leadStream(leadId), ...returns]);
  const deliveries = rows.map(({ customerId, orderId, deliveredAt }) => ({ customerId, orderId, deliveredAt }));
  return { leadId, deliveries, history: await entriesOf(tools, context, facts) };
}

const entriesOf = (
  { histories }: PersonTools,
  context: RequestContext,
  facts: Awaited<ReturnType<typeof factsAbout>>,
): Promise<PersonEntry[]> =>
  Promise.all(facts.map(async (fact) => ({ stream: fact.stream, ...(await histories.entry(context, fact)) })));
