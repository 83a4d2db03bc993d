import { catalogueStream } from '#domain/catalogue/catalogue';
import type { Refusal } from '#domain/kernel/decider';
import type { Sealed, Secret } from '#domain/kernel/events';
import { openIfThere, sealSecret } from './account-seals.ts';
import { refuseGuessable } from './guessable-passwords.ts';
import { type Verifier, verifierOf } from './password-hash.ts';
import type { RequestTools } from './request-tools.ts';

interface Account {
  readonly storeId: string;
  readonly email?: string | undefined;
}

/** What a password that somebody chooses is checked with later. @throws TooManyPasswords */
export async function chosenVerifier(
  { stateOf }: RequestTools,
  { storeId, email }: Account,
  password: string,
): Promise<Verifier | Refusal> {
  const { stores } = await stateOf<'catalogue'>(catalogueStream);
  return (await refuseGuessable(password, [email, stores.get(storeId)?.name])) ?? (await verifierOf(password));
}

/** Of an account that exists. */
export async function chosenVerifierOf(
  tools: RequestTools,
  { storeId, email }: { readonly storeId: string; readonly email?: Sealed | undefined },
  password: string,
): Promise<Verifier | Refusal> {
  const opened = await openIfThere(tools.vault, email);
  return chosenVerifier(tools, { storeId, email: opened as string | undefined }, password);
}

/** Of a member of staff, who is known with all stores. */
export async function chosenVerifierOfMember(
  { stateOf }: RequestTools,
  email: string | undefined,
  password: string,
): Promise<Verifier | Refusal> {
  const { stores } = await stateOf<'catalogue'>(catalogueStream);
  const names = [...stores.values()].map(({ name }) => name);
  return (await refuseGuessable(password, [email, ...names])) ?? (await verifierOf(password));
}

export const sealedVerifier = ({ vault }: RequestTools, customerId: string, verifier: Verifier): Promise<Secret> =>
  sealSecret(vault, customerId, 'password-verifier', verifier);
