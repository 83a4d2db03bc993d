import { checkLaws } from '#audit/laws/laws';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { stripePayments } from '#gateways/stripe-payments';
import { startStripeStandIn } from '#test/stripe/stand-in';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* After a customer was erased, nothing of it is open any more, and nothing begins. */

let shop: Shop;
/** A customer with one of everything, before and after it was erased. */
let had: Awaited<ReturnType<typeof oneOfEverything>>;
beforeAll(async () => {
  shop = await openShop();
  had = await oneOfEverything();
  await shop.ask('POST', '/api/persons/erasures', { person: { customerId: had.customerId } }, 200, support);
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };

async function oneOfEverything() {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const customerId = await shop.customer({ email: 'ada@example.org', password: 'correct horse battery' });
  const orderId = await shop.order(customerId, { leadTypeId, loyalty: { cadence: 'once-a-month' } });
  const [pending, granted, kept] = [
    await shop.lead(leadTypeId),
    await shop.lead(leadTypeId),
    await shop.lead(leadTypeId),
  ];
  const back = async (leadId: string) =>
    (await shop.ask('POST', '/api/replacements', { orderId, leadId, reason: 'wrong number' }, 201)).replacementId;
  const [pendingReturn, grantedReturn] = [await back(pending), await back(granted)];
  await shop.ask('POST', `/api/replacements/${grantedReturn}/grant`, {}, 200, support);
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId, quantity: 2 });
  const letter = { customerId, subject: 'Leads', message: 'Where are they?' };
  const { ticketId } = await shop.ask('POST', '/api/tickets', letter, 201, support);
  return { leadTypeId, customerId, orderId, kept, pendingReturn, grantedReturn, checkoutId, ticketId };
}

test('all that was open ends with a fact that says why, and that follows from the erasure', async () => {
  const { orderId, pendingReturn, grantedReturn, checkoutId, ticketId } = had;
  const log = await shop.log();
  const ends = log.filter(({ data }) => data.cause === 'customer-erased');
  expect(ends.map(({ type, stream }) => `${type} ${stream}`).sort()).toEqual(
    [
      `CheckoutAbandoned checkout-${checkoutId}`,
      `OrderCancelled order-${orderId}`,
      `ProgrammeCancelled programme-${orderId}`,
      `ReplacementEnded replacement-${pendingReturn}`,
      `ReplacementEnded replacement-${grantedReturn}`,
      `ReplacementForgiven order-${orderId}`,
      `TicketClosed ticket-${ticketId}`,
    ].sort(),
  );
  expect(new Set(ends.map(({ metadata }) => metadata.actor))).toEqual(new Set(['process:person-erasure']));
  expect(await shop.read(`/api/replacements/${pendingReturn}`)).toMatchObject({ status: 'ended' });
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled', replacementsOwed: 0 });
});

test('what would begin or change something is refused with one code, and nothing is recorded', async () => {
  const { leadTypeId, customerId, orderId, kept, pendingReturn, checkoutId, ticketId } = had;
  const order = { customerId, leadTypeId, quantity: 5, paymentToken: 'tok_ok' };
  const customer = `/api/customers/${customerId}`;
  const asked: readonly (readonly [string, string, object])[] = [
    ['POST', '/api/orders', order],
    ['POST', `/api/orders/${orderId}/pause`, {}],
    ['POST', `/api/orders/${orderId}/restart`, {}],
    ['PUT', `/api/orders/${orderId}/payment-card`, { paymentToken: 'tok_ok' }],
    ['POST', `/api/programmes/${orderId}/hold`, {}],
    ['POST', `/api/programmes/${orderId}/activate`, {}],
    ['POST', '/api/checkouts', { customerId, leadTypeId, quantity: 2 }],
    ['POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' }],
    ['PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'SPRING' }],
    ['POST', '/api/coupons/alternatives', { customerId, insteadOf: 'AUTUMN', couponCode: 'SPRING' }],
    ['POST', '/api/replacements', { orderId, leadId: kept, reason: 'wrong number' }],
    ['POST', `/api/replacements/${pendingReturn}/grant`, {}],
    ['POST', `/api/replacements/${pendingReturn}/deny`, { explanation: 'it was reached' }],
    ['POST', '/api/tickets', { customerId, subject: 'Leads', message: 'Where are they?' }],
    ['POST', `/api/tickets/${ticketId}/answer`, { answer: 'On their way' }],
    ['POST', `/api/tickets/${ticketId}/messages`, { message: 'Where?' }],
    ['PUT', `${customer}/leads/${kept}/rating`, { rating: 5 }],
    ['PUT', `${customer}/name`, { name: { firstName: 'Ada', lastName: 'Byron' } }],
    ['PUT', `${customer}/time-zone`, { timeZone: 'UTC' }],
    ['PUT', `${customer}/password`, { password: 'another horse today', currentPassword: 'correct horse battery' }],
    ['PUT', `${customer}/email`, { email: 'new@example.org' }],
    ['PUT', `${customer}/mail-preferences`, { mailsOff: [] }],
    ['PUT', `${customer}/lead-delivery`, { mails: 'each', webhookUrl: 'https://example.org/leads' }],
    ['PUT', `${customer}/business-association`, { businessAssociation: 'Another' }],
  ];
  const before = await shop.log();
  for (const [method, path, body] of asked) {
    const { status, body: answer } = await shop.try(method, path, body, support);
    expect([method, path, status, answer.code]).toEqual([method, path, 409, 'person-erased']);
  }
  expect(await shop.log()).toEqual(before);
});

