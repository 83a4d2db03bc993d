import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLaws } from '#audit/laws/laws';
import { openedBusinessNames } from '#audit/opened';
import { deriveId } from '#domain/kernel/ids';
import { isNotOfOthers } from '#event-store/contract/shared-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { openLogOf } from '#test/event-stores/event-stores';
import { waitUntil } from '#test/wait-until';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-same-business-'));
});
afterAll(() => rm(temporary, { recursive: true }));

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the owner told us' };

// biome-ignore lint/suspicious/noExplicitAny: events as they are stored
type Data = any;

/** The laws that are broken, with names opened as `leadger verify` does. */
async function brokenLaws({ server: { application } }: Shop) {
  const nameIn = openedBusinessNames(application.get<Vault>(VAULT));
  const { laws } = await checkLaws(application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent, nameIn });
  return Object.entries(laws).filter(([, count]) => count > 0);
}

const customerOf = (shop: Shop, businessAssociation: string) => shop.customer({ businessAssociation });

const leadsOf = async (shop: Shop, orderId: string) =>
  (await shop.history(`/api/orders/${orderId}`))
    .filter(({ type }) => type === 'LeadDelivered')
    .map(({ data }) => data.leadId);

/** Orders of a shared type, one for each of these customers. */
async function ordersOf(shop: Shop, leadTypeId: string, customerIds: readonly string[]) {
  const orders = [];
  for (const customerId of customerIds) orders.push(await shop.order(customerId, { leadTypeId }));
  return orders;
}

