import { decode } from '#domain/codec';
import { looksStream } from '#domain/support/look';
import type { EventStore } from '#event-store/port';
import { type Server, startServer } from '#test/e2e/server';
import { EVENT_STORE } from '#wiring/tokens';
import { addCustomer, addMember, bearer, endTrial, keptMails, signInto } from './staff.ts';

let server: Server;
const mails = keptMails();
let administrator: Awaited<ReturnType<typeof endTrial>>;
let customerId: string;
let orderId: string;

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  ({ customerId } = await addCustomer(server, mails, 'own@example.org'));
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 5, paymentToken: 'tok_ok' };
  ({ orderId } = (await server.call('POST', '/api/orders', order)).body);
  await server.settle();
  administrator = await endTrial(server);
  const customer = bearer(await signInto(server, 'own@example.org'));
  const name = { firstName: 'Ada', lastName: 'Quintessa' };
  await server.call('PUT', `/api/customers/${customerId}/name`, { name }, customer);
  const why = { ...administrator.headers, 'leadger-reason': 'Quintessa called' };
  for (const act of ['pause', 'restart']) await server.call('POST', `/api/orders/${orderId}/${act}`, undefined, why);
});
afterAll(() => server.stop());

const member = (email: string, roles: string[], stores?: string[]) =>
  addMember(server, administrator.headers, mails, { email, roles, ...(stores && { stores }) });

test('SUP-2: an auditor sees what happened, and personal data only when the log says who looked, and why', async () => {
  const { memberId, headers } = await member('aud@example.com', ['auditor']);
  const get = (path: string, more = {}) => server.call('GET', path, undefined, { ...headers, ...more });
  const history = await get(`/api/orders/${orderId}/history`);
  expect(history.body.events.at(-1)).toMatchObject({ type: 'OrderRestarted', reason: { hidden: true } });
  expect(history.text).not.toContain('Quintessa');
  expect((await get(`/api/customers/${customerId}`)).body.code).toBe('other-role');
  expect((await server.call('POST', `/api/orders/${orderId}/pause`, undefined, headers)).status).toBe(403);

  const path = `/api/customers/${customerId}/whole-history`;
  expect((await get(path)).body.code).toBe('reason-missing');
  const shown = await get(path, { 'leadger-reason': 'case 7' });
  expect([shown.status, shown.text.includes('Quintessa')]).toEqual([200, true]);
  const looks = [];
  for await (const event of server.application.get<EventStore>(EVENT_STORE).readStream(looksStream(customerId)))
    looks.push(decode(event));
  expect(looks).toMatchObject([{ type: 'CustomerHistoryShown', cause: { actor: `staff:${memberId}` } }]);
});

test('support of one store sees the mails, webhooks and coupons of that store, and no others', async () => {
  const store = { storeId: 'far', name: 'Far', webAddress: 'https://far.example' };
  await server.call('POST', '/api/stores', store, administrator.headers);
  const coupon = { couponCode: 'MAIN 10', storeIds: ['main'], discount: { percent: 10 } };
  await server.call('POST', '/api/coupons', coupon, administrator.headers);
  const delivery = { mails: 'each', webhookUrl: 'https://crm.example/leads' };
  const asSupport = { ...administrator.headers, 'leadger-reason': 'asked by telephone' };
  await server.call('PUT', `/api/customers/${customerId}/lead-delivery`, delivery, asSupport);
  const contact = { telephone: '+1 212 555 0177' };
  const lead = { leadTypeId: 'exclusive-fresh', source: 'web', contact };
  await server.call('POST', '/api/leads', lead, administrator.headers);
  await server.settle();
  const here = await member('near@example.com', ['support'], ['main']);
  const there = await member('far@example.com', ['support'], ['far']);
  const position = await server.position();
  for (const path of ['/api/mails', '/api/webhooks', '/api/coupons']) {
    const seenBy = async ({ headers }: typeof here) =>
      (await server.call('GET', `${path}?waitFor=${position}`, undefined, headers)).body.items.length;
    expect([path, (await seenBy(here)) > 0, await seenBy(there)]).toEqual([path, true, 0]);
  }
});

