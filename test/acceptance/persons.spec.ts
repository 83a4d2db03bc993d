import { checkLaws } from '#audit/laws/laws';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const exported = (person: object, status = 200) =>
  shop.ask('POST', '/api/persons/exports', { person }, status, support);
const erase = (person: object, status = 200) => shop.ask('POST', '/api/persons/erasures', { person }, status, support);

let people = 0;
/** A person whom nobody else is. */
function somebody() {
  people += 1;
  return {
    firstName: 'Zoë',
    telephone: `+1 212 555 ${String(1000 + people)}`,
    email: `person-${people}@example.org`,
  };
}

const allTypes = async () => (await shop.log()).map(({ type, stream }) => `${type} ${stream}`);

describe('a person who is a lead', () => {
  test('is exported with every record, by telephone, by address, and by any of the leads', async () => {
    const leadTypeId = await shop.leadType();
    const person = somebody();
    const [byBoth, byPhone] = [
      await shop.lead(leadTypeId, { contact: person }),
      await shop.lead(leadTypeId, { contact: { ...somebody(), telephone: person.telephone } }),
    ];
    const all = [byBoth, byPhone].sort();
    const { telephone, email } = person;
    for (const name of [{ telephone }, { email }, { leadId: byBoth }, { leadId: byPhone }]) {
      const { asLead, asCustomer } = await exported(name);
      expect(asLead.map(({ leadId }: { leadId: string }) => leadId).sort()).toEqual(all);
      expect(asCustomer).toEqual([]);
    }
    const { asLead } = await exported({ email });
    const { history } = asLead.find(({ leadId }: { leadId: string }) => leadId === byBoth);
    expect(history).toMatchObject([{ type: 'LeadReceived', data: { contact: person } }]);
  });

  test('is erased in every record, leaves the stock, and is not stored again', async () => {
    const leadTypeId = await shop.leadType();
    const person = somebody();
    const leads = [
      await shop.lead(leadTypeId, { contact: person }),
      await shop.olderLead(leadTypeId, { ...person, firstName: 'Zoe' }),
    ];
    expect(await erase({ telephone: person.telephone })).toEqual({ customers: 0, leads: 2 });
    for (const leadId of leads)
      expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ contact: null, withdrawn: true, openPlaces: 0 });
    const { status, body } = await shop.try('POST', '/api/leads', { leadTypeId, source: 'web', contact: person });
    expect({ status, body }).toMatchObject({ status: 409, body: { code: 'person-erased' } });
    const customerId = await shop.customer();
    const orderId = await shop.order(customerId, { leadTypeId });
    expect((await shop.read(`/api/orders/${orderId}`)).deliveredLeads).toBe(0);
    expect(JSON.stringify(await shop.log())).not.toContain(person.email);
  });

  test('is recognised afterwards by every number and address of its leads, however it was named', async () => {
    const [one, other] = [somebody(), somebody()];
    await shop.lead(undefined, { contact: one });
    await shop.lead(undefined, { contact: other });
    await erase({ telephone: one.telephone });
    await erase({ email: other.email });
    for (const contact of [{ email: one.email }, { telephone: other.telephone }]) {
      const lead = { leadTypeId: 'exclusive-fresh', source: 'web', contact };
      expect((await shop.try('POST', '/api/leads', lead)).body.code).toBe('person-erased');
    }
  });

  test('that nobody knows is refused, and nothing is recorded', async () => {
    const before = await shop.log();
    expect((await erase({ customerId: '12125550777' }, 409)).code).toBe('customer-unknown');
    expect((await erase({ leadId: 'Pat.Example' }, 409)).code).toBe('lead-unknown');
    expect((await exported({ leadId: 'Pat.Example' }, 409)).code).toBe('lead-unknown');
    expect(await shop.log()).toEqual(before);
  });

  test('is erased again under the same key when there is more of it since: the fact comes before the keys are destroyed', async () => {
    const { email } = somebody();
    const withKey = { ...support, 'idempotency-key': 'letter-17' };
    const ask = (person: object) => shop.try('POST', '/api/persons/erasures', { person }, withKey);
    await shop.customer({ email });
    expect((await ask({ email })).body).toEqual({ customers: 1, leads: 0 });
    const again = await shop.customer({ email });
    const orderId = await shop.order(again);
    expect((await ask({ email })).body).toEqual({ customers: 1, leads: 0 });
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled' });
    const erased = (await shop.log()).filter(({ type }) => type === 'PersonErased');
    expect(erased.flatMap(({ data }) => data.subjects)).toContain(`customer-${again}`);
    expect(await ask({ email: 'somebody.else@example.org' })).toMatchObject({
      status: 422,
      body: { code: 'key-reused' },
    });
  });

  test('is erased once: a repeat records nothing', async () => {
    const person = somebody();
    await shop.lead(undefined, { contact: person });
    await erase({ email: person.email });
    const before = (await allTypes()).filter((event) => event.startsWith('PersonErased'));
    expect(await erase({ email: person.email })).toEqual({ customers: 0, leads: 1 });
    expect((await allTypes()).filter((event) => event.startsWith('PersonErased'))).toEqual(before);
  });
});

