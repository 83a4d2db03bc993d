import { addDays } from '#domain/kernel/instants';
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

/** An order of 10 that joined with a weekly cadence, unless it is said otherwise. @returns its id */
const join = async ({ cadence = 'weekly', ...details }: Record<string, unknown> = {}): Promise<string> =>
  shop.order(await shop.customer(), { leadTypeId: SHARED, quantity: 10, loyalty: { cadence }, ...details });

const programme = (orderId: string) => shop.read(`/api/programmes/${orderId}`);
const act = (orderId: string, what: 'hold' | 'activate' | 'cancel') =>
  shop.ask('POST', `/api/programmes/${orderId}/${what}`);
const support = (orderId: string, what: string, body: object) =>
  shop.ask('POST', `/api/orders/${orderId}/${what}`, body, 200, { 'leadger-reason': 'asked by telephone' });

const happened = async (path: string, ...types: string[]) =>
  (await shop.history(path)).filter(({ type }) => types.includes(type));
const reopenings = (orderId: string) => happened(`/api/orders/${orderId}`, 'OrderReopened');
const inProgramme = async (orderId: string) =>
  (await shop.history(`/api/programmes/${orderId}`)).map(({ type }) => type);
const bonuses = async (orderId: string) =>
  (await reopenings(orderId)).map(({ data }) => [data.renewalNumber, data.bonusPercent, data.bonusLeads, data.rule]);

const pauseAndRestart = async (orderId: string) => {
  await shop.ask('POST', `/api/orders/${orderId}/pause`);
  await shop.ask('POST', `/api/orders/${orderId}/restart`);
};
/** Until an instant, to the millisecond. */
const waitUntil = async (instant: string) => {
  await shop.wait({ seconds: (Date.parse(instant) - Date.parse(shop.now())) / 1000 });
};

test('CAT-4: exclusive types qualify, shared ones when they are marked so', async () => {
  await join({ leadTypeId: EXCLUSIVE });
  await join({ leadTypeId: SHARED });
  const order = { customerId: await shop.customer(), leadTypeId: 'shared-fresh', quantity: 10, paymentToken: 'tok_ok' };
  const refused = await shop.try('POST', '/api/orders', { ...order, loyalty: { cadence: 'weekly' } });
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'not-in-loyalty-rewards', rule: 'CAT-4', errors: [{ field: 'loyalty' }] },
  });
});

test('LOY-1: a cadence that the policy does not know is refused, and the known ones are named', async () => {
  const order = { customerId: await shop.customer(), leadTypeId: SHARED, quantity: 10, paymentToken: 'tok_ok' };
  const { status, body } = await shop.try('POST', '/api/orders', { ...order, loyalty: { cadence: 'daily' } });
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
  await waitUntil(addDays(placedAt, 2 * days - 0.00001));
  expect(await reopenings(orderId)).toHaveLength(1);
  await waitUntil(addDays(placedAt, 2 * days));
  expect((await reopenings(orderId)).map(({ at }) => at)).toEqual([
    addDays(placedAt, days),
    addDays(placedAt, 2 * days),
  ]);
  await act(orderId, 'cancel');
});

test('LOY-3: shared leads come with 10, 10, 20, then 30 % bonus leads', async () => {
  const orderId = await join();
  expect((await happened(`/api/orders/${orderId}`, 'OrderPlaced'))[0]?.data).toMatchObject({ bonusLeads: 1 });
  await shop.wait({ days: 28 });
  expect(await bonuses(orderId)).toEqual([
    [1, 10, 1, 'ladder'],
    [2, 20, 2, 'ladder'],
    [3, 30, 3, 'ladder'],
    [4, 30, 3, 'ladder'],
  ]);
});
