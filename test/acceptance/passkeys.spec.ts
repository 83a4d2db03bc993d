import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { addSeconds } from '#domain/kernel/instants';
import { type Server, startServer } from '#test/e2e/server';
import { originOf, SoftwarePasskey, type Wrong } from './passkey.ts';
import { addCustomer, addFactor, bearer, endTrial, keptMails, PASSWORD, signInto } from './staff.ts';

type Headers = Record<string, string>;

let server: Server;
const mails = keptMails();
let administrator: Headers;

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  await addCustomer(server, mails, 'own@example.org');
  administrator = (await endTrial(server)).headers;
});
afterAll(() => server.stop());

const call = (method: string, path: string, body?: unknown, headers?: Headers) =>
  server.call(method, path, body, headers);
const outcomeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => (status < 300 ? status : body.code);
const signIn = (email: string, more: object = {}) =>
  call('POST', '/api/sign-ins', { email, password: PASSWORD, token: true, ...more });
const later = (minutes: number) => server.clock.moveTo(addSeconds(server.clock.now(), minutes * 60));

/** Somebody whose invitation is accepted, and who has added nothing yet. */
async function newcomer(email: string, roles = ['support']) {
  const { body } = await call('POST', '/api/staff-members', { email, roles, stores: 'all' }, administrator);
  await server.settle();
  await call('POST', '/api/staff-invitations/accept', { token: mails.tokenTo(email), password: PASSWORD });
  return { memberId: body.memberId as string, headers: bearer((await signIn(email)).body.token) };
}

const optionsToAdd = async (headers: Headers) => {
  const { body } = await call('POST', '/api/factors/passkeys/options', undefined, headers);
  return body;
};
const add = async (headers: Headers, key: SoftwarePasskey, more: object = {}, wrong: Wrong = {}) => {
  const passkey = key.create(await optionsToAdd(headers), wrong);
  return call('POST', '/api/factors/passkeys', { passkey, currentPassword: PASSWORD, ...more }, headers);
};
const optionsToSignIn = async () => (await call('POST', '/api/sign-ins/passkey/options')).body;
const signInWith = async (key: SoftwarePasskey, wrong: Wrong = {}, options?: object) => {
  const passkey = key.get((options ?? (await optionsToSignIn())) as never, wrong);
  return call('POST', '/api/sign-ins/passkey', { passkey, token: true });
};
const optionsToProve = async (headers: Headers) =>
  (await call('POST', '/api/sessions/current/prove/options', undefined, headers)).body;

/** A member who signs in with a passkey, and with nothing else but a password. */
async function memberWithPasskey(email: string, counter = 0) {
  const { headers: first, memberId } = await newcomer(email);
  const key = new SoftwarePasskey(server, counter);
  const { body } = await add(first, key, { name: 'Laptop' });
  return { key, memberId, headers: bearer(body.token), factorId: body.factorId, recoveryCodes: body.recoveryCodes };
}

