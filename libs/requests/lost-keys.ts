import { factsReadable, type KeyInLog, keysIn } from '#audit/keys-in-log';
import { customerStream } from '#domain/accounts/customer';
import type { Instant } from '#domain/kernel/events';
import { familyOf } from '#domain/ledger';
import { type Erasure, erasuresStream } from '#domain/persons/erasures';
import { customerOfLookKey, looksStream, monthOfLookKey } from '#domain/support/look';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';

/*
 * Keys of erased subjects that are not in the vault, because it was restored from an older backup. A box names its key and not
 * its subject, so only the log knows that such a key is no longer missing: it is found in the streams of the subject.
 */

interface LogAndKeys {
  readonly events: Pick<EventStore, 'readStream'>;
  readonly vault: Pick<Vault, 'destroyedAmong' | 'giveUp'>;
}

export type ErasureAt = Pick<Erasure, 'subjects' | 'ends'> & { readonly at: Instant };

/** Gives up the lost keys of all erasures in a log. */
export async function giveUpLostKeys(logAndKeys: LogAndKeys): Promise<void> {
  const facts = await factsReadable(logAndKeys.events, erasuresStream);
  await giveUpKeysOf(
    logAndKeys,
    facts.map(({ data }) => data as ErasureAt),
  );
}

/**
 * Gives up the lost keys of some erasures. It must come before the keys of their subjects are destroyed: of whom the vault has a
 * destroyed key of the log, nothing is looked for any more.
 */
export async function giveUpKeysOf({ events, vault }: LogAndKeys, erasures: readonly ErasureAt[]): Promise<void> {
  const sought = await soughtIn(vault, erasures);
  const keys: KeyInLog[] = [];
  for (const stream of streamsOf(sought, erasures))
    keys.push(...(await keysIn(events, stream)).filter((key) => isSought(sought, key)));
  await vault.giveUp(keys);
}

/** Gives up the lost keys of the reasons of looks that are too old: their customers need not be erased. */
export async function giveUpKeysOfLooks({ events, vault }: LogAndKeys, subjects: readonly string[]): Promise<void> {
  const destroyed = await vault.destroyedAmong(subjects);
  const months = new Set(subjects.filter((subject) => !destroyed.has(subject)).map(monthOfLookKey));
  for (const subject of subjects) {
    const customerId = customerOfLookKey(subject);
    if (customerId === undefined || !months.has(monthOfLookKey(subject))) continue;
    // Older versions sealed reasons with the key of the customer.
    const others = new Set((await keysIn(events, customerStream(customerId))).map(({ keyId }) => keyId));
    const keys = await keysIn(events, looksStream(customerId));
    await vault.giveUp(keys.filter((key) => key.subject === subject && !others.has(key.keyId)));
  }
}

/** Subjects of which the vault may have lost a key, each with the instant of its erasure. */
type Sought = ReadonlyMap<string, Instant>;

/** A person has a key, so its id is known where it was destroyed. Of most months there is none, so looks go with their customer. */
async function soughtIn(vault: LogAndKeys['vault'], erasures: readonly ErasureAt[]): Promise<Sought> {
  const erasedAt = new Map<string, Instant>();
  for (const { at, subjects } of erasures)
    for (const subject of subjects) if (!erasedAt.has(subject)) erasedAt.set(subject, at);
  const personOf = (subject: string) => {
    const customerId = customerOfLookKey(subject);
    return customerId === undefined ? subject : customerStream(customerId);
  };
  const destroyed = await vault.destroyedAmong([...new Set([...erasedAt.keys()].map(personOf))]);
  return new Map([...erasedAt].filter(([subject]) => destroyed.get(personOf(subject)) === undefined));
}

/** Streams with boxes of what is sought. Somebody without an account has written tickets only. */
function streamsOf(sought: Sought, erasures: readonly ErasureAt[]): ReadonlySet<string> {
  const isCustomer = (subject: string) => familyOf(subject) === 'customer' && sought.has(subject);
  const ofCustomers = erasures.flatMap(({ subjects, ends }) => (subjects.some(isCustomer) ? ends : []));
  const own = [...sought.keys()].map((subject) => {
    const customerId = customerOfLookKey(subject);
    return customerId === undefined ? subject : looksStream(customerId);
  });
  return new Set([...own, ...ofCustomers.filter((stream) => familyOf(stream) !== 'lead')]);
}

const isSought = (sought: Sought, { subject, lookedAt }: KeyInLog): boolean => {
  const erasedAt = sought.get(subject);
  return erasedAt !== undefined && (lookedAt === undefined || lookedAt <= erasedAt);
};
