import { addDays } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

/** A customer that sends its own requests. */
const signedIn = async (details: Record<string, unknown> = {}) => {
  const customerId = await shop.customer(details);
  const asItself = { 'leadger-actor': `customer:${customerId}` };
  return {
    customerId,
    read: (path: string) => shop.read(`/api/customers/${customerId}${path}`),
    act: (method: string, path: string, body?: object) => shop.ask(method, path, body, undefined, asItself),
  };
};
const ada = { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0190', comment: 'After five.' };
const leadsOf = ({ items }: { items: readonly { leadId: string }[] }) => items.map(({ leadId }) => leadId);

test('BCK-1: a customer views, searches and downloads the leads of one order or of all orders, page by page', async () => {
  const { customerId, read } = await signedIn();
  const [one, two] = [await shop.leadType(), await shop.leadType()];
  const orderId = await shop.order(customerId, { leadTypeId: one });
  await shop.order(customerId, { leadTypeId: two });
  const given = [await shop.lead(one, { contact: ada })];
  for (const leadTypeId of [two, one]) {
    await shop.wait({ seconds: 1 });
    given.push(await shop.lead(leadTypeId));
  }
  const newestFirst = given.toReversed();
  expect(leadsOf(await read('/leads'))).toEqual(newestFirst);
  const page = await read('/leads?limit=2');
  expect(leadsOf(page)).toEqual(newestFirst.slice(0, 2));
  expect(leadsOf(await read(`/leads?limit=2&cursor=${page.nextCursor}`))).toEqual(newestFirst.slice(2));
  expect(leadsOf(await read(`/leads?orderId=${orderId}`))).toEqual([given[2], given[0]]);
  expect(leadsOf(await read('/leads?search=byron'))).toEqual([given[0]]);
  const file: string = await read(`/leads.csv?orderId=${orderId}`);
  const [head, ...lines] = file.trimEnd().split('\r\n');
  expect(head).toMatch(/^\uFEFF?deliveredAt,leadTypeId,orderId,leadId,firstName,lastName,telephone,email,/);
  expect(lines.map((line) => line.split(',')[3])).toEqual([given[2], given[0]]);
});

test('BCK-1: the Contact Manager shows a lead’s details, accepts a rating and a return, and shows the outcome of the return', async () => {
  const { customerId, read, act } = await signedIn();
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(customerId, { leadTypeId });
  const contact = { ...ada, telephone: '+1 212 555 0191' };
  const leadId = await shop.lead(leadTypeId, { contact });
  const page = () => read(`/leads/${leadId}`);
  expect(await page()).toMatchObject({
    leadId,
    orderId,
    contact,
    deliveredAt: shop.now(),
    rating: null,
    forReplacementId: null,
    replacementStatus: null,
  });
  await act('PUT', `/api/customers/${customerId}/leads/${leadId}/rating`, { rating: 2 });
  const { replacementId: id } = await act('POST', '/api/replacements', {
    orderId,
    leadId,
    reason: 'wrong number',
    note: 'A bakery.',
  });
  expect(await page()).toMatchObject({ rating: 2, replacementId: id, replacementStatus: 'requested' });
  const returns = async () => (await shop.read(`/api/replacements?customerId=${customerId}`)).items;
  expect(await returns()).toMatchObject([{ replacementId: id, status: 'requested', dueAt: addDays(shop.now(), 7) }]);

  const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called: a bakery' };
  await shop.ask('POST', `/api/replacements/${id}/grant`, undefined, 200, staff);
  expect((await page()).replacementStatus).toBe('granted');
  const instead = await shop.lead(leadTypeId);
  expect((await page()).replacementStatus).toBe('replaced');
  expect(await returns()).toMatchObject([{ status: 'replaced', replacementLeadId: instead, replacedAt: shop.now() }]);
  expect(await read(`/leads/${instead}`)).toMatchObject({ forReplacementId: id, replacementStatus: null });
});

test('BCK-1: a customer cannot see or change a lead that was delivered to another customer', async () => {
  const { customerId } = await signedIn();
  const leadTypeId = await shop.leadType();
  await shop.order(await shop.customer(), { leadTypeId });
  const leadId = await shop.lead(leadTypeId);
  for (const path of [`/api/customers/${customerId}/leads/${leadId}`, `/api/customers/${customerId}/leads/nobody`])
    expect(await shop.try('GET', path)).toMatchObject({ status: 404, body: { code: 'lead-unknown' } });
  expect(leadsOf(await shop.read(`/api/customers/${customerId}/leads`))).toEqual([]);
});

test('BCK-2: a customer sees an order’s progress, forecast, statement descriptor and history', async () => {
  const { customerId, act } = await signedIn();
  const leadTypeId = await shop.leadType({ freshness: 'real-time', usualDelivery: 'at once' });
  const wish = { customerId, leadTypeId, quantity: 4, dailyMaximum: { leads: 1 }, paymentToken: 'tok_ok' };
  const { orderId } = await act('POST', '/api/orders', wish);
  const order = () => shop.read(`/api/orders/${orderId}`);
  expect(await order()).toMatchObject({
    status: 'open',
    deliveredLeads: 0,
    owedLeads: 4,
    usualDelivery: 'at once',
    expectedFilledAt: null,
    statementDescriptor: 'LEADGER',
  });
  await shop.lead(leadTypeId);
  await shop.wait({ days: 1 });
  await shop.lead(leadTypeId);
  expect(await order()).toMatchObject({ deliveredLeads: 2, owedLeads: 2, expectedFilledAt: addDays(shop.now(), 2) });

  await act('POST', `/api/orders/${orderId}/pause`);
  expect(await order()).toMatchObject({ status: 'paused', pausedAt: shop.now(), expectedFilledAt: null });
  await act('POST', `/api/orders/${orderId}/restart`);
  expect((await order()).status).toBe('open');
  await act('POST', `/api/orders/${orderId}/cancel`);
  expect(await order()).toMatchObject({ status: 'cancelled', owedLeads: 0, expectedFilledAt: null });
  const asked = (await shop.history(`/api/orders/${orderId}`)) as readonly { type: string; actor?: string }[];
  expect(asked.filter(({ actor }) => actor === `customer:${customerId}`).map(({ type }) => type)).toEqual([
    'OrderPlaced',
    'OrderPaused',
    'OrderRestarted',
    'OrderCancelled',
  ]);
});

describe('data of another customer', () => {
  let its: Record<'customerId' | 'orderId' | 'leadId' | 'checkoutId', string>;
  let stranger: { 'leadger-actor': string };
  beforeAll(async () => {
    const { customerId } = await signedIn();
    const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
    const orderId = await shop.order(customerId, { leadTypeId, loyalty: { cadence: 'weekly' } });
    const leadId = await shop.lead(leadTypeId);
    const { checkoutId: id } = await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId, quantity: 2 });
    its = { customerId, orderId, leadId, checkoutId: id };
    stranger = { 'leadger-actor': `customer:${await shop.customer()}` };
  });

  const acts: readonly (readonly [string, (of: typeof its) => readonly [string, string, object?]])[] = [
    [
      'BCK-1: a contact is rated',
      (of) => ['PUT', `/api/customers/${of.customerId}/leads/${of.leadId}/rating`, { rating: 1 }],
    ],
    ['BCK-1: a lead is returned', (of) => ['POST', '/api/replacements', { ...lead(of), reason: 'wrong number' }]],
    ['BCK-2: an order is paused', (of) => ['POST', `/api/orders/${of.orderId}/pause`]],
    ['BCK-2: an order is restarted', (of) => ['POST', `/api/orders/${of.orderId}/restart`]],
    ['BCK-2: an order is cancelled', (of) => ['POST', `/api/orders/${of.orderId}/cancel`]],
    ['BCK-3: a programme is held', (of) => ['POST', `/api/programmes/${of.orderId}/hold`]],
    ['BCK-3: a programme is activated', (of) => ['POST', `/api/programmes/${of.orderId}/activate`]],
    ['BCK-3: a programme is cancelled', (of) => ['POST', `/api/programmes/${of.orderId}/cancel`]],
    ['CHK-1: an order is placed', (of) => ['POST', '/api/orders', { ...wish(of), paymentToken: 'tok_ok' }]],
    ['CHK-1: a checkout is started', (of) => ['POST', '/api/checkouts', wish(of)]],
    ['CHK-1: a coupon is tried', (of) => ['PUT', `/api/checkouts/${of.checkoutId}/coupon`, { couponCode: 'ANY' }]],
    [
      'CHK-1: a checkout is placed',
      (of) => ['POST', `/api/checkouts/${of.checkoutId}/place`, { paymentToken: 'tok_ok' }],
    ],
  ];
  const lead = ({ orderId, leadId }: typeof its) => ({ orderId, leadId });
  const wish = ({ customerId }: typeof its) => ({ customerId, leadTypeId: 'exclusive-fresh', quantity: 2 });

  test.each(acts)('%s only by its own customer or by staff', async (_, act) => {
    const before = await shop.log();
    const [method, path, body] = act(its);
    expect(await shop.try(method, path, body, stranger)).toMatchObject({ status: 403, body: { code: 'not-yours' } });
    expect(await shop.log()).toEqual(before);
  });
});

