import { addDays } from '#domain/kernel/instants';
import { proveAddress } from '#test/mail-copies';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const limits = { smallestOrder: 1, largestOrder: 1000 };
const setPrice = (leadTypeId: string, pricePerLeadCents: number, more: object = {}) =>
  shop.ask('POST', '/api/prices', {
    ...{ storeId: 'main', leadTypeId, pricePerLeadCents, currency: 'USD' },
    ...limits,
    ...more,
  });
const start = async (wish: Record<string, unknown>) =>
  (await shop.ask('POST', '/api/checkouts', { customerId: await shop.customer(), quantity: 25, ...wish }))
    .checkoutId as string;
const shown = (checkoutId: string) => shop.ask('GET', `/api/checkouts/${checkoutId}`);
const place = async (checkoutId: string) =>
  (await shop.ask('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' }, 201)).orderId as string;
const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const coupon = async (couponCode: string) => {
  await shop.ask('POST', '/api/coupons', { couponCode, storeIds: ['main'], discount: { percent: 10 } });
  return couponCode;
};

test('CHK-5: what a checkout shows is recorded, and is charged, whatever the price and the policy are by then', async () => {
  const leadTypeId = await shop.leadType();
  await setPrice(leadTypeId, 1000);
  const { policy } = await shop.ask('GET', '/api/policy');
  const { version } = await shop.ask('GET', '/api/policy');
  const checkoutId = await start({ leadTypeId, loyalty: { cadence: 'weekly' } });
  const at = shop.now();
  const quote = await shown(checkoutId);
  expect(quote).toMatchObject({
    ...{ pricePerLeadCents: 1000, discountCents: 0, totalCents: 25_000, currency: 'USD', bonusLeads: 3 },
    ...{ cadence: 'weekly', dailyMaximum: null, statementDescriptor: 'LEADGER', policyVersion: version, quotedAt: at },
    renewals: [1, 2, 3].map((renewalNumber) => ({
      ...{ renewalNumber, dueAt: addDays(at, 7 * renewalNumber), bonusLeads: 3, totalCents: 25_000 },
    })),
  });

  await setPrice(leadTypeId, 396_000);
  await shop.ask('PUT', '/api/statement-descriptor', { statementDescriptor: 'ANOTHER NAME' });
  const generous = { ...policy, exclusiveBonusPercent: 50, renewalCadences: [{ name: 'monthly', days: 30 }] };
  await shop.publish({ policy: generous });
  await shop.wait({ hours: 20 });
  expect(await shown(checkoutId)).toEqual(quote);
  const orderId = await place(checkoutId);
  await shop.publish({ policy });
  await shop.ask('PUT', '/api/statement-descriptor', { statementDescriptor: 'LEADGER' });

  const [placed, paid] = await shop.history(`/api/orders/${orderId}`);
  expect(placed?.data).toMatchObject({ totalCents: 25_000, bonusLeads: 3, policyVersion: version });
  expect(placed?.data.statementDescriptor).toBe('LEADGER');
  expect(paid).toMatchObject({ type: 'PaymentCaptured', data: { amountCents: 25_000 } });
  expect(await shop.read(`/api/programmes/${orderId}`)).toMatchObject({ nextDueAt: addDays(at, 7) });
  await shop.wait({ days: 7, hours: -20 });
  const renewal = (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type === 'OrderReopened');
  expect(renewal).toMatchObject({ at: addDays(at, 7), data: { totalCents: 25_000, bonusLeads: 3 } });
});

test('CHK-5: a coupon is a discount on the price that was shown', async () => {
  const leadTypeId = await shop.leadType();
  const checkoutId = await start({ leadTypeId });
  await setPrice(leadTypeId, 900);
  await shop.ask('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: await coupon('QUOTED') });
  expect(await shown(checkoutId)).toMatchObject({ pricePerLeadCents: 100, discountCents: 250, totalCents: 2250 });
  expect(await order(await place(checkoutId))).toMatchObject({ totalCents: 2250 });
});

test('CHK-5: a checkout that shows another total by now is not placed by whoever saw the one before', async () => {
  const checkoutId = await start({ leadTypeId: await shop.leadType() });
  await shop.ask('POST', `/api/checkouts/${checkoutId}/quote`, { quantity: 40 });
  const asSeen = (expectedTotalCents: number) =>
    shop.try('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok', expectedTotalCents });
  expect(await asSeen(2500)).toMatchObject({
    status: 409,
    body: {
      code: 'other-total',
      details: { expectedTotalCents: '2500', expectedCurrency: 'USD', totalCents: '4000', currency: 'USD' },
    },
  });
  const { status, body } = await asSeen(4000);
  expect([status, (await order(body.orderId)).totalCents]).toEqual([201, 4000]);
  expect(await asSeen(2500)).toMatchObject({ status: 409 });
});

