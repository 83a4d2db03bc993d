import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkLaws } from '#audit/laws/laws';
import { addDays, addHours } from '#domain/kernel/instants';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import type { MailGateway, Message } from '#gateways/mail';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { waitUntil } from '#test/wait-until';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let directory: string;
let shop: Shop;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'leadger-stand-still-'));
  shop = await openShop({ directory });
});
afterEach(async () => {
  await shop.stop();
  await rm(directory, { recursive: true });
});

const operator = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the store stood still' };

/** The program does not run until then. */
async function standStillUntil(start: string): Promise<void> {
  await shop.stop();
  shop = await openShop({ directory, start });
  await shop.server.settle();
  // With their rows on a server, the read models are built again.
  await waitUntil(async () => (await shop.try('GET', '/api/programmes')).status === 200);
}

const join = async (details: Record<string, unknown> = {}): Promise<string> =>
  shop.order(await shop.customer(), { loyalty: { cadence: 'weekly' }, ...details });

/** `[type, at, the date of the renewal]` of what happened to renewals after the announcement of the first. */
const renewals = async (orderId: string) =>
  (await shop.history(`/api/programmes/${orderId}`))
    .filter(({ type }) => type.startsWith('Renewal'))
    .map(({ type, at, data }) => [type, at, ...(data.dueAt ? [data.dueAt] : [])]);
const programme = (orderId: string) => shop.read(`/api/programmes/${orderId}`);
const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const waiting = async (query = ''): Promise<string[]> =>
  (await shop.read(`/api/attention?reason=renewal-missed${query}`)).items.map(
    ({ orderId }: { orderId: string }) => orderId,
  );
const say = (orderId: string, word: 'release' | 'skip') =>
  shop.try('POST', `/api/programmes/${orderId}/missed-renewal/${word}`, undefined, operator);
const sayAboutAll = (word: 'release' | 'skip', body: object = {}) =>
  shop.ask('POST', `/api/missed-renewals/${word}`, body, 200, operator);
const mailsOf = async (customerId: string) =>
  (await shop.read(`/api/mails?customerId=${customerId}`)).items.map(
    ({ kind, status }: { kind: string; status: string }) => [kind, status],
  );
const brokenLaws = async () => {
  const store = shop.server.application.get<EventStore>(EVENT_STORE);
  const { laws } = await checkLaws(store, { hashOf: hashOfEvent });
  return Object.entries(laws).filter(([, count]) => count > 0);
};

test('LOY-10: after a stand-still of a month nothing is charged: the newest renewal waits for an operator, older ones are skipped', async () => {
  const placedAt = shop.now();
  const orderId = await join();
  const day = (number: number) => addDays(placedAt, number);
  await standStillUntil(day(30));
  expect(await renewals(orderId)).toEqual([
    ['RenewalSkipped', day(30), day(7)],
    ['RenewalSkipped', day(30), day(14)],
    ['RenewalSkipped', day(30), day(21)],
    ['RenewalMissed', day(30), day(28)],
  ]);
  expect(await order(orderId)).toMatchObject({ renewals: 0, orderedLeads: 11 });
  expect(await programme(orderId)).toMatchObject({ nextDueAt: day(28), missedDueAt: day(28), skippedRenewals: 3 });
  expect((await shop.read('/api/attention?reason=renewal-missed')).items).toMatchObject([{ orderId, since: day(28) }]);
  expect(await brokenLaws()).toEqual([]);

  await standStillUntil(day(30.5));
  expect(await waiting()).toEqual([orderId]);
  expect(await say(orderId, 'release')).toMatchObject({ status: 200, body: { events: ['RenewalReleased'] } });
  expect((await renewals(orderId)).slice(4)).toEqual([
    ['RenewalReleased', day(30.5), day(28)],
    ['RenewalBegun', day(30.5), day(28)],
    ['RenewalPaid', day(30.5)],
  ]);
  expect(await waiting()).toEqual([]);
  expect(await programme(orderId)).toMatchObject({ nextDueAt: day(35), nextRenewalNumber: 2, missedDueAt: null });
  await shop.wait({ days: 5 });
  expect((await renewals(orderId)).slice(7).map(([type, at]) => [type, at])).toEqual([
    ['RenewalAnnounced', day(32)],
    ['RenewalBegun', day(35)],
    ['RenewalPaid', day(35)],
  ]);
  expect(await brokenLaws()).toEqual([]);
});

