import { checkLaws } from '#audit/laws/laws';
import { addDays, addSeconds } from '#domain/kernel/instants';
import { leadStream } from '#domain/leads/lead';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

/** An order of a new customer. */
const place = async (leadTypeId: string, details: Record<string, unknown> = {}, customer = {}) =>
  shop.order(await shop.customer(customer), { leadTypeId, ...details });
const lead = (leadTypeId: string, contact?: object) => shop.lead(leadTypeId, contact && { contact });
const leads = async (count: number, leadTypeId: string) => {
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) ids.push(await lead(leadTypeId));
  return ids;
};
const happened = async (path: string, type: string) =>
  (await shop.history(path)).filter((event) => event.type === type);
const deliveries = (orderId: string) => happened(`/api/orders/${orderId}`, 'LeadDelivered');
const leadsOf = async (orderId: string): Promise<string[]> =>
  (await deliveries(orderId)).map(({ data }) => data.leadId);
const countsOf = (orderIds: readonly string[]) =>
  Promise.all(orderIds.map(async (orderId) => (await deliveries(orderId)).length));
const stockOf = async (leadTypeId: string) => {
  const { items: stock } = await shop.read('/api/stock');
  const found = stock.find((row: { leadTypeId: string }) => row.leadTypeId === leadTypeId);
  return { leads: found?.leads ?? 0, openPlaces: found?.openPlaces ?? 0 };
};
const giveBack = async (orderId: string, leadId: string) => {
  const { replacementId: id } = await shop.ask('POST', '/api/replacements', {
    orderId,
    leadId,
    reason: 'wrong number',
  });
  const verified = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called: a bakery' };
  await shop.ask('POST', `/api/replacements/${id}/grant`, undefined, 200, verified);
  return id as string;
};
/** Publishes the current policy with changes. @returns a function that publishes the policy as it was */
const publish = async (changes: object) => {
  const { policy } = await shop.ask('GET', '/api/policy');
  await shop.publish({ policy: { ...policy, ...changes } });
  return () => shop.publish({ policy });
};
const waitUntil = (instant: string) => shop.wait({ seconds: (Date.parse(instant) - Date.parse(shop.now())) / 1000 });