describe('a new store', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(() => shop.stop());

  test.each([
    ['STRAẞE', 'Straße'],
    ['οδός', 'ΟΔΟΣ'],
    ['Café', 'Cafe'],
    ['ACME VITAMINS™', 'Acme Vitamins'],
    ['ＡＢＣ', 'A.B.C.'],
    ['Acme, Inc.', 'ACME L.L.C.'],
  ])('DLV-3: "%s" and "%s" are one business, and have one key', async (one, other) => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const customers = [await customerOf(shop, one), await customerOf(shop, other)];
    const orders = await ordersOf(shop, leadTypeId, customers);
    const leadId = await shop.lead(leadTypeId);
    expect((await Promise.all(orders.map((order) => leadsOf(shop, order)))).flat()).toEqual([leadId]);
    const keys = await Promise.all(customers.map(async (id) => (await shop.read(`/api/customers/${id}`)).businessKey));
    expect(keys[0]).toBe(keys[1]);
  });

  test('DLV-3: marks of other scripts are letters: the businesses are two', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const customers = [await customerOf(shop, 'ガス'), await customerOf(shop, 'カス')];
    const orders = await ordersOf(shop, leadTypeId, customers);
    const leadId = await shop.lead(leadTypeId);
    expect(await Promise.all(orders.map((order) => leadsOf(shop, order)))).toEqual([[leadId], [leadId]]);
  });

  test('DLV-3: support merges two names into one business, with a reason; what was delivered before stays; it may be taken back', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const [customerId, otherCustomerId] = [await customerOf(shop, 'North'), await customerOf(shop, 'Northern Lights')];
    const orders = await ordersOf(shop, leadTypeId, [customerId, otherCustomerId]);
    const delivered = () => Promise.all(orders.map((order) => leadsOf(shop, order)));
    const before = await shop.lead(leadTypeId);
    expect(await delivered()).toEqual([[before], [before]]);

    const body = { customerId, otherCustomerId };
    const path = '/api/business-merges';
    expect(await shop.try('POST', path, body, { 'leadger-actor': 'staff:ada' })).toMatchObject({
      status: 400,
      body: { code: 'reason-missing' },
    });
    const { mergeId } = await shop.ask('POST', path, body, 201, support);
    expect(await shop.try('POST', path, body, support)).toMatchObject({
      status: 409,
      body: { code: 'businesses-are-one' },
    });
    const merged = await shop.lead(leadTypeId);
    expect((await delivered()).flat().filter((leadId) => leadId === merged)).toHaveLength(1);
    const merge = { mergeId, customerId, otherCustomerId, takenBack: null };
    expect((await shop.ask('GET', path)).items).toMatchObject([merge]);

    await shop.ask('POST', `${path}/${mergeId}/take-back`, undefined, 200, support);
    expect((await delivered()).flat().filter((leadId) => leadId === merged)).toHaveLength(2);
    expect((await shop.ask('GET', path)).items).toEqual([]);
    expect(await shop.try('POST', `${path}/${mergeId}/take-back`, undefined, support)).toMatchObject({
      status: 404,
      body: { code: 'merge-unknown' },
    });
  });

  test('DLV-3: who merged two businesses, when and why is listed in pages, also of merges that were taken back, and is in the whole history of both customers', async () => {
    const path = '/api/business-merges';
    const names = ['West', 'Westward', 'Western Sun'];
    const [west, ward, sun] = await Promise.all(names.map((name) => customerOf(shop, name)));
    const merge = async (customerId = '', otherCustomerId = '') =>
      (await shop.ask('POST', path, { customerId, otherCustomerId }, 201, support)).mergeId;
    const [one, other] = [await merge(west, ward), await merge(west, sun)];
    const third = await merge(ward, sun);
    const why = { 'leadger-actor': 'staff:bob', 'leadger-reason': 'two owners after all' };
    await shop.ask('POST', `${path}/${one}/take-back`, undefined, 200, why);

    const listed = async (query: string) => shop.ask('GET', `${path}?${query}`);
    const [first] = (await listed('status=taken-back')).items.slice(-1);
    expect(first).toMatchObject({
      ...{ mergeId: one, customerId: west, otherCustomerId: ward },
      status: 'taken-back',
      merged: { at: expect.any(String), author: 'staff:ada', reason: 'the owner told us' },
      takenBack: { at: expect.any(String), author: 'staff:bob', reason: 'two owners after all' },
    });
    const ids = (items: Data[]) => items.map(({ mergeId }) => mergeId);
    expect(ids((await listed('')).items).slice(-2)).toEqual([other, third]);
    const paged: string[] = [];
    let cursor = '';
    do {
      const page = await listed(`limit=1${cursor}`);
      paged.push(...ids(page.items));
      cursor = page.nextCursor ? `&cursor=${page.nextCursor}` : '';
    } while (cursor);
    expect(paged).toEqual(ids((await listed('')).items));
    expect(paged.length).toBeGreaterThan(1);
    expect(await shop.try('GET', `${path}?cursor=nowhere`)).toMatchObject({ status: 400 });

    const mergesIn = async (customerId = '') =>
      (await shop.ask('GET', `/api/customers/${customerId}/whole-history`, undefined, 200, support)).items
        .filter(({ stream }: Data) => stream === 'businesses-main')
        .map(({ type, reason, data }: Data) => [type, reason, data.mergeId]);
    const taken = [
      ['BusinessesMerged', 'the owner told us', one],
      ['BusinessMergeTakenBack', 'two owners after all', one],
    ];
    const merged = (id: string) => ['BusinessesMerged', 'the owner told us', id];
    expect(await mergesIn(ward)).toEqual([taken[0], merged(third), taken[1]]);
    expect(await mergesIn(west)).toEqual([taken[0], merged(other), taken[1]]);
  });

  test('DLV-3: ten who merge the same two businesses at once merge them once', async () => {
    const body = {
      customerId: await customerOf(shop, 'East'),
      otherCustomerId: await customerOf(shop, 'Eastern Star'),
    };
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => shop.try('POST', '/api/business-merges', body, support)),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
  });

  test('DLV-3: every law holds', async () => {
    expect(await brokenLaws(shop)).toEqual([]);
  });
});

test('DLV-3: a list of legal endings that the policy changes holds from the next start on, for names of before too', async () => {
  const directory = join(temporary, 'endings');
  let shop = await openShop({ directory });
  const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
  const [club] = await ordersOf(shop, leadTypeId, [await customerOf(shop, 'Acme Club')]);
  const leadId = await shop.lead(leadTypeId);
  await shop.publish({ changes: { legalEndings: ['Club'] } });
  await shop.stop();

  shop = await openShop({ directory });
  const orders = await ordersOf(shop, leadTypeId, [
    await customerOf(shop, 'ACME'),
    await customerOf(shop, 'Acme Inc.'),
  ]);
  const delivered = await Promise.all([club as string, ...orders].map((order) => leadsOf(shop, order)));
  expect(delivered).toEqual([[leadId], [], [leadId]]);
  expect(await brokenLaws(shop)).toEqual([]);
  await shop.stop();
});

