import { addDays } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const FRESH = 'exclusive-fresh';
const REAL_TIME = 'exclusive-real-time';

const placed: string[] = [];
const place = async (details: Record<string, unknown> = {}): Promise<string> => {
  const orderId = await shop.order(await shop.customer(), details);
  placed.push(orderId);
  return orderId;
};
/** Orders of one test must not take the leads of the next test. */
afterEach(async () => {
  for (const orderId of placed.splice(0)) await shop.try('POST', `/api/orders/${orderId}/cancel`);
});

const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const ask = (orderId: string, what: 'pause' | 'restart' | 'cancel') =>
  shop.ask('POST', `/api/orders/${orderId}/${what}`);
const leads = async (count: number, leadTypeId = FRESH) => {
  for (let number = 0; number < count; number += 1) await shop.lead(leadTypeId);
};
const happened = async (orderId: string, ...types: string[]) =>
  (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => types.includes(type));
const support = (orderId: string, what: string, body: object, headers = {}) =>
  shop.try('PUT', `/api/orders/${orderId}/${what}`, body, { 'leadger-reason': 'asked by telephone', ...headers });

test('ORD-1: only an open order receives leads', async () => {
  const unpaid = await place({ paymentToken: 'tok_declined' });
  const [open, paused, cancelled] = [await place(), await place(), await place()];
  await ask(paused, 'pause');
  await ask(cancelled, 'cancel');
  await leads(3);
  const states = [];
  for (const orderId of [unpaid, open, paused, cancelled]) {
    const { status, deliveredLeads } = await order(orderId);
    states.push([status, deliveredLeads]);
  }
  expect(states).toEqual([
    ['payment-failed', 0],
    ['open', 3],
    ['paused', 0],
    ['cancelled', 0],
  ]);
});

test('ORD-2: a paused order receives nothing until it is restarted, and then receives the leads in stock', async () => {
  const orderId = await place();
  await ask(orderId, 'pause');
  expect((await ask(orderId, 'pause')).events).toEqual([]);
  await leads(2);
  expect(await order(orderId)).toMatchObject({ status: 'paused', pausedAt: shop.now(), deliveredLeads: 0 });
  await ask(orderId, 'restart');
  expect(await order(orderId)).toMatchObject({ status: 'open', pausedAt: null, deliveredLeads: 2 });
});

test('ORD-3: in Loyalty Rewards a pause ends automatically after exactly seven days', async () => {
  const orderId = await place({ loyalty: { cadence: 'once-a-month' } });
  const pausedAt = shop.now();
  await ask(orderId, 'pause');
  expect(await order(orderId)).toMatchObject({ status: 'paused', restartsAt: addDays(pausedAt, 7) });
  await shop.wait({ days: 7, seconds: -0.001 });
  expect((await order(orderId)).status).toBe('paused');
  await shop.wait({ seconds: 0.001 });
  expect(await order(orderId)).toMatchObject({ status: 'open', restartsAt: null });
  expect(await happened(orderId, 'OrderRestarted')).toMatchObject([
    { at: addDays(pausedAt, 7), data: { automatic: true } },
  ]);
});

test('ORD-3: a pause that the customer ends is over; the next pause has its own seven days', async () => {
  const orderId = await place({ loyalty: { cadence: 'once-a-month' } });
  await ask(orderId, 'pause');
  await shop.wait({ days: 5 });
  await ask(orderId, 'restart');
  await ask(orderId, 'pause');
  const pausedAgainAt = shop.now();
  await shop.wait({ days: 6 });
  expect((await order(orderId)).status).toBe('paused');
  await shop.wait({ days: 1 });
  expect((await happened(orderId, 'OrderRestarted')).map(({ at, data }) => [at, data.automatic])).toEqual([
    [pausedAgainAt, undefined],
    [addDays(pausedAgainAt, 7), true],
  ]);
});

test('ORD-3: outside Loyalty Rewards, or after its programme was cancelled, a paused order waits for the customer', async () => {
  const outside = await place();
  const left = await place({ loyalty: { cadence: 'weekly' } });
  const leaves = await place({ loyalty: { cadence: 'weekly' } });
  await shop.ask('POST', `/api/programmes/${left}/cancel`);
  for (const orderId of [outside, left, leaves]) await ask(orderId, 'pause');
  await shop.ask('POST', `/api/programmes/${leaves}/cancel`);
  await shop.wait({ days: 100 });
  for (const orderId of [outside, left, leaves])
    expect(await order(orderId)).toMatchObject({ status: 'paused', restartsAt: null });
});

