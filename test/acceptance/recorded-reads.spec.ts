import type { Sealed } from '#domain/kernel/events';
import { fieldsOf } from '#domain/kernel/fields';
import { ledger } from '#domain/ledger';
import type { EventStore } from '#event-store/port';
import { type Operation, readDocument } from '#test/e2e/api-document';
import { type Server, startServer } from '#test/e2e/server';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { addMember, bearer, endTrial, keptMails, PASSWORD, signInto } from './staff.ts';

/*
 * Every read of the API, asked by somebody who may see everything: each box that is opened is of somebody whom the log says this
 * reader was shown. The reads come from the document, the boxes from the vault, and what is personal from the schemas of events.
 */

type Headers = Record<string, string>;

/** It does not end. Its rows have no opened box. */
const NOT_CALLED = ['followFeed'];

let server: Server;
let reads: readonly Operation[];
let reader: { memberId: string; headers: Headers };
let opened: Sealed[];
const mails = keptMails();
const ids: Record<string, string> = { name: 'orders', token: 'nobody.none', version: '1' };

const ask = (method: string, path: string, body?: object) =>
  server.call(method, path, body, { 'leadger-reason': 'a complaint' });
async function created(path: string, idName: string, body: object): Promise<void> {
  const reply = await ask('POST', path, body);
  if (reply.status !== 201) throw new Error(`POST ${path} was answered ${reply.status}: ${reply.text}`);
  ids[idName] = reply.body[idName];
  await server.settle();
}
async function first(path: string, idName: string): Promise<void> {
  ids[idName] = (await ask('GET', `${path}&waitFor=${await server.position()}`)).body.items[0]?.[idName];
}

const account = (email: string) => ({
  ...{ storeId: 'main', businessAssociation: 'Byron Travel', timeZone: 'UTC', email, password: PASSWORD },
  name: { firstName: 'Ada', lastName: 'Byron' },
});

/** One of each thing that has personal data. */
async function prepare(): Promise<void> {
  await created('/api/customers', 'customerId', account('ada@example.org'));
  const { customerId } = ids;
  const proof = { token: mails.tokenTo('ada@example.org') };
  await ask('POST', `/api/customers/${customerId}/email/confirm`, proof);
  const postalAddress = { address: '1 Main Street', city: 'Albany', state: 'NY', postalCode: '12207', country: 'US' };
  await ask('PUT', `/api/customers/${customerId}/postal-address`, { postalAddress });
  await ask('PUT', `/api/customers/${customerId}/lead-delivery`, { mails: 'each', webhookUrl: 'https://crm.example/' });
  const wishes = { customerId, leadTypeId: 'exclusive-fresh', quantity: 4 };
  await created('/api/orders', 'orderId', { ...wishes, loyalty: { cadence: 'weekly' }, paymentToken: 'tok_ok' });
  const contact = { firstName: 'Grace', telephone: '+1 212 555 0181' };
  const consent = { text: 'I agree', at: '2026-03-01T09:29:58Z' };
  await created('/api/leads', 'leadId', { leadTypeId: 'exclusive-fresh', source: 'page', contact, consent });
  await created('/api/checkouts', 'checkoutId', wishes);
  const { orderId, leadId } = ids;
  await created('/api/replacements', 'replacementId', {
    orderId,
    leadId,
    reason: 'wrong number',
    note: 'Nobody there',
  });
  const explanation = { explanation: 'Somebody answered' };
  await ask('POST', `/api/replacements/${ids.replacementId}/deny`, explanation);
  const callBack = { telephone: '+1 212 555 0182' };
  await created('/api/tickets', 'ticketId', { customerId, subject: 'Leads', message: 'Where?', callBack });
  await ask('POST', `/api/tickets/${ids.ticketId}/answer`, { answer: 'Here' });
  await created(`/api/orders/${orderId}/refunds`, 'refundId', { amountCents: 100 });
  await server.settle();
  await first(`/api/mails?customerId=${customerId}`, 'mailId');
  await first(`/api/webhooks?customerId=${customerId}`, 'webhookId');
  await first(`/api/receipts?customerId=${customerId}`, 'receiptId');
  Object.assign(ids, { storeId: 'main', leadTypeId: 'exclusive-fresh' });
}

