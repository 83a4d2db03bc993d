import { returnsOf } from './returning.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const { order, replacement, deliveries, giveBack, granted, served } = returnsOf(() => shop);

describe('replacements', () => {
  test('RPL-6: after a grant the lead is withdrawn, and one replacement is owed and delivered automatically', async () => {
    const { leadTypeId, customerId, orderId, leadId } = await served();
    const replacementId = await granted(orderId, leadId);
    const grantedAt = shop.now();
    expect((await shop.read(`/api/leads/${leadId}`)).withdrawn).toBe(true);
    expect(await order(orderId)).toMatchObject({ deliveredLeads: 1, replacementsOwed: 1, replacementsDelivered: 0 });
    await shop.wait({ days: 20 });
    const replacementLeadId = await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({ deliveredLeads: 1, replacementsOwed: 0, replacementsDelivered: 1 });
    expect(await replacement(replacementId)).toMatchObject({
      status: 'replaced',
      decidedAt: grantedAt,
      replacementLeadId,
      replacedAt: shop.now(),
    });
    expect(await shop.read(`/api/customers/${customerId}/leads/${replacementLeadId}`)).toMatchObject({
      forReplacementId: replacementId,
      deliveredAt: shop.now(),
    });
    await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({ deliveredLeads: 2, replacementsDelivered: 1 });
  });

  test('RPL-6: the replacement is delivered even if the order was filled meanwhile', async () => {
    const { leadTypeId, orderId, leadId } = await served({ quantity: 1 });
    expect((await order(orderId)).status).toBe('filled');
    const replacementId = await granted(orderId, leadId);
    const next = await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({ status: 'filled', deliveredLeads: 1, replacementsDelivered: 1 });
    expect((await deliveries(orderId)).at(-1)?.data).toMatchObject({ leadId: next, replacementFor: replacementId });
  });

  test('RPL-6: the replacement does not count against the daily maximum, whether or not the maximum was reached', async () => {
    const { leadTypeId, orderId, leadId } = await served({ dailyMaximum: { leads: 1 } }, { freshness: 'real-time' });
    await granted(orderId, leadId);
    await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({ deliveredLeads: 1, replacementsDelivered: 1 });
    await shop.lead(leadTypeId);
    expect((await order(orderId)).deliveredLeads).toBe(1);

    await shop.wait({ days: 1 });
    const [, , today] = await deliveries(orderId);
    await granted(orderId, today?.data.leadId);
    await shop.wait({ days: 1 });
    await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({ deliveredLeads: 2, replacementsDelivered: 2 });
    await shop.lead(leadTypeId);
    expect((await order(orderId)).deliveredLeads).toBe(3);
    const told = await shop.history(`/api/orders/${orderId}`);
    expect(told.filter(({ type }) => type === 'DailyMaximumReached')).toHaveLength(3);
  });

  test('RPL-6: a paused order receives the replacement when it is restarted', async () => {
    const { leadTypeId, orderId, leadId } = await served({ quantity: 1, loyalty: { cadence: 'once-a-month' } });
    await granted(orderId, leadId);
    await shop.ask('POST', `/api/orders/${orderId}/pause`);
    await shop.lead(leadTypeId);
    expect((await order(orderId)).replacementsOwed).toBe(1);
    await shop.ask('POST', `/api/orders/${orderId}/restart`);
    expect((await order(orderId)).replacementsOwed).toBe(0);
    await shop.ask('POST', `/api/orders/${orderId}/cancel`);
  });

  test('RPL-6: the replacement is neither a person that the customer has already received nor the bad lead', async () => {
    const { leadTypeId, orderId } = await served();
    const person = { telephone: '+1 212 555 0180' };
    const bad = await shop.lead(leadTypeId, { contact: person });
    await granted(orderId, bad);
    await shop.lead(leadTypeId, { contact: { ...person, email: 'again@example.org' } });
    expect((await order(orderId)).replacementsOwed).toBe(1);
    await shop.lead(leadTypeId);
    expect((await order(orderId)).replacementsOwed).toBe(0);
  });

  test('RPL-6: two customers who return the same shared lead each get a replacement', async () => {
    const { leadTypeId, orderId, leadId } = await served({}, { exclusivity: 'shared' });
    const other = await shop.order(await shop.customer(), { leadTypeId });
    await granted(orderId, leadId);
    await granted(other, leadId);
    await shop.lead(leadTypeId);
    for (const one of [orderId, other]) expect(await order(one)).toMatchObject({ replacementsDelivered: 1 });
    const withdrawals = (await shop.history(`/api/leads/${leadId}`)).filter(({ type }) => type === 'LeadWithdrawn');
    expect(withdrawals).toHaveLength(1);
  });

  test('RPL-6: a replacement can itself be returned, within five days of its own receipt', async () => {
    const { leadTypeId, orderId, leadId } = await served({ quantity: 1 });
    const first = await granted(orderId, leadId);
    await shop.wait({ days: 10 });
    const badAgain = await shop.lead(leadTypeId);
    await shop.wait({ days: 5 });
    const second = await granted(orderId, badAgain);
    expect(second).not.toBe(first);
    expect(await order(orderId)).toMatchObject({ replacementsOwed: 1, replacementsDelivered: 1 });
    const good = await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({ deliveredLeads: 1, replacementsOwed: 0, replacementsDelivered: 2 });
    expect(await replacement(second)).toMatchObject({ status: 'replaced', replacementLeadId: good });
    expect((await deliveries(orderId)).map(({ data }) => data.replacementFor)).toEqual([undefined, first, second]);

    await shop.wait({ days: 5, seconds: 1 });
    expect((await replacement(await giveBack(orderId, good))).status).toBe('denied');
  });

  test('RPL-9: a replacement owed to a cancelled order is still delivered, also when it is granted after the cancellation', async () => {
    const { leadTypeId, orderId, leadId } = await served();
    const next = await shop.lead(leadTypeId);
    await granted(orderId, leadId);
    await shop.ask('POST', `/api/orders/${orderId}/cancel`);
    await granted(orderId, next);
    for (let lead = 0; lead < 3; lead += 1) await shop.lead(leadTypeId);
    expect(await order(orderId)).toMatchObject({
      status: 'cancelled',
      deliveredLeads: 2,
      replacementsOwed: 0,
      replacementsDelivered: 2,
    });
  });
});
