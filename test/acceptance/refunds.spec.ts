import { createHmac } from 'node:crypto';
import { checkLaws } from '#audit/laws/laws';
import { addHours } from '#domain/kernel/instants';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { type PaymentGateway, sandboxPayments } from '#gateways/payments';
import { stripeNotices } from '#gateways/stripe-notices';
import type { ReadModels } from '#read-models/read-models';
import { EVENT_STORE, READ_MODELS } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

const SECRET = 'whsec_of_this_shop';

let shop: Shop;
/** Charges that the provider has received and not answered. */
let waiting: (() => void)[] = [];
let isSlow = false;
/** What the provider was asked to give back, by key. */
const asked: { key: string; reference: string; amountCents: number }[] = [];

const sandbox = sandboxPayments();
const payments: PaymentGateway = {
  async capture(charge, key) {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (isSlow) waiting.push(resolve);
    else resolve();
    await promise;
    return sandbox.capture(charge, key);
  },
  refund(refund, key) {
    asked.push({ key, reference: refund.reference, amountCents: refund.amountCents });
    return sandbox.refund(refund, key);
  },
};

beforeAll(async () => {
  shop = await openShop({ payments, notices: stripeNotices(SECRET) });
});
beforeEach(() => {
  isSlow = false;
  waiting = [];
  asked.length = 0;
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the customer asked for it' };
const rowOf = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const refundsOf = async (orderId: string) => (await shop.read(`/api/refunds?orderId=${orderId}`)).items;
const typesOf = async (path: string) => (await shop.history(path)).map(({ type }) => type);
const attention = async (orderId: string) =>
  (await shop.read('/api/attention')).items
    .filter((item: { orderId: string }) => item.orderId === orderId)
    .map(({ reason }: { reason: string }) => reason);
const mailsOf = async (customerId: string) =>
  (await shop.read(`/api/mails?customerId=${customerId}`)).items.map(({ kind }: { kind: string }) => kind);
/** 25.00 */
const leads = { quantity: 25 };
const price = async () => shop.leadType();
const giveBack = (orderId: string, body: object = {}, headers: Record<string, string> = {}) =>
  shop.try('POST', `/api/orders/${orderId}/refunds`, body, { ...support, ...headers });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('CHK-6: money captured for an order that was cancelled meanwhile is given back by itself, and told', async () => {
  const customerId = await shop.customer({ email: 'late@example.org' });
  isSlow = true;
  const order = { customerId, leadTypeId: await price(), ...leads, paymentToken: 'tok_ok' };
  const { body } = await shop.server.call('POST', '/api/orders', order);
  await until(() => waiting.length === 1);
  await shop.server.call('POST', `/api/orders/${body.orderId}/cancel`);
  waiting[0]?.();
  await shop.server.settle();
  const path = `/api/orders/${body.orderId}`;
  expect(await typesOf(path)).toEqual([
    'OrderPlaced',
    'OrderCancelled',
    'PaymentCapturedTooLate',
    'RefundWished',
    'PaymentRefunded',
  ]);
  expect(await rowOf(body.orderId)).toMatchObject({
    status: 'cancelled',
    refundedCents: 2500,
    refundsUnderWayCents: 0,
  });
  expect(await refundsOf(body.orderId)).toMatchObject([
    { status: 'made', amountCents: 2500, cause: 'captured-too-late', renewalNumber: 0 },
  ]);
  expect(asked).toHaveLength(1);
  expect(await mailsOf(customerId)).toContain('refund-made');
  expect(await attention(body.orderId)).toEqual([]);
});

test('CHK-6: a renewal that is paid while its order is cancelled is given back', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const orderId = await shop.order(await shop.customer(), { leadTypeId, ...leads, loyalty: { cadence: 'weekly' } });
  isSlow = true;
  void shop.wait({ days: 7 });
  await until(() => waiting.length === 1);
  await shop.server.call('POST', `/api/orders/${orderId}/cancel`);
  waiting[0]?.();
  await shop.server.settle();
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'made', renewalNumber: 1, amountCents: 2500 }]);
  expect(asked).toHaveLength(1);
});

