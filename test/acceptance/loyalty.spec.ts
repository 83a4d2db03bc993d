import { addDays, addSeconds } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.ask('POST', '/api/lead-types', {
    leadTypeId: 'shared-club',
    name: 'Shared leads that qualify',
    exclusivity: 'shared',
    freshness: 'fresh',
    usualDelivery: 'one business day',
    qualifiesForLoyaltyRewards: true,
  });
  const limits = { smallestOrder: 1, largestOrder: 1000 };
  const price = { storeId: 'main', leadTypeId: 'shared-club', pricePerLeadCents: 250, currency: 'USD', ...limits };
  await shop.ask('POST', '/api/prices', price);
});
afterAll(() => shop.stop());

const EXCLUSIVE = 'exclusive-fresh';
const SHARED = 'shared-club';

const joined: string[] = [];
/** By default an order of 10 leads that joins with a weekly cadence. @returns its id */
const join = async ({ cadence = 'weekly', ...details }: Record<string, unknown> = {}): Promise<string> => {
  const order = { leadTypeId: SHARED, quantity: 10, loyalty: { cadence }, ...details };
  const orderId = await shop.order(await shop.customer(), order);
  joined.push(orderId);
  return orderId;
};
/** Orders and programmes of one test must not take leads or be renewed in the next test. */
afterEach(async () => {
  for (const orderId of joined.splice(0)) {
    await shop.try('POST', `/api/programmes/${orderId}/cancel`);
    await shop.try('POST', `/api/orders/${orderId}/cancel`);
  }
});

const programme = (orderId: string) => shop.read(`/api/programmes/${orderId}`);
const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const ask = (orderId: string, what: 'pause' | 'restart' | 'cancel') =>
  shop.ask('POST', `/api/orders/${orderId}/${what}`);
const act = (orderId: string, what: 'hold' | 'activate' | 'cancel') =>
  shop.ask('POST', `/api/programmes/${orderId}/${what}`);
const useCard = (orderId: string, paymentToken: string) =>
  shop.ask('PUT', `/api/orders/${orderId}/payment-card`, { paymentToken }, 200, { 'leadger-reason': 'by telephone' });
const leads = async (count: number, leadTypeId: string) => {
  for (let number = 0; number < count; number += 1) await shop.lead(leadTypeId);
};

const reopenings = async (orderId: string) =>
  (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'OrderReopened');
const reopenedAt = async (orderId: string) => (await reopenings(orderId)).map(({ at }) => at);
const bonuses = async (orderId: string) =>
  (await reopenings(orderId)).map(({ data }) => [data.renewalNumber, data.bonusPercent, data.bonusLeads, data.rule]);
/** The events of the programme as `[type, at]`, without the first one. */
const story = async (orderId: string) =>
  (await shop.history(`/api/programmes/${orderId}`)).slice(1).map(({ type, at }) => [type, at]);
const waitUntil = (instant: string) => shop.wait({ seconds: (Date.parse(instant) - Date.parse(shop.now())) / 1000 });

describe('joining', () => {
  test('CAT-4: exclusive types qualify, shared types only when they are marked as qualifying', async () => {
    await join({ leadTypeId: EXCLUSIVE });
    await join({ leadTypeId: SHARED });
    const shared = { customerId: await shop.customer(), leadTypeId: 'shared-fresh', quantity: 10 };
    const refused = await shop.try('POST', '/api/orders', {
      ...shared,
      paymentToken: 'tok_ok',
      loyalty: { cadence: 'weekly' },
    });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'not-in-loyalty-rewards', rule: 'CAT-4', errors: [{ field: 'loyalty' }] },
    });
  });

  test('LOY-1: a cadence that is not in the policy is refused, and the refusal lists the possible ones', async () => {
    const unknown = { customerId: await shop.customer(), leadTypeId: SHARED, quantity: 10, paymentToken: 'tok_ok' };
    const { status, body } = await shop.try('POST', '/api/orders', { ...unknown, loyalty: { cadence: 'daily' } });
    expect({ status, body }).toMatchObject({
      status: 409,
      body: { code: 'unknown-cadence', rule: 'LOY-1', errors: [{ field: 'loyalty.cadence' }] },
    });
    expect(body.detail).toBe('the cadences are: weekly, every-other-week, once-a-month');
  });

  test.each([
    ['weekly', 7],
    ['every-other-week', 14],
    ['once-a-month', 30],
  ])('LOY-1: %s is every %d times 24 hours from the instant of the first order', async (cadence, days) => {
    await shop.wait({ seconds: 1.234 });
    const placedAt = shop.now();
    const orderId = await join({ cadence });
    expect((await programme(orderId)).nextDueAt).toBe(addDays(placedAt, days));
    await waitUntil(addSeconds(addDays(placedAt, 2 * days), -0.001));
    expect(await reopenedAt(orderId)).toEqual([addDays(placedAt, days)]);
    await shop.wait({ seconds: 0.001 });
    expect(await reopenedAt(orderId)).toEqual([addDays(placedAt, days), addDays(placedAt, 2 * days)]);
  });

  test('LOY-6: an order whose payment fails ends its programme, and so does one that is cancelled', async () => {
    const unpaid = await join({ paymentToken: 'tok_declined_expired_card' });
    const cancelled = await join();
    await ask(cancelled, 'cancel');
    await shop.wait({ days: 15 });
    expect(await programme(unpaid)).toMatchObject({ status: 'cancelled', statusCause: 'payment-failed', renewals: [] });
    expect(await programme(cancelled)).toMatchObject({ status: 'cancelled', statusCause: 'order-cancelled' });
    expect(await story(cancelled)).toHaveLength(1);
  });
});

