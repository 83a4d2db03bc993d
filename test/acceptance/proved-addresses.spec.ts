import { copyOfMail, proveAddress, tokenInMail } from '#test/mail-copies';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

let people = 0;
async function newcomer() {
  people += 1;
  const [email, password] = [`newcomer${people}@example.org`, `long enough for anybody ${people}`];
  return { id: await shop.customer({ email, password }), email, password };
}
const signIn = (email: string, password: string) => shop.try('POST', '/api/sign-ins', { email, password });
const as = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });
const confirm = (id: string, token: string) => shop.try('POST', `/api/customers/${id}/email/confirm`, { token });

test('ACC-6: nobody signs in with an address before its owner opened the link that was sent there', async () => {
  const { id, email, password } = await newcomer();
  const early = await signIn(email, password);
  const wrong = await signIn(email, 'another password');
  expect([early.status, early.text]).toEqual([401, wrong.text]);
  expect(await shop.read(`/api/customers/${id}`)).toMatchObject({ emailProved: false });
  expect(await copyOfMail(shop, id, 'address-confirmation')).toContain(`To: ${email}`);

  await proveAddress(shop, id);
  expect(await signIn(email, password)).toMatchObject({ status: 200, body: { customerId: id } });
  expect(await shop.read(`/api/customers/${id}`)).toMatchObject({ emailProved: true });
});

test('ACC-6: the link proves the address for a day, and opening it again is no error', async () => {
  const { id } = await newcomer();
  const token = await tokenInMail(shop, id, 'address-confirmation');
  expect((await confirm(id, `${id}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`)).body.code).toBe('link-invalid');
  await shop.wait({ hours: 23 });
  expect((await confirm(id, token)).body.events).toEqual(['AddressConfirmed']);
  await shop.wait({ days: 2 });
  expect(await confirm(id, token)).toMatchObject({ status: 200, body: { events: [] } });

  const late = await newcomer();
  const expired = await tokenInMail(shop, late.id, 'address-confirmation');
  await shop.wait({ hours: 24 });
  expect((await confirm(late.id, expired)).body.code).toBe('link-invalid');
});

test('ACC-6: whose link has expired gets in by a recovery, which proves the address as well', async () => {
  const { id, email, password } = await newcomer();
  await shop.wait({ days: 30 });
  await shop.ask('POST', '/api/password-recoveries', { email });
  const token = await tokenInMail(shop, id, 'password-recovery');
  expect((await signIn(email, password)).status).toBe(401);
  await shop.ask('POST', '/api/password-recoveries/complete', { token, password: 'a new and long password' });
  expect((await signIn(email, 'a new and long password')).status).toBe(200);
});

test('ACC-6: the link to a new address proves that one, and the old one is told of the change', async () => {
  const { id, email, password } = await newcomer();
  await shop.ask('PUT', `/api/customers/${id}/email`, { email: 'moved.in@example.org' }, 200, as(id));
  await shop.ask('POST', `/api/customers/${id}/email/confirm`, {
    token: await tokenInMail(shop, id, 'address-change'),
  });
  expect((await signIn('moved.in@example.org', password)).status).toBe(200);
  const told = await copyOfMail(shop, id, 'address-changed');
  expect(told).toContain(`To: ${email}`);
  expect(told).toContain('has another e-mail address now');
  expect(told).not.toContain('moved.in');
  const off = { mailsOff: ['address-changed'] };
  expect((await shop.try('PUT', `/api/customers/${id}/mail-preferences`, off, as(id))).body.code).toBe(
    'mail-always-sent',
  );
});

test('ACC-6: the link to the address before proves nothing after the change', async () => {
  const { id } = await newcomer();
  const token = await tokenInMail(shop, id, 'address-confirmation');
  await shop.ask('PUT', `/api/customers/${id}/email`, { email: 'moved.on@example.org' }, 200, as(id));
  await shop.ask('POST', `/api/customers/${id}/email/confirm`, {
    token: await tokenInMail(shop, id, 'address-change'),
  });
  expect((await confirm(id, token)).body.code).toBe('link-invalid');
});
