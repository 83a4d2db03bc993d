import { addDays } from '#domain/kernel/instants';
import { mailInMemory } from '#gateways/mail';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const why = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'it was a slip' };
const set = (path: string, body: object, headers: Record<string, string> = why) =>
  shop.try('PUT', `/api/${path}`, body, headers);
const act = (path: string, body: object = {}) => shop.try('POST', `/api/${path}`, body, why);
const found = async (list: string, id: object) => {
  const { items } = await shop.read(`/api/${list}`);
  const [[name, value] = []] = Object.entries(id);
  return items.find((item: Record<string, unknown>) => item[name as string] === value);
};
const storeNow = async (storeId: string) => {
  const { body } = await shop.try('GET', `/api/stores/${storeId}`);
  expect(await found('stores', { storeId })).toEqual(body);
  return body;
};
const typeNow = async (leadTypeId: string) => {
  const { body } = await shop.try('GET', `/api/lead-types/${leadTypeId}`);
  expect(await found('lead-types', { leadTypeId })).toEqual(body);
  return body;
};
const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const tryOrder = async (details: object) =>
  shop.try('POST', '/api/orders', {
    customerId: await shop.customer(),
    ...{ leadTypeId: 'exclusive-fresh', quantity: 2, paymentToken: 'tok_ok' },
    ...details,
  });
/** The last event of the catalogue, as it is stored. */
const lastOf = async (stream: string) => (await shop.log()).filter((event) => event.stream === stream).at(-1);

let stores = 0;
/** A new store that sells `exclusive-fresh`. */
const openStore = async (): Promise<string> => {
  stores += 1;
  const storeId = `store-${stores}`;
  await shop.ask('POST', '/api/stores', { storeId, name: 'Wset Leads', webAddress: 'https://wset.example.org' });
  const price = { storeId, leadTypeId: 'exclusive-fresh', pricePerLeadCents: 100, currency: 'USD' };
  await shop.ask('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 50 });
  return storeId;
};

let codes = 0;
const coupon = async (details: object = {}): Promise<string> => {
  codes += 1;
  const couponCode = `AUTUMN ${codes}`;
  await shop.ask('POST', '/api/coupons', { couponCode, storeIds: ['main'], discount: { percent: 15 }, ...details });
  return couponCode;
};
const couponIs = async (couponCode: string, what: 'retire' | 'reopen') =>
  act(`coupons/${(await found('coupons', { couponCode })).couponId}/${what}`);
const checkout = async (details: object = {}): Promise<string> =>
  (
    await shop.ask('POST', '/api/checkouts', {
      customerId: await shop.customer(),
      leadTypeId: 'exclusive-fresh',
      quantity: 10,
      ...details,
    })
  ).checkoutId;
const tryCode = (checkoutId: string, couponCode: string) =>
  shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode });
const place = (checkoutId: string) =>
  shop.try('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' });

