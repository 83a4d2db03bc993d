import { addDays } from '#domain/kernel/instants';
import { returnsOf, VERIFIED } from './returning.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const { replacement, deliveries, story, giveBack, grant, served } = returnsOf(() => shop);

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
  expect(await replacement(replacementId)).toMatchObject({ status: 'requested', reason: 'wrong-number', note: null });
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
  expect(await replacement(replacementId)).toMatchObject({ orderId, leadId, reason: 'wrong-number', note });
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

  test('RPL-2: the window is promised and recorded with the delivery; no later policy moves it', async () => {
    const { policy } = await shop.ask('GET', '/api/policy');
    const publish = (returnWindowDays: number) => shop.publish({ policy: { ...policy, returnWindowDays } });
    const [kept, expired] = [await served(), await served()];
    const until = addDays(shop.now(), 5);
    const contact = () => shop.read(`/api/customers/${kept.customerId}/leads/${kept.leadId}`);
    expect((await deliveries(kept.orderId))[0]?.data.returnableUntil).toBe(until);
    expect((await contact()).returnableUntil).toBe(until);

    await publish(1);
    await shop.wait({ days: 5 });
    const found = await replacement(await giveBack(kept.orderId, kept.leadId));
    expect(found).toMatchObject({ status: 'requested', returnableUntil: until });

    await publish(9);
    await shop.wait({ seconds: 1 });
    expect(await replacement(await giveBack(expired.orderId, expired.leadId))).toMatchObject({
      status: 'denied',
      explanation: 'the lead was delivered more than 5 days before the request',
    });
    const later = await served();
    await shop.wait({ days: 9 });
    expect((await replacement(await giveBack(later.orderId, later.leadId))).status).toBe('requested');
    await publish(policy.returnWindowDays);
  });
});

test('RPL-3: a return with an approved reason is accepted for verification', async () => {
  const { policy } = await shop.ask('GET', '/api/policy');
  expect(policy.approvedReturnReasons).toEqual([
    'telephone-disconnected',
    'wrong-number',
    'outside-us-and-canada',
    'submitted-by-third-party',
  ]);
  expect(policy.approvedReturnReasons.map((code: string) => policy.returnReasonLabels[code])).toEqual([
    'Disconnected telephone',
    'Wrong number',
    'Located outside US & Canada',
    'Information submitted by a third party (unwillingly)',
  ]);
  for (const reason of policy.approvedReturnReasons) {
    const { orderId, leadId } = await served();
    expect(await replacement(await giveBack(orderId, leadId, { reason }))).toMatchObject({
      reason,
      reasonLabel: policy.returnReasonLabels[reason],
      status: 'requested',
    });
  }
});

test('RPL-3, RPL-4: a reason is named by its code or its label, in any case of letters', async () => {
  for (const [reason, code] of [
    ['OUTSIDE-US-AND-CANADA', 'outside-us-and-canada'],
    ['located outside us & canada', 'outside-us-and-canada'],
    ['Information Submitted By A Third Party (Unwillingly)', 'submitted-by-third-party'],
    ['Already In Network Marketing', 'already-in-network-marketing'],
  ] as const) {
    const { orderId, leadId } = await served();
    expect((await replacement(await giveBack(orderId, leadId, { reason }))).reason).toBe(code);
  }
});

test('RPL-3: reasons of a policy without labels are understood and shown as they are', async () => {
  const { policy } = await shop.ask('GET', '/api/policy');
  const { returnReasonLabels: _, ...unlabelled } = policy;
  const older = { ...unlabelled, approvedReturnReasons: ['wrong number'], invalidReturnReasons: ['not interested'] };
  await shop.publish({ policy: older });
  const { orderId, leadId } = await served();
  const found = await replacement(await giveBack(orderId, leadId, { reason: 'Wrong Number' }));
  expect(found).toMatchObject({ reason: 'wrong number', reasonLabel: 'wrong number', status: 'requested' });
  await grant(found.replacementId);
  await shop.publish({ policy });
});

test('RPL-4, RPL-8: a return with an invalid reason is recorded and denied at once, with that explanation', async () => {
  const { policy } = await shop.ask('GET', '/api/policy');
  expect(policy.invalidReturnReasons).toEqual([
    'not-interested',
    'cannot-be-reached',
    'no-voice-mail',
    'bad-email-address',
    'contacted-by-same-company',
    'already-in-network-marketing',
    'delivered-too-long-ago',
  ]);
  expect(policy.invalidReturnReasons.map((code: string) => policy.returnReasonLabels[code])).toEqual([
    'Not interested',
    'Cannot be reached',
    'No voice mail possible',
    'Bad e-mail address',
    'Contacted before by someone of the same company',
    'Already in network marketing',
    'Delivered more than 5 days ago',
  ]);
  for (const reason of policy.invalidReturnReasons) {
    const { orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId, { reason });
    const explanation = `"${policy.returnReasonLabels[reason]}" is no reason for a replacement`;
    expect(await replacement(replacementId)).toMatchObject({ status: 'denied', decidedAt: shop.now(), explanation });
    expect(await story(replacementId)).toEqual([
      ['ReplacementRequested', shop.now()],
      ['ChargebackDenied', shop.now()],
    ]);
  }
});

test('RPL-3: a reason that is not in the policy is refused, and nothing is recorded', async () => {
  const { customerId, orderId, leadId } = await served();
  const refused = await shop.try('POST', '/api/replacements', { orderId, leadId, reason: 'too expensive' });
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'return-reason-unknown', rule: 'RPL-3', errors: [{ field: 'reason' }] },
  });
  expect((await shop.read(`/api/customers/${customerId}/leads/${leadId}`)).replacementStatus).toBeNull();
});