test.each([
  ['a store', '/api/stores', { storeId: 'mine', name: 'Mine', webAddress: 'https://mine.example' }],
  [
    'a lead type',
    '/api/lead-types',
    {
      ...{ leadTypeId: 'mine', name: 'Mine', exclusivity: 'exclusive', freshness: 'fresh' },
      ...{ usualDelivery: 'at once', qualifiesForLoyaltyRewards: true },
    },
  ],
  [
    'a price',
    '/api/prices',
    {
      ...{ storeId: 'main', leadTypeId: 'exclusive-fresh', pricePerLeadCents: 1, currency: 'USD' },
      ...{ smallestOrder: 1, largestOrder: 10 },
    },
  ],
  ['a coupon', '/api/coupons', { couponCode: 'MINE', storeIds: ['main'], discount: { percent: 100 } }],
])('STO-1: %s is created only by staff; a customer is refused', async (_, path, body) => {
  const asCustomer = { 'leadger-actor': `customer:${await shop.customer()}` };
  expect(await shop.try('POST', path, body, asCustomer)).toMatchObject({ status: 403, body: { code: 'staff-only' } });
});

test('BCK-3: the Loyalty Rewards Manager shows that one pause too many ends the bonus ladder, and why', async () => {
  const { customerId, act } = await signedIn();
  const leadTypeId = await shop.leadType({ exclusivity: 'shared', qualifiesForLoyaltyRewards: true });
  const placedAt = shop.now();
  const wish = { customerId, leadTypeId, quantity: 10, paymentToken: 'tok_ok', loyalty: { cadence: 'weekly' } };
  const { orderId } = await act('POST', '/api/orders', wish);
  const programme = () => shop.read(`/api/programmes/${orderId}`);
  await shop.wait({ days: 7 });
  expect(await programme()).toMatchObject({
    status: 'active',
    nextDueAt: addDays(placedAt, 14),
    nextBonusPercent: 20,
    nextBonusRule: 'ladder',
    pausesUsed: 0,
  });
  const pauseFor = async (days: number) => {
    await act('POST', `/api/orders/${orderId}/pause`);
    await shop.wait({ days });
    await act('POST', `/api/orders/${orderId}/restart`);
  };
  await pauseFor(1);
  expect(await programme()).toMatchObject({ nextBonusPercent: 20, nextBonusRule: 'ladder', pausesUsed: 1 });
  await pauseFor(1);
  expect(await programme()).toMatchObject({
    nextBonusPercent: 10,
    nextBonusLeads: 1,
    nextBonusRule: 'ladder-lost',
    nextBonusReason: 'the standard bonus: the order was paused 2 times (LOY-4)',
    pausesUsed: 2,
  });

  await act('POST', `/api/programmes/${orderId}/hold`);
  expect((await programme()).status).toBe('held');
  await shop.wait({ days: 20 });
  expect((await shop.read(`/api/orders/${orderId}`)).renewals).toBe(1);
  await act('POST', `/api/programmes/${orderId}/activate`);
  expect(await programme()).toMatchObject({ status: 'active', nextDueAt: addDays(shop.now(), 7) });
  expect((await shop.read(`/api/orders/${orderId}`)).renewals).toBe(2);
  await act('POST', `/api/programmes/${orderId}/cancel`);
  expect(await programme()).toMatchObject({ status: 'cancelled', nextDueAt: null });
});

