import { counted, nounOf } from '#domain/kernel/counted';
import { erasuresStream } from '#domain/persons/erasures';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import { missingOfNewest } from '#vault/missing-keys';
import type { Vault } from '#vault/vault';
import type { CommandHandler } from './command-handler.ts';
import { recordErasedByKeys } from './erased-by-keys.ts';
import { giveUpLostKeys } from './lost-keys.ts';
import { claimPersonsOfBefore } from './persons-of-before.ts';
import { renewBusinessKeys } from './renewed-business-keys.ts';
import { sealBusinesses } from './sealed-businesses.ts';
import { nameVault } from './vault-link.ts';

interface KeysAtStart {
  readonly events: EventStore;
  readonly vault: Vault;
  readonly commands: CommandHandler;
  readonly clock: Clock;
}

/**
 * What a program does with the log and its keys before it writes anything else: the log names its vault, erasures are
 * carried out again, those that only the keys know are recorded, texts of older versions are sealed, businesses get keys of
 * the present form,
 * their leads claim their persons, and missing keys are counted.
 * @param warn gets one line for each thing that an operator must know
 */
export async function prepareKeys(start: KeysAtStart, warn: (line: string) => void): Promise<void> {
  const { events, vault, commands, clock } = start;
  await nameVault(vault, commands, clock.now());
  await eraseAgain(start, warn);
  const unknown = await recordErasedByKeys(vault, commands, clock.now());
  if (unknown > 0)
    warn(
      `${counted(unknown, 'destroyed key belongs to a person', 'destroyed keys belong to persons')} whose erasure this log does not know: ${nounOf(unknown, 'it is', 'they are')} recorded as erased, and what ${nounOf(unknown, 'the person', 'they')} still had ends`,
    );
  await sealBusinesses(start, (customers) =>
    warn(`business associations that were stored plain are sealed: ${counted(customers, 'customer')} so far`),
  );
  await renewBusinessKeys(start, (customers) =>
    warn(`business associations have keys of the present form: ${counted(customers, 'customer')} so far`),
  );
  await claimPersonsOfBefore(start, (done) =>
    warn(`persons of leads of an older version are claimed: ${counted(done, 'claim')} so far`),
  );
  const { missing, damaged } = await missingOfNewest(events, vault);
  if (missing > 0)
    warn(
      `${counted(missing, 'key')} of the newest events ${nounOf(missing, 'is', 'are')} missing: the keys are older than the log; restore their newest backup`,
    );
  if (damaged > 0)
    warn(
      `${counted(damaged, 'key')} of the newest events ${nounOf(damaged, 'is', 'are')} damaged: what ${nounOf(damaged, 'it', 'they')} sealed cannot be read; restore ${nounOf(damaged, 'it', 'them')} from a backup`,
    );
}

/** Keys that were restored from an older backup may include those of persons who were erased since, or lack them. */
async function eraseAgain({ events, vault, commands }: KeysAtStart, warn: (line: string) => void): Promise<void> {
  await giveUpLostKeys({ events, vault });
  const { state } = await commands.streams.read<'erasures'>(erasuresStream);
  const restored = await vault.eraseAgain([...state.subjects]);
  if (restored > 0) warn(restoredAndDestroyed(restored));
}

export const keysOfErasedPersons = (keys: number): string =>
  counted(keys, 'key of an erased person', 'keys of erased persons');

export const restoredAndDestroyed = (keys: number): string =>
  `${keysOfErasedPersons(keys)} had come back, from an older backup, or the erasure was interrupted: ${nounOf(keys, 'it is', 'they are')} destroyed`;