test('LOY-10: a night off changes nothing', async () => {
  const placedAt = shop.now();
  const orderId = await join();
  await shop.wait({ days: 6.5 });
  await standStillUntil(addDays(placedAt, 7.5));
  expect((await renewals(orderId)).slice(1)).toEqual([
    ['RenewalBegun', addDays(placedAt, 7.5), addDays(placedAt, 7)],
    ['RenewalPaid', addDays(placedAt, 7.5)],
  ]);
  expect(await waiting()).toEqual([]);
  expect((await programme(orderId)).nextDueAt).toBe(addDays(placedAt, 14));
});

test('LOY-10, NTF-5: an operator who skips a renewal tells its customer so, once, with the next date and the amount', async () => {
  const placedAt = shop.now();
  const customerId = await shop.customer({ email: 'ada@example.com' });
  const orderId = await shop.order(customerId, { loyalty: { cadence: 'weekly' } });
  await standStillUntil(addDays(placedAt, 17));
  const told = async () =>
    (await shop.log()).filter(({ type, data }) => type === 'MailWished' && data.kind === 'renewal-skipped');
  expect(await told()).toEqual([]);
  await say(orderId, 'skip');
  await say(orderId, 'skip');
  await standStillUntil(addDays(placedAt, 18));
  expect((await told()).map(({ data }) => data)).toMatchObject([
    { customerId, facts: { orderId, dueAt: addDays(placedAt, 14), renewsAt: addDays(placedAt, 21), currency: 'USD' } },
  ]);
  expect(await mailsOf(customerId)).toContainEqual(['renewal-skipped', 'sent']);
  expect(await brokenLaws()).toEqual([]);
});

test('LOY-10: a skipped renewal is no step of the ladder, and the dates stay', async () => {
  const traits = { exclusivity: 'shared', qualifiesForLoyaltyRewards: true };
  const leadTypeId = await shop.leadType(traits);
  const placedAt = shop.now();
  const orderId = await join({ leadTypeId });
  await standStillUntil(addDays(placedAt, 17));
  expect(await say(orderId, 'skip')).toMatchObject({ status: 200, body: { events: ['RenewalSkipped'] } });
  expect(await programme(orderId)).toMatchObject({
    nextDueAt: addDays(placedAt, 21),
    nextRenewalNumber: 1,
    nextBonusPercent: 10,
    skippedRenewals: 2,
  });
  await shop.wait({ days: 18 });
  const bonuses = (await shop.history(`/api/orders/${orderId}`))
    .filter(({ type }) => type === 'OrderReopened')
    .map(({ at, data }) => [at, data.bonusPercent]);
  expect(bonuses).toEqual([
    [addDays(placedAt, 21), 10],
    [addDays(placedAt, 28), 20],
    [addDays(placedAt, 35), 30],
  ]);
  expect(await brokenLaws()).toEqual([]);
});

test('LOY-10: what nobody decides about goes on waiting; the next date takes its place, and nothing is announced', async () => {
  const placedAt = shop.now();
  const orderId = await join();
  await standStillUntil(addDays(placedAt, 9));
  await shop.wait({ days: 12 });
  expect(await renewals(orderId)).toEqual([
    ['RenewalMissed', addDays(placedAt, 9), addDays(placedAt, 7)],
    ['RenewalSkipped', addDays(placedAt, 14), addDays(placedAt, 7)],
    ['RenewalMissed', addDays(placedAt, 14), addDays(placedAt, 14)],
    ['RenewalSkipped', addDays(placedAt, 21), addDays(placedAt, 14)],
    ['RenewalMissed', addDays(placedAt, 21), addDays(placedAt, 21)],
  ]);
  expect(await brokenLaws()).toEqual([]);
});