describe('renewals', () => {
  test('LOY-2: a renewal re-opens the filled order with the quantity, the daily maximum and the price of the first order', async () => {
    const orderId = await join({ leadTypeId: 'exclusive-real-time', quantity: 2, dailyMaximum: { leads: 3 } });
    await leads(3, 'exclusive-real-time');
    expect(await order(orderId)).toMatchObject({ status: 'filled', deliveredLeads: 3, orderedLeads: 3, owedLeads: 0 });
    const price = { storeId: 'main', leadTypeId: 'exclusive-real-time', pricePerLeadCents: 5000, currency: 'USD' };
    await shop.ask('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 1000 });
    await shop.wait({ days: 7 });
    const renewal = { renewalNumber: 1, quantity: 2, totalCents: 2000, currency: 'USD', policyVersion: 1 };
    expect(await reopenings(orderId)).toMatchObject([{ data: renewal }]);
    expect(await order(orderId)).toMatchObject({ status: 'open', closedAt: null, owedLeads: 3, renewals: 1 });
    await leads(4, 'exclusive-real-time');
    expect(await order(orderId)).toMatchObject({ status: 'filled', deliveredLeads: 6, dailyMaximum: 3 });
  });

  test('LOY-3: orders of shared leads get 10, 10, 20, then 30 % bonus leads', async () => {
    const orderId = await join();
    expect(await order(orderId)).toMatchObject({ quantity: 10, bonusLeads: 1 });
    await shop.wait({ days: 28 });
    expect(await bonuses(orderId)).toEqual([
      [1, 10, 1, 'ladder'],
      [2, 20, 2, 'ladder'],
      [3, 30, 3, 'ladder'],
      [4, 30, 3, 'ladder'],
    ]);
  });

  test('LOY-3: an order of one exclusive lead gets one bonus lead: fractions round up', async () => {
    const orderId = await join({ leadTypeId: EXCLUSIVE, quantity: 1 });
    expect(await order(orderId)).toMatchObject({ quantity: 1, bonusLeads: 1, orderedLeads: 2, totalCents: 600 });
    await shop.wait({ days: 21 });
    expect(await bonuses(orderId)).toEqual([1, 2, 3].map((renewal) => [renewal, 10, 1, 'exclusive']));
  });

  test('LOY-9: a renewal that falls due while leads are owed adds to what is owed', async () => {
    const orderId = await join({ leadTypeId: EXCLUSIVE, quantity: 3 });
    await leads(1, EXCLUSIVE);
    await shop.wait({ days: 7 });
    expect(await order(orderId)).toMatchObject({ status: 'open', deliveredLeads: 1, orderedLeads: 8, owedLeads: 7 });
    await leads(7, EXCLUSIVE);
    expect(await order(orderId)).toMatchObject({ status: 'filled', deliveredLeads: 8 });
  });

  test('LOY-9: a renewal that falls due while the order is paused adds to what is owed, and the order stays paused', async () => {
    const orderId = await join({ leadTypeId: EXCLUSIVE, quantity: 1 });
    await shop.wait({ days: 5 });
    await ask(orderId, 'pause');
    await shop.wait({ days: 2 });
    await leads(1, EXCLUSIVE);
    expect(await order(orderId)).toMatchObject({ status: 'paused', renewals: 1, orderedLeads: 4, deliveredLeads: 0 });
    await ask(orderId, 'restart');
    await leads(3, EXCLUSIVE);
    expect(await order(orderId)).toMatchObject({ status: 'filled', deliveredLeads: 4 });
  });

  test('LOY-7: a renewal is announced three days before, so that the customer can still put the programme on hold', async () => {
    const placedAt = shop.now();
    const orderId = await join();
    await waitUntil(addSeconds(addDays(placedAt, 4), -1));
    expect(await story(orderId)).toEqual([]);
    await shop.wait({ seconds: 1 });
    expect(await story(orderId)).toEqual([['RenewalAnnounced', addDays(placedAt, 4)]]);
    expect((await programme(orderId)).renewals).toMatchObject([
      { renewalNumber: 1, announcedAt: addDays(placedAt, 4), dueAt: addDays(placedAt, 7), paidAt: null },
    ]);
    await act(orderId, 'hold');
    await shop.wait({ days: 30 });
    expect(await reopenings(orderId)).toEqual([]);
    expect(await story(orderId)).toHaveLength(2);
  });

  test('LOY-8: a declined renewal re-opens nothing, is tried again after 24 and 72 hours, and then puts the programme on hold', async () => {
    const placedAt = shop.now();
    const orderId = await join();
    await useCard(orderId, 'tok_declined_insufficient_funds');
    await shop.wait({ days: 7 });
    expect((await programme(orderId)).renewals).toMatchObject([
      { attempts: 1, declineReason: 'insufficient-funds', retryAt: addDays(placedAt, 8), paidAt: null },
    ]);
    await shop.wait({ days: 30 });
    expect((await story(orderId)).slice(1)).toEqual([
      ['RenewalBegun', addDays(placedAt, 7)],
      ['RenewalDeclined', addDays(placedAt, 7)],
      ['RenewalBegun', addDays(placedAt, 8)],
      ['RenewalDeclined', addDays(placedAt, 8)],
      ['RenewalBegun', addDays(placedAt, 11)],
      ['RenewalDeclined', addDays(placedAt, 11)],
      ['ProgrammeHeld', addDays(placedAt, 11)],
    ]);
    expect(await reopenings(orderId)).toEqual([]);
    expect(await programme(orderId)).toMatchObject({ status: 'held', statusCause: 'declined-payment' });

    await useCard(orderId, 'tok_ok');
    await act(orderId, 'activate');
    expect(await reopenedAt(orderId)).toEqual([addDays(placedAt, 37)]);
    expect((await programme(orderId)).nextDueAt).toBe(addDays(placedAt, 44));
  });

  test('LOY-8: after a successful retry the next date counts from the due date, not from the retry', async () => {
    const placedAt = shop.now();
    const orderId = await join();
    await useCard(orderId, 'tok_declined_expired_card');
    await shop.wait({ days: 7 });
    await useCard(orderId, 'tok_ok');
    await shop.wait({ days: 7 });
    expect(await reopenedAt(orderId)).toEqual([addDays(placedAt, 8), addDays(placedAt, 14)]);
  });
});

describe('pauses and the bonus ladder', () => {
  const pauseAndRestart = async (orderId: string) => {
    await ask(orderId, 'pause');
    await ask(orderId, 'restart');
  };

  test('LOY-4: after one pause the bonus ladder continues; after a second pause, even a year later, the bonus stays at the standard 10 %', async () => {
    const orderId = await join({ cadence: 'once-a-month' });
    await pauseAndRestart(orderId);
    expect(await programme(orderId)).toMatchObject({ pausesUsed: 1, pausesThatKeepTheLadder: 1, nextBonusPercent: 10 });
    await shop.wait({ days: 365 });
    expect((await bonuses(orderId)).at(-1)).toEqual([12, 30, 3, 'ladder']);
    await pauseAndRestart(orderId);
    expect(await programme(orderId)).toMatchObject({
      pausesUsed: 2,
      nextRenewalNumber: 13,
      nextBonusPercent: 10,
      nextBonusLeads: 1,
      nextBonusRule: 'ladder-lost',
      nextBonusReason: expect.stringContaining('2 times'),
    });
    await shop.wait({ days: 60 });
    expect((await bonuses(orderId)).slice(12)).toEqual([
      [13, 10, 1, 'ladder-lost'],
      [14, 10, 1, 'ladder-lost'],
    ]);
  });

  test('LOY-4: orders of exclusive leads keep their 10 % bonus after any number of pauses', async () => {
    const orderId = await join({ leadTypeId: EXCLUSIVE });
    for (let pause = 0; pause < 3; pause += 1) await pauseAndRestart(orderId);
    await shop.wait({ days: 7 });
    expect(await bonuses(orderId)).toEqual([[1, 10, 1, 'exclusive']]);
  });
});

describe('holding, activating, cancelling', () => {
  test('LOY-5: a programme activated before its date re-opens the order on the date; a hold is not a pause', async () => {
    const placedAt = shop.now();
    const orderId = await join();
    await shop.wait({ days: 1 });
    await act(orderId, 'hold');
    await shop.wait({ days: 2 });
    await act(orderId, 'activate');
    expect(await programme(orderId)).toMatchObject({ nextDueAt: addDays(placedAt, 7), pausesUsed: 0 });
    await shop.wait({ days: 11 });
    expect(await reopenedAt(orderId)).toEqual([addDays(placedAt, 7), addDays(placedAt, 14)]);
  });

  test('LOY-5: a programme activated after its date re-opens the order at once, only once, and later dates count from then', async () => {
    const placedAt = shop.now();
    const orderId = await join();
    await act(orderId, 'hold');
    await shop.wait({ days: 24 });
    expect(await reopenings(orderId)).toEqual([]);
    expect(await programme(orderId)).toMatchObject({ status: 'held', nextDueAt: addDays(placedAt, 7) });
    await act(orderId, 'activate');
    await shop.wait({ days: 13 });
    expect(await reopenedAt(orderId)).toEqual([addDays(placedAt, 24), addDays(placedAt, 31)]);
  });

  test('LOY-6: a cancelled programme re-opens no order; an open order is still delivered', async () => {
    const orderId = await join({ leadTypeId: EXCLUSIVE, quantity: 2 });
    await act(orderId, 'cancel');
    await shop.wait({ days: 30 });
    await leads(3, EXCLUSIVE);
    expect(await order(orderId)).toMatchObject({ status: 'filled', renewals: 0, deliveredLeads: 3 });
    expect(await programme(orderId)).toMatchObject({ status: 'cancelled', statusCause: 'customer', nextDueAt: null });
    const { status, body } = await shop.try('POST', `/api/programmes/${orderId}/activate`);
    expect({ status, body }).toMatchObject({ status: 409, body: { code: 'programme-cancelled', rule: 'LOY-6' } });
  });

  test('BCK-3: the customer sees the next date, the next bonus with its reason, the pauses used and past renewals, and can hold, activate and cancel', async () => {
    const placedAt = shop.now();
    const orderId = await join({ cadence: 'every-other-week', quantity: 25 });
    await shop.wait({ days: 14 });
    expect(await programme(orderId)).toMatchObject({
      orderId,
      status: 'active',
      statusCause: null,
      cadence: 'every-other-week',
      cadenceDays: 14,
      quantity: 25,
      joinedAt: placedAt,
      nextDueAt: addDays(placedAt, 28),
      nextRenewalNumber: 2,
      nextBonusPercent: 20,
      nextBonusLeads: 5,
      nextBonusRule: 'ladder',
      nextBonusReason: 'step of the ladder for renewal 2; 0 of 1 pauses used that keep it (LOY-3)',
      pausesUsed: 0,
      renewals: [{ renewalNumber: 1, bonusPercent: 10, bonusLeads: 3, totalCents: 6250, reopenedAt: shop.now() }],
    });
    const { customerId } = await order(orderId);
    const { items } = await shop.read(`/api/programmes?customerId=${customerId}&status=active`);
    expect(items).toMatchObject([{ orderId, nextRenewalNumber: 2 }]);

    expect((await act(orderId, 'hold')).events).toEqual(['ProgrammeHeld']);
    expect((await act(orderId, 'hold')).events).toEqual([]);
    expect((await act(orderId, 'activate')).events).toEqual(['ProgrammeActivated']);
    expect((await act(orderId, 'cancel')).events).toEqual(['ProgrammeCancelled']);
    expect((await act(orderId, 'cancel')).events).toEqual([]);
    expect(await shop.try('POST', '/api/programmes/nobody/hold')).toMatchObject({
      status: 404,
      body: { code: 'programme-unknown' },
    });
  });
});

test('LOY-1: once a month means 30 days, also across a leap day, February and clock changes', async () => {
  await waitUntil('2032-01-30T12:00:00.000Z');
  const orderId = await join({ cadence: 'once-a-month' });
  await shop.wait({ days: 360 });
  const dates = await reopenedAt(orderId);
  expect(dates.slice(0, 3)).toEqual([
    '2032-02-29T12:00:00.000Z',
    '2032-03-30T12:00:00.000Z',
    '2032-04-29T12:00:00.000Z',
  ]);
  expect(dates.at(-1)).toBe('2033-01-24T12:00:00.000Z');
  expect(dates).toHaveLength(12);
  await shop.wait({ days: 60 });
  expect((await reopenedAt(orderId)).slice(12)).toEqual(['2033-02-23T12:00:00.000Z', '2033-03-25T12:00:00.000Z']);
});
