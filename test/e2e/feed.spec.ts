import { randomUUID } from 'node:crypto';
import { encode } from '#domain/codec';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

interface Told {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as any client does
  readonly data: any;
}

/** An open connection to the feed. */
async function follow(query = '', headers: Record<string, string> = {}, from = server) {
  const left = new AbortController();
  const answer = await fetch(`${from.url}/api/feed${query}`, { headers, signal: left.signal });
  const told = messages(answer);
  /** The next change. Positions without a change, which come in between, are skipped. */
  const anything = async (): Promise<Told> => {
    const { value, done } = await told.next();
    if (done) throw new Error('the feed is over');
    return value.event === 'here' ? anything() : value;
  };
  const change = async (): Promise<Told> => {
    const next = await anything();
    return next.event === 'change' ? next : change();
  };
  /** Closes the connection, as a network failure does. */
  const leave = async () => {
    left.abort();
    await told.next().catch(() => {});
  };
  return { answer, told, anything, change, leave };
}

async function* messages({ body }: Response): AsyncGenerator<Told, undefined> {
  let text = '';
  for await (const part of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += part;
    const whole = text.split('\n\n');
    text = whole.pop() as string;
    for (const one of whole) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(one)?.[1] ?? '';
      if (field('event')) yield { event: field('event'), id: field('id'), data: JSON.parse(field('data')) };
    }
  }
}

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
  const changes = [await feed.change(), await feed.change()];
  expect(changes.map(({ data }) => data)).toMatchObject([
    { type: 'OrderPlaced', kind: 'order', id: orderId, customerId, storeId: 'main' },
    { type: 'PaymentCaptured', id: orderId },
  ]);
  const { body } = await server.call('GET', `/api/orders/${orderId}?waitFor=${changes[1]?.id}`);
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
  const taken: Told[] = [];
  let after = (here as Told).id;
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

test.each(['', 'abc', '9999999999999999', '1', '0', '000000000000004', '00000000000000004'])(
  'a Last-Event-ID that is not an event of the feed is refused (%p)',
  async (id) => {
    const { status, body } = await server.call('GET', '/api/feed', undefined, { 'last-event-id': id });
    expect({ status, field: body.errors?.[0].field }).toEqual({ status: 400, field: 'last-event-id' });
  },
);

test('a position of two numbers is accepted only if the log is in EventStoreDB, which writes such positions', async () => {
  const expected = process.env.LEADGER_TEST_EVENTS === 'wire' ? 'event: here' : '"field":"last-event-id"';
  const headers = { 'last-event-id': '0000000000000000.0000000000000000' };
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

test('the number of feeds is limited; a closed feed makes room for another', async () => {
  const feeds = await Promise.all(Array.from({ length: 200 }, () => follow()));
  expect(await server.call('GET', '/api/feed')).toMatchObject({ status: 503, body: { code: 'too-many-feeds' } });
  await feeds[0]?.leave();
  let again = await follow();
  while (again.answer.status === 503) again = await follow();
  expect((await again.told.next()).value?.event).toBe('here');
  for (const feed of [...feeds, again]) await feed.leave();
});

test('a client that reconnects late receives all events since then, once and in order', async () => {
  const orderId = await order(await customer());
  const { position } = (await server.call('GET', '/health')).body.store;
  await record(orderId, 5_000);
  const slow = await follow('?kind=order', { 'last-event-id': position });
  const positions: number[] = [];
  while (positions.length < 5_000) positions.push(Number((await slow.change()).id));
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(new Set(positions).size).toBe(5_000);
  await slow.leave();
  expect(server.errors).toEqual([]);
});

test('an event that this version cannot read is sent to staff by its name, and every feed continues after it', async () => {
  const customerId = await customer();
  const orderId = await order(customerId);
  const own = await follow('?kind=order', { 'leadger-actor': `customer:${customerId}` });
  const staff = await follow('?kind=order&storeId=elsewhere');
  const store = server.application.get<EventStore>(EVENT_STORE);
  const bytes = new TextEncoder().encode('{}');
  const newer = { id: randomUUID(), type: 'OrderGiftWrapped', data: bytes, metadata: bytes };
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

test.each([
  ['data', 'null', '{}'],
  ['metadata', '{}', 'null'],
])('an event without %s is sent to staff as unreadable', async (_, data, metadata) => {
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

test('a feed that fails closes without an error text, and a client that reconnects with the last id receives the rest', async () => {
  const orderId = await order(await customer());
  const { position } = (await server.call('GET', '/health')).body.store;
  await record(orderId, 2);
  const store = server.application.get<EventStore>(EVENT_STORE);
  const { subscribe } = store;
  store.subscribe = async function* (options) {
    for await (const message of subscribe.call(store, options)) {
      yield message;
      if (message.kind === 'event') throw new Error('secret of /etc/leadger');
    }
  };
  server.errors.splice(0);
  const broken = await follow('?kind=order', { 'last-event-id': position });
  store.subscribe = subscribe;
  const told: Told[] = [];
  for await (const one of broken.told) told.push(one);
  const [changed, ...others] = told.filter(({ event }) => event !== 'here');
  expect([changed?.event, others]).toEqual(['change', []]);
  expect(server.errors.join()).toContain('secret of /etc/leadger');
  const again = await follow('?kind=order', { 'last-event-id': told.at(-1)?.id as string });
  const rest = await again.change();
  // Not the first change again.
  expect(rest.id > (changed?.id as string)).toBe(true);
  await again.leave();
});

test('a store that stops closes its feeds and does not wait for their readers', async () => {
  const other = await startServer();
  const feed = await follow('', {}, other);
  await feed.told.next();
  await other.stop();
  expect((await feed.told.next()).done).toBe(true);
});
