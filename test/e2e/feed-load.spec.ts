import { randomUUID } from 'node:crypto';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { type OpenFeed, openFeed } from './feed-client.ts';
import { type Server, startServer } from './server.ts';

/** One on the log for all, and in turn: four pages, four owners, one look at the end of the log. */
const MOST_CALLS = 10;
const FEEDS = 130;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** Counts the reads and subscriptions that are open on a store. Those that were opened before are not counted. */
function countCalls(store: EventStore) {
  let open = 0;
  let most = 0;
  const began = () => {
    open += 1;
    most = Math.max(most, open);
  };
  const ended = () => {
    open -= 1;
  };
  for (const name of ['readAll', 'readStream', 'subscribe'] as const) {
    const call = store[name].bind(store) as (...request: unknown[]) => AsyncIterable<unknown>;
    Object.assign(store, {
      async *[name](...request: unknown[]) {
        began();
        try {
          yield* call(...request);
        } finally {
          ended();
        }
      },
    });
  }
  const head = store.head.bind(store);
  store.head = async () => {
    began();
    return head().finally(ended);
  };
  return () => most;
}

async function orderOf(name: string): Promise<{ customerId: string; orderId: string }> {
  const registration = { storeId: 'main', businessAssociation: name, timeZone: 'America/New_York' };
  const { customerId } = (await server.call('POST', '/api/customers', registration)).body;
  const wish = { customerId, leadTypeId: 'shared-aged', quantity: 5, paymentToken: 'tok_ok' };
  const { orderId } = (await server.call('POST', '/api/orders', wish)).body;
  return { customerId, orderId };
}

const NUMBER_OF_ORDERS = 10;

test('130 feeds that connect while the log moves keep at most ten calls open, and each gets each of its changes once, in order', async () => {
  const orders = await Promise.all(Array.from({ length: NUMBER_OF_ORDERS }, () => orderOf(`Load ${randomUUID()}`)));
  await server.settle();
  const position = await server.position();
  const changeAll = async () => {
    for (const act of ['pause', 'restart'])
      for (const { orderId } of orders)
        expect((await server.call('POST', `/api/orders/${orderId}/${act}`)).status).toBe(200);
  };
  await changeAll();
  const mostCalls = countCalls(server.application.get<EventStore>(EVENT_STORE));
  const moving = changeAll();
  const feeds: OpenFeed[] = await Promise.all(
    Array.from({ length: FEEDS }, (_, number) => {
      const { customerId } = orders[number % NUMBER_OF_ORDERS] as { customerId: string };
      return openFeed(server.url, '?kind=order', {
        'leadger-actor': `customer:${customerId}`,
        'last-event-id': position,
      });
    }),
  );
  await moving;
  await changeAll();
  const expected = Array.from({ length: 3 }, () => ['OrderPaused', 'OrderRestarted']).flat();
  for (const [number, feed] of feeds.entries()) {
    const changes = [];
    while (changes.length < expected.length) changes.push((await feed.change()).data);
    expect(changes.map(({ type }) => type)).toEqual(expected);
    expect(new Set(changes.map(({ id }) => id))).toEqual(new Set([orders[number % NUMBER_OF_ORDERS]?.orderId]));
  }
  expect(mostCalls()).toBeLessThanOrEqual(MOST_CALLS);
  for (const feed of feeds) await feed.leave();
});
