import { decode, type FactOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { type Instant, isBox, isUnsealed, type Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { erasuresStream } from '#domain/persons/erasures';
import { vaultStream } from '#domain/vaults/vault-name';
import { CannotOpenStore, type EventStore } from '#event-store/port';
import { openVault } from '#vault/key-vault';
import { placeOf, type VaultOptions } from '#vault/opened-keys';
import { BoxDamaged, KeyMissing, type Vault } from '#vault/vault';
import type { CommandHandler } from './command-handler.ts';
import { giveUpLostKeys } from './lost-keys.ts';
import { StreamCache } from './stream-cache.ts';

/**
 * Opens the vault of a log. A log that is not empty opens with its own keys only, and keys that belong to a log do not open
 * with an empty one. For an empty log without keys a new vault is made. For every reader and writer, what the log says is
 * erased is erased, whatever backup the keys are from.
 * @throws CannotOpenStore, with one line that says which keys are there and what to do
 */
export async function openVaultOf(events: EventStore, options: VaultOptions): Promise<Vault> {
  const named = await fingerprintIn(events);
  const mustExist = named !== undefined || !(await isEmpty(events));
  const vault = await openVault({ ...options, mustExist, erased: await erasedIn(events) });
  try {
    const why = await whyNotTogether(events, vault, options);
    if (why) throw new CannotOpenStore(...why);
    if (options.readOnly) await giveUpLostKeys({ events, vault });
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}

/**
 * Whether a log and a vault belong together, also while a program runs: its server may come back with another log.
 * @returns why they do not, and what to do
 */
export async function whyNotTogether(
  events: EventStore,
  vault: Vault,
  options: Pick<VaultOptions, 'directory' | 'databaseUrl'>,
): Promise<readonly [code: 'wrong-key' | 'damaged', why: string] | undefined> {
  const place = placeOf(options);
  const named = await fingerprintIn(events);
  const why = named === undefined ? await whyForeign(events, vault) : whyAnother(named, vault);
  if (why !== undefined)
    return [
      'wrong-key',
      `${place} holds the keys of another log: ${why}; put the keys of this log there, from their backup`,
    ];
  if (named !== undefined || !(await isLost(events, vault))) return undefined;
  return [
    'damaged',
    `${place} holds the keys of vault ${vault.fingerprint}, but their log is empty: put the log back from its backup, or start a new store in another place`,
  ];
}

/** The subjects of all erasures in a log. */
export const erasedIn = async (events: EventStore): Promise<ReadonlySet<string>> =>
  (await new StreamCache(events).read<'erasures'>(erasuresStream)).state.subjects;

/** Keys are asked first: another program that starts at the same moment names the vault before it makes keys of persons. */
const isLost = async (events: EventStore, vault: Vault): Promise<boolean> =>
  (await vault.hasLog()) && (await isEmpty(events));

const caller: Caller = { kind: 'program', actor: 'system:first-start', roles: ['process'], stores: 'all' };

/**
 * Records in the log which vault it has, once, and beside the keys that they have a log. Programs that start at once record it once: one of them finds the stream
 * taken, and decides again.
 * @throws CannotOpenStore when another program named another vault since the vault was opened
 */
export async function nameVault(
  vault: Pick<Vault, 'fingerprint' | 'noteLog'>,
  commands: Pick<CommandHandler, 'execute'>,
  at: Instant,
): Promise<void> {
  const { fingerprint } = vault;
  const commandId = deriveId('vault', fingerprint);
  const outcome = await commands.execute({
    stream: vaultStream,
    command: { type: 'NameVault', at, fingerprint },
    caller,
    cause: { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' },
  });
  if (outcome.kind === 'refused') throw new CannotOpenStore('wrong-key', outcome.refusal.message);
  await vault.noteLog();
}

/** Undefined: the log is empty, or of a version that did not name its vault. */
async function fingerprintIn(events: EventStore): Promise<string | undefined> {
  for await (const stored of events.readStream(vaultStream, { maxCount: 1 }))
    return (decode(stored) as FactOf<'VaultNamed'>).data.fingerprint;
  return undefined;
}

async function isEmpty(events: EventStore): Promise<boolean> {
  for await (const _ of events.readAll({ maxCount: 1 })) return false;
  return true;
}

const whyAnother = (named: string, { fingerprint }: Vault): string | undefined =>
  named === fingerprint ? undefined : `it belongs to vault ${named}, and these are the keys of vault ${fingerprint}`;

/** How far a log of an older version is read for boxes. */
const FIRST_EVENTS = 10_000;
/** An older backup lacks the newest keys, and damage some. It has one of these. */
const FIRST_BOXES = 100;

/** A log of an older version names no vault. Its vault has at least one of the keys of its first boxes. */
async function whyForeign(events: EventStore, vault: Vault): Promise<string | undefined> {
  let tried = 0;
  for await (const stored of events.readAll({ maxCount: FIRST_EVENTS })) {
    for (const box of boxesIn(decode(stored).data)) {
      if (await hasKeyOf(box, vault)) return undefined;
      tried += 1;
    }
    if (tried >= FIRST_BOXES) break;
  }
  return tried === 0 ? undefined : `they have none of the keys of its first ${tried} boxes`;
}

function boxesIn(data: unknown): readonly Sealed[] {
  if (typeof data !== 'object' || data === null) return [];
  if (isBox(data)) return isUnsealed(data) ? [] : [data];
  return Object.values(data).flatMap(boxesIn);
}

async function hasKeyOf(box: Sealed, vault: Vault): Promise<boolean> {
  try {
    await vault.open(box);
    return true;
  } catch (error) {
    if (error instanceof BoxDamaged) return true;
    if (error instanceof KeyMissing) return false;
    throw error;
  }
}
