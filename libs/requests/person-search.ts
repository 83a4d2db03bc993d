import { addressStream } from '#domain/accounts/address';
import { customerStream, notRegistered } from '#domain/accounts/customer';
import type { Caller } from '#domain/kernel/caller';
import { refuse } from '#domain/kernel/decider';
import type { Contact } from '#domain/leads/contact';
import { leadStream } from '#domain/leads/lead';
import { normaliseEmail } from '#domain/leads/person-form';
import { StoreUnavailable } from '#event-store/port';
import type { CallBackRow } from '#read-models/models/histories';
import { addressKeyOf, openIfThere } from './account-seals.ts';
import { isErased } from './address-claim.ts';
import { personKeys } from './lead-receipt.ts';
import type { NamedPerson } from './named-person.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import { RequestRefused } from './rights.ts';
import { addressesOfWriter, isKnown, writersWith } from './writers.ts';

type Names = ReadonlySet<string>;

/** What the store has of a person, and by what it was found. */
export interface Records {
  readonly customerIds: Names;
  readonly leadIds: Names;
  /** Keyed hashes of telephone numbers and e-mail addresses of leads. */
  readonly personKeys: Names;
  /** E-mail addresses in clear text: they are compared, and never recorded. */
  readonly emails: Names;
}

export type PersonTools = QueryTools & QueryDependencies;

const kinds = ['customerIds', 'leadIds', 'personKeys', 'emails'] as const;

const records = (found: Partial<Record<keyof Records, Iterable<string>>>): Records =>
  Object.fromEntries(kinds.map((kind) => [kind, new Set(found[kind])])) as Record<keyof Records, Set<string>>;

/**
 * All records of a person (ADR 26). Whichever record or address of them is named, the same are found.
 * @throws RequestRefused for an id that does not exist; StoreUnavailable when the read models are too far behind to find all
 */
export async function recordsNamed(tools: PersonTools, caller: Caller, name: NamedPerson): Promise<Records> {
  const { customerId, leadId, email } = name;
  if (leadId !== undefined) await keysOfLead(tools, leadId);
  await mustBeUpToDate(tools);
  if (customerId !== undefined && !(await isKnown(tools, caller, customerId))) throw new RequestRefused(notRegistered);
  const customers = email === undefined ? [] : await customersWaitingFor(tools, caller, email);
  const named = records({
    customerIds: customerId === undefined ? customers : [customerId],
    leadIds: leadId === undefined ? [] : [leadId],
    personKeys: Object.values(personKeys(tools.vault, name)),
    emails: email === undefined ? [] : [normaliseEmail(email)],
  });
  return grown(tools, caller, records({}), named);
}

/**
 * With the leads that arrived since, and what belongs to them. Who had an address when the person was named is not asked
 * again: since the person is erased, somebody else may have it.
 * @throws StoreUnavailable
 */
export async function withWhatArrived(tools: PersonTools, caller: Caller, found: Records): Promise<Records> {
  await mustBeUpToDate(tools);
  const leadIds = await tools.rows.leads.ofPerson(caller, [...found.personKeys]);
  return grown(tools, caller, found, without(found, records({ leadIds })));
}

/** With all that has the same telephone number or e-mail address, again and again, until nothing is new. */
async function grown(tools: PersonTools, caller: Caller, found: Records, added: Records): Promise<Records> {
  if (kinds.every((kind) => added[kind].size === 0)) return found;
  const both = records(Object.fromEntries(kinds.map((kind) => [kind, [...found[kind], ...added[kind]]])));
  return grown(tools, caller, both, without(both, await besides(tools, caller, added)));
}

const without = (known: Records, found: Records): Records =>
  records(Object.fromEntries(kinds.map((kind) => [kind, [...found[kind]].filter((one) => !known[kind].has(one))])));

/** One step: by what these records are found, and what is found by these keys and addresses. */
async function besides(tools: PersonTools, caller: Caller, from: Records): Promise<Records> {
  const { customerIds, leadIds, personKeys: keys, emails } = from;
  const [ofLeads, customers, addresses, numbers] = [
    await each(leadIds, (leadId) => lead(tools, caller, leadId)),
    await each(emails, (email) => customersWith(tools, caller, email)),
    await each(customerIds, (customerId) => addressesOf(tools, caller, customerId)),
    await each(customerIds, (customerId) => numbersOf(tools, caller, customerId)),
  ];
  return records({
    customerIds: [
      ...customers,
      ...ofLeads.flatMap((found) => found.customers),
      ...(await customersToCall(tools, caller, keys)),
    ],
    leadIds: await tools.rows.leads.ofPerson(caller, [...keys]),
    personKeys: [
      ...ofLeads.flatMap((found) => found.keys),
      ...numbers,
      ...[...emails].flatMap((email) => Object.values(personKeys(tools.vault, { email }))),
    ],
    emails: [...ofLeads.flatMap((found) => found.emails), ...addresses],
  });
}

/** One after another: a person may have thousands of records. */
async function each<Found>(names: Names, find: (name: string) => Promise<readonly Found[]>): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of names) found.push(...(await find(name)));
  return found;
}

const MILLISECONDS_TO_CATCH_UP = 30_000;

/** @throws StoreUnavailable */
async function mustBeUpToDate({ events, readModels }: PersonTools): Promise<void> {
  if (!(await readModels.waitFor(await events.head(), MILLISECONDS_TO_CATCH_UP)))
    throw new StoreUnavailable('the read models are behind the log, so not everything would be found: try again');
}