describe('a person who is a customer', () => {
  test('is exported with all that happened, and the look is recorded', async () => {
    const email = somebody().email;
    const customerId = await shop.customer({ email });
    await shop.order(customerId);
    const { asCustomer } = await exported({ email });
    expect(asCustomer).toMatchObject([{ customerId }]);
    const types = asCustomer[0].history.map(({ type }: { type: string }) => type);
    expect(types).toEqual(expect.arrayContaining(['CustomerRegistered', 'OrderPlaced', 'PaymentCaptured']));
    expect(await allTypes()).toContain(`CustomerHistoryShown looks-${customerId}`);
  });

  test('learns from the export who looked at the history, when, and why', async () => {
    const customerId = await shop.customer();
    const as = { 'leadger-actor': 'staff:bob', 'leadger-reason': 'the order was late' };
    await shop.ask('GET', `/api/customers/${customerId}/whole-history`, undefined, 200, as);
    const { asCustomer } = await exported({ customerId });
    const looks = asCustomer[0].history.filter(({ type }: { type: string }) => type === 'CustomerHistoryShown');
    expect(looks).toMatchObject([
      { stream: `looks-${customerId}`, actor: 'staff:bob', reason: 'the order was late', at: shop.now() },
      { stream: `looks-${customerId}`, actor: 'staff:ada', reason: 'asked by letter', at: shop.now() },
    ]);
  });

  test('is found by an address that it has not confirmed yet, until it is erased or confirms another one', async () => {
    const [present, waiting, other] = [somebody().email, somebody().email, somebody().email];
    const customerId = await shop.customer({ email: present });
    const wish = (email: string) =>
      shop.ask('PUT', `/api/customers/${customerId}/email`, { email }, 200, {
        'leadger-actor': `customer:${customerId}`,
      });
    await wish(other);
    await wish(waiting);
    expect(await exported({ email: other })).toEqual({ asCustomer: [], asLead: [] });
    expect((await exported({ email: waiting })).asCustomer).toMatchObject([{ customerId }]);
    const claimed = await shop.customer({ email: waiting });
    const found = (await exported({ email: waiting })).asCustomer.map((one: { customerId: string }) => one.customerId);
    expect(found.sort()).toEqual([customerId, claimed].sort());
    expect(await erase({ email: waiting })).toEqual({ customers: 2, leads: 0 });
    expect(await shop.read(`/api/customers/${customerId}`)).toMatchObject({ email: null, newEmail: null });
    expect(await erase({ email: waiting })).toEqual({ customers: 0, leads: 0 });
  });

  test('has everything ended when it is erased: orders, programmes, tickets, address; no lead and no charge follows', async () => {
    const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
    const email = somebody().email;
    const customerId = await shop.customer({ email, name: { firstName: 'Ada', lastName: 'Byron' } });
    const orderId = await shop.order(customerId, { leadTypeId, loyalty: { cadence: 'once-a-month' } });
    const as = { 'leadger-actor': `customer:${customerId}` };
    const letter = { customerId, subject: 'Leads', message: 'Where are they?' };
    const { ticketId } = await shop.ask('POST', '/api/tickets', letter, 201, as);
    expect(await erase({ customerId })).toEqual({ customers: 1, leads: 0 });
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled' });
    expect(await shop.read(`/api/programmes/${orderId}`)).toMatchObject({ status: 'cancelled' });
    expect(await shop.read(`/api/tickets/${ticketId}`)).toMatchObject({ status: 'closed', subject: null });
    expect(await shop.read(`/api/customers/${customerId}`)).toMatchObject({ email: null, name: null });
    await shop.lead(leadTypeId);
    await shop.wait({ days: 40 });
    const types = (await shop.log()).filter(({ stream }) => stream.endsWith(orderId)).map(({ type }) => type);
    expect(types).not.toContain('LeadDelivered');
    expect(types).not.toContain('RenewalBegun');
    // The address is free, and whoever registers with it is a new customer.
    expect(await shop.customer({ email })).not.toBe(customerId);
  });

  test('is not owed the replacements any more, and the laws hold', async () => {
    const leadTypeId = await shop.leadType();
    const customerId = await shop.customer();
    const orderId = await shop.order(customerId, { leadTypeId, quantity: 10 });
    const leadId = await shop.lead(leadTypeId);
    const back = { orderId, leadId, reason: 'wrong number' };
    const { replacementId } = await shop.ask('POST', '/api/replacements', back, 201);
    await shop.ask('POST', `/api/replacements/${replacementId}/grant`, {}, 200, support);
    await erase({ customerId });
    await shop.lead(leadTypeId);
    await shop.wait({ days: 3 });
    // The log's own clock is that of its last event.
    await shop.customer();
    expect(await shop.read(`/api/replacements/${replacementId}`)).toMatchObject({ status: 'ended' });
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ replacementsOwed: 0 });
    const events = shop.server.application.get<EventStore>(EVENT_STORE);
    const { laws } = await checkLaws(events, { hashOf: hashOfEvent });
    expect(Object.entries(laws).filter(([, broken]) => broken > 0)).toEqual([]);
  });
});

test('only support may ask, with a reason, and a person is named by exactly one thing', async () => {
  for (const what of ['exports', 'erasures']) {
    const ask = (person: object, headers: Record<string, string>) =>
      shop.try('POST', `/api/persons/${what}`, { person }, headers);
    const name = { email: 'nobody@example.org' };
    expect((await ask(name, { 'leadger-actor': 'customer:c1' })).body.code).toBe('support-only');
    expect((await ask(name, { 'leadger-actor': 'staff:ada' })).body.code).toBe('reason-missing');
    expect((await ask({}, support)).body.code).toBe('invalid-request');
    expect((await ask({ ...name, leadId: 'l1' }, support)).body.code).toBe('invalid-request');
  }
  expect(await exported({ email: 'nobody@example.org' })).toEqual({ asCustomer: [], asLead: [] });
  expect(await erase({ email: 'nobody@example.org' })).toEqual({ customers: 0, leads: 0 });
});
