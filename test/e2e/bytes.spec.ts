import { request } from 'node:http';
import { mailing, proveAddress } from '#test/mail-copies';
import { type Server, startServer } from './server.ts';

let server: Server;
let customerId: string;
let orderId: string;
const aCustomer = { storeId: 'main', businessAssociation: 'Bytes', timeZone: 'UTC' };
beforeAll(async () => {
  server = await startServer();
  customerId = (await server.call('POST', '/api/customers', aCustomer)).body.customerId;
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 4, paymentToken: 'tok_ok' };
  orderId = (await server.call('POST', '/api/orders', order)).body.orderId;
  await server.settle();
});
afterAll(() => server.stop());
afterEach(() => expect(server.errors.splice(0)).toEqual([]));

const json = 'application/json';
const post = (path: string, body: string | Uint8Array | undefined, type?: string) =>
  server.call('POST', path, body, type === undefined ? {} : { 'content-type': type });
const named = (name: string) => JSON.stringify({ ...aCustomer, businessAssociation: name });

test.each([
  ['Latin-1', Buffer.from(named('Caf\xe9'), 'latin1')],
  ['UTF-16', Buffer.from(named('Cafe'), 'utf16le')],
  ['a character that is cut', Buffer.from(named('Caf\xe9')).subarray(0, -1 - '","timeZone":"UTC"}'.length)],
  [
    'half a character as three bytes',
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  ],
  ['an overlong NUL', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')])],
])('a body in %s is malformed: no character is made up', async (_, body) => {
  const { status, body: problem } = await post('/api/customers', body, json);
  expect([status, problem.code]).toEqual([400, 'malformed-request']);
});

test('a password set in Latin-1 is refused, so it opens nothing by other bytes', async () => {
  const account = JSON.stringify({ ...aCustomer, email: 'latin@example.org', password: 'caf\xe9 caf\xe9 caf\xe9 x' });
  expect(await post('/api/customers', Buffer.from(account, 'latin1'), json)).toMatchObject({ status: 400 });
  const { status, body } = await post('/api/customers', Buffer.from(account), json);
  expect(status).toBe(201);
  await proveAddress(mailing(server), body.customerId);
  const signIn = (password: string) => server.call('POST', '/api/sign-ins', { email: 'latin@example.org', password });
  expect((await signIn('caf\ufffd caf\ufffd caf\ufffd x')).status).toBe(401);
  expect((await signIn('cafe\u0301 cafe\u0301 cafe\u0301 x')).status).toBe(200);
});

test.each(['iso-8859-1', 'utf-16', 'windows-1252', 'us-ascii', '"latin1"', 'x'.repeat(500)])(
  'JSON in the charset %s is an unsupported media type',
  async (charset) => {
    const { status, body } = await post('/api/customers', named('Charset'), `${json}; charset=${charset}`);
    expect([status, body.code]).toEqual([415, 'unsupported-media-type']);
  },
);

test.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8'])('JSON in the charset %s is read', async (charset) => {
  expect((await post('/api/customers', named(`Charset ${charset}`), `${json};charset=${charset}`)).status).toBe(201);
});

test('a file is read in the charset of its content type, or refused', async () => {
  const file = Buffer.from('first name,phone\r\nJos\xe9,+1 212 555 0171\r\n', 'latin1');
  const path = '/api/leads/batches?leadTypeId=shared-fresh&source=fair';
  const { status, body } = await post(path, file, 'text/csv; charset=koi8-r');
  expect([status, body.code]).toEqual([415, 'unsupported-media-type']);
  const read = await post(path, file, 'text/csv; charset=iso-8859-1');
  expect(read.body).toMatchObject({ received: 1, rejected: 0 });
});

test.each([json, 'text/plain', 'application/x-www-form-urlencoded', 'text/csv', 'application/octet-stream', undefined])(
  'a command that needs no body may have none, with the content type %s',
  async (type) => {
    for (const body of ['', undefined]) {
      for (const command of ['pause', 'restart']) {
        const { status, text } = await post(`/api/orders/${orderId}/${command}`, body, type);
        expect([command, status, text]).toEqual([command, 200, expect.anything()]);
      }
    }
  },
);