describe('who may receive a lead', () => {
  test('DLV-1: an exclusive lead is delivered to one customer only, although two are waiting for it', async () => {
    const leadTypeId = await shop.leadType();
    const orders = [await place(leadTypeId), await place(leadTypeId)];
    const leadId = await lead(leadTypeId);
    const delivered = (await Promise.all(orders.map(leadsOf))).flat();
    expect(delivered).toEqual([leadId]);
    expect(await stockOf(leadTypeId)).toEqual({ leads: 0, openPlaces: 0 });
  });

  test('DLV-1: when customers compete for the last exclusive lead, exactly one receives it', async () => {
    const leadTypeId = await shop.leadType();
    const leadId = await lead(leadTypeId);
    const customers = [await shop.customer(), await shop.customer(), await shop.customer(), await shop.customer()];
    const order = { leadTypeId, quantity: 10, paymentToken: 'tok_ok' };
    const placed = await Promise.all(
      customers.map((customerId) => shop.server.call('POST', '/api/orders', { ...order, customerId })),
    );
    await shop.server.settle();
    expect(placed.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect((await Promise.all(placed.map(({ body }) => leadsOf(body.orderId)))).flat()).toEqual([leadId]);
    expect(await happened(`/api/leads/${leadId}`, 'LeadAssigned')).toMatchObject([{ data: { openPlaces: 0 } }]);
  });

  test('DLV-2: a shared lead is delivered to three customers; a fourth customer waits for the next lead', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const orders = [await place(leadTypeId), await place(leadTypeId), await place(leadTypeId), await place(leadTypeId)];
    await lead(leadTypeId);
    expect((await countsOf(orders)).sort()).toEqual([0, 1, 1, 1]);
    await lead(leadTypeId);
    expect((await countsOf(orders)).sort()).toEqual([1, 1, 2, 2]);
  });

  test('DLV-2: a changed number of customers applies to leads received afterwards', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const before = await lead(leadTypeId);
    const asItWas = await publish({ maximumCustomersPerSharedLead: 2 });
    const after = await lead(leadTypeId);
    await asItWas();
    const orders = [await place(leadTypeId), await place(leadTypeId), await place(leadTypeId), await place(leadTypeId)];
    const delivered = (await Promise.all(orders.map(leadsOf))).flat();
    expect(delivered.filter((leadId) => leadId === before)).toHaveLength(3);
    expect(delivered.filter((leadId) => leadId === after)).toHaveLength(2);
  });

  test.each([
    ['case', 'Northern Vitamins', 'NORTHERN vitamins'],
    ['spacing', 'Blue  Sky Travel', ' BlueSky Travel'],
    ['punctuation', 'A.B.C. Wellness, Inc.', 'ABC Wellness (Inc)'],
    ['width of the letters', 'Zen Life', 'Ｚｅｎ　Ｌｉｆｅ'],
  ])('DLV-3: two names that differ only in %s are one business', async (_, name, sameName) => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const first = await place(leadTypeId, {}, { businessAssociation: name });
    const colleague = await place(leadTypeId, {}, { businessAssociation: sameName });
    const other = await place(leadTypeId, {}, { businessAssociation: `${name} 2` });
    const leadId = await lead(leadTypeId);
    expect(await leadsOf(other)).toEqual([leadId]);
    expect((await Promise.all([first, colleague].map(leadsOf))).flat()).toEqual([leadId]);
    expect(await stockOf(leadTypeId)).toEqual({ leads: 1, openPlaces: 1 });
  });

  test('DLV-3: the business that the customer had at delivery is what counts, even if it changes later', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const customerId = await shop.customer({ businessAssociation: 'Old Company' });
    const mover = await shop.order(customerId, { leadTypeId });
    const leadId = await lead(leadTypeId);
    const change = { businessAssociation: 'New Company' };
    await shop.ask('PUT', `/api/customers/${customerId}/business-association`, change, 200, {
      'leadger-actor': `customer:${customerId}`,
    });
    const inOld = await place(leadTypeId, {}, { businessAssociation: 'old company' });
    const inNew = await place(leadTypeId, {}, { businessAssociation: 'new company' });
    expect(await Promise.all([mover, inOld, inNew].map(leadsOf))).toEqual([[leadId], [], [leadId]]);
    const [before, after] = (await Promise.all([mover, inNew].map(deliveries))).flat();
    expect(before?.data.businessKey).not.toBe(after?.data.businessKey);

    const next = await lead(leadTypeId);
    expect((await Promise.all([mover, inNew].map(leadsOf))).flat().filter((id) => id === next)).toHaveLength(1);
    expect(await leadsOf(inOld)).toEqual([next]);
  });
});

