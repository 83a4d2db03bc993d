import { openShop, type Shop } from './shop.ts';

let shop: Shop;
const west = { storeId: 'west', name: 'West Coast Leads', webAddress: 'https://west.example.org' };
beforeAll(async () => {
  shop = await openShop();
  await shop.ask('POST', '/api/stores', west);
});
afterAll(() => shop.stop());

const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const leadsOf = async (orderId: string): Promise<string[]> =>
  (await shop.history(`/api/orders/${orderId}`))
    .filter(({ type }) => type === 'LeadDelivered')
    .map(({ data }) => data.leadId);
const sellInWest = (leadTypeId: string, details: object = {}) => {
  const price = { storeId: 'west', leadTypeId, pricePerLeadCents: 130, currency: 'USD' };
  return shop.ask('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 50, ...details });
};
/** A type that both stores sell. */
const soldInBoth = async (traits: Record<string, unknown> = {}) => {
  const leadTypeId = await shop.leadType(traits);
  await sellInWest(leadTypeId);
  return leadTypeId;
};
const orderAt = async (storeId: string, leadTypeId: string, customer: object = {}) =>
  shop.order(await shop.customer({ storeId, ...customer }), { leadTypeId });

describe('STO-1: several stores of one parent', () => {
  test('STO-1: each store has its own name and web address, and is opened once', async () => {
    const { items: stores } = await shop.ask('GET', '/api/stores');
    expect(stores).toContainEqual({ ...west, revision: expect.any(Number) });
    expect(stores.map(({ storeId }: { storeId: string }) => storeId)).toEqual(['main', 'west']);
    expect((await shop.ask('POST', '/api/stores', west)).events).toEqual([]);
    expect(await shop.try('POST', '/api/stores', { ...west, name: 'East' })).toMatchObject({
      status: 409,
      body: { code: 'store-exists', rule: 'STO-1' },
    });
    for (const webAddress of [
      'https://c.example/a?x=1',
      'https://d.example/#f',
      'https://g.example/a b',
      'https://h.example/<i>',
    ])
      expect(await shop.try('POST', '/api/stores', { storeId: 'odd', name: 'Odd', webAddress })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'webAddress' }] },
      });
    const stray = { storeId: 'east', businessAssociation: 'ABC', timeZone: 'UTC' };
    expect(await shop.try('POST', '/api/customers', stray)).toMatchObject({
      status: 409,
      body: { code: 'unknown-store', errors: [{ field: 'storeId' }] },
    });
  });

  test('STO-1: an address is kept in its normal form; one that mails could not link to, or be sent from, is refused', async () => {
    const open = (webAddress: string) => shop.try('POST', '/api/stores', { storeId: 'form', name: 'Form', webAddress });
    for (const wrong of [
      ...['https:x.example', 'https:/x.example', 'https:///x.example', 'https://x.example/a\u200bb'],
      ...['https://x.example/\u202eb', 'https://x.example.', 'https://a..b', 'https://*.example', 'https://1.2.3.4'],
    ])
      expect(await open(wrong)).toMatchObject({ status: 400, body: { errors: [{ field: 'webAddress' }] } });
    expect((await open('HTTPS://Form.Example:443/')).status).toBe(201);
    // The same address, written in another way.
    expect((await open('https://form.example')).body.events).toEqual([]);
    const { items } = await shop.ask('GET', '/api/stores');
    expect(items.find((store: { storeId: string }) => store.storeId === 'form').webAddress).toBe(
      'https://form.example',
    );
  });

  test('STO-1: a name is seen, and does not turn the direction of the text around it', async () => {
    for (const name of ['\u200b', '\u3164', '\u115f\u115f', 'West \u202eLeads', '\u2066West\u2069'])
      for (const [path, body] of [
        ['/api/stores', { ...west, storeId: 'named', name }],
        [
          '/api/lead-types',
          { leadTypeId: 'named', name, exclusivity: 'exclusive', freshness: 'real-time', usualDelivery: 'x' },
        ],
      ] as const)
        expect(await shop.try('POST', path, body)).toMatchObject({
          status: 400,
          body: { errors: expect.arrayContaining([expect.objectContaining({ field: 'name' })]) },
        });
  });

  test('STO-1: each store has its own prices and limits, and sells only types that it has a price for', async () => {
    const leadTypeId = await shop.leadType();
    const customerId = await shop.customer({ storeId: 'west' });
    const wish = { customerId, leadTypeId, quantity: 60, paymentToken: 'tok_ok' };
    expect(await shop.try('POST', '/api/orders', wish)).toMatchObject({ status: 409, body: { code: 'not-sold' } });
    await sellInWest(leadTypeId);
    expect(await shop.try('POST', '/api/orders', wish)).toMatchObject({ body: { code: 'quantity-outside-limits' } });
    const [atWest, atMain] = [await orderAt('west', leadTypeId), await orderAt('main', leadTypeId)];
    expect(await order(atWest)).toMatchObject({ storeId: 'west', pricePerLeadCents: 130, totalCents: 1300 });
    expect(await order(atMain)).toMatchObject({ storeId: 'main', pricePerLeadCents: 100, totalCents: 1000 });
    const listed = await shop.read(`/api/orders?storeId=west&leadTypeId=${leadTypeId}`);
    expect(listed.items).toMatchObject([{ orderId: atWest }]);
  });

  test('STO-1: a coupon is valid in the stores it names, and in no other', async () => {
    const leadTypeId = await soldInBoth();
    await shop.ask('POST', '/api/coupons', { couponCode: 'WEST ONLY', storeIds: ['west'], discount: { percent: 50 } });
    const tryIn = async (storeId: string) =>
      shop.try('POST', '/api/orders', {
        customerId: await shop.customer({ storeId }),
        leadTypeId,
        quantity: 10,
        paymentToken: 'tok_ok',
        couponCode: 'WEST ONLY',
      });
    expect(await tryIn('main')).toMatchObject({
      status: 409,
      body: { code: 'invalid-coupon', details: { reason: 'not-this-store' } },
    });
    expect((await order((await tryIn('west')).body.orderId)).totalCents).toBe(650);
  });

  test('STO-1, DLV-1: an exclusive lead is delivered to one customer across all stores', async () => {
    const leadTypeId = await soldInBoth();
    const orders = [await orderAt('main', leadTypeId), await orderAt('west', leadTypeId)];
    const [first, second] = [await shop.lead(leadTypeId), await shop.lead(leadTypeId)];
    const delivered = await Promise.all(orders.map(leadsOf));
    expect(delivered.map((leads) => leads.length)).toEqual([1, 1]);
    expect(delivered.flat().sort()).toEqual([first, second].sort());
  });

  test('STO-1, DLV-2: a shared lead is delivered to at most three customers of both stores together', async () => {
    const leadTypeId = await soldInBoth({ exclusivity: 'shared' });
    const orders = [
      await orderAt('main', leadTypeId),
      await orderAt('west', leadTypeId),
      await orderAt('main', leadTypeId),
      await orderAt('west', leadTypeId),
    ];
    const leadId = await shop.lead(leadTypeId);
    const delivered = await Promise.all(orders.map(leadsOf));
    expect(delivered.flat()).toEqual([leadId, leadId, leadId]);
    expect((delivered[0]?.length ?? 0) + (delivered[2]?.length ?? 0)).toBeGreaterThan(0);
    expect((delivered[1]?.length ?? 0) + (delivered[3]?.length ?? 0)).toBeGreaterThan(0);
    const assigned = (await shop.history(`/api/leads/${leadId}`)).filter(({ type }) => type === 'LeadAssigned');
    expect(assigned.map(({ data }) => data.openPlaces)).toEqual([2, 1, 0]);
  });

  test('STO-1, DLV-3: the rule about one business applies across stores', async () => {
    const leadTypeId = await soldInBoth({ exclusivity: 'shared' });
    const orders = [
      await orderAt('main', leadTypeId, { businessAssociation: 'Green Tea Club' }),
      await orderAt('west', leadTypeId, { businessAssociation: 'GREEN-TEA club' }),
    ];
    const leadId = await shop.lead(leadTypeId);
    expect((await Promise.all(orders.map(leadsOf))).flat()).toEqual([leadId]);
  });

  test('STO-1, DLV-7: a replacement owed in one store comes before the orders of all stores', async () => {
    const leadTypeId = await soldInBoth();
    const owed = await orderAt('west', leadTypeId);
    const bad = await shop.lead(leadTypeId);
    const waiting = await orderAt('main', leadTypeId);
    const { replacementId: id } = await shop.ask('POST', '/api/replacements', {
      orderId: owed,
      leadId: bad,
      reason: 'wrong number',
    });
    const verified = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called: a bakery' };
    await shop.ask('POST', `/api/replacements/${id}/grant`, undefined, 200, verified);
    const next = await shop.lead(leadTypeId);
    expect([await leadsOf(owed), await leadsOf(waiting)]).toEqual([[bad, next], []]);
    expect((await shop.read('/api/replacements?storeId=west')).items).toMatchObject([{ replacementId: id }]);
  });

  test('STO-1: the orders of all stores are paid through one processor and recorded in one ledger', async () => {
    const leadTypeId = await soldInBoth();
    const orders = [await orderAt('main', leadTypeId), await orderAt('west', leadTypeId)];
    const [atMain, atWest] = await Promise.all(orders.map((orderId) => shop.history(`/api/orders/${orderId}`)));
    for (const history of [atMain, atWest])
      expect(history?.[1]).toMatchObject({ type: 'PaymentCaptured', actor: 'process:payment-capture' });
    expect((atMain?.[0]?.position ?? '') < (atWest?.[0]?.position ?? '')).toBe(true);
    const declined = await shop.order(await shop.customer({ storeId: 'west' }), {
      leadTypeId,
      paymentToken: 'tok_declined',
    });
    expect((await order(declined)).status).toBe('payment-failed');
  });
});