test('CHK-5: an order is placed as shown also when the type is not sold in that quantity any more', async () => {
  const leadTypeId = await shop.leadType();
  const checkoutId = await start({ leadTypeId });
  await setPrice(leadTypeId, 100, { smallestOrder: 500 });
  expect(await shop.try('POST', `/api/checkouts/${checkoutId}/quote`, { quantity: 25 })).toMatchObject({
    status: 409,
    body: { code: 'quantity-outside-limits' },
  });
  expect(await order(await place(checkoutId))).toMatchObject({ quantity: 25, totalCents: 2500 });
});

test('CHK-5: a customer who wishes something else is shown it, and is charged that', async () => {
  const leadTypeId = await shop.leadType({ freshness: 'real-time' });
  const checkoutId = await start({ leadTypeId, dailyMaximum: { leads: 5 } });
  await shop.ask('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: await coupon('STAYS') });
  const path = `/api/checkouts/${checkoutId}/quote`;
  const { events } = await shop.ask('POST', path, { quantity: 40, dailyMaximum: { percent: 10 } });
  expect(events).toEqual(['CheckoutQuoted']);
  expect((await shop.ask('POST', path, { quantity: 40, dailyMaximum: { percent: 10 } })).events).toEqual([]);
  expect(await shown(checkoutId)).toMatchObject({ quantity: 40, dailyMaximum: 4, totalCents: 3600 });
  const stranger = { 'leadger-actor': `customer:${await shop.customer()}` };
  expect((await shop.try('POST', path, { quantity: 1 }, stranger)).status).toBe(403);
  expect(await order(await place(checkoutId))).toMatchObject({ quantity: 40, dailyMaximum: 4, totalCents: 3600 });
  expect((await shop.try('POST', path, { quantity: 1 })).body).toMatchObject({ code: 'checkout-placed' });
});

test('CHK-5: an order placed at once may name the total that was shown; another one is refused with both', async () => {
  const leadTypeId = await shop.leadType();
  const couponCode = await coupon('NOT YET');
  const customerId = await shop.customer();
  const wish = { customerId, leadTypeId, quantity: 10, paymentToken: 'tok_ok', couponCode };
  const refused = await shop.try('POST', '/api/orders', { ...wish, expectedTotalCents: 1000 });
  expect(refused).toMatchObject({
    status: 409,
    body: {
      ...{ code: 'other-total', rule: 'CHK-5', errors: [{ field: 'expectedTotalCents' }] },
      details: { expectedTotalCents: '1000', expectedCurrency: 'USD', totalCents: '900', currency: 'USD' },
    },
  });
  expect(refused.body.whatToDo).toContain('expectedTotalCents');
  const { orderId } = await shop.ask('POST', '/api/orders', { ...wish, expectedTotalCents: 900 }, 201);
  expect(await order(orderId)).toMatchObject({ totalCents: 900 });
  expect(
    await shop.try('POST', '/api/orders', { ...wish, couponCode: undefined, expectedTotalCents: 999 }),
  ).toMatchObject({ status: 409, body: { code: 'other-total', details: { totalCents: '1000' } } });
});

test('CHK-5: a total is one of a currency: the same number in another one is refused, and a number alone once there were two', async () => {
  const leadTypeId = await shop.leadType();
  const checkoutId = await start({ leadTypeId });
  const wish = { customerId: await shop.customer(), leadTypeId, quantity: 10, paymentToken: 'tok_ok' };
  await shop.ask('POST', '/api/orders', { ...wish, expectedTotalCents: 1000 }, 201);
  await setPrice(leadTypeId, 100, { currency: 'JPY' });
  const alone = await shop.try('POST', '/api/orders', { ...wish, expectedTotalCents: 1000 });
  expect(alone).toMatchObject({ status: 409, body: { code: 'expected-currency-missing', rule: 'CHK-5' } });
  const inDollars = { ...wish, expectedTotalCents: 1000, expectedCurrency: 'USD' };
  expect(await shop.try('POST', '/api/orders', inDollars)).toMatchObject({
    status: 409,
    body: {
      code: 'other-total',
      detail: expect.stringContaining('costs 1000 JPY, and not 10.00 USD'),
      details: { expectedCurrency: 'USD', currency: 'JPY' },
    },
  });
  const inYen = { ...inDollars, expectedCurrency: 'JPY' };
  expect(await shop.ask('POST', '/api/orders', inYen, 201)).toMatchObject({ events: ['OrderPlaced'] });

  const seen = { paymentToken: 'tok_ok', expectedTotalCents: 2500 };
  const path = `/api/checkouts/${checkoutId}/place`;
  expect(await shop.try('POST', path, seen)).toMatchObject({ body: { code: 'expected-currency-missing' } });
  expect(await shop.try('POST', path, { ...seen, expectedCurrency: 'JPY' })).toMatchObject({
    body: { code: 'other-total' },
  });
  expect(await shop.try('POST', path, { ...seen, expectedCurrency: 'USD' })).toMatchObject({ status: 201 });
});

describe('the first password', () => {
  let people = 0;
  const buyer = async () => {
    people += 1;
    const email = `buyer${people}@example.org`;
    const customerId = await shop.customer({ email });
    await proveAddress(shop, customerId);
    return { email, customerId };
  };
  const signIn = async (email: string, password: string) =>
    (await shop.try('POST', '/api/sign-ins', { email, password })).status;

  test('ACC-1: may come with the first order; one that is there stays', async () => {
    const { email, customerId } = await buyer();
    const wish = { leadTypeId: 'exclusive-fresh', quantity: 1 };
    await shop.order(customerId, { ...wish, password: 'first of them all' });
    await shop.order(customerId, { ...wish, password: 'second of them all' });
    expect([await signIn(email, 'first of them all'), await signIn(email, 'second of them all')]).toEqual([200, 401]);
    const anonymous = await shop.customer();
    const refused = { customerId: anonymous, ...wish, paymentToken: 'tok_ok', password: 'without address' };
    expect(await shop.try('POST', '/api/orders', refused)).toMatchObject({
      status: 409,
      body: { code: 'address-missing', rule: 'ACC-1' },
    });
  });

  test('ACC-1: may come with a checkout, when it is started or placed', async () => {
    const wish = { leadTypeId: 'exclusive-fresh', quantity: 1 };
    const first = await buyer();
    await start({ ...wish, customerId: first.customerId, password: 'right at the start' });
    expect(await signIn(first.email, 'right at the start')).toBe(200);
    const second = await buyer();
    const asked = { 'leadger-actor': `customer:${second.customerId}` };
    const { checkoutId } = (await shop.try('POST', '/api/checkouts', { ...wish, customerId: second.customerId }, asked))
      .body;
    const payment = { paymentToken: 'tok_ok', password: 'right at the end' };
    expect((await shop.try('POST', `/api/checkouts/${checkoutId}/place`, payment, asked)).status).toBe(201);
    expect(await signIn(second.email, 'right at the end')).toBe(200);
  });
});

test('NTF-5: a refusal says what to do instead', async () => {
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(await shop.customer(), { leadTypeId, quantity: 1, loyalty: { cadence: 'weekly' } });
  for (let number = 0; number < 2; number += 1) await shop.lead(leadTypeId);
  const cancel = await shop.try('POST', `/api/orders/${orderId}/cancel`);
  expect(cancel).toMatchObject({ status: 409, body: { code: 'order-filled', rule: 'ORD-5' } });
  expect(cancel.body.detail).toContain('cancel the programme');
  await shop.ask('POST', `/api/programmes/${orderId}/cancel`);
  const hold = await shop.try('POST', `/api/programmes/${orderId}/hold`);
  expect(hold.body.whatToDo).toContain('Place a new order');
  for (const [what, instead] of [
    ['cancel', 'nothing of it is left to deliver'],
    ['pause', 'place a new order'],
    ['restart', 'place a new order'],
  ]) {
    const { body } = await shop.try('POST', `/api/orders/${orderId}/${what}`);
    expect(body).toMatchObject({ code: 'order-filled', detail: expect.stringMatching(new RegExp(`; ${instead}$`)) });
  }
});

test('NTF-5: the mails of an order say when and for how much it renews, and that it was cancelled', async () => {
  const customerId = await shop.customer({ email: 'told@example.org' });
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(customerId, { leadTypeId, quantity: 10, loyalty: { cadence: 'weekly' } });
  const at = shop.now();
  const mail = async (kind: string): Promise<string> => {
    const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=${kind}`);
    const copy: string = await shop.ask('GET', `/api/mails/${items[0].mailId}/copy`);
    return copy.replace(/=\r?\n/g, '').replaceAll('=3D', '=');
  };
  const day = addDays(at, 7).slice(0, 10);
  expect(await mail('order-confirmed')).toContain('order of 10 leads and 1 bonus lead.');
  expect(await mail('order-confirmed')).toContain(`renews every 7 days, first on ${day} for $10.00`);
  await shop.wait({ days: 4 });
  expect(await mail('renewal-coming')).toMatch(new RegExp(`On ${day} .*10 leads for \\$10\\.00`));
  await shop.lead(leadTypeId);
  await shop.ask('POST', `/api/orders/${orderId}/cancel`);
  expect(await mail('order-cancelled')).toContain('10 leads will not be delivered.');
  expect(await mail('order-cancelled')).toContain('It does not renew any more.');
  const other = await shop.order(customerId, { leadTypeId, loyalty: { cadence: 'weekly' } });
  await shop.ask('POST', `/api/programmes/${other}/cancel`);
  expect(await mail('programme-cancelled')).toContain('does not renew any more');
});
