import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLaws, laws } from '#audit/laws/laws';
import { hashOfEvent } from '#event-store/event-hash';
import { type EventStore, StoreUnavailable } from '#event-store/port';
import { smtpMail } from '#gateways/mail';
import { type MailServer, startMailServer } from '#test/mail-server';
import { waitUntil } from '#test/wait-until';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

const START = '2026-05-04T12:00:00.000Z';
const DAY_MINUTES = 24 * 60;
const leads = { leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };

let server: MailServer;
let shop: Shop;
/** Whose address was proved by a mail that is not looked at. */
let customerId: string;
/** The minutes since the start at which each recipient was named to the server. */
let tries: number[];
let directory: string | undefined;

const minutes = () => Math.round((Date.parse(shop.now()) - Date.parse(START)) / 60_000);
const openWith = (options: Parameters<typeof openShop>[0] = {}) =>
  openShop({ mails: smtpMail({ url: server.url }), start: START, ...options });
const open = async (status: number | undefined, options: Parameters<typeof openShop>[0] = {}) => {
  server = await startMailServer();
  shop = await openWith(options);
  customerId = await shop.customer({ email: 'ada@example.org' });
  begin(answering(status));
};
const begin = (behaviour: Parameters<MailServer['behave']>[0]) => {
  tries = [];
  server.received.splice(0);
  server.behave(behaviour);
};
const answering = (status: number | undefined) => ({
  answer() {
    tries.push(minutes());
    return status;
  },
});
/** Causes one mail. */
const answerTicket = async () => {
  const as = { 'leadger-actor': `customer:${customerId}` };
  const letter = { customerId, subject: 'Why?', message: 'Why?' };
  const { ticketId } = await shop.ask('POST', '/api/tickets', letter, 201, as);
  await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Because.' }, undefined, support);
};
const support = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'as is right' };
const mails = async () =>
  (await shop.read('/api/mails')).items.filter(({ kind }: { kind: string }) => kind !== 'address-confirmation');

afterEach(async () => {
  await shop.stop();
  await server.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
  directory = undefined;
});

test('NTF-4: a mail that the server refuses for now is tried after minutes, then at growing times for five days, and given up with the reason', async () => {
  await open(451);
  await answerTicket();
  await shop.wait({ seconds: 95 * 60 });
  expect(tries).toEqual([0, 5, 35, 95]);
  const lastError = 'the mail server answered 451';
  expect(await mails()).toMatchObject([
    { status: 'wished', failedAttempts: 4, lastError, retryAt: '2026-05-04T15:35:00.000Z', reason: null },
  ]);
  await shop.wait({ days: 12 });
  expect(tries.at(-1)).toBe(5 * DAY_MINUTES);
  const end = { endedAt: '2026-05-09T12:00:00.000Z', failedAttempts: tries.length, retryAt: null };
  expect(await mails()).toMatchObject([{ status: 'given-up', reason: lastError, lastError, ...end }]);
  expect((await shop.read('/api/mails?status=given-up')).items).toHaveLength(1);
  const log = shop.server.application.get<EventStore>(EVENT_STORE);
  const nothingBroken = Object.fromEntries(Object.keys(laws).map((law) => [law, 0]));
  expect((await checkLaws(log, { hashOf: hashOfEvent })).laws).toEqual(nothingBroken);
});

test('NTF-4: a restart of the store does not make a mail due earlier, and the server gets it when it takes it again', async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-mail-retries-'));
  await open(451, { directory });
  await answerTicket();
  await shop.wait({ seconds: 60 });
  for (let restart = 0; restart < 2; restart += 1) {
    const start = shop.now();
    await shop.stop();
    shop = await openWith({ directory, start });
    expect(await mails()).toMatchObject([{ status: 'wished', failedAttempts: 1 }]);
  }
  server.behave(answering(undefined));
  await shop.wait({ seconds: 239 });
  expect(tries).toEqual([0]);
  await shop.wait({ seconds: 1 });
  expect(tries).toEqual([0, 5]);
  expect(await mails()).toMatchObject([{ status: 'sent', failedAttempts: 1, retryAt: null }]);
});

