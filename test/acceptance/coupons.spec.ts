import { checkoutStream, orderIdOf } from '#domain/checkouts/checkout';
import { couponStream } from '#domain/coupons/coupon';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
import type { AnyCommand } from '#domain/ledger';
import { CommandHandler } from '#requests/command-handler';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the page went down' };
let codes = 0;
const coupon = async (details: Record<string, unknown> = {}) => {
  codes += 1;
  const code = `SPRING-${codes}`;
  await shop.ask('POST', '/api/coupons', {
    couponCode: code,
    storeIds: ['main'],
    discount: { percent: 15 },
    ...details,
  });
  return (details.couponCode as string | undefined) ?? code;
};
const checkout = async (customerId: string, details: Record<string, unknown> = {}) =>
  (await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, ...details }))
    .checkoutId as string;
const tryCode = (checkoutId: string, code: string) =>
  shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: code });
const place = (checkoutId: string) =>
  shop.ask('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' }, 201);
const refused = (reply: { status: number; body: unknown }, reason: string) =>
  expect(reply).toMatchObject({
    status: 409,
    body: { code: 'invalid-coupon', detail: 'invalid coupon', rule: 'CPN-3', details: { reason } },
  });

test('CPN-1: a code must match exactly: case, dashes and spaces are significant, nothing is trimmed', async () => {
  const code = await coupon({ couponCode: 'Two Words-1' });
  const checkoutId = await checkout(await shop.customer());
  for (const other of ['two words-1', 'TwoWords-1', 'Two Words1', 'Two Words-1 ', ' Two Words-1'])
    refused(await tryCode(checkoutId, other), 'unknown');
  expect((await tryCode(checkoutId, code)).status).toBe(200);
});

test('CPN-2: the first attempt uses the code, even if the checkout is never completed; later attempts are told when it was used', async () => {
  const code = await coupon();
  const customerId = await shop.customer();
  const firstTry = shop.now();
  expect((await tryCode(await checkout(customerId), code)).status).toBe(200);
  await shop.wait({ days: 2 });
  const again = await tryCode(await checkout(customerId), code);
  refused(again, 'tried-before');
  expect(again.body.details.triedAt).toBe(firstTry);
  expect((await tryCode(await checkout(await shop.customer()), code)).status).toBe(200);
});

test('CPN-2: the same checkout may try again and uses the code only once', async () => {
  const code = await coupon();
  const checkoutId = await checkout(await shop.customer());
  expect((await tryCode(checkoutId, code)).status).toBe(200);
  expect((await tryCode(checkoutId, code)).status).toBe(200);
  expect(await shop.read(`/api/coupons?couponCode=${code}`)).toMatchObject({ items: [{ uses: 1 }] });
});

test('CPN-3: the customer reads the same message for every refusal; a program reads the reason', async () => {
  await shop.ask('POST', '/api/stores', { storeId: 'north', name: 'North', webAddress: 'https://north.example.org' });
  const customerId = await shop.customer();
  const checkoutId = await checkout(customerId);
  const later = new Date(Date.parse(shop.now()) + 86_400_000).toISOString();
  refused(await tryCode(checkoutId, 'nobody defined this'), 'unknown');
  refused(await tryCode(checkoutId, await coupon({ storeIds: ['north'] })), 'not-this-store');
  refused(await tryCode(checkoutId, await coupon({ validFrom: later })), 'not-yet-valid');
  refused(await tryCode(checkoutId, await coupon({ leadTypeIds: ['shared-fresh'] })), 'wrong-lead-type');
  const spent = await coupon({ totalLimit: 1 });
  await tryCode(await checkout(await shop.customer()), spent);
  refused(await tryCode(checkoutId, spent), 'used-up');
  const expiring = await coupon({ validUntil: later });
  await shop.wait({ days: 1, seconds: 1 });
  refused(await tryCode(await checkout(customerId), expiring), 'expired');
});

test('CPN-3: a refused attempt does not use the code', async () => {
  const customerId = await shop.customer();
  const code = await coupon({ leadTypeIds: ['shared-fresh'] });
  refused(await tryCode(await checkout(customerId), code), 'wrong-lead-type');
  expect((await tryCode(await checkout(customerId, { leadTypeId: 'shared-fresh' }), code)).status).toBe(200);
});