// Since then, a further record of a person is not sold (DLV-11). Logs of before have several.
describe('the same person in records of an older version', () => {
  const person = { telephone: '+1 212 555 0150', email: 'Ada.Byron@example.org' };

  test.each([
    ['the same telephone number in another notation', { telephone: '(212) 555-0150', email: 'other@example.org' }],
    ['the same e-mail address in another notation', { telephone: '+1 212 555 0151', email: 'ada.byron@EXAMPLE.org' }],
  ])('DLV-4: a person is not given twice to a customer: %s, in another record of another type', async (_, again) => {
    const [fresh, aged] = [await shop.leadType(), await shop.leadType({ freshness: 'aged' })];
    const customerId = await shop.customer();
    const [first, second] = [
      await shop.order(customerId, { leadTypeId: fresh }),
      await shop.order(customerId, { leadTypeId: aged }),
    ];
    await shop.olderLead(fresh, person);
    const record = await shop.olderLead(aged, again);
    expect(await countsOf([first, second])).toEqual([1, 0]);
    const other = await place(aged);
    expect(await leadsOf(other)).toEqual([record]);
  });

  test('DLV-4: a lead is delivered to the next customer when the first in turn has already received the person', async () => {
    const [mine, sold] = [await shop.leadType(), await shop.leadType()];
    const customerId = await shop.customer();
    await shop.order(customerId, { leadTypeId: mine });
    await shop.olderLead(mine, person);
    const inTurn = await shop.order(customerId, { leadTypeId: sold });
    await shop.wait({ seconds: 1 });
    const next = await place(sold);
    const record = await shop.olderLead(sold, { email: person.email });
    expect([await leadsOf(inTurn), await leadsOf(next)]).toEqual([[], [record]]);
    expect(await happened(`/api/leads/${record}`, 'LeadReleased')).toMatchObject([
      { data: { orderId: inTurn, reason: 'person-given-before' } },
    ]);
  });

  test('DLV-4: a person is not delivered twice to a customer, even after the personal data was erased', async () => {
    const leadTypeId = await shop.leadType();
    const customerId = await shop.customer();
    const orderId = await shop.order(customerId, { leadTypeId });
    const erased = await shop.olderLead(leadTypeId, person);
    await shop.server.application.get<Vault>(VAULT).erase(leadStream(erased));
    const { contact } = await shop.read(`/api/customers/${customerId}/leads/${erased}`);
    expect(contact).toBeNull();
    const record = await shop.olderLead(leadTypeId, { ...person, firstName: 'Ada' });
    expect(await leadsOf(orderId)).toEqual([erased]);
    expect(await leadsOf(await place(leadTypeId))).toEqual([record]);
  });
});

describe('order of delivery', () => {
  const claimed = async (leadTypeId: string, orders: readonly string[]) => {
    const leadId = await lead(leadTypeId);
    const counts = await Promise.all(orders.map(async (orderId) => (await leadsOf(orderId)).includes(leadId)));
    return orders.filter((_, index) => counts[index]);
  };

  test('DLV-7: the least recently served order is first, then the oldest, then by id; owed replacements come before all, oldest debt first', async () => {
    const leadTypeId = await shop.leadType();
    const youngest = [];
    const oldest = await place(leadTypeId);
    await shop.wait({ seconds: 1 });
    youngest.push(await place(leadTypeId), await place(leadTypeId));
    const [lowId, highId] = youngest.sort() as [string, string];
    const orders = [oldest, lowId, highId];
    const winners = [];
    for (let turn = 0; turn < 4; turn += 1) {
      winners.push(await claimed(leadTypeId, orders));
      await shop.wait({ seconds: 1 });
    }
    expect(winners).toEqual([[oldest], [lowId], [highId], [oldest]]);

    const [ofHigh, ofOldest] = [(await leadsOf(highId))[0] as string, (await leadsOf(oldest))[0] as string];
    await giveBack(highId, ofHigh);
    await shop.wait({ seconds: 1 });
    await giveBack(oldest, ofOldest);
    const after = [];
    for (let turn = 0; turn < 5; turn += 1) after.push(await claimed(leadTypeId, orders));
    expect(after).toEqual([[highId], [oldest], [lowId], [highId], [oldest]]);
  });

  test('DLV-7: several leads of the same instant are also delivered to the orders in turn', async () => {
    const leadTypeId = await shop.leadType();
    const orders = [];
    for (let customer = 0; customer < 3; customer += 1) {
      orders.push(await place(leadTypeId));
      await shop.wait({ seconds: 1 });
    }
    await Promise.all(
      Array.from({ length: 7 }, (_, number) =>
        shop.server.call('POST', '/api/leads', {
          leadTypeId,
          source: 'page',
          contact: { email: `round${number}@example.org` },
        }),
      ),
    );
    await shop.server.settle();
    expect(await countsOf(orders)).toEqual([3, 2, 2]);
  });

  test('DLV-8: a delivery records receipt, winner, rank, policy, and the log position of the decision', async () => {
    const leadTypeId = await shop.leadType();
    const customerId = await shop.customer();
    const placedAt = shop.now();
    const orderId = await shop.order(customerId, { leadTypeId });
    const first = await lead(leadTypeId);
    const firstAt = shop.now();
    await shop.wait({ hours: 1 });
    await lead(leadTypeId);
    await shop.wait({ hours: 1 });
    const owedSince = shop.now();
    const replacementId = await giveBack(orderId, first);
    await shop.wait({ hours: 1 });
    await lead(leadTypeId);

    const { version } = await shop.ask('GET', '/api/policy');
    const recorded = await deliveries(orderId);
    const inTurn = { rule: 'order-served-longest-ago', policyVersion: version };
    expect(recorded).toMatchObject([
      { at: firstAt, policyVersion: version, data: { customerId, decision: { ...inTurn, rank: { placedAt } } } },
      { at: addSeconds(firstAt, 3600), data: { decision: { ...inTurn, rank: { placedAt, lastServedAt: firstAt } } } },
      {
        at: addSeconds(firstAt, 3 * 3600),
        data: {
          replacementFor: replacementId,
          decision: { rule: 'replacement-owed-longest', rank: { owedSince }, policyVersion: version },
        },
      },
    ]);
    for (const { at, data, position } of recorded) {
      const [assigned] = await happened(`/api/leads/${data.leadId}`, 'LeadAssigned');
      expect(assigned?.data).toMatchObject({ orderId, customerId, decision: data.decision });
      expect(data.decision).toMatchObject({ decidedAt: at, eventsSeen: expect.any(Number) });
      expect(data.decision.eventsSeen).toBeLessThan(Number(position));
    }
  });
});