test('BCK-4: account settings are shown and changed one at a time, and never overwrite a concurrent change', async () => {
  const { customerId, act } = await signedIn();
  const page = `/api/customers/${customerId}`;
  const actor = { 'leadger-actor': `customer:${customerId}` };
  const before = await shop.read(page);
  const stale = `"${before.revision}"`;
  const settings: [string, Record<string, unknown>][] = [
    ['name', { name: { firstName: 'Robin', lastName: 'Sample' } }],
    ['postal-address', { postalAddress: { address: '12 Elm Street', city: 'Albany', country: 'US' } }],
    ['business-association', { businessAssociation: 'Moved On' }],
    ['time-zone', { timeZone: 'America/Denver' }],
    ['mail-preferences', { mailsOff: ['leads-delivered', 'renewal-done'] }],
    ['lead-delivery', { mails: 'each' }],
  ];
  for (const [setting, change] of settings) {
    const { revision } = await shop.read(page);
    await shop.ask('PUT', `${page}/${setting}`, change, 200, { ...actor, 'if-match': `"${revision}"` });
    const late = await shop.try('PUT', `${page}/${setting}`, change, { ...actor, 'if-match': stale });
    expect([setting, late.status, late.body.code]).toEqual([setting, 412, 'revision-mismatch']);
  }
  await act('PUT', `${page}/email`, { email: 'robin@example.org' });
  expect(await shop.read(page)).toMatchObject({
    name: { firstName: 'Robin', lastName: 'Sample' },
    postalAddress: { address: '12 Elm Street', city: 'Albany', country: 'US' },
    businessAssociation: 'Moved On',
    timeZone: 'America/Denver',
    mailsOff: ['leads-delivered', 'renewal-done'],
    newEmail: 'robin@example.org',
  });
  expect(await shop.read(`${page}/lead-delivery`)).toMatchObject({ mails: 'each' });
});

