import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { type MailGateway, smtpMail } from '#gateways/mail';
import { stripePayments } from '#gateways/stripe-payments';
import { openShop, type Shop } from './shop.ts';

/** It stands in every token, explanation, answer of a gateway and wrong request of this file. */
const CANARY = 'Canary7Xq';
const SUPPORT = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'verified' };

const token = (what: string) => `pm_${CANARY}_${what}`;
const tokens = ['ok', 'changed', 'declined', 'unknown', 'away', 'checkout'].map(token);
const explanation = `We reached the person, says ${CANARY}.`;

/** A card error names words and texts of the provider's. */
const declined = (code: string) => ({ type: 'card_error', code, decline_code: `${CANARY}_word`, message: CANARY });
const replies: Readonly<Record<string, readonly [status: number, error: object]>> = {
  [token('declined')]: [402, declined('card_declined')],
  [token('unknown')]: [
    400,
    { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method', message: CANARY },
  ],
  [token('away')]: [500, { type: 'api_error', code: CANARY, message: CANARY }],
};

let provider: Server;
let isAway = true;
const asked: string[] = [];
let mailServer: SMTPServer;
const received: string[] = [];
let mails: MailGateway;
let directory: string;
let shop: Shop;

const listening = (server: Server | SMTPServer['server']) => (server.address() as AddressInfo).port;

async function startProvider(): Promise<number> {
  provider = createServer(async (request, response) => {
    const [, , resource, id = ''] = (request.url ?? '').split('/');
    const method = new URLSearchParams(await text(request)).get('payment_method') ?? decodeURIComponent(id);
    if (method) asked.push(method);
    const reply = method === token('away') && !isAway ? undefined : replies[method];
    const [status, body] = reply
      ? [reply[0], { error: reply[1] }]
      : [200, { id: `${resource}_1`, status: 'succeeded', customer: null }];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  return listening(provider);
}

/** Refuses one address for ever, and another one until further notice; its texts repeat them. */
async function startMailServer(): Promise<number> {
  mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _, done) {
      const responseCode = { gone: 550, busy: 451 }[address.split('.')[0] ?? ''];
      done(responseCode ? Object.assign(new Error(`<${address}> ${CANARY}`), { responseCode }) : undefined);
    },
    onData(stream, _, done) {
      void text(stream).then((mail) => {
        received.push(mail.replace(/=\r?\n/g, ''));
        done();
      });
    },
  });
  await new Promise<void>((resolve) => mailServer.listen(0, '127.0.0.1', resolve));
  return listening(mailServer.server);
}

beforeAll(async () => {
  const [paymentPort, mailPort] = [await startProvider(), await startMailServer()];
  mails = smtpMail({ url: `smtp://127.0.0.1:${mailPort}` });
  directory = await mkdtemp(join(tmpdir(), 'leadger-canaries-'));
  const server = { host: '127.0.0.1', port: paymentPort, protocol: 'http' } as const;
  shop = await openShop({
    directory,
    mails,
    payments: stripePayments({ secretKey: 'sk_test_1', server, now: () => Date.parse(shop?.now() ?? '') }),
  });
});
afterAll(async () => {
  await shop.stop();
  mails.close();
  await new Promise((resolve) => provider.close(resolve));
  await new Promise<void>((resolve) => mailServer.close(resolve));
  await rm(directory, { recursive: true });
});

const customer = (name: string) => shop.customer({ email: `${name}.buyer@example.org` });
const healthOf = async (process: string) =>
  (await shop.ask('GET', '/health')).processes.processes.find(({ name }: { name: string }) => name === process);

/** Every byte that the store wrote, by file. */
async function filesOfStore(): Promise<readonly [name: string, content: string][]> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as [string, string]));
}

const filesWith = async (content: string) =>
  (await filesOfStore()).filter(([, bytes]) => bytes.includes(content)).map(([file]) => file);