test('DLV-3: a registration that another program decided with a former list of legal endings, and recorded after it changed, gets a key of the present list', async () => {
  const directory = join(temporary, 'late');
  let shop = await openShop({ directory });
  await shop.publish({ changes: { legalEndings: ['Naturals'] } });
  const early = await customerOf(shop, 'Rice Naturals');
  await shop.stop();
  shop = await openShop({ directory });

  const { data: former } = (await shop.log()).find(({ stream }) => stream === `customer-${early}`) as Data;
  const [events, vault] = [
    shop.server.application.get<EventStore>(EVENT_STORE),
    shop.server.application.get<Vault>(VAULT),
  ];
  const name = await vault.seal('customer-late', 'business-association', 'RICE naturals');
  const registered = { ...former, businessAssociation: name, email: undefined, addressKey: undefined };
  const [data, metadata] = [
    registered,
    { commandId: 'late', correlationId: 'late', actor: 'staff:ada', schemaVersion: 2 },
  ];
  const bytes = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const id = deriveId('late registration');
  await events.append(
    'customer-late',
    [{ id, type: 'CustomerRegistered', data: bytes(data), metadata: bytes(metadata) }],
    'any',
  );

  const last = async () => (await shop.log()).filter(({ stream }) => stream === 'customer-late').at(-1);
  await waitUntil(async () => (await last())?.type === 'BusinessKeysRenewed');
  const fresh = await customerOf(shop, 'Rice');
  const keys = await Promise.all(
    [early, fresh].map(async (one) => (await shop.read(`/api/customers/${one}`)).businessKey),
  );
  expect(keys).toEqual([(await last())?.data.businessKey, (await last())?.data.businessKey]);
  const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
  const orders = await ordersOf(shop, leadTypeId, ['late', fresh]);
  const leadId = await shop.lead(leadTypeId);
  expect((await Promise.all(orders.map((order) => leadsOf(shop, order)))).flat()).toEqual([leadId]);
  expect(await brokenLaws(shop)).toEqual([]);
  await shop.stop();
});

test('DLV-3: a list of legal endings that was made shorter tells a name from itself with the ending, from the next start on', async () => {
  const directory = join(temporary, 'shortened');
  const first = await openShop({ directory });
  const leadTypeId = await first.leadType({ exclusivity: 'shared' });
  const before = [await customerOf(first, 'Pro Co.'), await customerOf(first, 'Pro')];
  const orders = await ordersOf(first, leadTypeId, before);
  const sold = await first.lead(leadTypeId);
  expect((await Promise.all(orders.map((order) => leadsOf(first, order)))).flat()).toEqual([sold]);
  await first.publish({ changes: { legalEndings: ['Inc.'] } });
  await first.stop();

  const shop = await openShop({ directory });
  const later = [await customerOf(shop, 'Sea Co.'), await customerOf(shop, 'Sea')];
  // Persons of leads are numbered anew with each opened shop.
  const lead = (address: string) => shop.lead(leadTypeId, { contact: { email: `${address}@example.org` } });
  const next = await lead('next');
  const leads = async () => (await Promise.all(orders.map((order) => leadsOf(shop, order)))).flat().sort();
  expect(await leads()).toEqual([sold, next, next].sort());
  orders.push(...(await ordersOf(shop, leadTypeId, later)));
  const third = await lead('third');
  expect((await leads()).filter((one) => one === third)).toHaveLength(3);
  const ofSea = (await Promise.all(orders.slice(2).map((order) => leadsOf(shop, order)))).map((all) => all.length);
  expect(Math.min(...ofSea)).toBeGreaterThan(0);
  expect(await brokenLaws(shop)).toEqual([]);
  await shop.stop();
});

const decoded = (bytes: Uint8Array): Data => JSON.parse(new TextDecoder().decode(bytes));

