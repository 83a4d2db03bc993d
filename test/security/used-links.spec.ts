import { addSeconds } from '#domain/kernel/instants';
import { addCustomer, addMember, bearer, endTrial, keptMails, PASSWORD, signInto } from '#test/acceptance/staff';
import { type Reply, type Server, startServer } from '#test/e2e/server';

/* Links in mails: each opens what it was sent for, once, until it ends, and nothing else. */

let server: Server;

const mails = keptMails();
const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
const CHOSEN = 'another good and long one';

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  await endTrial(server);
});
afterAll(() => server.stop());

let people = 0;
const newAddress = () => `person${++people}@example.org`;
async function newCustomer() {
  const email = newAddress();
  return { email, ...(await addCustomer(server, mails, email)) };
}
const signedIn = async (email: string, password = PASSWORD) => bearer(await signInto(server, email, password));
/** For staff a session of before has ended by then. */
const pass = (seconds: number) => server.clock.moveTo(addSeconds(server.clock.now(), seconds));
const codeOf = ({ status, body }: Reply): string | number => (status < 300 ? status : body.code);
const post = async (path: string, body: object, headers = {}) => codeOf(await server.call('POST', path, body, headers));

async function recoveryOf(email: string): Promise<string> {
  await server.call('POST', '/api/password-recoveries', { email });
  await server.settle();
  return mails.tokenTo(email);
}
const recover = (token: string, password = CHOSEN) => post('/api/password-recoveries/complete', { token, password });
const confirm = (customerId: string, token: string) => post(`/api/customers/${customerId}/email/confirm`, { token });
const accept = (token: string) => post('/api/staff-invitations/accept', { token, password: PASSWORD });
async function changeAddress(customerId: string, headers: object, email: string): Promise<string> {
  await server.call('PUT', `/api/customers/${customerId}/email`, { email, currentPassword: PASSWORD }, { ...headers });
  await server.settle();
  return mails.tokenTo(email);
}
/** A code of an authenticator counts once, so that time must pass. */
async function asAdministrator(): Promise<Record<string, string>> {
  await pass(MINUTE);
  return signedIn('ada@example.com');
}
async function invited(): Promise<{ memberId: string; token: string }> {
  const administrators = await asAdministrator();
  const member = { email: newAddress(), roles: ['support'], stores: 'all' };
  const { memberId } = (await server.call('POST', '/api/staff-members', member, administrators)).body;
  await server.settle();
  return { memberId, token: mails.tokenTo(member.email) };
}

describe('a link to set a password', () => {
  test('works once', async () => {
    const { email } = await newCustomer();
    const token = await recoveryOf(email);
    expect([await recover(token), await recover(token), await recover(token, PASSWORD)]).toEqual([
      200,
      'link-invalid',
      'link-invalid',
    ]);
    expect((await server.call('POST', '/api/sign-ins', { email, password: CHOSEN })).status).toBe(200);
  });

  test('works half an hour', async () => {
    const { email } = await newCustomer();
    const token = await recoveryOf(email);
    await pass(30 * MINUTE);
    expect(await recover(token)).toBe('link-invalid');
  });

  test('works once, also when it is opened many times at once', async () => {
    const { email } = await newCustomer();
    const token = await recoveryOf(email);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => recover(token, `${CHOSEN} ${index}`)));
    expect(answers.filter((answer) => answer === 200)).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'link-invalid')).toHaveLength(7);
  });

  test('ends when its owner sets a password otherwise, or has another address', async () => {
    const one = await newCustomer();
    const first = await recoveryOf(one.email);
    const change = { password: CHOSEN, currentPassword: PASSWORD };
    await server.call('PUT', `/api/customers/${one.customerId}/password`, change, await signedIn(one.email));
    expect(await recover(first)).toBe('link-invalid');

    const other = await newCustomer();
    const headers = await signedIn(other.email);
    const toFormer = await recoveryOf(other.email);
    const token = await changeAddress(other.customerId, headers, newAddress());
    expect(await confirm(other.customerId, token)).toBe(200);
    expect(await recover(toFormer)).toBe('link-invalid');
  });

  test('signs nobody in, and opens no other account and nothing else', async () => {
    const [one, other] = [await newCustomer(), await newCustomer()];
    const token = await recoveryOf(one.email);
    const [, secret] = token.split('.');
    expect((await server.call('GET', '/api/orders', undefined, bearer(token))).body.code).toBe('token-ended');
    expect(await recover(`${other.customerId}.${secret}`)).toBe('link-invalid');
    expect(await confirm(one.customerId, token)).toBe('link-invalid');
    expect(await accept(token)).toBe('invitation-invalid');
    expect(await recover(token)).toBe(200);
  });
});

