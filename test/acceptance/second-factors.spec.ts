import { addSeconds } from '#domain/kernel/instants';
import { totpCode } from '#requests/totp';
import { type Server, startServer } from '#test/e2e/server';
import {
  addCustomer,
  addFactor,
  addMember,
  authenticatorOf,
  bearer,
  endTrial,
  keptMails,
  PASSWORD,
  prove,
  signInto,
} from './staff.ts';

type Headers = Record<string, string>;

let server: Server;
const mails = keptMails();
let administrator: Headers;
let orderId: string;

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  const { customerId } = await addCustomer(server, mails, 'own@example.org');
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 5, paymentToken: 'tok_ok' };
  ({ orderId } = (await server.call('POST', '/api/orders', order)).body);
  await server.settle();
  administrator = (await endTrial(server)).headers;
});
afterAll(() => server.stop());

const call = (method: string, path: string, body?: unknown, headers?: Headers) =>
  server.call(method, path, body, headers);
const codeOf = async (...request: Parameters<typeof call>) => {
  const { status, body } = await call(...request);
  return status < 300 ? status : body.code;
};
const signIn = (email: string, more: object = {}) =>
  call('POST', '/api/sign-ins', { email, password: PASSWORD, token: true, ...more });
const member = (email: string, roles: string[]) => addMember(server, administrator, mails, { email, roles });

/** Somebody whose invitation is accepted, and who has added nothing yet. */
async function newcomer(email: string, roles = ['support']) {
  const { body } = await call('POST', '/api/staff-members', { email, roles, stores: 'all' }, administrator);
  await server.settle();
  await call('POST', '/api/staff-invitations/accept', { token: mails.tokenTo(email), password: PASSWORD });
  const reply = await signIn(email);
  return { memberId: body.memberId as string, reply, headers: bearer(reply.body.token) };
}

const later = (minutes: number) => server.clock.moveTo(addSeconds(server.clock.now(), minutes * 60));
const afterMinutes = async (minutes: number) => {
  await later(minutes);
  administrator = bearer(await signInto(server, 'ada@example.com'));
};

/** As a keyboard of East Asia writes digits. */
const fullWidth = (digits: string): string =>
  digits.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));

describe('a member of staff without a second factor', () => {
  test('may add one, look at the session and sign out, and nothing else', async () => {
    const { reply, headers } = await newcomer('new@example.com', ['support', 'administrator']);
    expect(reply.body.factorRequired).toBe(true);
    for (const path of ['/api/orders', `/api/orders/${orderId}`, '/api/customers', '/api/staff-members', '/api/feed'])
      expect([path, await codeOf('GET', path, undefined, headers)]).toEqual([path, 'factor-required']);
    expect(await codeOf('POST', `/api/orders/${orderId}/pause`, undefined, headers)).toBe('factor-required');
    expect(await codeOf('GET', '/api/stores', undefined, headers)).toBe(200);
    expect((await call('GET', '/api/factors', undefined, headers)).body).toEqual({
      factors: [],
      recoveryCodesLeft: 0,
      required: true,
    });
    const { items } = (await call('GET', '/api/sessions', undefined, headers)).body;
    expect(items).toMatchObject([{ factor: 'password', current: true }]);
    expect(await codeOf('POST', '/api/sessions/current/end', undefined, headers)).toBe(200);
  });

  test('works from the first code on, and gets ten recovery codes', async () => {
    const { reply } = await newcomer('first@example.com');
    const headers = bearer(await addFactor(server, 'first@example.com', reply.body.token));
    expect(await codeOf('GET', '/api/orders', undefined, headers)).toBe(200);
    expect((await call('GET', '/api/factors', undefined, headers)).body).toMatchObject({
      factors: [{ kind: 'totp' }],
      recoveryCodesLeft: 10,
    });
    expect(new Set(authenticatorOf(server, 'first@example.com').recoveryCodes).size).toBe(10);
    expect((await call('GET', '/api/sessions', undefined, headers)).body.items).toMatchObject([{ factor: 'totp' }]);
  });

  test('has a new token then, and other sessions without a factor end', async () => {
    const { headers } = await newcomer('two@example.com');
    const other = (await signIn('two@example.com')).body.token;
    const token = await addFactor(server, 'two@example.com', other);
    expect(token).not.toBe(other);
    for (const old of [bearer(other), headers])
      expect(await codeOf('GET', '/api/sessions', undefined, old)).toBe('token-ended');
  });

  test('is told of a wrong code, and adds nothing that was not offered', async () => {
    const { headers } = await newcomer('wrong@example.com');
    const { body } = await call('POST', '/api/factors/totp', undefined, headers);
    expect(body.address).toMatch(/^otpauth:\/\/totp\/Main%20store:wrong%40example\.com\?.*secret=[A-Z2-7]{32}/);
    const confirm = (factorId: string, code: string) =>
      codeOf('POST', `/api/factors/totp/${factorId}/confirm`, { code, currentPassword: PASSWORD }, headers);
    const right = totpCode(body.secret, server.clock.now());
    expect(await confirm(body.factorId, right === '000000' ? '000001' : '000000')).toBe('factor-wrong');
    expect(await confirm('another', right)).toBe('factor-unknown');
    expect(await confirm(body.factorId, right)).toBe(200);
  });
});

