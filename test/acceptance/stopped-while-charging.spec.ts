import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkLaws } from '#audit/laws/laws';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { waitUntil } from '#test/wait-until';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop } from './shop.ts';

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
