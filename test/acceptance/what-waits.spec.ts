import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { smtpMail } from '#gateways/mail';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
let mailServer: SMTPServer;
let mailServerAnswers: '250' | '451' | '550' = '250';
let isProviderAway = false;
let refundFails = false;
let customersProgram: HttpServer;

const outOfReach = () => Object.assign(new Error('out of reach'), { code: 'ECONNREFUSED' });

/** A sandbox that can be out of reach. */
function payments(): PaymentGateway {
  const sandbox = sandboxPayments();
  return {
    ...sandbox,
    async capture(...charge) {
      if (isProviderAway || charge[0].token === 'tok_away') throw outOfReach();
      return sandbox.capture(...charge);
    },
    async refund(...asked) {
      if (isProviderAway) throw outOfReach();
      return refundFails ? { refunded: false, failure: 'disputed' } : sandbox.refund(...asked);
    },
  };
}

beforeAll(async () => {
  mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _, callback) {
      const status = address.startsWith('full') ? 452 : Number(mailServerAnswers);
      callback(status === 250 ? undefined : Object.assign(new Error('no'), { responseCode: status }));
    },
    onData: (stream, _, callback) => stream.on('end', callback).resume(),
  });
  await once(mailServer.listen(0, '127.0.0.1'), 'listening');
  customersProgram = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  await once(customersProgram, 'listening');
  shop = await open();
});
afterAll(async () => {
  await shop.stop();
  await new Promise<void>((resolve) => mailServer.close(resolve));
  await new Promise((resolve) => customersProgram.close(resolve));
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const open = (options: Parameters<typeof openShop>[0] = {}): Promise<Shop> => {
  const url = `smtp://127.0.0.1:${portOf(mailServer.server)}`;
  return openShop({ mails: smtpMail({ url }), payments: payments(), ...options });
};
const listed = async (reason: string, customerId: string, from = shop) =>
  (await from.read(`/api/attention?reason=${reason}`)).items.filter(
    (item: { customerId: string }) => item.customerId === customerId,
  );
const ELEVEN_MINUTES = { seconds: 660 };

test('SUP-2: a charge without an answer is listed after ten minutes, until the provider answers', async () => {
  const customerId = await shop.customer();
  isProviderAway = true;
  const orderId = await shop.order(customerId);
  const placedAt = shop.now();
  expect(await listed('payment-waiting', customerId)).toEqual([]);
  await shop.wait(ELEVEN_MINUTES);
  expect(await listed('payment-waiting', customerId)).toMatchObject([
    { orderId, since: placedAt, storeId: 'main', why: 'the payment provider: it failed with ECONNREFUSED' },
  ]);
  isProviderAway = false;
  await shop.wait(ELEVEN_MINUTES);
  expect(await listed('payment-waiting', customerId)).toEqual([]);
});

test('SUP-2: a charge that is parked, and a refund that is stuck, say why', async () => {
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { paymentToken: 'tok_refused' });
  await shop.wait({ seconds: 120 });
  expect(await listed('payment-parked', customerId)).toMatchObject([
    { orderId, why: expect.stringMatching(/^capture-payment: the payment provider: ./) },
  ]);
  refundFails = true;
  const refunded = await shop.order(customerId);
  const by = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'as is right' };
  await shop.ask('POST', `/api/orders/${refunded}/refunds`, {}, undefined, by);
  await shop.server.settle();
  refundFails = false;
  expect(await listed('refund-stuck', customerId)).toMatchObject([
    { orderId: refunded, why: expect.stringMatching(/disput/) },
  ]);
});

test('LOY-1: a renewal whose charge has no answer is listed', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { leadTypeId, loyalty: { cadence: 'weekly' } });
  await shop.wait({ days: 6, hours: 23 });
  isProviderAway = true;
  await shop.wait({ hours: 1 });
  expect(await listed('renewal-waiting', customerId)).toEqual([]);
  await shop.wait(ELEVEN_MINUTES);
  expect(await listed('renewal-waiting', customerId)).toMatchObject([{ orderId, leadTypeId }]);
  isProviderAway = false;
  await shop.wait(ELEVEN_MINUTES);
  expect(await listed('renewal-waiting', customerId)).toEqual([]);
});