test("STO-2: checkout and order show the parent's statement descriptor in every store", async () => {
  const leadTypeId = await soldInBoth();
  const shown = async (storeId: string) => {
    const customerId = await shop.customer({ storeId });
    const checkout = await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId, quantity: 10 });
    const { statementDescriptor: atCheckout } = await shop.ask('GET', `/api/checkouts/${checkout.checkoutId}`);
    const { orderId: id } = await shop.ask('POST', `/api/checkouts/${checkout.checkoutId}/place`, {
      paymentToken: 'tok_ok',
    });
    return { id, shown: [atCheckout, (await order(id)).statementDescriptor] };
  };
  const before = await shown('west');
  expect(before.shown).toEqual(['LEADGER', 'LEADGER']);
  await shop.ask('PUT', '/api/statement-descriptor', { statementDescriptor: 'PARENT CO LEADS' });
  expect((await shop.ask('GET', '/api/statement-descriptor')).statementDescriptor).toBe('PARENT CO LEADS');
  for (const storeId of ['main', 'west'])
    expect((await shown(storeId)).shown).toEqual(['PARENT CO LEADS', 'PARENT CO LEADS']);
  expect((await order(before.id)).statementDescriptor).toBe('LEADGER');
});

test('STO-2: a descriptor is one line; how long it may be is the limit of the payment provider', async () => {
  await shop.ask('PUT', '/api/statement-descriptor', { statementDescriptor: 'Dedicated Media Solutions' });
  for (const descriptor of ['', ' ', 'X'.repeat(101), 'TWO\nLINES'])
    expect(await shop.try('PUT', '/api/statement-descriptor', { statementDescriptor: descriptor })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'statementDescriptor' }] },
    });
});