describe('a passkey', () => {
  test('is added by a new member as the first factor, with recovery codes, and signs in alone', async () => {
    const { key, headers, recoveryCodes } = await memberWithPasskey('key@example.com');
    expect(recoveryCodes).toHaveLength(10);
    expect(outcomeOf(await call('GET', '/api/orders', undefined, headers))).toBe(200);
    const { factors } = (await call('GET', '/api/factors', undefined, headers)).body;
    expect(factors).toMatchObject([{ kind: 'passkey', name: 'Laptop' }]);

    const signedIn = await signInWith(key);
    expect(signedIn.body).toMatchObject({ factorRequired: false, token: expect.any(String) });
    const own = bearer(signedIn.body.token);
    const { items } = (await call('GET', '/api/sessions', undefined, own)).body;
    expect(items.find(({ current }: { current: boolean }) => current)).toMatchObject({ factor: 'passkey' });
    expect(outcomeOf(await call('GET', '/api/orders', undefined, own))).toBe(200);
  });

  test('is added by a customer, who signs in with it then; the password alone does not any more', async () => {
    const email = 'modern@example.org';
    const { customerId } = await addCustomer(server, mails, email);
    const key = new SoftwarePasskey(server);
    const added = await add(bearer(await signInto(server, email)), key);
    expect(added.status).toBe(200);
    expect((await signInWith(key)).body).toMatchObject({ customerId, factorRequired: false });
    expect((await signIn(email)).body.code).toBe('factor-needed');
  });

  test('needs the password as the first factor, and a fresh factor later', async () => {
    const { headers } = await newcomer('careful@example.com');
    const key = new SoftwarePasskey(server);
    const wrong = await add(headers, key, { currentPassword: 'another long password' });
    expect(outcomeOf(wrong)).toBe('password-wrong');
    const { body } = await add(headers, key);
    await later(11);
    const options = await call('POST', '/api/factors/passkeys/options', undefined, bearer(body.token));
    expect(outcomeOf(options)).toBe('factor-stale');
    administrator = bearer(await signInto(server, 'ada@example.com'));
  });

  test('is one of several, each with a name; the browser is told of those that are there', async () => {
    const { key, headers } = await memberWithPasskey('two@example.com');
    const second = new SoftwarePasskey(server);
    const options = await optionsToAdd(headers);
    expect(options.excludeCredentials).toMatchObject([{ id: key.id.toString('base64url') }]);
    expect(options).toMatchObject({ rp: { id: 'localhost', name: 'Main store' }, user: { name: 'two@example.com' } });
    const added = await call('POST', '/api/factors/passkeys', { passkey: second.create(options) }, headers);
    expect(added.body.recoveryCodes).toBeUndefined();
    for (const one of [key, second]) expect((await signInWith(one)).status).toBe(200);
    const again = await add(bearer(added.body.token), second);
    expect(outcomeOf(again)).toBe('passkey-known');
  });

  test('does not sign in any more when it is removed; the last one of a member stays', async () => {
    const { key, headers, factorId } = await memberWithPasskey('removes@example.com');
    expect(outcomeOf(await call('POST', `/api/factors/${factorId}/remove`, undefined, headers))).toBe('last-factor');
    const token = await addFactor(server, 'removes@example.com', headers.authorization?.slice(7) ?? '');
    const removed = await call('POST', `/api/factors/${factorId}/remove`, undefined, bearer(token));
    expect(outcomeOf(removed)).toBe(200);
    expect(outcomeOf(await signInWith(key))).toBe('sign-in-failed');
    await server.settle();
    const told = mails.sent.filter(({ to }) => to === 'removes@example.com').map(({ text }) => text);
    expect(told.join()).toMatch(/A passkey was added to your account[\s\S]+It happened at 2026-/);
    expect(told.at(-1)).toMatch(/A passkey was removed from your account[\s\S]+It happened at 2026-/);
  });
});

