import { customerStream } from '#domain/accounts/customer';
import { proveAddress } from '#test/mail-copies';
import type { Vault } from '#vault/vault';
import { VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

let people = 0;
/** A new account with its own address, which is proved, and password. */
async function account(details: Record<string, unknown> = {}) {
  people += 1;
  const email = `Member${people}@Example.org`;
  const password = `long enough for ${people}`;
  const id = await shop.customer({ email, password, ...details });
  await proveAddress(shop, id);
  return { id, email, password };
}
const signIn = async (email: string, password: string) =>
  (await shop.try('POST', '/api/sign-ins', { email, password })).status;
const as = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });

describe('signing in', () => {
  test('ACC-1: the user name is the full e-mail address; the password is chosen at registration or with the first order', async () => {
    const { id, email, password } = await account();
    const reply = await shop.try('POST', '/api/sign-ins', { email, password });
    expect(reply).toMatchObject({ status: 200, body: { customerId: id } });

    const later = await shop.customer({ email: 'later@example.org' });
    await proveAddress(shop, later);
    expect(await signIn('later@example.org', 'chosen with the order')).toBe(401);
    await shop.order(later);
    await shop.ask('PUT', `/api/customers/${later}/password`, { password: 'chosen with the order' }, 200, as(later));
    expect(await signIn('later@example.org', 'chosen with the order')).toBe(200);
  });

  test('ACC-1: a password without an e-mail address is refused', async () => {
    const registration = {
      storeId: 'main',
      businessAssociation: 'A',
      timeZone: 'UTC',
      password: 'long enough for all',
    };
    const { status, body } = await shop.try('POST', '/api/customers', registration);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'address-missing', errors: [{ field: 'email' }] });
  });

  test('ACC-2: the e-mail address and the password are case-sensitive', async () => {
    const { email, password } = await account();
    expect(await signIn(email, password)).toBe(200);
    expect(await signIn(email.toLowerCase(), password)).toBe(401);
    expect(await signIn(email, password.toUpperCase())).toBe(401);
    expect(await signIn('nobody@example.org', password)).toBe(401);
  });

  test('ACC-2: a password is the same in every form in which keyboards send it (RFC 8265), and never in another case', async () => {
    const { email } = await account({ password: 'Zo\u00eb 12 und \u00c5se und ich' });
    expect(await signIn(email, 'Zoe\u0308 12 und A\u030ase und ich')).toBe(200);
    expect(await signIn(email, 'Zo\u00eb\u00a012 und \u212bse und ich')).toBe(200);
    expect(await signIn(email, 'zo\u00eb 12 und \u00c5se und ich')).toBe(401);
    expect(await signIn(email, 'short')).toBe(401);
    const invisible = await shop.try('POST', '/api/customers', {
      storeId: 'main',
      businessAssociation: 'Invisible',
      timeZone: 'UTC',
      email: 'i@example.org',
      password: 'otters and 1234\u200b5678',
    });
    expect([invisible.status, invisible.body.errors[0].field]).toEqual([400, 'password']);
  });

  test('ACC-3: a request to reset a password does not reveal whether the address has an account', async () => {
    const { email } = await account();
    const known = await shop.try('POST', '/api/password-recoveries', { email });
    const unknown = await shop.try('POST', '/api/password-recoveries', { email: 'nobody@example.org' });
    expect([known.status, known.text]).toEqual([202, unknown.text]);
    expect(unknown.status).toBe(202);
  });

  test('ACC-3: a reset link that was never sent is refused', async () => {
    const { id, email } = await account();
    await shop.ask('POST', '/api/password-recoveries', { email });
    const guess = { token: `${id}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`, password: 'of a common thief' };
    const { status, body } = await shop.try('POST', '/api/password-recoveries/complete', guess);
    expect([status, body.code]).toEqual([409, 'link-invalid']);
    expect(await signIn(email, 'of a common thief')).toBe(401);
  });

  test.each(['Pat Private.x', 'pat.private@example.org.x', '+1 212 606 0777.x', 'Pat-Private.x'])(
    'ACC-3: what is typed in place of a reset link, such as %s, is refused, and no log has it',
    async (token) => {
      const before = shop.server.log.length;
      const reset = { token, password: 'of a total stranger' };
      const { status, body } = await shop.try('POST', '/api/password-recoveries/complete', reset);
      expect([status, body.code]).toEqual([409, 'link-invalid']);
      expect(shop.server.log.slice(before).join('')).not.toMatch(/private|606\W*0777/i);
    },
  );

  test('what is typed in place of an id is in no log', async () => {
    const before = shop.server.log.length;
    const name = { name: { firstName: 'Ada', lastName: 'Byron' } };
    const { status } = await shop.try('PUT', '/api/customers/Pat-Private/name', name, as('Pat-Private'));
    expect(status).toBe(404);
    expect(shop.server.log.slice(before).join('')).not.toMatch(/private/i);
  });
});