/** What the provider answers is recorded in codes of ours, and its texts are nowhere. */
async function payWithEveryCard(): Promise<Record<'paid' | 'declined' | 'unknown', string>> {
  const paid = await shop.order(await customer('paid'), { paymentToken: token('ok'), loyalty: { cadence: 'weekly' } });
  await shop.ask('PUT', `/api/orders/${paid}/payment-card`, { paymentToken: token('changed') }, 200, SUPPORT);
  await shop.wait({ days: 7 });
  const buyer = await customer('checkout');
  const wishes = { customerId: buyer, leadTypeId: 'exclusive-fresh', quantity: 3 };
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', wishes);
  await shop.ask('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: token('checkout') }, 201);
  const declinedOrder = await shop.order(await customer('gone'), { paymentToken: token('declined') });
  const unknown = await shop.order(await customer('unknown'), { paymentToken: token('unknown') });
  return { paid, declined: declinedOrder, unknown };
}

test('CHK-1, CHK-4: tokens and the words of the payment provider are in no byte of a store, and in no answer', async () => {
  const orders = await payWithEveryCard();
  expect(await shop.read(`/api/orders/${orders.declined}`)).toMatchObject({ declineReason: 'other' });
  expect(await shop.read(`/api/orders/${orders.unknown}`)).toMatchObject({ declineReason: 'unknown-card' });

  const waiting = await shop.order(await customer('busy'), { paymentToken: token('away') });
  expect((await healthOf('payment-capture')).lastError).toBe('the payment provider: it answered 500');
  expect((await healthOf('mailing')).lastError).toBe('the mail server: it answered 451');
  isAway = false;
  await shop.wait({ seconds: 5 });
  expect(await shop.read(`/api/orders/${waiting}`)).toMatchObject({ status: 'open' });
  expect(new Set(asked)).toEqual(new Set(tokens));

  for (const path of [
    ...Object.values(orders).flatMap((orderId) => [`/api/orders/${orderId}`, `/api/orders/${orderId}/history`]),
    `/api/programmes/${orders.paid}`,
    `/api/programmes/${orders.paid}/history`,
    ...['/api/orders', '/api/mails', '/api/attention', '/api/processes/parked', '/health', '/metrics'],
  ])
    expect(JSON.stringify(await shop.ask('GET', path))).not.toContain(CANARY);
});

test('RPL-7: the explanation of a denial is sealed: the customer and the staff read it', async () => {
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(await customer('returns'), { leadTypeId, quantity: 1, paymentToken: token('ok') });
  const leadId = await shop.lead(leadTypeId);
  const request = { orderId, leadId, reason: 'wrong number' };
  const { replacementId } = await shop.ask('POST', '/api/replacements', request);
  await shop.ask('POST', `/api/replacements/${replacementId}/deny`, { explanation }, 200, SUPPORT);

  const path = `/api/replacements/${replacementId}`;
  expect(await shop.read(path)).toMatchObject({ status: 'denied', explanation });
  expect((await shop.history(path)).at(-1)).toMatchObject({ type: 'ChargebackDenied', data: { explanation } });
  expect(received.filter((mail) => mail.includes(explanation))).toHaveLength(1);
});

test('a refused request is answered without what it contained', async () => {
  const customerId = await customer('refused');
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 3 };
  for (const [path, body] of [
    ['/api/orders', { ...order, paymentToken: `4242424242424242 ${CANARY}` }],
    ['/api/orders', { ...order, paymentToken: token('x').padEnd(300, 'x') }],
    ['/api/orders', { ...order, quantity: CANARY, paymentToken: token('x') }],
    ['/api/orders', `{"paymentToken": "${token('x')}", "quantity": ${CANARY}`],
    ['/api/orders', `{"paymentToken": ${CANARY}`],
    ['/api/customers', { storeId: 'main', email: `${CANARY}@@example.org`, timeZone: CANARY }],
    ['/api/sign-in', { email: `${CANARY}@example.org`, password: CANARY.padEnd(8) }],
    ['/api/tickets', { customerId, subject: 'Call me', message: 'Please', callBack: { telephone: `12 ${CANARY}` } }],
  ] as const) {
    const json = { 'content-type': 'application/json' };
    const { status, text: answer } = await shop.try('POST', path, body, json);
    expect([status >= 400 && status < 500, path]).toEqual([true, path]);
    expect(answer).not.toContain(CANARY);
  }
});

test('none of it is in a file of the store, while it runs', async () => {
  // What is plain is found, at least in the log: so the search would find the canary, too.
  expect(await filesWith('payment-details-erased')).toEqual([]);
  expect((await filesWith('unknown-card')).length).toBeGreaterThan(0);
  expect(await filesWith(CANARY)).toEqual([]);
  for (const value of [...tokens, explanation])
    expect(await filesWith(Buffer.from(JSON.stringify(value)).toString('base64'))).toEqual([]);
  expect(shop.server.errors).toEqual([]);
});
