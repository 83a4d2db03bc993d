import { type AddressCommand, addressStream } from '#domain/accounts/address';
import { type CustomerCommand, customer, customerStream } from '#domain/accounts/customer';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { erasuresStream } from '#domain/persons/erasures';
import { CannotOpenBox } from '#vault/vault';
import { addressKeyOf } from './account-seals.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';

type ClaimAddress = Extract<AddressCommand, { type: 'ClaimAddress' }>;

/**
 * Claims an e-mail address for a customer: one address belongs to one account.
 * @returns the refusal when the address is not available; undefined when it is claimed
 */
export async function claimAddress(
  tools: RequestTools,
  addressKey: string,
  command: ClaimAddress,
  context: RequestContext,
): Promise<Refusal | undefined> {
  const step = (what: string, asked: AddressCommand) => stepOfAddress(tools, addressKey, what, asked, context);
  const refusal = await step('claim-address', command);
  const { customerId } = await tools.stateOf<'address'>(addressStream(addressKey));
  if (!refusal || customerId === undefined || !(await isErased(tools, customerId))) return refusal;
  // An erased person no longer has an address.
  await step('release-address', { type: 'ReleaseAddress', at: command.at, customerId });
  return step('claim-address', command);
}

/** One step of a request, in the stream of an address. @returns why it is refused */
export async function stepOfAddress(
  tools: RequestTools,
  addressKey: string,
  what: string,
  command: AddressCommand,
  { caller, commandId: parentId }: Pick<RequestContext, 'caller' | 'commandId'>,
): Promise<Refusal | undefined> {
  const commandId = deriveId(what, parentId, addressKey);
  const { outcome } = await tools.send(addressKey, addressStream(addressKey), command, { caller, commandId });
  return outcome.kind === 'refused' ? outcome.refusal : undefined;
}

/** Whether a command would change its account: no address is claimed for a command that is refused or already carried out. */
export async function changesAccount(
  { streams }: RequestTools,
  customerId: string,
  command: CustomerCommand,
  { ifRevision }: RequestContext,
): Promise<boolean> {
  const { state, revision } = await streams.read<'customer'>(customerStream(customerId));
  const decision = customer.decide(command, state);
  return !isRefusal(decision) && decision.length > 0 && (ifRevision ?? revision) === revision;
}

type PersonTools = Pick<RequestTools, 'vault'> & { readonly streams: Pick<RequestTools['streams'], 'read'> };

/** Its erasure is recorded, or its key is destroyed. A customer without an e-mail address may have no key. */
export async function isErased(tools: PersonTools, customerId: string): Promise<boolean> {
  const { state: erasures } = await tools.streams.read<'erasures'>(erasuresStream);
  return erasures.subjects.has(customerStream(customerId)) || (await destroyedKeyOf(tools, customerId)) !== undefined;
}

/**
 * Whose key is missing or damaged is not erased: it may come back from a backup.
 * @returns the id of a customer's key, if it was destroyed: the customer was erased
 */
export async function destroyedKeyOf({ streams, vault }: PersonTools, customerId: string): Promise<string | undefined> {
  const { email } = (await streams.read<'customer'>(customerStream(customerId))).state;
  if (email === undefined) return undefined;
  try {
    return (await vault.open(email)) === undefined ? email.keyId : undefined;
  } catch (error) {
    if (error instanceof CannotOpenBox) return undefined;
    throw error;
  }
}

export async function holderOf(
  { stateOf, vault }: Pick<RequestTools, 'stateOf' | 'vault'>,
  email: string,
): Promise<string | undefined> {
  return (await stateOf<'address'>(addressStream(addressKeyOf(vault, email)))).customerId;
}
