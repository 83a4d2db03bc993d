import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { normaliseBusiness } from '#domain/accounts/business';
import type { RecordedEvent } from '#event-store/port';
import { startEventStoreDb } from '#test/event-stores/event-stores';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import type { Vault } from '#vault/vault';
import { openEvents, openForReading } from '#wiring/stores';
import { cli, Program, serve } from './program.ts';

let temporary: string;
/** A store of the present version, the same one as an older version would have left it, and its sealed copy. */
let present: string;
let older: string;
let copy: string;
/** What the older store has plain. */
const plain = new Set<string>();
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-copy-sealed-'));
  [present, older, copy] = ['present', 'older', 'copy'].map((name) => join(temporary, name)) as [
    string,
    string,
    string,
  ];
  expect((await cli('demo', '--days', '5', '--data', present)).code).toBe(0);
  await makeOlder();
});
afterAll(() => rm(temporary, { recursive: true }));

// biome-ignore lint/suspicious/noExplicitAny: events as they are stored
type Data = any;
const parsed = (bytes: Uint8Array): Data => JSON.parse(new TextDecoder().decode(bytes));
const bytes = (data: object) => new TextEncoder().encode(JSON.stringify(data));

/** The older version did not write the first four events, which are about the vault. */
const EVENTS_LESS = 4;
const positionOf = (ordinal: number) => String(ordinal).padStart(16, '0');

/** Stores the events of {@link present} as an older version did: with plain texts, and with positions. */
async function makeOlder(): Promise<void> {
  await cp(join(present, 'keys'), join(older, 'keys'), { recursive: true });
  const source = await openForReading({ directory: present });
  const target = await openEvents({ directory: older });
  const form = new OlderForm(source.vault);
  for await (const event of source.events.readAll())
    if (event.stream !== 'vault-main')
      await target.append(event.stream, [{ id: event.id, type: event.type, ...(await form.of(event)) }], 'any');
  await source.close();
  await target.close();
}

class OlderForm {
  readonly #vault: Vault;
  /** Keyed hash → normal form of the name. */
  readonly #businesses = new Map<string, string>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  async of({ type, ...event }: RecordedEvent) {
    const { schemaVersion, basis: _, eventsSeen: __, ...cause } = parsed(event.metadata);
    const data = parsed(event.data);
    await this.#openTexts(data);
    await this.#openTexts(data.purpose?.registration ?? {});
    if (data.decision) {
      const { eventsSeen, ...decision } = data.decision;
      data.decision = { ...decision, decidedOn: positionOf(eventsSeen - EVENTS_LESS) };
    }
    const isOld = ['OrderPlaced', 'AddressClaimed', 'CustomerRegistered', 'LeadAssigned', 'LeadDelivered'].includes(
      type,
    );
    const reason = type === 'CustomerRegistered' && { reason: plainly(`${data.businessAssociation} called`) };
    return { data: bytes(data), metadata: bytes({ ...cause, ...(!isOld && { schemaVersion }), ...reason }) };
  }

  async #openTexts(data: Data): Promise<void> {
    const { businessAssociation, businessKey, paymentToken } = data;
    if (paymentToken) data.paymentToken = plainly(String(await this.#vault.open(paymentToken)));
    if (businessAssociation) {
      data.businessAssociation = plainly(String(await this.#vault.open(businessAssociation)));
      this.#businesses.set(businessKey, normaliseBusiness(data.businessAssociation));
      delete data.businessKey;
      delete data.formerBusinessKeys;
    } else if (businessKey) {
      data.businessKey = plainly(this.#businesses.get(businessKey) as string);
    }
  }
}

function plainly(text: string): string {
  plain.add(text);
  return text;
}

const filesWith = (directory: string, text: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(text));

/** What all events say, in the order of the log, besides what differs in every copy. */
async function contentOf(directory: string): Promise<Data[]> {
  const { code, stdout } = await cli('export', '--opened', '--data', directory);
  expect(code).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ stream }) => !/^(vault|log)-/.test(stream))
    .map(({ stream, revision, id, type, data: { decision, ...data } }) => ({
      ...{ stream, revision, id, type, data },
      ...(decision && { decision: { ...decision, eventsSeen: undefined } }),
    }));
}

/** The older version had the first form of the names of businesses only. */
function inFirstForm(content: readonly Data[]): Data[] {
  const text = JSON.stringify(content);
  const firstKeys = [...text.matchAll(/"businessKey":"([^"]+)","formerBusinessKeys":\["([^"]+)"\]/g)];
  const without = text.replaceAll(/,"formerBusinessKeys":\[[^\]]*\]/g, '');
  return JSON.parse(
    firstKeys.reduce((said, [, key = '', first = '']) => said.replaceAll(`"${key}"`, `"${first}"`), without),
  );
}

