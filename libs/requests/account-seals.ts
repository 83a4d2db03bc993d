import { hash, randomBytes } from 'node:crypto';
import { normaliseBusiness } from '#domain/accounts/business';
import { formOfBusiness } from '#domain/accounts/business-form';
import {
  type CustomerCommand,
  type CustomerState,
  customerStream,
  isRegistered,
  notRegistered,
} from '#domain/accounts/customer';
import type { EndingsList } from '#domain/accounts/endings-list';
import { LINK_MINUTES, type Link } from '#domain/accounts/link';
import { type Refusal, refuse } from '#domain/kernel/decider';
import type { Purpose, Sealed, Secret } from '#domain/kernel/events';
import { addSeconds } from '#domain/kernel/instants';
import { normaliseEmail } from '#domain/leads/person-form';
import { legalEndingsOf } from '#domain/policy/policy';
import { vaultStream } from '#domain/vaults/vault-name';
import { CannotOpenBox, PersonErased, type Vault } from '#vault/vault';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

/** What the requests of accounts share: sealed values, secrets, links, and keyed hashes. Random values are generated here. */

export const seal = (vault: Vault, customerId: string, purpose: Purpose, value: unknown): Promise<Sealed> =>
  vault.seal(customerStream(customerId), purpose, value);

/** For several persons in one request: that one of them was erased does not stop the others. */
export async function sealOrRefuse(
  vault: Vault,
  subject: string,
  purpose: Purpose,
  value: unknown,
): Promise<Sealed | Refusal> {
  try {
    return await vault.seal(subject, purpose, value);
  } catch (error) {
    if (error instanceof PersonErased) return refuse(error.code, error.message);
    throw error;
  }
}

/** A sealed value that no history shows. */
export const sealSecret = async (
  vault: Vault,
  customerId: string,
  purpose: Purpose,
  value: unknown,
): Promise<Secret> => ({
  ...(await seal(vault, customerId, purpose, value)),
  secret: true,
});

/** A value that can be compared only. @returns undefined when it was erased or cannot be opened */
export async function openIfThere(vault: Vault, box: Sealed | undefined): Promise<unknown> {
  try {
    return box && (await vault.open(box));
  } catch (error) {
    if (error instanceof CannotOpenBox) return undefined;
    throw error;
  }
}

export const addressKeyOf = (vault: Vault, email: string): string =>
  vault.personKey('account-address', normaliseEmail(email));

/** The key of a name in the first form, which events of older versions have. */
export const firstBusinessKeyOf = (vault: Vault, businessAssociation: string): string =>
  vault.personKey('business', normaliseBusiness(businessAssociation));

/**
 * What DLV-3 compares: the key of a name in the present form, and beside it those of the forms that older events have.
 * @param lists the lists of legal endings that keys were made with, the newest last
 */
export function businessKeysOf(vault: Vault, name: string, lists: readonly EndingsList[]) {
  const keyWith = (list: EndingsList) => keyInList(vault, name, list);
  const newest = lists.at(-1) ?? { endings: legalEndingsOf(undefined) };
  const businessKey = keyWith(newest);
  const former = new Set([firstBusinessKeyOf(vault, name), ...lists.map(keyWith)]);
  former.delete(businessKey);
  return {
    businessKey,
    formerBusinessKeys: [...former],
    ...(newest.id !== undefined && { legalEndingsId: newest.id }),
  };
}

/** No key of one list is a key of another: a name without an ending, and the same name with it, may be two by one of them only. */
function keyInList(vault: Vault, name: string, { id, endings }: EndingsList): string {
  const form = formOfBusiness(name, endings);
  return id === undefined
    ? vault.personKey('business-form-2', form)
    : vault.personKey('business-in-list', `${id}:${form}`);
}

/** With the lists of legal endings that are in use. */
export async function presentBusinessKeysOf({ vault, stateOf }: RequestTools, name: string) {
  const { legalEndings = [] } = await stateOf<'vault'>(vaultStream);
  return businessKeysOf(vault, name, legalEndings);
}

export const hashOfToken = (token: string): string => hash('sha256', token, 'base64url');

/** A token for one use and a limited time. The log has only its hash. The token names its account, so no lookup is needed. */
export async function newLink({ vault, now }: RequestTools, customerId: string, minutes = LINK_MINUTES): Promise<Link> {
  const token = `${customerId}.${randomBytes(24).toString('base64url')}`;
  const expiresAt = addSeconds(now(), minutes * 60);
  return { token: await sealSecret(vault, customerId, 'link-token', token), tokenHash: hashOfToken(token), expiresAt };
}

type AccountChange = Exclude<CustomerCommand['type'], 'RegisterCustomer'>;

/** Creates and sends a command with sealed data: only for a caller with the right, and for an account that exists. */
export async function changeSealed(
  tools: RequestTools,
  customerId: string,
  type: AccountChange,
  context: RequestContext,
  make: (state: CustomerState) => Promise<CustomerCommand | Refusal>,
): Promise<Receipt> {
  const stream = customerStream(customerId);
  const state = await tools.stateOf<'customer'>(stream);
  const refusal = checkRightEarly(stream, { type }, state, context);
  if (refusal) return tools.refuse(customerId, stream, refusal, context);
  return tools.send(customerId, stream, isRegistered(state) ? await make(state) : notRegistered, context);
}
