import { customerStream } from '#domain/accounts/customer';
import { decode, type Fact, type FactOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { vaultStream } from '#domain/vaults/vault-name';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { firstBusinessKeyOf, seal } from './account-seals.ts';
import { CommandHandler } from './command-handler.ts';
import { sealBusinesses } from './sealed-businesses.ts';

const at = '2026-03-01T09:30:00.000Z';
let events: EventStore;
let vault: Vault;
beforeEach(async () => {
  events = await openEmbeddedStore();
  vault = await openVault();
});
afterEach(async () => {
  await vault.close();
  await events.close();
});

let written = 0;
/** Writes an event as the version before wrote it: without a version, with the name plain. */
async function wrote(customerId: string, type: string, data: object): Promise<void> {
  written += 1;
  const id = deriveId('sealed-businesses.spec', String(written));
  const encoded = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const metadata = encoded({ commandId: id, correlationId: id, actor: 'staff:ada' });
  await events.append(customerStream(customerId), [{ id, type, data: encoded({ at, ...data }), metadata }], 'any');
}
const registered = (customerId: string, businessAssociation: string, more: object = {}) =>
  wrote(customerId, 'CustomerRegistered', { storeId: 'main', timeZone: 'UTC', businessAssociation, ...more });
const moved = (customerId: string, businessAssociation: string) =>
  wrote(customerId, 'BusinessAssociationChanged', { businessAssociation });

async function factsOf(stream: string): Promise<Fact[]> {
  const facts: Fact[] = [];
  for await (const stored of events.readStream(stream)) facts.push(decode(stored));
  return facts;
}
const sealedOf = async (customerId: string) =>
  (await factsOf(customerStream(customerId)))
    .filter((fact): fact is FactOf<'BusinessAssociationSealed'> => fact.type === 'BusinessAssociationSealed')
    .map(({ data }) => data);

/** Each start is another program, which knows only the log. */
const start = (commands: Pick<CommandHandler, 'execute' | 'streams'> = new CommandHandler(events)) =>
  sealBusinesses({ events, vault, commands, clock: new MovedClock(at) }, () => {});

it('a customer of an older version gets its name sealed, and keys for all its names', async () => {
  await registered('c1', 'A.B.C. Vitamins');
  await moved('c1', 'On My Own');
  await start();
  const [sealed, ...more] = await sealedOf('c1');
  expect(more).toEqual([]);
  expect(sealed?.formerNameKeys).toEqual(['abc vitamins', 'on-my-own'].map((name) => firstBusinessKeyOf(vault, name)));
  expect(sealed?.businessKey).toBe(firstBusinessKeyOf(vault, 'On My Own'));
  expect(sealed?.businessAssociation).toMatchObject({ purpose: 'business-association' });
  expect(sealed?.businessAssociation && (await vault.open(sealed.businessAssociation))).toBe('On My Own');
});

it('it happens once: the log says that it is done', async () => {
  await registered('c1', 'Abc');
  await registered('c2', 'Other');
  await start();
  expect((await factsOf(vaultStream)).at(-1)).toMatchObject({
    type: 'AllBusinessAssociationsSealed',
    data: { customers: 2 },
  });
  const head = await events.head();
  await start();
  expect(await events.head()).toBe(head);
});

it('after a crash it continues, and programs that start at once seal each customer once', async () => {
  for (const number of [1, 2, 3]) await registered(`c${number}`, `Business ${number}`);
  const commands = new CommandHandler(events);
  let asked = 0;
  const crashing: Pick<CommandHandler, 'execute' | 'streams'> = {
    streams: commands.streams,
    execute: (command) => {
      asked += 1;
      return asked > 2 ? Promise.reject(new Error('the machine is gone')) : commands.execute(command);
    },
  };
  await expect(start(crashing)).rejects.toThrow('the machine is gone');
  await Promise.all([start(), start()]);
  for (const number of [1, 2, 3]) expect(await sealedOf(`c${number}`)).toHaveLength(1);
  expect(await factsOf(vaultStream)).toHaveLength(1);
});

it('an event that cannot be read does not keep the store from starting', async () => {
  await events.append(
    customerStream('c1'),
    [{ id: deriveId('damaged'), type: 'CustomerRegistered', data: Buffer.from('{'), metadata: Buffer.from('{}') }],
    'any',
  );
  await registered('c2', 'Abc');
  await moved('c2', 'Other');
  await events.append(
    customerStream('c2'),
    [{ id: deriveId('unknown'), type: 'Unheard', data: Buffer.from('{}'), metadata: Buffer.from('{}') }],
    'any',
  );
  await registered('c3', 'Third');
  await start();
  expect(await sealedOf('c3')).toHaveLength(1);
});

it('the name of a customer who was erased is not sealed again', async () => {
  const email = await seal(vault, 'c1', 'email', 'ada@example.org');
  await registered('c1', 'Ada Byron', { email, addressKey: 'A'.repeat(22) });
  await vault.erase(customerStream('c1'));
  await start();
  expect(await sealedOf('c1')).toEqual([
    {
      at,
      businessKey: firstBusinessKeyOf(vault, 'Ada Byron'),
      formerNameKeys: [firstBusinessKeyOf(vault, 'Ada Byron')],
    },
  ]);
});
