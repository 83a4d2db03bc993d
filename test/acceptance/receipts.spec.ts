import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the customer asked for it' };

interface ReceiptAnswer {
  receiptId: string;
  number: number;
  kind: string;
  chargeNumber: number | null;
  amountCents: number;
  taxCents: number;
  lines: { kind: string; amountCents: number }[];
  taxes: object[];
}
/** Oldest first. */
const receiptsOf = async (filter: string): Promise<ReceiptAnswer[]> =>
  (await shop.read(`/api/receipts?sort=issuedAt&${filter}`)).items.sort(
    (a: ReceiptAnswer, b: ReceiptAnswer) => a.number - b.number,
  );

let stores = 0;
/** A new store that sells at 10.00, with a customer. */
async function storeWith(details: object = {}) {
  stores += 1;
  const storeId = `receipts-${stores}`;
  await shop.ask('POST', '/api/stores', { storeId, name: 'Ätna & Søn', webAddress: 'https://store.example' });
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const price = { storeId, leadTypeId, pricePerLeadCents: 1000, currency: 'USD', smallestOrder: 1, largestOrder: 1000 };
  await shop.ask('POST', '/api/prices', price);
  const customerId = await shop.customer({ storeId, ...details });
  const order = (more: object = {}) => shop.order(customerId, { leadTypeId, quantity: 5, ...more });
  return { storeId, leadTypeId, customerId, order };
}
const giveBack = (orderId: string, amountCents: number, more: object = {}) =>
  shop.ask('POST', `/api/orders/${orderId}/refunds`, { amountCents, ...more }, undefined, support);
const totalOf = (lines: readonly { amountCents: number }[]) => lines.reduce((sum, line) => sum + line.amountCents, 0);

test('CHK-8: each captured charge and each refund has a receipt, with the numbers 1, 2, 3 … in each store', async () => {
  const { storeId, order } = await storeWith();
  const other = await storeWith();
  const orderId = await order({ loyalty: { cadence: 'weekly' } });
  await other.order();
  await shop.wait({ days: 7 });
  await giveBack(orderId, 1200);
  await giveBack(orderId, 300, { renewalNumber: 1 });
  const receipts = await receiptsOf(`storeId=${storeId}`);
  expect(
    receipts.map(({ number, kind, amountCents, chargeNumber }) => [number, kind, amountCents, chargeNumber]),
  ).toEqual([
    [1, 'charge', 5000, null],
    [2, 'charge', 5000, null],
    [3, 'refund', 1200, 1],
    [4, 'refund', 300, 2],
  ]);
  expect((await receiptsOf(`storeId=${other.storeId}`)).map(({ number }) => number)).toEqual([1]);
});

test('CHK-8: orders that are paid at the same moment get different numbers, without gaps', async () => {
  const { storeId, order } = await storeWith();
  await Promise.all(Array.from({ length: 12 }, () => order()));
  const numbers = (await receiptsOf(`storeId=${storeId}`)).map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
});

test('CHK-8: the lines say what was bought, with discount and bonus leads, and add up to what was charged', async () => {
  const { storeId, customerId, leadTypeId } = await storeWith();
  const discount = { couponCode: 'RECEIPT 10', storeIds: [storeId], discount: { percent: 10 } };
  await shop.ask('POST', '/api/coupons', discount);
  const order = { leadTypeId, quantity: 20, loyalty: { cadence: 'weekly' }, couponCode: 'RECEIPT 10' };
  const orderId = await shop.order(customerId, order);
  const [receipt] = await receiptsOf(`orderId=${orderId}`);
  expect(receipt?.lines.slice(0, 2)).toEqual([
    { kind: 'leads', quantity: 20, pricePerLeadCents: 1000, amountCents: 20_000 },
    { kind: 'discount', couponCode: 'RECEIPT 10', amountCents: -2000 },
  ]);
  expect(totalOf(receipt?.lines ?? [])).toBe(18_000);
  const { totalCents } = await shop.read(`/api/orders/${orderId}`);
  expect(receipt?.amountCents).toBe(totalCents);
});

test('CHK-8: an order that cost nothing has no receipt', async () => {
  const { storeId, customerId, leadTypeId } = await storeWith();
  await shop.ask('POST', '/api/coupons', { couponCode: 'FREE', storeIds: [storeId], discount: { percent: 100 } });
  await shop.order(customerId, { leadTypeId, quantity: 5, couponCode: 'FREE' });
  expect(await receiptsOf(`storeId=${storeId}`)).toEqual([]);
});

