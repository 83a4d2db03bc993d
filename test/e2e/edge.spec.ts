import { request } from 'node:http';
import { connect } from 'node:net';
import { bearer, PASSWORD, signInto } from '#test/acceptance/staff';
import { mailing, proveAddress } from '#test/mail-copies';
import { waitUntil } from '#test/wait-until';
import { type Server, startServer } from './server.ts';

const PROXY = { trustedProxies: ['127.0.0.1'] };
const PUBLIC = 'https://shop.example';
const MONITOR = '192.0.2.7';

let server: Server;
let open: Server;
beforeAll(async () => {
  server = await startServer();
  open = await startServer({
    http: {
      edge: {
        ...PROXY,
        publicUrl: PUBLIC,
        allowedOrigins: ['https://app.example'],
        monitoringNetworks: ['127.0.0.1', MONITOR],
      },
      quotas: { feeds: 1 },
      bodyMilliseconds: 200,
    },
  });
});
afterAll(async () => {
  await Promise.all([server.stop(), open.stop()]);
});
afterEach(() => expect([...server.errors.splice(0), ...open.errors.splice(0)]).toEqual([]));

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** With any header, also one that browsers and `fetch` set themselves. */
const ask = (to: Server, path: string, headers: Record<string, string> = {}, { method = 'GET', body = '' } = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const { port } = new URL(to.url);
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: text }));
    });
    sent.on('error', reject).end(body);
  });

const host = 'shop.example';
const through = (client: string) => ({ host, 'x-forwarded-for': client });