describe('stores', () => {
  test('CAT-5: a store gets another name and another web address, with author and reason, and mails show them from then on', async () => {
    const storeId = await openStore();
    const customerId = await shop.customer({ storeId, email: 'reader@example.org' });
    const mailOf = async (orderId: string): Promise<string> => {
      const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=order-confirmed`);
      const copies: string[] = [];
      for (const { mailId } of items) copies.push(await shop.ask('GET', `/api/mails/${mailId}/copy`));
      return copies.find((copy) => copy.replace(/=\r?\n/g, '').includes(orderId)) ?? '';
    };
    const before = await mailOf(await shop.order(customerId));
    expect(before).toContain('From: Wset Leads <no-reply@wset.example.org>');

    expect((await set(`stores/${storeId}/name`, { name: 'West Leads' })).body).toMatchObject({
      storeId,
      events: ['StoreRenamed'],
    });
    const stored = await lastOf('catalogue-main');
    expect(stored?.metadata).toMatchObject({ actor: 'staff:ada' });
    expect(await shop.opened(stored?.metadata.reason)).toBe('it was a slip');
    expect((await shop.history('/api/catalogue')).at(-1)).toMatchObject({
      ...{ type: 'StoreRenamed', actor: 'staff:ada', reason: 'it was a slip' },
      data: { storeId, name: 'West Leads' },
    });
    const moved = await set(`stores/${storeId}/web-address`, { webAddress: 'https://west.example.org' });
    expect(moved.body.events).toEqual(['WebAddressChanged']);
    expect(await storeNow(storeId)).toEqual({
      storeId,
      name: 'West Leads',
      webAddress: 'https://west.example.org',
      revision: moved.body.revision,
    });

    const after = await mailOf(await shop.order(customerId));
    expect(after).toContain('From: West Leads <no-reply@west.example.org>');
    expect(after).not.toContain('wset');
    expect(await mailOf('no other order')).toBe('');
  });

  test('CAT-5: a correction that is so already changes nothing; a repeat with its key gets the first answer', async () => {
    const storeId = await openStore();
    const key = { ...why, 'idempotency-key': `rename-${storeId}` };
    const first = await set(`stores/${storeId}/name`, { name: 'West Leads' }, key);
    expect(first.body.events).toEqual(['StoreRenamed']);
    expect((await set(`stores/${storeId}/name`, { name: 'West Leads' })).body.events).toEqual([]);
    expect((await set(`stores/${storeId}/name`, { name: 'Far West Leads' })).body.events).toEqual(['StoreRenamed']);
    expect((await set(`stores/${storeId}/name`, { name: 'West Leads' }, key)).body).toEqual(first.body);
    expect((await storeNow(storeId)).name).toBe('Far West Leads');
  });

  test('CAT-5: two who correct different things do not undo each other; who saw an older catalogue is refused', async () => {
    const storeId = await openStore();
    const { revision } = await storeNow(storeId);
    const [renamed, moved] = await Promise.all([
      set(`stores/${storeId}/name`, { name: 'West Leads' }),
      set(`stores/${storeId}/web-address`, { webAddress: 'https://west.example.org' }),
    ]);
    expect([renamed.status, moved.status]).toEqual([200, 200]);
    expect(await storeNow(storeId)).toMatchObject({ name: 'West Leads', webAddress: 'https://west.example.org' });
    const late = await set(`stores/${storeId}/name`, { name: 'Best Leads' }, { ...why, 'if-match': `"${revision}"` });
    expect(late).toMatchObject({ status: 412, body: { code: 'revision-mismatch' } });
    const same = await Promise.all(
      Array.from({ length: 5 }, () => set(`stores/${storeId}/name`, { name: 'One Name' })),
    );
    expect(same.flatMap(({ body }) => body.events)).toEqual(['StoreRenamed']);
  });

  test('CAT-5: what does not exist is not corrected, a correction needs a reason, and only staff correct', async () => {
    const storeId = await openStore();
    const name = { name: 'West Leads' };
    const before = (await shop.log()).length;
    for (const [path, body] of [
      ['stores/nowhere/name', name],
      ['stores/no%20id/name', name],
      ['stores/nowhere/web-address', { webAddress: 'https://west.example.org' }],
    ] as const)
      expect(await set(path, body)).toMatchObject({ status: 404, body: { code: 'unknown-store' } });
    for (const [path, body] of [
      ['lead-types/nothing/name', name],
      ['lead-types/nothing/usual-delivery', { usualDelivery: 'at once' }],
      ['lead-types/nothing/loyalty-qualification', { qualifiesForLoyaltyRewards: true }],
    ] as const)
      expect(await set(path, body)).toMatchObject({ status: 404, body: { code: 'unknown-lead-type' } });
    expect(await act('lead-types/nothing/retire')).toMatchObject({ status: 404, body: { code: 'unknown-lead-type' } });
    for (const what of ['retire', 'reopen'])
      expect(await act(`coupons/nothing/${what}`)).toMatchObject({ status: 404, body: { code: 'coupon-unknown' } });
    for (const [thing, code] of [
      ['stores/nowhere', 'unknown-store'],
      ['lead-types/nothing', 'unknown-lead-type'],
      ['coupons/nothing', 'coupon-unknown'],
    ])
      expect(await shop.try('GET', `/api/${thing}`)).toMatchObject({ status: 404, body: { code } });
    expect(await set(`stores/${storeId}/name`, name, { 'leadger-actor': 'staff:ada' })).toMatchObject({
      status: 400,
      body: { code: 'reason-missing', rule: 'CAT-5' },
    });
    expect(await set(`stores/${storeId}/name`, name, { ...why, 'leadger-actor': 'customer:c1' })).toMatchObject({
      status: 403,
      body: { code: 'staff-only' },
    });
    expect(await set(`stores/${storeId}/web-address`, { webAddress: 'west' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'webAddress' }] },
    });
    expect(await shop.log()).toHaveLength(before);
  });
});

describe('mails under way', () => {
  const delivered = mailInMemory();
  let answersAreLost = false;
  let other: Shop;
  beforeAll(async () => {
    const send: typeof delivered.send = async (message) => {
      const result = await delivered.send(message);
      if (answersAreLost) throw new Error('the answer was lost');
      return result;
    };
    other = await openShop({ mails: { ...delivered, send } });
  });
  afterAll(() => other.stop());

  test('CAT-5, NTF-3: a mail whose answer was lost keeps its id when it is sent again from a corrected address', async () => {
    answersAreLost = true;
    await other.order(await other.customer({ email: 'reader@example.org' }));
    await other.wait({ seconds: 1 });
    const address = { webAddress: 'https://corrected.example.org' };
    await other.ask('PUT', '/api/stores/main/web-address', address, 200, why);
    answersAreLost = false;
    await other.wait({ hours: 1 });
    const sent = delivered.sent.filter(({ subject }) => subject === delivered.sent.at(0)?.subject);
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(1);
    expect(sent.at(0)?.from.address).toBe('no-reply@[127.0.0.1]');
    expect(sent.at(-1)?.from.address).toBe('no-reply@corrected.example.org');
    expect(sent.at(-1)?.text).toContain('https://corrected.example.org/');
  });
});

describe('lead types', () => {
  test('CAT-5: a lead type gets another name and usual delivery time; orders that were placed keep what they were promised', async () => {
    const leadTypeId = await shop.leadType({ usualDelivery: 'two days' });
    const before = await shop.order(await shop.customer(), { leadTypeId });
    await shop.wait({ seconds: 1 });
    expect((await set(`lead-types/${leadTypeId}/name`, { name: 'Evening leads' })).body).toMatchObject({
      leadTypeId,
      events: ['LeadTypeRenamed'],
    });
    const usual = await set(`lead-types/${leadTypeId}/usual-delivery`, { usualDelivery: 'three days' });
    expect(usual.body.events).toEqual(['UsualDeliveryChanged']);
    const after = await shop.order(await shop.customer(), { leadTypeId });
    expect((await order(before)).usualDelivery).toBe('two days');
    expect((await order(after)).usualDelivery).toBe('three days');
    expect(await typeNow(leadTypeId)).toMatchObject({ name: 'Evening leads', usualDelivery: 'three days' });
  });

  test('CAT-4, CAT-5: a shared type is marked as qualifying and unmarked again; programmes that run go on', async () => {
    const leadTypeId = await shop.leadType({ exclusivity: 'shared' });
    const mark = (qualifiesForLoyaltyRewards: boolean, id = leadTypeId) =>
      set(`lead-types/${id}/loyalty-qualification`, { qualifiesForLoyaltyRewards });
    const joining = { leadTypeId, loyalty: { cadence: 'weekly' } };
    const refused = { status: 409, body: { code: 'not-in-loyalty-rewards' } };
    expect(await tryOrder(joining)).toMatchObject(refused);
    expect((await mark(true)).body.events).toEqual(['LoyaltyQualificationChanged']);
    const { orderId } = (await tryOrder(joining)).body;
    expect((await mark(false)).body.events).toEqual(['LoyaltyQualificationChanged']);
    expect(await typeNow(leadTypeId)).toMatchObject({ qualifiesForLoyaltyRewards: false });
    expect(await tryOrder(joining)).toMatchObject(refused);
    await shop.wait({ days: 7 });
    expect(await shop.read(`/api/programmes/${orderId}`)).toMatchObject({ status: 'active', nextRenewalNumber: 2 });
    await shop.ask('POST', `/api/programmes/${orderId}/cancel`);

    const exclusive = await shop.leadType();
    expect((await mark(true, exclusive)).body.events).toEqual([]);
    expect(await mark(false, exclusive)).toMatchObject({
      status: 409,
      body: { code: 'always-qualifies', rule: 'CAT-4', errors: [{ field: 'qualifiesForLoyaltyRewards' }] },
    });
  });

  test('CAT-5: a retired type is not sold; open orders are served, programmes renew, and it is re-opened', async () => {
    const leadTypeId = await shop.leadType();
    const open = await shop.order(await shop.customer(), { leadTypeId, quantity: 1 });
    const member = await shop.order(await shop.customer(), {
      ...{ leadTypeId, quantity: 1, loyalty: { cadence: 'weekly' } },
    });
    const promised = await checkout({ leadTypeId });
    const retiredAt = shop.now();
    expect((await act(`lead-types/${leadTypeId}/retire`)).body).toMatchObject({
      leadTypeId,
      events: ['LeadTypeRetired'],
    });
    expect((await act(`lead-types/${leadTypeId}/retire`)).body.events).toEqual([]);
    expect(await typeNow(leadTypeId)).toMatchObject({ retiredAt });

    const refused = {
      status: 409,
      body: { code: 'lead-type-retired', rule: 'CAT-5', errors: [{ field: 'leadTypeId' }] },
    };
    expect(await tryOrder({ leadTypeId })).toMatchObject(refused);
    const wish = { customerId: await shop.customer(), leadTypeId, quantity: 1 };
    expect(await shop.try('POST', '/api/checkouts', wish)).toMatchObject(refused);
    expect(await shop.try('POST', `/api/checkouts/${promised}/quote`, { quantity: 5 })).toMatchObject(refused);
    expect((await place(promised)).status).toBe(201);

    const intake = await Promise.all(Array.from({ length: 4 }, () => shop.lead(leadTypeId)));
    expect(new Set(intake).size).toBe(4);
    expect(await order(open)).toMatchObject({ status: 'filled', deliveredLeads: 1 });
    await shop.wait({ days: 7 });
    expect(await shop.read(`/api/programmes/${member}`)).toMatchObject({ status: 'active', nextRenewalNumber: 2 });
    await shop.ask('POST', `/api/programmes/${member}/cancel`);

    expect((await act(`lead-types/${leadTypeId}/reopen`)).body.events).toEqual(['LeadTypeReopened']);
    expect((await act(`lead-types/${leadTypeId}/reopen`)).body.events).toEqual([]);
    expect(await typeNow(leadTypeId)).toMatchObject({ retiredAt: null });
    expect((await tryOrder({ leadTypeId })).status).toBe(201);
  });

  test('CAT-5: an order of a retired type uses up no coupon; who retires while others order refuses the later ones', async () => {
    const leadTypeId = await shop.leadType();
    const couponCode = await coupon();
    const customerIds = await Promise.all(Array.from({ length: 6 }, () => shop.customer()));
    const [retired, ...placed] = await Promise.all([
      act(`lead-types/${leadTypeId}/retire`),
      ...customerIds.map((customerId) => tryOrder({ customerId, leadTypeId })),
    ]);
    expect(retired?.status).toBe(200);
    for (const { status, body } of placed)
      expect([201, 'lead-type-retired']).toContain(status === 201 ? status : body.code);
    expect((await tryOrder({ leadTypeId, couponCode })).body.code).toBe('lead-type-retired');
    expect(await found('coupons', { couponCode })).toMatchObject({ uses: 0 });
  });
});

describe('coupons', () => {
  test('CAT-5, CPN-3: a retired coupon is refused as expired; what was used before stays, and it is re-opened', async () => {
    const couponCode = await coupon();
    const [taking, late] = [await checkout(), await checkout()];
    expect((await tryCode(taking, couponCode)).status).toBe(200);
    expect((await couponIs(couponCode, 'retire')).body).toMatchObject({ couponCode, events: ['CouponRetired'] });
    expect((await couponIs(couponCode, 'retire')).body.events).toEqual([]);

    const refused = { status: 409, body: { code: 'invalid-coupon', rule: 'CPN-3', details: { reason: 'expired' } } };
    expect(await tryCode(late, couponCode)).toMatchObject(refused);
    expect(await tryOrder({ couponCode })).toMatchObject(refused);
    expect((await tryCode(taking, couponCode)).status).toBe(200);
    const { orderId } = (await place(taking)).body;
    expect(await order(orderId)).toMatchObject({ totalCents: 5100 });

    expect((await couponIs(couponCode, 'reopen')).body.events).toEqual(['CouponReopened']);
    expect((await tryCode(late, couponCode)).status).toBe(200);
  });

  test('CAT-5: a coupon that is not valid yet is refused as expired once it is retired', async () => {
    const couponCode = await coupon({ validFrom: addDays(shop.now(), 1) });
    const checkoutId = await checkout();
    expect((await tryCode(checkoutId, couponCode)).body.details).toEqual({ reason: 'not-yet-valid' });
    await couponIs(couponCode, 'retire');
    expect((await tryCode(checkoutId, couponCode)).body.details).toEqual({ reason: 'expired' });
  });

  test('CAT-5: who retires a coupon while customers try it: those who came first keep it, the others do not get it', async () => {
    const couponCode = await coupon();
    const checkouts = await Promise.all(Array.from({ length: 8 }, () => checkout()));
    const { couponId } = await found('coupons', { couponCode });
    const [, ...tried] = await Promise.all([
      act(`coupons/${couponId}/retire`),
      ...checkouts.map((checkoutId) => tryCode(checkoutId, couponCode)),
    ]);
    const { uses } = await found('coupons', { couponCode });
    expect(tried.filter(({ status }) => status === 200)).toHaveLength(uses);
    const types = (await shop.log()).filter(({ data }) => data.code === couponCode).map(({ type }) => type);
    expect(types.lastIndexOf('CouponUsed')).toBeLessThan(types.indexOf('CouponRetired'));
    expect(types.filter((type) => type === 'CouponUsed')).toHaveLength(uses);
  });

  test('CAT-5: staff list coupons in pages, newest first, with what became of each', async () => {
    await shop.wait({ seconds: 1 });
    const [first, second] = [await coupon({ totalLimit: 5 }), await coupon({ leadTypeIds: ['exclusive-fresh'] })];
    await shop.wait({ seconds: 1 });
    const third = await coupon({ discount: { amountCents: 500, currency: 'USD' } });
    await tryCode(await checkout(), first);
    await couponIs(second, 'retire');
    const newest = await shop.read('/api/coupons?limit=1');
    expect(newest.items).toMatchObject([{ couponCode: third, discount: { amountCents: 500 }, status: 'open' }]);
    const { items } = await shop.read(`/api/coupons?limit=2&cursor=${newest.nextCursor}`);
    expect(items.map(({ couponCode }: { couponCode: string }) => couponCode).sort()).toEqual([first, second]);
    expect(await found('coupons', { couponCode: first })).toMatchObject({ uses: 1, totalLimit: 5, retiredAt: null });
    const retired = await shop.read('/api/coupons?status=retired');
    expect(retired.items).toContainEqual(
      expect.objectContaining({ couponCode: second, status: 'retired', retiredAt: expect.any(String) }),
    );
    expect(retired.items.map(({ status }: { status: string }) => status)).not.toContain('open');
  });
});
