import { randomUUID } from 'node:crypto';
import type { EventStore } from '#event-store/port';
import { eventsAreElsewhere } from '#test/event-stores/event-stores';
import { waitUntil } from '#test/wait-until';
import { EVENT_STORE } from '#wiring/tokens';
import { type Server, START, startServer } from './server.ts';

let server: Server;
let customerId: string;
beforeAll(async () => {
  server = await startServer();
  customerId = (await server.call('POST', '/api/customers', aCustomer('ABC Vitamins'))).body.customerId;
});
afterAll(() => server.stop());
afterEach(() => {
  expect(server.errors.splice(0)).toEqual([]);
});

const aCustomer = (businessAssociation: string) => ({
  storeId: 'main',
  businessAssociation,
  timeZone: 'America/New_York',
});
const latest = () => server.position();
const placeOrder = async (of: string, changes: object = {}) => {
  const order = { customerId: of, leadTypeId: 'exclusive-real-time', quantity: 4, dailyMaximum: { leads: 2 } };
  const { body } = await server.call('POST', '/api/orders', { ...order, paymentToken: 'tok_ok', ...changes });
  await server.settle();
  return body.orderId as string;
};
const receive = async (contact: object, leadTypeId = 'exclusive-real-time') => {
  const { body } = await server.call('POST', '/api/leads', { leadTypeId, source: 'page', contact });
  await server.settle();
  return body.leadId as string;
};
const read = async (path: string) => {
  const reply = await server.call('GET', `${path}${path.includes('?') ? '&' : '?'}waitFor=${await latest()}`);
  expect(reply).toMatchObject({ status: 200 });
  return reply;
};

