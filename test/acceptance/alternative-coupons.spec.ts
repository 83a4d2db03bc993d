import { randomUUID } from 'node:crypto';
import { encode } from '#domain/codec';
import { couponStream, type Discount } from '#domain/coupons/coupon';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  for (const [storeId, currency, pricePerLeadCents] of [
    ['north', 'CAD', 700],
    ['east', 'JPY', 90],
  ] as const) {
    await shop.ask('POST', '/api/stores', { storeId, name: storeId, webAddress: `https://${storeId}.example.org` });
    const price = { storeId, leadTypeId: 'exclusive-fresh', pricePerLeadCents, currency };
    await shop.ask('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 1000 });
  }
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the page went down' };
let codes = 0;
async function coupon(details: Record<string, unknown> = {}): Promise<string> {
  codes += 1;
  const couponCode = `MAY-${codes}`;
  await shop.ask('POST', '/api/coupons', { couponCode, storeIds: ['main'], discount: { percent: 15 }, ...details });
  return couponCode;
}
/** As a version before stored it: it had no other rules for codes and amounts. */
async function olderCoupon(code: string, discount: Discount): Promise<void> {
  const data = { at: shop.now(), code, storeIds: ['main', 'north', 'east'], discount, validFrom: shop.now() };
  const cause = { commandId: randomUUID(), correlationId: randomUUID(), actor: 'staff:ada' };
  const event = encode(couponStream(code), { type: 'CouponDefined', data }, cause);
  await shop.server.application
    .get<EventStore>(EVENT_STORE)
    .append(couponStream(code), [{ id: randomUUID(), ...event }], 'no-stream');
}
const checkout = async (customerId: string, details: object = {}): Promise<string> =>
  (await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, ...details }))
    .checkoutId;
const tryCode = (checkoutId: string, couponCode: string) =>
  shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode });
