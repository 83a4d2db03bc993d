import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addDays } from '#domain/kernel/instants';
import type { PaymentGateway } from '#gateways/payments';
import { stripeNotices } from '#gateways/stripe-notices';
import { stripePayments } from '#gateways/stripe-payments';
import { type StripeStandIn, startStripeStandIn } from '#test/stripe/stand-in';
import { openShop, type Shop } from './shop.ts';

const SUPPORT = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'the customer asked for it' };
const SECRET = 'whsec_of_this_shop';

let stripe: StripeStandIn;
let shop: Shop;
let slow: PaymentGateway;
/** What the provider has done is answered after it. */
let answers: Promise<unknown> = Promise.resolve();
let letCome = (): void => {};
let isLost = false;

async function answered<Result>(asked: Promise<Result>): Promise<Result> {
  const result = await asked;
  await answers;
  if (isLost) throw new Error('the answer was lost');
  return result;
}

beforeAll(async () => {
  stripe = await startStripeStandIn();
  const payments = stripePayments({ secretKey: 'sk_test_1', server: stripe.server });
  slow = {
    ...payments,
    capture: (...charge) => answered(payments.capture(...charge)),
    refund: (...refund) => answered(payments.refund(...refund)),
  };
  shop = await openShop({ payments: slow, notices: stripeNotices(SECRET) });
});
beforeEach(() => {
  answers = Promise.resolve();
  isLost = false;
});
afterEach(() => letCome());
afterAll(async () => {
  await shop.stop();
  await stripe.stop();
});

