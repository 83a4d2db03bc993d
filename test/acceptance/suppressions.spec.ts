import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  expect(await shop.brokenLaws()).toEqual([]);
  await shop.stop();
});

let people = 0;
const person = () => {
  people += 1;
  return { telephone: `+1 212 555 ${4000 + people}`, email: `suppressed-${people}@example.org` };
};
const asProgram = { 'leadger-actor': 'system:forms' };
const asStaff = { 'leadger-actor': 'staff:lists' };
const asForm = { 'leadger-actor': 'customer:visitor' };
const send = (contact: object, headers: Record<string, string> = asProgram, leadTypeId = 'exclusive-fresh') =>
  shop.try('POST', '/api/leads', { leadTypeId, source: 'form', contact }, headers);
const suppress = (one: object, more: object = {}, headers: Record<string, string> = asForm) =>
  shop.ask('POST', '/api/suppressions', { person: one, ...more }, 200, headers);
const statusOf = async (leadId: string) => shop.read(`/api/leads/${leadId}`);
const leadsOf = async (orderId: string) =>
  (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'LeadDelivered');
const mailsOf = async (customerId: string) =>
  (await shop.read(`/api/mails?customerId=${customerId}`)).items.filter(
    ({ kind }: { kind: string }) => kind === 'person-suppressed',
  );

