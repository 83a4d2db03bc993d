import { createHash, hash } from 'node:crypto';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { dataOf } from './laws/raw-log.ts';
import { openBoxes } from './opened.ts';

/**
 * One hash of a whole history: SHA-256 over stream, revision, type and opened data of every event. It is equal for equal
 * histories, in any interleaving of their streams and with any random values in their sealed boxes. Positions, numbers of
 * events seen, and places among the decisions that saw equally many are left out, with the ids of events made of them, which depend on the interleaving, and keyed hashes of persons and businesses too: they differ in every vault, and what is in the boxes says the same.
 * So are the fingerprint of the vault, and the tokens of links in mails, which are random.
 * @returns 64 hexadecimal digits
 */
export async function logDigest(store: Pick<EventStore, 'readAll'>, vault: Pick<Vault, 'open'>): Promise<string> {
  const digests = new Map<string, string>();
  for await (const recorded of store.readAll()) {
    const { stream, revision, type } = recorded;
    const event = canonicalJson([stream, revision, type, await openBoxes(dataOf(recorded), vault)]);
    digests.set(stream, hash('sha256', `${digests.get(stream) ?? ''}${event}`, 'base64'));
  }
  const whole = createHash('sha256');
  for (const stream of [...digests.keys()].sort()) whole.update(digests.get(stream) as string);
  return whole.digest('hex');
}

/**
 * The same for the read models: SHA-256 over the opened rows of all of them.
 * @returns 64 hexadecimal digits
 */
export async function rowsDigest(
  readModels: { readonly names: readonly string[]; rowsOf(name: string): AsyncIterable<object> },
  vault: Pick<Vault, 'open'>,
): Promise<string> {
  const whole = createHash('sha256');
  for (const name of readModels.names)
    for await (const row of readModels.rowsOf(name)) whole.update(canonicalJson([name, await openBoxes(row, vault)]));
  return whole.digest('hex');
}

/** JSON with the members of objects in alphabetical order, without those that depend on one vault or one log. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (notCompared.has(name)) return undefined;
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const notCompared: ReadonlySet<string> = new Set([
  'telephoneKey',
  'emailKey',
  'businessKey',
  'otherBusinessKey',
  'formerBusinessKeys',
  'formerNameKeys',
  'decidedOn',
  'eventsSeen',
  'decisionIndex',
  'eventId',
  'fingerprint',
  'token',
  'tokenHash',
]);
