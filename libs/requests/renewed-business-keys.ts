import { customerStream, isRegistered } from '#domain/accounts/customer';
import { idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import type { Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import type { AnyCommand } from '#domain/ledger';
import { legalEndingsOf, policyAt, policyStream } from '#domain/policy/policy';
import { isRenewedWith, vaultStream } from '#domain/vaults/vault-name';
import { type EventStore, StreamDamaged } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { Vault } from '#vault/vault';
import { businessKeysOf, openIfThere } from './account-seals.ts';
import type { CommandHandler } from './command-handler.ts';

interface Renewing {
  readonly events: Pick<EventStore, 'readAll'>;
  readonly commands: Pick<CommandHandler, 'execute' | 'streams'>;
  readonly vault: Vault;
  readonly clock: Clock;
}

type Lists = readonly (readonly string[])[];

const CUSTOMERS_AT_ONCE = 500;
const CUSTOMERS_BETWEEN_REPORTS = 10_000;

/**
 * Makes the keys of all names of businesses anew that can be opened: at the first start with the present form, and whenever the
 * policy in force has another list of legal endings. Each name is recorded with its keys of before, so that DLV-3 holds
 * between events of before and of after. Repeated after a crash, it continues; several programs may do it at once.
 * @param onProgress called from time to time with the number of customers so far
 */
export async function renewBusinessKeys(renewing: Renewing, onProgress: (customers: number) => void): Promise<void> {
  const { commands, clock } = renewing;
  const at = clock.now();
  const { state: vault } = await commands.streams.read<'vault'>(vaultStream);
  const { state: policies } = await commands.streams.read<'policy'>(policyStream);
  const legalEndings = [...legalEndingsOf(policyAt(policies, at)?.policy)];
  if (isRenewedWith(legalEndings, vault)) return;
  const lists = [...(vault.legalEndings ?? []), legalEndings];
  let customers = 0;
  let reported = 0;
  for await (const batch of registeredCustomers(renewing.events)) {
    const outcomes = await Promise.all(batch.map((customerId) => renewKeysOf(renewing, customerId, lists)));
    customers += outcomes.filter((renewed) => renewed).length;
    if (customers - reported < CUSTOMERS_BETWEEN_REPORTS) continue;
    reported = customers;
    onProgress(customers);
  }
  await execute(renewing, vaultStream, { type: 'FinishRenewingBusinessKeys', at, customers, legalEndings }, lists);
}

async function* registeredCustomers(events: Renewing['events']): AsyncGenerator<readonly string[]> {
  let batch: string[] = [];
  for await (const { stream } of events.readAll({ filter: { types: ['CustomerRegistered'] } })) {
    if (batch.push(idOf(stream)) < CUSTOMERS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** A stream that cannot be read does not keep the store from starting. @returns whether a key is another one now */
async function renewKeysOf(renewing: Renewing, customerId: string, lists: Lists): Promise<boolean> {
  const stream = customerStream(customerId);
  try {
    const { state } = await renewing.commands.streams.read<'customer'>(stream);
    if (!isRegistered(state)) return false;
    const opened = await Promise.all(state.statedBusinesses.map(({ name }) => nameIn(renewing.vault, name)));
    const names = opened.flatMap((name, statement) =>
      name === undefined ? [] : [{ statement, ...businessKeysOf(renewing.vault, name, lists) }],
    );
    if (names.every((one) => state.statedBusinesses[one.statement]?.businessKey === one.businessKey)) return false;
    await execute(renewing, stream, { type: 'RenewBusinessKeys', at: renewing.clock.now(), names }, lists);
    return true;
  } catch (error) {
    if (error instanceof UnreadableEvent || error instanceof StreamDamaged) return false;
    throw error;
  }
}

/** @returns undefined for a customer who was erased, or whose key is missing or damaged */
async function nameIn(vault: Vault, box: Sealed): Promise<string | undefined> {
  const name = await openIfThere(vault, box);
  return typeof name === 'string' ? name : undefined;
}

const caller: Caller = { kind: 'program', actor: 'system:first-start', roles: ['process'], stores: 'all' };

/** Each list of endings is a renewal of its own, also when a start with another list did not come to its end. */
async function execute({ commands }: Renewing, stream: string, command: AnyCommand, lists: Lists): Promise<void> {
  const commandId = deriveId(command.type, stream, JSON.stringify(lists));
  const cause = { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' } as const;
  const outcome = await commands.execute({ stream, command, caller, cause });
  if (outcome.kind !== 'accepted') throw new Error(`${command.type} of ${stream} was not carried out: ${outcome.kind}`);
}
