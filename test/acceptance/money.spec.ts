import { randomUUID } from 'node:crypto';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { encode } from '#domain/codec';
import type { EventStore } from '#event-store/port';
import { mailInMemory } from '#gateways/mail';
import type { PaymentGateway } from '#gateways/payments';
import { stripePayments } from '#gateways/stripe-payments';
import { type StripeStandIn, startStripeStandIn } from '#test/stripe/stand-in';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

const SUPPORT = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'asked by telephone' };

let stripe: StripeStandIn;
let mails: ReturnType<typeof mailInMemory>;
let shop: Shop;
beforeAll(async () => {
  stripe = await startStripeStandIn();
  mails = mailInMemory();
  const payments = stripePayments({ secretKey: 'sk_test_1', statementPrefix: 'DMS', server: stripe.server });
  shop = await openShop({ mails, payments: { ...payments, capture: losing(payments.capture) } });
});
/** Charges are made, and their answers do not arrive. */
let answersAreLost = false;
const losing =
  (capture: PaymentGateway['capture']): PaymentGateway['capture'] =>
  async (...charge) => {
    const result = await capture(...charge);
    if (answersAreLost) throw new Error('the answer was lost');
    return result;
  };
afterAll(async () => {
  await shop.stop();
  await stripe.stop();
});

const soldFor = async (currency: string, pricePerLeadCents: number): Promise<string> => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const limits = { smallestOrder: 1, largestOrder: 1000 };
  await shop.ask('POST', '/api/prices', { storeId: 'main', leadTypeId, pricePerLeadCents, currency, ...limits });
  return leadTypeId;
};
const member = async (paymentToken: string) => {
  const leadTypeId = await soldFor('USD', 500);
  const customerId = await shop.customer({ email: `${paymentToken}@example.org` });
  const orderId = await shop.order(customerId, {
    leadTypeId,
    quantity: 10,
    paymentToken,
    loyalty: { cadence: 'weekly' },
  });
  return { customerId, orderId };
};
const renewalsOf = async (orderId: string) => (await shop.read(`/api/programmes/${orderId}`)).renewals;
const mailsTo = (paymentToken: string) => mails.sent.filter(({ to }) => to === `${paymentToken}@example.org`);

test('CHK-7: amounts are minor units of their currency, as the provider, the mails and the history have them', async () => {
  for (const [currency, price, amount, told] of [
    ['JPY', 150, 1500, '¥1,500'],
    ['KWD', 150, 1500, 'KWD 1.500'],
    ['ISK', 150, 150_000, 'ISK 1,500'],
    ['USD', 150, 1500, '$15.00'],
  ] as const) {
    const token = stripe.card(`pm_${currency}`);
    const leadTypeId = await soldFor(currency, price);
    const customerId = await shop.customer({ email: `${token}@example.org` });
    const orderId = await shop.order(customerId, { leadTypeId, quantity: 10, paymentToken: token });
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'open', totalCents: 1500, currency });
    expect([...stripe.intents.values()].at(-1)).toMatchObject({ amount, currency: currency.toLowerCase() });
    const texts = mailsTo(token).map(({ text }) => text.replaceAll('\u00a0', ' '));
    expect(texts.filter((text) => text.includes(`It costs ${told}.`))).toHaveLength(1);
  }
});

test('CHK-7: a price has a currency of ISO 4217', async () => {
  const leadTypeId = await shop.leadType();
  const price = { storeId: 'main', leadTypeId, pricePerLeadCents: 100, smallestOrder: 1, largestOrder: 10 };
  for (const currency of ['DEM', 'XXX', 'ABC'])
    expect(await shop.try('POST', '/api/prices', { ...price, currency })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'currency' }] },
    });
});

test('CHK-7: a total that the provider does not charge is refused before the order is placed, with the amounts', async () => {
  const customerId = await shop.customer();
  const token = stripe.card('pm_small');
  const usd = { customerId, leadTypeId: await soldFor('USD', 12), paymentToken: token };
  const asked = stripe.asked.length;
  const refused = { status: 409, body: { code: 'total-not-chargeable' } };
  const small = await shop.try('POST', '/api/orders', { ...usd, quantity: 4 });
  expect(small).toMatchObject(refused);
  expect(small.body.detail).toContain('0.48 USD');
  expect(small.body.detail).toContain('0.50 USD');
  const { paymentToken: _, ...wishes } = usd;
  expect(await shop.try('POST', '/api/checkouts', { ...wishes, quantity: 4 })).toMatchObject(refused);
  const kwd = { customerId, leadTypeId: await soldFor('KWD', 1255), quantity: 1, paymentToken: token };
  expect(await shop.try('POST', '/api/orders', kwd)).toMatchObject(refused);
  expect(stripe.asked.length).toBe(asked);
  expect(await shop.read(`/api/orders/${await shop.order(customerId, { ...usd, quantity: 5 })}`)).toMatchObject({
    status: 'open',
  });
});