test('CHK-6: support gives back a part and then the rest, never more than was paid', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  expect(await giveBack(orderId, { amountCents: 1000 })).toMatchObject({ status: 201 });
  expect(await rowOf(orderId)).toMatchObject({ status: 'open', refundedCents: 1000 });
  expect(await giveBack(orderId, { amountCents: 1501 })).toMatchObject({
    status: 409,
    body: { code: 'refund-above-payment', rule: 'CHK-6' },
  });
  expect(await giveBack(orderId)).toMatchObject({ status: 201 });
  expect(await giveBack(orderId)).toMatchObject({ status: 409, body: { code: 'refund-above-payment' } });
  expect(await rowOf(orderId)).toMatchObject({ refundedCents: 2500, refundsUnderWayCents: 0 });
  expect(asked.map(({ amountCents }) => amountCents)).toEqual([1000, 1500]);
});

test('CHK-6: two refunds at once, and repeats of one, give back what was paid and no more', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  const answers = await Promise.all([1, 2, 3, 4].map(() => giveBack(orderId, { amountCents: 1000 })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409]);
  const again = { 'idempotency-key': `rest-${orderId}` };
  const repeats = await Promise.all([1, 2, 3].map(() => giveBack(orderId, { amountCents: 250 }, again)));
  expect(new Set(repeats.map(({ status, body }) => `${status} ${body.refundId}`)).size).toBe(1);
  expect(await rowOf(orderId)).toMatchObject({ refundedCents: 2250 });
  expect(asked.map(({ amountCents }) => amountCents)).toEqual([1000, 1000, 250]);
});

test('CHK-6: only support gives money back, and with a reason that is sealed', async () => {
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { leadTypeId: await price(), ...leads });
  const path = `/api/orders/${orderId}/refunds`;
  const asCustomer = { 'leadger-actor': `customer:${customerId}` };
  expect(await shop.try('POST', path, {}, asCustomer)).toMatchObject({ status: 403, body: { code: 'support-only' } });
  expect(await shop.try('POST', path, {})).toMatchObject({ status: 400, body: { code: 'reason-missing' } });
  await giveBack(orderId);
  const [wished] = (await shop.log()).filter(({ stream, type }) => stream.endsWith(orderId) && type === 'RefundWished');
  expect(await shop.opened(wished?.metadata.reason)).toBe('the customer asked for it');
  const unpaid = await shop.order(customerId, { paymentToken: 'tok_declined' });
  expect(await giveBack(unpaid)).toMatchObject({ status: 409, body: { code: 'payment-not-captured' } });
});

test('CHK-6: a refund whose answer is lost is asked for again under the same key, and made once', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  await giveBack(orderId, { amountCents: 664 });
  expect(await attention(orderId)).toEqual(['refund-under-way']);
  await shop.wait({ seconds: 1 });
  expect(asked).toHaveLength(2);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'made' }]);
  expect(await attention(orderId)).toEqual([]);
});

test('CHK-6: a refund that fails is tried again, then waits for an operator, and is listed until it is done', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  await giveBack(orderId, { amountCents: 661 });
  const [{ refundId }] = await refundsOf(orderId);
  expect(await refundsOf(orderId)).toMatchObject([
    { status: 'under-way', failure: 'no-balance', retryAt: addHours(shop.now(), 1) },
  ]);
  expect(await attention(orderId)).toEqual(['refund-under-way']);
  for (const hours of [1, 24, 72]) await shop.wait({ hours });
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'stuck', attempts: 4, retryAt: null }]);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(4);
  expect(await attention(orderId)).toContain('refund-stuck');
  const path = `/api/orders/${orderId}/refunds/${refundId}`;
  await shop.ask('POST', `${path}/retry`, undefined, 200, support);
  expect(asked).toHaveLength(5);
  for (const hours of [1, 24, 72]) await shop.wait({ hours });
  await shop.ask('POST', `${path}/settle`, undefined, 200, support);
  expect(await rowOf(orderId)).toMatchObject({ refundedCents: 661, refundsUnderWayCents: 0 });
  expect(await attention(orderId)).not.toContain('refund-stuck');
  expect(await shop.try('POST', `${path}9/retry`, undefined, support)).toMatchObject({ status: 404 });
});

