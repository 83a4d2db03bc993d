import { createServer } from 'node:net';
import { addSeconds } from '#domain/kernel/instants';
import { systemClock } from '#gateways/clock';
import { smtpMail } from '#gateways/mail';
import { imapMailbox } from '#gateways/mailbox';
import { stripePayments } from '#gateways/stripe-payments';
import { waitUntil } from '#test/wait-until';
import { type Server, startServer } from './server.ts';

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let server: Server;
let orderId: string;
let customerId: string;
const CANARY = 'canary.family@example.org';

/** All services are out of reach, as a customer registers and orders. Then eleven minutes pass. */
beforeAll(async () => {
  const [ofMails, ofPayments, ofMailbox] = [await closedPort(), await closedPort(), await closedPort()];
  server = await startServer({
    mails: smtpMail({ url: `smtp://127.0.0.1:${ofMails}` }),
    payments: stripePayments({
      secretKey: 'sk_test_1',
      server: { host: '127.0.0.1', port: ofPayments, protocol: 'http' },
    }),
    mailbox: imapMailbox({ url: `imap://u:p@127.0.0.1:${ofMailbox}`, clock: systemClock(), tell: () => {} }),
  });
  const registered = await server.call('POST', '/api/customers', {
    storeId: 'main',
    businessAssociation: 'Canary Roofing',
    timeZone: 'UTC',
    email: CANARY,
    name: { firstName: 'Canarina', lastName: 'Canary' },
  });
  expect(registered).toMatchObject({ status: 201 });
  ({ customerId } = registered.body);
  const placed = await server.call('POST', '/api/orders', {
    customerId,
    leadTypeId: 'exclusive-fresh',
    quantity: 10,
    paymentToken: 'pm_card_canary',
  });
  expect(placed).toMatchObject({ status: 201 });
  ({ orderId } = placed.body);
  await server.settle();
  await server.clock.moveTo(addSeconds(server.clock.now(), 661));
  await server.settle();
});
afterAll(() => server.stop());

const position = () => server.position();
const written = () => server.log.map((line) => JSON.parse(line));

test.each(['capture-payment', 'send-mail'])(
  'the log says that %s fails, for which stream and cause, and why',
  (what) => {
    const lines = written().filter((line) => line.name === what);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines[0]).toMatchObject({
      level: 40,
      kind: 'effect',
      outcome: 'failed',
      stream: expect.stringMatching(/^(order|mail)-/),
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      reason: expect.stringMatching(/: it failed/),
    });
  },
);

test('the log and the counters tell of the mailbox as of any other call', async () => {
  const looks = () => written().filter(({ name }) => name === 'read-mailbox');
  await waitUntil(() => looks().length > 0);
  expect(looks()[0]).toMatchObject({
    ...{ level: 40, kind: 'effect', outcome: 'failed', attempt: 1, taken: 0 },
    reason: 'the mailbox: it failed with ECONNREFUSED',
  });
  const failed = /leadger_activities_total\{kind="effect",name="read-mailbox",outcome="failed"\} [1-9]/;
  expect((await server.call('GET', '/metrics')).text).toMatch(failed);
});

test('a failure that lasts is not written at each attempt', () => {
  const attempts = written().filter(({ name, level }) => name === 'capture-payment' && level === 40);
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 4, 8]);
});

test('the list of attention has the charge and the mails that wait, with what they are about', async () => {
  const { items } = (await server.call('GET', `/api/attention?waitFor=${await position()}`)).body;
  expect(items).toContainEqual(
    expect.objectContaining({ reason: 'payment-waiting', orderId, customerId, storeId: 'main' }),
  );
  expect(items).toContainEqual(
    expect.objectContaining({ reason: 'mail-waiting', mailId: expect.any(String), customerId, storeId: 'main' }),
  );
});

test('health is degraded, and says by what', async () => {
  const { status, body } = await server.call('GET', '/health');
  expect({ status, health: body.status }).toEqual({ status: 200, health: 'yellow' });
  expect(body.degradedBy).toEqual([
    expect.objectContaining({ part: 'effect', name: 'capture-payment', count: 1, since: expect.any(String) }),
    expect.objectContaining({ part: 'effect', name: 'send-mail', since: expect.any(String) }),
  ]);
});

test('metrics count the failures, and how long they have lasted', async () => {
  const { text } = await server.call('GET', '/metrics');
  for (const effect of ['capture-payment', 'send-mail']) {
    expect(text).toMatch(
      new RegExp(`leadger_activities_total\\{kind="effect",name="${effect}",outcome="failed"\\} \\d`),
    );
    expect(text).toMatch(new RegExp(`leadger_wishes_failing\\{process="[a-z-]+",what="${effect}"\\} \\d`));
    for (const metric of ['failing', 'none_answered'])
      expect(text).toMatch(
        new RegExp(`leadger_wishes_${metric}_seconds\\{process="[a-z-]+",what="${effect}"\\} 66\\d`),
      );
  }
  expect(text).toMatch('leadger_attention_items{reason="payment-waiting"} 1');
  expect(text).toMatch('leadger_degraded{part="effect",name="send-mail"} 1');
});

test('an import is told with its counts, and with no row of it', async () => {
  const file = `first name,telephone\r\nCanarietta,+1 212 555 0142\r\nCanarello,none\r\n`;
  const headers = { 'content-type': 'text/csv' };
  const path = '/api/leads/batches?leadTypeId=exclusive-fresh&source=page';
  expect(await server.call('POST', path, file, headers)).toMatchObject({ status: 200, body: { received: 1 } });
  const counts = { received: 1, known: 0, duplicates: 0, rejected: 1 };
  expect(written().filter(({ kind }) => kind === 'import')).toMatchObject([{ level: 30, name: 'csv', ...counts }]);
  expect((await server.call('GET', '/metrics')).text).toMatch('leadger_import_rows_total{result="rejected"} 1');
});

test('neither the log nor the metrics name a person, an address or a card', async () => {
  const { text } = await server.call('GET', '/metrics');
  expect([text, ...server.log].filter((line) => /canar|example\.org/i.test(line))).toEqual([]);
});
