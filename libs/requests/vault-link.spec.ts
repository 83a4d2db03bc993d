import { decode, type FactOf } from '#domain/codec';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { CannotOpenStore, type EventStore } from '#event-store/port';
import { openVault, type Vault } from '#vault/vault';
import { CommandHandler } from './command-handler.ts';
import { nameVault, openVaultOf } from './vault-link.ts';

const at = '2026-03-01T09:30:00.000Z';
const secret = (byte: number) => new Uint8Array(32).fill(byte);

let events: EventStore;
const vaults: Vault[] = [];
beforeEach(async () => {
  events = await openEmbeddedStore();
});
afterEach(async () => {
  for (const vault of vaults.splice(0)) await vault.close();
  await events.close();
});

async function vaultWith(matchingSecret: Uint8Array): Promise<Vault> {
  const vault = await openVault({ matchingSecret });
  vaults.push(vault);
  return vault;
}

/** Each program has its own handler, which knows nothing of the other one. */
const nameInPrograms = (...programs: readonly Vault[]) =>
  Promise.allSettled(programs.map((vault) => nameVault(vault, new CommandHandler(events), at)));

async function named(): Promise<string[]> {
  const fingerprints: string[] = [];
  for await (const recorded of events.readAll())
    fingerprints.push((decode(recorded) as FactOf<'VaultNamed'>).data.fingerprint);
  return fingerprints;
}

it('programs that start at once with the same vault name it once', async () => {
  const vault = await vaultWith(secret(1));
  const results = await nameInPrograms(vault, vault, vault, vault);
  expect(results.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
  expect(await named()).toEqual([vault.fingerprint]);
});

it('of programs that start at once with two vaults, those with one of them start', async () => {
  const [one, other] = [await vaultWith(secret(1)), await vaultWith(secret(2))];
  const results = await nameInPrograms(one, other);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const refused = results.find((result) => result.status === 'rejected');
  expect(refused?.reason).toBeInstanceOf(CannotOpenStore);
  expect(await named()).toEqual([(results[0]?.status === 'fulfilled' ? one : other).fingerprint]);
});

it('a fingerprint is that of the matching secret: equal in a copy, and different from every person key', async () => {
  const [vault, copy, other] = [await vaultWith(secret(1)), await vaultWith(secret(1)), await vaultWith(secret(2))];
  expect(copy.fingerprint).toBe(vault.fingerprint);
  expect(other.fingerprint).not.toBe(vault.fingerprint);
  expect(vault.personKey('email', 'fingerprint')).not.toBe(vault.fingerprint);
});

it('a log that names its vault is not opened with a new one', async () => {
  await nameInPrograms(await vaultWith(secret(1)));
  await expect(openVaultOf(events, {})).rejects.toThrow('holds no keys');
});
