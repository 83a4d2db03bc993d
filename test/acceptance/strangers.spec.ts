import { type Server, startServer } from '#test/e2e/server';
import { addCustomer, endTrial, keptMails } from './staff.ts';

/** What somebody without an account may learn and do, once the trial is over. */
let server: Server;
const mails = keptMails();
let administrator: Awaited<ReturnType<typeof endTrial>>;

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  await addCustomer(server, mails, 'known@example.org');
  administrator = await endTrial(server);
});
afterAll(() => server.stop());

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  server.call(method, path, body, headers);

const account = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'UTC' };
const registering = (email: string) => ({ ...account, email, password: 'plenty of green bottles' });

test.each(['/%61pi/prices', '/ap%69/prices'])('looks at the token of a request also at %s', async (path) => {
  expect((await call('GET', path)).status).toBe(200);
  const wrong = { authorization: 'Bearer none' };
  expect((await call('GET', path, undefined, wrong)).body.code).toBe('token-ended');
  expect((await call('GET', path, undefined, { 'leadger-actor': 'staff:ada' })).body.code).toBe('actor-not-taken');
});

test('ACC-2: the link of an account that there is not is as invalid as a guess', async () => {
  const answers = [];
  for (const email of ['known@example.org', 'unknown@example.org']) {
    const { customerId } = (await call('POST', '/api/customers', registering(email))).body;
    for (const headers of [{}, { 'if-match': '"0"' }]) {
      const { status, body } = await call(
        'POST',
        `/api/customers/${customerId}/email/confirm`,
        { token: 'x' },
        headers,
      );
      answers.push({ status, ...body });
    }
  }
  expect(answers).toEqual(Array(4).fill(answers[0]));
  expect(answers[0]).toMatchObject({ status: 409, code: 'link-invalid' });
});

test('ACC-2: a registration does not tell how much the store has recorded', async () => {
  const { headers, body } = await call('POST', '/api/customers', registering('another@example.org'));
  expect(Object.keys(body).sort()).toEqual(['customerId', 'events']);
  expect([headers.get('etag'), headers.get('leadger-position')]).toEqual([null, null]);
});

test('only support registers somebody without an address', async () => {
  expect((await call('POST', '/api/customers', account)).body.code).toBe('sign-in-needed');
  expect((await call('POST', '/api/customers', account, administrator.headers)).status).toBe(201);
});

test('DLV-12: one network cannot suppress everybody', async () => {
  const suppress = async (number: number, headers = {}) => {
    const person = { telephone: `+1 212 555 ${1000 + number}` };
    return (await call('POST', '/api/suppressions', { person }, headers)).status;
  };
  const answers = [];
  for (let number = 0; number < 31; number++) answers.push(await suppress(number));
  expect(answers).toEqual([...Array(30).fill(200), 429]);
  expect(await suppress(32, administrator.headers)).toBe(200);
});

test('positions are not for visitors: the length of the log tells what others do', async () => {
  for (const position of ['0000000000000001', '9999999999999999'])
    for (const path of ['/api/stock', '/api/orders', '/api/factors'])
      expect((await call('GET', `${path}?waitFor=${position}`)).body.code).toBe('sign-in-needed');
});

test('one network opens some accounts, and no more: each is work of a password, for which others wait', async () => {
  const open = async (_: unknown, index: number) =>
    (await call('POST', '/api/customers', registering(`crowd-${index}@example.org`))).status;
  const answers = await Promise.all(Array.from({ length: 40 }, open));
  expect(answers.filter((status) => status === 201).length).toBeLessThanOrEqual(30);
  expect(answers).toContain(429);
  const checkout = { leadTypeId: 'exclusive-fresh', quantity: 5, account: registering('crowd@example.org') };
  expect((await call('POST', '/api/checkouts', checkout)).status).toBe(429);
});