/** Calls the store as Stripe does: over the proxy's name, signed. */
async function tell(about: object, { type = 'charge.dispute.created', secret = SECRET, noticeId = 'evt_1' } = {}) {
  const object = {
    id: 'du_1',
    amount: 2500,
    currency: 'usd',
    status: 'needs_response',
    reason: 'fraudulent',
    ...about,
  };
  const body = JSON.stringify({ id: noticeId, object: 'event', type, data: { object } }, null, 2);
  const seconds = Date.parse(shop.now()) / 1000;
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  const response = await fetch(`${shop.server.url}/api/payment-notices`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': `t=${seconds},v1=${digest}`,
      origin: 'https://shop.example.com',
    },
    body,
  });
  await shop.server.settle();
  return { status: response.status, body: await response.json() };
}

test('CHK-6: a dispute that the provider tells of is recorded once, listed while it is open, and nothing is given back twice', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  const captured = (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type === 'PaymentCaptured');
  const about = { payment_intent: captured?.data.reference };
  expect(await tell(about)).toEqual({ status: 200, body: { recorded: true } });
  expect(await tell(about)).toEqual({ status: 200, body: { recorded: true } });
  expect(await tell(about, { noticeId: 'evt_2' })).toMatchObject({ status: 200 });
  expect(await attention(orderId)).toEqual(['payment-disputed']);
  expect(await giveBack(orderId)).toMatchObject({ status: 409, body: { code: 'refund-above-payment' } });
  const lost = { ...about, status: 'lost' };
  expect(await tell(lost, { type: 'charge.dispute.closed', noticeId: 'evt_3' })).toMatchObject({ status: 200 });
  const disputes = (await shop.log()).filter(
    ({ type, stream }) => type === 'PaymentDisputed' && stream.endsWith(orderId),
  );
  expect(disputes.map(({ data: { stage } }) => stage)).toEqual(['opened', 'lost']);
  expect(disputes[0]?.metadata).toMatchObject({ actor: 'system:payment-provider', authenticated: 'signature' });
  expect((await shop.read(`/api/disputes?orderId=${orderId}`)).items).toMatchObject([
    { disputeId: 'du_1', stage: 'lost', reason: 'fraudulent', amountCents: 2500 },
  ]);
  expect(await attention(orderId)).toEqual([]);
});

test('CHK-6: a dispute in another currency than the payment holds back the whole payment, and attention says so', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  const captured = (await shop.history(`/api/orders/${orderId}`)).find(({ type }) => type === 'PaymentCaptured');
  const about = { id: 'du_eur', payment_intent: captured?.data.reference, amount: 100, currency: 'eur' };
  expect(await tell(about, { noticeId: 'evt_eur' })).toEqual({ status: 200, body: { recorded: true } });
  const why =
    'it is disputed in EUR and was paid in USD: nothing of this payment is given back by hand unless the dispute is won';
  const { items } = await shop.read('/api/attention?reason=payment-disputed');
  expect(items).toMatchObject([{ orderId, why }]);
  expect(await giveBack(orderId, { amountCents: 1 })).toMatchObject({
    status: 409,
    body: {
      code: 'refund-above-payment',
      detail: 'of this payment 0.00 USD may be given back: it is disputed in another currency',
    },
  });
  await tell({ ...about, status: 'won' }, { type: 'charge.dispute.closed', noticeId: 'evt_won' });
  expect(await giveBack(orderId, { amountCents: 1 })).toMatchObject({ status: 201 });
});