describe('a link to prove an address', () => {
  test('proves no address of another account', async () => {
    const email = newAddress();
    const account = { storeId: 'main', businessAssociation: email, timeZone: 'UTC', email, password: PASSWORD };
    await server.call('POST', '/api/customers', account);
    await server.settle();
    const token = mails.tokenTo(email);
    const other = await newCustomer();
    expect(await confirm(other.customerId, token)).toBe('link-invalid');
    expect(await recover(token)).toBe('link-invalid');
    expect((await server.call('POST', '/api/sign-ins', { email, password: PASSWORD })).status).toBe(401);
  });

  test('of a new one works once, half an hour, and not after a newer wish', async () => {
    const { customerId, email } = await newCustomer();
    const headers = await signedIn(email);
    const late = await changeAddress(customerId, headers, newAddress());
    await pass(30 * MINUTE);
    expect(await confirm(customerId, late)).toBe('link-invalid');
    const replaced = await changeAddress(customerId, headers, newAddress());
    const token = await changeAddress(customerId, headers, newAddress());
    expect(await confirm(customerId, replaced)).toBe('link-invalid');
    expect(await confirm(customerId, token)).toBe(200);
    const back = await changeAddress(customerId, await signedIn(await addressOf(customerId)), newAddress());
    expect(await confirm(customerId, back)).toBe(200);
    expect(await confirm(customerId, token)).toBe('link-invalid');
  });

  const addressOf = async (customerId: string): Promise<string> => {
    const headers = await asAdministrator();
    const path = `/api/customers/${customerId}?waitFor=${await server.position()}`;
    return (await server.call('GET', path, undefined, headers)).body.email;
  };
});

describe('an invitation', () => {
  test('works for a week, and not for who was removed', async () => {
    const late = await invited();
    await pass(7 * DAY);
    expect(await accept(late.token)).toBe('invitation-invalid');
    const removed = await invited();
    const headers = await asAdministrator();
    await server.call('POST', `/api/staff-members/${removed.memberId}/remove`, undefined, headers);
    expect(await accept(removed.token)).toBe('invitation-invalid');
  });

  test('is no link of a customer, and no session', async () => {
    const { token } = await invited();
    expect(await recover(token)).toBe('link-invalid');
    expect((await server.call('GET', '/api/orders', undefined, bearer(token))).body.code).toBe('token-ended');
    expect(await accept(token)).toBe(200);
  });
});

describe('a token that somebody else has, too', () => {
  /** How a session or a key ends, by what its owner does. */
  const ends: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
    async 'of a session that was signed out'() {
      const { email } = await newCustomer();
      const headers = await signedIn(email);
      await server.call('POST', '/api/sessions/current/end', undefined, headers);
      return headers;
    },
    async 'of a session before a new password'() {
      const { customerId, email } = await newCustomer();
      const headers = await signedIn(email);
      const change = { password: CHOSEN, currentPassword: PASSWORD };
      await server.call('PUT', `/api/customers/${customerId}/password`, change, headers);
      return headers;
    },
    async 'of a session before a recovery'() {
      const { email } = await newCustomer();
      const headers = await signedIn(email);
      await recover(await recoveryOf(email));
      return headers;
    },
    async 'of a member who was removed'() {
      const administrators = await asAdministrator();
      const email = newAddress();
      const member = await addMember(server, administrators, mails, { email, roles: ['support'] });
      await server.call('POST', `/api/staff-members/${member.memberId}/remove`, undefined, administrators);
      return member.headers;
    },
    async 'of a key that was revoked'() {
      const administrators = await asAdministrator();
      const expiresAt = addSeconds(server.clock.now(), DAY);
      const body = { name: 'page', roles: ['auditor'], stores: 'all', expiresAt };
      const { apiKeyId, token } = (await server.call('POST', '/api/api-keys', body, administrators)).body;
      await server.call('POST', `/api/api-keys/${apiKeyId}/revoke`, undefined, administrators);
      return bearer(token);
    },
  };

  test.each(Object.keys(ends))('%s opens no route of the document any more', async (name) => {
    const headers = (await ends[name]?.()) as Record<string, string>;
    const document = (await server.call('GET', '/api/openapi.json')).body;
    const answered: string[] = [];
    let tried = 0;
    for (const [path, methods] of Object.entries<object>(document.paths))
      for (const method of Object.keys(methods)) {
        // Health and metrics are answered to a network, a form of a website to its pages, whoever asks.
        if (!path.startsWith('/api/') || path.startsWith('/api/forms/')) continue;
        const reply = await server.call(method.toUpperCase(), path.replaceAll(/[{}]/g, ''), undefined, headers);
        tried += 1;
        if (reply.status !== 401 || reply.body.code !== 'token-ended')
          answered.push(`${method} ${path} ${reply.status}`);
      }
    expect(answered).toEqual([]);
    expect(tried).toBeGreaterThan(100);
  });
});
