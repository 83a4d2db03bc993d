import { request } from 'node:http';
import { addCustomer, endTrial, keptMails, PASSWORD } from '#test/acceptance/staff';
import { type Operation, readDocument } from '#test/e2e/api-document';
import { type Server, startServer } from '#test/e2e/server';

/* What a page of another site may have the browser of somebody send, who is signed in: nothing, on any route. test/e2e/edge has the rules. */

const HOST = 'shop.example';
const ALLOWED = 'https://app.example';

let server: Server;
let operations: readonly Operation[];
let cookie: string;
const mails = keptMails();
beforeAll(async () => {
  const edge = { publicUrl: `https://${HOST}`, allowedOrigins: [ALLOWED], trustedProxies: ['127.0.0.1'] };
  server = await startServer({ mails: mails.gateway, http: { edge } });
  await addCustomer(server, mails, 'own@example.org');
  await endTrial(server);
  ({ operations } = await readDocument(server));
  const account = { email: 'own@example.org', password: PASSWORD };
  const signedIn = await server.call('POST', '/api/sign-ins', account);
  cookie = (signedIn.headers.get('set-cookie') as string).split(';')[0] as string;
});
afterAll(() => server.stop());
afterEach(() => expect(server.errors.splice(0)).toEqual([]));

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** With any header, also those that only browsers set. */
const ask = (method: string, path: string, headers: Record<string, string | string[]>) =>
  new Promise<Answer>((resolve, reject) => {
    const { port } = new URL(server.url);
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { host: HOST, ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    sent.on('error', reject).end();
  });

/** A form is for the pages that its key names (`test/acceptance/lead-forms`). */
const changing = () => operations.filter(({ id, method }) => method !== 'GET' && id !== 'sendLeadForm');

test('the cookie is one of somebody who is signed in', async () => {
  expect((await ask('GET', '/api/orders', { cookie })).status).toBe(200);
});

test.each<[string, Record<string, string>]>([
  ['of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ['of another site that navigates', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ['of a site below the same name', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }],
  ['of an older browser, with its origin', { origin: 'https://evil.example' }],
  ['in a sandbox', { origin: 'null' }],
])('no route that changes something takes a request of a page %s', async (_, foreign) => {
  const taken: string[] = [];
  for (const { id, method, path } of changing()) {
    const { status, text } = await ask(method, path.replaceAll(/[{}]/g, ''), { cookie, ...foreign });
    if (status !== 403 || !text.includes('not-from-here')) taken.push(`${id}: ${status} ${text.slice(0, 100)}`);
  }
  expect(taken).toEqual([]);
});

test('a cookie alone, without a word from where the request comes, is nobody for what changes something', async () => {
  const taken: string[] = [];
  for (const { id, method, path } of changing()) {
    const { status } = await ask(method, path.replaceAll(/[{}]/g, ''), { cookie });
    // What is for everybody is wrong here, since it has no body; of all else the session is none.
    if (status === undefined || status < 400 || status >= 500) taken.push(id);
  }
  // These need no body: one says nothing of whether there is such a link, the other gives a challenge to everybody.
  expect(taken).toEqual(['unsubscribe', 'beginPasskeySignIn']);
});

test.each([
  ...[`${ALLOWED}.evil.example`, 'https://evil.example/https://app.example', 'http://app.example', `${ALLOWED}:8443`],
  ...[
    'https://a.app.example',
    'https://appxexample',
    'null',
    'https://APP.example.',
    'file://',
    'https://evil.example',
  ],
])('the page of %s may read no answer, and its browser is told to send nothing', async (origin) => {
  const before = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'if-match' };
  const answers = [
    await ask('GET', '/api/stores', { origin, cookie }),
    await ask('OPTIONS', '/api/stores', { origin, ...before }),
    await ask('OPTIONS', '/api/sign-ins', { origin, ...before }),
  ];
  for (const { headers } of answers) {
    // What names the one allowed site, whoever asks, opens nothing to another one.
    expect([undefined, ALLOWED]).toContain(headers['access-control-allow-origin']);
    expect(headers['access-control-allow-origin']).not.toBe(origin);
  }
  expect(answers[0]?.status).toBe(403);
});

test('no answer is for all sites', async () => {
  for (const path of ['/api/stores', '/api/openapi.json', '/health', '/api/nothing', '/api/docs'])
    for (const origin of [ALLOWED, 'https://evil.example', `https://${HOST}`]) {
      const { headers } = await ask('GET', path, { origin });
      expect(headers['access-control-allow-origin']).not.toBe('*');
      if (headers['access-control-allow-origin'] !== undefined) expect(headers.vary).toMatch(/Origin/i);
    }
});

describe('headers', () => {
  test.each<[string, Record<string, string | string[]>]>([
    ['one that is too long', { 'leadger-reason': 'x'.repeat(20_000) }],
    [
      'very many short ones',
      Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x-${index}`, 'a long one'])),
    ],
    ['a cookie that is too long', { cookie: `a=${'x'.repeat(20_000)}` }],
    ['very many cookies', { cookie: Array.from({ length: 4000 }, (_, index) => `c${index}=1`).join('; ') }],
  ])('%s are refused before anything is done', async (_, headers) => {
    expect(await ask('GET', '/api/stores', headers)).toMatchObject({ status: 431 });
  });

  test('that come twice do not say two things', async () => {
    const twice = (name: string, values: string[]) => ask('GET', '/api/orders', { [name]: values });
    expect((await twice('authorization', ['Bearer a', 'Bearer b'])).status).toBe(401);
    expect((await twice('origin', [ALLOWED, 'https://evil.example'])).status).toBe(403);
    expect((await twice('sec-fetch-site', ['same-origin', 'cross-site'])).status).toBe(403);
  });
});
