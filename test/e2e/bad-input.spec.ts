import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { type Server, startServer } from './server.ts';

let server: Server;
let customerId: string;
beforeAll(async () => {
  server = await startServer();
  const registered = await server.call('POST', '/api/customers', aCustomer);
  customerId = registered.body.customerId;
  await server.call('POST', '/api/lead-types', { ...aLeadType, leadTypeId: 'never-sold' });
});
afterAll(() => server.stop());
afterEach(() => {
  expect(server.errors.splice(0)).toEqual([]);
});

const aCustomer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
const anOrder = () => ({
  customerId,
  leadTypeId: 'exclusive-real-time',
  quantity: 10,
  dailyMaximum: { leads: 5 },
  paymentToken: 'tok_ok',
});
const aLead = { leadTypeId: 'exclusive-real-time', source: 'test', contact: { telephone: '+1 212 555 0142' } };
const aPrice = {
  storeId: 'main',
  leadTypeId: 'exclusive-real-time',
  pricePerLeadCents: 900,
  currency: 'USD',
  smallestOrder: 1,
  largestOrder: 10,
};
const aLeadType = {
  leadTypeId: 'exclusive-real-time',
  name: 'Other',
  exclusivity: 'exclusive',
  freshness: 'real-time',
  usualDelivery: 'at once',
  qualifiesForLoyaltyRewards: true,
};
const aLetter = () => ({ customerId, subject: 'Leads', message: 'None came.' });
const aReturn = { orderId: 'x', leadId: 'y', reason: 'wrong number' };