describe('the daily maximum', () => {
  const REAL_TIME = { freshness: 'real-time', usualDelivery: 'at once' };

  // Sorted by date, because the clock of a shop never moves back.
  test.each([
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z', 23],
    ['Pacific/Kwajalein', '2026-03-20', '2026-03-19T12:00:00.000Z', 24],
    ['Etc/GMT+12', '2026-03-21', '2026-03-21T12:00:00.000Z', 24],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z', 23],
    ['Pacific/Auckland', '2026-04-05', '2026-04-04T11:00:00.000Z', 25],
    ['America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z', 25],
    ['America/Havana', '2027-03-14', '2027-03-14T05:00:00.000Z', 23],
  ])(
    'DLV-5: the daily maximum holds from midnight to midnight in %s on %s',
    async (timeZone, localDay, from, hours) => {
      const until = addSeconds(from, hours * 3600);
      await waitUntil(addSeconds(from, -1));
      const leadTypeId = await shop.leadType(REAL_TIME);
      const orderId = await place(leadTypeId, { dailyMaximum: { leads: 2 }, timeZone });
      await leads(6, leadTypeId);
      await waitUntil(addSeconds(until, -0.001));
      expect((await deliveries(orderId)).map(({ at }) => at)).toEqual(
        [-1, -1, 0, 0].map((seconds) => addSeconds(from, seconds)),
      );
      await waitUntil(until);
      const delivered = await deliveries(orderId);
      expect(delivered.slice(4).map(({ at }) => at)).toEqual([until, until]);
      const days = delivered.map(({ data }) => data.localDay);
      expect(days.filter((day) => day === localDay)).toHaveLength(2);
      const reached = await happened(`/api/orders/${orderId}`, 'DailyMaximumReached');
      expect(reached.map(({ at, data }) => [at, data.localDay, data.deliveredLeads])).toEqual(
        [1, 3, 5].map((last) => [delivered[last]?.at, days[last], 2]),
      );
    },
  );

  test.each([
    [1, 1, 1],
    [3, 34, 2],
    [4, 25, 1],
    [7, 15, 2],
  ])('DLV-5: of %d leads at %d percent a day no more than %d come', async (quantity, percent, most) => {
    const leadTypeId = await shop.leadType(REAL_TIME);
    const orderId = await place(leadTypeId, { quantity, dailyMaximum: { percent } });
    await leads(quantity + 1, leadTypeId);
    expect(await deliveries(orderId)).toHaveLength(most);
  });

  test('DLV-5: the daily maximum holds when many leads arrive at the same time', async () => {
    const leadTypeId = await shop.leadType(REAL_TIME);
    const orders = [
      await place(leadTypeId, { dailyMaximum: { leads: 2 } }),
      await place(leadTypeId, { dailyMaximum: { leads: 3 } }),
    ];
    const page = { leadTypeId, source: 'page' };
    const arriving = Array.from({ length: 8 }, (_, number) =>
      shop.server.call('POST', '/api/leads', { ...page, contact: { email: `crowd${number}@example.org` } }),
    );
    await Promise.all(arriving);
    await shop.server.settle();
    expect(await countsOf(orders)).toEqual([2, 3]);
    expect(await stockOf(leadTypeId)).toEqual({ leads: 3, openPlaces: 3 });
  });

  test('DLV-5: days are counted in the time zone of the order, even if the customer moves', async () => {
    const leadTypeId = await shop.leadType(REAL_TIME);
    const customerId = await shop.customer({ timeZone: 'UTC' });
    await waitUntil(addDays(`${shop.now().slice(0, 10)}T23:00:00.000Z`, 1));
    const orderId = await shop.order(customerId, { leadTypeId, dailyMaximum: { leads: 1 } });
    await leads(3, leadTypeId);
    await shop.ask('PUT', `/api/customers/${customerId}/time-zone`, { timeZone: 'Asia/Tokyo' }, 200, {
      'leadger-actor': `customer:${customerId}`,
    });
    await shop.wait({ hours: 1, seconds: -1 });
    expect(await deliveries(orderId)).toHaveLength(1);
    await shop.wait({ seconds: 1 });
    expect(await deliveries(orderId)).toHaveLength(2);
    await shop.wait({ hours: 23 });
    expect(await deliveries(orderId)).toHaveLength(2);
  });

  test('DLV-5: the daily maximum is not a promise: leads missing on one day are not added to the next day', async () => {
    const leadTypeId = await shop.leadType(REAL_TIME);
    const orderId = await place(leadTypeId, { dailyMaximum: { leads: 2 } });
    await leads(1, leadTypeId);
    await shop.wait({ days: 1 });
    await leads(4, leadTypeId);
    expect((await shop.read(`/api/orders/${orderId}`)).deliveredLeads).toBe(3);
    expect(await happened(`/api/orders/${orderId}`, 'DailyMaximumReached')).toMatchObject([
      { at: shop.now(), data: { deliveredLeads: 2 } },
    ]);
  });
});

