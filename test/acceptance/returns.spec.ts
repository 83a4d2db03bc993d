import { addDays, addSeconds } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const VERIFIED = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called the number' };

const order = (orderId: string) => shop.read(`/api/orders/${orderId}`);
const replacement = (replacementId: string) => shop.read(`/api/replacements/${replacementId}`);
const deliveries = async (orderId: string) =>
  (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'LeadDelivered');
/** The events of a return as `[type, at]`. */
const story = async (replacementId: string) =>
  (await shop.history(`/api/replacements/${replacementId}`)).map(({ type, at }) => [type, at]);

const giveBack = async (orderId: string, leadId: string, details: object = {}): Promise<string> =>
  (await shop.ask('POST', '/api/replacements', { orderId, leadId, reason: 'wrong number', ...details })).replacementId;
const grant = (replacementId: string) =>
  shop.ask('POST', `/api/replacements/${replacementId}/grant`, undefined, 200, VERIFIED);
const deny = (replacementId: string, explanation: string) =>
  shop.ask('POST', `/api/replacements/${replacementId}/deny`, { explanation }, 200, VERIFIED);
const granted = async (orderId: string, leadId: string): Promise<string> => {
  const replacementId = await giveBack(orderId, leadId);
  await grant(replacementId);
  return replacementId;
};

/** An order of a new lead type, with one delivered lead. */
const served = async (details: Record<string, unknown> = {}, traits: Record<string, unknown> = {}) => {
  const leadTypeId = await shop.leadType(traits);
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { leadTypeId, ...details });
  return { leadTypeId, customerId, orderId, leadId: await shop.lead(leadTypeId) };
};

test('RPL-1: a customer rates a contact from 1 to 5 and may change the rating', async () => {
  const { customerId, leadId } = await served();
  const rate = (rating: unknown, of = leadId) =>
    shop.try('PUT', `/api/customers/${customerId}/leads/${of}/rating`, { rating });
  expect((await rate(1)).body.events).toEqual(['ContactRated']);
  expect((await rate(5)).body.events).toEqual(['ContactRated']);
  for (const nonsense of [0, 6, 2.5, '4', null])
    expect(await rate(nonsense)).toMatchObject({ status: 400, body: { errors: [{ field: 'rating' }] } });
  expect((await shop.read(`/api/customers/${customerId}/leads/${leadId}`)).rating).toBe(5);
  const notTheirs = await shop.lead();
  expect(await rate(3, notTheirs)).toMatchObject({ status: 404, body: { code: 'contact-unknown' } });
});

test('RPL-1: a lead whose person was erased is returned as any other; the note about the person is not kept', async () => {
  const { orderId, leadId } = await served();
  await shop.ask('POST', '/api/persons/erasures', { person: { leadId } }, 200, VERIFIED);
  const replacementId = await giveBack(orderId, leadId, { note: 'She moved to Berlin.' });
  expect(await replacement(replacementId)).toMatchObject({ status: 'requested', reason: 'wrong number', note: null });
  const [requested] = await shop.history(`/api/replacements/${replacementId}`);
  expect(requested).toMatchObject({ type: 'ReplacementRequested', data: { leadId } });
  expect(requested?.data).not.toHaveProperty('note');
  await grant(replacementId);
});

test('RPL-1: a lead is returned with a reason and a note; the note is sealed in the log', async () => {
  const { customerId, orderId, leadId } = await served();
  const page = () => shop.read(`/api/customers/${customerId}/leads/${leadId}`);
  const { replacementId, replacementStatus } = await page();
  expect(replacementStatus).toBeNull();
  const note = 'A bakery.\nThey bake.';
  expect(await giveBack(orderId, leadId, { note })).toBe(replacementId);
  expect((await page()).replacementStatus).toBe('requested');
  expect(await replacement(replacementId)).toMatchObject({ orderId, leadId, reason: 'wrong number', note });
  expect((await shop.history(`/api/replacements/${replacementId}`))[0]?.data.note).toBe(note);
});

test('RPL-1: only leads that were delivered to an order can be returned from it', async () => {
  const { leadTypeId, orderId, leadId } = await served();
  const other = await shop.order(await shop.customer(), { leadTypeId });
  const aReturn = { leadId, reason: 'wrong number' };
  for (const [body, field] of [
    [{ ...aReturn, orderId: other }, 'leadId'],
    [{ ...aReturn, orderId, leadId: 'nobody' }, 'leadId'],
    [{ ...aReturn, orderId: 'none' }, 'leadId'],
  ] as const)
    expect(await shop.try('POST', '/api/replacements', body)).toMatchObject({
      status: 409,
      body: { code: 'lead-not-delivered', rule: 'RPL-1', errors: [{ field }] },
    });
});

