import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { normaliseBusiness } from '#domain/accounts/business';
import { isNotOfOthers } from '#event-store/contract/shared-log';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { RecordedEvent } from '#event-store/port';
import { openLogOf } from '#test/event-stores/event-stores';
import { openShop, type Shop } from './shop.ts';

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-businesses-'));
});
afterAll(() => rm(temporary, { recursive: true }));

/** No word of any language, so that it is in a file only where its text is. */
const MARK = 'Zqxjkvw';

/** The files of a directory that contain the mark, in any case, plain or in a box without a key. */
function filesWithMark(directory: string): string[] {
  const inBox = Buffer.from(`"${MARK}`).toString('base64').slice(0, 8);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => {
      const text = readFileSync(file, 'latin1');
      return text.includes(inBox) || text.toLowerCase().includes(MARK.toLowerCase());
    });
}

/** The types of the events of an account, and the business that each names. */
async function accountHistory(shop: Shop, customerId: string): Promise<[type: string, business: unknown][]> {
  const { items } = await shop.ask('GET', `/api/customers/${customerId}/whole-history`, undefined, 200, staff);
  return (items as { stream: string; type: string; data: { businessAssociation?: unknown } }[])
    .filter(({ stream, type }) => stream === `customer-${customerId}` && type !== 'AddressConfirmationRequested')
    .map(({ type, data }) => [type, data.businessAssociation]);
}

const ofCustomer = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });
const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by telephone' };

test('ACC-5, CPN-3: what customers type as business or as coupon is in no file of the store, and is shown to who may ask', async () => {
  const directory = join(temporary, 'marked');
  const shop = await openShop({ directory });
  const business = `${MARK} & Daughters, Inc.`;
  const customerId = await shop.customer({ businessAssociation: business, email: 'ada@example.org' });
  const path = `/api/customers/${customerId}`;
  expect(await shop.read(path)).toMatchObject({ businessAssociation: business });

  const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
  const orderId = await shop.order(customerId, { leadTypeId });
  await shop.lead(leadTypeId);
  expect((await shop.history(`/api/orders/${orderId}`)).map(({ type }) => type)).toContain('LeadDelivered');

  const changed = { businessAssociation: `${MARK} Travel` };
  await shop.ask('PUT', `${path}/business-association`, changed, 200, ofCustomer(customerId));
  expect(await shop.read(path)).toMatchObject(changed);
  await shop.ask('PUT', `${path}/business-association`, changed, 200, ofCustomer(customerId));
  expect((await accountHistory(shop, customerId)).map(([, name]) => name)).toEqual([
    business,
    changed.businessAssociation,
  ]);
  await shop.try('PUT', '/api/customers/nobody/business-association', changed, ofCustomer('nobody'));
  await shop.try('POST', '/api/customers', { storeId: 'nowhere', businessAssociation: MARK, timeZone: 'UTC' });

  const couponCode = `${MARK}-10`;
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 1 };
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', order);
  expect((await shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode })).status).toBe(409);
  expect((await shop.try('POST', '/api/orders', { ...order, paymentToken: 'tok_ok', couponCode })).status).toBe(409);
  const alternative = { insteadOf: couponCode, customerId, couponCode: 'INSTEAD' };
  expect((await shop.try('POST', '/api/coupons/alternatives', alternative, staff)).status).toBe(409);

  expect(filesWithMark(directory)).toEqual([]);
  await shop.stop();
  expect(filesWithMark(directory)).toEqual([]);
});

// biome-ignore lint/suspicious/noExplicitAny: events as they are stored
type Data = any;
const decoded = (bytes: Uint8Array): Data => JSON.parse(new TextDecoder().decode(bytes));
const encoded = (data: object): Uint8Array => new TextEncoder().encode(JSON.stringify(data));

/** Makes events as the version wrote them that stored names of businesses plain. */
class OlderForm {
  /** Customer → the name of its business. All customers of these tests have the name that they register with. */
  readonly #names: ReadonlyMap<string, string>;

  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