test('ORD-3: a paused order is restarted even if its programme is on hold; a new policy applies to later pauses', async () => {
  const before = await place({ loyalty: { cadence: 'once-a-month' } });
  await shop.ask('POST', `/api/programmes/${before}/hold`);
  const pausedAt = shop.now();
  await ask(before, 'pause');
  const { policy } = await shop.ask('GET', '/api/policy');
  await shop.publish({ policy: { ...policy, restartPausedAfterDays: 2 } });
  const after = await place({ loyalty: { cadence: 'once-a-month' } });
  await ask(after, 'pause');
  await shop.wait({ days: 10 });
  expect((await happened(before, 'OrderRestarted'))[0]?.at).toBe(addDays(pausedAt, 7));
  expect((await happened(after, 'OrderRestarted'))[0]?.at).toBe(addDays(pausedAt, 2));
  await shop.publish({ policy });
});

test.each([
  [1, 10, 1],
  [3, 34, 2],
  [4, 25, 1],
  [5, 100, 5],
])(
  'CHK-2: an order of %d with a daily maximum of %d percent gets at most %d a day',
  async (quantity, percent, most) => {
    const orderId = await place({ leadTypeId: REAL_TIME, quantity, dailyMaximum: { percent } });
    expect((await order(orderId)).dailyMaximum).toBe(most);
  },
);

describe('changes by support', () => {
  test('ORD-4: only support changes the daily maximum and the payment card, and must give a reason', async () => {
    const orderId = await place({ leadTypeId: REAL_TIME, dailyMaximum: { leads: 2 } });
    const { customerId } = await order(orderId);
    const asCustomer = { 'leadger-actor': `customer:${customerId}` };
    for (const [what, body] of [
      ['daily-maximum', { dailyMaximum: { leads: 5 } }],
      ['payment-card', { paymentToken: 'tok_other' }],
    ] as const) {
      expect(await support(orderId, what, body, asCustomer)).toMatchObject({
        status: 403,
        body: { code: 'support-only', rule: 'ORD-4' },
      });
      expect(await shop.try('PUT', `/api/orders/${orderId}/${what}`, body)).toMatchObject({
        status: 400,
        body: { code: 'reason-missing', errors: [{ field: 'leadger-reason' }] },
      });
      expect((await support(orderId, what, body, { 'leadger-actor': 'staff:ada' })).status).toBe(200);
    }
    expect(await happened(orderId, 'DailyMaximumChanged', 'PaymentCardChanged')).toMatchObject([
      { data: { dailyMaximum: 5 }, actor: 'staff:ada', reason: 'asked by telephone' },
      { data: { paymentToken: { secret: true } }, actor: 'staff:ada', reason: 'asked by telephone' },
    ]);
    expect((await order(orderId)).dailyMaximum).toBe(5);
  });

  test('ORD-4: a raised maximum applies at once; one lowered below the day’s deliveries stops deliveries for that day', async () => {
    const orderId = await place({ leadTypeId: REAL_TIME, quantity: 20, dailyMaximum: { leads: 2 } });
    await leads(3, REAL_TIME);
    expect((await order(orderId)).deliveredLeads).toBe(2);
    await support(orderId, 'daily-maximum', { dailyMaximum: { percent: 20 } });
    expect(await order(orderId)).toMatchObject({ dailyMaximum: 4, deliveredLeads: 3 });
    await support(orderId, 'daily-maximum', { dailyMaximum: { leads: 1 } });
    await leads(1, REAL_TIME);
    expect((await order(orderId)).deliveredLeads).toBe(3);
    await shop.wait({ hours: 15 });
    expect((await order(orderId)).deliveredLeads).toBe(4);
    await leads(1, REAL_TIME);
    expect((await order(orderId)).deliveredLeads).toBe(4);
    const reached = await happened(orderId, 'DailyMaximumReached');
    expect(reached.map(({ data }) => data.deliveredLeads)).toEqual([2, 3, 1]);
  });

  test('ORD-4: the maximum of a batch order cannot be changed, nor the maximum or card of an order that has ended', async () => {
    const batch = await place();
    expect(await support(batch, 'daily-maximum', { dailyMaximum: { leads: 5 } })).toMatchObject({
      status: 409,
      body: { code: 'daily-maximum-on-batch-type', rule: 'CHK-3' },
    });
    const over = await place({ leadTypeId: REAL_TIME, dailyMaximum: { leads: 2 } });
    await ask(over, 'cancel');
    for (const [what, body] of [
      ['daily-maximum', { dailyMaximum: { leads: 5 } }],
      ['payment-card', { paymentToken: 'tok_other' }],
    ] as const)
      expect(await support(over, what, body)).toMatchObject({ status: 409, body: { code: 'order-cancelled' } });
    expect((await support('nobody', 'daily-maximum', { dailyMaximum: { leads: 5 } })).status).toBe(404);
    expect((await support(batch, 'daily-maximum', { dailyMaximum: { leads: 5, percent: 5 } })).status).toBe(400);
  });
});