/** All that is opened for anybody, from now on. */
function watch(vault: Vault): void {
  const open = vault.open.bind(vault);
  vault.open = (box) => {
    opened.push(box);
    return open(box);
  };
}

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  reads = (await readDocument(server)).operations.filter(
    ({ id, method }) => method === 'GET' && !NOT_CALLED.includes(id),
  );
  await prepare();
  reader = await endTrial(server, 'first@example.com');
  await addMember(server, reader.headers, mails, { email: 'second@example.com', roles: ['support'] });
  // What mails open for themselves is no read.
  await server.settle();
  opened = [];
  watch(server.application.get<Vault>(VAULT));
}, 600_000);
afterAll(() => server.stop());

async function recorded() {
  const found: { type: string; persons: string[]; asked: string; actor: string; stream: string }[] = [];
  for await (const { stream, type, data, metadata } of server.application.get<EventStore>(EVENT_STORE).readAll()) {
    if (!/PersonalDataShown|ManyPersonsShown/.test(type)) continue;
    const { persons, asked } = JSON.parse(Buffer.from(data).toString());
    found.push({ type, stream, persons, asked, actor: JSON.parse(Buffer.from(metadata).toString()).actor });
  }
  return found;
}

const personsShownTo = async (actor: string) =>
  new Set((await recorded()).filter((one) => one.actor === actor).flatMap(({ persons }) => persons));

/** @returns whose boxes were opened by a read, and as what */
async function openedBy(path: string, headers: Headers) {
  opened.length = 0;
  const { status } = await server.call('GET', path, undefined, { ...headers, 'leadger-reason': 'a complaint' });
  const boxes = [...opened];
  const vault = server.application.get<Vault>(VAULT);
  const subjects = await Promise.all(boxes.map((box) => vault.subjectOf(box)));
  return { status, boxes, subjects: [...new Set(subjects)] };
}

const addressOf = ({ path, operation }: Operation): string => {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? 'none'));
  const needsCustomer = operation.parameters?.some((one: { name: string }) => one.name === 'customerId');
  return needsCustomer && !path.includes('customerId') ? `${filled}?customerId=${ids.customerId}` : filled;
};

/** A thing of the store has a key of its own: what is said about it is of nobody. */
const isOfPerson = (subject: string | undefined) =>
  subject === undefined || /^(customer|lead|staff|looks)-/.test(subject);
const asRecorded = (subject = 'unknown') => subject.replace(/^looks-([^/]+)\/.*$/, 'customer-$1');

test('whatever staff are shown of a person is in the log before the answer', async () => {
  const purposes = new Set<string | undefined>();
  const asked: string[] = [];
  const missing: string[] = [];
  for (const read of reads) {
    const { boxes, subjects } = await openedBy(addressOf(read), reader.headers);
    const shown = await personsShownTo(`staff:${reader.memberId}`);
    const persons = subjects.filter(isOfPerson).map(asRecorded);
    const others = persons.filter((person) => person !== `staff-${reader.memberId}`);
    if (others.length > 0) asked.push(read.id);
    for (const { purpose } of boxes) purposes.add(purpose);
    missing.push(...others.filter((person) => !shown.has(person)).map((person) => `${read.id}: ${person}`));
  }
  expect(missing).toEqual([]);
  expect(asked.length).toBeGreaterThan(15);
  const personal = Object.values(ledger).flatMap(({ events }) =>
    Object.values(events).flatMap((schema) =>
      fieldsOf(schema).flatMap(({ sealing, what }) =>
        sealing && !/shown to nobody/.test(what) ? [sealing.purpose] : [],
      ),
    ),
  );
  expect([...new Set(personal)].filter((purpose) => !purposes.has(purpose)).sort()).toEqual(NEVER_OPENED);
}, 600_000);

