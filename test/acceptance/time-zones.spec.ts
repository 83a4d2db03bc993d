import { checkLaws } from '#audit/laws/laws';
import { customerStream } from '#domain/accounts/customer';
import { trialCaller } from '#domain/kernel/caller';
import type { Secret } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import type { AddressedCommand } from '#requests/addressed-command';
import { CommandHandler } from '#requests/command-handler';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, broken]) => broken !== 0)).toEqual([]);
  await shop.stop();
});

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the customer called' };
const olderProcess = { ...trialCaller('process:older'), roles: ['process'] } as const;

/** As an older version decided it. */
async function decided(stream: string, command: AddressedCommand['command']): Promise<void> {
  const commandId = deriveId('older', stream, JSON.stringify(command));
  const cause = { commandId, correlationId: commandId, actor: olderProcess.actor };
  const outcome = await shop.server.application
    .get(CommandHandler)
    .execute({ stream, command, caller: olderProcess, cause });
  expect(outcome.kind).toBe('accepted');
}

/** A paid order with a time zone that an older version took. @returns its id */
async function olderOrder(customerId: string, timeZone: string, details: object = {}): Promise<string> {
  const orderId = deriveId('older order', customerId);
  const vault = shop.server.application.get<Vault>(VAULT);
  const paymentToken = (await vault.seal(customerStream(customerId), 'payment-token', 'tok_ok')) as Secret;
  await decided(orderStream(orderId), {
    type: 'PlacePromisedOrder',
    at: shop.now(),
    customerId,
    storeId: 'main',
    leadTypeId: 'exclusive-fresh',
    quantity: 10,
    timeZone,
    pricePerLeadCents: 1000,
    totalCents: 10_000,
    currency: 'USD',
    paymentToken: { ...paymentToken, secret: true },
    statementDescriptor: 'LEADGER',
    policyVersion: 1,
    ...details,
  } as AddressedCommand['command']);
  await shop.server.settle();
  return orderId;
}

const leadsOf = async (orderId: string): Promise<string[]> =>
  (await shop.history(`/api/orders/${orderId}`))
    .filter(({ type }) => type === 'LeadDelivered')
    .map(({ data }) => data.leadId);

test('DLV-5: a time zone whose days nobody can count is refused', async () => {
  const customerId = await shop.customer();
  for (const timeZone of ['PST', 'IST', 'CST', 'JST', 'BST', 'Factory', 'Mars/Phobos', '+02:00']) {
    const registration = { storeId: 'main', businessAssociation: 'Acme', timeZone };
    expect(await shop.try('POST', '/api/customers', registration)).toMatchObject({ status: 400 });
    const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok', timeZone };
    expect(await shop.try('POST', '/api/orders', order)).toMatchObject({ status: 400 });
    const policy = { changes: { businessTimeZone: timeZone } };
    expect(await shop.publish(policy, 400)).toMatchObject({ status: 400 });
  }
});

describe('DLV-5: an order whose time zone nobody knows, from an older version', () => {
  test.each([{}, { leadTypeId: 'exclusive-real-time', dailyMaximum: 2 }])(
    'waits, and others get the leads; once support has corrected the time zone, it gets its own (%j)',
    async (details: { leadTypeId?: string }) => {
      const waiting = await olderOrder(await shop.customer(), 'PST', details);
      const leadTypeId = details.leadTypeId ?? 'exclusive-fresh';
      const other = await shop.order(await shop.customer(), { leadTypeId });
      const first = await shop.lead(leadTypeId);
      expect([await leadsOf(waiting), await leadsOf(other)]).toEqual([[], [first]]);
      await shop.ask('PUT', `/api/orders/${waiting}/time-zone`, { timeZone: 'America/Los_Angeles' }, 200, support);
      const second = await shop.lead(leadTypeId);
      expect(await leadsOf(waiting)).toEqual([second]);
      expect(await shop.read(`/api/orders/${waiting}`)).toMatchObject({ timeZone: 'America/Los_Angeles' });
      expect((await shop.read('/api/processes/parked')).items).toEqual([]);
    },
  );

  test('gives up the lead that it holds: the lead goes to somebody else', async () => {
    const waiting = await olderOrder(await shop.customer(), 'IST');
    const { customerId } = await shop.read(`/api/orders/${waiting}`);
    const leadId = await shop.lead();
    await decided(leadStream(leadId), {
      type: 'AssignLead',
      at: shop.now(),
      leadTypeId: 'exclusive-fresh',
      orderId: waiting,
      customerId,
      businessKey: 'held',
      decision: {
        rule: 'order-served-longest-ago',
        rank: { placedAt: shop.now() },
        decidedAt: shop.now(),
        eventsSeen: (await shop.log()).length,
        decisionIndex: 0,
        policyVersion: 1,
      },
    });
    await shop.server.settle();
    expect((await shop.history(`/api/leads/${leadId}`)).map(({ type }) => type)).toEqual([
      'LeadReceived',
      'LeadAssigned',
      'LeadReleased',
    ]);
    const other = await shop.order(await shop.customer());
    await shop.server.settle();
    expect(await leadsOf(other)).toEqual([leadId]);
  });

  test('only support corrects it, once, and with a time zone that is known', async () => {
    const waiting = await olderOrder(await shop.customer(), 'PST');
    const correct = (timeZone: string, headers: Record<string, string> = support) =>
      shop.try('PUT', `/api/orders/${waiting}/time-zone`, { timeZone }, headers);
    expect(await correct('Europe/Paris', { 'leadger-actor': 'staff:ada' })).toMatchObject({
      status: 400,
      body: { code: 'reason-missing' },
    });
    expect((await correct('CST')).status).toBe(400);
    expect((await correct('Europe/Paris')).status).toBe(200);
    expect(await correct('Europe/Paris')).toMatchObject({ status: 200, body: { events: [] } });
    expect(await correct('UTC')).toMatchObject({ status: 409, body: { code: 'time-zone-known' } });
  });
});