test('who may not ask does not learn who was erased', async () => {
  const stranger = { 'leadger-actor': 'customer:somebody-else' };
  const { body } = await shop.try('POST', `/api/orders/${had.orderId}/pause`, {}, stranger);
  expect(body.code).toBe('not-yours');
});

test('what ends something stays possible, and so does looking', async () => {
  for (const path of [`/api/orders/${had.orderId}/cancel`, `/api/tickets/${had.ticketId}/close`])
    await shop.ask('POST', path, {}, 200, support);
  await shop.ask('GET', `/api/customers/${had.customerId}/whole-history`, undefined, 200, support);
});

test('nothing is due later, and the laws hold', async () => {
  await shop.lead(had.leadTypeId);
  await shop.wait({ days: 40 });
  await shop.customer();
  const late = (await shop.log()).map(({ type }) => type);
  expect(late).not.toContain('VerificationOverdue');
  expect(late).not.toContain('TicketOverdue');
  const events = shop.server.application.get<EventStore>(EVENT_STORE);
  const { laws } = await checkLaws(events, { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, broken]) => broken > 0)).toEqual([]);
});

test('the payment provider forgets customers whom no event names: of declined charges, and of those without an answer', async () => {
  const stripe = await startStripeStandIn();
  const payments = stripePayments({ secretKey: 'sk_test_1', server: stripe.server });
  const other = await openShop({ payments });
  try {
    const leadTypeId = await other.leadType({ qualifiesForLoyaltyRewards: true });
    const member = { leadTypeId, loyalty: { cadence: 'weekly' } };
    const [declined, silent] = [await other.customer(), await other.customer()];
    await other.order(declined, {
      ...member,
      paymentToken: stripe.card('pm_declined', { declines: 'insufficient_funds' }),
    });
    stripe.answerAll('lost');
    const unknown = await other.order(silent, { ...member, paymentToken: stripe.card('pm_silent') });
    for (const customerId of [declined, silent])
      await other.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, support);
    stripe.answerAll(undefined);
    expect(stripe.customers.size).toBe(2);
    stripe.passADay();
    await other.wait({ hours: 1 });
    const found = { result: 'captured', reference: 'pi_2' };
    await other.ask('POST', `/api/orders/${unknown}/unknown-payment/resolve`, found, 200, support);
    expect(stripe.customers.size).toBe(0);
    const forgotten = (await other.log()).filter(({ type }) => type === 'PayerForgotten');
    expect(forgotten.map(({ data }) => Object.keys(data).sort())).toEqual(forgotten.map(() => ['at', 'chargeKey']));
    const { asked } = stripe;
    const before = asked.length;
    await other.wait({ days: 9 });
    expect(asked.slice(before).filter(({ call }) => call.includes('/v1/customers'))).toEqual([]);
  } finally {
    await other.stop();
    await stripe.stop();
  }
});

test('the payment provider forgets the customer and the card that it kept', async () => {
  const stripe = await startStripeStandIn();
  stripe.card('pm_kept');
  const payments = stripePayments({ secretKey: 'sk_test_1', server: stripe.server });
  const other = await openShop({ payments });
  try {
    const leadTypeId = await other.leadType({ qualifiesForLoyaltyRewards: true });
    const customerId = await other.customer();
    const loyalty = { cadence: 'once-a-month' };
    const orderId = await other.order(customerId, { leadTypeId, loyalty, paymentToken: 'pm_kept' });
    await other.ask('POST', '/api/persons/erasures', { person: { customerId } }, 200, support);
    expect(stripe.asked.filter(({ call }) => call.startsWith('DELETE')).map(({ id }) => id)).toEqual(['cus_1']);
    const forgotten = (await other.log()).filter(({ type }) => type === 'PayerForgotten');
    expect(forgotten).toMatchObject([{ stream: `order-${orderId}`, data: { providerCustomerId: 'cus_1' } }]);
  } finally {
    await other.stop();
    await stripe.stop();
  }
});