const copySealed = () => new Program('cli', ['copy', '--seal', '--from', older, '--to', copy]);

describe('leadger copy --seal', () => {
  test('the older store has its texts plain, and no program has rewritten it', () => {
    expect(plain.size).toBeGreaterThan(10);
    for (const text of plain) expect(filesWith(join(older, 'events'), text)).not.toEqual([]);
  });

  test('a copy that was interrupted is opened by no program, and says why in one line', async () => {
    const copying = copySealed();
    await copying.says(/keys are in the copy/);
    await copying.kill();
    for (const command of ['verify', 'export']) {
      const { code, stdout, stderr } = await cli(command, '--data', copy);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^leadger: [^\n]*this log is a half copy of log [^\n]*\n$/);
    }
    const { code, stderr } = await new Program('standalone', ['--data', copy, '--port', '0']).ended;
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('half copy') });
  });

  test('started again, it completes the copy; a whole one is not changed any more', async () => {
    const { code, stdout } = await copySealed().ended;
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('all say the same as in the original'),
    });
    const again = await copySealed().ended;
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/the copy in [^\n]* is whole already\n$/);
  });

  test('every law holds in the copy, and every decision is repeated there', async () => {
    const { code, stdout } = await cli('verify', '--data', copy);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('all laws hold') });
    expect(stdout).toMatch(/[1-9]\d* decisions repeated, 0 passed over/);
  });

  test('the copy says what the store of the present version says, and names the log that it was made from', async () => {
    expect(await contentOf(copy)).toEqual(inFirstForm(await contentOf(present)));
    const source = await openEvents({ directory: older, readOnly: true });
    const target = await openEvents({ directory: copy, readOnly: true });
    for await (const first of target.readAll({ maxCount: 1 })) {
      expect(first.type).toBe('LogRewritten');
      expect(parsed(first.data).from).toBe(await source.identity());
    }
    expect(await target.identity()).not.toBe(await source.identity());
    await source.close();
    await target.close();
  });

  test('no text that was plain is in any byte of the copy', () => {
    for (const text of plain) expect([text, filesWith(copy, text)]).toEqual([text, []]);
  });

  test('the store starts on the copy, and goes on', async () => {
    const { program, url } = await serve(copy);
    const [{ stream }] = (await contentOf(present)).filter(({ type }) => type === 'CustomerRegistered') as [Data];
    const customerId = stream.slice('customer-'.length);
    const read = async () => (await (await fetch(`${url}/api/customers/${customerId}`)).json()) as Data;
    await waitUntil(async () => (await read()).customerId === customerId);
    expect([...plain]).toContain((await read()).businessAssociation);
    expect(await program.stop()).toMatchObject({ code: 0, stderr: '' });
    expect((await cli('verify', '--data', copy)).code).toBe(0);
  });

  test('the laws hold as well in the copy of a store that this version has started on, and has sealed names in', async () => {
    const [started, itsCopy] = [join(temporary, 'started'), join(temporary, 'copy of started')];
    await cp(older, started, { recursive: true });
    expect(await (await serve(started)).program.stop()).toMatchObject({ code: 0 });
    expect((await cli('copy', '--seal', '--from', started, '--to', itsCopy)).code).toBe(0);
    expect((await contentOf(itsCopy)).map(({ type }) => type)).toContain('BusinessAssociationSealed');
    const { code, stdout } = await cli('verify', '--data', itsCopy);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('all laws hold') });
  });

  test('nothing is written to a store that holds another log, and a store in use is not copied', async () => {
    const other = await cli('copy', '--seal', '--from', older, '--to', present);
    expect(other.stderr).toMatch(/^leadger: there is another log in [^\n]*\n$/);
    const { program } = await serve(present);
    const used = await cli('copy', '--seal', '--from', present, '--to', join(temporary, 'none'));
    expect(used.stderr).toMatch(/^leadger: [^\n]* is in use by process [^\n]*\n$/);
    await program.stop();
  });
});

describeWithPostgres('leadger copy --seal to servers', () => {
  test('makes the log on one, with its keys on the other, and every law holds there', async () => {
    const [events, database] = [await startEventStoreDb(), await freshDatabase()];
    const to = events.connectionString;
    const run = (...parameters: string[]) =>
      new Program('cli', parameters, {
        LEADGER_MASTER_KEY: readFileSync(join(older, 'keys', 'master.key'), 'utf8').trim(),
      }).ended;
    const copying = ['copy', '--seal', '--from', older, '--to', to];
    expect((await run(...copying)).stderr).toMatch(/a copy on a server needs it\n$/);
    const copied = await run(...copying, '--keys-to', database.url);
    expect(copied).toMatchObject({ code: 0, stdout: expect.stringContaining('all say the same as in the original') });
    const verified = await run('verify', '--events', to, '--database', database.url);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('all laws hold') });
    await events.close();
    await database.drop();
  });
});
