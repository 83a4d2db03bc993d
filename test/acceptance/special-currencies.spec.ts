import { createHmac } from 'node:crypto';
import type { PaymentGateway } from '#gateways/payments';
import { stripeNotices } from '#gateways/stripe-notices';
import { stripePayments } from '#gateways/stripe-payments';
import { type StripeStandIn, startStripeStandIn } from '#test/stripe/stand-in';
import { openShop, type Shop } from './shop.ts';

const SUPPORT = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the customer asked for it' };
const SECRET = 'whsec_of_this_shop';

let stripe: StripeStandIn;
let shop: Shop;
/** Charges wait for it before they are made. */
let gate = Promise.resolve();
let waiting = 0;

beforeAll(async () => {
  stripe = await startStripeStandIn();
  const payments = stripePayments({ secretKey: 'sk_test_1', server: stripe.server });
  const capture: PaymentGateway['capture'] = async (...charge) => {
    waiting += 1;
    await gate;
    return payments.capture(...charge);
  };
  shop = await openShop({ payments: { ...payments, capture }, notices: stripeNotices(SECRET) });
});
beforeEach(() => {
  gate = Promise.resolve();
  waiting = 0;
});
afterAll(async () => {
  await shop.stop();
  await stripe.stop();
});

/** Price of a lead in minor units, and what Stripe counts for ten of them and for two: https://docs.stripe.com/currencies */
const currencies = [
  { currency: 'ISK', price: 500, atStripe: 500_000, partAtStripe: 100_000 },
  { currency: 'UGX', price: 5000, atStripe: 5_000_000, partAtStripe: 1_000_000 },
  { currency: 'MGA', price: 100_000, atStripe: 10_000, partAtStripe: 2000 },
  { currency: 'JPY', price: 50, atStripe: 500, partAtStripe: 100 },
  { currency: 'KWD', price: 1230, atStripe: 12_300, partAtStripe: 2460 },
  { currency: 'USD', price: 500, atStripe: 5000, partAtStripe: 1000 },
];

async function wishFor(currency: string, pricePerLeadCents: number) {
  const leadTypeId = await shop.leadType();
  const limits = { smallestOrder: 1, largestOrder: 1000 };
  await shop.ask('POST', '/api/prices', { storeId: 'main', leadTypeId, pricePerLeadCents, currency, ...limits });
  const paymentToken = stripe.card(`pm_${currency}_${leadTypeId}`);
  return { customerId: await shop.customer(), leadTypeId, quantity: 10, paymentToken };
}

const refundsOf = async (orderId: string) => (await shop.read(`/api/refunds?orderId=${orderId}`)).items;
const receiptsOf = async (orderId: string): Promise<number[]> =>
  (await shop.read(`/api/receipts?orderId=${orderId}`)).items
    .sort((a: { number: number }, b: { number: number }) => a.number - b.number)
    .map(({ amountCents }: { amountCents: number }) => amountCents);
const referenceOf = async (orderId: string): Promise<string> =>
  (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type.startsWith('PaymentCaptured'))?.data.reference;
const atStripe = (reference: string) =>
  stripe.refunds.filter((one) => one.payment_intent === reference).map(({ amount }) => amount);
const giveBack = (orderId: string, body: object = {}) =>
  shop.try('POST', `/api/orders/${orderId}/refunds`, body, SUPPORT);

let notices = 0;
async function tell(type: string, object: { readonly id: string }) {
  notices += 1;
  const body = JSON.stringify({ id: `evt_${notices}`, object: 'event', type, data: { object } });
  const seconds = Date.parse(shop.now()) / 1000;
  const digest = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${seconds},v1=${digest}` };
  const response = await fetch(`${shop.server.url}/api/payment-notices`, { method: 'POST', headers, body });
  await shop.server.settle();
  return { status: response.status, body: await response.json() };
}

test.each(currencies)(
  'CHK-6, CHK-7: charge, refunds, notice and dispute have the same amounts here and at the provider in $currency',
  async ({ currency, price, atStripe: whole, partAtStripe: part }) => {
    const orderId = await shop.order('', await wishFor(currency, price));
    const reference = await referenceOf(orderId);
    expect(stripe.intents.get(reference)).toMatchObject({ amount: whole, currency: currency.toLowerCase() });
    expect(await giveBack(orderId, { amountCents: 2 * price })).toMatchObject({ status: 201 });
    expect(atStripe(reference)).toEqual([part]);

    const [{ refundId, refundReference }] = await refundsOf(orderId);
    const about = { payment_intent: reference, metadata: { refund_id: refundId } };
    const failed = stripe.refunds.find(({ id }) => id === refundReference);
    if (failed) failed.status = 'failed';
    const sentBack = {
      id: refundReference,
      ...about,
      amount: part,
      currency: currency.toLowerCase(),
      status: 'failed',
    };
    expect(await tell('refund.failed', sentBack)).toMatchObject({ status: 200, body: { recorded: true } });
    await shop.ask('POST', `/api/orders/${orderId}/refunds/${refundId}/retry`, undefined, 200, SUPPORT);
    expect(await giveBack(orderId)).toMatchObject({ status: 201 });
    expect(atStripe(reference)).toEqual([part, part, whole - part]);
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ refundedCents: 10 * price });
    expect(await receiptsOf(orderId)).toEqual([10, 2, -2, 2, 8].map((leads) => leads * price));

    const dispute = { id: `du_${currency}`, payment_intent: reference, status: 'needs_response', reason: 'duplicate' };
    await tell('charge.dispute.created', { ...dispute, ...{ amount: part, currency: currency.toLowerCase() } });
    expect((await shop.read(`/api/disputes?orderId=${orderId}`)).items).toMatchObject([
      { amountCents: 2 * price, currency },
    ]);
  },
);

test.each(currencies)(
  'CHK-6, CHK-7: what came too late is given back by itself, all of it, in $currency',
  async ({ currency, price, atStripe: whole }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const { body } = await shop.server.call('POST', '/api/orders', await wishFor(currency, price));
    while (waiting === 0) await new Promise((next) => setTimeout(next, 5));
    await shop.server.call('POST', `/api/orders/${body.orderId}/cancel`);
    resolve();
    await shop.server.settle();
    expect(await refundsOf(body.orderId)).toMatchObject([
      { status: 'made', amountCents: 10 * price, cause: 'captured-too-late' },
    ]);
    expect(atStripe(await referenceOf(body.orderId))).toEqual([whole]);
    expect(await receiptsOf(body.orderId)).toEqual([10 * price, 10 * price]);
  },
);

test.each([
  { currency: 'KWD', price: 1230, amountCents: 1235, step: '0.010 KWD' },
  { currency: 'MGA', price: 100_000, amountCents: 150, step: '1.00 MGA' },
])('CHK-6, CHK-7: a refund that the provider cannot make in $currency is refused beforehand', async (one) => {
  const { currency, price, amountCents, step } = one;
  const orderId = await shop.order('', await wishFor(currency, price));
  expect(await giveBack(orderId, { amountCents })).toMatchObject({
    status: 409,
    body: { code: 'refund-not-possible', rule: 'CHK-7', detail: expect.stringContaining(step) },
  });
  expect(await refundsOf(orderId)).toEqual([]);
  expect(await giveBack(orderId, { amountCents: 1300 })).toMatchObject({ status: 201 });
});