test('CHK-8: taxes are part of the price, as the store has set them for the day of the payment; a refund gives back its share', async () => {
  const { storeId, order } = await storeWith();
  const before = await order();
  const taxes = [
    { name: 'State tax', percent: 6.25 },
    { name: 'City tax', percent: 1.5 },
  ];
  const set = (body: object) => shop.try('PUT', `/api/stores/${storeId}/taxes`, body);
  expect((await set({ taxes })).status).toBe(200);
  expect((await set({ taxes, effectiveFrom: '2001-01-01T00:00:00Z' })).body).toMatchObject({
    code: 'taxes-in-the-past',
    rule: 'CHK-8',
  });
  expect((await set({ taxes: [{ name: 'Tax', percent: 0.00001 }] })).body.code).toBe('rate-too-fine');
  expect((await set({ taxes: [{ name: 'Tax', percent: -1 }] })).status).toBe(400);
  expect((await shop.try('PUT', '/api/stores/none/taxes', { taxes })).body.code).toBe('unknown-store');
  expect((await shop.try('GET', '/api/stores/none/taxes')).status).toBe(404);
  const taxed = await order();
  await giveBack(taxed, 2000);
  await giveBack(taxed, 3000);
  const [old, charge, part, rest] = await receiptsOf(`storeId=${storeId}`);
  expect(old).toMatchObject({ amountCents: 5000, taxCents: 0, taxes: [] });
  expect(before).not.toBe(taxed);
  // 5000 = 4640.37 + 290.02 + 69.61
  expect(charge).toMatchObject({
    amountCents: 5000,
    taxes: [
      { name: 'State tax', percent: 6.25, taxCents: 290 },
      { name: 'City tax', percent: 1.5, taxCents: 70 },
    ],
  });
  expect((part?.taxCents ?? 0) + (rest?.taxCents ?? 0)).toBe(charge?.taxCents);
  const html = await shop.read(`/api/receipts/${charge?.receiptId}/html`);
  expect(html).toContain('Including State tax, 6.25%');
  expect((await shop.read(`/api/stores/${storeId}/taxes`)).items).toMatchObject([{ taxes }]);
});

test('CHK-8: the receipt to print shows who paid, and nobody once the person was erased', async () => {
  const { order, customerId } = await storeWith({
    businessAssociation: 'Zoë <b>Ltd</b>',
    name: { firstName: 'Zoë', lastName: 'Ångström' },
    postalAddress: { address: 'Main Street 1', city: 'Springfield', state: 'IL', postalCode: '62701', country: 'US' },
  });
  const orderId = await order();
  await giveBack(orderId, 700);
  const [charge, refund] = await receiptsOf(`orderId=${orderId}`);
  const page = `/api/receipts/${charge?.receiptId}/html`;
  const html = await shop.read(page);
  for (const text of [
    'Receipt 1',
    'Ätna &amp; Søn',
    'Zoë Ångström',
    'Zoë &lt;b&gt;Ltd',
    'Springfield IL 62701',
    '$50.00',
  ])
    expect(html).toContain(text);
  expect(await shop.read(`/api/receipts/${refund?.receiptId}/html`)).toMatch(
    /Receipt 2 of a refund[\s\S]*receipt 1[\s\S]*\$7\.00/,
  );
  expect(JSON.stringify(await shop.log())).not.toContain('Ångström');
  await shop.ask('POST', '/api/persons/erasures', { person: { customerId } }, undefined, support);
  const erased = await shop.read(page);
  expect(erased).toContain('$50.00');
  expect(erased).toContain(orderId);
  expect(erased).not.toMatch(/Zoë|Springfield/);
});

test('CHK-8: receipts are listed by customer, order, store and number; only staff set taxes', async () => {
  const { storeId, order, customerId } = await storeWith();
  const orderId = await order();
  await order();
  const own = await receiptsOf(`customerId=${customerId}`);
  expect(own.map(({ number }) => number)).toEqual([1, 2]);
  const [first] = await receiptsOf(`storeId=${storeId}&number=1`);
  expect(await receiptsOf(`orderId=${orderId}`)).toEqual([first]);
  expect(await shop.read(`/api/receipts/${first?.receiptId}`)).toEqual(first);
  expect(await shop.try('GET', '/api/receipts/none/html')).toMatchObject({
    status: 404,
    body: { code: 'receipt-unknown' },
  });
  const asCustomer = { 'leadger-actor': `customer:${customerId}` };
  const asked = await shop.try('PUT', `/api/stores/${storeId}/taxes`, { taxes: [] }, asCustomer);
  expect(asked.body.code).toBe('staff-only');
});

