import { randomUUID } from 'node:crypto';
import { encode } from '#domain/codec';
import type { EventStore } from '#event-store/port';
import { eventsAreElsewhere } from '#test/event-stores/event-stores';
import { EVENT_STORE } from '#wiring/tokens';
import { type FeedMessage, openFeed } from './feed-client.ts';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** An open connection to the feed. */
const follow = (query = '', headers: Record<string, string> = {}, from = server) => openFeed(from.url, query, headers);

let people = 0;
const customer = async (): Promise<string> => {
  people += 1;
  const registration = { storeId: 'main', businessAssociation: `Feeds ${people}`, timeZone: 'America/New_York' };
  return (await server.call('POST', '/api/customers', { ...registration, email: `f${people}@example.org` })).body
    .customerId;
};
const order = async (customerId: string): Promise<string> => {
  const wish = { customerId, leadTypeId: 'shared-aged', quantity: 5, paymentToken: 'tok_ok' };
  const { orderId: id } = (await server.call('POST', '/api/orders', wish)).body;
  await server.settle();
  return id;
};
/** Records this number of changes of an order at once. */
const record = async (orderId: string, count: number) => {
  const store = server.application.get<EventStore>(EVENT_STORE);
  const cause = { commandId: randomUUID(), correlationId: randomUUID(), actor: 'staff:ada' };
  const change = { type: 'DailyMaximumChanged', data: { at: server.clock.now(), dailyMaximum: 5 } } as const;
  const stream = `order-${orderId}`;
  for (let left = count; left > 0; left -= 1000) {
    const events = Array.from({ length: Math.min(left, 1000) }, () => ({
      id: randomUUID(),
      ...encode(stream, change, cause),
    }));
    await store.append(stream, events, 'any');
  }
};
const pauseAndRestart = async (orderId: string, times: number) => {
  for (let time = 0; time < times; time += 1)
    for (const act of ['pause', 'restart']) await server.call('POST', `/api/orders/${orderId}/${act}`);
};

test('an event names the change, the resource and the customer, without personal data; a read that waits for its id shows the change', async () => {
  const feed = await follow();
  expect(feed.answer.headers.get('content-type')).toMatch('text/event-stream');
  const customerId = await customer();
  const orderId = await order(customerId);
  const registered = await feed.change();
  expect(registered.data).toEqual({
    type: 'CustomerRegistered',
    at: server.clock.now(),
    kind: 'customer',
    id: customerId,
    customerId,
    storeId: 'main',
  });
  const changes = [await feed.change(), await feed.change(), await feed.change()];
  expect(changes.map(({ data }) => data)).toMatchObject([
    { type: 'AddressConfirmationRequested', kind: 'customer', id: customerId },
    { type: 'OrderPlaced', kind: 'order', id: orderId, customerId, storeId: 'main' },
    { type: 'PaymentCaptured', id: orderId },
  ]);
  const { body } = await server.call('GET', `/api/orders/${orderId}?waitFor=${changes.at(-1)?.id}`);
  expect(body.status).toBe('open');
  await feed.leave();
});

test('a feed that is disconnected continues after the last received event: nothing is lost or sent twice', async () => {
  const orderId = await order(await customer());
  const wanted = ['OrderPaused', 'OrderRestarted', 'OrderPaused', 'OrderRestarted', 'OrderPaused', 'OrderRestarted'];
  const first = await follow('?kind=order');
  const { value: here } = await first.told.next();
  expect(here).toMatchObject({ event: 'here' });
  await pauseAndRestart(orderId, 3);
  await first.leave();
  const taken: FeedMessage[] = [];
  let after = (here as FeedMessage).id;
  while (taken.length < wanted.length) {
    const feed = await follow('?kind=order', { 'last-event-id': after });
    const next = await feed.change();
    taken.push(next);
    after = next.id;
    await feed.leave();
  }
  expect(taken.map(({ data }) => data.type)).toEqual(wanted);
  expect(new Set(taken.map(({ id }) => id)).size).toBe(wanted.length);
  const rest = await follow('?kind=order', { 'last-event-id': after });
  await server.call('POST', `/api/orders/${orderId}/cancel`);
  expect((await rest.change()).data.type).toBe('OrderCancelled');
  await rest.leave();
});

