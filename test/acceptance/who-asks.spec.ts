import { addSeconds } from '#domain/kernel/instants';
import { firstAccountToken } from '#requests/staff';
import { openFeed } from '#test/e2e/feed-client';
import { type Server, startServer } from '#test/e2e/server';
import { waitUntil } from '#test/wait-until';
import { VAULT } from '#wiring/tokens';
import { addCustomer, addMember, bearer, endTrial, keptMails, PASSWORD, signInto } from './staff.ts';

type Headers = Record<string, string>;

let server: Server;
const mails = keptMails();
let administrator: Awaited<ReturnType<typeof endTrial>>;
let customers: Record<'own' | 'other', { customerId: string; orderId: string; headers: Headers }>;

const LEAD = {
  leadTypeId: 'exclusive-fresh',
  source: 'landing-page',
  contact: { firstName: 'Jean', telephone: '+1 212 555 0143' },
};
const expiresAt = '2026-06-01T00:00:00.000Z';

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  await aTrialIsOne();
  const own = await customerWithOrder('own');
  const other = await customerWithOrder('other');
  administrator = await endTrial(server);
  customers = {
    own: { ...own, headers: bearer(await signInto(server, 'own@example.org')) },
    other: { ...other, headers: bearer(await signInto(server, 'other@example.org')) },
  };
});
afterAll(() => server.stop());

const call = (method: string, path: string, body?: unknown, headers?: Headers) =>
  server.call(method, path, body, headers);
const status = async (...request: Parameters<typeof call>) => (await call(...request)).status;
const member = (email: string, roles: string[], stores?: string[]) =>
  addMember(server, administrator.headers, mails, { email, roles, ...(stores && { stores }) });

/** Before there is an administrator, whoever is at the machine may do everything. */
async function aTrialIsOne(): Promise<void> {
  expect((await call('GET', '/health')).body.trial).toBe(true);
  expect(await status('GET', '/api/customers')).toBe(200);
  expect(await status('GET', '/mails')).toBe(200);
}

const customerOfNow = (email: string) => addCustomer(server, mails, email);

async function customerWithOrder(name: string) {
  const { customerId } = await customerOfNow(`${name}@example.org`);
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 5, paymentToken: 'tok_ok' };
  const placed = await call('POST', '/api/orders', order);
  await server.settle();
  return { customerId, orderId: placed.body.orderId };
}