test('staff of one store may change what belongs to it, and nothing of other stores or of all', async () => {
  const store = { storeId: 'other', name: 'Other', webAddress: 'https://other.example' };
  expect((await server.call('POST', '/api/stores', store, administrator.headers)).status).toBe(201);
  const roles = ['support', 'catalogue-manager'];
  const here = await member('here@example.com', roles, ['main']);
  const there = await member('there@example.com', roles, ['other']);
  const why = { 'leadger-reason': 'asked by telephone' };
  const pause = async ({ headers }: typeof here) =>
    (await server.call('POST', `/api/orders/${orderId}/pause`, undefined, { ...headers, ...why })).status;
  expect([await pause(there), await pause(here)]).toEqual([403, 200]);
  const refund = async ({ headers }: typeof here) =>
    (await server.call('POST', `/api/orders/${orderId}/refunds`, { amountCents: 100 }, { ...headers, ...why })).body
      .code;
  expect(await refund(there)).toBe('other-store');
  const price = {
    leadTypeId: 'exclusive-fresh',
    pricePerLeadCents: 700,
    currency: 'USD',
    smallestOrder: 1,
    largestOrder: 9,
  };
  const setPrice = async (storeId: string) =>
    (await server.call('POST', '/api/prices', { storeId, ...price }, there.headers)).status;
  expect([await setPrice('main'), await setPrice('other')]).toEqual([403, 201]);
  const type = { leadTypeId: 'new', name: 'New', exclusivity: 'exclusive', freshness: 'fresh', usualDelivery: 'soon' };
  const lead = { ...type, qualifiesForLoyaltyRewards: false };
  expect((await server.call('POST', '/api/lead-types', lead, there.headers)).body.code).toBe('other-store');

  const ticketOf = (at: typeof here) =>
    server.call('POST', '/api/tickets', { customerId, subject: 'Leads', message: 'Where?' }, { ...at.headers, ...why });
  expect([(await ticketOf(there)).body.code, (await ticketOf(here)).status]).toEqual(['not-yours', 201]);

  const wishes = { customerId, leadTypeId: 'exclusive-fresh', quantity: 5 };
  for (const [path, body] of [
    ['/api/orders', { ...wishes, paymentToken: 'tok_ok' }],
    ['/api/checkouts', wishes],
  ] as const) {
    const begin = async ({ headers }: typeof here) => server.call('POST', path, body, { ...headers, ...why });
    expect([path, (await begin(there)).body.code, (await begin(here)).status]).toEqual([path, 'not-yours', 201]);
  }
});

test('staff of one store change the coupons, mails, webhooks and factors of its customers, and a coupon of two stores not', async () => {
  const roles = ['support', 'catalogue-manager'];
  const here = await member('close@example.com', roles, ['main']);
  const there = await member('distant@example.com', roles, ['far']);
  const why = { 'leadger-reason': 'asked by telephone' };
  const post = async ({ headers }: typeof here, path: string, body?: object) => {
    const reply = await server.call('POST', path, body, { ...headers, ...why });
    return reply.body.code ?? reply.status;
  };
  const askedByBoth = async (path: string, body?: object) => [
    await post(there, path, body),
    await post(here, path, body),
  ];
  const idOfFirst = async (path: string, id: string) =>
    (await server.call('GET', path, undefined, here.headers)).body.items[0][id];

  const coupon = (couponCode: string, storeIds: string[]) => ({ couponCode, storeIds, discount: { percent: 10 } });
  expect(await askedByBoth('/api/coupons', coupon('CLOSE', ['main']))).toEqual(['other-store', 201]);
  expect(await askedByBoth('/api/coupons', coupon('BOTH', ['main', 'far']))).toEqual(['other-store', 'other-store']);
  await server.call('POST', '/api/coupons', coupon('ALL', ['main', 'far']), administrator.headers);
  const alternative = { customerId, insteadOf: 'ALL', couponCode: 'ALL again' };
  expect(await askedByBoth('/api/coupons/alternatives', alternative)).toEqual(['other-store', 'coupon-not-used']);
  const wishes = { customerId, leadTypeId: 'exclusive-fresh', quantity: 5 };
  const { checkoutId } = (await server.call('POST', '/api/checkouts', wishes, { ...here.headers, ...why })).body;
  await server.call('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'ALL' }, { ...here.headers, ...why });
  expect(await askedByBoth('/api/coupons/alternatives', alternative)).toEqual(['other-store', 201]);

  const mailId = await idOfFirst(`/api/mails?customerId=${customerId}`, 'mailId');
  expect(await askedByBoth(`/api/mails/${mailId}/retry`)).toEqual(['other-store', 'mail-sent']);
  expect(await askedByBoth(`/api/mails/${mailId}/acknowledge`)).toEqual(['other-store', 'mail-sent']);
  const webhookId = await idOfFirst('/api/webhooks', 'webhookId');
  expect(await askedByBoth(`/api/webhooks/${webhookId}/retry`)).toEqual(['not-yours', 200]);
  expect(await askedByBoth(`/api/customers/${customerId}/reset-factors`)).toEqual(['other-store', 200]);
});

test('a member of one store adds a second factor of the own account', async () => {
  const { headers } = await member('alone@example.com', ['support'], ['main']);
  expect((await server.call('POST', '/api/factors/totp', undefined, headers)).status).toBe(201);
});