test('DLV-5: a customer with a time zone that nobody knows, from an older version, orders nothing until it is changed', async () => {
  const customerId = await shop.customer();
  await decided(customerStream(customerId), { type: 'ChangeTimeZone', at: shop.now(), timeZone: 'IST' });
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  expect(await shop.try('POST', '/api/orders', order)).toMatchObject({
    status: 409,
    body: { code: 'time-zone-unknown' },
  });
  await shop.ask('PUT', `/api/customers/${customerId}/time-zone`, { timeZone: 'Asia/Kolkata' }, 200, support);
  const orderId = await shop.order(customerId);
  const leadId = await shop.lead();
  expect(await leadsOf(orderId)).toEqual([leadId]);
});

describe('DLV-5, LOY-10: an order in Loyalty Rewards whose time zone nobody knows', () => {
  const loyalty = {
    ...{ cadence: 'weekly', cadenceDays: 7, exclusive: true, bonusPercents: [10] },
    ...{ standardBonusPercent: 10, pausesThatKeepTheLadder: 1 },
  };
  const renewals = async (orderId: string) =>
    (await shop.history(`/api/programmes/${orderId}`))
      .map(({ type }) => type)
      .filter((type) => type !== 'ProgrammeJoined');
  const attention = async (orderId: string) =>
    (await shop.read('/api/attention')).items.filter((item: { orderId: string }) => item.orderId === orderId);
  const release = (orderId: string) =>
    shop.try('POST', `/api/programmes/${orderId}/missed-renewal/release`, undefined, support);
  const correct = (orderId: string) =>
    shop.ask('PUT', `/api/orders/${orderId}/time-zone`, { timeZone: 'America/Los_Angeles' }, 200, support);

  test('staff see it, with its reason and what corrects it, until it is corrected', async () => {
    const orderId = await olderOrder(await shop.customer(), 'PST');
    const why = `the time zone PST is not known: PUT /api/orders/${orderId}/time-zone corrects it`;
    await shop.wait({ days: 3 });
    expect(await attention(orderId)).toMatchObject([{ reason: 'time-zone-unknown', why }]);
    expect((await shop.read('/api/attention?reason=time-zone-unknown')).items).toHaveLength(1);
    await correct(orderId);
    expect(await attention(orderId)).toMatchObject([{ reason: 'starving' }]);
  });

  test('its renewal is neither announced nor charged: it waits for an operator, and is charged once the time zone is corrected', async () => {
    const orderId = await olderOrder(await shop.customer(), 'PST', { loyalty });
    await shop.wait({ days: 7 });
    expect(await renewals(orderId)).toEqual(['RenewalMissed']);
    expect((await attention(orderId)).map(({ reason }: { reason: string }) => reason).sort()).toEqual([
      'renewal-missed',
      'time-zone-unknown',
    ]);
    expect(await release(orderId)).toMatchObject({ status: 409, body: { code: 'time-zone-unknown' } });
    expect(await shop.ask('POST', '/api/missed-renewals/release', {}, 200, support)).toEqual({ decided: 0, left: 1 });
    await correct(orderId);
    expect((await release(orderId)).status).toBe(200);
    await shop.server.settle();
    expect(await renewals(orderId)).toEqual(['RenewalMissed', 'RenewalReleased', 'RenewalBegun', 'RenewalPaid']);
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ renewals: 1 });
    await shop.wait({ days: 7 });
    expect((await renewals(orderId)).slice(4)).toEqual(['RenewalAnnounced', 'RenewalBegun', 'RenewalPaid']);
  });

  test('older dates are skipped; corrected before its date, it renews as any other', async () => {
    const [late, early] = [
      await olderOrder(await shop.customer(), 'PST', { loyalty }),
      await olderOrder(await shop.customer(), 'IST', { loyalty }),
    ];
    await correct(early);
    await shop.wait({ days: 15 });
    expect(await renewals(late)).toEqual(['RenewalMissed', 'RenewalSkipped', 'RenewalMissed']);
    expect(await renewals(early)).toEqual([
      ...['RenewalAnnounced', 'RenewalBegun', 'RenewalPaid'],
      ...['RenewalAnnounced', 'RenewalBegun', 'RenewalPaid'],
    ]);
  });
});