describe('a request is accepted', () => {
  test.each([
    ['to this machine, of a program', { host: 'localhost' }],
    ['to the public address, of a program', { host }],
    ['to the public address with its port', { host: 'SHOP.example:443' }],
    ['of a page of its own', { host, origin: PUBLIC, 'sec-fetch-site': 'same-origin' }],
    ['of an allowed site', { host, origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }],
    ['of a link that somebody follows', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('%s', async (_, headers) => {
    expect((await ask(open, '/api/stores', headers)).status).toBe(200);
  });
});

describe('a request is refused', () => {
  test.each([
    ['to a foreign name that leads here', { host: 'evil.example' }],
    ['to a name below the public one', { host: 'a.shop.example' }],
    ['to the public name with another port', { host: 'shop.example:8443' }],
    ['of a page of another site', { host, origin: 'https://evil.example' }],
    ['of a page without an origin', { host, origin: 'null' }],
    ['of a page of this site without TLS', { host, origin: 'http://shop.example' }],
    ['of another site, without an Origin', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['of a site below the same name', { host, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ])('%s', async (_, headers) => {
    for (const path of ['/api/stores', '/api/feed', '/mails', '/api/docs'])
      expect((await ask(open, path, headers)).status).toBe(403);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json'])(
    'when a form of another site sends %s, whatever it navigates to',
    async (type) => {
      const foreign = { host, 'content-type': type, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
      const form = { method: 'POST', body: '{"storeId":"main"}' };
      expect((await ask(open, '/api/customers', foreign, form)).status).toBe(403);
      expect((await ask(open, '/api/customers', { ...foreign, origin: 'null' }, form)).status).toBe(403);
    },
  );

  test('to the public address where there is none', async () => {
    expect((await ask(server, '/api/stores', { host })).status).toBe(403);
  });

  test('when it opens a WebSocket: there is none', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    expect((await ask(open, '/api/feed', { host, origin: 'https://evil.example', ...upgrade, ...key })).status).toBe(
      403,
    );
    expect((await ask(open, '/api/nothing', { host, ...upgrade, ...key })).status).toBe(404);
  });
});

test('a page of an allowed site may read the answers, and its browser is told so before it sends a command', async () => {
  const origin = 'https://app.example';
  const { headers } = await ask(open, '/api/stores', { host, origin });
  expect(headers).toMatchObject({ 'access-control-allow-origin': origin, vary: expect.stringContaining('Origin') });
  const before = { host, origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'if-match' };
  const asked = await ask(open, '/api/customers/x/name', before, { method: 'OPTIONS' });
  expect(asked).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin } });
  const evil = await ask(open, '/api/stores', { host, origin: 'https://evil.example' });
  expect(evil.headers['access-control-allow-origin']).toBeUndefined();
});

test('health and metrics are for this machine and the networks of monitoring, by whatever name they ask', async () => {
  for (const path of ['/health', '/health/live', '/health/ready', '/metrics']) {
    const status = async (headers: Record<string, string>) => (await ask(open, path, headers)).status;
    expect(await status({ host: '10.0.0.4:3000', 'x-forwarded-for': MONITOR })).toBe(200);
    expect(await status({ host: 'localhost' })).toBe(200);
    expect(await status(through('198.51.100.9'))).toBe(403);
    // A proxy that says nothing of its client is on this machine, and the client may be anybody.
    expect(await status({ host })).toBe(403);
  }
});

test('what a client says of where it comes from is believed of proxies only', async () => {
  const sayingSo = { host: 'localhost', 'x-forwarded-for': MONITOR };
  expect((await ask(server, '/health/live', { ...sayingSo, host: '10.0.0.4' })).status).toBe(403);
  expect((await ask(server, '/health/live', sayingSo)).status).toBe(200);
});

test('each caller has feeds of its own, wherever it asks from', async () => {
  const [own, other] = [await signedIn(open, 'own'), await signedIn(open, 'other')];
  const first = request({
    port: new URL(open.url).port,
    path: '/api/feed',
    headers: { ...through('2001:db8:1:2::1'), ...own },
    agent: false,
  });
  const opened = new Promise((resolve) => first.on('response', resolve));
  first.on('error', () => {}).end();
  await opened;
  const feedOf = async (caller: Record<string, string>, client: string) => {
    const { status, headers, body } = await ask(
      open,
      '/api/feed',
      { ...through(client), ...caller },
      { method: 'HEAD' },
    );
    return { status, wait: headers['retry-after'], body };
  };
  expect(await feedOf(own, '198.51.100.9')).toMatchObject({ status: 429, wait: '5' });
  expect(await feedOf(other, '2001:db8:1:2::1')).toMatchObject({ status: 200 });
  first.destroy();
  await waitUntil(async () => (await feedOf(own, '2001:db8:1:2::1')).status === 200);
});

/** A customer. @returns the header of the session */
async function signedIn(to: Server, name: string): Promise<{ authorization: string }> {
  const account = { storeId: 'main', businessAssociation: name, timeZone: 'UTC', email: `${name}@example.org` };
  const { customerId } = (await to.call('POST', '/api/customers', { ...account, password: PASSWORD })).body;
  await proveAddress(mailing(to), customerId);
  return bearer(await signInto(to, account.email));
}

test('a browser that came to 127.0.0.1 is sent to localhost, which keeps the cookie', async () => {
  const { port } = new URL(server.url);
  const answer = await ask(server, '/api/docs?x=1', { host: `127.0.0.1:${port}`, 'sec-fetch-mode': 'navigate' });
  expect([answer.status, answer.headers.location]).toEqual([307, `http://localhost:${port}/api/docs?x=1`]);
});

test('answers are kept by nobody, shown in no other page, and run nothing', async () => {
  for (const path of ['/api/stores', '/api/nothing', '/health']) {
    const { headers } = await ask(server, path, { host: 'localhost' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(headers['strict-transport-security']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
  }
  const { headers } = await ask(open, '/api/stores', { host });
  expect(headers['strict-transport-security']).toBe('max-age=31536000');
});

test('pages have no script of their own, and styles that are named by their content', async () => {
  for (const path of ['/mails', '/api/docs']) {
    const { headers, body } = await ask(server, path, { host: 'localhost' });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe|\*/);
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/i);
  }
  const mails = await ask(server, '/mails', { host: 'localhost' });
  expect(mails.headers['content-security-policy']).toMatch(/style-src 'sha256-[\w+/]{43}='/);
});

test('a body that does not arrive is given up', async () => {
  const { port } = new URL(open.url);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  const head = `POST /api/customers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`;
  socket.write(head);
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"request-too-slow"/s);
});