  /** @param leftOut which events of the ledger, counted from 1, that version did not write */
  of(event: RecordedEvent, leftOut: readonly number[]): Pick<RecordedEvent, 'data' | 'metadata'> {
    const { businessKey, formerBusinessKeys: ____, ...data } = decoded(event.data);
    // That version did not say what it had read.
    const { basis: _, eventsSeen: __, ...cause } = decoded(event.metadata);
    if (businessKey === undefined) return { data: event.data, metadata: encoded(cause) };
    const { schemaVersion: ___, ...metadata } = cause;
    const customerId = data.customerId ?? event.stream.slice('customer-'.length);
    const name = this.#names.get(customerId) as string;
    const plain = data.businessAssociation ? { businessAssociation: name } : { businessKey: normaliseBusiness(name) };
    // A decision had seen fewer.
    const { decision } = data;
    if (decision) decision.eventsSeen -= leftOut.filter((ordinal) => ordinal <= decision.eventsSeen).length;
    return { data: encoded({ ...data, ...plain }), metadata: encoded(metadata) };
  }
}

/** The same store as the older version would have left it: without events about the vault, and without claims of persons. */
async function olderOf(directory: string, name: string, names: ReadonlyMap<string, string>): Promise<string> {
  const older = join(temporary, name);
  await cp(join(directory, 'keys'), join(older, 'keys'), { recursive: true });
  const form = new OlderForm(names);
  const [source, target] = [await openLogOf(directory), await openEmbeddedStore({ directory: join(older, 'events') })];
  let ordinal = 0;
  const leftOut: number[] = [];
  for await (const event of source.readAll()) {
    if (!isNotOfOthers(event.stream)) continue;
    ordinal += 1;
    if (event.stream === 'vault-main' || event.stream.startsWith('person-')) leftOut.push(ordinal);
    else await target.append(event.stream, [{ id: event.id, type: event.type, ...form.of(event, leftOut) }], 'any');
  }
  await source.close();
  await target.close();
  return older;
}

describe('DLV-3 in a store of the version that stored names of businesses plain', () => {
  let shop: Shop;
  let leadTypeId: string;
  let leadId: string;
  let older: string;
  const names = new Map<string, string>();
  const customerOf = async (businessAssociation: string) => {
    const customerId = await shop.customer({ businessAssociation });
    names.set(customerId, businessAssociation);
    return customerId;
  };
  const leadsOf = async (orderId: string) =>
    (await shop.history(`/api/orders/${orderId}`))
      .filter(({ type }) => type === 'LeadDelivered')
      .map(({ data }) => data.leadId);
  const orderOf = async (customerId: string) => shop.order(customerId, { leadTypeId });

  beforeAll(async () => {
    const directory = join(temporary, 'present');
    shop = await openShop({ directory });
    leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    await orderOf(await customerOf('A.B.C. Vitamins'));
    leadId = await shop.lead(leadTypeId);
    await customerOf('Joint Venture');
    await shop.stop();
    older = await olderOf(directory, 'older', names);
    shop = await openShop({ directory: older });
  });
  afterAll(() => shop.stop());

  test('a lead that a customer was given goes to no new customer of the same business, and to one of another', async () => {
    const colleague = await orderOf(await shop.customer({ businessAssociation: 'abc-vitamins' }));
    const other = await orderOf(await shop.customer({ businessAssociation: 'Other' }));
    expect(await Promise.all([colleague, other].map(leadsOf))).toEqual([[], [leadId]]);
  });

  test('a new customer and an old one of the same business are not given the same lead', async () => {
    const [joint] = [...names].find(([, name]) => name === 'Joint Venture') as [string, string];
    const partner = await orderOf(await shop.customer({ businessAssociation: 'joint venture' }));
    const old = await orderOf(joint);
    const received = (await Promise.all([old, partner].map(leadsOf))).flat();
    expect(received).toEqual([leadId]);
  });

  test('the names of old customers are shown as before, and customers of one business have one key', async () => {
    const [[customerId]] = [...names] as [[string, string]];
    const again = await shop.customer({ businessAssociation: 'ABC Vitamins' });
    const [old, fresh] = await Promise.all([customerId, again].map((id) => shop.read(`/api/customers/${id}`)));
    expect(old).toMatchObject({ businessAssociation: 'A.B.C. Vitamins', businessKey: fresh.businessKey });
    expect(await accountHistory(shop, customerId)).toEqual([
      ['CustomerRegistered', 'A.B.C. Vitamins'],
      ['BusinessAssociationSealed', 'A.B.C. Vitamins'],
      ['BusinessKeysRenewed', undefined],
    ]);
  });

  test('every law holds', async () => {
    expect(await shop.brokenLaws()).toEqual([]);
  });
});