describe('a trial', () => {
  test('ends with the first administrator, for good', async () => {
    const second = await call('POST', '/api/staff-members/first', { email: 'eve@example.com', password: PASSWORD });
    expect([second.status, second.body.code]).toEqual([401, 'sign-in-needed']);
    const guess = { email: 'eve@example.com', password: PASSWORD, token: 'a guess' };
    expect((await call('POST', '/api/staff-members/first', guess)).body.code).toBe('first-account-token-wrong');
    const token = firstAccountToken(server.application.get(VAULT));
    expect((await call('POST', '/api/staff-members/first', { ...guess, token })).body.code).toBe('trial-over');
    const again = await call(
      'POST',
      '/api/staff-members/first',
      { email: 'eve@example.com', password: PASSWORD },
      administrator.headers,
    );
    expect(again.body.code).toBe('trial-over');
    expect((await call('GET', '/health')).body.trial).toBe(false);
  });

  test('is over: whoever says nothing of themselves is refused, and told how to sign in', async () => {
    for (const path of [
      '/api/customers',
      '/api/orders',
      `/api/orders/${customers.own.orderId}`,
      '/api/feed',
      '/mails',
    ]) {
      const reply = await call('GET', path);
      expect([path, reply.status]).toEqual([path, path === '/mails' ? 403 : 401]);
      if (reply.status === 401) expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect((await call('POST', `/api/orders/${customers.own.orderId}/pause`)).body.code).toBe('sign-in-needed');
    expect((await call('POST', '/api/leads', LEAD)).body.code).toBe('sign-in-needed');
    expect(await status('GET', '/api/stores')).toBe(200);
  });

  test('is over: the header of a trial is refused', async () => {
    for (const headers of [{}, administrator.headers]) {
      const reply = await call('GET', '/api/stores', undefined, { ...headers, 'leadger-actor': 'staff:local' });
      expect([reply.status, reply.body.code]).toEqual([400, 'actor-not-taken']);
    }
  });
});

describe('beside the machine of a trial', () => {
  let trial: Server;
  beforeAll(async () => {
    trial = await startServer({ mails: mails.gateway });
  });
  afterAll(() => trial.stop());

  test.each<[string, Headers]>([
    ['Forwarded', { forwarded: 'for=198.51.100.7' }],
    ['X-Forwarded-For', { 'x-forwarded-for': '198.51.100.7' }],
    ['X-Real-IP', { 'x-real-ip': '198.51.100.7' }],
    ['CF-Connecting-IP', { 'cf-connecting-ip': '198.51.100.7' }],
    ['Via', { via: '1.1 proxy' }],
  ])('whoever came through a proxy (%s) is nobody', async (_, headers) => {
    const reply = await trial.call('GET', '/api/customers', undefined, headers);
    expect([reply.status, reply.body.code]).toEqual([401, 'sign-in-needed']);
    const actor = await trial.call('GET', '/api/stores', undefined, { ...headers, 'leadger-actor': 'staff:local' });
    expect(actor.body.code).toBe('actor-not-taken');
  });

  test('the token that the programs print makes the first account; sessions and keys end with time', async () => {
    const token = firstAccountToken(trial.application.get(VAULT));
    const first = { email: 'xena@example.com', password: PASSWORD };
    const add = (more: object) =>
      trial.call('POST', '/api/staff-members/first', { ...first, ...more }, { via: '1.1 proxy' });
    expect((await add({})).body.code).toBe('sign-in-needed');
    expect((await add({ token, password: 'password1234567' })).body.code).toBe('password-guessable');
    expect((await add({ token })).status).toBe(201);

    const headers = bearer(await signInto(trial, first.email));
    const body = { name: 'an hour', roles: ['auditor'], stores: 'all', expiresAt: inMinutes(60) };
    const key = bearer((await trial.call('POST', '/api/api-keys', body, headers)).body.token);
    const seen = async (by: Headers) => (await trial.call('GET', '/api/orders', undefined, by)).status;
    await trial.clock.moveTo(inMinutes(29.9));
    expect([await seen(headers), await seen(key)]).toEqual([200, 200]);
    for (let used = 1; used < 24; used += 1) {
      await trial.clock.moveTo(inMinutes(29.9));
      expect(await seen(headers)).toBe(200);
    }
    expect(await seen(key)).toBe(401);
    await trial.clock.moveTo(inMinutes(5));
    expect(await seen(headers)).toBe(401);
    const again = bearer(await signInto(trial, first.email));
    await trial.clock.moveTo(inMinutes(30));
    expect(await seen(again)).toBe(401);
  });

  const inMinutes = (minutes: number): string => addSeconds(trial.clock.now(), minutes * 60);
});

describe('staff', () => {
  test('support works from the invitation on, and only administrators add others', async () => {
    const support = await member('sam@example.com', ['support']);
    expect(await status('GET', '/api/orders', undefined, support.headers)).toBe(200);
    expect(await status('GET', '/api/staff-members', undefined, support.headers)).toBe(403);
    const listed = await call('GET', '/api/staff-members', undefined, administrator.headers);
    expect(listed.body.items).toContainEqual(
      expect.objectContaining({
        memberId: support.memberId,
        email: 'sam@example.com',
        status: 'active',
        roles: ['support'],
      }),
    );
    const sold = { email: 'x@example.com', roles: ['administrator'], stores: 'all' };
    expect(await status('POST', '/api/staff-members', sold, support.headers)).toBe(403);
  });

  test('a role that is taken away is gone with the next request, and so are the sessions and the feeds', async () => {
    const { memberId, headers } = await member('tess@example.com', ['support', 'verifier']);
    const feed = await openFeed(server.url, '', headers);
    expect(feed.answer.status).toBe(200);
    const change = { roles: ['verifier'], stores: 'all' };
    expect(await status('PUT', `/api/staff-members/${memberId}/roles`, change, administrator.headers)).toBe(200);
    expect((await call('GET', '/api/orders', undefined, headers)).body.code).toBe('token-ended');
    await expect(feed.anything()).rejects.toThrow('the feed is over');

    const again = bearer(await signInto(server, 'tess@example.com'));
    expect((await call('GET', '/api/orders', undefined, again)).body.code).toBe('other-role');
    const more = { roles: ['verifier', 'auditor'], stores: 'all' };
    await call('PUT', `/api/staff-members/${memberId}/roles`, more, administrator.headers);
    await waitUntil(async () => (await status('GET', '/api/orders', undefined, again)) === 200);
  });

  test('a member who is removed is out at once, and cannot come back; name and address are erased', async () => {
    const { memberId, headers } = await member('uma@example.com', ['support']);
    expect(await status('POST', `/api/staff-members/${memberId}/remove`, undefined, administrator.headers)).toBe(200);
    expect(await status('POST', `/api/staff-members/${memberId}/remove`, undefined, administrator.headers)).toBe(200);
    expect(await status('GET', '/api/orders', undefined, headers)).toBe(401);
    const attempt = { email: 'uma@example.com', password: PASSWORD };
    expect(await status('POST', '/api/sign-ins', attempt)).toBe(401);
    await member('uma@example.com', ['support']);
  });

  test('the last administrator stays, also beside one who has not accepted the invitation', async () => {
    const path = `/api/staff-members/${administrator.memberId}`;
    const added = { email: 'vic@example.com', roles: ['administrator'], stores: 'all' };
    const { body } = await call('POST', '/api/staff-members', added, administrator.headers);
    expect((await call('POST', `${path}/remove`, undefined, administrator.headers)).body.code).toBe(
      'last-administrator',
    );
    const less = { roles: ['support'], stores: 'all' };
    expect((await call('PUT', `${path}/roles`, less, administrator.headers)).body.code).toBe('last-administrator');
    await call('POST', `/api/staff-members/${body.memberId}/remove`, undefined, administrator.headers);
  });

  test('an invitation works once, until it expires or a newer one is sent', async () => {
    const wen = { email: 'wen@example.com', roles: ['support'], stores: ['main'] };
    const { body } = await call('POST', '/api/staff-members', wen, administrator.headers);
    await server.settle();
    const first = mails.tokenTo(wen.email);
    await call('POST', `/api/staff-members/${body.memberId}/invite`, undefined, administrator.headers);
    await server.settle();
    const accept = (token: string) => call('POST', '/api/staff-invitations/accept', { token, password: PASSWORD });
    expect((await accept(first)).body.code).toBe('invitation-invalid');
    const second = mails.tokenTo(wen.email);
    const guessable = { token: second, password: 'password1234567' };
    expect((await call('POST', '/api/staff-invitations/accept', guessable)).body.code).toBe('password-guessable');
    expect((await accept(second)).status).toBe(200);
    expect((await accept(second)).body.code).toBe('invitation-invalid');
    expect((await accept('nobody.token')).body.code).toBe('invitation-invalid');
  });
});

describe('customers', () => {
  test('see their own orders, and not those of others', async () => {
    const { own, other } = customers;
    expect(await status('GET', `/api/orders/${own.orderId}`, undefined, own.headers)).toBe(200);
    expect(await status('GET', `/api/orders/${other.orderId}`, undefined, own.headers)).toBe(404);
    const { body } = await call('GET', '/api/orders', undefined, own.headers);
    expect(body.items.map(({ orderId }: { orderId: string }) => orderId)).toEqual([own.orderId]);
    expect(await status('POST', `/api/orders/${other.orderId}/pause`, undefined, own.headers)).toBe(403);
    expect(await status('POST', `/api/orders/${own.orderId}/pause`, undefined, own.headers)).toBe(200);
  });

  test('ACC-6: a new password ends all sessions', async () => {
    const { customerId } = await customerOfNow('changed@example.org');
    const [here, there] = [
      bearer(await signInto(server, 'changed@example.org')),
      bearer(await signInto(server, 'changed@example.org')),
    ];
    const change = { password: 'another long one', currentPassword: PASSWORD };
    expect(await status('PUT', `/api/customers/${customerId}/password`, change, here)).toBe(200);
    expect(await status('GET', '/api/orders', undefined, there)).toBe(401);
    expect(await status('GET', '/api/orders', undefined, here)).toBe(401);
  });

  test('ACC-6: recovery ends all sessions', async () => {
    await customerOfNow('recovered@example.org');
    const before = bearer(await signInto(server, 'recovered@example.org'));
    await call('POST', '/api/password-recoveries', { email: 'recovered@example.org' });
    await server.settle();
    const recovery = { token: mails.tokenTo('recovered@example.org'), password: 'another long one' };
    expect(await status('POST', '/api/password-recoveries/complete', recovery)).toBe(200);
    expect(await status('GET', '/api/orders', undefined, before)).toBe(401);
  });
});

describe('sessions', () => {
  const cookieOf = (reply: { headers: globalThis.Headers }): string =>
    (reply.headers.get('set-cookie') as string).split(';')[0] as string;
  const signInByCookie = (headers: Headers = {}) =>
    call('POST', '/api/sign-ins', { email: 'own@example.org', password: PASSWORD }, headers);

  test('a browser gets a cookie that no script reads and no other site sends', async () => {
    const reply = await signInByCookie();
    expect(reply.body).toEqual({ customerId: customers.own.customerId, factorRequired: false });
    const cookie = reply.headers.get('set-cookie');
    expect(cookie).toMatch(/^__Host-leadger-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax; Expires=/);
    expect(await status('GET', '/api/orders', undefined, { cookie: cookieOf(reply) })).toBe(200);
  });

  test('a cookie counts for what changes something only where its own pages sent it', async () => {
    const cookie = cookieOf(await signInByCookie());
    const restart = (headers: Headers) =>
      status('POST', `/api/orders/${customers.own.orderId}/restart`, undefined, { cookie, ...headers });
    expect(await restart({})).toBe(401);
    expect(await restart({ 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await restart({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await restart({ origin: server.url })).toBe(200);
  });

  test('a token from before signing in never becomes that of an account: the session of before ends', async () => {
    const planted = cookieOf(await signInByCookie());
    const reply = await signInByCookie({ cookie: planted, 'sec-fetch-site': 'same-origin' });
    expect(cookieOf(reply)).not.toBe(planted);
    expect(await status('GET', '/api/orders', undefined, { cookie: planted })).toBe(401);
    expect(await status('GET', '/api/orders', undefined, { cookie: cookieOf(reply) })).toBe(200);
    const made = `__Host-leadger-session=${'A'.repeat(43)}`;
    expect(cookieOf(await signInByCookie({ cookie: made, 'sec-fetch-site': 'same-origin' }))).not.toBe(made);
  });

  test('a token that was signed out with is refused, and its cookie is removed', async () => {
    const headers = bearer(await signInto(server, 'own@example.org'));
    const out = await call('POST', '/api/sessions/current/end', undefined, headers);
    expect([out.status, out.body]).toEqual([200, { ended: 1 }]);
    expect(out.headers.get('set-cookie')).toMatch(/Max-Age=0$/);
    const reply = await call('GET', '/api/orders', undefined, headers);
    expect([reply.status, reply.body.code]).toEqual([401, 'token-ended']);
  });

  test('are listed for their owner, who ends one, or all others', async () => {
    await customerOfNow('many@example.org');
    const signIn = async () => bearer(await signInto(server, 'many@example.org'));
    const [first, second, third] = [await signIn(), await signIn(), await signIn()];
    const list = async () => (await call('GET', '/api/sessions', undefined, third)).body.items;
    const items = await list();
    expect(items.map(({ current }: { current: boolean }) => current).toSorted()).toEqual([false, false, true]);
    const other = items.find(({ current }: { current: boolean }) => !current);
    expect(await status('POST', `/api/sessions/${other.sessionId}/end`, undefined, customers.own.headers)).toBe(404);
    expect(await status('POST', `/api/sessions/${other.sessionId}/end`, undefined, third)).toBe(200);
    expect(await list()).toHaveLength(2);
    expect((await call('POST', '/api/sessions/others/end', undefined, third)).body).toEqual({ ended: 1 });
    for (const headers of [first, second]) expect(await status('GET', '/api/orders', undefined, headers)).toBe(401);
    expect(await list()).toHaveLength(1);
  });
});

describe('programs', () => {
  const issue = async (roles: string[], details: object = {}) => {
    const body = { name: 'landing page', roles, stores: 'all', expiresAt, ...details };
    const reply = await call('POST', '/api/api-keys', body, administrator.headers);
    return { id: reply.body.apiKeyId as string, headers: bearer(reply.body.token), reply };
  };

  test('the key of a lead source delivers a lead, and reads nothing else', async () => {
    const { headers } = await issue(['lead-source']);
    const lead = await call('POST', '/api/leads', LEAD, headers);
    expect(lead.status).toBe(201);
    for (const path of ['/api/customers', '/api/orders', `/api/leads/${lead.body.leadId}`, '/api/coupons'])
      expect([path, await status('GET', path, undefined, headers)]).toEqual([path, 403]);
    for (const path of [
      '/api/staff-members',
      '/api/api-keys',
      '/api/read-models',
      `/api/orders/${customers.own.orderId}`,
    ])
      expect([path, await status('GET', path, undefined, headers)]).toEqual([path, 403]);
    const history = await call('GET', `/api/leads/${lead.body.leadId}/history`, undefined, administrator.headers);
    expect(history.body.events[0].actor).toMatch(/^system:/);
  });

  test('a key is shown once, and only its last use afterwards', async () => {
    const { id, headers } = await issue(['auditor']);
    const find = async () => {
      const { text, body } = await call('GET', '/api/api-keys', undefined, administrator.headers);
      expect(text).not.toContain(headers.authorization.slice(-43));
      return body.items.find(({ apiKeyId }: { apiKeyId: string }) => apiKeyId === id);
    };
    expect((await find()).lastUsedAt).toBeNull();
    expect(await status('GET', '/api/orders', undefined, headers)).toBe(200);
    expect((await find()).lastUsedAt).toBe(server.clock.now());
  });

  test('a repeat of the request issues no second key, and does not show the first one again', async () => {
    const key = { 'idempotency-key': 'the-same' };
    const body = { name: 'again', roles: ['lead-source'], stores: 'all', expiresAt };
    const first = await call('POST', '/api/api-keys', body, { ...administrator.headers, ...key });
    const second = await call('POST', '/api/api-keys', body, { ...administrator.headers, ...key });
    expect([second.status, second.body.apiKeyId]).toEqual([201, first.body.apiKeyId]);
    expect(second.body).not.toHaveProperty('token');
    expect(await status('GET', '/api/sessions', undefined, bearer(first.body.token))).toBe(200);
  });

  test('a key that is rotated works with both secrets for a while; a revoked one with none, and its feeds end', async () => {
    const { id, headers } = await issue(['auditor']);
    const rotation = { expiresAt, overlapSeconds: 3600 };
    const rotated = await call('POST', `/api/api-keys/${id}/rotate`, rotation, administrator.headers);
    const renewed = bearer(rotated.body.token);
    const both = async () => [
      await status('GET', '/api/orders', undefined, headers),
      await status('GET', '/api/orders', undefined, renewed),
    ];
    expect(await both()).toEqual([200, 200]);
    const feed = await openFeed(server.url, '', renewed);
    expect(await status('POST', `/api/api-keys/${id}/revoke`, undefined, administrator.headers)).toBe(200);
    expect(await both()).toEqual([401, 401]);
    await expect(feed.anything()).rejects.toThrow('the feed is over');
  });

  test.each([
    ['that has passed', '2026-03-01T00:00:00.000Z'],
    ['that is too far away', '2028-01-01T00:00:00.000Z'],
  ])('no key expires at an instant %s', async (_, instant) => {
    expect((await issue(['lead-source'], { expiresAt: instant })).reply.body.code).toBe('api-key-expiry');
  });

  test('no key gives rights to others', async () => {
    expect((await issue(['administrator'])).reply.status).toBe(400);
  });

  test.each(['nonsense', 'leadger_x_y', `leadger_${'a'.repeat(36)}_${'A'.repeat(43)}`])(
    'the token %s is refused, and its sender is not taken for nobody',
    async (token) => {
      const reply = await call('GET', '/api/stores', undefined, bearer(token));
      expect([reply.status, reply.body.code]).toEqual([401, 'token-ended']);
    },
  );
});