describe('RPL-2: five times 24 hours after receipt', () => {
  test.each([
    ['exactly then a return is possible', 0, 'requested'],
    ['one second later it is denied', 1, 'denied'],
  ])('RPL-2: %s', async (_, secondsLater, status) => {
    const { orderId, leadId } = await served();
    const deliveredAt = shop.now();
    await shop.wait({ days: 5, seconds: secondsLater });
    expect(await replacement(await giveBack(orderId, leadId))).toMatchObject({ deliveredAt, status });
  });

  test('RPL-2: the limit counts hours, not days, also across a clock change', async () => {
    await shop.wait({ seconds: (Date.parse('2026-10-30T15:00:00.000Z') - Date.parse(shop.now())) / 1000 });
    const inTime = await served();
    const tooLate = await served();
    await shop.wait({ days: 5 });
    expect((await replacement(await giveBack(inTime.orderId, inTime.leadId))).status).toBe('requested');
    // 10:00 in New York, although it was received at 11:00: 1 November had 25 hours.
    await shop.wait({ seconds: 1 });
    expect((await replacement(await giveBack(tooLate.orderId, tooLate.leadId))).status).toBe('denied');
  });

  test('RPL-2: a changed number of days applies to later requests', async () => {
    const { orderId, leadId } = await served();
    const { policy } = await shop.ask('GET', '/api/policy');
    await shop.ask('POST', '/api/policy/versions', { policy: { ...policy, returnWindowDays: 9 } });
    const { version } = await shop.ask('GET', '/api/policy');
    await shop.wait({ days: 9 });
    const found = await replacement(await giveBack(orderId, leadId));
    expect(found).toMatchObject({ status: 'requested', policyVersion: version });
    await shop.ask('POST', '/api/policy/versions', { policy });
  });
});

test('RPL-3: a return with an approved reason is accepted for verification', async () => {
  const { policy } = await shop.ask('GET', '/api/policy');
  expect(policy.approvedReturnReasons).toEqual([
    'telephone disconnected',
    'wrong number',
    'outside the US and Canada',
    "submitted by a third party against the person's will",
  ]);
  for (const reason of policy.approvedReturnReasons) {
    const { orderId, leadId } = await served();
    expect(await replacement(await giveBack(orderId, leadId, { reason }))).toMatchObject({
      reason,
      status: 'requested',
    });
  }
});

test('RPL-4, RPL-8: a return with an invalid reason is recorded and denied at once, with that explanation', async () => {
  const { policy } = await shop.ask('GET', '/api/policy');
  expect(policy.invalidReturnReasons).toEqual([
    'not interested',
    'cannot be reached',
    'no voice mail possible',
    'bad e-mail address',
    'contacted before by someone of the same company',
    'already in network marketing',
    'delivered more than 5 days ago',
  ]);
  for (const reason of policy.invalidReturnReasons) {
    const { orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId, { reason });
    const explanation = `"${reason}" is no reason for a replacement`;
    expect(await replacement(replacementId)).toMatchObject({ status: 'denied', decidedAt: shop.now(), explanation });
    expect(await story(replacementId)).toEqual([
      ['ReplacementRequested', shop.now()],
      ['ChargebackDenied', shop.now()],
    ]);
  }
});

test('RPL-3: a reason that is not in the policy is refused, and nothing is recorded', async () => {
  const { customerId, orderId, leadId } = await served();
  const refused = await shop.try('POST', '/api/replacements', { orderId, leadId, reason: 'Wrong Number' });
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'return-reason-unknown', rule: 'RPL-3', errors: [{ field: 'reason' }] },
  });
  expect((await shop.read(`/api/customers/${customerId}/leads/${leadId}`)).replacementStatus).toBeNull();
});