/** What is wrong, the path, the bad body, and the field that the answer names. */
const wrongFields: readonly (readonly [title: string, path: string, body: () => object, field: string])[] = [
  ['an order without quantity', '/api/orders', () => ({ ...anOrder(), quantity: undefined }), 'quantity'],
  ['a quantity of zero', '/api/orders', () => ({ ...anOrder(), quantity: 0 }), 'quantity'],
  ['a negative quantity', '/api/orders', () => ({ ...anOrder(), quantity: -5 }), 'quantity'],
  ['a fractional quantity', '/api/orders', () => ({ ...anOrder(), quantity: 2.5 }), 'quantity'],
  ['a huge quantity', '/api/orders', () => ({ ...anOrder(), quantity: 1e300 }), 'quantity'],
  ['a quantity as text', '/api/orders', () => ({ ...anOrder(), quantity: '10' }), 'quantity'],
  ['a quantity of null', '/api/orders', () => ({ ...anOrder(), quantity: null }), 'quantity'],
  ['a quantity as a list', '/api/orders', () => ({ ...anOrder(), quantity: [10] }), 'quantity'],
  ['an unknown field', '/api/orders', () => ({ ...anOrder(), colour: 'blue' }), 'colour'],
  [
    'a price that the customer chooses',
    '/api/orders',
    () => ({ ...anOrder(), pricePerLeadCents: 1 }),
    'pricePerLeadCents',
  ],
  [
    'an unknown field within a field',
    '/api/orders',
    () => ({ ...anOrder(), dailyMaximum: { leads: 5, per: 'day' } }),
    'dailyMaximum.per',
  ],
  [
    'a password with half a character in it',
    '/api/customers',
    () => ({ ...aCustomer, email: 'half@example.org', password: 'half of \ud83d' }),
    'password',
  ],
  ['an empty daily maximum', '/api/orders', () => ({ ...anOrder(), dailyMaximum: {} }), 'dailyMaximum'],
  [
    'a daily maximum said twice',
    '/api/orders',
    () => ({ ...anOrder(), dailyMaximum: { leads: 5, percent: 5 } }),
    'dailyMaximum',
  ],
  ['a daily maximum of null', '/api/orders', () => ({ ...anOrder(), dailyMaximum: null }), 'dailyMaximum'],
  [
    'a daily maximum that is a list',
    '/api/orders',
    () => ({ ...anOrder(), dailyMaximum: [{ leads: 5 }] }),
    'dailyMaximum',
  ],
  ['a daily maximum that is a number', '/api/orders', () => ({ ...anOrder(), dailyMaximum: 5 }), 'dailyMaximum'],
  [
    'a negative daily maximum',
    '/api/orders',
    () => ({ ...anOrder(), dailyMaximum: { leads: -1 } }),
    'dailyMaximum.leads',
  ],
  ['a percentage of 0', '/api/orders', () => ({ ...anOrder(), dailyMaximum: { percent: 0 } }), 'dailyMaximum.percent'],
  [
    'a percentage above 100',
    '/api/orders',
    () => ({ ...anOrder(), dailyMaximum: { percent: 100.5 } }),
    'dailyMaximum.percent',
  ],
  ['an offset for a time zone', '/api/orders', () => ({ ...anOrder(), timeZone: '+02:00' }), 'timeZone'],
  ['a time zone of null', '/api/orders', () => ({ ...anOrder(), timeZone: null }), 'timeZone'],
  ['an object for a payment token', '/api/orders', () => ({ ...anOrder(), paymentToken: { a: 1 } }), 'paymentToken'],
  ['an id with a slash', '/api/orders', () => ({ ...anOrder(), customerId: '../x' }), 'customerId'],
  ['an id of 101 characters', '/api/orders', () => ({ ...anOrder(), customerId: 'x'.repeat(101) }), 'customerId'],
  ['an id as a number', '/api/orders', () => ({ ...anOrder(), customerId: 7 }), 'customerId'],
  ['an unknown time zone', '/api/customers', () => ({ ...aCustomer, timeZone: 'Mars/Olympus' }), 'timeZone'],
  [
    'a business of spaces',
    '/api/customers',
    () => ({ ...aCustomer, businessAssociation: '   ' }),
    'businessAssociation',
  ],
  [
    'a business with a NUL',
    '/api/customers',
    () => ({ ...aCustomer, businessAssociation: 'A\0B' }),
    'businessAssociation',
  ],
  [
    'a business on two lines',
    '/api/customers',
    () => ({ ...aCustomer, businessAssociation: 'A\nB' }),
    'businessAssociation',
  ],
  [
    'half a character',
    '/api/customers',
    () => ({ ...aCustomer, businessAssociation: 'A\ud800' }),
    'businessAssociation',
  ],
  [
    'a business of 201 characters',
    '/api/customers',
    () => ({ ...aCustomer, businessAssociation: 'x'.repeat(201) }),
    'businessAssociation',
  ],
  ['a lead without contact', '/api/leads', () => ({ ...aLead, contact: undefined }), 'contact'],
  [
    'a lead without telephone number and e-mail address',
    '/api/leads',
    () => ({ ...aLead, contact: { firstName: 'Ada' } }),
    'contact',
  ],
  ['a contact that is a text', '/api/leads', () => ({ ...aLead, contact: 'Ada' }), 'contact'],
  [
    'a telephone number that is none',
    '/api/leads',
    () => ({ ...aLead, contact: { telephone: '12' } }),
    'contact.telephone',
  ],
  ['an invalid e-mail address', '/api/leads', () => ({ ...aLead, contact: { email: 'ada' } }), 'contact.email'],
  [
    'an unknown field of a contact',
    '/api/leads',
    () => ({ ...aLead, contact: { email: 'a@b.example', age: 4 } }),
    'contact.age',
  ],
  [
    'a capture instant without zone',
    '/api/leads',
    () => ({ ...aLead, capturedAt: '2026-03-01T09:30:00' }),
    'capturedAt',
  ],
  [
    'a capture on a day that never was',
    '/api/leads',
    () => ({ ...aLead, capturedAt: '2026-02-30T09:30:00Z' }),
    'capturedAt',
  ],
  ['a capture instant as a number', '/api/leads', () => ({ ...aLead, capturedAt: 1772353800000 }), 'capturedAt'],
  ['a fractional price', '/api/prices', () => ({ ...aPrice, pricePerLeadCents: 9.5 }), 'pricePerLeadCents'],
  ['a negative price', '/api/prices', () => ({ ...aPrice, pricePerLeadCents: -1 }), 'pricePerLeadCents'],
  ['an unknown currency', '/api/prices', () => ({ ...aPrice, currency: 'usd' }), 'currency'],
  ['an unknown freshness', '/api/lead-types', () => ({ leadTypeId: 'x', freshness: 'stale' }), 'freshness'],
  [
    'a flag as text',
    '/api/lead-types',
    () => ({ leadTypeId: 'x', qualifiesForLoyaltyRewards: 'true' }),
    'qualifiesForLoyaltyRewards',
  ],
  ['an empty policy', '/api/policy/versions', () => ({ policy: {} }), 'policy.returnWindowDays'],
  ['an unknown change of the policy', '/api/policy/versions', () => ({ changes: { colour: 1 } }), 'changes.colour'],
  ['no change of the policy', '/api/policy/versions', () => ({}), 'changes'],
  ['a policy with an unknown field', '/api/policy/versions', () => ({ policy: { colour: 1 } }), 'policy.colour'],
  ['a programme that is an empty list', '/api/orders', () => ({ ...anOrder(), loyalty: [] }), 'loyalty'],
  ['a call back that is an empty list', '/api/tickets', () => ({ ...aLetter(), callBack: [] }), 'callBack'],
  ['a name on two lines', '/api/customers', () => ({ ...aCustomer, name: { firstName: 'A\nB' } }), 'name.firstName'],
  [
    'a city with half a character',
    '/api/customers',
    () => ({ ...aCustomer, postalAddress: { address: '12 Elm Street', city: 'A\ud800', country: 'US' } }),
    'postalAddress.city',
  ],
  ['a return without reason', '/api/replacements', () => ({ ...aReturn, reason: undefined }), 'reason'],
  ['a note of 2001 characters', '/api/replacements', () => ({ ...aReturn, note: 'x'.repeat(2001) }), 'note'],
  ['fields where none are allowed', '/api/orders/x/pause', () => ({ until: 'tomorrow' }), 'until'],
];