describe('ageing of leads', () => {
  const row = async (exclusivity: string) => {
    const older = await shop.leadType({ exclusivity, freshness: 'aged' });
    const fresh = await shop.leadType({ exclusivity, freshness: 'fresh', agesInto: older });
    return { realTime: await shop.leadType({ exclusivity, freshness: 'real-time', agesInto: fresh }), fresh, older };
  };
  const received = async (orderId: string) => (await deliveries(orderId)).map(({ at, data }) => [data.leadId, at]);
  const agedAt = async (leadId: string) =>
    (await happened(`/api/leads/${leadId}`, 'LeadAged')).map(({ at, data }) => [data.leadTypeId, at]);

  test('DLV-6: a shared real-time lead is offered at once; its remaining places become fresh stock and later aged stock', async () => {
    const { realTime, fresh, older } = await row('shared');
    const [now, nextDay, nextMonth] = [
      await place(realTime, { dailyMaximum: { leads: 5 } }),
      await place(fresh),
      await place(older),
    ];
    const leadId = await lead(realTime);
    const arrivedAt = shop.now();
    expect(await received(now)).toEqual([[leadId, arrivedAt]]);
    await shop.wait({ days: 1, seconds: -0.001 });
    expect([await stockOf(realTime), await received(nextDay)]).toEqual([{ leads: 1, openPlaces: 2 }, []]);
    await shop.wait({ seconds: 0.001 });
    expect(await received(nextDay)).toEqual([[leadId, addDays(arrivedAt, 1)]]);
    expect([await stockOf(realTime), await stockOf(fresh)]).toEqual([
      { leads: 0, openPlaces: 0 },
      { leads: 1, openPlaces: 1 },
    ]);
    await shop.wait({ days: 40 });
    expect(await received(nextMonth)).toEqual([[leadId, addDays(arrivedAt, 30)]]);
    expect(await agedAt(leadId)).toEqual([
      [fresh, addDays(arrivedAt, 1)],
      [older, addDays(arrivedAt, 30)],
    ]);
  });

  test('DLV-6: an exclusive lead that was delivered at once does not become stock', async () => {
    const { realTime, fresh } = await row('exclusive');
    await place(realTime, { dailyMaximum: { leads: 5 } });
    const batch = await place(fresh);
    const leadId = await lead(realTime);
    await shop.wait({ days: 2 });
    expect([await received(batch), await agedAt(leadId)]).toEqual([[], []]);
  });

  test('DLV-6: the age of a lead counts from its capture, not from its arrival', async () => {
    const { realTime, fresh, older } = await row('exclusive');
    const batch = await place(older);
    const arrivedAt = shop.now();
    const leadId = await shop.lead(realTime, { capturedAt: addDays(arrivedAt, -10) });
    await shop.wait({ days: 20 });
    expect(await agedAt(leadId)).toEqual([
      [fresh, arrivedAt],
      [older, addDays(arrivedAt, 20)],
    ]);
    expect(await received(batch)).toEqual([[leadId, addDays(arrivedAt, 20)]]);
  });

  test('DLV-6: a batch order is served from stock at once, and later as new stock arrives', async () => {
    const leadTypeId = await shop.leadType();
    const stock = await leads(2, leadTypeId);
    await shop.wait({ hours: 5 });
    const placedAt = shop.now();
    const orderId = await place(leadTypeId, { quantity: 3 });
    await shop.wait({ hours: 5 });
    const arrived = await lead(leadTypeId);
    expect(await received(orderId)).toEqual([
      ...stock.map((leadId) => [leadId, placedAt]),
      [arrived, addSeconds(placedAt, 5 * 3600)],
    ]);
  });

  test('DLV-6: the age limits are those of the current policy', async () => {
    const { realTime, fresh } = await row('exclusive');
    const leadId = await lead(realTime);
    const arrivedAt = shop.now();
    const asItWas = await publish({ freshAfterDays: 3 });
    await shop.wait({ days: 5 });
    expect(await agedAt(leadId)).toEqual([[fresh, addDays(arrivedAt, 3)]]);
    const { version } = await shop.ask('GET', '/api/policy');
    expect((await happened(`/api/leads/${leadId}`, 'LeadAged'))[0]?.data.policyVersion).toBe(version);
    await asItWas();
  });
});