test('NTF-3: a server that takes a mail and drops the line gets it once more after half an hour, then once a day, until it confirms it', async () => {
  await open(undefined);
  server.behave({ ...answering(undefined), dropsTheLine: true });
  await answerTicket();
  await shop.wait({ seconds: 29 * 60 });
  expect(server.received).toHaveLength(1);
  expect(await mails()).toMatchObject([
    { status: 'wished', lastError: 'the mail server got all of it and did not confirm that it took it' },
  ]);
  await shop.wait({ days: 2 });
  expect(tries).toEqual([0, 30, 30 + DAY_MINUTES]);
  server.behave(answering(undefined));
  await shop.wait({ days: 10 });
  expect(server.received).toHaveLength(4);
  expect(await mails()).toMatchObject([{ status: 'sent', failedAttempts: 3 }]);
});

test('NTF-3: a mail whose result the ledger cannot take yet is not sent again', async () => {
  await open(undefined);
  const log = shop.server.application.get<EventStore>(EVENT_STORE);
  const append = log.append.bind(log);
  let isAway = true;
  log.append = (stream, events, ...more) =>
    isAway && events.some(({ type }) => type === 'MailSent')
      ? Promise.reject(new StoreUnavailable('away'))
      : append(stream, events, ...more);
  await answerTicket();
  await shop.wait({ seconds: 90 });
  expect(await mails()).toMatchObject([{ status: 'wished' }]);
  isAway = false;
  await shop.wait({ seconds: 5 });
  expect(await mails()).toMatchObject([{ status: 'sent', failedAttempts: 0 }]);
  expect(tries).toEqual([0]);
});

test('NTF-3: mails that wait for their turn when the store stops are sent at its next start, and once', async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-mail-retries-'));
  await open(undefined, { directory });
  const ids = await Promise.all(
    Array.from({ length: 8 }, (_, index) => shop.customer({ email: `p${index}@example.org` })),
  );
  const held = Promise.withResolvers<undefined>();
  begin({
    answer() {
      tries.push(minutes());
      return held.promise;
    },
  });
  await Promise.all(ids.map((customerId) => shop.server.call('POST', '/api/orders', { customerId, ...leads })));
  await waitUntil(() => tries.length === 5);
  const start = shop.now();
  await shop.stop();
  held.resolve(undefined);
  server.behave(answering(undefined));
  expect([tries.length, server.connections.total]).toEqual([5, 5]);
  shop = await openWith({ directory, start });
  await shop.server.settle();
  expect(new Set(server.received.map((mail) => /^Message-ID: (.+)$/m.exec(mail)?.[1])).size).toBe(16);
  expect(server.received).toHaveLength(16);
});

test('NTF-4: a mail with a link is not sent when the link works no more', async () => {
  await open(451);
  await shop.ask('POST', '/api/password-recoveries', { email: 'ada@example.org' });
  await shop.wait({ days: 1 });
  expect(await mails()).toMatchObject([{ kind: 'password-recovery', status: 'withheld', reason: 'too-late' }]);
  expect(tries.every((minute) => minute < 60)).toBe(true);
});

const retry = (mailId: string, as: Record<string, string> = support) =>
  shop.try('POST', `/api/mails/${mailId}/retry`, undefined, as);
const listed = async () => (await shop.read('/api/attention?reason=mail-given-up')).items;

