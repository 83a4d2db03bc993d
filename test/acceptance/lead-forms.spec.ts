import { type IncomingMessage, request } from 'node:http';
import { type Server, startServer } from '#test/e2e/server';
import { bearer, endTrial, keptMails } from './staff.ts';

type Headers = Record<string, string>;

const ORIGIN = 'https://landing.example';
const THANKS = `${ORIGIN}/thanks`;
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

let server: Server;
let administrator: Headers;
let key: { apiKeyId: string; token: string };
const mails = keptMails();

const grant = (more: object = {}) => ({
  name: 'spring campaign',
  roles: ['lead-source'],
  stores: 'all',
  origins: [ORIGIN],
  form: { leadTypeId: 'exclusive-fresh', source: 'spring-page', thanksPage: THANKS },
  expiresAt: '2026-06-01T00:00:00.000Z',
  ...more,
});

beforeAll(async () => {
  server = await startServer({
    mails: mails.gateway,
    http: { edge: { trustedProxies: ['127.0.0.1'], allowedOrigins: ['https://app.example'] } },
  });
  administrator = (await endTrial(server)).headers;
  key = (await server.call('POST', '/api/api-keys', grant(), administrator)).body;
});
afterAll(() => server.stop());

let people = 0;
const person = () => {
  people += 1;
  return { telephone: `+1 212 555 ${7000 + people}`, email: `visitor-${people}@example.org` };
};
let networks = 0;
/** Each from a network of its own. */
const elsewhere = (): Headers => {
  networks += 1;
  return { 'x-forwarded-for': `198.51.${networks >> 8}.${networks & 255}` };
};

const send = (body: object | string, headers: Headers = {}, formId = key.apiKeyId) =>
  server.call('POST', `/api/forms/${formId}/leads`, typeof body === 'string' ? body : JSON.stringify(body), {
    origin: ORIGIN,
    'content-type': typeof body === 'string' ? FORM_TYPE : JSON_TYPE,
    ...elsewhere(),
    ...headers,
  });

/** As a browser does for a form without a script. `fetch` says itself what it is. */
const navigate = (body: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { origin: ORIGIN, 'content-type': FORM_TYPE, 'sec-fetch-mode': 'navigate', ...elsewhere() };
    const sent = request(`${server.url}/api/forms/${key.apiKeyId}/leads`, { method: 'POST', headers, agent: false });
    sent
      .on('response', (answer) => resolve(answer.resume()))
      .on('error', reject)
      .end(body);
  });

const received = async () => {
  const { body } = await server.call('GET', `/api/stock?waitFor=${await server.position()}`, undefined, administrator);
  return body.items.find(({ leadTypeId }: { leadTypeId: string }) => leadTypeId === 'exclusive-fresh')?.leads ?? 0;
};