test('a customer receives only its own changes; staff receive all, or filter by store, customer or kind', async () => {
  const [mine, others] = [await customer(), await customer()];
  const own = await follow('', { 'leadger-actor': `customer:${mine}` });
  const asked = await follow(`?customerId=${mine}`, { 'leadger-actor': `customer:${others}` });
  const nowhere = await follow('?storeId=elsewhere');
  const one = await follow(`?customerId=${mine}&storeId=main&kind=order`);
  await order(others);
  const orderId = await order(mine);
  for (const feed of [own, one])
    expect((await feed.change()).data).toMatchObject({ type: 'OrderPlaced', id: orderId, customerId: mine });
  await server.call('POST', `/api/orders/${orderId}/cancel`);
  // Checked when the others have all changes: these two feeds received only their position.
  for (const feed of [own, one]) while ((await feed.change()).data.type !== 'OrderCancelled');
  for (const feed of [asked, nowhere]) {
    const NOTHING = Symbol();
    let next = feed.told.next();
    expect((await next).value?.event).toBe('here');
    for (;;) {
      next = feed.told.next();
      const more = await Promise.race([next, new Promise<symbol>((resolve) => setImmediate(resolve, NOTHING))]);
      if (typeof more === 'symbol') break;
      // On a slow machine a heartbeat may have arrived meanwhile.
      expect(more.value?.event).toBe('here');
    }
    await feed.leave();
    await next.catch(() => {});
  }
  await own.leave();
  await one.leave();
});

test('deliveries of leads are sent with their order, and so are ratings, but no earlier steps', async () => {
  const customerId = await customer();
  const orderId = await order(customerId);
  const feed = await follow(`?customerId=${customerId}`);
  const lead = { leadTypeId: 'shared-aged', source: 'page', contact: { telephone: '+1 212 555 0188' } };
  const { leadId } = (await server.call('POST', '/api/leads', lead)).body;
  await server.settle();
  await server.call('PUT', `/api/customers/${customerId}/leads/${leadId}/rating`, { rating: 3 });
  expect((await feed.change()).data).toMatchObject({ type: 'LeadDelivered', kind: 'order', id: orderId, leadId });
  expect((await feed.change()).data).toMatchObject({ type: 'ContactRated', kind: 'contacts', id: customerId, leadId });
  await feed.leave();
});

const nothingThere = ['', 'abc', '9999999999999999', '1', '0', '000000000000004', '00000000000000004'];
/** The server's numbers have 63 bits: it fails at greater ones, or cuts them to 64. */
const tooLarge = [2n ** 63n, 2n ** 64n - 2n, 2n ** 64n, 2n ** 64n + 42n, 2n ** 65n].map(String);

test.each([...nothingThere, ...tooLarge, '0000000000000042.0000000000000042', '0000000000000042.0000000000000043'])(
  'a Last-Event-ID that is not an event of the feed is refused (%p)',
  async (id) => {
    const { status, body } = await server.call('GET', '/api/feed', undefined, { 'last-event-id': id });
    expect({ status, field: body.errors?.[0].field }).toEqual({ status: 400, field: 'last-event-id' });
  },
);

test.each(tooLarge)('a read that waits for a position that no store can have is refused (%s)', async (position) => {
  const { status, body } = await server.call('GET', `/api/orders?waitFor=${position}`);
  expect({ status, field: body.errors?.[0].field }).toEqual({ status: 400, field: 'waitFor' });
});

test('a position of two numbers is accepted only if the log is in EventStoreDB, which writes such positions', async () => {
  const expected = eventsAreElsewhere ? 'event: here' : '"field":"last-event-id"';
  const head = await server.application.get<EventStore>(EVENT_STORE).head();
  const headers = { 'last-event-id': `${head}.0000000000000000` };
  const { body } = await fetch(`${server.url}/api/feed`, { headers });
  let text = '';
  for await (const part of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes(expected)) break;
  }
  expect(text).toContain(expected);
});

test('an unknown kind is refused', async () => {
  const { status, body } = await server.call('GET', '/api/feed?kind=gossip');
  expect({ status, field: body.errors?.[0].field }).toEqual({ status: 400, field: 'kind' });
});