test('a session alone adds no first factor: whoever found it open has no password', async () => {
  const { headers } = await newcomer('left-open@example.com');
  const { body } = await call('POST', '/api/factors/totp', undefined, headers);
  const code = totpCode(body.secret, server.clock.now());
  const confirm = (more: object) =>
    codeOf('POST', `/api/factors/totp/${body.factorId}/confirm`, { code, ...more }, headers);
  expect(await confirm({})).toBe('password-wrong');
  expect(await confirm({ currentPassword: 'another long password' })).toBe('password-wrong');
  expect(await confirm({ currentPassword: PASSWORD })).toBe(200);
});

test('a session alone moves no account to another address', async () => {
  const email = 'stays@example.org';
  const account = { storeId: 'main', businessAssociation: email, timeZone: 'UTC', email, password: PASSWORD };
  const { customerId } = (await call('POST', '/api/customers', account)).body;
  await server.settle();
  await call('POST', `/api/customers/${customerId}/email/confirm`, { token: mails.tokenTo(email) });
  const headers = bearer(await signInto(server, email));
  const move = (more: object, by = headers) =>
    codeOf('PUT', `/api/customers/${customerId}/email`, { email: 'goes@example.org', ...more }, by);
  expect([await move({}), await move({ currentPassword: 'another long password' })]).toEqual(
    Array(2).fill('password-wrong'),
  );
  expect(await move({ currentPassword: PASSWORD })).toBe(200);
});

