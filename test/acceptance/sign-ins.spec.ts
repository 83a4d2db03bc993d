import type { EventStore } from '#event-store/port';
import type { SessionStore } from '#sessions/session-store';
import { type Server, startServer } from '#test/e2e/server';
import { EVENT_STORE, SESSIONS } from '#wiring/tokens';
import { addCustomer, addMember, bearer, endTrial, keptMails, PASSWORD, signInto } from './staff.ts';

type Headers = Record<string, string>;

let server: Server;
const mails = keptMails();
let administrator: Headers;
const why = { 'leadger-reason': 'the laptop was stolen' };

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  await addCustomer(server, mails, 'early@example.org');
  administrator = (await endTrial(server)).headers;
});
afterAll(() => server.stop());

const call = (method: string, path: string, body?: unknown, headers?: Headers) =>
  server.call(method, path, body, headers);
const mailsTo = async (email: string) => {
  await server.settle();
  return mails.sent
    .filter(({ to, subject }) => to === email && subject.startsWith('Your account'))
    .map(({ text }) => text);
};
const firefox = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

describe('a browser that signs in', () => {
  const inBrowser = async (email: string, cookie = '') => {
    const reply = await call(
      'POST',
      '/api/sign-ins',
      { email, password: PASSWORD },
      {
        ...firefox,
        ...(cookie && { cookie }),
      },
    );
    if (reply.status !== 200) throw new Error(reply.text);
    return reply.headers.getSetCookie().map((one) => one.split(';')[0] as string);
  };

  test('is told to the owner where nobody signed in from it before: not the first one, and not again', async () => {
    const email = 'browsing@example.org';
    await addCustomer(server, mails, email);
    const [, first] = await inBrowser(email);
    expect(first).toMatch(/^__Host-leadger-browser=/);
    await inBrowser(email, first);
    expect(await mailsTo(email)).toEqual([]);
    const [, second] = await inBrowser(email);
    expect(await mailsTo(email)).toEqual([expect.stringContaining('from which nobody had signed in before')]);
    for (const known of [first, second]) await inBrowser(email, known);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  test('is told also where another account knows it, and to members of staff', async () => {
    const email = 'bea@example.com';
    await addMember(server, administrator, mails, { email, roles: ['support'] });
    const before = (await mailsTo(email)).length;
    await signInto(server, email);
    expect(await mailsTo(email)).toHaveLength(before);
    const wrong = await call('POST', '/api/sign-ins', { email, password: 'another long password' }, firefox);
    expect([wrong.status, (await mailsTo(email)).length]).toEqual([401, before]);
  });
});

test('the owner of an account lists the last sign-ins, also of sessions that ended', async () => {
  const email = 'lists@example.org';
  await addCustomer(server, mails, email);
  const ended = bearer(await signInto(server, email));
  await call('POST', '/api/sessions/current/end', undefined, ended);
  for (let index = 0; index < 20; index += 1) await signInto(server, email);
  const headers = bearer(await signInto(server, email));
  const { items } = (await call('GET', '/api/sign-ins', undefined, headers)).body;
  expect(items).toHaveLength(20);
  await call('POST', '/api/sessions/others/end', undefined, headers);
  const later = (await call('GET', '/api/sign-ins', undefined, headers)).body.items;
  expect(later.filter((one: { ended: boolean }) => !one.ended)).toMatchObject([{ current: true }]);
  expect((await call('GET', '/api/sign-ins')).status).toBe(401);
});

test('a customer is told of another password, changed or recovered, and not of the first one', async () => {
  const email = 'changes@example.org';
  const { customerId } = await addCustomer(server, mails, email);
  const headers = bearer(await signInto(server, email));
  expect(await mailsTo(email)).toEqual([]);
  const password = { password: 'another horse battery', currentPassword: PASSWORD };
  expect((await call('PUT', `/api/customers/${customerId}/password`, password, headers)).status).toBe(200);
  expect(await mailsTo(email)).toEqual([expect.stringContaining('Your password was changed')]);
  await call('POST', '/api/password-recoveries', { email });
  await server.settle();
  const recovery = { token: mails.tokenTo(email), password: 'a third horse battery' };
  expect((await call('POST', '/api/password-recoveries/complete', recovery)).status).toBe(200);
  expect(await mailsTo(email)).toHaveLength(2);
});

describe('administrators', () => {
  test('list and end the sessions of a member or a customer, with a reason, which is recorded and told', async () => {
    const { customerId } = await addCustomer(server, mails, 'ended@example.org');
    const member = await addMember(server, administrator, mails, { email: 'mel@example.com', roles: ['support'] });
    const customer = bearer(await signInto(server, 'ended@example.org'));
    const accounts: [string, string, Headers][] = [
      [`/api/customers/${customerId}`, 'ended@example.org', customer],
      [`/api/staff-members/${member.memberId}`, 'mel@example.com', member.headers],
    ];
    for (const [path, email, theirs] of accounts) {
      const { items } = (await call('GET', `${path}/sessions`, undefined, administrator)).body;
      expect(items).toMatchObject([{ current: false }]);
      const end = (headers: Headers) => call('POST', `${path}/sessions/end`, undefined, headers);
      expect((await end(administrator)).body.code).toBe('reason-missing');
      expect((await end({ ...theirs, ...why })).body.code).toBe('administrator-only');
      expect((await call('GET', `${path}/sessions`, undefined, theirs)).body.code).toBe('administrator-only');
      expect((await end({ ...administrator, ...why })).body).toEqual({ ended: 1 });
      expect((await call('GET', '/api/sessions', undefined, theirs)).body.code).toBe('token-ended');
      expect((await mailsTo(email)).at(-1)).toContain('An administrator ended all your sessions');
    }
    const streams = [];
    for await (const event of server.application.get<EventStore>(EVENT_STORE).readAll())
      if (event.type === 'SessionsEnded') streams.push(event.stream);
    expect(streams).toEqual([`signins-${customerId}`, `signins-${member.memberId}`]);
  });

  test('are told of an account that does not exist', async () => {
    for (const path of ['/api/customers/nobody', '/api/staff-members/nobody']) {
      const reply = await call('POST', `${path}/sessions/end`, undefined, { ...administrator, ...why });
      expect([path, reply.status]).toEqual([path, 404]);
    }
  });
});

test('nothing is kept of the sign-ins of a customer who was erased', async () => {
  const email = 'erased@example.org';
  const { customerId } = await addCustomer(server, mails, email);
  await signInto(server, email);
  const reply = await call('POST', '/api/persons/erasures', { person: { customerId } }, { ...administrator, ...why });
  expect(reply.status).toBe(200);
  const sessions = server.application.get<SessionStore>(SESSIONS);
  expect(await sessions.signInsOf(`customer:${customerId}`)).toEqual([]);
});