test('CPN-4: support gives a customer a new code, which is linked to the used one and valid for that customer only', async () => {
  const used = await coupon();
  const customerId = await shop.customer();
  const alternative = { insteadOf: used, customerId, couponCode: `${used}-again` };
  expect((await shop.try('POST', '/api/coupons/alternatives', alternative, staff)).status).toBe(409);
  await tryCode(await checkout(customerId), used);
  expect((await shop.try('POST', '/api/coupons/alternatives', alternative)).status).toBe(400);
  expect(
    (await shop.try('POST', '/api/coupons/alternatives', alternative, { 'leadger-actor': 'customer:x' })).status,
  ).toBe(403);
  await shop.ask('POST', '/api/coupons/alternatives', alternative, 201, staff);
  expect((await shop.try('POST', '/api/coupons/alternatives', alternative, staff)).body.events).toEqual([]);
  refused(await tryCode(await checkout(await shop.customer()), alternative.couponCode), 'unknown');
  expect((await tryCode(await checkout(customerId), alternative.couponCode)).status).toBe(200);
});

test('CPN-5: concurrent attempts succeed once for each customer, and never more often than the total limit', async () => {
  const code = await coupon({ totalLimit: 3 });
  const customers = await Promise.all(Array.from({ length: 6 }, () => shop.customer()));
  const checkouts = await Promise.all(customers.flatMap((customerId) => [checkout(customerId), checkout(customerId)]));
  const replies = await Promise.all(checkouts.map((checkoutId) => tryCode(checkoutId, code)));
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(3);
  expect(await shop.read(`/api/coupons?couponCode=${code}`)).toMatchObject({ items: [{ uses: 3 }] });
});

