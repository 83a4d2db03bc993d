import { createHmac } from 'node:crypto';
import { stripeNotices } from '#gateways/stripe-notices';
import { openShop, type Shop } from './shop.ts';

/* What docs/sandbox.md promises, seen in a whole store. */

const SECRET = 'whsec_local';
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ notices: stripeNotices(SECRET) });
});
afterAll(() => shop.stop());

const weekly = { loyalty: { cadence: 'weekly' } };
const orderWith = async (paymentToken: string, details: object = {}) =>
  shop.order(await shop.customer(), { paymentToken, ...details });
const renewalsOf = async (orderId: string) => (await shop.read(`/api/programmes/${orderId}`)).renewals;

test('LOY-8: with tok_renewal_confirmed the bank wants a renewal confirmed, and it is paid a quarter of an hour later', async () => {
  const orderId = await orderWith('tok_renewal_confirmed', weekly);
  await shop.wait({ days: 7 });
  expect(await renewalsOf(orderId)).toMatchObject([{ paidAt: null, confirmableUntil: expect.any(String) }]);
  await shop.wait({ hours: 1 });
  expect(await renewalsOf(orderId)).toMatchObject([{ paidAt: expect.any(String), attempts: 1 }]);
});

test('LOY-8: with tok_renewal_unconfirmed nobody confirms, and the renewal is declined when the time is over', async () => {
  const orderId = await orderWith('tok_renewal_unconfirmed', weekly);
  await shop.wait({ days: 8 });
  expect(await renewalsOf(orderId)).toMatchObject([{ paidAt: null, declineReason: 'authentication-required' }]);
});

test('LOY-8: with tok_renewal_declined the first order is paid, and its renewals are declined with the reason of the token', async () => {
  const orderId = await orderWith('tok_renewal_declined_insufficient_funds', weekly);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'open' });
  await shop.wait({ days: 7 });
  expect(await renewalsOf(orderId)).toMatchObject([{ paidAt: null, declineReason: 'insufficient-funds' }]);
});

test('CHK-4: with tok_refused a charge is parked for people, with what the provider said', async () => {
  const orderId = await orderWith('tok_refused');
  for (const _ of [1, 2]) await shop.wait({ seconds: 120 });
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'awaiting-payment' });
  const { items } = await shop.ask('GET', '/api/processes/parked');
  expect(items).toMatchObject([{ reason: 'the payment provider: it refuses the request (tok_refused)' }]);
});

test('CHK-6: a notice signed with the secret of the store opens a dispute about a payment of the sandbox', async () => {
  const orderId = await orderWith('tok_ok');
  const history = await shop.history(`/api/orders/${orderId}`);
  const { reference, amountCents } = history.find(({ type }) => type === 'PaymentCaptured')?.data ?? {};
  const object = { id: 'du_1', amount: amountCents, currency: 'usd', status: 'needs_response', reason: 'fraudulent' };
  const data = { object: { ...object, payment_intent: reference } };
  const body = JSON.stringify({ id: 'evt_1', object: 'event', type: 'charge.dispute.created', data });
  const at = Date.parse(shop.now()) / 1000;
  const signature = createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${signature}` };
  const told = await fetch(`${shop.server.url}/api/payment-notices`, { method: 'POST', headers, body });
  expect(await told.json()).toEqual({ recorded: true });
  await shop.server.settle();
  expect((await shop.read(`/api/disputes?orderId=${orderId}`)).items).toMatchObject([{ stage: 'opened' }]);
});
