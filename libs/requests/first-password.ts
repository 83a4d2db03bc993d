import { addressMissing, customerStream, isRegistered } from '#domain/accounts/customer';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import { deriveId } from '#domain/kernel/ids';
import { chosenVerifierOf, sealedVerifier } from './chosen-password.ts';
import type { Verifier } from './password-hash.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

interface Buyer {
  readonly customerId: string | undefined;
  readonly password: string | undefined;
}

interface Order {
  readonly refused: (refusal: Refusal) => Promise<Receipt>;
  readonly ask: () => Promise<Receipt>;
}

/**
 * ACC-1: the first password may come with the first order. It is set once the order is there, so that a repeat of the
 * request finishes what a crash left; it is hashed before, so that nobody who is refused there has an order. An account that
 * has a password keeps it.
 */
export async function withFirstPassword(
  tools: RequestTools,
  { customerId, password }: Buyer,
  context: RequestContext,
  { refused, ask }: Order,
): Promise<Receipt> {
  if (customerId === undefined || password === undefined) return ask();
  const refusal = await refuse(tools, customerId, context);
  if (refusal) return refused(refusal);
  const chosen = await verifierUnlessThere(tools, customerId, password);
  if (chosen && isRefusal(chosen)) return refused(chosen);
  const receipt = await ask();
  if (receipt.outcome.kind === 'accepted' && chosen) await set(tools, customerId, chosen, context);
  return receipt;
}

async function verifierUnlessThere(
  tools: RequestTools,
  customerId: string,
  password: string,
): Promise<Verifier | Refusal | undefined> {
  const account = await tools.stateOf<'customer'>(customerStream(customerId));
  return account.verifier ? undefined : chosenVerifierOf(tools, account, password);
}

async function refuse(tools: RequestTools, customerId: string, context: RequestContext): Promise<Refusal | undefined> {
  const stream = customerStream(customerId);
  const state = await tools.stateOf<'customer'>(stream);
  const noRight = checkRightEarly(stream, { type: 'SetFirstPassword' }, state, context);
  if (noRight) return noRight;
  return isRegistered(state) && !state.verifier && !state.email ? addressMissing : undefined;
}

async function set(
  tools: RequestTools,
  customerId: string,
  chosen: Verifier,
  { caller, commandId, reason }: RequestContext,
): Promise<void> {
  const stream = customerStream(customerId);
  if ((await tools.stateOf<'customer'>(stream)).verifier) return;
  const verifier = await sealedVerifier(tools, customerId, chosen);
  const step = { caller, commandId: deriveId('first-password', commandId), ...(reason !== undefined && { reason }) };
  await tools.send(customerId, stream, { type: 'SetFirstPassword', at: tools.now(), verifier }, step);
}