describe('lead types', () => {
  const define = (details: Record<string, unknown>) => {
    const plain = { name: 'New leads', usualDelivery: 'at once', qualifiesForLoyaltyRewards: false };
    return shop.try('POST', '/api/lead-types', { ...plain, leadTypeId: 'new', exclusivity: 'shared', ...details });
  };

  test('CAT-4: the list shows that orders of an exclusive type may join Loyalty Rewards, whatever its definition says', async () => {
    const [exclusive, shared] = [
      await shop.leadType({ exclusivity: 'exclusive' }),
      await shop.leadType({ exclusivity: 'shared' }),
    ];
    const { items } = await shop.read('/api/lead-types');
    const shown = (id: string) => items.find(({ leadTypeId }: { leadTypeId: string }) => leadTypeId === id);
    expect(shown(exclusive).qualifiesForLoyaltyRewards).toBe(true);
    expect(shown(shared).qualifiesForLoyaltyRewards).toBe(false);
  });

  test('DLV-6: what a lead type cannot age into is refused: the answer names the field, and what is possible', async () => {
    const unknown = await define({ freshness: 'fresh', agesInto: 'no-such-type' });
    expect(unknown).toMatchObject({
      status: 409,
      body: { code: 'unknown-lead-type', errors: [{ field: 'agesInto' }] },
    });
    const aged = await define({ freshness: 'aged', agesInto: 'shared-aged' });
    expect(aged.body.detail).toBe('aged leads are the oldest: they age into no other lead type');
    const fresh = await define({ freshness: 'fresh', agesInto: 'exclusive-aged' });
    expect(fresh.body.detail).toBe('shared fresh leads age into shared aged ones only');
  });
});
