import { addDays } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const listed = async (orderId: string, query = '') =>
  (await shop.read(`/api/attention${query}`)).items.filter((item: { orderId: string }) => item.orderId === orderId);
const reasons = async (orderId: string) => (await listed(orderId)).map(({ reason }: { reason: string }) => reason);
const inStock = async (leadTypeId: string) =>
  (await shop.read('/api/stock')).items.find((row: { leadTypeId: string }) => row.leadTypeId === leadTypeId);
const asStaff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by telephone' };

test('SUP-2: an open order without a lead for two days is listed, until a lead is delivered', async () => {
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(await shop.customer(), { leadTypeId });
  const openedAt = shop.now();
  await shop.wait({ hours: 48 });
  expect(await listed(orderId)).toEqual([]);
  await shop.wait({ seconds: 1 });
  expect(await listed(orderId)).toMatchObject([{ reason: 'starving', storeId: 'main', leadTypeId, since: openedAt }]);
  expect(await listed(orderId, '?starvingAfterHours=72')).toEqual([]);
  await shop.lead(leadTypeId);
  expect(await listed(orderId)).toEqual([]);
});

test('SUP-2: an order that was paused is not listed as starving immediately after its restart', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await shop.leadType() });
  await shop.ask('POST', `/api/orders/${orderId}/pause`);
  await shop.wait({ days: 5 });
  expect(await listed(orderId)).toEqual([]);
  await shop.ask('POST', `/api/orders/${orderId}/restart`);
  expect(await listed(orderId)).toEqual([]);
  await shop.ask('POST', `/api/orders/${orderId}/cancel`);
});

test('SUP-2: a declined payment is listed for two weeks', async () => {
  const orderId = await shop.order(await shop.customer(), { paymentToken: 'tok_declined' });
  expect(await listed(orderId)).toMatchObject([{ reason: 'payment-declined', since: shop.now() }]);
  await shop.wait({ days: 15 });
  expect(await listed(orderId)).toEqual([]);
});

test('SUP-2: a declined payment of a customer who is erased is not listed any more', async () => {
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { paymentToken: 'tok_declined' });
  expect(await reasons(orderId)).toEqual(['payment-declined']);
  await shop.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, asStaff);
  expect(await reasons(orderId)).toEqual([]);
});

test('RPL-5: a return that was not verified in time is listed, and the replacements owed are reported by lead type', async () => {
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(await shop.customer(), { leadTypeId, quantity: 3 });
  const leadId = await shop.lead(leadTypeId);
  const requestedAt = shop.now();
  const { replacementId: id } = await shop.ask('POST', '/api/replacements', {
    orderId,
    leadId,
    reason: 'wrong number',
  });
  await shop.wait({ days: 8 });
  const due = { reason: 'verification-overdue', replacementId: id, since: addDays(requestedAt, 7) };
  expect(await listed(orderId, '?reason=verification-overdue')).toMatchObject([due]);
  expect(await inStock(leadTypeId)).toMatchObject({ openOrders: 1, outstandingLeads: 2, replacementsOwed: 0 });
  await shop.ask('POST', `/api/replacements/${id}/grant`, undefined, 200, asStaff);
  expect(await listed(orderId, '?reason=verification-overdue')).toEqual([]);
  expect(await inStock(leadTypeId)).toMatchObject({
    leads: 0,
    openOrders: 1,
    outstandingLeads: 2,
    replacementsOwed: 1,
  });
  await shop.ask('POST', `/api/orders/${orderId}/cancel`);
  expect(await inStock(leadTypeId)).toMatchObject({ openOrders: 0, outstandingLeads: 0, replacementsOwed: 1 });
});

test('LOY-8: a declined renewal is listed, and so is the programme that it finally puts on hold', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const orderId = await shop.order(await shop.customer(), { leadTypeId, loyalty: { cadence: 'weekly' } });
  const dueAt = addDays(shop.now(), 7);
  const card = { paymentToken: 'tok_declined' };
  await shop.ask('PUT', `/api/orders/${orderId}/payment-card`, card, 200, asStaff);
  await shop.wait({ days: 7 });
  expect(await listed(orderId, '?reason=renewal-declined')).toMatchObject([
    { since: dueAt, retryAt: addDays(dueAt, 1) },
  ]);
  await shop.wait({ days: 5 });
  expect(await reasons(orderId)).toEqual(['starving', 'programme-held']);
  await shop.ask('POST', `/api/programmes/${orderId}/cancel`);
  await shop.ask('POST', `/api/orders/${orderId}/cancel`);
  expect(await reasons(orderId)).toEqual([]);
});

test('SUP-2: the list is paged, longest waiting first, and can be filtered by store or by reason', async () => {
  const customerId = await shop.customer();
  const placed: string[] = [];
  for (let number = 0; number < 3; number += 1) {
    placed.push(await shop.order(customerId, { paymentToken: 'tok_declined' }));
    await shop.wait({ seconds: 1 });
  }
  const found: string[] = [];
  let cursor = '';
  do {
    const { items, nextCursor } = await shop.read(`/api/attention?reason=payment-declined&limit=1${cursor}`);
    found.push(...items.map(({ orderId }: { orderId: string }) => orderId));
    cursor = nextCursor ? `&cursor=${nextCursor}` : '';
  } while (cursor);
  expect(found).toEqual(placed);
  expect((await shop.read('/api/attention?storeId=other')).items).toEqual([]);
  expect(await shop.try('GET', '/api/attention?reason=bored')).toMatchObject({ status: 400 });
});
