import { trialCaller } from '#domain/kernel/caller';
import { CommandHandler } from '#requests/command-handler';
import type { Dispatch } from '#requests/request-tools';
import { createRequests } from '#requests/requests';
import type { Reply } from '#test/e2e/server';
import { copyOfMail, proveAddress, tokenInMail } from '#test/mail-copies';
import type { Vault } from '#vault/vault';
import { VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

let people = 0;
const unknownAddress = () => `walk.in${++people}@example.org`;
async function member(details: Record<string, unknown> = {}) {
  people += 1;
  const [email, password] = [`regular${people}@example.org`, `long enough for anybody ${people}`];
  const id = await shop.customer({ email, password, businessAssociation: `Own ${people}`, ...details });
  await proveAddress(shop, id);
  return { id, email, password };
}
const as = (customerId: string) => ({ 'leadger-actor': `customer:${customerId}` });
const typed = (email: string, details = {}) => ({
  email,
  storeId: 'main',
  businessAssociation: 'Typed in',
  timeZone: 'Asia/Tokyo',
  password: 'typed by somebody',
  name: { firstName: 'Typed' },
  ...details,
});
const wish = { leadTypeId: 'exclusive-fresh', quantity: 1 };
const order = (email: string, details = {}, headers = {}) =>
  shop.try('POST', '/api/orders', { ...wish, paymentToken: 'tok_ok', account: typed(email), ...details }, headers);
const checkout = (email: string, details = {}) =>
  shop.try('POST', '/api/checkouts', { ...wish, account: typed(email), ...details });
const signIn = async (email: string, password: string) =>
  (await shop.try('POST', '/api/sign-ins', { email, password })).status;
const customerOf = async (orderId: string): Promise<string> => (await shop.read(`/api/orders/${orderId}`)).customerId;

const ids = /[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** All that is sent back, but for ids and the time. */
const shown = ({ status, headers, text }: Reply) => ({
  status,
  headers: [...headers].filter(([name]) => name !== 'date').map(([name, value]) => [name, value.replace(ids, 'ID')]),
  text: text.replace(ids, 'ID'),
});

describe('an order without sign-in', () => {
  test('ACC-7: makes the account of a new address, whose owner proves it and signs in with the password that was chosen', async () => {
    const email = unknownAddress();
    const { status, body } = await order(email);
    expect(status).toBe(201);
    const id = await customerOf(body.orderId);
    expect(await shop.read(`/api/customers/${id}`)).toMatchObject({
      email,
      businessAssociation: 'Typed in',
      timeZone: 'Asia/Tokyo',
      emailProved: false,
    });
    expect(await shop.read(`/api/orders/${body.orderId}`)).toMatchObject({ status: 'open', timeZone: 'Asia/Tokyo' });
    expect(await signIn(email, 'typed by somebody')).toBe(401);
    await proveAddress(shop, id);
    expect(await signIn(email, 'typed by somebody')).toBe(200);
  });

  test('ACC-7: belongs to the account of a known address, in any case of letters, and what was typed beside it is ignored', async () => {
    const { id, email, password } = await member();
    const before = await shop.read(`/api/customers/${id}`);
    const { body } = await order(email.toUpperCase());
    expect(await customerOf(body.orderId)).toBe(id);
    expect(await shop.read(`/api/customers/${id}`)).toEqual(before);
    expect(await shop.read(`/api/orders/${body.orderId}`)).toMatchObject({ timeZone: 'America/New_York' });
    expect([await signIn(email, 'typed by somebody'), await signIn(email, password)]).toEqual([401, 200]);
  });

  test('ACC-7: is answered alike for new and known addresses', async () => {
    const { email } = await member();
    for (const details of [{}, { loyalty: { cadence: 'weekly' } }, { expectedTotalCents: 1 }, { quantity: 9999999 }]) {
      const [known, unknown] = [await order(email, details), await order(unknownAddress(), details)];
      expect(shown(known)).toEqual(shown(unknown));
    }
  });

  test('ACC-7: sets no password of an account that has none', async () => {
    const email = unknownAddress();
    const id = await shop.customer({ email });
    await proveAddress(shop, id);
    await order(email);
    await shop.try('POST', '/api/checkouts', { ...wish, account: typed(email), password: 'beside the account' });
    expect(await shop.read(`/api/customers/${id}`)).toMatchObject({ hasPassword: false });
  });

  test('ACC-7: is seen and cancelled through the link in its mail, with a new address and a known one', async () => {
    for (const email of [unknownAddress(), (await member()).email]) {
      const { orderId } = (await order(email, { quantity: 5 })).body;
      const id = await customerOf(orderId);
      expect(await copyOfMail(shop, id, 'order-confirmed')).toContain(`To: ${email}`);
      const token = await tokenInMail(shop, id, 'order-confirmed');
      expect(await shop.ask('GET', `/api/order-links/${token}`)).toMatchObject({ orderId, status: 'open' });
      expect(await shop.ask('POST', `/api/order-links/${token}/cancel`)).toMatchObject({ orderId });
      expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled' });
      const { metadata } = (await shop.log()).findLast(({ type }) => type === 'OrderCancelled') ?? {};
      expect(metadata).toMatchObject({ actor: `customer:${id}`, authenticated: 'mail-link' });
    }
  });

  test('ACC-7: has a link that nobody can guess, and that ends when the account has another address', async () => {
    const { id, email } = await member();
    const { orderId } = (await order(email)).body;
    const token = await tokenInMail(shop, id, 'order-confirmed');
    const signedIn = await shop.order(id);
    for (const guess of [`${orderId}.AAAAAAAAAAAAAAAAAAAAAA`, orderId, token.replace(orderId, signedIn), 'x']) {
      expect((await shop.try('GET', `/api/order-links/${guess}`)).status).toBe(404);
      expect((await shop.try('POST', `/api/order-links/${guess}/cancel`)).body.code).toBe('link-invalid');
    }
    await shop.ask('PUT', `/api/customers/${id}/email`, { email: unknownAddress() }, 200, as(id));
    const change = await tokenInMail(shop, id, 'address-change');
    await shop.ask('POST', `/api/customers/${id}/email/confirm`, { token: change });
    expect((await shop.try('GET', `/api/order-links/${token}`)).status).toBe(404);
  });

  test('ACC-7: with a key is placed once, and makes one account', async () => {
    const email = unknownAddress();
    const key = { 'idempotency-key': 'order-without-sign-in' };
    const [first, again] = [await order(email, {}, key), await order(email, {}, key)];
    expect(again.text).toBe(first.text);
    const other = await order(unknownAddress(), {}, key);
    expect([other.status, other.body.code]).toEqual([422, 'key-reused']);
  });

  test('ACC-7: of several at once with a new address makes one account', async () => {
    const email = unknownAddress();
    const placed = await Promise.all([email, email.toUpperCase(), email].map((one) => order(one)));
    expect(placed.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(placed.map((reply) => JSON.stringify(shown(reply)))).size).toBe(1);
    expect(new Set(await Promise.all(placed.map(({ body }) => customerOf(body.orderId)))).size).toBe(1);
  });

  test('ACC-7: needs either a customer or an account', async () => {
    const { id, email } = await member();
    expect((await order(email, { customerId: id })).body.errors).toMatchObject([{ field: 'account' }]);
    expect((await order(email, { account: undefined })).body.errors).toMatchObject([{ field: 'customerId' }]);
    expect((await order(email, { account: { email } })).status).toBe(400);
  });

  test('ACC-7: of an erased customer makes a new account', async () => {
    const { id, email } = await member();
    const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
    await shop.ask('POST', '/api/persons/erasures', { person: { customerId: id } }, 200, support);
    const { body } = await order(email);
    expect(await customerOf(body.orderId)).not.toBe(id);
  });
});

/** A program that ends before it has written to a stream of this family. */
function endingBefore(family: 'customer' | 'order') {
  const { application, clock } = shop.server;
  const [handler, vault] = [application.get(CommandHandler), application.get<Vault>(VAULT)];
  const dispatch: Dispatch = async (command) => {
    if (command.stream.startsWith(`${family}-`)) throw new Error('the program ends here');
    return handler.execute(command);
  };
  return createRequests({ streams: handler.streams, vault, clock, dispatch });
}

test.each(['customer', 'order'] as const)(
  'ACC-7: an order of a new address whose program ended before it wrote the %s is placed by the store itself, once',
  async (family) => {
    const email = unknownAddress();
    const request = { ...wish, paymentToken: 'tok_ok', account: typed(email) };
    const context = { caller: trialCaller('staff:local'), commandId: `ended before ${family}` };
    const ended = endingBefore(family).orders.placeWithoutSignIn(request, context);
    await expect(ended).rejects.toThrow('the program ends here');
    await shop.wait({ seconds: 60 });
    await shop.wait({ seconds: 60 });
    const { items } = await shop.read('/api/orders?limit=1');
    expect(items).toMatchObject([{ status: 'open', timeZone: 'Asia/Tokyo' }]);
    expect(await shop.read(`/api/customers/${items[0].customerId}`)).toMatchObject({ email });
    expect(await copyOfMail(shop, items[0].customerId, 'address-confirmation')).toContain(`To: ${email}`);
    const placed = (await shop.log()).filter(
      ({ type, data }) => type === 'OrderPlaced' && data.customerId === items[0].customerId,
    );
    expect(placed).toHaveLength(1);
  },
);

describe('a checkout without sign-in', () => {
  test('ACC-7: is answered and shown alike for new and known addresses, and is placed by whoever started it', async () => {
    const { id, email } = await member();
    const [known, unknown] = [await checkout(email), await checkout(unknownAddress())];
    expect(shown(known)).toEqual(shown(unknown));
    const pages = await Promise.all(
      [known, unknown].map(({ body }) => shop.read(`/api/checkouts/${body.checkoutId}?`)),
    );
    expect(pages.map(({ checkoutId: _, ...page }) => page)[0]).toEqual(
      pages.map(({ checkoutId: _, ...page }) => page)[1],
    );
    expect(pages[0]).toMatchObject({ customerId: null, timeZone: null, totalCents: 600 });

    await shop.ask('POST', `/api/checkouts/${known.body.checkoutId}/quote`, { quantity: 2, timeZone: 'UTC' });
    const payment = { paymentToken: 'tok_ok', password: 'typed at the end' };
    const { orderId } = await shop.ask('POST', `/api/checkouts/${known.body.checkoutId}/place`, payment);
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({
      customerId: id,
      quantity: 2,
      timeZone: 'America/New_York',
    });
    expect(await tokenInMail(shop, id, 'order-confirmed')).toContain(orderId);
    expect(await signIn(email, 'typed at the end')).toBe(401);
    expect(await copyOfMail(shop, id, 'account-exists')).toContain('to open an account or to order');
  });
});

describe('one person stays one customer, signed in or not', () => {
  test('CPN-2: a coupon is used up for the account: it needs a sign-in, and nothing shows whether it was tried', async () => {
    const couponCode = 'ONE EACH';
    const discount = { percent: 10 };
    const terms = { couponCode, storeIds: ['main'], discount, validFrom: shop.now() };
    await shop.ask('POST', '/api/coupons', terms);
    const { id, email } = await member();
    await shop.order(id, { couponCode });
    for (const address of [email, unknownAddress()]) {
      expect((await order(address, { couponCode })).body.code).toBe('coupon-needs-sign-in');
      const { checkoutId } = (await checkout(address)).body;
      const refused = await shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode });
      expect(refused.body.code).toBe('coupon-needs-sign-in');
    }
    const { checkoutId } = (await checkout(email)).body;
    const tried = await shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode }, as(id));
    expect(tried.body).toMatchObject({ code: 'invalid-coupon', details: { reason: 'tried-before' } });

    const fresh = await member();
    const started = (await checkout(fresh.email)).body.checkoutId;
    await shop.ask('PUT', `/api/checkouts/${started}/coupon`, { couponCode }, 200, as(fresh.id));
    const { orderId } = await shop.ask('POST', `/api/checkouts/${started}/place`, { paymentToken: 'tok_ok' });
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ customerId: fresh.id, totalCents: 540 });
    const again = await shop.try('POST', '/api/orders', {
      ...wish,
      customerId: fresh.id,
      paymentToken: 'tok_ok',
      couponCode,
    });
    expect(again.body).toMatchObject({ details: { reason: 'tried-before' } });
  });

  test('DLV-3: the business is that of the account, whatever was typed', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const [one, other] = [
      await member({ businessAssociation: 'Twins' }),
      await member({ businessAssociation: 'twins' }),
    ];
    const orders = await Promise.all(
      [one, other].map(async ({ email }, index) => {
        const account = typed(email, { businessAssociation: `Different ${index}` });
        return (await order(email, { leadTypeId, account })).body.orderId;
      }),
    );
    await shop.lead(leadTypeId);
    const delivered = await Promise.all(
      orders.map(async (id) => (await shop.read(`/api/orders/${id}`)).deliveredLeads),
    );
    expect(delivered.sort()).toEqual([0, 1]);
  });

  test('DLV-4: the same person is not delivered again, with the address in another case', async () => {
    const email = unknownAddress();
    const [first, second] = [await shop.leadType(), await shop.leadType({ exclusivity: 'shared' })];
    const contact = { telephone: '+1 212 606 0707' };
    const one = (await order(email, { leadTypeId: second })).body.orderId;
    await shop.lead(second, { contact });
    expect(await shop.read(`/api/orders/${one}`)).toMatchObject({ deliveredLeads: 1 });
    const again = (await order(email.toUpperCase(), { leadTypeId: second, quantity: 2 })).body.orderId;
    expect(await customerOf(again)).toBe(await customerOf(one));
    await shop.olderLead(second, contact);
    await shop.olderLead(first, contact);
    expect(await shop.read(`/api/orders/${again}`)).toMatchObject({ deliveredLeads: 0 });
  });

  test('LOY: the programme is the account’s, and its customer holds and cancels it', async () => {
    const { id, email } = await member();
    const { orderId } = (await order(email, { quantity: 10, loyalty: { cadence: 'weekly' } })).body;
    expect(await shop.read(`/api/programmes/${orderId}`)).toMatchObject({ customerId: id });
    expect((await shop.try('POST', `/api/programmes/${orderId}/hold`, {}, as(id))).status).toBe(200);
    await shop.ask('POST', `/api/programmes/${orderId}/activate`, {}, 200, as(id));
    await shop.wait({ days: 7 });
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ customerId: id, renewals: 1 });
    expect(await copyOfMail(shop, id, 'renewal-done')).toContain(`To: ${email}`);
  });
});