test('CHK-6: a refund that the bank of the card sends back is owed again: told, listed, no revenue lost, and made once more', async () => {
  const leadTypeId = await price();
  const customerId = await shop.customer({ email: 'back@example.org' });
  const orderId = await shop.order(customerId, { leadTypeId, ...leads });
  await giveBack(orderId, { amountCents: 400 });
  const [{ refundId, refundReference, paymentReference }] = await refundsOf(orderId);
  const about = { id: refundReference, payment_intent: paymentReference, metadata: { refund_id: refundId } };
  const notice = { type: 'refund.failed', noticeId: 'evt_back' };
  const unknown = { ...about, id: 're_of_nobody', status: 'failed' };
  expect(await tell(unknown, { ...notice, noticeId: 'evt_0' })).toEqual({ status: 200, body: { recorded: false } });
  expect(shop.server.errors.splice(0).join()).toContain('re_of_nobody');
  expect(await tell({ ...about, status: 'failed' }, notice)).toEqual({ status: 200, body: { recorded: true } });
  expect(await tell({ ...about, status: 'failed' }, { type: 'refund.updated', noticeId: 'evt_again' })).toMatchObject({
    status: 200,
  });
  expect(await typesOf(`/api/orders/${orderId}`)).toEqual([
    'OrderPlaced',
    'PaymentCaptured',
    'RefundWished',
    'PaymentRefunded',
    'RefundReturned',
  ]);
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'stuck', failure: 'returned-by-bank', doneAt: null }]);
  expect(await rowOf(orderId)).toMatchObject({ refundedCents: 0, refundsUnderWayCents: 400 });
  expect(await attention(orderId)).toEqual(['refund-stuck']);
  expect(await mailsOf(customerId)).toContain('refund-returned');
  expect(await revenueOf(leadTypeId)).toEqual([0, 2500]);
  await shop.ask('POST', `/api/orders/${orderId}/refunds/${refundId}/retry`, undefined, 200, support);
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'made', amountCents: 400 }]);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(2);
  expect(await rowOf(orderId)).toMatchObject({ refundedCents: 400, refundsUnderWayCents: 0 });
  expect(await revenueOf(leadTypeId)).toEqual([400, 2100]);
});

test('CHK-8: a refund that came back has a receipt of its own, and so has its next attempt: receipts, order, refunds and revenue agree each time', async () => {
  const leadTypeId = await price();
  const storeId = `back-${leadTypeId}`;
  await shop.ask('POST', '/api/stores', { storeId, name: 'Back', webAddress: 'https://back.example' });
  const offer = { storeId, leadTypeId, pricePerLeadCents: 100, currency: 'USD', smallestOrder: 1, largestOrder: 1000 };
  await shop.ask('POST', '/api/prices', offer);
  await shop.ask('PUT', `/api/stores/${storeId}/taxes`, { taxes: [{ name: 'VAT', percent: 19 }] });
  const customerId = await shop.customer({ storeId, email: 'once.more@example.org' });
  const orderId = await shop.order(customerId, { leadTypeId, ...leads });
  const receipts = async () =>
    (await shop.read(`/api/receipts?orderId=${orderId}`)).items.sort(
      (a: { number: number }, b: { number: number }) => a.number - b.number,
    );
  /** All that says how much is given back. */
  const givenBack = async () => {
    const ofRefunds = (await receipts()).filter(({ kind }: { kind: string }) => kind !== 'charge');
    const made = (await refundsOf(orderId)).filter(({ status }: { status: string }) => status === 'made');
    return {
      receipts: sumOf(ofRefunds, 'amountCents'),
      taxes: sumOf(ofRefunds, 'taxCents'),
      order: (await rowOf(orderId)).refundedCents,
      refunds: sumOf(made, 'amountCents'),
      revenue: (await revenueOf(leadTypeId))?.[0],
    };
  };
  const all = (cents: number, taxes: number) => ({
    ...{ receipts: cents, order: cents, refunds: cents, revenue: cents },
    taxes,
  });
  await giveBack(orderId, { amountCents: 400 });
  expect(await givenBack()).toEqual(all(400, 64));
  const [{ refundId, refundReference, paymentReference }] = await refundsOf(orderId);
  await shop.wait({ days: 2 });
  const about = { id: refundReference, payment_intent: paymentReference, metadata: { refund_id: refundId } };
  await tell({ ...about, status: 'failed' }, { type: 'refund.failed', noticeId: `evt_${orderId}` });
  expect(await givenBack()).toEqual(all(0, 0));
  await shop.wait({ days: 1 });
  await shop.ask('POST', `/api/orders/${orderId}/refunds/${refundId}/retry`, undefined, 200, support);
  expect(await givenBack()).toEqual(all(400, 64));
  const [{ refundReference: second }] = await refundsOf(orderId);
  expect(second).not.toBe(refundReference);
  const [charge, first, back, again] = await receipts();
  expect([charge, first, back, again]).toMatchObject([
    { number: 1, kind: 'charge', amountCents: 2500, refundNumber: null },
    { number: 2, kind: 'refund', chargeNumber: 1, reference: refundReference, amountCents: 400, taxCents: 64 },
    {
      ...{ number: 3, kind: 'refund-returned', chargeNumber: 1, refundNumber: 2, refundId },
      ...{ reference: refundReference, amountCents: -400, taxCents: -64 },
      lines: [{ kind: 'refund', amountCents: -400 }],
      taxes: [{ name: 'VAT', percent: 19, taxCents: -64 }],
    },
    { number: 4, kind: 'refund', chargeNumber: 1, reference: second, amountCents: 400, taxCents: 64 },
  ]);
  expect((await shop.read(`/api/receipts?kind=refund-returned&orderId=${orderId}`)).items).toEqual([back]);
  const html = await shop.read(`/api/receipts/${back.receiptId}/html`);
  for (const text of ['Receipt 3 of a refund that came back', 'Takes back', 'receipt 2', '-$4.00', '-$0.64'])
    expect(html).toContain(text);
  const { items } = await shop.read(`/api/mails?customerId=${customerId}&kind=receipt-issued`);
  expect(items).toHaveLength(4);
  const copies: string[] = await Promise.all(
    items.map(({ mailId }: { mailId: string }) => shop.ask('GET', `/api/mails/${mailId}/copy`)),
  );
  const copy = copies.find((one) => one.includes('filename=refund-returned-receipt-3.pdf'));
  expect(copy).toContain('Your bank sent our refund of $4.00 back');
  // Each day counts what moved on it, as its receipts do.
  const days = await byDay(leadTypeId);
  const dayOf = (at: string) => at.slice(0, 10);
  expect(days.filter(([, cents]) => cents !== 0)).toEqual(
    [first, back, again].map(({ paidAt, amountCents }) => [dayOf(paidAt), amountCents]),
  );
});