test('NTF-4: support has a mail sent again that was refused, with a reason, and it is tried for five days again', async () => {
  await open(550);
  await answerTicket();
  const [{ mailId }] = await listed();
  expect(await retry(mailId, { 'leadger-actor': 'staff:ann' })).toMatchObject({ body: { code: 'reason-missing' } });
  server.behave(answering(451));
  tries = [];
  expect(await retry(mailId)).toMatchObject({ status: 200, body: { mailId, events: ['MailRetried'] } });
  await shop.server.settle();
  expect(await listed()).toEqual([]);
  const [recorded] = (await shop.log()).filter(({ type }) => type === 'MailRetried');
  expect(recorded?.metadata).toMatchObject({ actor: 'staff:ann' });
  expect(await retry(mailId)).toMatchObject({ status: 200, body: { events: [] } });
  await shop.wait({ seconds: 95 * 60 });
  expect(tries).toEqual([0, 5, 35, 95]);
  await shop.wait({ days: 6 });
  expect(tries.at(-1)).toBe(5 * DAY_MINUTES);
  expect(await listed()).toMatchObject([{ mailId, why: 'the mail server answered 451' }]);
  server.behave(answering(undefined));
  expect(await retry(mailId)).toMatchObject({ status: 200 });
  await shop.server.settle();
  expect([await listed(), server.received.length]).toEqual([[], 1]);
  expect(await retry(mailId)).toMatchObject({ status: 409, body: { code: 'mail-sent' } });
  const log = shop.server.application.get<EventStore>(EVENT_STORE);
  const { laws: broken } = await checkLaws(log, { hashOf: hashOfEvent });
  expect(Object.entries(broken).filter(([, times]) => times > 0)).toEqual([]);
});

test('NTF-4: a mail that is sent again after a restart is sent once', async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-mail-retries-'));
  await open(550, { directory });
  await answerTicket();
  const [{ mailId }] = await listed();
  server.behave(answering(undefined));
  for (let restart = 0; restart < 2; restart += 1) {
    const start = shop.now();
    await shop.stop();
    shop = await openWith({ directory, start });
    await retry(mailId);
    await shop.wait({ hours: 1 });
  }
  expect(server.received).toHaveLength(1);
});

/** A mail that was refused is sent again when its link has expired. @returns its id */
const retryAfterADay = async (): Promise<string> => {
  const [{ mailId }] = await listed();
  await shop.wait({ days: 1 });
  server.behave(answering(undefined));
  expect(await retry(mailId)).toMatchObject({ status: 200 });
  await shop.server.settle();
  expect(server.received).toHaveLength(1);
  return mailId;
};

test('NTF-4, ACC-3: the link of a mail that is sent again is made afresh when it has expired', async () => {
  await open(550);
  await shop.ask('POST', '/api/password-recoveries', { email: 'ada@example.org' });
  const mailId = await retryAfterADay();
  expect(await mails()).toMatchObject([
    { kind: 'password-recovery', status: 'sent' },
    { mailId, status: 'withheld', reason: 'too-late' },
  ]);
});

test('NTF-4, ACC-4: so is the link that confirms an address', async () => {
  await open(550);
  const another = await shop.customer();
  const as = { 'leadger-actor': `customer:${another}` };
  await shop.ask('PUT', `/api/customers/${another}/email`, { email: 'new@example.org' }, 200, as);
  await retryAfterADay();
  expect(server.received[0]).toContain('To: new@example.org');
});

const acknowledge = (mailId: string, as: Record<string, string> = support) =>
  shop.try('POST', `/api/mails/${mailId}/acknowledge`, undefined, as);
const counted = async () => {
  const { text } = await shop.try('GET', '/metrics');
  return /leadger_attention_items\{reason="mail-given-up"\} (\d+)/.exec(text)?.[1];
};

