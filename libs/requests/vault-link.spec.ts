import { decode, type FactOf } from '#domain/codec';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { CannotOpenStore, type EventStore } from '#event-store/port';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { openVault } from '#vault/key-vault';
import type { VaultOptions } from '#vault/opened-keys';
import type { Vault } from '#vault/vault';
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

describeWithPostgres('programs that share an empty log and a PostgreSQL without keys', () => {
  const start = async (log: EventStore, options: VaultOptions) => {
    const vault = await openVaultOf(log, options);
    vaults.push(vault);
    await nameVault(vault, new CommandHandler(events), at);
    return vault.fingerprint;
  };
  /** The log, as one program reads it: another one starts as a whole before the read of this number. */
  const interrupted = (readNumber: number, startAnother: () => Promise<unknown>): EventStore => {
    let reads = 0;
    const paused = (read: EventStore['readAll'] | EventStore['readStream']) =>
      async function* (...parameters: unknown[]) {
        reads += 1;
        if (reads === readNumber) await startAnother();
        yield* (read as (...given: unknown[]) => ReturnType<EventStore['readAll']>).apply(events, parameters);
      };
    return Object.assign(Object.create(events), {
      readAll: paused(events.readAll),
      readStream: paused(events.readStream),
    });
  };

  it.each([1, 2, 3, 4])('open the same vault when one starts before read %d of another', async (readNumber) => {
    const database = await freshDatabase();
    const options = { databaseUrl: database.url, masterKey: secret(7) };
    const others: string[] = [];
    const startAnother = async () => others.push(await start(events, options));
    const fingerprint = await start(interrupted(readNumber, startAnother), options);
    expect(await named()).toEqual([fingerprint]);
    expect(others).toEqual([fingerprint]);
    for (const vault of vaults.splice(0)) await vault.close();
    await database.drop();
  });
});
