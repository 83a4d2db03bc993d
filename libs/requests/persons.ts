import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { customerStream } from '#domain/accounts/customer';
import { idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { personClaimStream } from '#domain/leads/person-claim';
import { familyOf } from '#domain/ledger';
import { type Erasure, erasuresStream, partsOf } from '#domain/persons/erasures';
import { lookKey, looksStream, monthOf } from '#domain/support/look';
import type { HistoryReader } from './histories.ts';
import { passingsOn } from './lead-passings.ts';
import { giveUpKeysOf } from './lost-keys.ts';
import type { NamedPerson } from './named-person.ts';
import { type PersonTools, type Records, recordsNamed, withWhatArrived } from './person-search.ts';
import { type RequestContext, requestTools, withoutRequestHash } from './request-tools.ts';
import { mustBeAccepted } from './rights.ts';

/** A person, and what goes with them. */
interface Person extends Records {
  /** Keys of the reasons for which the history of the customer was looked at. */
  readonly looks: readonly string[];
  /** Streams of the customer that are ended. */
  readonly open: readonly string[];
}

export const personErasure = z
  .object({
    customers: z.int().describe('Customers that were the person, and writers to support without an account.'),
    leads: z.int().describe('Leads that were the person.'),
  })
  .meta({ id: 'PersonErasure' });
type PersonErasure = z.infer<typeof personErasure>;

export const personErasureExample: PersonErasure = { customers: 1, leads: 2 };

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
  name: NamedPerson,
): Promise<PersonErasure> {
  const { caller } = context;
  let person = await withWhatIsTheirs(tools, caller, await recordsNamed(tools, caller, name));
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    await purgeMails(tools, caller, person);
    await record(tools, context, person, round);
    await giveUpKeysOf(tools, [{ at: tools.now(), subjects: subjectsOf(person), ends: person.open }]);
    for (const subject of subjectsOf(person)) await tools.vault.erase(subject);
    const now = await withWhatIsTheirs(tools, caller, await withWhatArrived(tools, caller, person));
    if (sizeOf(now) === sizeOf(person)) break;
    person = now;
  }
  for (const customerId of person.customerIds) await tools.sessions.forget(`customer:${customerId}`);
  // A mail that was being written when its copy would have been deleted.
  await purgeMails(tools, caller, person);
  return { customers: person.customerIds.size, leads: person.leadIds.size };
}

async function record(tools: PersonTools, context: RequestContext, person: Person, round: number): Promise<void> {
  const subjects = [...subjectsOf(person)];
  const ends = [...[...person.leadIds].map(leadStream), ...person.open];
  for (const [index, part] of partsOf({ subjects, personKeys: [...person.personKeys], ends }).entries())
    await recordPart(tools, context, part, [String(round), ...(index > 0 ? [String(index)] : [])]);
}

async function recordPart(tools: PersonTools, context: RequestContext, part: Erasure, name: string[]): Promise<void> {
  const command = { type: 'ErasePerson', at: tools.now(), ...part } as const;
  const send = async (commandId: string, asked: RequestContext) =>
    (await requestTools(tools).send('main', erasuresStream, command, { ...asked, commandId })).outcome;
  const first = await send(deriveId('erase-person', context.commandId, ...name), context);
  // Sent again with its key: what was found since is recorded before its keys are destroyed.
  const outcome =
    first.kind === 'accepted' && first.repeated ? await send(randomUUID(), withoutRequestHash(context)) : first;
  mustBeAccepted(outcome, 'the erasure');
}

const subjectsOf = ({ customerIds, leadIds, personKeys, looks }: Person): readonly string[] => [
  ...[...customerIds].map(customerStream),
  ...[...leadIds].map(leadStream),
  // What support wrote about the suppression of the person.
  ...[...personKeys].map(personClaimStream),
  ...looks,
];

const sizeOf = ({ customerIds, leadIds, looks, open }: Person): number =>
  customerIds.size + leadIds.size + looks.length + open.length;

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
  {
    rows,
    histories,
    mails,
  }: Pick<PersonTools, 'rows' | 'mails'> & { readonly histories: Pick<HistoryReader, 'facts'> },
  caller: Caller,
  { customerIds, leadIds }: { readonly customerIds: Iterable<string>; readonly leadIds: Iterable<string> },
): Promise<void> {
  if (!mails?.forget) return;
  for (const customerId of customerIds)
    for (const stream of await rows.customers.streams(caller, customerId))
      if (familyOf(stream) === 'mail') await mails.forget(idOf(stream));
  for (const leadId of leadIds)
    for (const passing of await passingsOn({ rows, histories }, caller, leadId))
      for (const stream of passing.mails) await mails.forget(idOf(stream));
}

/** With the looks at the customers, and what they still have. */
async function withWhatIsTheirs(tools: PersonTools, caller: Caller, records: Records): Promise<Person> {
  const customerIds = [...records.customerIds];
  const looks = (await Promise.all(customerIds.map((id) => looksAt(tools, id)))).flat();
  return { ...records, looks: [...new Set(looks)], open: await openStreamsOf(tools, caller, customerIds) };
}

/** Of this month too: nothing more is sealed with that key. */
async function looksAt({ histories, now }: PersonTools, customerId: string): Promise<readonly string[]> {
  const facts = await histories.facts([looksStream(customerId)]);
  return [...facts.map(({ data: { at } }) => at), now()].map((at) => lookKey(customerId, monthOf(at)));
}