test('CHK-6: what is settled is neither retried nor settled again, unless the same request is repeated', async () => {
  const orderId = await shop.order(await shop.customer(), { leadTypeId: await price(), ...leads });
  await giveBack(orderId, { amountCents: 661 });
  for (const hours of [1, 24, 72]) await shop.wait({ hours });
  const [{ refundId }] = await refundsOf(orderId);
  const path = `/api/orders/${orderId}/refunds/${refundId}`;
  const settle = { ...support, 'idempotency-key': `settle-${orderId}` };
  const first = await shop.try('POST', `${path}/settle`, undefined, settle);
  expect(first).toMatchObject({ status: 200, body: { events: ['RefundSettled'] } });
  const { status, text } = first;
  expect(await shop.try('POST', `${path}/settle`, undefined, settle)).toMatchObject({ status, text });
  const other = { ...support, 'leadger-reason': 'by cheque, on Monday' };
  for (const verb of ['settle', 'retry'])
    expect(await shop.try('POST', `${path}/${verb}`, undefined, other)).toMatchObject({
      status: 409,
      body: { code: 'refund-settled', rule: 'CHK-6' },
    });
});

test('CHK-6: a refund that comes back after its customer was erased is owed all the same', async () => {
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { leadTypeId: await price(), ...leads });
  await giveBack(orderId, { amountCents: 400 });
  const [{ refundId, refundReference, paymentReference }] = await refundsOf(orderId);
  await shop.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, support);
  const about = { id: refundReference, payment_intent: paymentReference, metadata: { refund_id: refundId } };
  const notice = { type: 'refund.failed', noticeId: 'evt_of_erased' };
  expect(await tell({ ...about, status: 'failed' }, notice)).toEqual({ status: 200, body: { recorded: true } });
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'stuck', failure: 'returned-by-bank' }]);
  expect(await attention(orderId)).toEqual(['refund-stuck']);
});

test('CHK-6: a notice with a wrong signature is refused; one about an unknown payment is answered, and logged', async () => {
  expect(await tell({ payment_intent: 'pi_1' }, { secret: 'whsec_other' })).toMatchObject({
    status: 400,
    body: { code: 'bad-signature' },
  });
  expect(await tell({ payment_intent: 'pi_of_another_shop' })).toEqual({ status: 200, body: { recorded: false } });
  expect(shop.server.errors.splice(0).join()).toContain('pi_of_another_shop');
  expect(await tell({}, { type: 'charge.succeeded' })).toEqual({ status: 200, body: { recorded: false } });
});

