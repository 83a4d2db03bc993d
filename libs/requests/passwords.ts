import { setTimeout as wait } from 'node:timers/promises';
import { type CustomerState, customerStream, isRecovery, isRegistered, wrongPassword } from '#domain/accounts/customer';
import { linkInvalid } from '#domain/accounts/link';
import { isRefusal } from '#domain/kernel/decider';
import type { Secret } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { ID } from '#domain/kernel/text';
import type { Vault } from '#vault/vault';
import { changeSealed, hashOfToken, newLink, openIfThere } from './account-seals.ts';
import { holderOf, isErased } from './address-claim.ts';
import { chosenVerifierOf, sealedVerifier } from './chosen-password.ts';
import { customerErased } from './erased-customers.ts';
import { matches, type Verifier } from './password-hash.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';

interface NewPassword {
  readonly password: string;
  readonly currentPassword?: string;
}

type Accounts = Pick<RequestTools, 'stateOf' | 'vault'>;

/** Every answer to "I forgot my password" takes at least this long, whether the account exists or not (ACC-3). */
const RECOVERY_MILLISECONDS = 300;

/** Passwords: set and lost (ACC). Verifiers and tokens are sealed as secrets. */
export const passwordRequests = (tools: RequestTools) => ({
  set: (customerId: string, password: NewPassword, context: RequestContext) =>
    set(tools, customerId, password, context),
  /** ACC-3. The answer does not show whether the account exists: the mail goes to its registered address. */
  async requestRecovery(email: string, context: RequestContext): Promise<void> {
    await Promise.all([requestRecovery(tools, email, context), wait(RECOVERY_MILLISECONDS)]);
  },
  recover: (token: string, password: string, context: RequestContext) => recover(tools, token, password, context),
});

/** ACC-4. A customer who has a password must send it; the first password is chosen freely (ACC-1). */
const set = (
  tools: RequestTools,
  customerId: string,
  { password, currentPassword = '' }: NewPassword,
  context: RequestContext,
): Promise<Receipt> =>
  changeSealed(tools, customerId, 'SetPassword', context, async (account) => {
    const { verifier } = account;
    // The verifier is lost with the key: no password would be the right one.
    if (await isErased(tools, customerId)) return customerErased;
    if (verifier && !(await isRight(tools.vault, verifier, currentPassword))) return wrongPassword;
    const chosen = await chosenVerifierOf(tools, account, password);
    if (isRefusal(chosen)) return chosen;
    const secret = await sealedVerifier(tools, customerId, chosen);
    return { type: 'SetPassword', at: tools.now(), verifier: secret, ...(verifier && { checked: verifier }) };
  });

async function requestRecovery(tools: RequestTools, email: string, context: RequestContext): Promise<void> {
  const customerId = await holderOf(tools, email);
  if (customerId === undefined) return;
  const stream = customerStream(customerId);
  if (!isRegistered(await tools.stateOf<'customer'>(stream)) || (await isErased(tools, customerId))) return;
  const link = await newLink(tools, customerId);
  const command = { type: 'RequestPasswordRecovery', at: tools.now(), ...link } as const;
  await tools.send(customerId, stream, command, context);
}

async function recover(
  tools: RequestTools,
  token: string,
  password: string,
  context: RequestContext,
): Promise<Receipt> {
  const at = tools.now();
  const customerId = await accountIn(tools, token, context);
  const tokenHash = hashOfToken(token);
  const stream = customerStream(customerId);
  const account = await tools.stateOf<'customer'>(stream);
  // A repeated request gets its first outcome from the stream, so this refusal does not affect it.
  if (!isRecovery(account, tokenHash, at)) return tools.refuse(customerId, stream, linkInvalid, context);
  const chosen = await chosenVerifierOf(tools, account, password);
  if (isRefusal(chosen)) return tools.send(customerId, stream, chosen, context);
  const verifier = await sealedVerifier(tools, customerId, chosen);
  return tools.send(customerId, stream, { type: 'RecoverPassword', at, tokenHash, verifier }, context);
}

/**
 * The account that a token names. What somebody typed in place of a token becomes no name of a stream: it is taken for a token of an
 * account that does not exist.
 */
async function accountIn(tools: RequestTools, token: string, { commandId }: RequestContext): Promise<string> {
  const id = token.slice(0, Math.max(token.lastIndexOf('.'), 0));
  const isAccount = ID.test(id) && isRegistered(await tools.stateOf<'customer'>(customerStream(id)));
  return isAccount ? id : deriveId('no-account', commandId);
}

/** Its stream is read where there is no account, so that both are the same work. Ids of customers are UUIDs. */
const NOBODY = 'nobody';

/**
 * ACC-2: both are compared with exact case. ACC-6: nobody signs in with an address that is not proved. Takes equally long for an
 * unknown account.
 * @returns the customer's id
 */
export async function signIn(tools: Accounts, email: string, password: string): Promise<string | undefined> {
  const customerId = await holderOf(tools, email);
  const state = await tools.stateOf<'customer'>(customerStream(customerId ?? NOBODY));
  const isTheirs = await isSignInAddress(tools.vault, state, email);
  return (await isRight(tools.vault, isTheirs ? state.verifier : undefined, password)) ? customerId : undefined;
}

const isSignInAddress = async (vault: Vault, state: CustomerState, email: string): Promise<boolean> =>
  (await openIfThere(vault, state.email)) === email && state.addressIsProved === true;

/** Of a customer. Takes equally long for whoever is none. */
export const isPasswordOf = async (
  { stateOf, vault }: Accounts,
  customerId: string,
  password: string,
): Promise<boolean> => isRight(vault, (await stateOf<'customer'>(customerStream(customerId))).verifier, password);

async function isRight(vault: Vault, verifier: Secret | undefined, password: string): Promise<boolean> {
  return matches(password, (await openIfThere(vault, verifier)) as Verifier | undefined);
}