test('CHK-7: a coupon that makes the total too small is refused, and not used up', async () => {
  const leadTypeId = await soldFor('USD', 100);
  const customerId = await shop.customer();
  await shop.ask('POST', '/api/coupons', { couponCode: 'NEARLY FREE', storeIds: ['main'], discount: { percent: 90 } });
  const order = { customerId, leadTypeId, couponCode: 'NEARLY FREE', paymentToken: stripe.card('pm_coupon') };
  expect(await shop.try('POST', '/api/orders', { ...order, quantity: 4 })).toMatchObject({
    status: 409,
    body: { code: 'total-not-chargeable' },
  });
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId, quantity: 4 });
  const inCheckout = await shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'NEARLY FREE' });
  expect(inCheckout).toMatchObject({ status: 409, body: { code: 'total-not-chargeable' } });
  const { orderId } = await shop.ask('POST', '/api/orders', { ...order, quantity: 5 }, 201);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ totalCents: 50, status: 'open' });
});

test('STO-2: how long a descriptor may be says the provider', async () => {
  const set = (statementDescriptor: string) => shop.try('PUT', '/api/statement-descriptor', { statementDescriptor });
  expect(await set('Dedicated Media Solutions')).toMatchObject({
    status: 409,
    body: { code: 'descriptor-not-on-statements', detail: expect.stringContaining('at most 17 characters') },
  });
  expect(await set('DEDICATED MEDIA')).toMatchObject({ status: 200 });
});

test('STO-2: of a descriptor that was set before the provider was used, orders show what the statement shows', async () => {
  const cause = { commandId: randomUUID(), correlationId: randomUUID(), actor: 'staff:ada' };
  const data = { at: shop.now(), descriptor: 'Dedicated Media Solutions' };
  const event = encode(catalogueStream, { type: 'StatementDescriptorSet', data }, cause);
  await shop.server.application
    .get<EventStore>(EVENT_STORE)
    .append(catalogueStream, [{ id: randomUUID(), ...event }], 'any');
  const [customerId, token] = [await shop.customer(), stripe.card('pm_descriptor')];
  const shown = { statementDescriptor: 'Dedicated Media S' };
  const wish = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10 };
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', wish);
  expect(await shop.ask('GET', `/api/checkouts/${checkoutId}`)).toMatchObject(shown);
  const { orderId } = await shop.ask('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: token }, 201);
  const row = await shop.read(`/api/orders/${orderId}`);
  expect(row).toMatchObject({ ...shown, status: 'open' });
  expect([...stripe.intents.values()].at(-1)?.descriptor).toBe('Dedicated Media S');
});

test('LOY-2: the card of a member is kept with a customer at the provider, and renewals are charged in absence', async () => {
  const token = stripe.card('pm_member');
  const { orderId } = await member(token);
  await shop.wait({ days: 7 });
  expect(await renewalsOf(orderId)).toMatchObject([{ renewalNumber: 1, paidAt: expect.any(String) }]);
  const captured = (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type === 'PaymentCaptured');
  const { providerCustomerId } = captured?.data ?? {};
  expect(providerCustomerId).toMatch(/^cus_/);
  const ofMember = [...stripe.intents.values()].filter(({ customer }) => customer === providerCustomerId);
  expect(ofMember).toMatchObject([{ amount: 5000 }, { amount: 5000 }]);

  const other = stripe.card('pm_member_other');
  await shop.ask('PUT', `/api/orders/${orderId}/payment-card`, { paymentToken: other }, 200, SUPPORT);
  await shop.wait({ days: 7 });
  expect(await renewalsOf(orderId)).toHaveLength(2);
  expect([...stripe.intents.values()].filter(({ customer }) => customer === providerCustomerId)).toHaveLength(3);
});

const linkIn = (paymentToken: string): string =>
  /https:\/\/hooks\.stripe\.example\/\S+/.exec(
    mailsTo(paymentToken).findLast(({ subject }) => subject === 'Please confirm your payment')?.text ?? '',
  )?.[0] ?? '';