describe('a form of a website', () => {
  test('brings a lead as JSON, and its page may read the answer', async () => {
    const before = await received();
    const reply = await send({ firstName: 'Ada', ...person(), comment: 'Please call' });
    expect([reply.status, reply.body]).toEqual([202, { received: true }]);
    expect(reply.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(reply.headers.get('vary')).toMatch(/Origin/);
    expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
    expect(await received()).toBe(before + 1);
  });

  test('brings a lead with its consent as a browser sends a form, and the browser is led to a page of its own', async () => {
    const fields = new URLSearchParams({
      ...person(),
      lastName: '',
      'consent.text': 'I agree to be called.',
      'consent.page': `${ORIGIN}/form`,
      'extraFields.campaign': 'spring',
    });
    const before = await received();
    expect((await send(`${fields}`)).body).toEqual({ received: true });
    expect(await received()).toBe(before + 1);
    // The box was not ticked.
    const withoutConsent = new URLSearchParams({ ...person(), 'consent.page': `${ORIGIN}/form` });
    expect((await send(`${withoutConsent}`)).status).toBe(202);
    const navigated = await navigate(`${new URLSearchParams(person())}`);
    expect([navigated.statusCode, navigated.headers.location]).toEqual([303, THANKS]);
  });

  test('is asked by browsers first, and answered for its origins only', async () => {
    const ask = (origin: string, formId = key.apiKeyId) =>
      server.call('OPTIONS', `/api/forms/${formId}/leads`, undefined, {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      });
    const asked = await ask(ORIGIN);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(asked.headers.get('access-control-allow-methods')).toBe('POST');
    expect(asked.headers.get('access-control-allow-headers')).toBe('content-type');
    for (const other of [await ask('https://evil.example'), await ask('https://app.example'), await ask(ORIGIN, 'x')])
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each<[string, Headers]>([
    ['of another site', { origin: 'https://evil.example' }],
    ['of a site of the store that the key does not name', { origin: 'https://app.example' }],
    ['of a site below the same name', { origin: 'https://a.landing.example' }],
    ['of a page that hides where it is', { origin: 'null' }],
    ['without an origin', { origin: '' }],
  ])('%s brings nothing', async (_, headers) => {
    const before = await received();
    const reply = await send(person(), headers);
    expect([reply.status, reply.body.code]).toEqual([403, 'origin-refused']);
    expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    expect(await received()).toBe(before);
  });

  /** How the store may know a person before a form is sent. */
  const persons: Readonly<Record<string, (contact: object & { email: string }) => Promise<unknown>>> = {
    'has the same record of': (contact) => send(contact),
    'has another record of': (contact) =>
      server.call('POST', '/api/leads', { leadTypeId: 'shared-aged', source: 'fair', contact }, bearer(key.token)),
    'never sells': (person) => server.call('POST', '/api/suppressions', { person }),
    async 'withdrew the lead of'(person) {
      await send(person);
      await server.call('POST', '/api/suppressions', { person });
    },
    async erased(person) {
      await send(person);
      const why = { ...administrator, 'leadger-reason': 'asked for it' };
      await server.call('POST', '/api/persons/erasures', { person: { email: person.email } }, why);
    },
  };
  /** What a sender may add: none of it counts here. */
  const senders: readonly Headers[] = [
    {},
    { 'idempotency-key': 'used', 'if-match': '"3"', 'leadger-reason': 'a call' },
  ];

  test.each(Object.entries(persons))('tells nobody that the store %s the person', async (_, known) => {
    const shown = async (body: object, headers: Headers) => {
      const { status, text, headers: names } = await send(body, headers);
      return { status, text, names: [...names.keys()].sort() };
    };
    for (const headers of senders) {
      const unknown = await shown(person(), headers);
      expect([unknown.status, unknown.text]).toEqual([202, '{"received":true}']);
      expect(unknown.names).not.toContain('leadger-position');
      const contact = person();
      await known(contact);
      for (const body of [contact, contact, { ...contact, comment: 'again' }])
        expect(await shown(body, headers)).toEqual(unknown);
    }
  });

  test('whose trap is filled in is answered alike; nothing is stored, and it is counted', async () => {
    const before = await received();
    const [real, spam] = [await send(person()), await send({ ...person(), website: 'https://spam.example' })];
    expect([spam.status, spam.text]).toEqual([real.status, real.text]);
    expect(await received()).toBe(before + 1);
    expect((await server.call('GET', '/metrics')).text).toMatch(/leadger_form_posts_total\{result="trap"\} 1\n/);
  });

  test('with fields that are wrong or unknown is refused with their names', async () => {
    expect((await send({ email: 'nobody' })).body.errors[0].field).toBe('email');
    expect((await send({ firstName: 'Ada' })).status).toBe(400);
    expect((await send({ ...person(), leadTypeId: 'shared-aged' })).body.errors).toEqual([
      { field: 'leadTypeId', message: 'is not a known field' },
    ]);
    expect((await send({ ...person(), comment: 'card 4111 1111 1111 1111' })).body.errors[0].field).toBe('comment');
    expect((await send('email=a%40example.org&email=b%40example.org')).body.errors[0].field).toBe('email');
    expect((await send('__proto__.x=1&email=a%40example.org')).status).toBe(400);
    expect((await send('consent.text=yes&consent.__proto__=1&email=a%40example.org')).status).toBe(400);
    expect((await send(`email=a%40example.org&comment=${'x'.repeat(70_000)}`)).status).toBe(413);
    expect(
      (await send(`{"email":"a@example.org","comment":"${'x'.repeat(70_000)}"}`, { 'content-type': JSON_TYPE })).status,
    ).toBe(413);
    expect((await send('a', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('is slowed down for one network, and others go on', async () => {
    const here = { 'x-forwarded-for': '203.0.113.9' };
    const sent = await Promise.all(Array.from({ length: 31 }, () => send({ website: 'x' }, here)));
    expect(sent.filter(({ status }) => status === 202)).toHaveLength(30);
    const refused = await send(person(), here);
    expect([refused.body.code, Number(refused.headers.get('retry-after')) > 0]).toEqual(['too-many-attempts', true]);
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect((await send(person())).status).toBe(202);
  });

  test('is slowed down as a whole by what was received, but never for the first of a network', async () => {
    const { apiKeyId } = (await server.call('POST', '/api/api-keys', grant(), administrator)).body;
    const homes = Array.from({ length: 24 }, elsewhere);
    const sendAll = (make: () => object, times: number) =>
      Promise.all(homes.flatMap((home) => Array.from({ length: times }, () => send(make(), home, apiKeyId))));
    // A robot: nothing of it is received.
    await sendAll(() => ({ website: 'x' }), 2);
    await sendAll(() => ({ email: 'none' }), 2);
    for (let round = 0; round < 25; round++) await sendAll(person, 1);
    expect((await send(person(), homes[0], apiKeyId)).status).toBe(429);
    expect((await send(person(), {}, apiKeyId)).status).toBe(202);
    expect((await send(person())).status).toBe(202);
  });

  test('ends with its key', async () => {
    const { apiKeyId } = (await server.call('POST', '/api/api-keys', grant(), administrator)).body;
    expect((await send(person(), {}, apiKeyId)).status).toBe(202);
    await server.call('POST', `/api/api-keys/${apiKeyId}/revoke`, undefined, administrator);
    for (const formId of [apiKeyId, 'none']) {
      const reply = await send(person(), {}, formId);
      expect([reply.status, reply.body.code]).toEqual([404, 'form-unknown']);
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('takes no session, no key and no name of who asks', async () => {
    const reply = await send(person(), { authorization: 'Bearer leadger_no', 'leadger-actor': 'staff:local' });
    expect(reply.status).toBe(202);
    const lead = (await server.call('GET', '/api/api-keys', undefined, administrator)).body.items[0];
    expect(lead).toMatchObject({ form: grant().form, origins: [ORIGIN] });
  });
});

describe('a key with a form', () => {
  test.each([
    ['without an origin', { origins: undefined }],
    ['with another role', { roles: ['lead-source', 'support'] }],
    ['that leads elsewhere', { form: { ...grant().form, thanksPage: 'https://evil.example/' } }],
  ])('%s is refused', async (_, more) => {
    const reply = await server.call('POST', '/api/api-keys', grant(more), administrator);
    expect([reply.status, reply.body.code]).toEqual([409, 'form-of-lead-source']);
  });

  test('of a lead type that does not exist is refused', async () => {
    const form = { ...grant().form, leadTypeId: 'none' };
    const reply = await server.call('POST', '/api/api-keys', grant({ form }), administrator);
    expect(reply.body.code).toBe('unknown-lead-type');
  });
});

test('a key that names origins is not taken from pages of others', async () => {
  const ask = async (origin?: string) =>
    server.call('GET', '/api/stores', undefined, { ...bearer(key.token), ...(origin && { origin }) });
  expect((await ask()).status).toBe(200);
  const elsewhereAllowed = await ask('https://app.example');
  expect([elsewhereAllowed.status, elsewhereAllowed.body.code]).toEqual([403, 'origin-refused']);
});

describe('the key of a lead source', () => {
  const bring = (contact: object, headers: Headers, source = 'api') =>
    server.call('POST', '/api/leads', { leadTypeId: 'exclusive-fresh', source, contact }, headers);

  test('reads the verdicts on its own leads, and no others', async () => {
    const own = bearer(key.token);
    const { token } = (await server.call('POST', '/api/api-keys', grant({ form: undefined }), administrator)).body;
    const contact = person();
    const first = (await bring(contact, own)).body;
    const second = (await bring(contact, bearer(token), 'fair')).body;
    const verdict = async (leadId: string, headers: Headers) => {
      const { status, body } = await server.call('GET', `/api/leads/${leadId}/verdict`, undefined, headers);
      return status === 200 ? body : status;
    };
    expect(await verdict(first.leadId, own)).toMatchObject({ verdict: 'accepted', match: null, withdrawnAs: null });
    expect(await verdict(second.leadId, bearer(token))).toMatchObject({
      ...{ leadId: second.leadId, verdict: 'duplicate', match: 'telephone and email' },
    });
    expect([await verdict(second.leadId, own), await verdict('none', own)]).toEqual([404, 404]);
    await server.call('POST', '/api/suppressions', { person: contact });
    expect(await verdict(first.leadId, own)).toMatchObject({ withdrawnAs: 'suppressed' });
  });

  test('does nothing else', async () => {
    const own = bearer(key.token);
    const { leadId } = (await bring(person(), own)).body;
    for (const path of ['orders', 'customers', 'tickets', 'mails', 'stock', 'feed', `leads/${leadId}`]) {
      const reply = await server.call('GET', `/api/${path}`, undefined, own);
      expect([path, reply.status]).toEqual([path, 403]);
    }
    const list = await server.call(
      'POST',
      '/api/suppressions/batches?listId=mine',
      'email\na@example.org\nb@example.org\n',
      {
        ...own,
        'content-type': 'text/csv',
      },
    );
    expect(list.status).toBe(403);
  });
});
