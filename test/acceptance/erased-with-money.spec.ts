import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { waitUntil } from '#test/wait-until';
import { openShop, type Shop } from './shop.ts';

/* Customers are erased while money of theirs is under way: whatever became of their orders, staff can end each of them. */

const sandbox = sandboxPayments();
/** The provider makes charges, and its answers do not arrive. */
let isSilent = false;
const payments: PaymentGateway = {
  ...sandbox,
  async capture(charge, key) {
    if (isSilent) throw new Error('no answer');
    return sandbox.capture(charge, key);
  },
};

let directory: string;
let shop: Shop;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'leadger-erased-money-'));
  shop = await openShop({ directory, payments });
});
afterAll(async () => {
  await shop.stop();
  await rm(directory, { recursive: true });
});

/** The program stands still so long that no charge is made by itself any more. */
async function standStill(): Promise<void> {
  const start = new Date(Date.parse(shop.now()) + 30 * 3_600_000).toISOString();
  await shop.stop();
  shop = await openShop({ directory, payments, start });
  await shop.server.settle();
  await waitUntil(async () => (await shop.try('GET', '/api/programmes')).status === 200);
}

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const say = (what: string) => async (orderId: string) => {
  await shop.ask('POST', `/api/${what.replace('ID', orderId)}`, undefined, 200, support);
};
const hold = say('programmes/ID/hold');
const leave = say('programmes/ID/cancel');
const cancel = say('orders/ID/cancel');
const release = say('programmes/ID/missed-renewal/release');
const erase = async (orderId: string) => {
  const { customerId } = await shop.read(`/api/orders/${orderId}`);
  await shop.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, support);
};

type Deed = (orderId: string) => Promise<void>;
interface Story {
  readonly of: 'order' | 'renewal';
  /** After the charge was begun, before and after the stand-still. */
  readonly before?: readonly Deed[];
  readonly after?: readonly Deed[];
}

const stories: Readonly<Record<string, Story>> = {
  'an order': { of: 'order' },
  'an order that was erased before the stand-still': { of: 'order', before: [erase] },
  'a cancelled order': { of: 'order', before: [cancel] },
  'an order that was cancelled after the stand-still': { of: 'order', after: [cancel] },
  'a cancelled order that was erased before the stand-still': { of: 'order', before: [cancel, erase] },
  'a missed renewal': { of: 'renewal' },
  'a renewal that was erased before the stand-still': { of: 'renewal', before: [erase] },
  'a missed renewal of a programme that was held before': { of: 'renewal', before: [hold] },
  'a missed renewal of a programme that was held since': { of: 'renewal', after: [hold] },
  'a missed renewal of a programme that was cancelled before': { of: 'renewal', before: [leave] },
  'a missed renewal of a programme that was cancelled since': { of: 'renewal', after: [leave] },
  'a missed renewal of an order that was cancelled before': { of: 'renewal', before: [cancel] },
  'a missed renewal of an order that was cancelled since': { of: 'renewal', after: [cancel] },
  'a released renewal': { of: 'renewal', after: [release] },
  'a released renewal of a programme that was cancelled since': { of: 'renewal', after: [release, leave] },
};

test('CHK-6: money that was under way when its customer was erased is unknown, and goes back once staff find it', async () => {
  const orders = new Map<string, string>();
  const of = (kind: Story['of']) => Object.entries(stories).filter(([, story]) => story.of === kind);
  for (const [name] of of('renewal'))
    orders.set(name, await shop.order(await shop.customer(), { loyalty: { cadence: 'weekly' } }));
  await shop.wait({ days: 6.9 });
  isSilent = true;
  await shop.wait({ days: 0.1 });
  for (const [name] of of('order')) orders.set(name, await shop.order(await shop.customer()));
  const inAll = async (when: 'before' | 'after') => {
    for (const [name, story] of Object.entries(stories))
      for (const deed of story[when] ?? []) await deed(orders.get(name) as string);
  };
  await inAll('before');
  await standStill();
  await inAll('after');
  for (const orderId of orders.values()) await erase(orderId);
  await shop.wait({ hours: 1 });
  isSilent = false;

  const { items } = await shop.read('/api/attention?reason=payment-unknown&limit=100');
  const unknown = new Set(items.map(({ orderId }: { orderId: string }) => orderId));
  expect([...orders].filter(([, orderId]) => !unknown.has(orderId)).map(([name]) => name)).toEqual([]);
  expect((await shop.read('/api/attention?reason=renewal-missed')).items).toEqual([]);
  for (const [name, orderId] of orders) {
    const found = { result: 'captured', reference: `sandbox_${orderId}` };
    const reply = await shop.try('POST', `/api/orders/${orderId}/unknown-payment/resolve`, found, support);
    expect([name, reply.status, reply.text]).toEqual([name, 200, expect.anything()]);
    await shop.server.settle();
    const refunds = (await shop.read(`/api/refunds?orderId=${orderId}`)).items;
    expect([name, refunds]).toMatchObject([name, [{ paymentReference: `sandbox_${orderId}`, status: 'made' }]]);
  }
  expect(await shop.brokenLaws()).toEqual([]);
}, 120_000);