test('CHK-1: a checkout accepts one coupon and a cadence, shows the total, and leads to one order', async () => {
  const customerId = await shop.customer();
  const checkoutId = await checkout(customerId, { quantity: 20, loyalty: { cadence: 'weekly' } });
  const code = await coupon({ discount: { amountCents: 500, currency: 'USD' } });
  await shop.ask('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: code });
  const second = await tryCode(checkoutId, await coupon());
  expect(second).toMatchObject({ status: 409, body: { code: 'one-coupon-only' } });
  expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({
    status: 'started',
    totalCents: 20 * 600 - 500,
    discountCents: 500,
    couponCode: code,
    statementDescriptor: 'LEADGER',
  });
  const { orderId } = await place(checkoutId);
  expect((await place(checkoutId)).orderId).toBe(orderId);
  const [placed] = await shop.history(`/api/orders/${orderId}`);
  expect(placed?.data).toMatchObject({
    totalCents: 11_500,
    coupon: { code, discountCents: 500 },
    checkoutId,
    loyalty: { cadence: 'weekly' },
  });
  expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({ status: 'placed' });
});

test('CHK-1: a checkout whose order has ended is not answered with that order; a repeat of the request is', async () => {
  const checkoutId = await checkout(await shop.customer());
  const path = `/api/checkouts/${checkoutId}/place`;
  const once = { 'idempotency-key': 'declined-once' };
  const first = await shop.try('POST', path, { paymentToken: 'tok_declined' }, once);
  expect(first.status).toBe(201);
  const again = await shop.try('POST', path, { paymentToken: 'tok_ok' });
  expect(again).toMatchObject({ status: 409, body: { code: 'order-payment-failed', rule: 'CHK-1' } });
  expect((await shop.try('POST', path, { paymentToken: 'tok_declined' }, once)).body).toEqual(first.body);
  const another = await checkout(await shop.customer());
  const { orderId } = await place(another);
  await shop.ask('POST', `/api/orders/${orderId}/cancel`);
  expect(await shop.try('POST', `/api/checkouts/${another}/place`, { paymentToken: 'tok_ok' })).toMatchObject({
    status: 409,
    body: { code: 'order-cancelled' },
  });
});

test('CHK-1: a checkout keeps the total with which it was placed, when the price changes afterwards', async () => {
  const leadTypeId = await shop.leadType();
  const checkoutId = await checkout(await shop.customer(), { leadTypeId });
  await place(checkoutId);
  const limits = { smallestOrder: 1, largestOrder: 1000 };
  await shop.ask('POST', '/api/prices', {
    ...{ storeId: 'main', leadTypeId, pricePerLeadCents: 900, currency: 'USD' },
    ...limits,
  });
  expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({ totalCents: 1000 });
});

test('CHK-1, CPN-2: after a crash between two steps, the order is placed, and the code is taken or returned', async () => {
  const commands = shop.server.application.get(CommandHandler);
  const customerId = await shop.customer();
  const [placing, taking, taken] = [await checkout(customerId), await checkout(customerId), await checkout(customerId)];
  const [code, other, third] = [await coupon(), await coupon(), await coupon()];
  /** One step of a request whose program ended after it. */
  const step = async (stream: string, command: object) => {
    const commandId = deriveId('a step', stream, JSON.stringify(command));
    const caller = trialCaller(`customer:${customerId}`);
    const cause = { commandId, correlationId: commandId, actor: caller.actor };
    const at = shop.now();
    const outcome = await commands.execute({ stream, command: { at, ...command } as AnyCommand, caller, cause });
    expect(outcome.kind).toBe('accepted');
  };
  const attempt = { type: 'TryCoupon', customerId, storeId: 'main', leadTypeId: 'exclusive-fresh' };
  await step(couponStream(code), { ...attempt, checkoutId: taking });
  await tryCode(taken, third);
  await step(couponStream(other), { ...attempt, checkoutId: taken });
  const example = (await shop.log()).find(({ type }) => type === 'OrderPlaced')?.data ?? {};
  const { paymentToken } = example;
  const quote = (await shop.log()).find(({ type }) => type === 'CheckoutQuoted')?.data;
  await step(checkoutStream(placing), { type: 'PlaceCheckout', orderId: orderIdOf(placing), paymentToken, quote });
  await shop.wait({ seconds: 31 });
  expect(await shop.read(`/api/orders/${orderIdOf(placing)}`)).toMatchObject({ quantity: 10, customerId });
  expect(await shop.ask('GET', `/api/checkouts/${taking}`)).toMatchObject({ couponCode: code });
  expect(await shop.ask('GET', `/api/checkouts/${taken}`)).toMatchObject({ couponCode: third });
  expect((await tryCode(await checkout(customerId), other)).status).toBe(200);
});

test('CHK-1: an order placed in one step may name a coupon; an order that is refused does not use the coupon', async () => {
  const code = await coupon();
  const customerId = await shop.customer();
  const order = { customerId, leadTypeId: 'exclusive-fresh', paymentToken: 'tok_ok', couponCode: code };
  expect((await shop.try('POST', '/api/orders', { ...order, quantity: 1_000_000 })).status).toBe(409);
  const { orderId: id } = await shop.ask('POST', '/api/orders', { ...order, quantity: 10 }, 201);
  expect(await shop.read(`/api/orders/${id}`)).toMatchObject({ totalCents: 5100 });
  refused(await shop.try('POST', '/api/orders', { ...order, quantity: 10 }), 'tried-before');
});

test('CHK-1: a request that reuses the key of another order does not use a second coupon', async () => {
  const [code, other] = [await coupon(), await coupon()];
  const order = { customerId: await shop.customer(), leadTypeId: 'exclusive-fresh', quantity: 10 };
  const ask = (couponCode: string) =>
    shop.try('POST', '/api/orders', { ...order, paymentToken: 'tok_ok', couponCode }, { 'idempotency-key': 'twice' });
  const first = await ask(code);
  expect(first.status).toBe(201);
  expect(await ask(other)).toMatchObject({ status: 422 });
  expect(await shop.read(`/api/coupons?couponCode=${other}`)).toMatchObject({ items: [{ uses: 0 }] });
  expect((await ask(code)).body).toEqual(first.body);
});

test('CPN-3: a request that was refused and is repeated with its key, once the code holds, is another attempt in the log', async () => {
  const code = await coupon({ validFrom: addDays(shop.now(), 1) });
  const order = {
    customerId: await shop.customer(),
    leadTypeId: 'exclusive-fresh',
    quantity: 10,
    paymentToken: 'tok_ok',
  };
  const ask = () =>
    shop.try('POST', '/api/orders', { ...order, couponCode: code }, { 'idempotency-key': 'until-it-holds' });
  refused(await ask(), 'not-yet-valid');
  await shop.wait({ days: 1 });
  expect((await ask()).status).toBe(201);
  const attempts = (await shop.log()).filter(({ stream, data }) => stream.startsWith('coupon-') && data.code === code);
  expect(attempts.map(({ type }) => type)).toEqual(['CouponDefined', 'CouponRefused', 'CouponUsed']);
  expect(new Set(attempts.map(({ metadata }) => metadata.commandId)).size).toBe(3);
});

test('CHK-1: a card number is refused wherever a token is expected, and never reaches the log', async () => {
  const customerId = await shop.customer();
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10 };
  const [checkoutId, orderId] = [await checkout(customerId), await shop.order(customerId)];
  const support = { 'leadger-reason': 'asked by telephone' };
  for (const paymentToken of ['4242424242424242', '3782 822463 10005', 'card 4242-4242-4242-4242'])
    for (const [method, path, body] of [
      ['POST', 'orders', { ...order, paymentToken }],
      ['POST', `checkouts/${checkoutId}/place`, { paymentToken }],
      ['PUT', `orders/${orderId}/payment-card`, { paymentToken }],
    ] as const) {
      const refused = await shop.try(method, `/api/${path}`, body, support);
      expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'paymentToken' }] } });
      expect(refused.text).not.toContain(paymentToken);
    }
  expect(JSON.stringify(await shop.log())).not.toMatch(/(4242\W?){4}|3782\W?822463\W?10005/);
});