test('LOY-10: an operator decides about all at once, or about one store; customers do not, and it needs a reason', async () => {
  await shop.ask('POST', '/api/stores', { storeId: 'second', name: 'Second', webAddress: 'https://second.example' });
  const limits = { smallestOrder: 1, largestOrder: 1000 };
  const price = { leadTypeId: 'exclusive-fresh', pricePerLeadCents: 100, currency: 'USD', ...limits };
  await shop.ask('POST', '/api/prices', { storeId: 'second', ...price });
  const placedAt = shop.now();
  const ofMain = [await join(), await join()];
  const loyalty = { cadence: 'weekly' };
  const ofSecond = await shop.order(await shop.customer({ storeId: 'second' }), { loyalty });
  await standStillUntil(addDays(placedAt, 10));
  expect((await waiting()).sort()).toEqual([...ofMain, ofSecond].sort());
  expect(await waiting('&storeId=second')).toEqual([ofSecond]);

  const { customerId } = await order(ofSecond);
  for (const [headers, code] of [
    [{ 'leadger-actor': `customer:${customerId}`, 'leadger-reason': 'please' }, 'support-only'],
    [{ 'leadger-actor': 'staff:ada' }, 'reason-missing'],
  ] as const)
    for (const path of ['/api/missed-renewals/release', `/api/programmes/${ofSecond}/missed-renewal/release`]) {
      const body = path.startsWith('/api/missed') ? {} : undefined;
      expect(await shop.try('POST', path, body, headers)).toMatchObject({ body: { code } });
    }

  expect(await sayAboutAll('skip', { storeId: 'second' })).toEqual({ decided: 1, left: 0 });
  expect((await waiting()).sort()).toEqual([...ofMain].sort());
  expect(await sayAboutAll('release')).toEqual({ decided: 2, left: 0 });
  expect(await waiting()).toEqual([]);
  for (const orderId of ofMain) expect(await order(orderId)).toMatchObject({ renewals: 1 });
  expect(await order(ofSecond)).toMatchObject({ renewals: 0 });
  expect(await sayAboutAll('release')).toEqual({ decided: 0, left: 0 });
  const nowhere = await shop.try('POST', '/api/missed-renewals/release', { storeId: 'nowhere' }, operator);
  expect(nowhere.body).toMatchObject({ code: 'unknown-store' });
  expect(await say(ofSecond, 'release')).toMatchObject({
    status: 409,
    body: { code: 'no-renewal-waits', rule: 'LOY-10' },
  });
});

test('LOY-10: two operators at once lead to one charge for each programme', async () => {
  const placedAt = shop.now();
  const orderIds = [await join(), await join(), await join()];
  await standStillUntil(addDays(placedAt, 10));
  const words = [sayAboutAll('release'), sayAboutAll('release'), ...orderIds.map((orderId) => say(orderId, 'release'))];
  await Promise.all(words);
  for (const orderId of orderIds) {
    const types = (await renewals(orderId)).map(([type]) => type);
    expect(types).toEqual(['RenewalMissed', 'RenewalReleased', 'RenewalBegun', 'RenewalPaid']);
  }
});

test('LOY-10: the span is a number of the policy', async () => {
  const { policy } = await shop.ask('GET', '/api/policy');
  expect(policy.renewalGraceHours).toBe(24);
  const publish = (renewalGraceHours: number, status: number) =>
    shop.publish({ policy: { ...policy, renewalGraceHours } }, status);
  expect(await publish(169, 409)).toMatchObject({ code: 'policy-contradicts-itself' });
  await publish(72, 201);
  const placedAt = shop.now();
  const orderId = await join();
  await standStillUntil(addHours(addDays(placedAt, 7), 72));
  expect((await renewals(orderId)).map(([type]) => type)).toEqual(['RenewalBegun', 'RenewalPaid']);
  expect(await brokenLaws()).toEqual([]);
});

