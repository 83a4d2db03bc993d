import { idOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { familyOf } from '#domain/ledger';
import { erasuresStream } from '#domain/persons/erasures';
import type { Vault } from '#vault/vault';
import type { CommandHandler } from './command-handler.ts';
import { personKeysOf } from './erasure-completion.ts';

const caller: Caller = { kind: 'program', actor: 'system:keys-at-start', roles: ['process'], stores: 'all' };
const SUBJECTS_AN_EVENT = 500;

/**
 * Records the erasure of persons whose keys are destroyed and whose erasure the log does not know: the log was restored from
 * a backup that is older than the erasure, or a version that did not record erasures destroyed the key.
 * @returns how many keys that were
 */
export async function recordErasedByKeys(
  vault: Pick<Vault, 'destroyedSubjects'>,
  commands: Pick<CommandHandler, 'execute' | 'streams'>,
  at: Instant,
): Promise<number> {
  const { subjects: recorded } = (await commands.streams.read<'erasures'>(erasuresStream)).state;
  const persons = (await vault.destroyedSubjects()).filter((subject) => IS_PERSON.test(subject));
  const unknown = persons.filter((subject) => !recorded.has(subject));
  for (let first = 0; first < unknown.length; first += SUBJECTS_AN_EVENT)
    await record(commands, unknown.slice(first, first + SUBJECTS_AN_EVENT), at);
  return unknown.length;
}

/** Keys of reasons of looks are destroyed when they are old. A name with a blank is of a key that an older version made. */
const IS_PERSON = /^(customer|lead)-\S+$/;

/** What a customer still has, the process that completes erasures finds. */
async function record(
  commands: Pick<CommandHandler, 'execute' | 'streams'>,
  subjects: readonly string[],
  at: Instant,
): Promise<void> {
  const ends = subjects.filter((subject) => familyOf(subject) === 'lead');
  const personKeys = await personKeysOf(commands, ends.map(idOf));
  const commandId = deriveId('erased-by-keys', at, ...subjects);
  await commands.execute({
    stream: erasuresStream,
    command: { type: 'ErasePerson', at, subjects, personKeys, ends },
    caller,
    cause: { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' },
  });
}
