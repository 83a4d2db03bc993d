import { type CustomerState, customerStream, isRegistered } from '#domain/accounts/customer';
import { type EndingsList, endingsListAfter } from '#domain/accounts/endings-list';
import type { RenewBusinessKeys } from '#domain/accounts/stated-businesses';
import { idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import type { Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import type { AnyCommand } from '#domain/ledger';
import { legalEndingsOf, policyAt, policyStream } from '#domain/policy/policy';
import { isRenewedWith, vaultStream } from '#domain/vaults/vault-name';
import { StreamDamaged } from '#event-store/damage';
import { BEFORE_FIRST, type EventStore, type Position } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import { CannotOpenBox, type Vault } from '#vault/vault';
import { businessKeysOf } from './account-seals.ts';
import type { CommandHandler } from './command-handler.ts';

interface Renewing {
  readonly events: Pick<EventStore, 'readAll'>;
  readonly commands: Pick<CommandHandler, 'execute' | 'streams'>;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** With which lists, what was read so far, and how many customers got new keys. */
interface Round {
  readonly lists: readonly EndingsList[];
  readonly onProgress: (customers: number) => void;
  after: Position;
  customers: number;
  reported: number;
}

const CUSTOMERS_AT_ONCE = 500;
const CUSTOMERS_BETWEEN_REPORTS = 10_000;
/** Where so much is registered that there is always somebody left, the process `business-keys` does the rest. */
const MOST_ROUNDS = 100;

/**
 * Makes the keys of all names of businesses anew that can be opened: at the first start with the present form, and whenever the
 * policy in force has another list of legal endings. Each name is recorded with its keys of before, so that DLV-3 holds
 * between events of before and of after. What other programs register meanwhile is looked at, until none is left; what they
 * decided before the end and record after it is left to the process `business-keys`.
 * Repeated after a crash, it continues; several programs may do it at once.
 * @param onProgress called from time to time with the number of customers so far
 */
export async function renewBusinessKeys(renewing: Renewing, onProgress: (customers: number) => void): Promise<void> {
  const { commands, clock } = renewing;
  const at = clock.now();
  const { state: vault } = await commands.streams.read<'vault'>(vaultStream);
  const { state: policies } = await commands.streams.read<'policy'>(policyStream);
  const legalEndings = [...legalEndingsOf(policyAt(policies, at)?.policy)];
  if (isRenewedWith(legalEndings, vault)) return;
  const { legalEndings: former = [] } = vault;
  const list = endingsListAfter(former, legalEndings);
  const round: Round = { lists: [...former, list], onProgress, after: BEFORE_FIRST, customers: 0, reported: 0 };
  for (let rounds = 0; rounds < MOST_ROUNDS && (await renewNewlyStated(renewing, round)); rounds += 1);
  const { customers } = round;
  const finish = { type: 'FinishRenewingBusinessKeys', at: clock.now(), customers, legalEndings } as const;
  await execute(renewing, vaultStream, { ...finish, legalEndingsId: list.id }, list.id);
}

/** @returns whether anybody had stated a name since the last time */
async function renewNewlyStated(renewing: Renewing, round: Round): Promise<boolean> {
  let isAny = false;
  for await (const batch of customersWithNames(renewing.events, round)) {
    isAny = true;
    const outcomes = await Promise.all(batch.map((customerId) => renewKeysOf(renewing, customerId, round.lists)));
    round.customers += outcomes.filter((renewed) => renewed).length;
    if (round.customers - round.reported < CUSTOMERS_BETWEEN_REPORTS) continue;
    round.reported = round.customers;
    round.onProgress(round.customers);
  }
  return isAny;
}

/** A customer who stated several names may be in several batches. */
async function* customersWithNames(events: Renewing['events'], round: Round): AsyncGenerator<readonly string[]> {
  let batch = new Set<string>();
  const filter = { types: ['CustomerRegistered', 'BusinessAssociationChanged'] };
  for await (const { stream, position } of events.readAll({ filter, after: round.after })) {
    round.after = position;
    batch.add(idOf(stream));
    if (batch.size < CUSTOMERS_AT_ONCE) continue;
    yield [...batch];
    batch = new Set();
  }
  if (batch.size > 0) yield [...batch];
}

/** A stream that cannot be read does not keep the store from starting. @returns whether it has other keys now */
async function renewKeysOf(renewing: Renewing, customerId: string, lists: readonly EndingsList[]): Promise<boolean> {
  const stream = customerStream(customerId);
  const renewal = await readableRenewal(renewing.commands.streams, renewing.vault, customerId, lists);
  if (!renewal) return false;
  const command = { ...renewal, at: renewing.clock.now() };
  await execute(renewing, stream, command, String(renewal.legalEndingsId), String(renewal.statements));
  return true;
}

/** With the lists that are in use. @returns undefined where nothing is to be made anew */
export async function renewalInUse(
  { streams, vault }: { streams: Streams; vault: Vault },
  customerId: string,
): Promise<Renewal | undefined> {
  const { legalEndings = [] } = (await streams.read<'vault'>(vaultStream)).state;
  return readableRenewal(streams, vault, customerId, legalEndings);
}

type Streams = Renewing['commands']['streams'];
type Renewal = Omit<RenewBusinessKeys, 'at'>;

async function readableRenewal(streams: Streams, vault: Vault, customerId: string, lists: readonly EndingsList[]) {
  try {
    const { state } = await streams.read<'customer'>(customerStream(customerId));
    return isRegistered(state) ? await renewalOf(vault, state, lists) : undefined;
  } catch (error) {
    if (error instanceof UnreadableEvent || error instanceof StreamDamaged) return undefined;
    throw error;
  }
}

/** Of a customer who was erased, nothing can be compared any more. */
async function renewalOf(
  vault: Vault,
  { statedBusinesses, legalEndingsId }: CustomerState,
  lists: readonly EndingsList[],
): Promise<Renewal | undefined> {
  const opened = await Promise.all(statedBusinesses.map(({ name }) => nameIn(vault, name)));
  const names = opened.flatMap((name, statement) =>
    typeof name === 'string' ? [{ statement, ...businessKeysOf(vault, name, lists) }] : [],
  );
  const present = lists.at(-1)?.id;
  const isDone = names.every((one) => statedBusinesses[one.statement]?.businessKey === one.businessKey);
  if ((isDone && legalEndingsId === present) || (names.length === 0 && opened.includes(undefined))) return undefined;
  const keys = names.map(({ legalEndingsId: _, ...one }) => one);
  return { type: 'RenewBusinessKeys', legalEndingsId: present, statements: statedBusinesses.length, names: keys };
}

/** @returns undefined for a customer who was erased, null for a name whose key is missing or damaged */
async function nameIn(vault: Vault, box: Sealed): Promise<string | null | undefined> {
  try {
    return (await vault.open(box)) as string | undefined;
  } catch (error) {
    if (error instanceof CannotOpenBox) return null;
    throw error;
  }
}

const caller: Caller = { kind: 'program', actor: 'system:first-start', roles: ['process'], stores: 'all' };

/** Each list of endings is a renewal of its own, also when a start with another list did not come to its end. */
async function execute({ commands }: Renewing, stream: string, command: AnyCommand, ...causes: string[]) {
  const commandId = deriveId(command.type, stream, ...causes);
  const cause = { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' } as const;
  const outcome = await commands.execute({ stream, command, caller, cause });
  if (outcome.kind !== 'accepted') throw new Error(`${command.type} of ${stream} was not carried out: ${outcome.kind}`);
}