test('LOY-10: a mail that announces a renewal is not sent once its date is over', async () => {
  const customerId = await shop.customer({ email: 'pat@example.org' });
  await shop.order(customerId, { loyalty: { cadence: 'weekly' } });
  const dueAt = addDays(shop.now(), 7);
  await shop.stop();
  let reachable = false;
  const sentMails: string[] = [];
  const mails: MailGateway = {
    async send({ subject }) {
      if (!reachable) throw new Error('no mail server');
      sentMails.push(subject);
      return { accepted: true };
    },
    close() {},
  };
  shop = await openShop({ directory, start: addDays(dueAt, -3), mails });
  await shop.server.settle();
  await shop.server.stop();
  reachable = true;
  shop = await openShop({ directory, start: addDays(dueAt, 10), mails });
  await shop.server.settle();
  const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=renewal-coming`);
  expect(items).toMatchObject([{ status: 'withheld', reason: 'too-late' }]);
  expect(sentMails).toEqual([]);
});

/** Mails as they are sent. */
function mailbox() {
  const sent: Message[] = [];
  const state = { isReachable: true };
  const mails: MailGateway = {
    async send(message) {
      if (!state.isReachable) throw new Error('no mail server');
      sent.push(message);
      return { accepted: true };
    },
    close() {},
  };
  const renewed = () => sent.filter(({ subject }) => subject.endsWith('is renewed')).map(({ text }) => text);
  return { mails, state, renewed };
}

test('LOY-10, NTF-5: after a release, the mail about the renewal names no next date that is past, and offers no hold before it', async () => {
  await shop.stop();
  const { mails, renewed } = mailbox();
  const sandbox = sandboxPayments();
  let isLost = false;
  let lost = 0;
  const payments: PaymentGateway = {
    ...sandbox,
    capture: async (charge, key) => {
      const result = await sandbox.capture(charge, key);
      if (!isLost) return result;
      lost += 1;
      return new Promise(() => {});
    },
  };
  shop = await openShop({ directory, mails, payments });
  const placedAt = shop.now();
  const customerId = await shop.customer({ email: 'ada@example.com' });
  const orderId = await shop.order(customerId, { loyalty: { cadence: 'weekly' } });
  isLost = true;
  void shop.server.clock.moveTo(addDays(placedAt, 7));
  await waitUntil(() => lost === 1);
  await shop.stop();
  isLost = false;
  shop = await openShop({ directory, mails, payments, start: addDays(placedAt, 17) });
  await shop.server.settle();
  expect(await say(orderId, 'release')).toMatchObject({ status: 200 });
  expect(await programme(orderId)).toMatchObject({ nextDueAt: addDays(placedAt, 14) });
  expect(renewed().length).toBe(1);
  expect(renewed()[0]).not.toMatch(/renews next|on hold/);
});

test('NTF-5: a mail that is sent late names no date that has passed since then', async () => {
  await shop.stop();
  const { mails, state, renewed } = mailbox();
  shop = await openShop({ directory, mails });
  const placedAt = shop.now();
  const customerId = await shop.customer({ email: 'ada@example.com' });
  const orderId = await shop.order(customerId, { loyalty: { cadence: 'weekly' } });
  await shop.stop();
  shop = await openShop({ directory, mails, start: addDays(placedAt, 13.5) });
  await shop.server.settle();
  state.isReachable = false;
  expect(await say(orderId, 'release')).toMatchObject({ status: 200 });
  await shop.wait({ days: 1 });
  state.isReachable = true;
  await shop.wait({ days: 1 });
  const told = renewed().flatMap((text) => text.match(/renews next on \S+/g) ?? []);
  expect(renewed().length).toBe(2);
  expect(told).toEqual([`renews next on ${addDays(placedAt, 21).slice(0, 10)}`]);
});