test.each(wrongFields)('%s is answered with 400 and names the field', async (_, path, body, field) => {
  const { status, headers, body: problem } = await server.call('POST', path, body());
  expect(status).toBe(400);
  expect(headers.get('content-type')).toMatch('application/problem+json');
  expect(problem).toMatchObject({ status: 400, code: 'invalid-request', title: 'Bad Request' });
  expect(problem.errors.map((error: { field: string }) => error.field)).toContain(field);
});

test.each([
  ['a line without a character', { ...aCustomer, businessAssociation: '' }, 'must not be empty'],
  ['a line of spaces', { ...aCustomer, businessAssociation: '  ' }, 'must not be empty'],
  ['two lines', { ...aCustomer, businessAssociation: 'a\nb' }, 'must be one line of text, at most 200 characters'],
])('%s is refused with a message that says so', async (_, customer, message) => {
  const { body } = await server.call('POST', '/api/customers', customer);
  expect(body.errors).toEqual([{ field: 'businessAssociation', message }]);
});

test('a text without a character is refused with a message that says so', async () => {
  const { body } = await server.call('POST', '/api/replacements', { ...aReturn, note: '' });
  expect(body.errors).toEqual([{ field: 'note', message: 'must not be empty' }]);
});

test('several wrong fields are named in one answer', async () => {
  const { body } = await server.call('POST', '/api/orders', { ...anOrder(), quantity: -1, colour: 1, timeZone: 'x' });
  const fields = body.errors.map((error: { field: string }) => error.field);
  expect(fields.sort()).toEqual(['colour', 'quantity', 'timeZone']);
});