describe('a password', () => {
  test.each([
    ['too short', 'fourteen chars'],
    ['among the most common ones', 'passwordpassword'],
    ['the address', 'newcomer@example.org'],
    ['the name of the store', 'mainmainmainmain'],
  ])('ACC-1: is refused, with its field, when it is %s', async (_, password) => {
    const registration = {
      storeId: 'main',
      businessAssociation: 'New',
      timeZone: 'UTC',
      email: 'newcomer@example.org',
    };
    const { status, body, text } = await shop.try('POST', '/api/customers', { ...registration, password });
    expect([status, body.errors?.[0]?.field]).toEqual([400, 'password']);
    expect(text).not.toContain(password);
    const { id, password: currentPassword } = await account();
    const changed = await shop.try('PUT', `/api/customers/${id}/password`, { password, currentPassword }, as(id));
    if (!password.startsWith('newcomer')) expect(changed.status).toBe(400);
  });

  test('ACC-2: guesses at it are slowed down from one network, and the answer says for how long', async () => {
    const { email, password } = await account();
    for (let guess = 0; guess < 6; guess++) expect(await signIn(email, `guess number ${guess}`)).toBe(401);
    const { status, headers, body } = await shop.try('POST', '/api/sign-ins', { email, password });
    expect([status, body.code]).toEqual([429, 'too-many-attempts']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('ACC-4: guesses at the current one, to change it, are slowed down, too', async () => {
    const { id, password } = await account();
    const change = (currentPassword: string) =>
      shop.try('PUT', `/api/customers/${id}/password`, { password: 'another good one', currentPassword }, as(id));
    for (let guess = 0; guess < 6; guess++) expect((await change(`guess number ${guess}`)).status).toBe(409);
    expect((await change(password)).status).toBe(429);
  });
});

describe('account settings', () => {
  test('ACC-4: customers change their own settings, and no other customer’s', async () => {
    const { id } = await account();
    const other = await account();
    const changes: [string, Record<string, unknown>][] = [
      ['name', { name: { firstName: 'Ada', lastName: 'Byron' } }],
      ['postal-address', { postalAddress: { address: '1 Elm', city: 'Albany', country: 'US' } }],
      ['business-association', { businessAssociation: 'Best Travel Club' }],
      ['mail-preferences', { mailsOff: ['leads-delivered'] }],
    ];
    for (const [what, change] of changes) {
      await shop.ask('PUT', `/api/customers/${id}/${what}`, change, 200, as(id));
      const refused = await shop.try('PUT', `/api/customers/${id}/${what}`, change, as(other.id));
      expect([refused.status, refused.body.code]).toEqual([403, 'not-yours']);
    }
    expect(await shop.read(`/api/customers/${id}`)).toMatchObject({
      name: { firstName: 'Ada', lastName: 'Byron' },
      postalAddress: { address: '1 Elm', city: 'Albany', country: 'US' },
      businessAssociation: 'Best Travel Club',
      mailsOff: ['leads-delivered'],
    });
  });

  test('ACC-4: support may change a customer’s settings and must give a reason', async () => {
    const { id } = await account();
    const change = { businessAssociation: 'By telephone' };
    const path = `/api/customers/${id}/business-association`;
    expect((await shop.try('PUT', path, change, { 'leadger-actor': 'staff:ann' })).body.code).toBe('reason-missing');
    await shop.ask('PUT', path, change, 200, { 'leadger-actor': 'staff:ann', 'leadger-reason': 'asked by telephone' });
    const { type, metadata } = (await shop.log()).findLast(({ stream }) => stream === `customer-${id}`) ?? {};
    expect([type, metadata.actor]).toEqual(['BusinessAssociationChanged', 'staff:ann']);
    expect(await shop.opened(metadata.reason)).toBe('asked by telephone');
  });

  test('ACC-4: a change of the password requires the current password', async () => {
    const { id, email, password } = await account();
    const path = `/api/customers/${id}/password`;
    const wrong = await shop.try('PUT', path, { password: 'another good one', currentPassword: 'not this' }, as(id));
    expect([wrong.status, wrong.body.code]).toEqual([409, 'password-wrong']);
    await shop.ask('PUT', path, { password: 'another good one', currentPassword: password }, 200, as(id));
    expect(await signIn(email, password)).toBe(401);
    expect(await signIn(email, 'another good one')).toBe(200);
  });

  test('ACC-4: the current e-mail address stays valid until the new one is confirmed', async () => {
    const { id, email, password } = await account();
    await shop.ask('PUT', `/api/customers/${id}/email`, { email: 'moved@example.org' }, 200, as(id));
    expect(await shop.read(`/api/customers/${id}`)).toMatchObject({ email, newEmail: 'moved@example.org' });
    expect(await signIn('moved@example.org', password)).toBe(401);
    expect(await signIn(email, password)).toBe(200);
    const guess = { token: 'guess' };
    expect((await shop.try('POST', `/api/customers/${id}/email/confirm`, guess)).body.code).toBe('link-invalid');
  });

  test('ACC-5: a changed business association applies to later deliveries', async () => {
    const one = await account({ businessAssociation: 'Joint Venture' });
    const two = await account({ businessAssociation: 'joint-venture' });
    const orders = [
      await shop.order(one.id, { leadTypeId: 'shared-fresh' }),
      await shop.order(two.id, { leadTypeId: 'shared-fresh' }),
    ];
    const delivered = () =>
      Promise.all(orders.map(async (id) => (await shop.read(`/api/orders/${id}`)).deliveredLeads as number));
    await shop.lead('shared-fresh');
    expect((await delivered()).sort()).toEqual([0, 1]);
    const change = { businessAssociation: 'On My Own' };
    await shop.ask('PUT', `/api/customers/${two.id}/business-association`, change, 200, as(two.id));
    await shop.lead('shared-fresh');
    const [first = 0, second = 0] = await delivered();
    expect(first + second).toBeGreaterThanOrEqual(3);
    expect(Math.min(first, second)).toBeGreaterThanOrEqual(1);
  });
});

test('ACC-2: the log contains no address, name or password in clear, and no fingerprint of one in a request', async () => {
  const registration = { storeId: 'main', businessAssociation: 'Secretive', timeZone: 'UTC' };
  const person = { email: 'Zebulon@example.org', password: 'never written down', name: { firstName: 'Zebulon' } };
  await shop.ask('POST', '/api/customers', { ...registration, ...person }, 201, { 'idempotency-key': 'zebulon' });
  await shop.ask('POST', '/api/password-recoveries', { email: person.email });
  const log = JSON.stringify(await shop.log());
  expect(log).toContain('PasswordRecoveryRequested');
  expect(log).not.toMatch(/zebulon@|"Zebulon"|never written/i);
});

test('nothing is stored any more about a customer who was erased, and nobody learns it by asking for a new password', async () => {
  const { id, email, password } = await account();
  const name = { firstName: 'Ann', lastName: 'Lee' };
  await shop.server.application.get<Vault>(VAULT).erase(customerStream(id));
  const refused = await shop.try('PUT', `/api/customers/${id}/name`, { name }, as(id));
  expect([refused.status, refused.body.code]).toEqual([409, 'person-erased']);
  const asked = await Promise.all(
    [email, 'nobody@example.org'].map((one) => shop.try('POST', '/api/password-recoveries', { email: one })),
  );
  expect(asked[0]?.status).toBe(asked[1]?.status);
  expect(await signIn(email, password)).toBe(401);
  const again = await shop.customer({ email, password });
  await proveAddress(shop, again);
  expect(again).not.toBe(id);
  expect(await signIn(email, password)).toBe(200);
});