describe('what is not taken for a new passkey', () => {
  let headers: Headers;
  beforeAll(async () => {
    ({ headers } = await newcomer('wrong@example.com'));
  });

  const certificate = new Map<string, unknown>([
    ['fmt', 'packed'],
    [
      'attStmt',
      new Map<string, unknown>([
        ['alg', -7],
        ['sig', Buffer.from('x')],
        ['x5c', Buffer.from('x')],
      ]),
    ],
  ]);
  const wrongs: [string, Wrong][] = [
    ['a page of another origin', { origin: 'https://evil.example' }],
    ['a page inside a page of another origin', { crossOrigin: true }],
    ['another host', { party: 'evil.example' }],
    ['a person who was not verified', { isVerified: false }],
    ['a challenge that nobody gave', { challenge: 'bm9ib2R5IGdhdmUgaXQ' }],
    ['a statement with certificates', { format: certificate }],
  ];
  test.each(wrongs)('of %s', async (_, wrong) => {
    expect(outcomeOf(await add(headers, new SoftwarePasskey(server), {}, wrong))).toBe('factor-wrong');
  });

  test('of a challenge that was used, or is too old', async () => {
    await later(30);
    administrator = bearer(await signInto(server, 'ada@example.com'));
    ({ headers } = await newcomer('late@example.com'));
    const send = (options: object, key = new SoftwarePasskey(server)) =>
      call(
        'POST',
        '/api/factors/passkeys',
        { passkey: key.create(options as never), currentPassword: PASSWORD },
        headers,
      );
    const old = await optionsToAdd(headers);
    await later(5);
    expect(outcomeOf(await send(old))).toBe('factor-wrong');
    const used = await optionsToAdd(headers);
    const first = await send(used);
    expect(first.status).toBe(200);
    headers = bearer(first.body.token);
    expect(outcomeOf(await send(used))).toBe('factor-wrong');
  });

  test('of the challenge of another session, or one to sign in', async () => {
    const { headers: own } = await newcomer('one@example.com');
    const { headers: other } = await newcomer('another@example.com');
    const options = await optionsToAdd(own);
    const { challenge } = await optionsToAdd(other);
    const { challenge: ofSignIn } = await optionsToSignIn();
    for (const foreign of [challenge, ofSignIn]) {
      const passkey = new SoftwarePasskey(server).create({ ...options, challenge: foreign });
      const sent = await call('POST', '/api/factors/passkeys', { passkey, currentPassword: PASSWORD }, own);
      expect(outcomeOf(sent)).toBe('factor-wrong');
    }
  });
});

describe('what does not sign in', () => {
  const wrongs: [string, Wrong][] = [
    ['a page of another origin', { origin: 'https://evil.example' }],
    ['a page inside a page of another origin', { crossOrigin: true }],
    ['another host', { party: 'evil.example' }],
    ['a person who was not verified', { isVerified: false }],
    ['a challenge that nobody gave', { challenge: 'bm9ib2R5IGdhdmUgaXQ' }],
    ['a passkey that may be on several devices, and could not before', { isBackupEligible: true }],
  ];
  let key: SoftwarePasskey;
  let memberId: string;
  beforeAll(async () => {
    await later(30);
    administrator = bearer(await signInto(server, 'ada@example.com'));
    ({ key, memberId } = await memberWithPasskey('refused@example.com'));
  });

  test.each(wrongs)('%s', async (_, wrong) => {
    expect(outcomeOf(await signInWith(key, wrong))).toBe('sign-in-failed');
    // The next right one begins without a pause.
    expect((await signInWith(key)).status).toBe(200);
  });

  test('a challenge that was used, or is too old', async () => {
    const used = await optionsToSignIn();
    expect((await signInWith(key, {}, used)).status).toBe(200);
    expect(outcomeOf(await signInWith(key, {}, used))).toBe('sign-in-failed');
    const old = await optionsToSignIn();
    await later(5);
    expect(outcomeOf(await signInWith(key, {}, old))).toBe('sign-in-failed');
  });

  test('a passkey of another account, and one of nobody: all are answered alike', async () => {
    const account = Buffer.from(memberId).toString('base64url');
    const other = await memberWithPasskey('other@example.com');
    const stranger = new SoftwarePasskey(server);
    stranger.create({ rp: { id: 'localhost' }, user: { id: 'bm9ib2R5LWhlcmU' }, challenge: '' } as never);
    const replies = [
      await signInWith(other.key, { userHandle: account }),
      await signInWith(stranger),
      await signInWith(stranger, { userHandle: account }),
      await signInWith(stranger, { userHandle: 'Li4vLi4' }),
    ];
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(replies[0]?.body.code).toBe('sign-in-failed');
    const options = await optionsToSignIn();
    expect(options.allowCredentials).toEqual([]);
  });

  test('a counter that stays, or goes back: somebody has a copy', async () => {
    const counting = await memberWithPasskey('counts@example.com', 7);
    expect((await signInWith(counting.key)).status).toBe(200);
    expect((await signInWith(counting.key)).status).toBe(200);
    for (const counter of [counting.key.counter, 8, 0])
      expect(outcomeOf(await signInWith(counting.key, { counter }))).toBe('sign-in-failed');
    expect((await signInWith(counting.key)).status).toBe(200);
  });
});