/** The same store as the version before would have left it: with keys of the first form only. */
async function olderOf(directory: string): Promise<string> {
  const older = `${directory}-older`;
  await cp(join(directory, 'keys'), join(older, 'keys'), { recursive: true });
  const [source, target] = [await openLogOf(directory), await openEmbeddedStore({ directory: join(older, 'events') })];
  /** Customer → the first form of its key. */
  const firstKeys = new Map<string, string>();
  let left = 0;
  for await (const event of source.readAll()) {
    if (!isNotOfOthers(event.stream)) continue;
    const { formerBusinessKeys, ...data } = decoded(event.data);
    const { basis: _, eventsSeen: __, ...metadata } = decoded(event.metadata);
    const customerId = data.customerId ?? event.stream.slice('customer-'.length);
    if (formerBusinessKeys) firstKeys.set(customerId, formerBusinessKeys[0]);
    if (data.businessKey) data.businessKey = firstKeys.get(customerId);
    if (data.decision) data.decision.eventsSeen -= left;
    if (event.type === 'AllBusinessKeysRenewed') left += 1;
    else {
      const bytes = (value: object) => new TextEncoder().encode(JSON.stringify(value));
      const rewritten = { id: event.id, type: event.type, data: bytes(data), metadata: bytes(metadata) };
      await target.append(event.stream, [rewritten], 'any');
    }
  }
  await source.close();
  await target.close();
  return older;
}

describe('a store of the version before, with keys of the first form', () => {
  let shop: Shop;
  let leadTypeId: string;
  let leadId: string;
  const names = ['Café Acme', 'Gone Vitamins'];
  let customers: string[];

  beforeAll(async () => {
    const directory = join(temporary, 'first-form');
    shop = await openShop({ directory });
    leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    customers = [await customerOf(shop, names[0] as string), await customerOf(shop, names[1] as string)];
    await ordersOf(shop, leadTypeId, customers);
    leadId = await shop.lead(leadTypeId);
    await shop.stop();
    shop = await openShop({ directory: await olderOf(directory) });
  });
  afterAll(() => shop.stop());

  test('DLV-3: a lead sold before keeps its keys, and goes to nobody whose name is the same in the new form', async () => {
    const orders = await ordersOf(shop, leadTypeId, [
      await customerOf(shop, 'Cafe Acme, Inc.'),
      await customerOf(shop, 'GONE VITAMINS'),
    ]);
    expect(await Promise.all(orders.map((order) => leadsOf(shop, order)))).toEqual([[], []]);
    const other = (await ordersOf(shop, leadTypeId, [await customerOf(shop, 'Other')])) as [string];
    expect(await leadsOf(shop, other[0])).toEqual([leadId]);
  });

  test('DLV-3: the customers of before have keys of the new form, and their names are shown as before', async () => {
    const again = await customerOf(shop, 'CAFE ACME GmbH');
    const [old, fresh] = await Promise.all([customers[0], again].map((id) => shop.read(`/api/customers/${id}`)));
    expect(old).toMatchObject({ businessAssociation: 'Café Acme', businessKey: fresh.businessKey });
    const renewed = (await shop.log()).filter(({ type }) => type === 'BusinessKeysRenewed');
    expect(renewed.map(({ stream }) => stream)).toEqual(customers.map((id) => `customer-${id}`));
  });

  test('DLV-3: every law holds', async () => {
    expect(await brokenLaws(shop)).toEqual([]);
  });
});

test('DLV-3: a customer who was erased before the keys were made anew is compared by the key of before', async () => {
  const directory = join(temporary, 'erased');
  let shop = await openShop({ directory });
  const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
  const gone = await shop.customer({ businessAssociation: 'Gone Vitamins', email: 'gone@example.org' });
  await ordersOf(shop, leadTypeId, [gone]);
  const leadId = await shop.lead(leadTypeId);
  await shop.ask('POST', '/api/persons/erasures', { person: { email: 'gone@example.org' } }, 200, support);
  await shop.stop();

  shop = await openShop({ directory: await olderOf(directory) });
  const orders = await ordersOf(shop, leadTypeId, [
    await customerOf(shop, 'gone-vitamins'),
    await customerOf(shop, 'Other'),
  ]);
  expect(await Promise.all(orders.map((order) => leadsOf(shop, order)))).toEqual([[], [leadId]]);
  expect(await brokenLaws(shop)).toEqual([]);
  await shop.stop();
});