describe('signing in with a second factor', () => {
  test('asks for a code, takes it once, and takes no other one', async () => {
    const email = 'sam@example.com';
    await member(email, ['support']);
    expect((await signIn(email)).body.code).toBe('factor-needed');
    const code = authenticatorOf(server, email).code();
    const asTyped = `${fullWidth(code.slice(0, 3))} ${code.slice(3)}`;
    const first = await signIn(email, { code: asTyped });
    expect([first.status, first.body.factorRequired]).toEqual([200, false]);
    for (const wrong of [code, '000000', 'aaaa-bbbb-cccc-dddd', 'é23456']) {
      const reply = await signIn(email, { code: wrong });
      expect([wrong, reply.status, reply.body.code]).toEqual([wrong, 401, 'factor-wrong']);
    }
    const withoutPassword = await call('POST', '/api/sign-ins', { email, password: 'another long one', code });
    expect(withoutPassword.body.code).toBe('sign-in-failed');
  });

  test('a code of half a minute before counts, and one of a minute before does not', async () => {
    const email = 'slow@example.com';
    const { reply } = await newcomer(email);
    const { body } = await call('POST', '/api/factors/totp', undefined, bearer(reply.body.token));
    const confirm = `/api/factors/totp/${body.factorId}/confirm`;
    const codeAt = (seconds: number) => totpCode(body.secret, addSeconds(server.clock.now(), seconds));
    const send = (code: string) =>
      codeOf('POST', confirm, { code, currentPassword: PASSWORD }, bearer(reply.body.token));
    expect([await send(codeAt(-60)), await send(codeAt(60))]).toEqual(['factor-wrong', 'factor-wrong']);
    expect(await send(codeAt(-30))).toBe(200);
  });

  test('takes each recovery code once; new ones take the place of the others', async () => {
    const email = 'rita@example.com';
    const { headers } = await member(email, ['support']);
    const [first, second] = authenticatorOf(server, email).recoveryCodes as [string, string];
    const typed = first.toUpperCase().replaceAll('-', ' ');
    expect((await signIn(email, { code: typed })).status).toBe(200);
    expect((await signIn(email, { code: first })).body.code).toBe('factor-wrong');
    const issued = await call('POST', '/api/factors/recovery-codes', undefined, headers);
    expect(issued.body.recoveryCodes).toHaveLength(10);
    expect((await signIn(email, { code: second })).body.code).toBe('factor-wrong');
    expect((await signIn(email, { code: issued.body.recoveryCodes[0] })).status).toBe(200);
  });

  test('is throttled, and a right password without a code forgets no failure', async () => {
    const email = 'tom@example.com';
    await member(email, ['support']);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect((await signIn(email, { code: '000000' })).body.code).toBe('factor-wrong');
      expect((await signIn(email)).body.code).toBe('factor-needed');
    }
    const sixth = await signIn(email, { code: '000000' });
    const seventh = await signIn(email, { code: '000000' });
    expect([sixth.body.code, seventh.body.code]).toContain('too-many-attempts');
  });

  test('customers may add one, and sign in with it then', async () => {
    const email = 'careful@example.org';
    await addCustomer(server, mails, email);
    const before = (await signIn(email)).body;
    expect(before.factorRequired).toBe(false);
    const elsewhere = bearer((await signIn(email)).body.token);
    const headers = bearer(await addFactor(server, email, before.token));
    expect(await codeOf('GET', '/api/orders', undefined, headers)).toBe(200);
    expect(await codeOf('GET', '/api/orders', undefined, elsewhere)).toBe('token-ended');
    expect((await signIn(email)).body.code).toBe('factor-needed');
    const { factors } = (await call('GET', '/api/factors', undefined, headers)).body;
    const removed = await call('POST', `/api/factors/${factors[0].factorId}/remove`, undefined, headers);
    expect(await codeOf('GET', '/api/orders', undefined, bearer(removed.body.token))).toBe(200);
    expect((await signIn(email)).status).toBe(200);
  });
});

describe('a factor that was proved a while ago', () => {
  const why = { 'leadger-reason': 'a test' };
  const needing = (customerId: string): [string, string, object?][] => [
    ['POST', `/api/orders/${orderId}/refunds`, { amountCents: 100 }],
    ['POST', '/api/persons/exports', { person: { customerId } }],
    ['POST', '/api/persons/erasures', { person: { customerId } }],
    ['POST', '/api/api-keys', { name: 'x', roles: ['auditor'], stores: 'all', expiresAt: '2026-06-01T00:00:00.000Z' }],
    ['POST', '/api/staff-members', { email: 'x@example.com', roles: ['support'], stores: 'all' }],
    ['POST', '/api/factors/totp'],
    ['PUT', '/api/staff-password', { currentPassword: PASSWORD, password: 'another long one' }],
  ];

  test('is proved again before money, data or rights are given away', async () => {
    const { customerId } = (await call('GET', `/api/orders/${orderId}`, undefined, administrator)).body;
    await later(11);
    const stale = { ...administrator, ...why };
    for (const [method, path, body] of needing(customerId))
      expect([path, await codeOf(method, path, body, stale)]).toEqual([path, 'factor-stale']);
    expect(await codeOf('GET', '/api/orders', undefined, stale)).toBe(200);
    const wrong = await call('POST', '/api/sessions/current/prove', { code: '000000' }, administrator);
    expect([wrong.status, wrong.body.code]).toEqual([409, 'factor-wrong']);
    const fresh = await prove(server, 'ada@example.com', administrator);
    expect(await codeOf('GET', '/api/sessions', undefined, administrator)).toBe('token-ended');
    administrator = fresh;
    expect(await codeOf('POST', `/api/orders/${orderId}/refunds`, { amountCents: 100 }, { ...fresh, ...why })).toBe(
      201,
    );
  });

  test('is not asked of programs', async () => {
    const key = { name: 'till', roles: ['support'], stores: 'all', expiresAt: '2026-06-01T00:00:00.000Z' };
    const { token } = (await call('POST', '/api/api-keys', key, administrator)).body;
    const refund = { amountCents: 100 };
    expect(await codeOf('POST', `/api/orders/${orderId}/refunds`, refund, { ...bearer(token), ...why })).toBe(201);
  });
});

