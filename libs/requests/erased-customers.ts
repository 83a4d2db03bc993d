import { customerStream } from '#domain/accounts/customer';
import { idOf } from '#domain/codec';
import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { AskedBy } from '#domain/kernel/rights';
import { type AnyCommand, type Family, type FamilyName, familyOf, ledger } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import { checkRight } from './rights.ts';
import type { StreamCache } from './stream-cache.ts';

export const customerErased = refuse('person-erased', 'the customer was erased: nothing new is stored about them');

/**
 * What may still be asked about a customer who was erased: it ends something, gives money back, or says who looked. All else
 * is refused.
 */
const stillPossible: ReadonlySet<AnyCommand['type']> = new Set([
  'CancelOrder',
  'CancelProgramme',
  'CloseTicket',
  'ReleaseAddress',
  'ReturnCoupon',
  'ResolvePayment',
  'ResolveRenewal',
  'WishRefund',
  'RetryRefund',
  'SettleRefund',
  'RecordRefundReturned',
  'RecordDispute',
  'ShowCustomerHistory',
] as const);

/**
 * A command of a caller, or the refusal of it when its customer was erased. What is recorded although the erasure came
 * first, because both were under way, is ended by the process `person-erasure`.
 * @returns the command as it is for a caller without the right: the refusal must not tell who was erased
 */
export async function refuseForErased(
  streams: Pick<StreamCache, 'read'>,
  stream: string,
  command: AnyCommand | Refusal,
  by: AskedBy,
): Promise<AnyCommand | Refusal> {
  if (isRefusal(command) || stillPossible.has(command.type)) return command;
  const { owner }: Family = ledger[familyOf(stream)];
  if (!owner && !('customerId' in command)) return command;
  const { subjects } = (await streams.read<'erasures'>(erasuresStream)).state;
  if (subjects.size === 0) return command;
  const { state } = await streams.read(stream as `${FamilyName}-${string}`);
  const customerId = customerOf(stream, command, state);
  if (customerId === undefined || !subjects.has(customerStream(customerId))) return command;
  return checkRight(stream, command, state, by) ? command : customerErased;
}

/** The customer whom a command names, else the one to whom its stream belongs. */
export function customerOf(stream: string, command: AnyCommand, state: unknown): string | undefined {
  const { owner }: Family = ledger[familyOf(stream)];
  const named = 'customerId' in command ? command.customerId : undefined;
  return named ?? owner?.(state as never, idOf(stream));
}
