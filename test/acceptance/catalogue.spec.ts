import { addDays, addSeconds } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const leadType = {
  leadTypeId: 'evening',
  name: 'Evening leads',
  exclusivity: 'exclusive',
  freshness: 'fresh',
  usualDelivery: 'two business days',
  qualifiesForLoyaltyRewards: false,
};
const define = (details: object) => shop.try('POST', '/api/lead-types', { ...leadType, ...details });
const setPrice = (details: object) => {
  const price = { storeId: 'main', pricePerLeadCents: 500, currency: 'USD', smallestOrder: 1, largestOrder: 1000 };
  return shop.try('POST', '/api/prices', { ...price, ...details });
};
const tryOrder = async (details: object) =>
  shop.try('POST', '/api/orders', {
    customerId: await shop.customer(),
    quantity: 10,
    paymentToken: 'tok_ok',
    ...details,
  });

test('CAT-1: a lead type is exclusive or shared, and real-time, fresh or aged; a new store has a type of each kind', async () => {
  const { items: leadTypes } = await shop.ask('GET', '/api/lead-types');
  expect(leadTypes.map((type: Record<string, string>) => `${type.exclusivity} ${type.freshness}`).sort()).toEqual([
    'exclusive aged',
    'exclusive fresh',
    'exclusive real-time',
    'shared aged',
    'shared fresh',
    'shared real-time',
  ]);
  for (const [details, field] of [
    [{ exclusivity: 'secret' }, 'exclusivity'],
    [{ freshness: 'mouldy' }, 'freshness'],
    [{ exclusivity: undefined }, 'exclusivity'],
  ] as const)
    expect(await define(details)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
});

test('CAT-1: fresh and aged are batch types: a real-time order may have a daily maximum, and no batch order has one', async () => {
  for (const [freshness, dailyMaximum, code] of [
    ['fresh', { leads: 5 }, 'daily-maximum-on-batch-type'],
    ['aged', { percent: 10 }, 'daily-maximum-on-batch-type'],
  ] as const) {
    const leadTypeId = await shop.leadType({ freshness });
    const refused = await tryOrder({ leadTypeId, dailyMaximum });
    expect(refused).toMatchObject({ status: 409, body: { code, errors: [{ field: 'dailyMaximum' }] } });
    expect((await tryOrder({ leadTypeId })).status).toBe(201);
  }
  const leadTypeId = await shop.leadType({ freshness: 'real-time' });
  for (const dailyMaximum of [{ leads: 5 }, { percent: 10 }, undefined])
    expect((await tryOrder({ leadTypeId, dailyMaximum })).status).toBe(201);
});

test('CAT-1: a type is defined once: an identical definition changes nothing, a different one is refused', async () => {
  expect((await define({})).body.events).toEqual(['LeadTypeDefined']);
  expect((await define({})).body.events).toEqual([]);
  for (const change of [{ exclusivity: 'shared' }, { freshness: 'aged' }, { usualDelivery: 'at once' }])
    expect(await define(change)).toMatchObject({ status: 409, body: { code: 'lead-type-exists', rule: 'CAT-1' } });
  expect(await tryOrder({ leadTypeId: 'morning' })).toMatchObject({
    status: 409,
    body: { code: 'unknown-lead-type', errors: [{ field: 'leadTypeId' }] },
  });
});

test('CAT-2: each type states its usual delivery time, and its orders show it', async () => {
  const { items: leadTypes } = await shop.ask('GET', '/api/lead-types');
  const usual = Object.fromEntries(
    leadTypes.map((type: Record<string, string>) => [type.leadTypeId, type.usualDelivery]),
  );
  expect(usual).toMatchObject({
    'exclusive-real-time': 'at once',
    'shared-fresh': 'one business day',
    'shared-aged': 'a few business days',
  });
  for (const nothing of [undefined, '', ' '])
    expect(await define({ leadTypeId: 'night', usualDelivery: nothing })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'usualDelivery' }] },
    });
  const leadTypeId = await shop.leadType({ usualDelivery: 'by Tuesday' });
  expect((await order(await shop.order(await shop.customer(), { leadTypeId }))).usualDelivery).toBe('by Tuesday');
});