test('the number of feeds is a setting; a feed too many is asked to come back later, and a closed feed makes room for it', async () => {
  const small = await startServer({ mostFeeds: 3 });
  const feeds = await Promise.all(Array.from({ length: 3 }, () => follow('', {}, small)));
  const refused = await small.call('GET', '/api/feed');
  expect(refused).toMatchObject({ status: 503, body: { code: 'too-many-feeds' } });
  expect(refused.headers.get('retry-after')).toBe('5');
  await feeds[0]?.leave();
  let again = await follow('', {}, small);
  while (again.answer.status === 503) again = await follow('', {}, small);
  expect((await again.told.next()).value?.event).toBe('here');
  for (const feed of [...feeds, again]) await feed.leave();
  await small.stop();
});

test('a refused feed does not count: its Last-Event-ID was wrong', async () => {
  const small = await startServer({ mostFeeds: 1 });
  for (let time = 0; time < 3; time += 1)
    expect((await small.call('GET', '/api/feed', undefined, { 'last-event-id': '9999999999999999' })).status).toBe(400);
  const feed = await follow('', {}, small);
  expect(feed.answer.status).toBe(200);
  await feed.leave();
  await small.stop();
});

test('a feed whose client leaves before it begins makes room for another', async () => {
  const small = await startServer({ mostFeeds: 1 });
  const store = small.application.get<EventStore>(EVENT_STORE);
  const { head } = store;
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  store.head = async () => {
    asked.resolve();
    await held.promise;
    return head.call(store);
  };
  const left = new AbortController();
  const leaving = fetch(`${small.url}/api/feed`, { signal: left.signal }).catch(() => 'left');
  await asked.promise;
  left.abort();
  expect(await leaving).toBe('left');
  // The server has seen it, too: a later request is answered.
  await small.call('GET', '/api/lead-types?storeId=main');
  held.resolve();
  store.head = head;
  let again = await follow('', {}, small);
  while (again.answer.status === 503) again = await follow('', {}, small);
  expect((await again.told.next()).value?.event).toBe('here');
  await again.leave();
  await small.stop();
});

test('a client that reconnects late receives all events since then, once and in order', async () => {
  const orderId = await order(await customer());
  const position = await server.position();
  await record(orderId, 5_000);
  const slow = await follow('?kind=order', { 'last-event-id': position });
  const positions: number[] = [];
  while (positions.length < 5_000) positions.push(Number((await slow.change()).id));
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(new Set(positions).size).toBe(5_000);
  await slow.leave();
  expect(server.errors).toEqual([]);
});

/** Metadata as the ledger writes it. */
function ofLedger(): string {
  const commandId = randomUUID();
  return JSON.stringify({ commandId, correlationId: commandId, actor: 'staff:ada' });
}

test('an event that this version cannot read is sent to staff by its name, and every feed continues after it', async () => {
  const customerId = await customer();
  const orderId = await order(customerId);
  const own = await follow('?kind=order', { 'leadger-actor': `customer:${customerId}` });
  const staff = await follow('?kind=order&storeId=elsewhere');
  const store = server.application.get<EventStore>(EVENT_STORE);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const newer = { id: randomUUID(), type: 'OrderGiftWrapped', data: bytes('{}'), metadata: bytes(ofLedger()) };
  await store.append(`order-${orderId}`, [newer], 'any');
  await record(orderId, 1);
  expect((await own.change()).data.type).toBe('DailyMaximumChanged');
  expect(await staff.anything()).toMatchObject({
    event: 'unreadable',
    data: { stream: `order-${orderId}`, type: 'OrderGiftWrapped' },
  });
  await own.leave();
  await staff.leave();
});

// On a server, an event without the ledger's metadata was written by another program, and is not believed.
const withoutParts: [part: string, data: string, metadata: string][] = [['data', 'null', ofLedger()]];
if (!eventsAreElsewhere) withoutParts.push(['metadata', '{}', 'null']);