const json = { 'content-type': 'application/json' };
const strangeRequests: readonly (readonly [
  title: string,
  request: readonly [method: string, path: string, body?: string | undefined, headers?: Record<string, string>],
  status: number,
  code: string,
])[] = [
  ['JSON that ends in the middle', ['POST', '/api/orders', '{"quantity": 1', json], 400, 'malformed-request'],
  ['an empty body that says it is JSON', ['POST', '/api/orders', '', json], 400, 'invalid-request'],
  ['a list', ['POST', '/api/orders', '[]', json], 400, 'invalid-request'],
  [
    'a list with a good customer in it',
    ['POST', '/api/customers', JSON.stringify([aCustomer]), json],
    400,
    'invalid-request',
  ],
  ['null', ['POST', '/api/orders', 'null', json], 400, 'invalid-request'],
  ['a text', ['POST', '/api/orders', '"order"', json], 400, 'invalid-request'],
  ['a number', ['POST', '/api/orders', '5', json], 400, 'invalid-request'],
  ['no body at all', ['POST', '/api/orders'], 400, 'invalid-request'],
  ['a key __proto__', ['POST', '/api/customers', '{"__proto__": {"a": 1}}', json], 400, 'malformed-request'],
  [
    '50,000 lists in one another',
    ['POST', '/api/orders', `{"a":${'['.repeat(5e4)}${']'.repeat(5e4)}}`, json],
    400,
    'invalid-request',
  ],
  ['a body above the limit', ['POST', '/api/orders', `{"a":"${'x'.repeat(2 ** 20)}"}`, json], 413, 'body-too-large'],
  ['plain text', ['POST', '/api/orders', 'hello', { 'content-type': 'text/plain' }], 415, 'unsupported-media-type'],
  [
    'a form',
    ['POST', '/api/orders', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    415,
    'unsupported-media-type',
  ],
  [
    'CSV where JSON is due',
    ['POST', '/api/orders', 'a,b', { 'content-type': 'text/csv' }],
    415,
    'unsupported-media-type',
  ],
  [
    'a content type that is none',
    ['POST', '/api/orders', '{}', { 'content-type': ';;' }],
    415,
    'unsupported-media-type',
  ],
  ['an unknown path', ['GET', '/api/nothing'], 404, 'no-such-route'],
  ['a method that the path does not support', ['DELETE', '/api/orders'], 404, 'no-such-route'],
  ['a path that is not UTF-8', ['GET', '/api/customers/%ff'], 400, 'malformed-request'],
  ['an id with a NUL', ['GET', '/api/customers/a%00b'], 404, 'customer-unknown'],
  ['an id of 500 characters', ['GET', `/api/customers/${'x'.repeat(500)}`], 404, 'customer-unknown'],
  ['an id of 600 characters', ['GET', `/api/customers/${'x'.repeat(600)}`], 414, 'address-too-long'],
  ['an unknown customer', ['GET', '/api/customers/nobody'], 404, 'customer-unknown'],
  ['an unknown order', ['POST', '/api/orders/none/pause'], 404, 'order-unknown'],
  ['the history of an unknown order', ['GET', '/api/orders/none/history'], 404, 'order-unknown'],
  ['the history of an unknown lead', ['GET', '/api/leads/none/history'], 404, 'lead-unknown'],
  [
    'a replacement that is not there',
    ['POST', '/api/replacements/none/grant', undefined, { 'leadger-reason': 'called' }],
    404,
    'replacement-unknown',
  ],
  [
    'an instant without zone in the query',
    ['GET', '/api/orders/x/history?at=2026-01-01T00:00:00'],
    400,
    'invalid-request',
  ],
  [
    'an instant given twice',
    ['GET', '/api/orders/x/history?at=2026-01-01T00:00:00Z&at=2026-01-01T00:00:00Z'],
    400,
    'invalid-request',
  ],
  ['an unknown query parameter', ['GET', '/api/prices?store=main'], 400, 'invalid-request'],
  [
    'an actor that is none',
    ['POST', '/api/orders/x/pause', undefined, { 'leadger-actor': 'root' }],
    400,
    'invalid-request',
  ],
  ...['staff:ada@example.org', 'staff:Ada Byron', `staff:${'7'.repeat(65)}`].map(
    (actor): (typeof strangeRequests)[number] => [
      `an actor that is no id: ${actor}`,
      ['POST', '/api/orders/x/pause', undefined, { 'leadger-actor': actor }],
      400,
      'invalid-request',
    ],
  ),
  [
    'an empty idempotency key',
    ['POST', '/api/orders/x/pause', undefined, { 'idempotency-key': ' ' }],
    400,
    'invalid-request',
  ],
  [
    'a revision that is none',
    ['POST', '/api/orders/x/pause', undefined, { 'if-match': 'W/"1"' }],
    400,
    'invalid-request',
  ],
];

test.each(strangeRequests)(
  '%s is answered with a problem document',
  async (_, [method, path, body, headers], status, code) => {
    const reply = await server.call(method, path, body, headers);
    expect({ status: reply.status, code: reply.body?.code }).toEqual({ status, code });
    expect(reply.headers.get('content-type')).toMatch('application/problem+json');
    expect(reply.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
  },
);

const refusals: readonly (readonly [title: string, path: string, body: () => object, code: string, field: string])[] = [
  [
    'an order of nobody',
    '/api/orders',
    () => ({ ...anOrder(), customerId: 'nobody' }),
    'customer-unknown',
    'customerId',
  ],
  [
    'an order of nothing',
    '/api/orders',
    () => ({ ...anOrder(), leadTypeId: 'none' }),
    'unknown-lead-type',
    'leadTypeId',
  ],
  [
    'an order above the limit',
    '/api/orders',
    () => ({ ...anOrder(), quantity: 1001 }),
    'quantity-outside-limits',
    'quantity',
  ],
  [
    'an order with another total than was shown',
    '/api/orders',
    () => ({ ...anOrder(), expectedTotalCents: 1 }),
    'other-total',
    'expectedTotalCents',
  ],
  [
    'a customer of an unknown store',
    '/api/customers',
    () => ({ ...aCustomer, storeId: 'none' }),
    'unknown-store',
    'storeId',
  ],
  [
    'a business without a letter',
    '/api/customers',
    () => ({ ...aCustomer, businessAssociation: '...' }),
    'business-association-empty',
    'businessAssociation',
  ],
  [
    'a price from yesterday',
    '/api/prices',
    () => ({ ...aPrice, effectiveFrom: '2020-01-01T00:00:00Z' }),
    'price-in-the-past',
    'effectiveFrom',
  ],
  [
    'a lead of an unknown type',
    '/api/leads',
    () => ({ ...aLead, leadTypeId: 'none' }),
    'unknown-lead-type',
    'leadTypeId',
  ],
  [
    'another store of the same id',
    '/api/stores',
    () => ({ storeId: 'main', name: 'Other', webAddress: 'https://other.example' }),
    'store-exists',
    'storeId',
  ],
  ['a different lead type with the same id', '/api/lead-types', () => aLeadType, 'lead-type-exists', 'leadTypeId'],
  [
    'an order of what has no price',
    '/api/orders',
    () => ({ ...anOrder(), leadTypeId: 'never-sold' }),
    'not-sold',
    'leadTypeId',
  ],
  ['a return of a lead that was not delivered', '/api/replacements', () => aReturn, 'lead-not-delivered', 'leadId'],
];

test.each(refusals)('%s is refused with 409, and the field is named', async (_, path, body, code, field) => {
  const { status, body: problem } = await server.call('POST', path, body());
  expect({ status, code: problem.code, field: problem.errors?.[0].field }).toEqual({ status: 409, code, field });
});

test('a request that is not HTTP is answered with a problem document, and the server keeps running', async () => {
  const { port } = new URL(server.url);
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write('HELLO\r\n\r\n'));
    socket
      .on('data', (chunk) => (text += chunk))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).toMatch('application/problem+json');
  expect((await server.call('GET', '/health')).status).toBe(200);
});