const place = (checkoutId: string, paymentToken = 'tok_ok') =>
  shop.ask('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken }, 201);
const order = (customerId: string, details: object) => ({
  ...{ customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' },
  ...details,
});
const give = (customerId: string, insteadOf: string, couponCode = `${insteadOf}/2`) =>
  shop.try('POST', '/api/coupons/alternatives', { customerId, insteadOf, couponCode }, support);
const uses = async (code: string) =>
  (await shop.read(`/api/coupons/uses?couponCode=${encodeURIComponent(code)}`)).items;

describe('CPN-4: another code in place of a used one', () => {
  test('CPN-4: of a code or a customer that is not there, the answer says so', async () => {
    const [customerId, code] = [await shop.customer(), await coupon()];
    const refused = (name: string, field: string) => ({ status: 409, body: { code: name, errors: [{ field }] } });
    expect(await give(customerId, 'mistyped')).toMatchObject(refused('coupon-unknown', 'insteadOf'));
    expect(await give('nobody', code)).toMatchObject(refused('customer-unknown', 'customerId'));
    expect(await give(customerId, code)).toMatchObject(refused('coupon-not-used', 'insteadOf'));
  });

  test('CPN-4: the list of who tried a code needs the code, as every other text that is missing', async () => {
    for (const query of ['', '?couponCode='])
      expect((await shop.try('GET', `/api/coupons/uses${query}`)).body.errors).toEqual([
        { field: 'couponCode', message: 'must not be empty' },
      ]);
  });

  test('CPN-4: is refused once a paid order has the discount, also after that order was cancelled or given back', async () => {
    const [customerId, code] = [await shop.customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    await tryCode(checkoutId, code);
    const { orderId } = await place(checkoutId);
    const refused = { status: 409, body: { code: 'coupon-discount-taken', rule: 'CPN-4' } };
    expect(await give(customerId, code)).toMatchObject(refused);
    await shop.ask('POST', `/api/orders/${orderId}/cancel`);
    expect(await give(customerId, code)).toMatchObject(refused);
    await shop.ask('POST', `/api/orders/${orderId}/refunds`, {}, 201, support);
    expect(await give(customerId, code)).toMatchObject(refused);
  });

  test('CPN-4: is given when the checkout was never finished, or the card of its order was declined', async () => {
    for (const declined of [false, true]) {
      const [customerId, code] = [await shop.customer(), await coupon()];
      const checkoutId = await checkout(customerId);
      await tryCode(checkoutId, code);
      if (declined) await place(checkoutId, 'tok_declined');
      else await shop.wait({ days: 2 });
      expect((await give(customerId, code)).status).toBe(201);
      const { orderId } = await shop.ask('POST', '/api/orders', order(customerId, { couponCode: `${code}/2` }), 201);
      expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ totalCents: 5100 });
      expect(await give(customerId, `${code}/2`)).toMatchObject({ body: { code: 'coupon-discount-taken' } });
    }
  });

  test('CPN-4: of ten that are given at once, one is; the checkout takes that one', async () => {
    const [customerId, code] = [await shop.customer(), await coupon()];
    const checkoutId = await checkout(customerId);
    await tryCode(checkoutId, code);
    const names = Array.from({ length: 10 }, (_, index) => `${code}/${index}`);
    const replies = await Promise.all(names.map((name) => give(customerId, code, name)));
    const given = names.filter((_, index) => replies[index]?.status === 201);
    expect(given).toHaveLength(1);
    for (const { status, body } of replies.filter((reply) => reply.status !== 201))
      expect({ status, ...body }).toMatchObject({
        status: 409,
        code: 'coupon-replaced',
        details: { couponCode: given[0] },
      });
    const events = (await shop.log()).filter(
      ({ type, data }) => type === 'AlternativeCouponGiven' && data.insteadOf === code,
    );
    expect(events.map(({ data }) => data.code)).toEqual(given);
    expect((await tryCode(checkoutId, given[0] as string)).status).toBe(200);
    expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({ couponCode: given[0] });
  });

  test('CPN-4: of an order and another code at once, one has the discount', async () => {
    for (const _ of [1, 2, 3]) {
      const [customerId, code] = [await shop.customer(), await coupon()];
      const checkoutId = await checkout(customerId);
      await tryCode(checkoutId, code);
      const [given, placed] = await Promise.all([give(customerId, code), place(checkoutId)]);
      const { totalCents } = await shop.read(`/api/orders/${placed.orderId}`);
      expect([
        [201, 6000],
        [409, 5100],
      ]).toContainEqual([given.status, totalCents]);
    }
  });

  test('CPN-4: only one lives at a time: the next one is given in place of the last one, when that was tried or has expired', async () => {
    const validUntil = new Date(Date.parse(shop.now()) + 3 * 86_400_000).toISOString();
    const [customerId, code] = [await shop.customer(), await coupon({ validUntil })];
    await tryCode(await checkout(customerId), code);
    expect((await give(customerId, code)).status).toBe(201);
    expect(await give(customerId, code, `${code}/3`)).toMatchObject({ body: { code: 'coupon-replaced' } });
    expect(await give(customerId, `${code}/2`, `${code}/3`)).toMatchObject({ body: { code: 'coupon-not-used' } });
    await shop.wait({ days: 4 });
    expect((await give(customerId, `${code}/2`, `${code}/3`)).status).toBe(201);
    expect(await tryCode(await checkout(customerId), `${code}/2`)).toMatchObject({
      body: { code: 'invalid-coupon', details: { reason: 'tried-before' } },
    });
    expect((await tryCode(await checkout(customerId), `${code}/3`)).status).toBe(200);
    expect((await give(customerId, `${code}/3`, `${code}/4`)).status).toBe(201);
  });

  test('CPN-4: staff see who tried and used a code, and what became of the order', async () => {
    const code = await coupon({ leadTypeIds: ['exclusive-fresh'] });
    const [paid, declined, left, wrong] = [
      ...[await shop.customer(), await shop.customer(), await shop.customer(), await shop.customer()],
    ] as [string, string, string, string];
    const { orderId } = await shop.ask('POST', '/api/orders', order(paid, { couponCode: code }), 201);
    await shop.wait({ seconds: 1 });
    const declinedCheckout = await checkout(declined);
    await tryCode(declinedCheckout, code);
    const { orderId: declinedOrder } = await place(declinedCheckout, 'tok_declined');
    await shop.wait({ seconds: 1 });
    const leftCheckout = await checkout(left);
    await tryCode(leftCheckout, code);
    await shop.wait({ seconds: 1 });
    await tryCode(await checkout(wrong, { leadTypeId: 'shared-fresh' }), code);
    await give(left, code);
    expect(await uses(code)).toMatchObject([
      { customerId: wrong, outcome: 'refused', refusal: 'wrong-lead-type', orderId: null, orderStatus: null },
      { customerId: left, checkoutId: leftCheckout, outcome: 'replaced', replacedBy: `${code}/2`, orderId: null },
      { customerId: declined, outcome: 'used', orderId: declinedOrder, orderStatus: 'payment-failed', paidAt: null },
      { customerId: paid, outcome: 'used', orderId, orderStatus: 'open', discountCents: 900, totalCents: 5100 },
    ]);
    const path = `/api/coupons/uses?couponCode=${code}`;
    expect((await shop.read(`${path}&customerId=${left}&limit=1`)).items).toMatchObject([{ customerId: left }]);
    expect(await shop.read(`/api/coupons?couponCode=${encodeURIComponent(`${code}/2`)}`)).toMatchObject({
      items: [{ insteadOf: code, customerId: left }],
    });
  });
});

describe('CPN-1: codes that nobody can type', () => {
  test.each([
    ['a space at its beginning', ' MAY'],
    ['a space at its end', 'MAY '],
    ['a control character', 'MAY\u0007'],
    ['a tabulator', 'MAY\tONE'],
    ['a space of no width', 'MA\u200bY'],
    ['an invisible filler', 'MA\u3164Y'],
    ['a sign of direction', 'MA\u202eY'],
    ['another space', 'MAY\u00a0ONE'],
    ['a letter in two parts', 'CAFE\u0301'],
    ['a half character', 'MAY\ud83d'],
  ])('CPN-1: a code with %s cannot be defined, nor given', async (_, couponCode) => {
    const define = { couponCode, storeIds: ['main'], discount: { percent: 15 } };
    const refused = { status: 400, body: { errors: [{ field: 'couponCode' }] } };
    expect(await shop.try('POST', '/api/coupons', define)).toMatchObject(refused);
    expect(await give(await shop.customer(), await coupon(), couponCode)).toMatchObject(refused);
  });

  test('CPN-1: one that an older version defined keeps working, and matches exactly', async () => {
    await olderCoupon(' OLD ', { percent: 15 });
    const customerId = await shop.customer();
    const checkoutId = await checkout(customerId);
    expect(await tryCode(checkoutId, 'OLD')).toMatchObject({ body: { details: { reason: 'unknown' } } });
    expect((await tryCode(checkoutId, ' OLD ')).status).toBe(200);
    expect((await give(customerId, ' OLD ', 'NEW')).status).toBe(201);
  });

  test('CPN-1: letters and signs of all scripts can be typed', async () => {
    for (const couponCode of ['CAFÉ', 'ПРИВЕТ', '春の割引', 'ÄÖÜ 10 %', 'x'])
      expect(
        (await shop.try('POST', '/api/coupons', { couponCode, storeIds: ['main'], discount: { percent: 1 } })).status,
      ).toBe(201);
  });
});

describe('CPN-3: an amount off the price is one of a currency', () => {
  const storeIds = ['main', 'north', 'east'];

  test('CPN-3: it needs a currency', async () => {
    for (const discount of [{ amountCents: 500 }, { amountCents: 500, currency: 'XXX' }])
      expect(await shop.try('POST', '/api/coupons', { couponCode: 'FIVE', storeIds, discount })).toMatchObject({
        status: 400,
        body: { errors: [{ field: expect.stringContaining('discount') }] },
      });
  });

  test('CPN-3: where prices have another currency it is refused as not of this store, and not used up', async () => {
    const code = await coupon({ storeIds, discount: { amountCents: 500, currency: 'CAD' } });
    const [american, canadian, japanese] = [
      await shop.customer(),
      await shop.customer({ storeId: 'north' }),
      await shop.customer({ storeId: 'east' }),
    ];
    const refused = { status: 409, body: { code: 'invalid-coupon', details: { reason: 'not-this-store' } } };
    for (const customerId of [american, japanese]) {
      expect(await tryCode(await checkout(customerId), code)).toMatchObject(refused);
      const wish = order(customerId, { couponCode: code, expectedTotalCents: 100 });
      expect(await shop.try('POST', '/api/orders', wish)).toMatchObject(refused);
    }
    const checkoutId = await checkout(canadian);
    expect((await tryCode(checkoutId, code)).status).toBe(200);
    expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({ totalCents: 6500, currency: 'CAD' });
    expect(await shop.read(`/api/coupons?couponCode=${code}`)).toMatchObject({ items: [{ uses: 1 }] });
  });

  test('CPN-3: a checkout that has it is not shown at a price in another currency', async () => {
    const leadTypeId = await shop.leadType();
    const price = { storeId: 'main', leadTypeId, pricePerLeadCents: 100, smallestOrder: 1, largestOrder: 1000 };
    const code = await coupon({ discount: { amountCents: 500, currency: 'USD' } });
    const checkoutId = await checkout(await shop.customer(), { leadTypeId });
    await tryCode(checkoutId, code);
    await shop.wait({ seconds: 1 });
    await shop.ask('POST', '/api/prices', { ...price, currency: 'CAD' });
    const again = await shop.try('POST', `/api/checkouts/${checkoutId}/quote`, { quantity: 10 });
    expect(again).toMatchObject({ status: 409, body: { details: { reason: 'not-this-store' } } });
    expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({ totalCents: 500, currency: 'USD' });
  });

  test('CPN-3: one of an older version, which names none, keeps taking its amount off each price', async () => {
    await olderCoupon('OLD AMOUNT', { amountCents: 500 });
    for (const [storeId, totalCents] of [
      ['main', 5500],
      ['north', 6500],
      ['east', 400],
    ] as const) {
      const wish = order(await shop.customer({ storeId }), { couponCode: 'OLD AMOUNT' });
      const { orderId } = await shop.ask('POST', '/api/orders', wish, 201);
      expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ totalCents });
    }
  });
});
