import { counted, nounOf } from '#domain/kernel/counted';
import { erasuresStream } from '#domain/persons/erasures';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import { missingOfNewest } from '#vault/missing-keys';
import type { Vault } from '#vault/vault';
import type { CommandHandler } from './command-handler.ts';
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
 * carried out again, texts of older versions are sealed, and missing keys are counted.
 * @param warn gets one line for each thing that an operator must know
 */
export async function prepareKeys(start: KeysAtStart, warn: (line: string) => void): Promise<void> {
  const { events, vault, commands, clock } = start;
  await nameVault(vault, commands, clock.now());
  await eraseAgain(start, warn);
  await sealBusinesses(start, (customers) =>
    warn(`business associations that were stored plain are sealed: ${counted(customers, 'customer')} so far`),
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

/** Keys that were restored from an older backup may include those of persons who were erased since. */
async function eraseAgain({ vault, commands }: KeysAtStart, warn: (line: string) => void): Promise<void> {
  const { state } = await commands.streams.read<'erasures'>(erasuresStream);
  const restored = await vault.eraseAgain([...state.subjects]);
  if (restored > 0)
    warn(
      `${counted(restored, 'key of an erased person', 'keys of erased persons')} had come back, from an older backup: ${nounOf(restored, 'it is', 'they are')} destroyed again`,
    );
}