/** @returns the function that lets the answers come */
function holdAnswers(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  answers = promise;
  letCome = resolve;
  return resolve;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

let cards = 0;
async function wish(details: object = {}) {
  cards += 1;
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const paymentToken = stripe.card(`pm_${cards}`);
  return { customerId: await shop.customer(), leadTypeId, quantity: 25, paymentToken, ...details };
}

const refundsOf = async (orderId: string) => (await shop.read(`/api/refunds?orderId=${orderId}`)).items;
const receiptsOf = async (orderId: string) =>
  (await shop.read(`/api/receipts?orderId=${orderId}`)).items.map(({ kind }: { kind: string }) => kind).sort();
const attention = async (orderId: string) =>
  (await shop.read('/api/attention')).items
    .filter((item: { orderId: string }) => item.orderId === orderId)
    .map(({ reason }: { reason: string }) => reason);

async function tell(type: string, object: { readonly id: string }, to = shop) {
  const body = JSON.stringify({ id: `evt_${object.id}`, object: 'event', type, data: { object } });
  const seconds = Date.parse(to.now()) / 1000;
  const digest = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${seconds},v1=${digest}` };
  const response = await fetch(`${to.server.url}/api/payment-notices`, { method: 'POST', headers, body });
  return { status: response.status, body: await response.json() };
}

const later = { status: 503, body: { code: 'not-reached-yet' } };
const recorded = { status: 200, body: { recorded: true } };

/** The bank sends the newest refund of the provider back. @returns how the provider tells it */
function bankSendsBack() {
  const refund = stripe.refunds.at(-1);
  if (!refund) throw new Error('nothing was given back');
  refund.status = 'failed';
  return () => tell('refund.failed', { ...refund });
}

test('CHK-6: a refund that comes back before its answer is recorded is told again, and then owed again', async () => {
  const orderId = await shop.order('', await wish());
  const made = stripe.refunds.length;
  const answer = holdAnswers();
  const path = `/api/orders/${orderId}/refunds`;
  expect(await shop.server.call('POST', path, { amountCents: 2000 }, SUPPORT)).toMatchObject({ status: 201 });
  await until(() => stripe.refunds.length > made);
  const sentBack = bankSendsBack();
  expect(await sentBack()).toMatchObject(later);
  answer();
  await shop.server.settle();
  expect(await sentBack()).toMatchObject(recorded);
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'stuck', failure: 'returned-by-bank' }]);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ refundedCents: 0, refundsUnderWayCents: 2000 });
  expect(await attention(orderId)).toEqual(['refund-stuck']);
});

test('CHK-6: a refund whose answer was lost, and that came back meanwhile, is not recorded as made', async () => {
  const orderId = await shop.order('', await wish());
  isLost = true;
  const path = `/api/orders/${orderId}/refunds`;
  expect(await shop.try('POST', path, { amountCents: 2000 }, SUPPORT)).toMatchObject({ status: 201 });
  const sentBack = bankSendsBack();
  expect(await sentBack()).toMatchObject(later);
  isLost = false;
  await shop.wait({ seconds: 1 });
  const [refund] = await refundsOf(orderId);
  expect(refund).toMatchObject({ status: 'stuck', failure: 'returned-by-bank', doneAt: null });
  expect(await receiptsOf(orderId)).toEqual(['charge']);
  expect(await attention(orderId)).toEqual(['refund-stuck']);
  expect(await sentBack()).toMatchObject(recorded);

  const { headers } = await shop.try('GET', `/api/refunds/${refund.refundId}`);
  const asSeen = { ...SUPPORT, 'if-match': headers.get('etag') as string };
  const retry = (seen: Record<string, string>) => shop.try('POST', `${path}/${refund.refundId}/retry`, undefined, seen);
  expect(await retry({ ...asSeen, 'if-match': '"0"' })).toMatchObject({
    status: 412,
    body: { code: 'refund-changed' },
  });
  expect(await retry({ ...asSeen, 'idempotency-key': 'once' })).toMatchObject({ status: 200 });
  expect(await retry({ ...asSeen, 'idempotency-key': 'once' })).toMatchObject({ status: 200 });
  expect(await retry(asSeen)).toMatchObject({ status: 412 });
  expect(await refundsOf(orderId)).toMatchObject([{ status: 'made' }]);
  expect(await sentBack()).toMatchObject(recorded);
  expect(await receiptsOf(orderId)).toEqual(['charge', 'refund']);
});

const disputeOf = (payment_intent: string) => (to?: Shop) => {
  const id = `du_${payment_intent}`;
  const disputed = {
    id,
    amount: 2500,
    currency: 'usd',
    status: 'needs_response',
    reason: 'fraudulent',
    payment_intent,
  };
  return tell('charge.dispute.created', disputed, to);
};
const disputesOf = async (orderId: string) => (await shop.read(`/api/disputes?orderId=${orderId}`)).items;

test('CHK-6: a dispute that is told before its charge is recorded is told again, and recorded then', async () => {
  const order = await wish({ loyalty: { cadence: 'weekly' } });
  const [before, answerFirst] = [stripe.intents.size, holdAnswers()];
  const { body } = await shop.server.call('POST', '/api/orders', order);
  const { orderId } = body;
  await until(() => stripe.intents.size > before);
  const first = disputeOf([...stripe.intents.keys()].at(-1) as string);
  expect(await first()).toMatchObject(later);
  answerFirst();
  await shop.server.settle();
  expect(await first()).toMatchObject(recorded);
  expect(await disputesOf(orderId)).toMatchObject([{ renewalNumber: 0, amountCents: 2500 }]);

  const [charged, answerRenewal] = [stripe.intents.size, holdAnswers()];
  const renewed = shop.wait({ days: 7 });
  await until(() => stripe.intents.size > charged);
  const second = disputeOf([...stripe.intents.keys()].at(-1) as string);
  expect(await second()).toMatchObject(later);
  answerRenewal();
  await renewed;
  expect(await second()).toMatchObject(recorded);
  expect((await disputesOf(orderId)).length).toBe(2);
  await shop.ask('POST', `/api/programmes/${orderId}/cancel`);
});

/** @returns the dispute of the charge that the provider has made since then, as it tells it */
async function disputeOfChargeAfter(before: number) {
  await until(() => stripe.intents.size > before);
  return disputeOf([...stripe.intents.keys()].at(-1) as string);
}

test.each(['hold', 'cancel'])(
  'CHK-6: a dispute of a renewal whose charge is under way is told again, also after a %s of its programme',
  async (word) => {
    const orderId = await shop.order('', await wish({ loyalty: { cadence: 'weekly' } }));
    const [before, answer] = [stripe.intents.size, holdAnswers()];
    const renewed = shop.wait({ days: 7 });
    const dispute = await disputeOfChargeAfter(before);
    expect(await shop.server.call('POST', `/api/programmes/${orderId}/${word}`)).toMatchObject({ status: 200 });
    expect(await dispute()).toMatchObject(later);
    answer();
    await renewed;
    expect(await dispute()).toMatchObject(recorded);
    expect(await disputesOf(orderId)).toMatchObject([{ renewalNumber: 1 }]);
    await shop.ask('POST', `/api/programmes/${orderId}/cancel`);
  },
);

test('CHK-6: a dispute of an order that was cancelled while its charge was under way is told again, and recorded with what came too late', async () => {
  const [before, answer] = [stripe.intents.size, holdAnswers()];
  const { orderId } = (await shop.server.call('POST', '/api/orders', await wish())).body;
  const dispute = await disputeOfChargeAfter(before);
  expect(await shop.server.call('POST', `/api/orders/${orderId}/cancel`)).toMatchObject({ status: 200 });
  expect(await dispute()).toMatchObject(later);
  answer();
  await shop.server.settle();
  expect(await dispute()).toMatchObject(recorded);
  expect(await disputesOf(orderId)).toMatchObject([{ renewalNumber: 0 }]);
});

test('CHK-6: a dispute of a renewal whose charge waits for an operator after a stand-still is told again until the charge has its result', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'leadger-early-'));
  const options = { directory, payments: slow, notices: stripeNotices(SECRET) };
  let stopped = await openShop(options);
  const { quantity, paymentToken } = await wish();
  const placedAt = stopped.now();
  const customerId = await stopped.customer();
  const order = { leadTypeId: 'exclusive-fresh', quantity, paymentToken, loyalty: { cadence: 'weekly' } };
  const orderId = await stopped.order(customerId, order);
  const [before] = [stripe.intents.size, holdAnswers()];
  void stopped.server.clock.moveTo(addDays(placedAt, 7));
  const dispute = await disputeOfChargeAfter(before);
  await stopped.stop();

  answers = Promise.resolve();
  stopped = await openShop({ ...options, start: addDays(placedAt, 12) });
  await stopped.server.settle();
  expect(await stopped.read(`/api/programmes/${orderId}`)).toMatchObject({ missedUnderWay: true });
  expect(await dispute(stopped)).toMatchObject(later);
  await stopped.ask('POST', `/api/programmes/${orderId}/hold`);
  expect(await dispute(stopped)).toMatchObject(later);
  await stopped.ask('POST', `/api/programmes/${orderId}/missed-renewal/release`, undefined, 200, SUPPORT);
  expect(await dispute(stopped)).toMatchObject(recorded);
  await stopped.stop();
  await rm(directory, { recursive: true });
});

test('CHK-6: the charge of a cancelled order that was never made is not waited for without an end', async () => {
  const [before, answer] = [stripe.asked.length, holdAnswers()];
  const order = await wish({ paymentToken: stripe.card('pm_declined', { declines: 'generic_decline' }) });
  const { orderId } = (await shop.server.call('POST', '/api/orders', order)).body;
  await until(() => stripe.asked.length > before);
  await shop.server.call('POST', `/api/orders/${orderId}/cancel`);
  answer();
  await shop.server.settle();
  const dispute = disputeOf('pi_maybe_of_another_program');
  expect(await dispute()).toMatchObject(later);
  await shop.wait({ days: 3, seconds: 1 });
  expect(await dispute()).toEqual({ status: 200, body: { recorded: false } });
  expect(shop.server.errors.splice(0).join()).toContain('pi_maybe_of_another_program');
});

test('CHK-6: while no charge is under way, a dispute of an unknown payment is answered, and not recorded', async () => {
  expect(await disputeOf('pi_of_another_program')()).toEqual({ status: 200, body: { recorded: false } });
  expect(shop.server.errors.splice(0).join()).toContain('pi_of_another_program');
});
