import { type CustomerState, customerStream } from '#domain/accounts/customer';
import { decode, type FactOf, idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { isUnsealed, type Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import type { AnyCommand } from '#domain/ledger';
import { vaultStream } from '#domain/vaults/vault-name';
import type { EventStore, RecordedEvent } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import { CannotOpenBox, type Vault } from '#vault/vault';
import { firstBusinessKeyOf, seal } from './account-seals.ts';
import type { CommandHandler } from './command-handler.ts';

interface Sealing {
  readonly events: Pick<EventStore, 'readAll'>;
  readonly commands: Pick<CommandHandler, 'execute' | 'streams'>;
  readonly vault: Vault;
  readonly clock: Clock;
}

const CUSTOMERS_AT_ONCE = 500;
const CUSTOMERS_BETWEEN_REPORTS = 10_000;

/**
 * Older versions stored names of businesses plain. At the first start with this version, each customer with such a name
 * gets it sealed, and the log learns the keys of all its names, so that DLV-3 holds between events of before and of after.
 * Repeated after a crash, it continues; several programs may do it at once.
 * @param onProgress called from time to time with the number of customers so far
 */
export async function sealBusinesses(sealing: Sealing, onProgress: (customers: number) => void): Promise<void> {
  const { state } = await sealing.commands.streams.read<'vault'>(vaultStream);
  if (state.businessesAreSealed) return;
  let customers = 0;
  let reported = 0;
  for await (const batch of customersWithPlainNames(sealing.events)) {
    const outcomes = await Promise.all(batch.map((customerId) => sealNamesOf(sealing, customerId)));
    customers += outcomes.filter((done) => done).length;
    if (customers - reported < CUSTOMERS_BETWEEN_REPORTS) continue;
    reported = customers;
    onProgress(customers);
  }
  await execute(sealing, vaultStream, { type: 'FinishSealingBusinesses', at: sealing.clock.now(), customers });
}

/** A customer who stated several names may be in several batches. */
async function* customersWithPlainNames(events: Sealing['events']): AsyncGenerator<string[]> {
  let batch = new Set<string>();
  for await (const stored of events.readAll({
    filter: { types: ['CustomerRegistered', 'BusinessAssociationChanged'] },
  })) {
    if (namesPlainBusiness(stored)) batch.add(idOf(stored.stream));
    if (batch.size < CUSTOMERS_AT_ONCE) continue;
    yield [...batch];
    batch = new Set();
  }
  yield [...batch];
}

/** An event that cannot be read is left as it is: it does not keep the store from starting. */
function namesPlainBusiness(stored: RecordedEvent): boolean {
  try {
    const { data } = decode(stored) as FactOf<'CustomerRegistered' | 'BusinessAssociationChanged'>;
    return isUnsealed(data.businessAssociation);
  } catch (error) {
    if (error instanceof UnreadableEvent) return false;
    throw error;
  }
}

/** @returns whether it had names that were plain */
async function sealNamesOf(sealing: Sealing, customerId: string): Promise<boolean> {
  try {
    return await sealReadableNamesOf(sealing, customerId);
  } catch (error) {
    if (error instanceof UnreadableEvent) return false;
    throw error;
  }
}

async function sealReadableNamesOf(sealing: Sealing, customerId: string): Promise<boolean> {
  const { vault, clock, commands } = sealing;
  const stream = customerStream(customerId);
  const { state } = await commands.streams.read<'customer'>(stream);
  const names = (await Promise.all(state.plainBusinesses.map((name) => vault.open(name)))) as string[];
  const [firstKey, ...otherKeys] = names.map((name) => firstBusinessKeyOf(vault, name));
  if (firstKey === undefined) return false;
  const box = await sealedName(vault, customerId, state);
  await execute(sealing, stream, {
    type: 'SealBusinessAssociation',
    at: clock.now(),
    ...(box && { businessAssociation: box }),
    formerNameKeys: [firstKey, ...otherKeys],
  });
  return true;
}

/** @returns undefined for a customer who was erased, or whose key is damaged */
async function sealedName(vault: Vault, customerId: string, state: CustomerState): Promise<Sealed | undefined> {
  const { businessAssociation: present } = state;
  if (!isUnsealed(present)) return present;
  if (await wasErased(vault, state)) return undefined;
  try {
    return await seal(vault, customerId, 'business-association', await vault.open(present));
  } catch (error) {
    if (error instanceof LeadgerError && NO_LONGER_SEALED.has(error.code)) return undefined;
    throw error;
  }
}

const NO_LONGER_SEALED: ReadonlySet<string> = new Set(['person-erased', 'box-damaged']);

async function wasErased(vault: Vault, { email, name, postalAddress }: CustomerState): Promise<boolean> {
  const box = email ?? name ?? postalAddress;
  if (!box) return false;
  try {
    return (await vault.open(box)) === undefined;
  } catch (error) {
    // A key that an older backup lacks, or a box that is damaged, is no erasure.
    if (error instanceof CannotOpenBox) return false;
    throw error;
  }
}

const caller: Caller = { kind: 'program', actor: 'system:first-start', roles: ['process'], stores: 'all' };

async function execute({ commands }: Sealing, stream: string, command: AnyCommand): Promise<void> {
  const commandId = deriveId(command.type, stream);
  const cause = { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' } as const;
  const outcome = await commands.execute({ stream, command, caller, cause });
  if (outcome.kind !== 'accepted') throw new Error(`${command.type} of ${stream} was not carried out: ${outcome.kind}`);
}
