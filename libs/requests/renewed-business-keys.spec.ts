import { customerStream } from '#domain/accounts/customer';
import { type EndingsList, endingsListAfter } from '#domain/accounts/endings-list';
import { decode, type Fact, type FactOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { defaultPolicy, legalEndingsOf, policyStream } from '#domain/policy/policy';
import { vaultStream } from '#domain/vaults/vault-name';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { businessKeysOf, firstBusinessKeyOf, seal } from './account-seals.ts';
import { CommandHandler } from './command-handler.ts';
import { renewalInUse, renewBusinessKeys } from './renewed-business-keys.ts';

const at = '2026-03-01T09:30:00.000Z';
const endings = legalEndingsOf(undefined);
/** Lists that keys were made with one after another. */
function lists(...all: (readonly string[])[]): readonly EndingsList[] {
  const made: EndingsList[] = [];
  for (const list of all) made.push(endingsListAfter(made, list));
  return made;
}
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
async function write(stream: string, type: string, data: object): Promise<void> {
  written += 1;
  const id = deriveId('renewed-business-keys.spec', String(written));
  const encoded = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const metadata = encoded({ commandId: id, correlationId: id, actor: 'staff:ada', schemaVersion: 2 });
  await events.append(stream, [{ id, type, data: encoded({ at, ...data }), metadata }], 'any');
}

/** As the version before wrote it: with a key of the first form. */
const statement = async (customerId: string, name: string) => ({
  businessAssociation: await seal(vault, customerId, 'business-association', name),
  businessKey: firstBusinessKeyOf(vault, name),
});
const registered = async (customerId: string, name: string) =>
  write(customerStream(customerId), 'CustomerRegistered', {
    storeId: 'main',
    timeZone: 'UTC',
    ...(await statement(customerId, name)),
  });
const moved = async (customerId: string, name: string) =>
  write(customerStream(customerId), 'BusinessAssociationChanged', await statement(customerId, name));

async function factsOf(stream: string): Promise<Fact[]> {
  const facts: Fact[] = [];
  for await (const stored of events.readStream(stream)) facts.push(decode(stored));
  return facts;
}
const renewedOf = async (customerId: string) =>
  (await factsOf(customerStream(customerId)))
    .filter((fact): fact is FactOf<'BusinessKeysRenewed'> => fact.type === 'BusinessKeysRenewed')
    .map(({ data }) => data);

/** Each start is another program, which knows only the log. */
const start = (commands: Pick<CommandHandler, 'execute' | 'streams'> = new CommandHandler(events)) =>
  renewBusinessKeys({ events, vault, commands, clock: new MovedClock(at) }, () => {});

it('DLV-3: a customer of the version before gets keys of the present form for all its names, beside those that they have', async () => {
  await registered('c1', 'Café Acme');
  await moved('c1', 'Straße, Inc.');
  await start();
  const [cafe, street] = ['Cafe Acme', 'STRASSE'].map(
    (name) => businessKeysOf(vault, name, lists(endings)).businessKey,
  );
  expect(await renewedOf('c1')).toEqual([
    {
      at,
      businessKey: street,
      legalEndingsId: lists(endings)[0]?.id,
      names: [
        { statement: 0, businessKey: cafe, formerBusinessKeys: [firstBusinessKeyOf(vault, 'Café Acme')] },
        { statement: 1, businessKey: street, formerBusinessKeys: [firstBusinessKeyOf(vault, 'Straße, Inc.')] },
      ],
    },
  ]);
});

it('it happens once for each list of legal endings: the log says with which it was done', async () => {
  await registered('c1', 'Acme Club');
  await registered('c2', 'Other');
  await start();
  const done = (await factsOf(vaultStream)).at(-1);
  expect(done).toMatchObject({ type: 'AllBusinessKeysRenewed', data: { customers: 2, legalEndings: endings } });
  const head = await events.head();
  await start();
  expect(await events.head()).toBe(head);

  const policy = { ...defaultPolicy, legalEndings: ['Club'] };
  await write(policyStream, 'PolicyPublished', { version: 1, author: 'staff:ada', effectiveFrom: at, policy });
  await start();
  const [, second] = await renewedOf('c1');
  const { businessKey } = businessKeysOf(vault, 'ACME', lists(endings, ['Club']));
  expect(second).toMatchObject({ businessKey, names: [{ statement: 0 }] });
  expect(await renewedOf('c2')).toHaveLength(2);
  expect((await factsOf(vaultStream)).at(-1)).toMatchObject({ data: { customers: 2, legalEndings: ['Club'] } });
});

it('after a crash it continues, and programs that start at once renew the keys of each customer once', async () => {
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
  for (const number of [1, 2, 3]) expect(await renewedOf(`c${number}`)).toHaveLength(1);
  expect(await factsOf(vaultStream)).toHaveLength(1);
});

it('a start that crashed before the list of endings changed leaves no key of the former list', async () => {
  await registered('c1', 'Acme Club');
  const commands = new CommandHandler(events);
  const crashing: Pick<CommandHandler, 'execute' | 'streams'> = {
    streams: commands.streams,
    execute: (command) =>
      command.stream === vaultStream ? Promise.reject(new Error('the machine is gone')) : commands.execute(command),
  };
  await expect(start(crashing)).rejects.toThrow('the machine is gone');
  const policy = { ...defaultPolicy, legalEndings: ['Club'] };
  await write(policyStream, 'PolicyPublished', { version: 1, author: 'staff:ada', effectiveFrom: at, policy });
  await start();
  expect((await renewedOf('c1')).at(-1)?.businessKey).toBe(businessKeysOf(vault, 'Acme', lists(['Club'])).businessKey);
});

it('a customer whose name cannot be opened, or whose stream cannot be read, keeps its keys', async () => {
  await registered('c1', 'Gone');
  await vault.erase(customerStream('c1'));
  await registered('c2', 'Abc');
  const unheard = { id: deriveId('unknown'), type: 'Unheard', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
  await events.append(customerStream('c2'), [unheard], 'any');
  await registered('c3', 'Third');
  await start();
  expect(await renewedOf('c1')).toEqual([]);
  expect(await renewedOf('c3')).toHaveLength(1);
});

const publish = (legalEndings: string[]) =>
  write(policyStream, 'PolicyPublished', {
    ...{ version: 1, author: 'staff:ada', effectiveFrom: at, policy: { ...defaultPolicy, legalEndings } },
  });

/** As another program of this version writes it, which knows these lists. */
const registeredWith = (customerId: string, name: string, known: readonly EndingsList[]) =>
  statementWith(customerId, name, known).then((stated) =>
    write(customerStream(customerId), 'CustomerRegistered', { storeId: 'main', timeZone: 'UTC', ...stated }),
  );
const movedWith = (customerId: string, name: string, known: readonly EndingsList[]) =>
  statementWith(customerId, name, known).then((stated) =>
    write(customerStream(customerId), 'BusinessAssociationChanged', stated),
  );
const statementWith = async (customerId: string, name: string, known: readonly EndingsList[]) => ({
  businessAssociation: await seal(vault, customerId, 'business-association', name),
  ...businessKeysOf(vault, name, known),
});

describe('DLV-3: while one program makes the keys anew for another list of legal endings', () => {
  const [former, present] = [lists(endings), lists(endings, ['Club'])];
  const keyOf = async (customerId: string) =>
    (await new CommandHandler(events).streams.read<'customer'>(customerStream(customerId))).state.businessKey;

  beforeEach(async () => {
    await registered('c1', 'Acme Club');
    await start();
    await publish(['Club']);
  });

  /** What another program writes just before a command of the renewing one. */
  const interleaved = (before: (stream: string) => Promise<void> | undefined) => {
    const commands = new CommandHandler(events);
    const seen = new Set<string>();
    const execute: CommandHandler['execute'] = async (command) => {
      if (!seen.has(command.stream)) await before(command.stream);
      seen.add(command.stream);
      return commands.execute(command);
    };
    return { streams: commands.streams, execute };
  };

  it('what others register and change with the former list is renewed before the end is recorded', async () => {
    await start(
      interleaved((stream) => {
        if (stream === customerStream('c1')) return registeredWith('c2', 'North Club', former);
        if (stream === customerStream('c2')) return movedWith('c1', 'South Club', former);
        return undefined;
      }),
    );
    expect(await keyOf('c2')).toBe(businessKeysOf(vault, 'North', present).businessKey);
    expect(await keyOf('c1')).toBe(businessKeysOf(vault, 'South', present).businessKey);
    expect((await factsOf(vaultStream)).at(-1)).toMatchObject({ data: { legalEndings: ['Club'] } });
  });

  it('a name that is recorded after the end, and was decided before it, is renewed by the process that sees it', async () => {
    await start();
    await registeredWith('c2', 'North Club', former);
    const renewal = await renewalInUse({ streams: new CommandHandler(events).streams, vault }, 'c2');
    expect(renewal).toMatchObject({
      type: 'RenewBusinessKeys',
      legalEndingsId: present[1]?.id,
      names: [{ businessKey: businessKeysOf(vault, 'North', present).businessKey }],
    });
    expect(await renewalInUse({ streams: new CommandHandler(events).streams, vault }, 'c1')).toBeUndefined();
  });
});

it('DLV-3: keys of a list that an older version made are made anew once, and none of them is a key of the present list', async () => {
  await registered('c1', 'Pro Co');
  await registered('c2', 'Pro');
  const legalEndings = endings.filter((ending) => ending !== 'Co.');
  const [ofBefore, present] = [[{ endings }], [{ endings }, endingsListAfter([{ endings }], legalEndings)]];
  await write(vaultStream, 'AllBusinessKeysRenewed', { customers: 2, legalEndings: endings });
  await publish([...legalEndings]);
  await start();
  const [[one], [other]] = [await renewedOf('c1'), await renewedOf('c2')];
  expect(one?.businessKey).toBe(businessKeysOf(vault, 'Pro Co', present).businessKey);
  expect(one?.names[0]?.formerBusinessKeys).toContain(businessKeysOf(vault, 'Pro', ofBefore).businessKey);
  expect(one?.names[0]?.formerBusinessKeys).not.toContain(other?.businessKey);
  const head = await events.head();
  await start();
  expect(await events.head()).toBe(head);
});
