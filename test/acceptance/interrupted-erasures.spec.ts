import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveId } from '#domain/kernel/ids';
import type { EventStore } from '#event-store/port';
import { mailFiles } from '#gateways/mail';
import { CommandHandler } from '#requests/command-handler';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* A crash right after an erasure was recorded leaves the fact alone. The store completes it, and nobody asks again. */

let shop: Shop;
let folder: string;
let customerId: string;
let leadId: string;

const email = 'reader@example.org';
const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const caller = { kind: 'process', actor: 'process:test', roles: ['process'], stores: 'all' } as const;

/** What is in the log when the request was interrupted. */
async function recordAlone(erasure: { subjects: string[]; personKeys: string[] }): Promise<void> {
  const commandId = deriveId('interrupted', JSON.stringify(erasure));
  const outcome = await shop.server.application.get(CommandHandler).execute({
    stream: 'erasures-main',
    command: { type: 'ErasePerson', at: shop.now(), ends: [], ...erasure },
    caller,
    cause: { commandId, correlationId: commandId, actor: caller.actor, authenticated: 'process' },
  });
  expect(outcome.kind).toBe('accepted');
  await shop.server.settle();
}

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'leadger-interrupted-')), 'mails');
  shop = await openShop({ mails: mailFiles(folder) });
  customerId = await shop.customer({ email });
  const leadTypeId = await shop.leadType();
  await shop.order(customerId, { leadTypeId });
  await shop.ask('POST', '/api/tickets', { customerId, subject: 'Leads', message: 'Where?' }, 201, support);
  const other = await shop.leadType();
  leadId = await shop.lead(other, { contact: { telephone: '+1 212 555 1001', firstName: 'Zoë' } });
});
afterAll(async () => {
  await shop.stop();
  await rm(join(folder, '..'), { recursive: true });
});

test('what the customer had ends, copies of mails are deleted, and the address is free', async () => {
  expect(await readdir(folder)).not.toEqual([]);
  await recordAlone({ subjects: [`customer-${customerId}`], personKeys: [] });
  expect(await readdir(folder)).toEqual([]);
  const statuses = async (what: string) =>
    (await shop.read(`/api/${what}?customerId=${customerId}`)).items.map(({ status }: { status: string }) => status);
  expect(await statuses('orders')).toEqual(['cancelled']);
  expect(await statuses('tickets')).toEqual(['closed']);
  expect(await shop.read(`/api/customers/${customerId}`)).toMatchObject({ email: null });
  const addresses = (await shop.log()).filter(({ stream }) => stream.startsWith('address-'));
  expect(addresses.at(-1)).toMatchObject({ type: 'AddressReleased', data: { customerId } });
});

test('a lead that was received before the erasure was recorded is withdrawn, and its key is destroyed', async () => {
  const { telephoneKey } = (await shop.log()).find(({ stream }) => stream === `lead-${leadId}`)?.data ?? {};
  await recordAlone({ subjects: [], personKeys: [telephoneKey] });
  expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ contact: null, withdrawn: true });
  const vault = shop.server.application.get<Vault>(VAULT);
  await expect(vault.seal(`lead-${leadId}`, 'note', 1)).rejects.toMatchObject({ code: 'person-erased' });
});

test('a person with thousands of leads is erased in several facts, and so is what a crash between them left', async () => {
  const contact = { telephone: '+1 212 555 1002', firstName: 'Zoë' };
  const first = await shop.lead(undefined, { contact });
  const model = (await shop.log()).find(({ stream }) => stream === `lead-${first}`);
  const { telephoneKey, leadTypeId } = model?.data ?? {};
  await receiveAgain({ at: shop.now(), leadTypeId, source: 'web', telephoneKey, duplicateOf: first, policyVersion: 1 });
  const before = (await shop.log()).length;
  // The first fact alone: its keys find the rest.
  await recordAlone({ subjects: [], personKeys: [telephoneKey] });
  const facts = (await shop.log()).slice(before).filter(({ type }) => type === 'PersonErased');
  expect(facts.length).toBeGreaterThan(2);
  for (const { data } of facts) expect(JSON.stringify(data).length).toBeLessThan(300_000);
  const subjects = facts.flatMap(({ data }) => data.subjects);
  expect([subjects.length, new Set(subjects).size]).toEqual([MANY + 1, MANY + 1]);
  expect(await shop.read(`/api/leads/${first}`)).toMatchObject({ contact: null, withdrawn: true });
  const again = await shop.ask(
    'POST',
    '/api/persons/erasures',
    { person: { telephone: contact.telephone } },
    200,
    support,
  );
  expect(again).toEqual({ customers: 0, leads: MANY + 1 });
});

const MANY = 3000;
/** So many at once are answered in time on a slow machine too. */
const AT_ONCE = 100;

/** The same person, as often as a list that is bought again and again names it. */
async function receiveAgain(data: object): Promise<void> {
  const events = shop.server.application.get<EventStore>(EVENT_STORE);
  const stored = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const receive = (index: number) => {
    const id = deriveId('received again', String(index));
    const metadata = stored({ actor: caller.actor, authenticated: 'process', commandId: id, correlationId: id });
    const received = { id, type: 'DuplicateReceived', data: stored(data), metadata };
    return events.append(`lead-${id}`, [received], 'no-stream');
  };
  for (let first = 0; first < MANY; first += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => receive(first + index)));
  }
  await shop.server.settle();
}

test('when all is complete, nothing more is recorded', async () => {
  const before = (await shop.log()).length;
  await recordAlone({ subjects: [`customer-${customerId}`], personKeys: [] });
  expect((await shop.log()).length).toBe(before);
});
