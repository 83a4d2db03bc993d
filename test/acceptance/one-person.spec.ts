import { checkLaws } from '#audit/laws/laws';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  expect(Object.values(laws).every((broken) => broken === 0)).toBe(true);
  await shop.stop();
});

let people = 0;
const person = () => {
  people += 1;
  return { telephone: `+1 212 555 ${2000 + people}`, email: `one-person-${people}@example.org` };
};
const send = (contact: object, details: object = {}, headers: Record<string, string> = {}) =>
  shop.ask(
    'POST',
    '/api/leads',
    { leadTypeId: 'exclusive-real-time', source: 'form', contact, ...details },
    201,
    headers,
  );
const dailyMaximum = { leads: 10 };
const placed: string[] = [];
const order = async (leadTypeId = 'exclusive-real-time') => {
  const more = leadTypeId.endsWith('real-time') ? { dailyMaximum } : {};
  const orderId = await shop.order(await shop.customer(), { leadTypeId, ...more });
  placed.push(orderId);
  return orderId;
};
const leadsOf = async (orderId: string): Promise<string[]> =>
  (await shop.history(`/api/orders/${orderId}`))
    .filter(({ type }) => type === 'LeadDelivered')
    .map(({ data }) => data.leadId);
/** Orders of other tests are still open: one of them may be next. */
const buyerOf = async (leadId: string): Promise<string> => {
  for (const orderId of placed) if ((await leadsOf(orderId)).includes(leadId)) return orderId;
  throw new Error(`lead ${leadId} was delivered to nobody`);
};
const soldTo = async (orders: readonly string[]) =>
  (await Promise.all(orders.map(leadsOf))).map(({ length }) => length);
const giveBack = async (orderId: string, leadId: string) => {
  const request = { orderId, leadId, reason: 'wrong number' };
  const { replacementId } = await shop.ask('POST', '/api/replacements', request);
  const verified = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called: a bakery' };
  await shop.ask('POST', `/api/replacements/${replacementId}/grant`, undefined, 200, verified);
  return replacementId as string;
};