test('SUP-2: a mail that the mail server refuses is listed as given up, with the reason and without an order', async () => {
  mailServerAnswers = '550';
  const customerId = await shop.customer({ email: 'ada@example.com' });
  await shop.order(customerId);
  mailServerAnswers = '250';
  const found = await listed('mail-given-up', customerId);
  expect(found.length).toBeGreaterThan(0);
  const { mailId, why } = found[0];
  expect(found[0]).toMatchObject({ orderId: null, leadTypeId: null, storeId: 'main', mailId: expect.any(String) });
  expect(await shop.read(`/api/mails/${mailId}`)).toMatchObject({ status: 'refused', reason: why });
  await shop.wait({ days: 15 });
  expect(await listed('mail-given-up', customerId)).toEqual([]);
});

/** Has leads sent to a program of the customer, which takes none. */
const callProgramOf = (customerId: string, at: Shop) => {
  const webhookUrl = `http://127.0.0.1:${portOf(customersProgram)}/`;
  const as = { 'leadger-actor': `customer:${customerId}` };
  return at.ask('PUT', `/api/customers/${customerId}/lead-delivery`, { mails: 'digest', webhookUrl }, 200, as);
};

test('DLV-9: a message that the program of a customer does not take is listed with its order, until it is sent again', async () => {
  const customerId = await shop.customer();
  await callProgramOf(customerId, shop);
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(customerId, { leadTypeId, quantity: 1 });
  await shop.lead(leadTypeId);
  expect(await listed('webhook-parked', customerId)).toEqual([]);
  await shop.wait({ days: 4 });
  const [item] = await listed('webhook-parked', customerId);
  expect(item).toMatchObject({ orderId, webhookId: expect.any(String), why: 'it answered 503' });
});

test('SUP-2: a starving order says whether leads of its type are in stock at all', async () => {
  const leadTypeId = await shop.leadType();
  const customerId = await shop.customer();
  await shop.order(customerId, { leadTypeId });
  await shop.wait({ days: 3 });
  expect(await listed('starving', customerId)).toMatchObject([{ why: 'no-leads-in-stock' }]);
});

test('SUP-2: what a clock that was ahead noted is listed as soon as the clock is right, although its instants are not over', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-what-waits-'));
  const [ahead, right] = ['2026-03-09T15:00:00.000Z', '2026-03-02T15:00:00.000Z'];
  const before = await open({ directory, start: ahead });
  const customerId = await before.customer({ email: 'full@example.org' });
  await callProgramOf(customerId, before);
  const leadTypeId = await before.leadType();
  const paid = await before.order(customerId, { leadTypeId, quantity: 1 });
  await before.lead(leadTypeId);
  isProviderAway = true;
  const waiting = await before.order(customerId);
  const by = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'as is right' };
  await before.ask('POST', `/api/orders/${paid}/refunds`, {}, undefined, by);
  await before.stop();
  const now = await open({ directory, start: right });
  const found = (reason: string) => listed(reason, customerId, now);
  expect(await found('payment-waiting')).toMatchObject([{ orderId: waiting, since: ahead }]);
  expect(await found('refund-under-way')).toMatchObject([{ orderId: paid, since: ahead }]);
  expect(await found('webhook-waiting')).toMatchObject([{ orderId: paid, since: ahead, why: 'it answered 503' }]);
  const mails = (await now.read('/api/mails')).items;
  expect((await found('mail-waiting')).length).toBe(mails.length);
  expect((await found('mail-waiting'))[0]).toMatchObject({ since: ahead, why: 'the mail server answered 452' });
  isProviderAway = false;
  await now.stop();
  await rm(directory, { recursive: true });
});

// The last one: these charges are tried again each minute, also of the days for which another test waits.
test('SUP-2: each charge and each mail that waits has its own reason, never that of another one', async () => {
  mailServerAnswers = '451';
  const [first, second] = [
    await shop.customer({ email: 'full@example.org' }),
    await shop.customer({ email: 'ada@example.org' }),
  ];
  await shop.order(first, { paymentToken: 'tok_away' });
  await shop.order(second, { paymentToken: 'tok_no_reply' });
  await shop.wait(ELEVEN_MINUTES);
  const why = async (reason: string, customerId: string) => (await listed(reason, customerId))[0]?.why;
  expect(await why('payment-waiting', first)).toBe('the payment provider: it failed with ECONNREFUSED');
  expect(await why('payment-waiting', second)).toBe('the payment provider: it failed');
  expect(await why('mail-waiting', first)).toBe('the mail server answered 452');
  expect(await why('mail-waiting', second)).toBe('the mail server answered 451');
  mailServerAnswers = '250';
});