/** No read shows these to staff. */
const NEVER_OPENED = ['message-ids'];

test('a person is recorded once an hour for each reader, with the query that showed them first', async () => {
  const { customerId } = ids;
  const headers = bearer(await signInto(server, 'second@example.com'));
  const path = `/api/customers/${customerId}`;
  const before = (await recorded()).length;
  for (let time = 0; time < 3; time += 1) await server.call('GET', path, undefined, headers);
  const added = (await recorded()).slice(before);
  expect(added).toMatchObject([{ asked: 'accounts.get', persons: [`customer-${customerId}`] }]);
  await server.clock.moveTo('2026-03-02T16:10:00.000Z');
  const later = bearer(await signInto(server, 'second@example.com'));
  await server.call('GET', path, undefined, later);
  expect((await recorded()).slice(before)).toHaveLength(2);
});

test('what customers see of themselves, and what nobody is shown, is no such read', async () => {
  const before = (await recorded()).length;
  const own = bearer(await signInto(server, 'ada@example.org'));
  expect((await server.call('GET', `/api/customers/${ids.customerId}`, undefined, own)).status).toBe(200);
  const staff = bearer(await signInto(server, 'first@example.com'));
  for (const path of ['customers/none', 'catalogue/history'])
    expect([404, 200]).toContain((await server.call('GET', `/api/${path}`, undefined, staff)).status);
  expect((await recorded()).length).toBe(before);
});

test('who is shown very many persons in an hour is on the list of attention', async () => {
  const headers = bearer(await signInto(server, 'second@example.com'));
  const administrator = bearer(await signInto(server, 'first@example.com'));
  const key = { name: 'import', roles: ['lead-source'], stores: 'all', expiresAt: '2026-06-01T00:00:00.000Z' };
  const { token } = (await server.call('POST', '/api/api-keys', key, administrator)).body;
  const { name: _, ...many } = account('many@example.org');
  const { customerId } = (await server.call('POST', '/api/customers', many, administrator)).body;
  for (const leadTypeId of ['shared-fresh', 'exclusive-fresh']) {
    const order = { customerId, leadTypeId, quantity: 300, paymentToken: 'tok_ok' };
    const placed = await server.call('POST', '/api/orders', order, administrator);
    if (placed.status !== 201) throw new Error(placed.text);
  }
  await server.settle();
  const file = { ...bearer(token), 'content-type': 'text/csv' };
  const rowsOf = (from: number) =>
    Array.from({ length: 300 }, (_, index) => `Ada,${from + index},+1212555${from + index}\n`).join('');
  for (const [leadTypeId, from] of [
    ['shared-fresh', 1000],
    ['exclusive-fresh', 2000],
  ] as const) {
    const path = `/api/leads/batches?leadTypeId=${leadTypeId}&source=fair`;
    await server.call('POST', path, `first name,last name,telephone\n${rowsOf(from)}`, file);
  }
  await server.settle();
  const position = await server.position();
  const path = `/api/customers/${customerId}/leads.csv?waitFor=${position}`;
  const download = await server.call('GET', path, undefined, headers);
  expect(download.text.split('\n').length).toBeGreaterThan(500);
  await server.call('GET', path, undefined, headers);
  expect((await recorded()).filter(({ type }) => type === 'ManyPersonsShown')).toHaveLength(1);
  const { items } = (await server.call('GET', '/api/attention?reason=many-persons-shown', undefined, administrator))
    .body;
  expect(items).toMatchObject([
    { reason: 'many-persons-shown', customerId: null, why: expect.stringMatching(/^staff:.* persons/) },
  ]);
}, 600_000);
