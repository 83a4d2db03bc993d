import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays } from '#domain/kernel/instants';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** Cancels open orders: they must not take the leads of the next test. */
afterEach(async () => {
  for (const status of ['open', 'paused']) {
    const { body } = await server.call('GET', `/api/orders?status=${status}&waitFor=${await latest()}`);
    for (const { orderId } of body.items) await server.call('POST', `/api/orders/${orderId}/cancel`);
  }
  await server.settle();
  expect(server.errors.splice(0)).toEqual([]);
});

const latest = () => server.position();

const aCustomer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
const register = async () => (await server.call('POST', '/api/customers', aCustomer)).body.customerId as string;
const anOrder = (customerId: string) => ({
  customerId,
  leadTypeId: 'exclusive-real-time',
  quantity: 3,
  dailyMaximum: { leads: 2 },
  paymentToken: 'tok_ok',
});
const verified = { 'leadger-reason': 'called the person' };
const aLead = (telephone: string) => ({ leadTypeId: 'exclusive-real-time', source: 'page', contact: { telephone } });

describe('the main path', () => {
  test('an order is placed, paid, and served at once by a lead that arrives; the history shows every step', async () => {
    const customerId = await register();
    const placed = await server.call('POST', '/api/orders', anOrder(customerId), { 'leadger-reason': 'by telephone' });
    expect(placed.status).toBe(201);
    expect(placed.headers.get('location')).toBe(`/api/orders/${placed.body.orderId}`);
    await server.settle();
    const received = await server.call('POST', '/api/leads', aLead('+1 212 555 0142'));
    await server.settle();

    const { body: order } = await server.call('GET', `/api/orders/${placed.body.orderId}/history`);
    expect(order.events).toMatchObject([
      { type: 'OrderPlaced', actor: 'staff:local', reason: 'by telephone', data: { totalCents: 3000 } },
      { type: 'PaymentCaptured', actor: 'process:payment-capture' },
      {
        type: 'LeadDelivered',
        actor: 'process:lead-distribution',
        data: { leadId: received.body.leadId },
        policyVersion: 1,
      },
    ]);
    expect(order.state).toMatchObject({
      status: 'open',
      deliveredLeads: 1,
      receipts: { [received.body.leadId]: server.clock.now() },
    });

    const { body: lead } = await server.call('GET', `/api/leads/${received.body.leadId}/history`);
    expect(lead.events[0].data.contact).toEqual({ telephone: '+1 212 555 0142' });
    expect(lead.events.map(({ type }: { type: string }) => type)).toEqual(['LeadReceived', 'LeadAssigned']);
  });

  test('the history of an order ends at the requested instant', async () => {
    const customerId = await register();
    const { body: order } = await server.call('POST', '/api/orders', anOrder(customerId));
    await server.settle();
    const placedAt = server.clock.now();
    await server.clock.moveTo(addDays(placedAt, 1));
    await server.call('POST', `/api/orders/${order.orderId}/pause`);
    const inNewYork = placedAt.replace('T15:00:00.000Z', 'T10:00:00-05:00');
    const yesterday = await server.call('GET', `/api/orders/${order.orderId}/history?at=${inNewYork}`);
    expect(yesterday.body).toMatchObject({ events: [{ type: 'OrderPlaced' }, { type: 'PaymentCaptured' }] });
    expect(yesterday.body.state.status).toBe('open');
    const before = await server.call('GET', `/api/orders/${order.orderId}/history?at=${addDays(placedAt, -1)}`);
    expect(before.status).toBe(404);
  });

  test('a bad lead is returned, granted, and replaced by the next lead', async () => {
    const customerId = await register();
    const { body: order } = await server.call('POST', '/api/orders', anOrder(customerId));
    await server.settle();
    const { body: lead } = await server.call('POST', '/api/leads', aLead('+1 212 555 0144'));
    await server.settle();
    const rated = await server.call('PUT', `/api/customers/${customerId}/leads/${lead.leadId}/rating`, { rating: 1 });
    expect(rated.body.events).toEqual(['ContactRated']);
    const aReturn = {
      orderId: order.orderId,
      leadId: lead.leadId,
      reason: 'telephone disconnected',
      note: 'Dead line.',
    };
    const requested = await server.call('POST', '/api/replacements', aReturn);
    expect(requested.body.events).toEqual(['ReplacementRequested']);
    const granted = await server.call(
      'POST',
      `/api/replacements/${requested.body.replacementId}/grant`,
      undefined,
      verified,
    );
    expect(granted.body.events).toEqual(['ChargebackGranted']);
    await server.settle();
    await server.call('POST', '/api/leads', aLead('+1 212 555 0143'));
    await server.settle();
    const { body: history } = await server.call('GET', `/api/orders/${order.orderId}/history`);
    expect(history.events.at(-1)).toMatchObject({
      type: 'LeadDelivered',
      data: { replacementFor: requested.body.replacementId },
    });
  });

  test('a denied return has an explanation, and a second verdict is refused', async () => {
    const customerId = await register();
    const { body: order } = await server.call('POST', '/api/orders', anOrder(customerId));
    await server.settle();
    const { body: lead } = await server.call('POST', '/api/leads', aLead('+1 212 555 0145'));
    await server.settle();
    const aReturn = { orderId: order.orderId, leadId: lead.leadId, reason: 'not interested' };
    const requested = await server.call('POST', '/api/replacements', aReturn);
    expect(requested.body.events).toEqual(['ReplacementRequested', 'ChargebackDenied']);
    const granted = await server.call(
      'POST',
      `/api/replacements/${requested.body.replacementId}/grant`,
      undefined,
      verified,
    );
    expect(granted).toMatchObject({ status: 409, body: { code: 'already-decided', rule: 'RPL-8' } });
  });

  test('requests and their idempotency keys survive a restart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leadger-e2e-'));
    try {
      const key = { 'idempotency-key': 'register-1' };
      const first = await startServer({ directory });
      const registered = await first.call('POST', '/api/customers', aCustomer, key);
      await first.stop();
      const second = await startServer({ directory });
      const again = await second.call('POST', '/api/customers', aCustomer, key);
      const { customerId, position } = registered.body;
      const read = await second.call('GET', `/api/customers/${customerId}?waitFor=${position}`);
      await second.stop();
      expect(again.body).toEqual(registered.body);
      expect(read.body).toMatchObject({ customerId, ...aCustomer });
      expect(read.headers.get('etag')).toMatch(/^"0-/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('Idempotency-Key', () => {
  test('the log holds no hash of a request that could be found by guessing what it says', async () => {
    // In alphabetical order, as it is hashed.
    const lead = { contact: { telephone: '+12125550123' }, leadTypeId: 'exclusive-real-time', source: 'page' };
    const key = { 'idempotency-key': 'lead-1' };
    expect((await server.call('POST', '/api/leads', lead, key)).status).toBe(201);
    let log = '';
    for await (const { metadata } of server.application.get<EventStore>(EVENT_STORE).readAll())
      log += Buffer.from(metadata).toString();
    expect(log).toContain('requestHash');
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(log).not.toContain(hash('sha256', JSON.stringify(lead), encoding));
  });

  test('a repeat gets the first answer and does nothing', async () => {
    const key = { 'idempotency-key': 'checkout-1' };
    const order = anOrder(await register());
    const first = await server.call('POST', '/api/orders', order, key);
    await server.settle();
    const reordered = Object.fromEntries(Object.entries(order).reverse());
    const again = await server.call('POST', '/api/orders', reordered, key);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('the same key with another body is answered with 422', async () => {
    const key = { 'idempotency-key': 'checkout-2' };
    const order = anOrder(await register());
    await server.call('POST', '/api/orders', order, key);
    const other = await server.call('POST', '/api/orders', { ...order, quantity: 4 }, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'key-reused', errors: [{ field: 'idempotency-key' }] } });
  });

  test('the same key from another actor or on another route is a different key', async () => {
    const order = anOrder(await register());
    const key = { 'idempotency-key': 'checkout-3' };
    const first = await server.call('POST', '/api/orders', order, key);
    const other = await server.call('POST', '/api/orders', order, { ...key, 'leadger-actor': 'staff:ada' });
    expect(other.body.orderId).not.toBe(first.body.orderId);
    const paused = await server.call('POST', `/api/orders/${first.body.orderId}/cancel`, {}, key);
    expect(paused.body.events).toEqual(['OrderCancelled']);
  });

  test('ten repeats at the same time place one order', async () => {
    const order = anOrder(await register());
    const key = { 'idempotency-key': 'checkout-4' };
    const replies = await Promise.all(Array.from({ length: 10 }, () => server.call('POST', '/api/orders', order, key)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(replies.map(({ body }) => body.orderId)).size).toBe(1);
    const { body } = await server.call('GET', `/api/orders/${replies[0]?.body.orderId}/history`);
    expect(body.events.filter(({ type }: { type: string }) => type === 'OrderPlaced')).toHaveLength(1);
  });

  test('ten requests with one key at the same time have one answer, and a read that waits for its position sees what they did', async () => {
    const customerId = await register();
    const placed = await server.call('POST', '/api/orders', anOrder(customerId));
    const checkout = await server.call('POST', '/api/checkouts', {
      ...{ customerId, leadTypeId: 'exclusive-fresh', quantity: 2 },
    });
    await server.settle();
    const requests: readonly (readonly [path: string, body: object])[] = [
      ['/api/customers', { storeId: 'main', businessAssociation: 'Ten at once', timeZone: 'Europe/Berlin' }],
      ['/api/leads', { ...aLead('+1 212 555 0167'), leadTypeId: 'shared-aged' }],
      ['/api/coupons', { couponCode: 'TEN-AT-ONCE', storeIds: ['main'], discount: { percent: 50 } }],
      ['/api/tickets', { customerId, subject: 'Ten', message: 'at once' }],
      ['/api/orders', anOrder(customerId)],
      [`/api/orders/${placed.body.orderId}/refunds`, { amountCents: 5 }],
      [`/api/checkouts/${checkout.body.checkoutId}/place`, { paymentToken: 'tok_ok' }],
    ];
    for (const [path, body] of requests) {
      const key = { 'idempotency-key': 'ten-at-once', 'leadger-reason': 'ten' };
      const ask = () => server.call('POST', path, body, key);
      const [first, ...others] = await Promise.all(Array.from({ length: 10 }, ask));
      expect(first).toMatchObject({ status: 201, body: { position: expect.stringMatching(/./) } });
      for (const { status, body, headers } of others) {
        expect({ path, status, body }).toEqual({ path, status: 201, body: first?.body });
        expect(headers.get('leadger-position')).toBe(body.position);
      }
      const read = await server.call('GET', `/api/orders?waitFor=${first?.body.position}`);
      expect(read.status).toBe(200);
    }
  });

  test('a repeat of a pause, after the order was restarted, leaves it open', async () => {
    const { body: order } = await server.call('POST', '/api/orders', anOrder(await register()));
    await server.settle();
    const key = { 'idempotency-key': 'pause-1' };
    await server.call('POST', `/api/orders/${order.orderId}/pause`, {}, key);
    await server.call('POST', `/api/orders/${order.orderId}/restart`);
    const again = await server.call('POST', `/api/orders/${order.orderId}/pause`, {}, key);
    expect(again.body.events).toEqual(['OrderPaused']);
    const { body: history } = await server.call('GET', `/api/orders/${order.orderId}/history`);
    expect(history.state.status).toBe('open');
  });

  test('a request that had nothing to change is not remembered: its repeat is decided anew', async () => {
    const { body: order } = await server.call('POST', '/api/orders', anOrder(await register()));
    await server.settle();
    const key = { 'idempotency-key': 'restart-1' };
    const restart = () => server.call('POST', `/api/orders/${order.orderId}/restart`, {}, key);
    expect(await restart()).toMatchObject({ status: 200, body: { events: [] } });
    await server.call('POST', `/api/orders/${order.orderId}/pause`);
    expect(await restart()).toMatchObject({ status: 200, body: { events: ['OrderRestarted'] } });
    await server.call('POST', `/api/orders/${order.orderId}/pause`);
    expect(await restart()).toMatchObject({ status: 200, body: { events: ['OrderRestarted'] } });
    const { body: history } = await server.call('GET', `/api/orders/${order.orderId}/history`);
    expect(history.state.status).toBe('paused');
  });

  test('a lead is recorded once, with a key and without one: the same capture of the same person is the same lead', async () => {
    const lead = { ...aLead('+1 212 555 0142'), leadTypeId: 'shared-aged' };
    const key = { 'idempotency-key': 'lead-of-capture' };
    const first = await server.call('POST', '/api/leads', lead, key);
    expect(first).toMatchObject({ status: 201 });
    const again = await server.call('POST', '/api/leads', lead, key);
    expect(again.body).toEqual(first.body);
    const captured = { ...lead, capturedAt: '2026-03-01T10:00:00+01:00' };
    const one = await server.call('POST', '/api/leads', captured);
    const same = await server.call('POST', '/api/leads', { ...captured, capturedAt: '2026-03-01T09:00:00Z' });
    expect(same).toMatchObject({ status: 201, body: { leadId: one.body.leadId, events: [] } });
    const two = await server.call('POST', '/api/leads', lead);
    expect(two).toMatchObject({ status: 201, body: { leadId: first.body.leadId, events: [], known: true } });
  });
});

describe('If-Match', () => {
  /** Staff change a customer's settings and give a reason (ACC-4). */
  const byTelephone = { 'leadger-reason': 'asked by telephone' };

  test('a command with an outdated revision is answered with 412 and changes nothing', async () => {
    const id = await register();
    const { headers } = await server.call('GET', `/api/customers/${id}?waitFor=${await latest()}`);
    const seen = { ...byTelephone, 'if-match': headers.get('etag') as string };
    const first = await server.call('PUT', `/api/customers/${id}/time-zone`, { timeZone: 'America/Chicago' }, seen);
    expect(first).toMatchObject({ status: 200, body: { revision: 1 } });
    const second = await server.call('PUT', `/api/customers/${id}/time-zone`, { timeZone: 'America/Denver' }, seen);
    expect(second).toMatchObject({
      status: 412,
      body: { code: 'revision-mismatch', errors: [{ field: 'if-match' }] },
    });
    const { body } = await server.call('GET', `/api/customers/${id}?waitFor=${first.body.position}`);
    expect(body.timeZone).toBe('America/Chicago');
  });

  test('the revision in an answer is valid for the next command', async () => {
    const id = await register();
    const path = `/api/customers/${id}/time-zone`;
    const first = await server.call('PUT', path, { timeZone: 'America/Chicago' }, { ...byTelephone, 'if-match': '*' });
    const etag = first.headers.get('etag') as string;
    const second = await server.call('PUT', path, { timeZone: 'America/Denver' }, { ...byTelephone, 'if-match': etag });
    expect(second.status).toBe(200);
  });
});

test.each([
  ['UTF-8', 'utf8'],
  ['Latin-1', 'latin1'],
] as const)('a reason is recorded as it was written, in %s', async (_, encoding) => {
  const customerId = await register();
  const reason = 'größer bestellt, für Zoë';
  // fetch expects one character for each byte.
  const header = Buffer.from(reason, encoding).toString('latin1');
  const { body } = await server.call('POST', '/api/orders', anOrder(customerId), { 'leadger-reason': header });
  const { body: order } = await server.call('GET', `/api/orders/${body.orderId}/history`);
  expect(order.events[0]).toMatchObject({ type: 'OrderPlaced', reason });
});

describe('the catalogue and the policy', () => {
  test('a new store has a lead type of each kind, prices, and a policy', async () => {
    const [stores, leadTypes, prices, policy] = await Promise.all(
      ['/api/stores', '/api/lead-types', '/api/prices?storeId=main', '/api/policy'].map((path) =>
        server.call('GET', path),
      ),
    );
    expect(stores?.body).toEqual({ items: [expect.objectContaining({ storeId: 'main' })] });
    expect(leadTypes?.body.items).toHaveLength(6);
    expect(prices?.body.items).toHaveLength(6);
    expect(policy?.body).toMatchObject({ version: 1, policy: { returnWindowDays: 5 } });
  });

  test('an order keeps the price that was valid when it was placed', async () => {
    const customerId = await register();
    const tomorrow = addDays(server.clock.now(), 1);
    const price = {
      storeId: 'main',
      leadTypeId: 'exclusive-real-time',
      currency: 'USD',
      smallestOrder: 1,
      largestOrder: 50,
    };
    await server.call('POST', '/api/prices', {
      ...price,
      pricePerLeadCents: 700,
      effectiveFrom: tomorrow,
    });
    const before = await server.call('POST', '/api/orders', anOrder(customerId));
    await server.clock.moveTo(tomorrow);
    const after = await server.call('POST', '/api/orders', anOrder(customerId));
    const totals = await Promise.all(
      [before, after].map(
        async ({ body }) => (await server.call('GET', `/api/orders/${body.orderId}/history`)).body.events[0],
      ),
    );
    expect(totals.map(({ data }) => data.totalCents)).toEqual([3000, 2100]);
  });

  test('a policy published for later takes effect then', async () => {
    const tomorrow = addDays(server.clock.now(), 1);
    const { body: current } = await server.call('GET', '/api/policy');
    const policy = { ...current.policy, returnWindowDays: 9 };
    const body = { policy, effectiveFrom: tomorrow };
    const published = await server.call('POST', '/api/policy/versions', body, { 'if-match': '"0"' });
    expect(published.status).toBe(201);
    expect((await server.call('GET', '/api/policy')).body.version).toBe(1);
    await server.clock.moveTo(tomorrow);
    expect((await server.call('GET', '/api/policy')).body).toMatchObject({ version: 2, policy });
    expect((await server.call('GET', '/api/policy/versions')).body.items).toHaveLength(2);
  });
});
