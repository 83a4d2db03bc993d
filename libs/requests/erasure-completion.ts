import { randomUUID } from 'node:crypto';
import { factsOf } from '#audit/history';
import { decode, idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { familyOf } from '#domain/ledger';
import { type Erasure, erasuresStream, partsOf } from '#domain/persons/erasures';
import { lookKey, looksStream, monthOf } from '#domain/support/look';
import { hashOfEvent } from '#event-store/event-hash';
import { StoreUnavailable } from '#event-store/port';
import type { SessionStore } from '#sessions/session-store';
import { giveUpKeysOf } from './lost-keys.ts';
import { openStreamsOf, purgeMails } from './persons.ts';
import type { QueryDependencies } from './query-tools.ts';
import { requestTools } from './request-tools.ts';

type CompletionTools = Pick<
  QueryDependencies,
  'events' | 'readModels' | 'mails' | 'vault' | 'streams' | 'clock' | 'dispatch'
> & { readonly sessions: SignInsToForget };
export type SignInsToForget = Pick<SessionStore, 'forget'>;

type Names = readonly string[];

const caller: Caller = { kind: 'process', actor: 'process:erasure-completion', roles: ['process'], stores: 'all' };
const MILLISECONDS_TO_CATCH_UP = 30_000;

/**
 * Does once more what the request of an erasure does, because a crash may have interrupted it: the keys are destroyed, copies of
 * mails deleted, sign-ins forgotten, the address is released.
 * @returns what is there besides, and is to be recorded: leads with one of the keys, what the customer still has, and the
 * keys of reasons of looks until the erasure
 * @throws StoreUnavailable when the read models are too far behind to find everything
 */
export async function completeErasure(
  tools: CompletionTools,
  { at, subjects, personKeys, ends }: Erasure & { readonly at: Instant },
): Promise<Erasure> {
  const { readModels, events, vault, streams, sessions } = tools;
  await giveUpKeysOf(tools, [{ at, subjects, ends }]);
  await vault.eraseAgain(subjects);
  if (!(await readModels.waitFor(await events.head(), MILLISECONDS_TO_CATCH_UP)))
    throw new StoreUnavailable('the read models are behind the log: the erasure is completed when they have caught up');
  const rows = readModels.queries;
  const known = (await streams.read<'erasures'>(erasuresStream)).state.subjects;
  const idsOf = (family: string) => subjects.filter((subject) => familyOf(subject) === family).map(idOf);
  const customerIds = idsOf('customer');
  for (const customerId of customerIds) await sessions.forget(`customer:${customerId}`);
  for (const memberId of idsOf('staff')) await sessions.forget(`staff:${memberId}`);
  const found = await rows.leads.ofPerson(caller, [...personKeys]);
  const newLeads = found.filter((leadId) => !known.has(leadStream(leadId)));
  const histories = { facts: (streams: Names) => factsOf(events, streams, { hashOf: hashOfEvent }) };
  await purgeMails({ ...tools, rows, histories }, caller, { customerIds, leadIds: [...idsOf('lead'), ...newLeads] });
  const open = await openStreamsOf({ rows }, caller, customerIds);
  await releaseAddresses(tools, open, customerIds);
  return firstRecorded(tools, {
    subjects: [...newLeads.map(leadStream), ...(await reasonsOfLooks(tools, customerIds, at))],
    personKeys: await personKeysOf(tools, newLeads),
    ends: [...newLeads.map(leadStream), ...open],
  });
}

/** Records all but the last part of what was found. After a crash in between, the next start finds the rest again. @returns that part */
async function firstRecorded(tools: CompletionTools, found: Erasure): Promise<Erasure> {
  const { send, now } = requestTools(tools);
  const parts = partsOf(found);
  for (const part of parts.slice(0, -1)) {
    const { outcome } = await send('main', erasuresStream, { type: 'ErasePerson', at: now(), ...part }, contextOf());
    if (outcome.kind !== 'accepted') throw new StoreUnavailable(`the erasure was not recorded: ${outcome.kind}`);
  }
  return parts.at(-1) as Erasure;
}

const contextOf = () => ({ caller, commandId: randomUUID() });

/** The process that ends what an erasure names does not know who has an address, unless the erasure names the customer too. */
async function releaseAddresses(tools: CompletionTools, open: Names, customerIds: Names): Promise<void> {
  const { send, now, streams } = requestTools(tools);
  for (const stream of open) {
    if (familyOf(stream) !== 'address') continue;
    const { customerId } = (await streams.read<'address'>(stream as `address-${string}`)).state;
    if (customerId === undefined || !customerIds.includes(customerId)) continue;
    const commandId = deriveId('release-address-of-erased', stream, customerId);
    await send(idOf(stream), stream, { type: 'ReleaseAddress', at: now(), customerId }, { caller, commandId });
  }
}

/** Reasons of later looks are sealed with another key. */
async function reasonsOfLooks({ events }: CompletionTools, customerIds: Names, at: Instant): Promise<Names> {
  const keys = new Set<string>();
  for (const customerId of customerIds) {
    keys.add(lookKey(customerId, monthOf(at)));
    for await (const stored of events.readStream(looksStream(customerId))) {
      const month = monthOf(decode(stored).data.at);
      if (month <= monthOf(at)) keys.add(lookKey(customerId, month));
    }
  }
  return [...keys];
}

export async function personKeysOf({ streams }: Pick<CompletionTools, 'streams'>, leadIds: Names): Promise<Names> {
  const keys: string[] = [];
  for (const leadId of leadIds) {
    const { telephoneKey, emailKey } = (await streams.read<'lead'>(leadStream(leadId))).state;
    keys.push(...[telephoneKey, emailKey].filter((key) => key !== undefined));
  }
  return keys;
}
