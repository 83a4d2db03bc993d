import { customerStream, isRegistered } from '#domain/accounts/customer';
import type { Caller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { normaliseEmail } from '#domain/leads/person-form';
import { familyOf } from '#domain/ledger';
import { addressKeyOf, openIfThere } from './account-seals.ts';
import { holderOf, isErased } from './address-claim.ts';
import type { QueryTools } from './query-tools.ts';
import type { RequestTools } from './request-tools.ts';

/** Who writes to support by mail (ADR 56). */
export interface Writer {
  /** Of the account with this address, else an id that is made from the address. */
  readonly customerId: string;
  readonly isCustomer: boolean;
  readonly storeId: string;
  /** All ids under which somebody with this address has written, and who is not erased. */
  readonly ids: readonly string[];
}

type Tools = Pick<RequestTools, 'vault'> & { readonly streams: Pick<RequestTools['streams'], 'read'> };

/** A customer of another store is unknown in this one. */
export async function writerOf(tools: RequestTools, from: string, storeId: string): Promise<Writer> {
  const unknown = await unknownWriter(tools, from);
  const holder = await holderOf(tools, from);
  if (holder === undefined || (await isErased(tools, holder)))
    return { customerId: unknown, isCustomer: false, storeId, ids: [unknown] };
  const customer = await tools.stateOf<'customer'>(customerStream(holder));
  const isCustomer = isRegistered(customer) && customer.storeId === storeId;
  return { customerId: isCustomer ? holder : unknown, isCustomer, storeId, ids: [unknown, holder] };
}

/** The id of whoever has this address and no account. Whoever writes after an erasure is somebody new. */
export async function unknownWriter(tools: Tools, email: string): Promise<string> {
  const addressKey = addressKeyOf(tools.vault, email);
  for (let erasures = 0; ; erasures += 1) {
    const id = deriveId('unknown-writer', addressKey, ...(erasures > 0 ? [String(erasures)] : []));
    if (!(await isErased(tools, id))) return id;
  }
}

type PersonTools = Tools & Pick<QueryTools, 'rows' | 'histories'>;

/** A customer, or somebody without an account who wrote to support. */
export const isKnown = async (
  tools: Pick<QueryTools, 'rows' | 'stateOf'>,
  caller: Caller,
  customerId: string,
): Promise<boolean> =>
  isRegistered(await tools.stateOf<'customer'>(customerStream(customerId))) ||
  (await hasWritten(tools, caller, customerId));

const hasWritten = async ({ rows }: Pick<QueryTools, 'rows'>, caller: Caller, id: string): Promise<boolean> =>
  (await ticketsOf({ rows }, caller, id)).length > 0;

/** The writer with this address, if there is one. */
export async function writersWith(tools: PersonTools, caller: Caller, email: string): Promise<readonly string[]> {
  const id = await unknownWriter(tools, email);
  return (await hasWritten(tools, caller, id)) ? [id] : [];
}

/** The address of a writer without an account. It is lost with an erasure. */
export async function addressesOfWriter(tools: PersonTools, caller: Caller, id: string): Promise<readonly string[]> {
  const facts = await tools.histories.facts(await ticketsOf(tools, caller, id));
  for (const { type, data } of facts) {
    const box = type === 'TicketOpened' || type === 'LetterSetAside' ? data.answerTo : undefined;
    const opened = await openIfThere(tools.vault, box);
    if (typeof opened === 'string') return [normaliseEmail(opened)];
  }
  return [];
}

const ticketsOf = async ({ rows }: Pick<QueryTools, 'rows'>, caller: Caller, id: string): Promise<readonly string[]> =>
  (await rows.customers.streams(caller, id)).filter((stream) => familyOf(stream) === 'ticket');