test.each(withoutParts)('an event without %s is sent to staff as unreadable', async (_, data, metadata) => {
  const orderId = await order(await customer());
  const staff = await follow('?kind=order');
  const store = server.application.get<EventStore>(EVENT_STORE);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const empty = { id: randomUUID(), type: 'OrderPaused', data: bytes(data), metadata: bytes(metadata) };
  await store.append(`order-${orderId}`, [empty], 'any');
  expect(await staff.anything()).toMatchObject({
    event: 'unreadable',
    data: { stream: `order-${orderId}`, type: 'OrderPaused' },
  });
  await staff.leave();
});

test('a contact book without a customer is sent to staff as unreadable', async () => {
  const staff = await follow('?kind=contacts');
  const store = server.application.get<EventStore>(EVENT_STORE);
  const cause = { commandId: randomUUID(), correlationId: randomUUID(), actor: 'staff:ada' };
  const rated = { type: 'ContactRated', data: { at: server.clock.now(), leadId: randomUUID(), rating: 3 } } as const;
  const stream = `contacts-${randomUUID()}`;
  await store.append(stream, [{ id: randomUUID(), ...encode(stream, rated, cause) }], 'any');
  expect(await staff.anything()).toMatchObject({ event: 'unreadable', data: { stream, type: 'ContactRated' } });
  await staff.leave();
});

test('feeds that fail close without an error text, which is logged once; clients that reconnect with the last id receive the rest', async () => {
  const failing = await startServer();
  const store = failing.application.get<EventStore>(EVENT_STORE);
  const { subscribe } = store;
  const recorded = Promise.withResolvers<void>();
  store.subscribe = async function* (options) {
    for await (const message of subscribe.call(store, options)) {
      yield message;
      // Processes and read models follow other events.
      if (message.kind !== 'event' || !options.filter?.streamPrefixes?.includes('customer-')) continue;
      await recorded.promise;
      throw new Error('secret of /etc/leadger');
    }
  };
  const broken = [await follow('?kind=customer', {}, failing), await follow('?kind=customer', {}, failing)];
  store.subscribe = subscribe;
  const names = ['first', 'second'];
  for (const name of names) {
    const registration = { storeId: 'main', businessAssociation: name, timeZone: 'America/New_York' };
    await failing.call('POST', '/api/customers', registration);
  }
  recorded.resolve();
  for (const feed of broken) {
    const told: FeedMessage[] = [];
    for await (const one of feed.told) told.push(one);
    const [changed, ...others] = told.filter(({ event }) => event !== 'here');
    expect([changed?.event, others]).toEqual(['change', []]);
    const again = await follow('?kind=customer', { 'last-event-id': told.at(-1)?.id as string }, failing);
    const rest = await again.change();
    // Not the first change again.
    expect(rest.id > (changed?.id as string)).toBe(true);
    await again.leave();
  }
  expect(failing.errors.filter((line) => line.includes('secret of /etc/leadger'))).toHaveLength(1);
  await failing.stop();
});

test('a client that asks for the headers alone gets them, and takes no room', async () => {
  const small = await startServer({ mostFeeds: 1 });
  for (let time = 0; time < 2; time += 1) {
    const { status, headers } = await fetch(`${small.url}/api/feed`, { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  }
  await small.stop();
});

test('a feed that is cut ends its answer', async () => {
  const ending = await startServer();
  const store = ending.application.get<EventStore>(EVENT_STORE);
  const { subscribe } = store;
  store.subscribe = async function* (options) {
    for await (const message of subscribe.call(store, options)) {
      yield message;
      if (message.kind === 'event' && options.filter?.streamPrefixes?.includes('customer-')) return;
    }
  };
  const feed = await follow('', {}, ending);
  store.subscribe = subscribe;
  const registration = { storeId: 'main', businessAssociation: 'Cut', timeZone: 'America/New_York' };
  await ending.call('POST', '/api/customers', registration);
  const told: string[] = [];
  for await (const { event } of feed.told) told.push(event);
  expect(told.at(-1)).toBe('change');
  await ending.stop();
});

test('a store that stops closes its feeds and does not wait for their readers', async () => {
  const other = await startServer();
  const feed = await follow('', {}, other);
  await feed.told.next();
  await other.stop();
  expect((await feed.told.next()).done).toBe(true);
});