describe('prices', () => {
  test('CAT-3: a price is valid from its instant; an order keeps the price that was valid when it was placed', async () => {
    const leadTypeId = await shop.leadType();
    const from = addDays(shop.now(), 1);
    await setPrice({ leadTypeId, pricePerLeadCents: 750, effectiveFrom: from });
    await shop.wait({ days: 1, seconds: -0.001 });
    const before = await shop.order(await shop.customer(), { leadTypeId });
    await shop.wait({ seconds: 0.001 });
    const after = await shop.order(await shop.customer(), { leadTypeId });
    expect(await order(before)).toMatchObject({ pricePerLeadCents: 100, totalCents: 1000, currency: 'USD' });
    expect(await order(after)).toMatchObject({ pricePerLeadCents: 750, totalCents: 7500, currency: 'USD' });
    expect((await shop.history(`/api/orders/${before}`))[0]?.data).toMatchObject({ pricePerLeadCents: 100 });
    const { items: prices } = await shop.ask('GET', '/api/prices?storeId=main');
    const told = prices.filter((price: { leadTypeId: string }) => price.leadTypeId === leadTypeId);
    expect(told.map((price: { effectiveFrom: string }) => price.effectiveFrom).at(-1)).toBe(from);
    expect(told).toHaveLength(2);
  });

  test('CAT-3: a price scheduled for later takes effect then, even if an earlier one was set afterwards', async () => {
    const leadTypeId = await shop.leadType();
    const cents = async () => (await order(await shop.order(await shop.customer(), { leadTypeId }))).pricePerLeadCents;
    await setPrice({ leadTypeId, pricePerLeadCents: 300, effectiveFrom: addDays(shop.now(), 2) });
    await setPrice({ leadTypeId, pricePerLeadCents: 200, effectiveFrom: addDays(shop.now(), 1) });
    const told = [await cents()];
    for (let day = 1; day <= 2; day += 1) {
      await shop.wait({ days: 1 });
      told.push(await cents());
    }
    expect(told).toEqual([100, 200, 300]);
  });

  test('CAT-3: the history of prices says who set each price, when and why, also of two for one instant', async () => {
    const leadTypeId = await shop.leadType();
    const price = { storeId: 'main', leadTypeId, currency: 'USD', smallestOrder: 1, largestOrder: 1000 };
    const tomorrow = addDays(shop.now(), 1);
    const set = (pricePerLeadCents: number, actor: string, reason?: string) => {
      const headers = { 'leadger-actor': actor, ...(reason && { 'leadger-reason': reason }) };
      const body = { ...price, pricePerLeadCents, effectiveFrom: tomorrow };
      return shop.ask('POST', '/api/prices', body, 201, headers);
    };
    const firstAt = shop.now();
    await set(110, 'staff:ada');
    await shop.wait({ hours: 1 });
    await set(120, 'staff:bob', 'Ada mistyped it');
    const { items } = await shop.ask('GET', `/api/prices/history?storeId=main&leadTypeId=${leadTypeId}`);
    const common = { ...price, effectiveFrom: tomorrow };
    expect(items.slice(1)).toEqual([
      { ...common, pricePerLeadCents: 110, setAt: firstAt, author: 'staff:ada', reason: null, replaced: true },
      {
        ...{ ...common, pricePerLeadCents: 120, setAt: shop.now(), author: 'staff:bob' },
        ...{ reason: 'Ada mistyped it', replaced: false },
      },
    ]);
    expect(items[0]).toMatchObject({ pricePerLeadCents: 100, author: 'staff:local', replaced: false });
    expect((await shop.ask('GET', '/api/prices/history?storeId=nowhere')).items).toEqual([]);
  });

  test('CAT-3: the minimum and maximum quantity of an order take effect at the same instant as the price', async () => {
    const leadTypeId = await shop.leadType();
    const from = addDays(shop.now(), 1);
    await setPrice({ leadTypeId, smallestOrder: 5, largestOrder: 20, effectiveFrom: from });
    expect((await tryOrder({ leadTypeId, quantity: 4 })).status).toBe(201);
    await shop.wait({ days: 1 });
    for (const [quantity, status] of [
      [4, 409],
      [5, 201],
      [20, 201],
      [21, 409],
    ])
      expect((await tryOrder({ leadTypeId, quantity })).status).toBe(status);
    expect(await tryOrder({ leadTypeId, quantity: 21 })).toMatchObject({
      body: {
        code: 'quantity-outside-limits',
        rule: 'CAT-3',
        detail: 'an order of this type is for 5 to 20 leads',
        errors: [{ field: 'quantity' }],
      },
    });
  });

  test('CAT-3: a price in the past, a minimum above the maximum, and a type without a price are refused', async () => {
    const leadTypeId = await shop.leadType();
    expect(await setPrice({ leadTypeId, effectiveFrom: addSeconds(shop.now(), -1) })).toMatchObject({
      status: 409,
      body: { code: 'price-in-the-past', errors: [{ field: 'effectiveFrom' }] },
    });
    expect(await setPrice({ leadTypeId, smallestOrder: 10, largestOrder: 9 })).toMatchObject({
      status: 409,
      body: { code: 'order-limits-crossed', errors: [{ field: 'smallestOrder' }] },
    });
    await define({ leadTypeId: 'unpriced' });
    expect(await tryOrder({ leadTypeId: 'unpriced' })).toMatchObject({ status: 409, body: { code: 'not-sold' } });
    await setPrice({ leadTypeId: 'unpriced', effectiveFrom: addDays(shop.now(), 1) });
    expect(await tryOrder({ leadTypeId: 'unpriced' })).toMatchObject({ status: 409, body: { code: 'not-sold' } });
    await shop.wait({ days: 1 });
    expect((await tryOrder({ leadTypeId: 'unpriced' })).status).toBe(201);
  });

  test('CAT-3, CHK-5: a checkout keeps the price that it shows, until the customer asks for the present one', async () => {
    const leadTypeId = await shop.leadType();
    const wish = { customerId: await shop.customer(), leadTypeId, quantity: 10 };
    const { checkoutId: id } = await shop.ask('POST', '/api/checkouts', wish);
    expect(await shop.ask('GET', `/api/checkouts/${id}`)).toMatchObject({ pricePerLeadCents: 100, totalCents: 1000 });
    await setPrice({ leadTypeId, pricePerLeadCents: 90, effectiveFrom: addSeconds(shop.now(), 60) });
    await shop.wait({ seconds: 60 });
    expect(await shop.ask('GET', `/api/checkouts/${id}`)).toMatchObject({ pricePerLeadCents: 100, totalCents: 1000 });
    await shop.ask('POST', `/api/checkouts/${id}/quote`, { quantity: 10 });
    expect(await shop.ask('GET', `/api/checkouts/${id}`)).toMatchObject({ pricePerLeadCents: 90, totalCents: 900 });
    const placed = await shop.ask('POST', `/api/checkouts/${id}/place`, { paymentToken: 'tok_ok' });
    expect(await order(placed.orderId)).toMatchObject({ pricePerLeadCents: 90, totalCents: 900 });
  });
});

test.each([
  ['exclusive', true, 201],
  ['exclusive', false, 201],
  ['shared', true, 201],
  ['shared', false, 409],
])('CAT-4: joining with a type that is %s, marked as qualifying: %s, is answered with %d', async (...given) => {
  const [exclusivity, qualifiesForLoyaltyRewards, status] = given;
  const leadTypeId = await shop.leadType({ exclusivity, qualifiesForLoyaltyRewards });
  const joining = { leadTypeId, loyalty: { cadence: 'weekly' } };
  const placed = await tryOrder(joining);
  expect(placed.status).toBe(status);
  const programme = await shop.try('GET', `/api/programmes/${placed.body.orderId ?? 'none'}/history`);
  expect(programme.status).toBe(status === 201 ? 200 : 404);
  const checkout = { customerId: await shop.customer(), quantity: 10, ...joining };
  expect((await shop.try('POST', '/api/checkouts', checkout)).status).toBe(status);
});