describe('a mail tells the owner', () => {
  const newestTo = async (email: string) => {
    await server.settle();
    return mails.newestTo(email);
  };

  test('of a new factor, new recovery codes, a recovery code that was used, and a factor that was removed', async () => {
    await afterMinutes(60);
    const email = 'told@example.com';
    const { headers } = await member(email, ['support']);
    expect(await newestTo(email)).toContain('An authenticator app was added to your account');
    await call('POST', '/api/factors/recovery-codes', undefined, headers);
    expect(await newestTo(email)).toContain('New recovery codes were made');
    const { factors } = (await call('GET', '/api/factors', undefined, headers)).body;
    const token = await addFactor(server, email, headers.authorization.slice('Bearer '.length));
    await call('POST', `/api/factors/${factors[0].factorId}/remove`, undefined, bearer(token));
    expect(await newestTo(email)).toContain('An authenticator app was removed from your account');
  });

  test('of other roles; and all administrators of a new API key', async () => {
    const { memberId } = await member('roles@example.com', ['support']);
    const roles = { roles: ['support', 'auditor'], stores: 'all' };
    await call('PUT', `/api/staff-members/${memberId}/roles`, roles, administrator);
    expect(await newestTo('roles@example.com')).toContain('What you may do was changed');
    await member('second@example.com', ['administrator']);
    const key = { name: 'mailed', roles: ['auditor'], stores: 'all', expiresAt: '2026-06-01T00:00:00.000Z' };
    await call('POST', '/api/api-keys', key, administrator);
    for (const email of ['ada@example.com', 'second@example.com'])
      expect(await newestTo(email)).toContain('A new API key was issued');
    expect(await newestTo('roles@example.com')).not.toContain('API key');
  });
});

describe('a way back', () => {
  test('an administrator takes away the factors of a member who lost them', async () => {
    await afterMinutes(60);
    const email = 'lost@example.com';
    const { memberId, headers } = await member(email, ['support']);
    const reset = `/api/staff-members/${memberId}/reset-factors`;
    expect(await codeOf('POST', reset, undefined, headers)).toBe('administrator-only');
    expect(await codeOf('POST', reset, undefined, administrator)).toBe(200);
    expect(await codeOf('GET', '/api/sessions', undefined, headers)).toBe('token-ended');
    await server.settle();
    expect(mails.newestTo(email)).toContain('Your second factors were reset');
    const again = await signIn(email);
    expect(again.body.factorRequired).toBe(true);
    const token = await addFactor(server, email, again.body.token);
    expect(await codeOf('GET', '/api/orders', undefined, bearer(token))).toBe(200);
  });

  test('nobody takes away the own factors, and staff keep one', async () => {
    const { items } = (await call('GET', '/api/staff-members', undefined, administrator)).body;
    const { memberId } = items[0];
    expect(await codeOf('POST', `/api/staff-members/${memberId}/reset-factors`, undefined, administrator)).toBe(
      'own-factors',
    );
    const { factors } = (await call('GET', '/api/factors', undefined, administrator)).body;
    expect(await codeOf('POST', `/api/factors/${factors[0].factorId}/remove`, undefined, administrator)).toBe(
      'last-factor',
    );
  });

  test('a member changes the own password: other sessions end, and this one goes on', async () => {
    const email = 'pass@example.com';
    const { headers } = await member(email, ['support']);
    const other = bearer(await signInto(server, email));
    const change = (body: object) => call('PUT', '/api/staff-password', body, headers);
    const password = 'another long one';
    expect((await change({ currentPassword: 'not this one', password })).body.code).toBe('password-wrong');
    expect((await change({ currentPassword: PASSWORD, password: 'password1234567' })).body.code).toBe(
      'password-guessable',
    );
    const changed = await change({ currentPassword: PASSWORD, password });
    expect(changed.status).toBe(200);
    expect(await codeOf('GET', '/api/orders', undefined, other)).toBe('token-ended');
    expect(await codeOf('GET', '/api/orders', undefined, bearer(changed.body.token))).toBe(200);
    expect((await signIn(email)).body.code).toBe('sign-in-failed');
    await server.settle();
    expect(mails.newestTo(email)).toContain('Your password was changed');
  });
});
