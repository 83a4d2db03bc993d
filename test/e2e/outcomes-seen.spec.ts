import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addSeconds } from '#domain/kernel/instants';
import { smtpMail } from '#gateways/mail';
import { sandboxPayments } from '#gateways/payments';
import { type MailServer, startMailServer } from '#test/mail-server';
import { type Server, startServer } from './server.ts';

const DAY_SECONDS = 86_400;
const CANARY = 'canary@example.org';

let mails: MailServer;
let customersProgram: HttpServer;
let server: Server;
/** What a refund is answered. */
let refundFails = false;

beforeAll(async () => {
  mails = await startMailServer();
  customersProgram = createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
  await once(customersProgram, 'listening');
  const sandbox = sandboxPayments();
  server = await startServer({
    mails: smtpMail({ url: mails.url }),
    payments: {
      ...sandbox,
      refund: async (...asked) =>
        refundFails ? ({ refunded: false as const, failure: 'disputed' } as const) : sandbox.refund(...asked),
    },
  });
});
afterAll(async () => {
  await server.stop();
  await mails.stop();
  await new Promise((resolve) => customersProgram.close(resolve));
});

const register = async (email?: string) => {
  const body = { storeId: 'main', businessAssociation: crypto.randomUUID(), timeZone: 'UTC', ...(email && { email }) };
  return (await server.call('POST', '/api/customers', body)).body.customerId as string;
};
const place = async (customerId: string, details: object = {}) => {
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok', ...details };
  return (await server.call('POST', '/api/orders', order)).body.orderId as string;
};
const after = async (seconds: number) => {
  await server.settle();
  await server.clock.moveTo(addSeconds(server.clock.now(), seconds));
  await server.settle();
};
const support = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'as is right' };
const counted = async (name: string) => {
  const { text } = await server.call('GET', '/metrics');
  const found = text.matchAll(
    new RegExp(`^leadger_activities_total\\{kind="effect",name="${name}",outcome="([a-z-]+)"\\} (\\d+)$`, 'gm'),
  );
  return Object.fromEntries(
    [...found].map(([, outcome, times]) => [outcome, Number(times)]).filter(([, times]) => times !== 0),
  );
};
const logged = (name: string) =>
  server.log.map((line) => JSON.parse(line)).filter((line) => line.kind === 'effect' && line.name === name);

test('an address that the mail server refuses counts as refused, and is a warning', async () => {
  mails.behave({ answer: () => 550, words: `5.1.1 no such user ${CANARY}` });
  await place(await register(CANARY));
  await after(1);
  expect(await counted('send-mail')).toEqual({ refused: 3 });
  expect(logged('send-mail')[0]).toMatchObject({
    level: 40,
    outcome: 'refused',
    reason: 'the mail server answered 550 (5.1.1)',
    stream: expect.stringMatching(/^mail-/),
  });
});

test('a mail whose attempts failed for five days counts as given up, and is an error', async () => {
  mails.behave({ answer: () => 452, words: '4.2.2 over quota' });
  await place(await register(`other.${CANARY}`));
  await after(6 * DAY_SECONDS);
  expect(await counted('send-mail')).toMatchObject({ refused: 3, failed: expect.any(Number), 'given-up': 2 });
  expect(logged('send-mail').at(-1)).toMatchObject({
    level: 50,
    outcome: 'given-up',
    reason: 'the mail server answered 452 (4.2.2)',
  });
  mails.behave({});
});

test('a webhook that is answered 500 counts as failed at each attempt, and as parked at the last one', async () => {
  const customerId = await register();
  const webhookUrl = `http://127.0.0.1:${(customersProgram.address() as AddressInfo).port}/`;
  const path = `/api/customers/${customerId}/lead-delivery`;
  await server.call('PUT', path, { mails: 'digest', webhookUrl }, { 'leadger-actor': `customer:${customerId}` });
  await place(customerId, { leadTypeId: 'shared-fresh' });
  await server.call('POST', '/api/leads', {
    leadTypeId: 'shared-fresh',
    source: 'page',
    contact: { firstName: 'Canary', telephone: '+1 212 555 0142' },
  });
  await after(4 * DAY_SECONDS);
  expect(await counted('call-webhook')).toEqual({ failed: 9, parked: 1 });
  const lines = logged('call-webhook').filter(({ level }) => level >= 40);
  expect(lines.map(({ level, outcome, attempt }) => [level, outcome, attempt])).toEqual([
    ...[1, 2, 4, 8].map((attempt) => [40, 'failed', attempt]),
    [50, 'parked', 10],
  ]);
  expect(lines[0].reason).toBe('it answered 500');
});

test('a card that is declined counts as refused, and a refund that is stuck as parked', async () => {
  const customerId = await register();
  await place(customerId, { paymentToken: 'tok_declined' });
  const orderId = await place(customerId);
  await after(1);
  refundFails = true;
  await server.call('POST', `/api/orders/${orderId}/refunds`, {}, support);
  await after(1);
  expect(await counted('capture-payment')).toMatchObject({ refused: 1 });
  expect(logged('capture-payment').find(({ outcome }) => outcome === 'refused')).toMatchObject({ level: 40 });
  expect(await counted('make-refund')).toEqual({ parked: 1 });
  expect(logged('make-refund').at(-1)).toMatchObject({ level: 50, outcome: 'parked' });
});

test('neither the log nor the metrics name a person or an address', async () => {
  const { text } = await server.call('GET', '/metrics');
  expect([text, ...server.log].filter((line) => /canary|example\.org|555\W*0142/i.test(line))).toEqual([]);
});
