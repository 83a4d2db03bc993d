import { checkLaws } from '#audit/laws/laws';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* What staff find at the provider about a charge whose customer was erased before it had a result. */

let shop: Shop;
/** The provider carries out charges, and its answers do not arrive. */
let isSilent = false;
const sandbox = sandboxPayments();
const payments: PaymentGateway = {
  ...sandbox,
  async capture(charge, key) {
    if (isSilent) throw new Error('no answer');
    return sandbox.capture(charge, key);
  },
};

beforeAll(async () => {
  shop = await openShop({ payments });
});
afterAll(() => shop.stop());
beforeEach(() => {
  isSilent = false;
});

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const erase = (customerId: string) =>
  shop.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, support);
const resolve = (orderId: string, reference: string) =>
  shop.try('POST', `/api/orders/${orderId}/unknown-payment/resolve`, { result: 'captured', reference }, support);
const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const refundsOf = async (orderId: string) => (await shop.read(`/api/refunds?orderId=${orderId}`)).items;
const captureOf = async (orderId: string): Promise<string> =>
  (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type === 'PaymentCaptured')?.data.reference;
const brokenLaws = async () => {
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  return Object.entries(laws).filter(([, count]) => count > 0);
};

async function unknownPayment(): Promise<string> {
  const customerId = await shop.customer();
  isSilent = true;
  const orderId = await shop.order(customerId);
  await erase(customerId);
  isSilent = false;
  await shop.wait({ hours: 1 });
  expect(await order(orderId)).toMatchObject({ paymentUnknownSince: expect.any(String) });
  return orderId;
}

/** The first payment is known, and the renewal is not. */
async function unknownRenewal(): Promise<string> {
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { loyalty: { cadence: 'weekly' } });
  await shop.wait({ days: 3 });
  isSilent = true;
  await shop.wait({ days: 4 });
  await erase(customerId);
  isSilent = false;
  await shop.wait({ hours: 1 });
  expect(await order(orderId)).toMatchObject({ paymentUnknownSince: expect.any(String) });
  return orderId;
}

const isRefused = (orderId: string, renewalNumber = 0) => {
  const which = renewalNumber === 0 ? 'the first payment' : `renewal ${renewalNumber}`;
  const detail = expect.stringContaining(`is ${which} of the order ${orderId}`);
  return { status: 409, body: { code: 'payment-of-another', detail } };
};

test('CHK-6: the payment of another order is not taken for the unknown one, and is not given back', async () => {
  const paid = await shop.order(await shop.customer());
  const unknown = await unknownPayment();
  expect(await resolve(unknown, await captureOf(paid))).toMatchObject(isRefused(paid));
  expect(await refundsOf(unknown)).toEqual([]);
  expect(await order(unknown)).toMatchObject({ paymentUnknownSince: expect.any(String) });
  expect(await order(paid)).toMatchObject({ status: 'open', refundedCents: 0 });
  expect(await resolve(unknown, 'sandbox_found_1')).toMatchObject({ status: 200 });
  expect(await refundsOf(unknown)).toMatchObject([{ status: 'made', paymentReference: 'sandbox_found_1' }]);
});

test('CHK-6: the first payment of an order is not taken for its unknown renewal, and the other way round', async () => {
  const orderId = await unknownRenewal();
  expect(await resolve(orderId, await captureOf(orderId))).toMatchObject(isRefused(orderId));
  expect(await refundsOf(orderId)).toEqual([]);
  expect(await resolve(orderId, 'sandbox_found_2')).toMatchObject({ status: 200 });
  expect(await refundsOf(orderId)).toMatchObject([{ renewalNumber: 1, paymentReference: 'sandbox_found_2' }]);
  expect(await resolve(await unknownPayment(), 'sandbox_found_2')).toMatchObject(isRefused(orderId, 1));
});

test('CHK-6: of two who record one payment for two orders at once, one is refused', async () => {
  const orderIds = [await unknownPayment(), await unknownPayment(), await unknownRenewal()];
  const replies = await Promise.all(orderIds.map((orderId) => resolve(orderId, 'sandbox_found_3')));
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  expect(replies.filter(({ status }) => status === 409).map(({ body }) => body.code)).toEqual([
    'payment-of-another',
    'payment-of-another',
  ]);
  const refunds = (await Promise.all(orderIds.map(refundsOf))).flat();
  expect(refunds).toMatchObject([{ paymentReference: 'sandbox_found_3', status: 'made' }]);
});

test('CHK-6: a name that was claimed for a payment which is recorded under another one can be recorded for the right order', async () => {
  const [wrong, right] = [await unknownPayment(), await unknownPayment()];
  const replies = await Promise.all([resolve(wrong, 'sandbox_found_4'), resolve(wrong, 'sandbox_found_5')]);
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
  const free = replies[0]?.status === 409 ? 'sandbox_found_4' : 'sandbox_found_5';
  expect(await resolve(right, free)).toMatchObject({ status: 200 });
  expect(await resolve(right, free)).toMatchObject({ status: 200 });
});

test('the laws hold', async () => {
  expect(await brokenLaws()).toEqual([]);
});
