import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkLaws } from '#audit/laws/laws';
import { addHours } from '#domain/kernel/instants';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { waitUntil } from '#test/wait-until';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'leadger-stopped-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('CHK-6: an order that is cancelled while the machine stops with its first charge under way is given its money back after the restart', async () => {
  // The provider, which outlives the machine: it has captured, and its first answer is lost.
  const sandbox = sandboxPayments();
  const charged: string[] = [];
  const payments: PaymentGateway = {
    async capture(charge, key) {
      const result = await sandbox.capture(charge, key);
      charged.push(key);
      return charged.length === 1 ? new Promise(() => {}) : result;
    },
    refund: sandbox.refund,
  };
  let shop = await openShop({ directory, payments });
  const customerId = await shop.customer({ email: 'ada@example.org' });
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  const { body } = await shop.server.call('POST', '/api/orders', order);
  await waitUntil(() => charged.length === 1);
  await shop.server.call('POST', `/api/orders/${body.orderId}/cancel`);
  await shop.stop();

  shop = await openShop({ directory, payments });
  await shop.server.settle();
  expect((await shop.history(`/api/orders/${body.orderId}`)).map(({ type }) => type)).toEqual([
    'OrderPlaced',
    'OrderCancelled',
    'PaymentCapturedTooLate',
    'RefundWished',
    'PaymentRefunded',
  ]);
  expect(new Set(charged).size).toBe(1);
  const { totalCents, refundedCents } = await shop.read(`/api/orders/${body.orderId}`);
  expect(refundedCents).toBe(totalCents);
  const { items } = await shop.read(`/api/mails?customerId=${customerId}`);
  expect(items.map(({ kind }: { kind: string }) => kind)).toContain('refund-made');
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, broken]) => broken > 0)).toEqual([]);
  await shop.stop();
});

/** The provider makes charges, and is out of reach afterwards. What it has made outlives the machine. */
const providerAway = () => {
  const sandbox = sandboxPayments();
  const provider = { isAway: true, makes: true, payments: sandbox as PaymentGateway };
  provider.payments = {
    ...sandbox,
    async capture(charge, key) {
      if (provider.makes && !charge.onlyIfMade) await sandbox.capture(charge, key);
      if (provider.isAway) throw new Error('no answer');
      return sandbox.capture(charge, key);
    },
  };
  return provider;
};
const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const brokenLaws = async (shop: Shop) => {
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  return Object.entries(laws).filter(([, broken]) => broken > 0);
};
const typesOf = async (shop: Shop, orderId: string) =>
  (await shop.history(`/api/orders/${orderId}`)).map(({ type }) => type);
const unknownNow = async (shop: Shop) =>
  (await shop.read('/api/attention?reason=payment-unknown')).items.map(({ orderId }: { orderId: string }) => orderId);

/** The provider is away for so long, then the order is cancelled, and the program stands still for so long; 0: it does not stop. */
async function cancelledAndStopped(provider: ReturnType<typeof providerAway>, hours: number, stoodStill: number) {
  let shop = await openShop({ directory, payments: provider.payments });
  const customerId = await shop.customer({ email: 'ada@example.org' });
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  const { body } = await shop.server.call('POST', '/api/orders', order);
  await shop.wait({ hours });
  await shop.server.call('POST', `/api/orders/${body.orderId}/cancel`);
  if (stoodStill === 0) return { shop, orderId: body.orderId as string };
  const start = addHours(shop.now(), stoodStill);
  await shop.stop();
  shop = await openShop({ directory, payments: provider.payments, start });
  await shop.server.settle();
  return { shop, orderId: body.orderId as string };
}

test.each([
  ['whose provider was away for three days before it was cancelled', 73, 0.01],
  ['after whose cancellation the store stood still for a week', 0.01, 168],
])('CHK-6: an order %s is given its money back once the provider is there', async (_, hours, stoodStill) => {
  const provider = providerAway();
  const { shop, orderId } = await cancelledAndStopped(provider, hours, stoodStill);
  expect(await typesOf(shop, orderId)).toEqual(['OrderPlaced', 'OrderCancelled']);
  provider.isAway = false;
  await shop.wait({ hours: 0.5 });
  const back = ['OrderPlaced', 'OrderCancelled', 'PaymentCapturedTooLate', 'RefundWished', 'PaymentRefunded'];
  expect(await typesOf(shop, orderId)).toEqual(back);
  await shop.wait({ days: 5 });
  expect(await typesOf(shop, orderId)).toEqual(back);
  expect(await brokenLaws(shop)).toEqual([]);
  await shop.stop();
});

test.each([
  ['also if the program stopped meanwhile', 1],
  ['also if it never stopped', 0],
])(
  'CHK-6: a charge of a cancelled order that the provider does not answer for three days is unknown, %s, and staff record it',
  async (_, stoodStill) => {
    const provider = providerAway();
    const { shop, orderId } = await cancelledAndStopped(provider, 73, stoodStill);
    await shop.wait({ hours: 70 });
    expect(await unknownNow(shop)).toEqual([]);
    await shop.wait({ hours: 3 });
    expect(await unknownNow(shop)).toEqual([orderId]);
    provider.isAway = false;
    const found = { result: 'captured', reference: 'sandbox_found' };
    await shop.ask('POST', `/api/orders/${orderId}/unknown-payment/resolve`, found, 200, support);
    expect(await unknownNow(shop)).toEqual([]);
    expect((await shop.read(`/api/refunds?orderId=${orderId}`)).items).toMatchObject([{ status: 'made' }]);
    expect(await brokenLaws(shop)).toEqual([]);
    await shop.stop();
  },
);

test('CHK-6: a charge of a cancelled order that the provider has not made is recorded so after three days, and staff may correct it', async () => {
  const provider = providerAway();
  Object.assign(provider, { makes: false });
  const { shop, orderId } = await cancelledAndStopped(provider, 1, 1);
  provider.isAway = false;
  await shop.wait({ hours: 70 });
  expect(await typesOf(shop, orderId)).toEqual(['OrderPlaced', 'OrderCancelled']);
  await shop.wait({ hours: 2 });
  const ended = ['OrderPlaced', 'OrderCancelled', 'PaymentUnknown', 'PaymentNotCaptured'];
  expect(await typesOf(shop, orderId)).toEqual(ended);
  expect(await unknownNow(shop)).toEqual([]);
  await shop.wait({ days: 9 });
  expect(await typesOf(shop, orderId)).toEqual(ended);
  const found = { result: 'captured', reference: 'sandbox_found' };
  await shop.ask('POST', `/api/orders/${orderId}/unknown-payment/resolve`, found, 200, support);
  expect((await shop.read(`/api/refunds?orderId=${orderId}`)).items).toMatchObject([{ status: 'made' }]);
  await shop.stop();
});
