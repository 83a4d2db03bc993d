import { customerStream } from '#domain/accounts/customer';
import { idOf } from '#domain/codec';
import { isBox, isUnsealed, type Purpose, type Sealed } from '#domain/kernel/events';
import { type AnyCommand, type Family, type FamilyName, familyOf, ledger } from '#domain/ledger';
import { destroyedKeyOf } from './address-claim.ts';
import type { RequestTools } from './request-tools.ts';

type OlderText = Sealed & { readonly purpose: Purpose };
type Tools = Pick<RequestTools, 'streams' | 'vault'>;

/**
 * Seals what an older version stored as it is, before a process stores it again: the card that pays a renewal, or the
 * explanation in a mail. It is sealed with the key of the customer whom the command is about.
 */
export async function sealOlderTexts(tools: Tools, stream: string, command: AnyCommand): Promise<AnyCommand> {
  const customerId = await customerOf(tools, stream, command);
  if (customerId === undefined)
    throw new RangeError(`${command.type} carries a text of an older version, and no customer`);
  return (await sealedIn(command, customerId, tools)) as AnyCommand;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export const hasOlderText = (value: unknown): boolean =>
  isObject(value) && (isOlder(value) || Object.values(value).some(hasOlderText));

/** Upcasters name the purpose of what a process may store again. */
const isOlder = (value: object): value is OlderText =>
  'box' in value && isBox(value) && isUnsealed(value) && value.purpose !== undefined;

async function customerOf({ streams }: Tools, stream: string, command: AnyCommand): Promise<string | undefined> {
  if ('customerId' in command) return command.customerId;
  const { owner }: Family = ledger[familyOf(stream)];
  return owner?.((await streams.read(stream as `${FamilyName}-${string}`)).state as never, idOf(stream));
}

async function sealedIn(value: unknown, customerId: string, tools: Tools): Promise<unknown> {
  if (!hasOlderText(value)) return value;
  if (isOlder(value as object)) return sealedAgain(value as OlderText, customerId, tools);
  const members = Object.entries(value as object).map(
    async ([name, member]) => [name, await sealedIn(member, customerId, tools)] as const,
  );
  return Object.fromEntries(await Promise.all(members));
}

/** A secret stays one. What is left of an erased customer is a box without content, of the key that was destroyed. */
async function sealedAgain(older: OlderText, customerId: string, tools: Tools): Promise<Sealed> {
  const destroyed = await destroyedKeyOf(tools, customerId);
  if (destroyed !== undefined) return { ...older, keyId: destroyed, box: '' };
  const { vault } = tools;
  return { ...older, ...(await vault.seal(customerStream(customerId), older.purpose, await vault.open(older))) };
}