test('a body of no bytes that does not say how long it is, is none, too', async () => {
  for (const [type, command] of [
    [json, 'pause'],
    ['text/plain', 'restart'],
  ] as const) {
    const empty = new ReadableStream({ start: (controller) => controller.close() });
    const headers = { 'content-type': type };
    expect((await server.call('POST', `/api/orders/${orderId}/${command}`, empty, headers)).status).toBe(200);
  }
});

test('a body of a type that the route does not take is refused, however it comes', async () => {
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{}'));
      controller.close();
    },
  });
  for (const body of ['{}', stream]) {
    const reply = await server.call('POST', `/api/orders/${orderId}/pause`, body, { 'content-type': 'text/plain' });
    expect([reply.status, reply.body.code]).toEqual([415, 'unsupported-media-type']);
  }
});

/** As Node's own client sends it: `fetch` hides some headers of an answer to HEAD. */
const head = (path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; headers: Record<string, unknown>; bytes: number }>((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method: 'HEAD', headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes }));
    });
    sent.on('error', reject).end();
  });

/** What is no JSON: files, pages, and what the page of the documentation loads. */
async function files(): Promise<readonly string[]> {
  const lead = { leadTypeId: 'exclusive-fresh', source: 'page', contact: { telephone: '+1 212 555 0187' } };
  await server.call('POST', '/api/leads', lead);
  await server.settle();
  const waitFor = `waitFor=${await server.position()}`;
  const [receipt] = (await server.call('GET', `/api/receipts?orderId=${orderId}&${waitFor}`)).body.items;
  const csv = await server.call('GET', `/api/customers/${customerId}/leads.csv?${waitFor}`);
  expect(csv.text.trim().split('\r\n')).toHaveLength(2);
  const ofReceipt = ['html', 'pdf'].map((form) => `/api/receipts/${receipt.receiptId}/${form}`);
  const loaded = (await server.call('GET', '/api/docs')).text.matchAll(/(?:src|href)="([^"]*)"/g);
  const ofDocs = [...loaded].map(([, address]) => new URL(address as string, `${server.url}/api/docs`).pathname);
  expect(ofDocs.length).toBeGreaterThan(1);
  return [`/api/customers/${customerId}/leads.csv`, ...ofReceipt, '/mails', '/api/docs', ...ofDocs];
}

test('HEAD is answered as GET is, with the same ETag and length, and without the body', async () => {
  const rows = [`/api/orders/${orderId}`, '/api/orders', `/api/customers/${customerId}/lead-delivery`];
  const others = ['/api/policy', '/api/openapi.json', ...(await files())];
  const position = await server.position();
  for (const path of [...rows.map((row) => `${row}?waitFor=${position}`), ...others]) {
    const whole = await server.call('GET', path);
    const etag = whole.headers.get('etag') as string;
    const same = ['etag', 'content-type', 'content-length', 'cache-control'].map((name) => [
      name,
      whole.headers.get(name),
    ]);
    const answer = await head(path);
    expect([path, etag]).toEqual([path, expect.stringMatching(/^"[\w-]{43,}"$/)]);
    const headers = same.map(([name]) => answer.headers[name as string] ?? null);
    expect([path, answer.status, answer.bytes, ...headers]).toEqual([
      ...[path, 200, 0],
      ...same.map(([, value]) => value),
    ]);
    expect(await head(path, { 'if-none-match': etag })).toMatchObject({ status: 304, headers: { etag } });
    const known = await server.call('GET', path, undefined, { 'if-none-match': etag });
    expect([path, known.status, known.text, known.headers.get('etag')]).toEqual([path, 304, '', etag]);
  }
  expect((await head('/api/orders/none')).status).toBe(404);
});