test.each([
  ['a page of another site', { origin: 'https://evil.example' }],
  ['a page without a site', { origin: 'null' }],
  ['a foreign host name that resolves to this machine', { host: 'evil.example' }],
])('%s is refused with 403', async (_, headers) => {
  const status = await new Promise((resolve, reject) => {
    rawRequest(`${server.url}/api/orders/x/pause`, { method: 'POST', headers }, (reply) =>
      resolve(reply.resume().statusCode),
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(403);
});

test('a page of this server may send requests', async () => {
  const { status } = await server.call('GET', '/api/policy', undefined, { origin: server.url });
  expect(status).toBe(200);
});

test('headers above the limit are answered with 431', async () => {
  const status = await new Promise((resolve, reject) => {
    rawRequest(`${server.url}/health`, { headers: { x: 'x'.repeat(20_000) } }, (reply) =>
      resolve(reply.resume().statusCode),
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(431);
});

test.each(['source=%ff', 'source=a%e2%82', 'source=100%', 'source=%zz', 'source=\u00e9', 'unknown=%ff'])(
  'a query that is not UTF-8, or not encoded, is refused and not stored: %s',
  async (query) => {
    const { port } = new URL(server.url);
    const headers = { 'content-type': 'text/csv', 'leadger-actor': 'system:forms' };
    const path = `/api/leads/batches?leadTypeId=exclusive-fresh&${query}`;
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const sent = rawRequest({ host: '127.0.0.1', port, path, method: 'POST', headers }, (reply) => {
        let body = '';
        reply.setEncoding('utf8').on('data', (piece: string) => {
          body += piece;
        });
        reply.on('end', () => resolve({ status: reply.statusCode, body }));
      });
      sent.on('error', reject).end('phone\r\n');
    });
    expect({ status: answer.status, code: JSON.parse(answer.body).code }).toEqual({
      status: 400,
      code: 'malformed-request',
    });
  },
);

describe('a body that a stranger made large', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, index]));

  test.each([
    ['fields of its own', () => many(60_000)],
    ['extra fields', () => ({ ...aLead, contact: { ...aLead.contact, extraFields: many(60_000) } })],
  ])('is refused for its many %s', async (_, body) => {
    const { status, body: problem } = await server.call('POST', '/api/leads', body());
    expect(status).toBe(400);
    expect(problem.detail).toBe('body: has more than 2000 members');
  });

  test('is refused for its long lists', async () => {
    const { status, body } = await server.call('POST', '/api/leads', { ...aLead, x: Array(10_001).fill([]) });
    expect([status, body.detail]).toEqual([400, 'body: has more than 10000 items in its lists']);
  });

  test('has an answer that names the first hundred of its unknown fields', async () => {
    const { status, body } = await server.call('POST', '/api/leads', { ...aLead, ...many(1000) });
    expect(status).toBe(400);
    expect(body.errors).toHaveLength(100);
    expect(body.detail).toMatch(/x0: is not a known field; .*; and 900 more$/);
  });

  test('has an answer that names the beginning of a long field', async () => {
    const { body } = await server.call('POST', '/api/leads', {
      ...aLead,
      [`${'x'.repeat(199)}\u{1f600}${'y'.repeat(300_000)}`]: 1,
    });
    expect(body.errors).toEqual([{ field: `${'x'.repeat(199)}\ufffd…`, message: 'is not a known field' }]);
  });
});

test.each(['toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'constructor'])(
  'the name of a field that every object has is refused: %s',
  async (name) => {
    expect((await server.call('POST', '/api/leads', { ...aLead, [name]: 1 })).status).toBe(400);
    expect((await server.call('GET', `/api/orders?${name}=1`)).status).toBe(400);
  },
);
