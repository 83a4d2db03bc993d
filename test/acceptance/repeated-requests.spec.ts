import fc from 'fast-check';
import { checkLaws } from '#audit/laws/laws';
import { couponIdOf } from '#domain/coupons/coupon';
import { addSeconds } from '#domain/kernel/instants';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/** Requests that are repeated with their keys and bodies, while what they are decided on changes between. */

let shop: Shop;
let events: EventStore;
beforeAll(async () => {
  shop = await openShop();
  events = shop.server.application.get<EventStore>(EVENT_STORE);
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the page went down' };

type Step = () => Promise<unknown>;

let worlds = 0;
let keys = 0;
/** A shop with two customers, a checkout, two codes and an order, and all that may be done, again and again. */
async function world(): Promise<readonly Step[]> {
  worlds += 1;
  const [later, amount] = [`LATER-${worlds}`, `AMOUNT-${worlds}`];
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const [one, other] = [await shop.customer(), await shop.customer()];
  const define = (couponCode: string, details: object) =>
    shop.ask('POST', '/api/coupons', { couponCode, storeIds: ['main'], ...details });
  await define(later, { discount: { percent: 15 }, validFrom: addSeconds(shop.now(), 6 * 3600) });
  await define(amount, { discount: { amountCents: 10, currency: 'USD' }, totalLimit: 1 });
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', { customerId: one, leadTypeId, quantity: 10 });
  const orderId = await shop.order(other, { leadTypeId });

  const repeated = (method: string, path: string, body: object = {}, headers = {}): Step => {
    keys += 1;
    const key = { 'idempotency-key': `repeated-${keys}` };
    return async () => {
      const { status } = await shop.try(method, path, body, { ...key, ...headers });
      expect([200, 201, 409]).toContain(status);
    };
  };
  const order = (customerId: string, couponCode: string, paymentToken = 'tok_ok') =>
    repeated('POST', '/api/orders', { customerId, leadTypeId, quantity: 10, paymentToken, couponCode });
  const alternative = (insteadOf: string, couponCode: string) =>
    repeated('POST', '/api/coupons/alternatives', { customerId: one, insteadOf, couponCode }, support);
  const price = (currency: string): Step => {
    const limits = { smallestOrder: 1, largestOrder: 1000 };
    return () =>
      shop.try('POST', '/api/prices', { storeId: 'main', leadTypeId, pricePerLeadCents: 100, currency, ...limits });
  };
  const switched = (code: string): readonly Step[] =>
    ['retire', 'reopen'].map((what) => () => shop.try('POST', `/api/coupons/${couponIdOf(code)}/${what}`, {}, support));
  return [
    ...[one, other].flatMap((customer) => [later, amount].map((code) => order(customer, code))),
    order(one, later, 'tok_declined'),
    ...[later, amount].map((couponCode) => repeated('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode })),
    repeated('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' }),
    ...[`${later}/2`, `${later}/3`, `${amount}/2`].map((code) => alternative(code.slice(0, -2), code)),
    alternative(`${later}/2`, `${later}/4`),
    ...['pause', 'restart', 'cancel'].map((what) => repeated('POST', `/api/orders/${orderId}/${what}`)),
    repeated('POST', `/api/orders/${orderId}/refunds`, { amountCents: 100 }, support),
    ...switched(later),
    ...switched(amount),
    price('USD'),
    price('CAD'),
    () => shop.wait({ hours: 3 }),
    () => shop.wait({ seconds: 90 }),
  ];
}

async function twiceInTheLog(): Promise<readonly string[]> {
  const seen = new Set<string>();
  const twice: string[] = [];
  for await (const { id, stream, revision } of events.readAll()) {
    if (seen.has(id)) twice.push(`${stream}@${revision}`);
    seen.add(id);
  }
  return twice;
}

test('CPN-3: whatever is repeated with its key after the state has changed, each event has an id of its own, and all laws hold', async () => {
  const steps = fc.array(fc.nat(999), { minLength: 40, maxLength: 60 });
  const holds = fc.asyncProperty(steps, async (chosen) => {
    const possible = await world();
    for (const number of chosen) await (possible[number % possible.length] as Step)();
    expect(await twiceInTheLog()).toEqual([]);
    const { laws } = await checkLaws(events, { hashOf: hashOfEvent });
    expect(Object.entries(laws).filter(([, count]) => count > 0)).toEqual([]);
  });
  await fc.assert(holds, { numRuns: 5, endOnFailure: true });
}, 300_000);

test('CPN-2: three rounds of all requests, with all changes between, store no id twice', async () => {
  const possible = await world();
  for (let round = 0; round < 3; round += 1) for (const step of possible) await step();
  expect(await twiceInTheLog()).toEqual([]);
}, 120_000);