test('NTF-4: support notes with a reason that it has dealt with a mail, and nobody has to look at it any more, until it is sent again', async () => {
  await open(550);
  await answerTicket();
  const [{ mailId }] = await listed();
  expect(await counted()).toBe('1');
  expect(await acknowledge(mailId, { 'leadger-actor': 'staff:ann' })).toMatchObject({
    body: { code: 'reason-missing' },
  });
  const events = ['MailFailureAcknowledged'];
  expect(await acknowledge(mailId)).toMatchObject({ status: 200, body: { mailId, events } });
  expect([await listed(), await counted()]).toEqual([[], '0']);
  expect(await mails()).toMatchObject([{ status: 'refused', acknowledgedAt: START }]);
  expect(await acknowledge(mailId)).toMatchObject({ status: 200, body: { events: [] } });
  await retry(mailId);
  expect(await listed()).toMatchObject([{ mailId }]);
  expect(await mails()).toMatchObject([{ status: 'refused', acknowledgedAt: null }]);
  server.behave(answering(undefined));
  await acknowledge(mailId);
  await retry(mailId);
  expect(await acknowledge(mailId)).toMatchObject({ status: 409, body: { code: 'mail-sent' } });
});

test('NTF-4: a mail that support has dealt with while it is tried is tried on, and not listed when it is given up', async () => {
  await open(452);
  await answerTicket();
  await shop.wait({ seconds: 660 });
  const [{ mailId }] = (await shop.read('/api/attention?reason=mail-waiting')).items;
  expect(await acknowledge(mailId)).toMatchObject({ status: 200 });
  expect((await shop.read('/api/attention?reason=mail-waiting')).items).toEqual([]);
  await shop.wait({ days: 6 });
  expect(tries.at(-1)).toBe(5 * DAY_MINUTES);
  expect([await mails(), await listed()]).toMatchObject([[{ status: 'given-up' }], []]);
});

test('ACC-3: a mail with a link that somebody waits for goes before all mails that wait for their turn', async () => {
  await open(undefined);
  const ids = await Promise.all(
    Array.from({ length: 10 }, (_, index) => shop.customer({ email: `p${index}@example.org` })),
  );
  const held: (() => void)[] = [];
  const named: string[] = [];
  begin({
    answer(address) {
      named.push(address);
      return new Promise((resolve) => held.push(() => resolve(undefined)));
    },
  });
  await Promise.all(ids.map((customerId) => shop.server.call('POST', '/api/orders', { customerId, ...leads })));
  await waitUntil(() => held.length === 5);
  await shop.server.call('POST', '/api/password-recoveries', { email: 'ada@example.org' });
  await waitUntil(async () =>
    /^leadger_wishes_waiting\{.*"send-mail"\} 16$/m.test((await shop.server.call('GET', '/metrics')).text),
  );
  held.shift()?.();
  await waitUntil(() => named.length === 6);
  expect(named[5]).toBe('ada@example.org');
  server.behave(answering(undefined));
  for (const answer of held) answer();
  await shop.server.settle();
  expect(server.received).toHaveLength(21);
});

test('NTF-4: a server that may not relay for the store refuses no address: the mail waits until that is mended', async () => {
  await open(undefined);
  server.behave({ ...answering(550), words: '5.7.1 relaying denied' });
  await answerTicket();
  await shop.wait({ days: 1 });
  expect(await mails()).toMatchObject([
    { status: 'wished', lastError: 'the mail server answered 550 (5.7.1)', retryAt: expect.any(String) },
  ]);
  server.behave(answering(undefined));
  await shop.wait({ hours: 4 });
  expect(await mails()).toMatchObject([{ status: 'sent' }]);
});

test('NTF-4: many mails share few connections, and a slow server never gets more at once than it can take', async () => {
  await open(undefined);
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return undefined;
  };
  const ids = await Promise.all(
    Array.from({ length: 40 }, (_, index) => shop.customer({ email: `p${index}@example.org` })),
  );
  begin({ answer: slow });
  await Promise.all(ids.map((customerId) => shop.server.call('POST', '/api/orders', { customerId, ...leads })));
  await shop.wait({ seconds: 1 });
  expect(server.received).toHaveLength(80);
  expect(server.connections.most).toBeLessThanOrEqual(5);
  expect(server.connections.total).toBeLessThanOrEqual(5);
});