describe('leads of a customer', () => {
  const person = { firstName: 'Zoë', lastName: 'Example', telephone: '+1 212 555 0160', email: 'zoe@example.org' };

  test('DLV-9: a customer views all its leads, newest first, or those of one order', async () => {
    const [one, two] = [await shop.leadType(), await shop.leadType()];
    const customerId = await shop.customer();
    const [first, second] = [
      await shop.order(customerId, { leadTypeId: one }),
      await shop.order(customerId, { leadTypeId: two }),
    ];
    const viewed = { ...person, telephone: '+1 212 555 0161', email: 'zoe.one@example.org' };
    const ids = [await lead(one, viewed)];
    await shop.wait({ seconds: 1 });
    ids.push(...(await leads(1, two)));
    const { items } = await shop.read(`/api/customers/${customerId}/leads`);
    expect(items).toMatchObject([
      { leadId: ids[1], orderId: second, leadTypeId: two, deliveredAt: shop.now() },
      { leadId: ids[0], orderId: first, leadTypeId: one, contact: viewed, rating: null, replacementStatus: null },
    ]);
    const ofSecond = await shop.read(`/api/customers/${customerId}/leads?orderId=${second}`);
    expect(ofSecond.items).toMatchObject([{ leadId: ids[1] }]);
  });

  test('DLV-9: a search covers all leads of the customer, page by page, and no leads of other customers', async () => {
    const leadTypeId = await shop.leadType();
    const customerId = await shop.customer();
    const orderId = await shop.order(customerId, { leadTypeId });
    const wanted = [];
    for (let number = 0; number < 3; number += 1) {
      wanted.push(await lead(leadTypeId, { firstName: 'Anna', lastName: 'Lee', email: `anna${number}@example.org` }));
      await lead(leadTypeId, { firstName: 'Bob', lastName: 'Lee', telephone: `+1 212 555 017${number}` });
      await shop.wait({ seconds: 1 });
    }
    const found = async (query: string, of = customerId) => {
      const { items, nextCursor } = await shop.read(`/api/customers/${of}/leads?${query}`);
      return { ids: items.map((item: { leadId: string }) => item.leadId), nextCursor };
    };
    const newestFirst = wanted.toReversed();
    expect(await found('search=lee%20ANNA')).toEqual({ ids: newestFirst, nextCursor: undefined });
    const page = await found('search=anna&limit=2');
    expect(page.ids).toEqual(newestFirst.slice(0, 2));
    expect(await found(`search=anna&limit=2&cursor=${page.nextCursor}`)).toEqual({
      ids: newestFirst.slice(2),
      nextCursor: undefined,
    });
    expect((await found('search=anna&limit=3')).nextCursor).toBeUndefined();
    expect((await found('search=(212)%20555.0171')).ids).toHaveLength(1);
    expect((await found(`search=anna&orderId=${orderId}`)).ids).toHaveLength(3);
    expect((await found('search=anna&orderId=another')).ids).toEqual([]);
    expect((await found('search=carol')).ids).toEqual([]);
    expect((await found('search=anna', await shop.customer())).ids).toEqual([]);
    const nothing = await shop.try('GET', `/api/customers/${customerId}/leads?search=%20`);
    expect(nothing).toMatchObject({ status: 400, body: { errors: [{ field: 'search' }] } });
  });

  test('DLV-9: a download contains every lead, or those that match a search', async () => {
    const leadTypeId = await shop.leadType();
    const customerId = await shop.customer();
    const orderId = await shop.order(customerId, { leadTypeId });
    const leadId = await lead(leadTypeId, { ...person, comment: 'Call after 5, "please"' });
    await leads(2, leadTypeId);
    const file = `/api/customers/${customerId}/leads.csv`;
    const all = (await shop.read(file)).trimEnd().split('\r\n');
    expect(all).toHaveLength(4);
    const found = (await shop.read(`${file}?search=zoe`)).trimEnd().split('\r\n');
    expect(found).toEqual([
      all[0],
      `${shop.now()},${leadTypeId},${orderId},${leadId},Zoë,Example,+1 212 555 0160,zoe@example.org,,,,,,,"Call after 5, ""please""",,,,,,,,,,,`,
    ]);
  });

  test('DLV-10: a lead withdrawn as bad is not delivered again, although it had places left', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const orderId = await place(leadTypeId);
    const bad = await lead(leadTypeId);
    await giveBack(orderId, bad);
    expect(await shop.read(`/api/leads/${bad}`)).toMatchObject({ withdrawn: true, openPlaces: 0 });
    expect(await stockOf(leadTypeId)).toEqual({ leads: 0, openPlaces: 0 });
    const later = await place(leadTypeId);
    const good = await lead(leadTypeId);
    expect([await leadsOf(orderId), await leadsOf(later)]).toEqual([[bad, good], [good]]);
  });
});

test('DLV-8: an audit that repeats all decisions from the log alone finds the same winners', async () => {
  const { laws, decisions } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), {
    hashOf: hashOfEvent,
  });
  // What the records of an older version sold above, before DLV-11.
  expect(Object.entries(laws).filter(([, broken]) => broken > 0)).toEqual([['personSoldAgain', 7]]);
  expect(decisions.judged).toBeGreaterThan(100);
});