test('ORD-5: an order can be cancelled at any time; it keeps the delivered leads, and the undelivered number is recorded', async () => {
  const orderId = await place({ quantity: 3, loyalty: { cadence: 'weekly' } });
  await leads(1);
  await shop.wait({ days: 7 });
  await ask(orderId, 'pause');
  await ask(orderId, 'cancel');
  expect((await happened(orderId, 'OrderCancelled'))[0]?.data).toMatchObject({ undeliveredLeads: 7 });
  await leads(1);
  const { status, deliveredLeads, customerId } = await order(orderId);
  expect({ status, deliveredLeads }).toEqual({ status: 'cancelled', deliveredLeads: 1 });
  expect((await shop.read(`/api/customers/${customerId}/leads`)).items).toHaveLength(1);
  const refused = await shop.try('POST', `/api/orders/${orderId}/restart`);
  expect(refused).toMatchObject({ status: 409, body: { code: 'order-cancelled' } });
});

test('ORD-6: an order is filled once ordered and bonus leads are delivered; a replacement does not count', async () => {
  const orderId = await place({ quantity: 1, leadTypeId: 'exclusive-aged', loyalty: { cadence: 'weekly' } });
  const leadId = await shop.lead('exclusive-aged');
  const bad = { orderId, leadId, reason: 'wrong number' };
  const { replacementId: id } = await shop.ask('POST', '/api/replacements', bad);
  await shop.ask('POST', `/api/replacements/${id}/grant`, undefined, 200, { 'leadger-reason': 'called' });
  await leads(1, 'exclusive-aged');
  expect(await order(orderId)).toMatchObject({ status: 'open', deliveredLeads: 1, replacementsDelivered: 1 });
  await leads(1, 'exclusive-aged');
  expect(await order(orderId)).toMatchObject({ status: 'filled', deliveredLeads: 2, closedAt: shop.now() });
  expect((await happened(orderId, 'OrderFilled')).map(({ data }) => data.deliveredLeads)).toEqual([2]);
});

test('ORD-7: the order shows the usual delivery time, the delivered and owed leads, and a forecast marked as an estimate', async () => {
  const orderId = await place({ leadTypeId: REAL_TIME, quantity: 4, dailyMaximum: { percent: 30 } });
  expect(await order(orderId)).toMatchObject({ expectedFilledAt: null, owedLeads: 4 });
  await leads(1, REAL_TIME);
  expect(await order(orderId)).toMatchObject({
    usualDelivery: 'at once',
    dailyMaximum: 2,
    deliveredLeads: 1,
    owedLeads: 3,
    expectedFilledAt: addDays(shop.now(), 3),
  });
});

test('BCK-2: a customer sees orders with progress, forecast and statement descriptor, and pauses, restarts and cancels them', async () => {
  const orderId = await place({ leadTypeId: 'shared-aged' });
  const { customerId } = await order(orderId);
  expect((await shop.read(`/api/orders?customerId=${customerId}`)).items).toMatchObject([
    { orderId, status: 'open', orderedLeads: 10, deliveredLeads: 0, statementDescriptor: 'LEADGER' },
  ]);
  await ask(orderId, 'pause');
  await ask(orderId, 'restart');
  await ask(orderId, 'cancel');
  expect((await shop.history(`/api/orders/${orderId}`)).map(({ type }) => type)).toEqual([
    'OrderPlaced',
    'PaymentCaptured',
    'OrderPaused',
    'OrderRestarted',
    'OrderCancelled',
  ]);
  expect((await order(orderId)).closedAt).toBe(shop.now());
});
