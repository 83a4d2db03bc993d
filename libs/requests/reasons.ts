import { customerStream } from '#domain/accounts/customer';
import { isRefusal, type Refusal } from '#domain/kernel/decider';
import type { Sealed } from '#domain/kernel/events';
import { type AnyCommand, type CommandOf, type Family, type FamilyName, familyOf, ledger } from '#domain/ledger';
import { lookAtErasedKey, lookKey, monthOf } from '#domain/support/look';
import type { Vault } from '#vault/vault';
import { sealOrRefuse } from './account-seals.ts';
import { isErased } from './address-claim.ts';
import { customerOf } from './erased-customers.ts';
import type { RequestContext } from './request-tools.ts';
import { checkRight } from './rights.ts';
import type { StreamCache } from './stream-cache.ts';

interface ReasonDependencies {
  readonly streams: Pick<StreamCache, 'read'>;
  readonly vault: Vault;
}

/**
 * The reason of a command, sealed under the key of whom its stream is about. The caller's words may name that person.
 * @returns undefined where none was given, or where nothing will be recorded: nothing is sealed for a caller without the
 * right, nor for a stream that does not exist
 */
export async function sealedReason(
  { streams, vault }: ReasonDependencies,
  stream: string,
  command: AnyCommand | Refusal,
  { caller, reason }: RequestContext,
  likelyNew: boolean,
): Promise<Sealed | undefined> {
  if (reason === undefined || isRefusal(command)) return undefined;
  const { decider }: Family = ledger[familyOf(stream)];
  const { state, revision } = likelyNew
    ? { state: decider.initialState(), revision: -1 }
    : await streams.read(stream as `${FamilyName}-${string}`);
  if (checkRight(stream, command, state, { caller, reason })) return undefined;
  if (revision < 0 && isRefusal(decider.decide(command, state))) return undefined;
  if (command.type === 'ShowCustomerHistory') return sealForLook({ streams, vault }, command, reason);
  if (ABOUT_PERSONS.includes(familyOf(stream))) return sealFor(vault, lookAtErasedKey(monthOf(command.at)), reason);
  return sealFor(vault, subjectOf(stream, command, state), reason);
}

/** Streams about persons without an account: a reason may name one, who is erased then. It goes with the reasons of looks. */
const ABOUT_PERSONS: readonly string[] = ['approvals', 'erasures'];

/** What is done about persons after they were erased has reasons, too. They have one key, which belongs to nobody. */
const ABOUT_ERASED = 'reasons-about-erased';

async function sealFor(vault: Vault, subject: string, reason: string): Promise<Sealed> {
  const sealed = await sealOrRefuse(vault, subject, 'reason', reason);
  return isRefusal(sealed) ? vault.seal(ABOUT_ERASED, 'reason', reason) : sealed;
}

/**
 * The reason of a look has a key of its own, so that it can go without its customer. With the customer it goes too. What is
 * looked at later goes with its month.
 */
async function sealForLook(
  { streams, vault }: ReasonDependencies,
  { customerId, at }: CommandOf<'looks'>,
  reason: string,
): Promise<Sealed> {
  const isGone = await isErased({ streams, vault }, customerId);
  const month = monthOf(at);
  const gone = lookAtErasedKey(month);
  if (isGone) return sealFor(vault, gone, reason);
  const sealed = await sealOrRefuse(vault, lookKey(customerId, month), 'reason', reason);
  return isRefusal(sealed) ? sealFor(vault, gone, reason) : sealed;
}

/** The owner of the key for what is said about a command. A lead has a key of its own, and so has a thing of the store. */
function subjectOf(stream: string, command: AnyCommand, state: unknown): string {
  const customerId = customerOf(stream, command, state);
  return customerId === undefined ? stream : customerStream(customerId);
}