/** Of one lead type: captured and given back, in cents. */
async function revenueOf(leadTypeId: string) {
  await shop.read('/api/orders?limit=1');
  const query = `SELECT sum(refunded_cents), sum(revenue_cents) FROM sales_by_day WHERE lead_type_id = '${leadTypeId}'`;
  const readModels = shop.server.application.get<ReadModels>(READ_MODELS);
  for await (const { rows } of readModels.analyse(query, { timeoutSeconds: 60 })) return rows[0];
  return undefined;
}

/** Of one lead type: what was given back, day by day. */
async function byDay(leadTypeId: string): Promise<[string, number][]> {
  await shop.read('/api/orders?limit=1');
  const query = `SELECT day, refunded_cents FROM sales_by_day WHERE lead_type_id = '${leadTypeId}' ORDER BY day`;
  const readModels = shop.server.application.get<ReadModels>(READ_MODELS);
  for await (const { rows } of readModels.analyse(query, { timeoutSeconds: 60 }))
    return rows.map(([day, cents]) => [dayText(day), Number(cents)]);
  return [];
}

const dayText = (day: unknown): string => (day instanceof Date ? day.toISOString() : String(day)).slice(0, 10);

const sumOf = (items: readonly Record<string, number>[], name: string): number =>
  items.reduce((sum, item) => sum + (item[name] ?? 0), 0);

test('CHK-6: revenue is what was captured in time, less what was given back of it', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const orderId = await shop.order(await shop.customer(), { leadTypeId, ...leads, loyalty: { cadence: 'weekly' } });
  await giveBack(orderId, { amountCents: 400 });
  expect(await revenueOf(leadTypeId)).toEqual([400, 2100]);
  await shop.wait({ days: 7 });
  expect(await giveBack(orderId, { renewalNumber: 1 })).toMatchObject({ status: 201 });
  expect(await revenueOf(leadTypeId)).toEqual([2900, 2100]);
  expect((await shop.read(`/api/programmes/${orderId}`)).renewals).toMatchObject([
    { totalCents: 2500, refundedCents: 2500 },
  ]);
  isSlow = true;
  const late = { customerId: await shop.customer(), leadTypeId, ...leads, paymentToken: 'tok_ok' };
  const { body } = await shop.server.call('POST', '/api/orders', late);
  await until(() => waiting.length === 1);
  await shop.server.call('POST', `/api/orders/${body.orderId}/cancel`);
  waiting[0]?.();
  await shop.server.settle();
  expect(await rowOf(body.orderId)).toMatchObject({ refundedCents: 2500 });
  expect(await revenueOf(leadTypeId)).toEqual([2900, 2100]);
});

/** What the answer about an order and the state in its history both name: the two say the same of each. */
async function saidTwice(orderId: string) {
  const row = await rowOf(orderId);
  const { state } = await shop.ask('GET', `/api/orders/${orderId}/history`);
  const shared = Object.keys(row).filter((name) => Object.hasOwn(state, name));
  const pick = (from: Record<string, unknown>) => Object.fromEntries(shared.map((name) => [name, from[name]]));
  return { row: pick(row), history: pick(state) };
}

test('LOY-2: a renewal that is paid after its order was cancelled re-opens nothing: the order and its history say so', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  // No other renewal is due in the same hour.
  await shop.wait({ hours: 3 });
  const orderId = await shop.order(await shop.customer(), { leadTypeId, ...leads, loyalty: { cadence: 'weekly' } });
  await shop.wait({ days: 6, hours: 23 });
  isSlow = true;
  const renewed = shop.server.clock.moveTo(addHours(shop.now(), 1));
  await until(() => waiting.length === 1);
  await shop.server.call('POST', `/api/orders/${orderId}/cancel`);
  waiting[0]?.();
  await renewed;
  await shop.server.settle();
  expect(await typesOf(`/api/orders/${orderId}`)).toContain('PaymentCapturedTooLate');
  const { row, history } = await saidTwice(orderId);
  expect(row).toMatchObject({ status: 'cancelled', renewals: 0, orderedLeads: 28, deliveredLeads: 0 });
  expect(history).toEqual(row);
});

test('CHK-6: all laws hold after all this', async () => {
  await shop.wait({ days: 2 });
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, broken]) => broken > 0)).toEqual([]);
});