test('CHK-8: receipts are part of the whole history of their customer, and of the export of the person; those of others are not', async () => {
  const { order, storeId, leadTypeId, customerId } = await storeWith();
  const orderId = await order();
  await shop.order(await shop.customer({ storeId }), { leadTypeId, quantity: 5 });
  await giveBack(orderId, 700);
  await order();
  const staff = { ...support };
  const { items } = await shop.ask(
    'GET',
    `/api/customers/${customerId}/whole-history?limit=100`,
    undefined,
    200,
    staff,
  );
  const numbersIn = (events: { type: string; data: { number: number } }[]) =>
    events.filter(({ type }) => type === 'ReceiptIssued').map(({ data: { number } }) => number);
  expect(numbersIn(items)).toEqual([1, 3, 4]);
  const types = items.map(({ type }: { type: string }) => type);
  expect(types.indexOf('ReceiptIssued')).toBeGreaterThan(types.indexOf('PaymentCaptured'));
  const exported = await shop.ask('POST', '/api/persons/exports', { person: { customerId } }, 200, staff);
  expect(numbersIn(exported.asCustomer[0].history)).toEqual([1, 3, 4]);
});

test('CHK-8: the taxes of a store are listed by the instant from which they hold, with when they were set; for staff with author and reason', async () => {
  const { storeId } = await storeWith();
  const inDays = (days: number) => new Date(Date.parse(shop.now()) + days * 24 * 3_600_000).toISOString();
  const [soon, later] = [inDays(1), inDays(2)];
  const set = (percent: number, effectiveFrom: string, reason: string) =>
    shop.ask('PUT', `/api/stores/${storeId}/taxes`, { taxes: [{ name: 'Tax', percent }], effectiveFrom }, 200, {
      'leadger-actor': 'staff:ada',
      'leadger-reason': reason,
    });
  await set(7, later, 'the later rate');
  const setAt = shop.now();
  await shop.wait({ seconds: 60 });
  await set(5, soon, 'a mistake');
  await set(6, soon, 'the rate of the law');
  const { items } = await shop.read(`/api/stores/${storeId}/taxes`);
  expect(items).toEqual([
    { taxes: [{ name: 'Tax', percent: 5 }], effectiveFrom: soon, setAt: shop.now(), replaced: true },
    { taxes: [{ name: 'Tax', percent: 6 }], effectiveFrom: soon, setAt: shop.now(), replaced: false },
    { taxes: [{ name: 'Tax', percent: 7 }], effectiveFrom: later, setAt, replaced: false },
  ]);
  const history = (await shop.read(`/api/stores/${storeId}/taxes/history`)).items;
  const reasons = ['a mistake', 'the rate of the law', 'the later rate'];
  expect(history).toEqual(
    items.map((one: object, index: number) => ({ ...one, author: 'staff:ada', reason: reasons[index] })),
  );
  expect((await shop.try('GET', '/api/stores/none/taxes/history')).status).toBe(404);
});

test('CHK-8: each receipt is sent by mail, as a PDF', async () => {
  const { order, customerId } = await storeWith({ email: 'receipts@example.org' });
  const orderId = await order();
  await giveBack(orderId, 700);
  const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=receipt-issued`);
  expect(items.map(({ status }: { status: string }) => status)).toEqual(['sent', 'sent']);
  const copies = await Promise.all(
    items.map(({ mailId }: { mailId: string }) => shop.ask('GET', `/api/mails/${mailId}/copy`)),
  );
  const [charge, refund] = ['filename=receipt-1.pdf', 'filename=refund-receipt-2.pdf'].map((name) =>
    copies.find((copy) => copy.includes(name)),
  );
  expect(charge).toContain('$50.00');
  expect(refund).toContain('$7.00');
  // `%PDF-` in base 64.
  for (const copy of [charge, refund]) expect(copy).toMatch(/application\/pdf[\s\S]*JVBERi0/);
});