/** Its keys stay when it is erased; its address is lost then. A duplicate has only keys. */
async function lead(tools: PersonTools, caller: Caller, leadId: string) {
  const row = await tools.rows.leads.find(caller, leadId);
  const customers = row?.duplicateOf ? await customersOfDuplicate(tools, leadId) : [];
  const { email } = ((await openIfThere(tools.vault, row?.contact ?? undefined)) ?? {}) as Contact;
  const emails = email === undefined ? [] : [normaliseEmail(email)];
  return [{ keys: await keysOfLead(tools, leadId), emails, customers }];
}

async function customersOfDuplicate(tools: PersonTools, leadId: string): Promise<readonly string[]> {
  const facts = await tools.histories.facts([leadStream(leadId)]);
  const addressKeys = facts.flatMap(({ type, data }) => (type === 'DuplicateReceived' ? [data.addressKey] : []));
  const found = addressKeys.filter((key) => key !== undefined).map((key) => customersWithKey(tools, key));
  return (await Promise.all(found)).flat();
}

/** @throws RequestRefused for a lead that does not exist: an id that was typed is not recorded */
async function keysOfLead({ stateOf }: PersonTools, leadId: string): Promise<readonly string[]> {
  const { status, telephoneKey, emailKey } = await stateOf<'lead'>(leadStream(leadId));
  if (status === 'unknown') throw new RequestRefused(refuse('lead-unknown', 'there is no such lead'));
  return [telephoneKey, emailKey].filter((key) => key !== undefined);
}

/** Nobody has checked the claim: it finds its customer, and leads from the customer to nobody. */
async function customersWaitingFor(tools: PersonTools, caller: Caller, email: string): Promise<readonly string[]> {
  const waiting = await tools.rows.customers.waitingFor(caller, addressKeyOf(tools.vault, email));
  return present(tools, waiting);
}

/** An erased customer is found by its id only. */
async function present(tools: PersonTools, customerIds: readonly string[]): Promise<readonly string[]> {
  const erased = await Promise.all(customerIds.map((customerId) => isErased(tools, customerId)));
  return customerIds.filter((_, index) => !erased[index]);
}

/** Who asked with a ticket to be called back at one of these numbers. */
async function customersToCall(tools: PersonTools, caller: Caller, keys: Names): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const callBack of await tools.rows.customers.callBacksTo(caller, [...keys]))
    if ((await numberIn(tools, callBack)).some((key) => keys.has(key))) found.add(callBack.customerId);
  return present(tools, [...found]);
}

const numbersOf = async (tools: PersonTools, caller: Caller, customerId: string): Promise<readonly string[]> =>
  (
    await Promise.all((await tools.rows.customers.callBacks(caller, customerId)).map((one) => numberIn(tools, one)))
  ).flat();

/** Its keyed hash. Tickets of older versions have the number alone. */
async function numberIn({ vault }: PersonTools, { telephone, telephoneKey }: CallBackRow): Promise<readonly string[]> {
  if (telephoneKey !== null) return [telephoneKey];
  const opened = await openIfThere(vault, telephone);
  return typeof opened === 'string' ? Object.values(personKeys(vault, { telephone: opened })) : [];
}

/** Who has the address, or had it last, and who wrote with it to support and has no account. */
const customersWith = async (tools: PersonTools, caller: Caller, email: string): Promise<readonly string[]> => [
  ...(await customersWithKey(tools, addressKeyOf(tools.vault, email))),
  ...(await writersWith(tools, caller, email)),
];

async function customersWithKey(tools: PersonTools, addressKey: string): Promise<readonly string[]> {
  const holder = await lastHolderOf(tools, addressKey);
  return holder === undefined ? [] : present(tools, [holder]);
}

/** The addresses by which a customer is found: the present one, and earlier ones that nobody else had since. */
async function addressesOf(tools: PersonTools, caller: Caller, customerId: string): Promise<readonly string[]> {
  const found: string[] = [...(await addressesOfWriter(tools, caller, customerId))];
  for (const { email, addressKey } of await confirmedAddresses(tools, customerId)) {
    const opened = await openIfThere(tools.vault, email);
    const holder = addressKey && (await lastHolderOf(tools, addressKey));
    if (typeof opened === 'string' && (holder ?? customerId) === customerId) found.push(normaliseEmail(opened));
  }
  return found;
}

/** Also an erased one: a repeat of an erasure must not find who had the address before. */
async function lastHolderOf(tools: PersonTools, addressKey: string): Promise<string | undefined> {
  const stream = addressStream(addressKey);
  const { customerId } = await tools.stateOf<'address'>(stream);
  if (customerId !== undefined) return customerId;
  const claims = (await tools.histories.facts([stream])).filter((claim) => claim.type === 'AddressClaimed');
  for (const { data } of claims.toReversed())
    if ((await confirmedAddresses(tools, data.customerId)).some((one) => one.addressKey === addressKey))
      return data.customerId;
  return undefined;
}

/** A claim that was not followed by one of these came to nothing. */
async function confirmedAddresses({ histories }: PersonTools, customerId: string) {
  const facts = await histories.facts([customerStream(customerId)]);
  return facts.flatMap(({ type, data }) =>
    type === 'CustomerRegistered' || type === 'EmailChanged'
      ? [{ email: data.email, addressKey: data.addressKey }]
      : [],
  );
}