test('a read that waits for the position of a command shows its effect', async () => {
  const registered = await server.call('POST', '/api/customers', aCustomer('Seen at once'));
  const { position, customerId: id } = registered.body;
  expect(registered.headers.get('leadger-position')).toBe(position);
  const found = await server.call('GET', `/api/customers/${id}?waitFor=${position}`);
  expect(found).toMatchObject({ status: 200, body: { businessAssociation: 'Seen at once', registeredAt: START } });
  expect(found.headers.get('etag')).toMatch(/^"0-/);
});

test('a read that waits for a position at which the log has no event is refused', async () => {
  const positions = ['9999999999999999', '10000000000000000', '9223372036854775807.9000000000000000'];
  const replies = positions.map((position) => fetch(`${server.url}/api/stock?waitFor=${position}`));
  for (const reply of await Promise.all(replies)) {
    const { status } = reply;
    const { code } = (await reply.json()) as { code: string };
    expect({ status, code }).toEqual({ status: 400, code: 'no-such-position' });
  }
});

test('a position may be of two numbers, as EventStoreDB has them', async () => {
  expect((await server.call('GET', '/api/stock?waitFor=0000000000000001.0000000000000000')).status).toBe(200);
});

test('an order shows its progress, its usual delivery time and a forecast', async () => {
  const orderId = await placeOrder(customerId);
  await receive({ telephone: '+1 212 555 0101', firstName: 'Ada' });
  await receive({ telephone: '+1 212 555 0102' });
  const { body, headers } = await read(`/api/orders/${orderId}`);
  expect(body).toMatchObject({
    orderId,
    status: 'open',
    quantity: 4,
    totalCents: 4000,
    currency: 'USD',
    statementDescriptor: 'LEADGER',
    deliveredLeads: 2,
    owedLeads: 2,
    maximumReachedOn: '2026-03-02',
    usualDelivery: 'at once',
    expectedFilledAt: '2026-03-03T15:00:00.000Z',
  });
  expect(body.paymentToken).toBeUndefined();
  expect(headers.get('etag')).toMatch(new RegExp(`^"${body.revision}-`));

  const paused = await server.call('POST', `/api/orders/${orderId}/pause`, {}, { 'if-match': `"${body.revision}"` });
  expect(paused.status).toBe(200);
  const again = await server.call('POST', `/api/orders/${orderId}/restart`, {}, { 'if-match': `"${body.revision}"` });
  expect(again.status).toBe(412);
  await server.call('POST', `/api/orders/${orderId}/cancel`);
});

test('a customer views, downloads and rates its leads', async () => {
  const { body: customer } = await server.call('POST', '/api/customers', aCustomer('Downloads'));
  const orderId = await placeOrder(customer.customerId, { leadTypeId: 'exclusive-aged', dailyMaximum: undefined });
  const names = { firstName: 'José "Pepe"', lastName: '=HYPERLINK("http://evil.example")' };
  const leadId = await receive({ telephone: '+1 212 555 0103', ...names }, 'exclusive-aged');
  await receive({ email: 'second@example.com' }, 'exclusive-aged');
  await server.call('PUT', `/api/customers/${customer.customerId}/leads/${leadId}/rating`, { rating: 5 });

  const { body } = await read(`/api/customers/${customer.customerId}/leads`);
  expect(body.items).toHaveLength(2);
  const first = body.items.find((lead: { leadId: string }) => lead.leadId === leadId);
  expect(first).toMatchObject({ orderId, deliveredAt: START, rating: 5, contact: names, replacementStatus: null });

  const { headers, text } = await read(`/api/customers/${customer.customerId}/leads.csv`);
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(headers.get('content-disposition')).toBe(`attachment; filename="leads-${customer.customerId}.csv"`);
  const lines = text.trimEnd().split('\r\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^(\uFEFF)?deliveredAt,leadTypeId,orderId,leadId,firstName,lastName,telephone/);
  expect(text).toContain(`"José ""Pepe""","'=HYPERLINK(""http://evil.example"")",+1 212 555 0103`);
  const { text: ofOther } = await read(`/api/customers/${customer.customerId}/leads.csv?orderId=other`);
  expect(ofOther.trimEnd().split('\r\n')).toHaveLength(1);
});

test('a file for spreadsheets begins with a byte order mark', async () => {
  const response = await fetch(`${server.url}/api/customers/${customerId}/leads.csv`);
  expect([...new Uint8Array(await response.arrayBuffer()).subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
});

test('returns are listed by due date, with their notes', async () => {
  const { body: customer } = await server.call('POST', '/api/customers', aCustomer('Returns'));
  const orderId = await placeOrder(customer.customerId, { dailyMaximum: { percent: 100 } });
  const leadId = await receive({ telephone: '+1 212 555 0104' });
  const aReturn = { orderId, leadId, reason: 'wrong number', note: 'A bakery.\nThey bake.' };
  const { body: requested } = await server.call('POST', '/api/replacements', aReturn);
  const queue = await read(`/api/replacements?status=requested&customerId=${customer.customerId}`);
  expect(queue.body.items).toMatchObject([
    {
      replacementId: requested.replacementId,
      note: aReturn.note,
      dueAt: '2026-03-09T15:00:00.000Z',
      overdue: false,
    },
  ]);
  const { headers, body } = await read(`/api/replacements/${requested.replacementId}`);
  expect(headers.get('etag')).toMatch(/^"0-/);
  expect(body).toEqual(queue.body.items[0]);
  const explanation = 'We reached the person.';
  await server.call(
    'POST',
    `/api/replacements/${requested.replacementId}/deny`,
    { explanation },
    { 'if-match': '"0"', 'leadger-reason': 'called' },
  );
  const { body: denied } = await read(`/api/replacements/${requested.replacementId}`);
  expect(denied).toMatchObject({ status: 'denied', explanation, revision: 1 });
  const { body: leads } = await read(`/api/customers/${customer.customerId}/leads`);
  expect(leads.items[0]).toMatchObject({ replacementId: requested.replacementId, replacementStatus: 'denied' });
  await server.call('POST', `/api/orders/${orderId}/cancel`);
});

test('a lead that was not delivered is in stock', async () => {
  const leadId = await receive({ telephone: '+1 212 555 0105' }, 'shared-fresh');
  const { body: lead, headers } = await read(`/api/leads/${leadId}`);
  expect(lead).toMatchObject({ leadTypeId: 'shared-fresh', openPlaces: 3, contact: { telephone: '+1 212 555 0105' } });
  expect(headers.get('etag')).toMatch(/^"0-/);
  const { body } = await read('/api/stock');
  expect(body.items).toContainEqual(expect.objectContaining({ leadTypeId: 'shared-fresh', leads: 1, openPlaces: 3 }));
});

describe('lists', () => {
  const all = async (path: string): Promise<string[]> => {
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await read(`${path}&limit=2${cursor}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      ids.push(...body.items.map(({ orderId }: { orderId: string }) => orderId));
      cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
    } while (cursor);
    return ids;
  };

  test('the pages contain all orders of a customer once, newest first', async () => {
    const { body: customer } = await server.call('POST', '/api/customers', aCustomer('Pages'));
    const placed: string[] = [];
    for (let day = 3; day < 8; day++) {
      await server.clock.moveTo(`2026-03-0${day}T15:00:00.000Z`);
      placed.push(await placeOrder(customer.customerId, { leadTypeId: 'shared-aged', dailyMaximum: undefined }));
    }
    expect(await all(`/api/orders?customerId=${customer.customerId}`)).toEqual(placed.reverse());
    expect(await all(`/api/orders?customerId=${customer.customerId}&status=cancelled`)).toEqual([]);
  });

  test('a list is read in either direction, and a cursor is valid for one direction only', async () => {
    const newestFirst = await all('/api/orders?storeId=main');
    expect(newestFirst.length).toBeGreaterThan(2);
    expect(await all('/api/orders?storeId=main&sort=placedAt')).toEqual(newestFirst.toReversed());
    const { nextCursor } = (await read('/api/orders?limit=1&sort=placedAt')).body;
    for (const path of ['/api/orders', '/api/orders?sort=-placedAt']) {
      const { status, body } = await server.call('GET', `${path}${path.includes('?') ? '&' : '?'}cursor=${nextCursor}`);
      expect([path, status, body.code]).toEqual([path, 400, 'bad-cursor']);
    }
  });

  test('items have only the requested fields', async () => {
    const { body } = await read('/api/orders?limit=1&fields=status,orderId');
    expect(Object.keys(body.items[0])).toEqual(['orderId', 'status']);
    expect(body.nextCursor).toBeDefined();
  });

  test.each([
    ['orders', 'placedAt'],
    ['programmes', 'joinedAt'],
    ['replacements', 'dueAt'],
    ['tickets', 'dueAt'],
    ['mails', 'wishedAt'],
    ['webhooks', 'deliveredAt'],
    ['customers', 'registeredAt'],
  ])('%s are sorted by %s, in order', async (list, by) => {
    const { items } = (await read(`/api/${list}?sort=${by}&fields=${by}`)).body;
    expect(items).toEqual(items.toSorted((a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
    const backwards = (await read(`/api/${list}?sort=-${by}&fields=${by}`)).body.items;
    expect(backwards).toEqual(items.toReversed());
  });

  test('customers are listed by store', async () => {
    expect((await read('/api/customers?storeId=none')).body).toEqual({ items: [] });
    expect((await read('/api/customers?storeId=main&limit=1')).body.items).toHaveLength(1);
  });

  test.each([
    ['a limit of 0', '/api/orders?limit=0', 'limit'],
    ['a page above the limit', '/api/orders?limit=201', 'limit'],
    ['a limit that is not a number', '/api/orders?limit=ten', 'limit'],
    ['a limit given twice', '/api/orders?limit=1&limit=2', 'limit'],
    ['an unknown state', '/api/orders?status=lost', 'status'],
    ['an unknown filter', '/api/orders?colour=blue', 'colour'],
    ['an unknown sort', '/api/orders?sort=colour', 'sort'],
    ['an unknown field', '/api/orders?fields=status,colour', 'fields'],
    ['no field', '/api/orders?fields=', 'fields'],
    ['fields given twice', '/api/orders?fields=status&fields=status', 'fields'],
    ['a position that is none', '/api/orders?waitFor=%20', 'waitFor'],
    ['a word in place of a position', '/api/orders?waitFor=yesterday', 'waitFor'],
    ['a position that is too short', '/api/orders?waitFor=5', 'waitFor'],
    ['a position that is too long', '/api/orders?waitFor=00000000000058999', 'waitFor'],
    ['a position of two that is too short', '/api/orders?waitFor=0000000000000042.5', 'waitFor'],
    ['a position given twice', '/api/orders?waitFor=1&waitFor=2', 'waitFor'],
    ['an id with a NUL', '/api/orders?customerId=a%00', 'customerId'],
  ])('%s is answered with 400 and names the parameter', async (_, path, field) => {
    const { status, body } = await server.call('GET', path);
    expect({ status, field: body.errors?.[0].field }).toEqual({ status: 400, field });
  });

  test('an unknown field is named', async () => {
    const { body } = await server.call('GET', '/api/orders?fields=status,colour,constructor');
    expect(body.errors[0].message).toMatch(/^has no field colour, constructor: there are orderId, /);
  });

  test.each([
    'abc',
    'W10',
    // A page of a whole history ends with a position, and those of EventStoreDB may have a dot.
    '0000000000000042.0000000000000040',
    ...[
      '["2026-03-01T00:00:00.000Z"]',
      // JavaScript accepts these as instants, and the database does not.
      ...['-000001-01-01', '0000-01-01', '+010000-01-01', '+275760-09-13'].map((day) =>
        JSON.stringify(['-placedAt', `${day}T00:00:00.000Z`, 'x']),
      ),
      '["-placedAt","2014-01-01T00:00:00.000Z","a\\u0000b"]',
    ].map((text) => Buffer.from(text).toString('base64url')),
  ])('a cursor that was never given out (%s) is answered with 400 and named', async (cursor) => {
    const { status, body } = await server.call('GET', `/api/orders?cursor=${cursor}`);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { code: 'bad-cursor', errors: [{ field: 'cursor' }] },
    });
  });

  test.each(['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])(
    'a cursor may contain the instant %s',
    async (at) => {
      const cursor = Buffer.from(JSON.stringify(['-placedAt', at, 'x'])).toString('base64url');
      expect(await server.call('GET', `/api/orders?cursor=${cursor}`)).toMatchObject({ status: 200 });
    },
  );

  test.each([
    '/api/customers/none',
    '/api/customers/none/leads',
    '/api/customers/none/leads.csv',
    '/api/orders/none',
    '/api/leads/none',
    '/api/replacements/none',
  ])('%s is answered with 404', async (path) => {
    expect((await server.call('GET', path)).status).toBe(404);
  });
});

/** A server has other programs: what the ledger cannot have written is theirs, and the stream is damaged (ADR 35). */
async function expectStreamOfOthers(orderId: string): Promise<void> {
  await waitUntil(async () => (await server.call('POST', `/api/orders/${orderId}/restart`, {})).status === 423);
  const { status, body } = await server.call('GET', `/api/orders/${orderId}/history`);
  expect({ status, state: body.state }).toEqual({ status: 200, state: null });
  expect(body.damaged).toContain('another program writes to it');
}

// Must be the last test: leads assigned to the damaged order wait for it.
test('a history with an event that cannot be read names it', async () => {
  const orderId = await placeOrder(customerId);
  const { revision } = (await read(`/api/orders/${orderId}`)).body;
  const bytes = new TextEncoder().encode('null');
  const store = server.application.get<EventStore>(EVENT_STORE);
  await store.append(
    `order-${orderId}`,
    [{ id: randomUUID(), type: 'OrderPaused', data: bytes, metadata: new TextEncoder().encode('{}') }],
    revision,
  );
  if (eventsAreElsewhere) return expectStreamOfOthers(orderId);
  const told = {
    status: 500,
    body: {
      code: 'unreadable-event',
      detail: `order-${orderId}@${revision + 1} (OrderPaused) cannot be read: its data is not an object`,
    },
  };
  expect(await server.call('GET', `/api/orders/${orderId}/history`)).toMatchObject(told);
  expect(await server.call('POST', `/api/orders/${orderId}/restart`, {})).toMatchObject(told);
  expect(server.errors.splice(0)).toHaveLength(2);
});