describe('one person', () => {
  test('DLV-11: a form that is sent twice a second apart is one lead', async () => {
    const orders = [await order(), await order(), await order()];
    const ann = person();
    const first = await send(ann);
    await shop.wait({ seconds: 1 });
    const second = await send(ann);
    expect(first).toMatchObject({ events: ['LeadReceived'] });
    expect(first).not.toHaveProperty('duplicate');
    expect(second).toMatchObject({ events: [], known: true, leadId: first.leadId });
    expect((await soldTo(orders)).sort()).toEqual([0, 0, 1]);
  });

  test('DLV-11: over sources, types and ways of writing it is one person', async () => {
    const orders = [
      await order(),
      await order('exclusive-fresh'),
      await order('shared-fresh'),
      await order('shared-aged'),
    ];
    const { telephone, email } = person();
    await send({ telephone, email }, { leadTypeId: 'shared-fresh' });
    const again: [object, object, string][] = [
      [{ telephone: telephone.replaceAll(' ', '-') }, { source: 'fair' }, 'telephone'],
      [{ email: email.toUpperCase() }, { leadTypeId: 'exclusive-fresh' }, 'email'],
      [{ email, telephone: person().telephone }, { leadTypeId: 'shared-aged' }, 'email'],
    ];
    for (const [contact, details, duplicate] of again)
      expect(await send(contact, details)).toMatchObject({ duplicate });
    expect(await soldTo(orders)).toEqual([0, 0, 1, 0]);
  });

  test('DLV-11: a duplicate is recorded without its contact, and shown as what it is', async () => {
    const ann = person();
    const { leadId: first } = await send(ann);
    const { leadId } = await send({ ...ann, firstName: 'Ann' }, { source: 'fair' });
    expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({
      duplicateOf: first,
      match: 'telephone and email',
      contact: null,
      keyMissing: false,
      openPlaces: 0,
      source: 'fair',
    });
    const recorded = (await shop.log()).filter(({ stream }) => stream === `lead-${leadId}`);
    expect(recorded.map(({ type }) => type)).toEqual(['DuplicateReceived']);
    expect(JSON.stringify(recorded)).not.toContain('box');
  });

  test('DLV-11: whoever brings a file of leads is told which are duplicates, and which known', async () => {
    const ann = person();
    await send(ann);
    const rows = `first name,telephone\nAda,${ann.telephone}\n`;
    const batch = async (actor: string) => {
      const headers = { 'leadger-actor': actor, 'content-type': 'text/csv' };
      return shop.try('POST', '/api/leads/batches?leadTypeId=exclusive-fresh&source=b', rows, headers);
    };
    expect((await batch('system:import')).body).toMatchObject({ received: 0, duplicates: 1, rejected: 0 });
    expect((await batch('system:import')).body).toMatchObject({ received: 0, known: 1, duplicates: 0 });
    expect(await batch('customer:c1')).toMatchObject({ status: 403, body: { code: 'staff-only' } });
  });

  test('DLV-11: a person whose lead was withdrawn as bad can be sold again', async () => {
    await order();
    const ann = person();
    const { leadId } = await send(ann);
    await giveBack(await buyerOf(leadId), leadId);
    expect(await send(ann)).toMatchObject({ known: true, leadId });
    const again = await send(ann, { source: 'fair' });
    expect(again).toMatchObject({ events: ['LeadReceived'] });
    const orders = [await order(), await order()];
    expect(await send(ann, { source: 'page' })).toMatchObject({ events: ['DuplicateReceived'] });
    expect((await soldTo([...orders])).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1);
  });

  test('DLV-11: a grant that is taken back leaves the person with its buyer; granted again, it can be sold again', async () => {
    const leadTypeId = await shop.leadType();
    await order(leadTypeId);
    const ann = person();
    const { leadId } = await send(ann, { leadTypeId });
    const orderId = await buyerOf(leadId);
    const replacementId = await giveBack(orderId, leadId);
    const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called again' };
    const correct = (verdict: string, explanation?: string) =>
      shop.ask('POST', `/api/replacements/${replacementId}/correct`, { verdict, explanation }, 200, staff);
    await correct('denied', 'the number is right');
    expect(await send(ann, { leadTypeId, source: 'later' })).toMatchObject({ events: ['DuplicateReceived'] });
    expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ withdrawn: true });
    await correct('granted');
    expect(await send(ann, { leadTypeId, source: 'last' })).toMatchObject({ events: ['LeadReceived'] });
  });

  describe('DLV-11: a grant that is taken back, after another lead of the person came', () => {
    const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called again' };
    const denied = { verdict: 'denied', explanation: 'the number is right' };
    const takeBack = (replacementId: string) =>
      shop.ask('POST', `/api/replacements/${replacementId}/correct`, denied, 200, staff);
    /** The first lead of a person, returned, and the second one. */
    const returnedAndAgain = async (beforeTheSecond?: (leadTypeId: string) => Promise<unknown>) => {
      const leadTypeId = await shop.leadType();
      await order(leadTypeId);
      const ann = person();
      const { leadId: first } = await send(ann, { leadTypeId });
      const replacementId = await giveBack(await buyerOf(first), first);
      await beforeTheSecond?.(leadTypeId);
      const { leadId: second } = await send(ann, { leadTypeId, source: 'meanwhile' });
      return { leadTypeId, ann, first, second, replacementId };
    };

    test('DLV-11: the other lead is withdrawn while it is not sold', async () => {
      const { leadTypeId, ann, first, second, replacementId } = await returnedAndAgain();
      await takeBack(replacementId);
      expect(await shop.read(`/api/leads/${first}`)).toMatchObject({ withdrawnAs: 'kept-by-buyer' });
      expect(await shop.read(`/api/leads/${second}`)).toMatchObject({ withdrawnAs: 'superseded', openPlaces: 0 });
      expect(await leadsOf(await order(leadTypeId))).toEqual([]);
      expect(await send(ann, { leadTypeId, source: 'later' })).toMatchObject({ events: ['DuplicateReceived'] });
    });

    test('DLV-11: the person is held until both were returned', async () => {
      const { leadTypeId, ann, second, replacementId } = await returnedAndAgain(order);
      await takeBack(replacementId);
      await giveBack(await buyerOf(second), second);
      expect(await send(ann, { leadTypeId, source: 'later' })).toMatchObject({ events: ['DuplicateReceived'] });
      await shop.ask('POST', `/api/replacements/${replacementId}/correct`, { verdict: 'granted' }, 200, staff);
      expect(await send(ann, { leadTypeId, source: 'last' })).toMatchObject({ events: ['LeadReceived'] });
    });
  });

  test('DLV-11: a person whose lead has aged out unsold comes as a new lead, and the old one is withdrawn', async () => {
    const leadTypeId = await shop.leadType();
    const ann = person();
    const { leadId: old } = await send(ann, { leadTypeId });
    await shop.wait({ days: 29 });
    expect(await send(ann, { leadTypeId })).toMatchObject({ events: ['DuplicateReceived'] });
    await shop.wait({ days: 1 });
    const { leadId, events } = await send(ann, { leadTypeId });
    expect(events).toEqual(['LeadReceived']);
    expect(await shop.read(`/api/leads/${old}`)).toMatchObject({ withdrawn: true, openPlaces: 0 });
    expect(await leadsOf(await order(leadTypeId))).toEqual([leadId]);
    expect(await leadsOf(await order(leadTypeId))).toEqual([]);
  });

  test('DLV-11: a shared person is sold to three customers over all records; a window of the policy lets it come again', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const ann = person();
    await send(ann, { leadTypeId });
    const orders = [await order(leadTypeId), await order(leadTypeId), await order(leadTypeId), await order(leadTypeId)];
    await send(ann, { leadTypeId });
    expect(await soldTo(orders)).toEqual([1, 1, 1, 0]);
    const { policy } = await shop.ask('GET', '/api/policy');
    await shop.publish({ policy: { ...policy, sharedPersonDays: 90 } });
    await shop.wait({ days: 89 });
    expect(await send(ann, { leadTypeId })).toMatchObject({ events: ['DuplicateReceived'] });
    await shop.wait({ days: 1 });
    expect(await send(ann, { leadTypeId })).toMatchObject({ events: ['LeadReceived'] });
    await shop.publish({ policy });
    expect(await soldTo(orders)).toEqual([1, 1, 1, 1]);
  });

  test('DLV-11: a person who was erased is not stored again, and is not a duplicate of anybody', async () => {
    const ann = person();
    const { leadId } = await send(ann);
    const headers = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked for it' };
    const erased = await shop.try('POST', '/api/persons/erasures', { person: { leadId } }, headers);
    expect(erased.status).toBeLessThan(300);
    const again = await shop.try('POST', '/api/leads', {
      leadTypeId: 'exclusive-real-time',
      source: 'form',
      contact: ann,
    });
    expect(again.body).toMatchObject({ code: 'person-erased' });
  });

  test('DLV-11: a record that has the telephone number of one lead and the address of another makes them one person', async () => {
    const leadTypeId = await shop.leadType();
    const [{ telephone }, { email }] = [person(), person()];
    const first = await send({ telephone }, { leadTypeId });
    await shop.wait({ seconds: 1 });
    const second = await send({ email }, { leadTypeId });
    expect(await send({ telephone, email }, { leadTypeId })).toMatchObject({ duplicate: 'telephone and email' });
    expect(await shop.read(`/api/leads/${second.leadId}`)).toMatchObject({ withdrawn: true });
    const orders = [await order(leadTypeId), await order(leadTypeId)];
    expect(await soldTo(orders)).toEqual([1, 0]);
    expect(await leadsOf(orders[0] as string)).toEqual([first.leadId]);
    expect(await send({ email }, { leadTypeId, source: 'other' })).toMatchObject({ events: ['DuplicateReceived'] });
  });

  test('DLV-11: two leads that were sold before the store knew that they are one person: the claim ends with the last of them', async () => {
    const leadTypeId = await shop.leadType();
    const [{ telephone }, { email }] = [person(), person()];
    const buyers = [await order(leadTypeId), await order(leadTypeId)];
    const sold = [await send({ telephone }, { leadTypeId }), await send({ email }, { leadTypeId })];
    expect((await soldTo(buyers)).sort()).toEqual([1, 1]);
    expect(await send({ telephone, email }, { leadTypeId })).toMatchObject({ events: ['DuplicateReceived'] });
    for (const [index, { leadId }] of sold.entries()) {
      await giveBack(await buyerOf(leadId), leadId);
      const again = await send({ telephone }, { leadTypeId, source: `again ${index}` });
      expect(again).toMatchObject({ events: [index === 0 ? 'DuplicateReceived' : 'LeadReceived'] });
    }
  });

  test('DLV-11: of many intakes at once, one is stored', async () => {
    const leadTypeId = await shop.leadType();
    const orders = [await order(leadTypeId), await order(leadTypeId)];
    const { telephone, email } = person();
    const contacts = [{ telephone, email }, { telephone }, { telephone, email: person().email }, { email }];
    const replies = await Promise.all(
      contacts.map((contact) => shop.server.call('POST', '/api/leads', { leadTypeId, source: 'form', contact })),
    );
    await shop.server.settle();
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const recorded = replies.map(({ body }) => body.events[0]).sort();
    expect(recorded).toEqual(['DuplicateReceived', 'DuplicateReceived', 'DuplicateReceived', 'LeadReceived']);
    expect((await soldTo(orders)).sort()).toEqual([0, 1]);
  });
});