describe('verification', () => {
  test('RPL-5: the queue is sorted by due date, and a request without a verdict after exactly seven days is recorded as overdue', async () => {
    const [late, inTime] = [await served(), await served()];
    const asked: string[] = [];
    asked.push(await giveBack(late.orderId, late.leadId));
    const requestedAt = shop.now();
    await shop.wait({ hours: 1 });
    asked.push(await giveBack(inTime.orderId, inTime.leadId));
    const queue = async () => {
      const { items } = await shop.read('/api/replacements?status=requested');
      return items
        .filter(({ replacementId }: { replacementId: string }) => asked.includes(replacementId))
        .map((item: Record<string, unknown>) => [item.replacementId, item.dueAt, item.overdue]);
    };
    const [first, second] = [addDays(requestedAt, 7), addSeconds(addDays(requestedAt, 7), 3600)];
    expect(await queue()).toEqual([
      [asked[0], first, false],
      [asked[1], second, false],
    ]);
    await shop.wait({ days: 7, hours: -1, seconds: -1 });
    expect((await queue())[0]).toEqual([asked[0], first, false]);
    await shop.wait({ seconds: 1 });
    expect(await queue()).toEqual([
      [asked[0], first, true],
      [asked[1], second, false],
    ]);
    await grant(asked[1] as string);
    await shop.wait({ days: 1 });
    expect(await queue()).toEqual([[asked[0], first, true]]);
    expect(await story(asked[0] as string)).toEqual([
      ['ReplacementRequested', requestedAt],
      ['VerificationOverdue', first],
    ]);
    await grant(asked[0] as string);
    expect((await story(asked[0] as string)).at(-1)).toEqual(['ChargebackGranted', shop.now()]);
  });

  test('RPL-5: a request that was denied at once is never overdue', async () => {
    const { orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId, { reason: 'not interested' });
    await shop.wait({ days: 8 });
    expect((await replacement(replacementId)).overdue).toBe(false);
  });

  test('RPL-7: a denial gives the customer the reason; no replacement is owed, and the lead stays with the order', async () => {
    const { customerId, leadTypeId, orderId, leadId } = await served({}, { exclusivity: 'shared' });
    const replacementId = await giveBack(orderId, leadId);
    await deny(replacementId, 'The number works: we reached the person today.');
    expect(await replacement(replacementId)).toMatchObject({
      status: 'denied',
      explanation: 'The number works: we reached the person today.',
      decidedAt: shop.now(),
    });
    expect((await shop.history(`/api/replacements/${replacementId}`)).at(-1)).toMatchObject({
      type: 'ChargebackDenied',
      actor: 'staff:ada',
      reason: 'called the number',
    });
    expect((await order(orderId)).replacementsOwed).toBe(0);
    expect((await shop.read(`/api/customers/${customerId}/leads/${leadId}`)).replacementStatus).toBe('denied');
    const other = await shop.order(await shop.customer(), { leadTypeId });
    expect((await deliveries(other)).map(({ data }) => data.leadId)).toEqual([leadId]);
  });

  test('RPL-7: a denial without an explanation is refused', async () => {
    const { orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId);
    for (const body of [{}, { explanation: ' ' }, { explanation: null }])
      expect(await shop.try('POST', `/api/replacements/${replacementId}/deny`, body, VERIFIED)).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'explanation' }] },
      });
    expect((await replacement(replacementId)).status).toBe('requested');
  });

  test('RPL-8: a request that comes too late is recorded and denied at once with that explanation', async () => {
    const { orderId, leadId } = await served();
    await shop.wait({ days: 6 });
    const replacementId = await giveBack(orderId, leadId);
    expect(await story(replacementId)).toEqual([
      ['ReplacementRequested', shop.now()],
      ['ChargebackDenied', shop.now()],
    ]);
    expect(await replacement(replacementId)).toMatchObject({
      status: 'denied',
      explanation: 'the lead was delivered more than 5 days before the request',
    });
  });

  test('RPL-8: there is one request per delivered lead; repeated and concurrent requests change nothing', async () => {
    const { orderId, leadId } = await served();
    const ask = (reason: string) => shop.server.call('POST', '/api/replacements', { orderId, leadId, reason });
    const both = await Promise.all([ask('wrong number'), ask('wrong number')]);
    const [{ body: first }] = both;
    expect(new Set(both.map(({ body }) => body.replacementId)).size).toBe(1);
    expect(both.filter(({ body }) => body.events.length > 0)).toHaveLength(1);
    const before = await shop.history(`/api/replacements/${first.replacementId}`);
    const again = await ask('wrong number');
    expect(again).toMatchObject({ status: 201, body: { replacementId: first.replacementId, events: [] } });
    for (const other of ['telephone disconnected', 'not interested'])
      expect(await ask(other)).toMatchObject({ status: 409, body: { code: 'return-requested', rule: 'RPL-8' } });
    expect(await shop.history(`/api/replacements/${first.replacementId}`)).toEqual(before);
  });

  test('RPL-8: a verdict is final: a second, different verdict is refused', async () => {
    const [one, two] = [await served(), await served()];
    const [denied, allowed] = [await giveBack(one.orderId, one.leadId), await granted(two.orderId, two.leadId)];
    await deny(denied, 'It rang.');
    const refused = { status: 409, body: { code: 'already-decided', rule: 'RPL-8' } };
    expect(await shop.try('POST', `/api/replacements/${denied}/grant`, undefined, VERIFIED)).toMatchObject(refused);
    const explanation = { explanation: 'It rang.' };
    expect(await shop.try('POST', `/api/replacements/${allowed}/deny`, explanation, VERIFIED)).toMatchObject(refused);
    expect((await grant(allowed)).events).toEqual([]);
    expect((await order(two.orderId)).replacementsOwed).toBe(1);
  });

  test('RPL-8: a second denial is refused, so that no explanation is lost; a repeat of the same request is not', async () => {
    const { orderId, leadId } = await served();
    const path = `/api/replacements/${await giveBack(orderId, leadId)}/deny`;
    const once = { ...VERIFIED, 'idempotency-key': 'denied-once' };
    const first = await shop.try('POST', path, { explanation: 'It rang.' }, once);
    expect([first.status, first.body.events]).toEqual([200, ['ChargebackDenied']]);
    expect((await shop.try('POST', path, { explanation: 'It rang.' }, once)).body).toEqual(first.body);
    const refused = { status: 409, body: { code: 'already-decided', rule: 'RPL-8' } };
    expect(await shop.try('POST', path, { explanation: 'We spoke.' }, VERIFIED)).toMatchObject(refused);
    const late = await served();
    const denied = await giveBack(late.orderId, late.leadId, { reason: 'not interested' });
    const again = await shop.try('POST', `/api/replacements/${denied}/deny`, { explanation: 'We spoke.' }, VERIFIED);
    expect(again).toMatchObject(refused);
  });
});

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