test('LOY-8: a renewal that the bank wants confirmed is told with a link, and paid when the customer confirms it', async () => {
  const token = stripe.card('pm_confirms', 'asks-when-absent');
  const { orderId } = await member(token);
  await shop.wait({ days: 7 });
  expect(await renewalsOf(orderId)).toMatchObject([
    { paidAt: null, declineReason: null, confirmableUntil: expect.any(String) },
  ]);
  expect(linkIn(token)).not.toBe('');
  expect(JSON.stringify(await shop.log())).not.toContain(linkIn(token));
  expect(JSON.stringify(await shop.history(`/api/programmes/${orderId}`))).not.toContain('hooks.stripe.example');

  stripe.confirmAt(linkIn(token));
  await shop.wait({ hours: 1 });
  expect(await renewalsOf(orderId)).toMatchObject([
    { paidAt: expect.any(String), confirmableUntil: null, attempts: 1 },
  ]);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ orderedLeads: 22 });
});

test('CAT-5, LOY-8: a charge whose answer was lost is repeated as it was, also if the web address was corrected meanwhile', async () => {
  const token = stripe.card('pm_lost_answer', 'asks-when-absent');
  const { orderId } = await member(token);
  answersAreLost = true;
  await shop.wait({ days: 7 });
  expect(linkIn(token)).toBe('');
  await shop.wait({ seconds: 1 });
  const address = { webAddress: 'https://corrected.example' };
  await shop.ask('PUT', '/api/stores/main/web-address', address, 200, SUPPORT);
  answersAreLost = false;
  await shop.wait({ hours: 1 });
  expect(linkIn(token)).not.toBe('');
  stripe.confirmAt(linkIn(token));
  await shop.wait({ hours: 1 });
  expect(await renewalsOf(orderId)).toMatchObject([{ paidAt: expect.any(String), attempts: 1 }]);
});

test('LOY-8: a renewal that is not confirmed in time is declined, tried again with a new link, and can be paid only once', async () => {
  const token = stripe.card('pm_forgets', 'asks-when-absent');
  const { orderId } = await member(token);
  await shop.wait({ days: 7 });
  const forgotten = linkIn(token);
  await shop.wait({ days: 1 });
  expect(await renewalsOf(orderId)).toMatchObject([
    { attempts: 2, declineReason: 'authentication-required', paidAt: null },
  ]);
  const second = linkIn(token);
  expect(second).not.toBe(forgotten);
  stripe.confirmAt(forgotten);
  stripe.confirmAt(second);
  await shop.wait({ days: 1 });
  expect(await renewalsOf(orderId)).toMatchObject([{ attempts: 2, declineReason: null, paidAt: expect.any(String) }]);
  const paid = [...stripe.intents.values()].filter(({ status, amount }) => status === 'succeeded' && amount === 5000);
  const { data } = (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type === 'PaymentCaptured') ?? {};
  expect(paid.filter(({ customer }) => customer === data.providerCustomerId)).toHaveLength(2);
});

test('LOY-8: a charge that is confirmed after the programme was cancelled is recorded, so that it is given back', async () => {
  const token = stripe.card('pm_cancels', 'asks-when-absent');
  const { orderId } = await member(token);
  await shop.wait({ days: 7 });
  await shop.ask('POST', `/api/orders/${orderId}/cancel`);
  stripe.confirmAt(linkIn(token));
  await shop.wait({ hours: 1 });
  expect((await shop.history(`/api/orders/${orderId}`)).map(({ type }) => type)).toContain('PaymentCapturedTooLate');
});

test('CHK-4: a charge that the provider refuses for a reason of the store is no decline: it is parked, and listed', async () => {
  const customerId = await shop.customer();
  const order = {
    customerId,
    leadTypeId: await soldFor('USD', 500),
    quantity: 1,
    paymentToken: stripe.card('pm_parked'),
  };
  stripe.answerAll({ status: 401, body: { error: { type: 'invalid_request_error', message: 'Invalid API Key' } } });
  const orderId = await shop.order(customerId, order);
  await shop.wait({ seconds: 120 });
  await shop.wait({ seconds: 120 });
  const listed = async () =>
    (await shop.read('/api/attention?reason=payment-parked')).items.filter(
      (one: { orderId: string }) => one.orderId === orderId,
    );
  expect(await listed()).toMatchObject([{ reason: 'payment-parked', orderId, customerId }]);
  const { items } = await shop.ask('GET', '/api/processes/parked');
  expect(items).toMatchObject([{ reason: 'the payment provider: it does not know the secret key' }]);

  stripe.answerAll(undefined);
  await shop.ask('POST', `/api/processes/parked/${items[0].parkedItemId}/retry`);
  await shop.server.settle();
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'open' });
  expect(await listed()).toEqual([]);
});