describe('suppressed persons', () => {
  test('DLV-12: a person in stock who opts out is not sold, whichever of the two names the store was told', async () => {
    const ann = person();
    const { body } = await send(ann);
    await suppress({ email: ann.email.toUpperCase() });
    expect(await statusOf(body.leadId)).toMatchObject({ withdrawn: true, withdrawnAs: 'suppressed', openPlaces: 0 });
    const orderId = await shop.order(await shop.customer());
    expect(await leadsOf(orderId)).toEqual([]);
    // The telephone number leads to the lead that was withdrawn.
    expect((await send({ telephone: ann.telephone })).body).toMatchObject({ duplicate: 'telephone' });
    expect(await leadsOf(orderId)).toEqual([]);
  });

  test('DLV-12: who is on a list is not stored, and programs are told', async () => {
    const bob = person();
    const received = (await shop.log()).filter(({ type }) => type === 'LeadReceived').length;
    expect(await suppress(bob, { suppression: 'do-not-call' }, asStaff)).toEqual({ suppressed: true });
    expect(await suppress(bob)).toEqual({ suppressed: true });
    expect((await send(bob)).body).toMatchObject({ code: 'person-suppressed', rule: 'DLV-12' });
    expect((await send({ email: bob.email })).body).toMatchObject({ code: 'person-suppressed' });
    expect((await shop.log()).filter(({ type }) => type === 'LeadReceived')).toHaveLength(received);
  });

  test('DLV-12: no name is stored, and only staff and programs bring lists', async () => {
    const { telephone } = person();
    await suppress({ telephone });
    const log = JSON.stringify(await shop.log());
    expect(log).not.toContain(telephone);
    expect(log).not.toContain(telephone.replaceAll(' ', ''));
    const refused = await shop.try(
      'POST',
      '/api/suppressions',
      { person: { telephone }, suppression: 'do-not-call' },
      asForm,
    );
    expect(refused).toMatchObject({ status: 403, body: { code: 'staff-only' } });
  });

  test('DLV-12: buyers who have the person are told by mail, also after the person was erased', async () => {
    const [first, second, third] = [
      await shop.customer({ email: 'first@example.com' }),
      await shop.customer(),
      await shop.customer(),
    ];
    const orders = [];
    for (const customerId of [first, second, third] as string[])
      orders.push(await shop.order(customerId, { leadTypeId: 'shared-fresh', quantity: 1 }));
    const carl = person();
    const { leadId } = (await send(carl, asProgram, 'shared-fresh')).body;
    expect((await Promise.all(orders.map(leadsOf))).map(({ length }) => length)).toEqual([1, 1, 1]);
    const reason = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked for it' };
    await shop.ask('POST', '/api/persons/erasures', { person: { telephone: carl.telephone } }, 200, reason);
    await suppress({ telephone: carl.telephone });
    await suppress({ telephone: carl.telephone });
    for (const customerId of [first, second, third] as string[]) expect(await mailsOf(customerId)).toHaveLength(1);
    const told = (await shop.log()).filter(({ type, data }) => type === 'ContactSuppressed' && data.leadId === leadId);
    expect(told.map(({ data }) => data.isListed)).toEqual([true, true, true]);
  });

  test('DLV-9, DLV-12: the file of a buyer says since when a person must not be contacted any more', async () => {
    const customerId = await shop.customer();
    const leadTypeId = await shop.leadType();
    await shop.order(customerId, { leadTypeId });
    const [fred, gina] = [person(), person()];
    const leadIds: string[] = [];
    for (const one of [fred, gina]) leadIds.push((await send(one, asProgram, leadTypeId)).body.leadId);
    await suppress(fred);
    const [header, ...rows] = (await shop.read(`/api/customers/${customerId}/leads.csv`)).trimEnd().split('\r\n');
    const at = (name: string) => header.split(',').indexOf(name);
    const since = rows.map((row: string) => [row.split(',')[at('leadId')], row.split(',')[at('suppressedAt')]]);
    expect(Object.fromEntries(since)).toEqual({ [leadIds[0] as string]: shop.now(), [leadIds[1] as string]: '' });
  });

  test('DLV-12: a file of persons may be sent again', async () => {
    const [dora, emil] = [person(), person()];
    const { leadId } = (await send(dora)).body;
    const file = `phone,email\r\n${dora.telephone},\r\n,${emil.email}\r\n12,\r\n`;
    const batch = async () => {
      const reply = await shop.server.call('POST', '/api/suppressions/batches', file, {
        ...asStaff,
        'content-type': 'text/csv',
      });
      await shop.server.settle();
      return reply.body;
    };
    expect(await batch()).toMatchObject({ suppressed: 2, known: 0, rejected: 1, rejections: [{ line: 4 }] });
    expect(await batch()).toMatchObject({ suppressed: 0, known: 2, rejected: 1 });
    expect(await statusOf(leadId)).toMatchObject({ withdrawnAs: 'suppressed' });
    expect((await send(emil)).body).toMatchObject({ code: 'person-suppressed' });
  });

  test('DLV-12: of racing intake, sale and suppression not all win', async () => {
    const order = await shop.order(await shop.customer(), { quantity: 100 });
    const racers = Array.from({ length: 12 }, person);
    await Promise.all(
      racers.flatMap((one, index) => [
        ...(index % 3 === 0
          ? [shop.server.call('POST', '/api/suppressions', { person: { email: one.email } }, asForm)]
          : []),
        shop.server.call('POST', '/api/leads', { leadTypeId: 'exclusive-fresh', source: 'a', contact: one }, asProgram),
        shop.server.call('POST', '/api/leads', { leadTypeId: 'exclusive-fresh', source: 'b', contact: one }, asProgram),
        shop.server.call('POST', '/api/suppressions', { person: { telephone: one.telephone } }, asForm),
      ]),
    );
    await shop.server.settle();
    const log = await shop.log();
    const suppressed = new Map(
      log.flatMap(({ type, stream }, at) =>
        type === 'PersonSuppressed' ? [[stream.slice('person-'.length), at]] : [],
      ) as [string, number][],
    );
    const late = log.filter(
      ({ type, data }, at) =>
        ['LeadReceived', 'LeadAssigned'].includes(type) &&
        [data.telephoneKey, data.emailKey].some((key) => (suppressed.get(key) ?? at) < at),
    );
    expect(late).toEqual([]);
    const delivered = (await leadsOf(order)).map(({ data }) => data.leadId);
    for (const leadId of delivered) expect(await statusOf(leadId)).toMatchObject({ withdrawnAs: 'suppressed' });
  });
});