test('CHK-1: a card number is refused in every text that somebody writes, and in no telephone number and no id', async () => {
  const customerId = await shop.customer();
  const card = '4242 4242 4242 4242';
  const contact = { telephone: '+1 212 555 0188', comment: `charge ${card}` };
  const refused: [string, object, string][] = [
    ['tickets', { customerId, subject: card, message: 'Please.' }, 'subject'],
    ['tickets', { customerId, subject: 'My card', message: `It is ${card}.` }, 'message'],
    ['leads', { leadTypeId: 'exclusive-fresh', source: 'page', contact }, 'contact.comment'],
  ];
  for (const [path, body, field] of refused) {
    const answer = await shop.try('POST', `/api/${path}`, body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    expect(answer.text).not.toContain(card);
  }
  const reason = await shop.try('POST', `/api/orders/x/pause`, undefined, { 'leadger-reason': `card ${card}` });
  expect(reason).toMatchObject({ status: 400, body: { errors: [{ field: 'leadger-reason' }] } });
  const extraFields = { ad_id: '4242424242424242' };
  const telephone = '+49 1512 3456784';
  await shop.lead('exclusive-fresh', { contact: { telephone, extraFields } });
  expect(JSON.stringify(shop.server.log)).not.toContain(card);
});

test('CHK-1: a checkout that is not completed is abandoned after a day', async () => {
  const checkoutId = await checkout(await shop.customer());
  await shop.wait({ days: 1 });
  expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject({ status: 'abandoned' });
  const { status, body } = await shop.try('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' });
  expect({ status, code: body.code }).toEqual({ status: 409, code: 'checkout-abandoned' });
});

test('CHK-2: a percentage of the quantity rounds up and is at least 1; a number is used as it is', async () => {
  const maximumOf = async (quantity: number, dailyMaximum: object) => {
    const order = { leadTypeId: 'exclusive-real-time', quantity, dailyMaximum };
    return (await shop.history(`/api/orders/${await shop.order(await shop.customer(), order)}`))[0]?.data.dailyMaximum;
  };
  expect(await maximumOf(25, { percent: 10 })).toBe(3);
  expect(await maximumOf(1, { percent: 1 })).toBe(1);
  expect(await maximumOf(3, { percent: 34 })).toBe(2);
  expect(await maximumOf(25, { leads: 7 })).toBe(7);
});

test('CHK-3: orders of batch types have no daily maximum, orders of real-time types have one where the customer wants it', async () => {
  const customerId = await shop.customer();
  const order = { customerId, quantity: 5, paymentToken: 'tok_ok' };
  const batch = { ...order, leadTypeId: 'exclusive-fresh', dailyMaximum: { leads: 2 } };
  expect((await shop.try('POST', '/api/orders', batch)).body).toMatchObject({ rule: 'CHK-3' });
  const leadTypeId = await shop.leadType({ freshness: 'real-time' });
  const { orderId } = await shop.ask('POST', '/api/orders', { ...order, leadTypeId }, 201);
  for (let number = 0; number < 4; number += 1) await shop.lead(leadTypeId);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ dailyMaximum: null, deliveredLeads: 4 });
  await shop.ask('PUT', `/api/orders/${orderId}/daily-maximum`, { dailyMaximum: { leads: 4 } }, 200, staff);
  await shop.lead(leadTypeId);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ dailyMaximum: 4, deliveredLeads: 4 });
  await shop.wait({ days: 1 });
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'filled', deliveredLeads: 5 });
});

test('CHK-4: an order receives leads only once it is paid; a declined payment ends it with the reason', async () => {
  const leadTypeId = 'exclusive-aged';
  const paymentToken = 'tok_declined_insufficient_funds';
  const declined = await shop.order(await shop.customer(), { leadTypeId, paymentToken });
  expect(await shop.read(`/api/orders/${declined}`)).toMatchObject({
    status: 'payment-failed',
    declineReason: 'insufficient-funds',
  });
  const paid = await shop.order(await shop.customer(), { leadTypeId, quantity: 1 });
  await shop.lead(leadTypeId);
  expect(await shop.read(`/api/orders/${declined}`)).toMatchObject({ deliveredLeads: 0 });
  expect(await shop.read(`/api/orders/${paid}`)).toMatchObject({ deliveredLeads: 1 });
});

test('CHK-4: an order that a coupon makes free is open at once, because there is nothing to charge', async () => {
  const couponCode = await coupon({ discount: { percent: 100 } });
  const orderId = await shop.order(await shop.customer(), { couponCode, paymentToken: 'tok_declined' });
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'open', totalCents: 0 });
});

test('CHK-4: a payment whose response is lost is requested again, and charged once', async () => {
  const orderId = await shop.order(await shop.customer(), { paymentToken: 'tok_lost_reply' });
  await shop.wait({ seconds: 2 });
  const payments = (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'PaymentCaptured');
  expect(payments).toHaveLength(1);
});
