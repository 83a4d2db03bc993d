import { decode, type Fact, type FactOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { leadStream, superseded } from '#domain/leads/lead';
import { personClaimStream } from '#domain/leads/person-claim';
import { factsOfBefore, PersonsOfBefore, type PersonsSettled } from '#domain/leads/persons-of-before';
import type { AnyCommand } from '#domain/ledger';
import { vaultStream } from '#domain/vaults/vault-name';
import { StreamDamaged } from '#event-store/damage';
import type { EventStore, RecordedEvent } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { CommandHandler } from './command-handler.ts';

interface Claiming {
  readonly events: Pick<EventStore, 'readAll'>;
  readonly commands: Pick<CommandHandler, 'execute' | 'streams'>;
  readonly clock: Clock;
}

const COMMANDS_AT_ONCE = 500;
const COMMANDS_BETWEEN_REPORTS = 50_000;

/**
 * Older versions claimed no persons. At the first start with this version, the leads of the log claim theirs, and leads in
 * stock whose person another lead has are withdrawn (DLV-11). Repeated after a crash, it continues; several programs may do
 * it at once.
 * @param onProgress called from time to time with the number of claims and withdrawals so far
 */
export async function claimPersonsOfBefore(claiming: Claiming, onProgress: (done: number) => void): Promise<void> {
  const { state } = await claiming.commands.streams.read<'vault'>(vaultStream);
  if (state.personsAreClaimed) return;
  const persons = await personsIn(claiming.events);
  // Another program has finished meanwhile.
  if (!persons) return;
  const at = claiming.clock.now();
  const settled = persons.settle();
  let done = 0;
  for (const batch of batchesOf(wishesOf(settled, at))) {
    await Promise.all(batch.map(({ stream, command }) => execute(claiming, stream, command)));
    if (Math.floor(done / COMMANDS_BETWEEN_REPORTS) < Math.floor((done + batch.length) / COMMANDS_BETWEEN_REPORTS))
      onProgress(done + batch.length);
    done += batch.length;
  }
  const count = new Set(settled.holders.values()).size;
  await execute(claiming, vaultStream, { type: 'FinishClaimingPersons', at, leads: count });
}

/** @returns undefined when the log says that all persons are claimed */
async function personsIn(events: Claiming['events']): Promise<PersonsOfBefore | undefined> {
  const persons = new PersonsOfBefore();
  const end = 'AllPersonsClaimed';
  for await (const stored of events.readAll({ filter: { types: [...factsOfBefore, end] } })) {
    if (stored.type === end) return undefined;
    const fact = readable(stored);
    if (fact) persons.take(fact as FactOf<(typeof factsOfBefore)[number]>);
  }
  return persons;
}

/** An event that cannot be read is left as it is: it does not keep the store from starting. */
function readable(stored: RecordedEvent): Fact | undefined {
  try {
    return decode(stored);
  } catch (error) {
    if (error instanceof UnreadableEvent) return undefined;
    throw error;
  }
}

interface Wish {
  readonly stream: string;
  readonly command: AnyCommand;
}

function* wishesOf({ holders, linked, superseded: leads }: PersonsSettled, at: string): Generator<Wish> {
  for (const [key, leadId] of holders)
    yield { stream: personClaimStream(key), command: { type: 'ClaimPerson', at, leadId, attempt: 0 } };
  for (const { key, leadId } of linked)
    yield { stream: personClaimStream(key), command: { type: 'LinkPerson', at, leadId } };
  for (const [leadId, supersededBy] of leads)
    yield { stream: leadStream(leadId), command: { type: 'WithdrawLead', at, supersededBy, reason: superseded } };
}

function* batchesOf(wishes: Iterable<Wish>): Generator<readonly Wish[]> {
  let batch: Wish[] = [];
  for (const wish of wishes) {
    if (batch.push(wish) < COMMANDS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const caller: Caller = { kind: 'program', actor: 'system:first-start', roles: ['process'], stores: 'all' };

/** A stream that is damaged, and a claim that another program's first records took over, do not keep the store from starting. */
async function execute({ commands }: Claiming, stream: string, command: AnyCommand): Promise<void> {
  const linked = command.type === 'LinkPerson' ? [command.leadId] : [];
  const commandId = deriveId('persons-of-before', command.type, stream, ...linked);
  const cause = { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' } as const;
  try {
    await commands.execute({ stream, command, caller, cause });
  } catch (error) {
    if (!(error instanceof UnreadableEvent || error instanceof StreamDamaged)) throw error;
  }
}