describe('a passkey after a password', () => {
  test('is a second factor, and is proved again in its session', async () => {
    await later(30);
    administrator = bearer(await signInto(server, 'ada@example.com'));
    const email = 'both@example.com';
    const { key } = await memberWithPasskey(email);
    expect((await signIn(email)).body.code).toBe('factor-needed');
    const signedIn = await signIn(email, { passkey: key.get(await optionsToSignIn()) });
    expect(signedIn.body).toMatchObject({ factorRequired: false });
    const other = await memberWithPasskey('not-both@example.com');
    const foreign = await signIn(email, { passkey: other.key.get(await optionsToSignIn()) });
    expect([foreign.status, foreign.body.code]).toEqual([401, 'factor-wrong']);

    await later(11);
    const headers = bearer(signedIn.body.token);
    const prove = (passkey: object, by = headers) => call('POST', '/api/sessions/current/prove', { passkey }, by);
    expect(outcomeOf(await call('POST', '/api/factors/totp', undefined, headers))).toBe('factor-stale');
    expect(outcomeOf(await prove(key.get(await optionsToSignIn())))).toBe('factor-wrong');
    expect(outcomeOf(await prove(key.get(await optionsToProve(other.headers))))).toBe('factor-wrong');
    expect(outcomeOf(await prove(other.key.get(await optionsToProve(headers))))).toBe('factor-wrong');
    const options = await optionsToProve(headers);
    expect(options.allowCredentials).toMatchObject([{ id: key.id.toString('base64url') }]);
    const proved = await prove(key.get(options));
    expect(outcomeOf(await call('POST', '/api/factors/totp', undefined, bearer(proved.body.token)))).toBe(201);
    expect(outcomeOf(await call('GET', '/api/sessions', undefined, headers))).toBe('token-ended');
  });
});

test('without PUBLIC_URL, passkeys are for pages of the port that the store listens on, whatever Host a program sends', async () => {
  await later(30);
  administrator = bearer(await signInto(server, 'ada@example.com'));
  const { key } = await memberWithPasskey('port@example.com');
  const send = (passkey: object) =>
    withHost('localhost:4191', '/api/sign-ins/passkey', { passkey, token: true }).then(outcomeOf);
  const options = async () => (await withHost('localhost:4191', '/api/sign-ins/passkey/options')).body as never;
  expect(await send(key.get(await options(), { origin: 'http://localhost:4191' }))).toBe('sign-in-failed');
  expect(await send(key.get(await options()))).toBe(200);
});

/** `fetch` chooses the Host by itself. */
const withHost = (host: string, path: string, body?: object) =>
  new Promise<Awaited<ReturnType<typeof call>>>((resolve, reject) => {
    const headers = { host, ...(body && { 'content-type': 'application/json' }) };
    const sent = request(`${server.url}${path}`, { method: 'POST', headers }, async (answer) => {
      const answered = await text(answer);
      resolve({ status: answer.statusCode, body: JSON.parse(answered), text: answered } as never);
    });
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });

test('passkeys are for the pages of PUBLIC_URL, where there is one', async () => {
  const published = await startServer({ http: { edge: { publicUrl: 'https://shop.example:8443' } } });
  const { body } = await published.call('POST', '/api/sign-ins/passkey/options');
  expect(body.rpId).toBe('shop.example');
  expect(originOf(published)).toMatch(/^http:\/\/localhost:\d+$/);
  await published.stop();
});
