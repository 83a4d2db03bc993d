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
    for (const other of ['Disconnected telephone', 'not interested'])
      expect(await ask(other)).toMatchObject({ status: 409, body: { code: 'return-requested', rule: 'RPL-8' } });
    expect(await shop.history(`/api/replacements/${first.replacementId}`)).toEqual(before);
  });

  test('RPL-8: a second, different verdict is refused', async () => {
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

describe('another reason', () => {
  const ask = (orderId: string, leadId: string, details: object) =>
    shop.try('POST', '/api/replacements', { orderId, leadId, ...details });

  test('RPL-8: after a denial, another reason is verified as the first one was', async () => {
    const { leadTypeId, orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId, { note: 'A bakery.' });
    await deny(replacementId, 'We reached the person.');
    await shop.wait({ days: 2 });
    await giveBack(orderId, leadId, { reason: 'Disconnected telephone', note: 'A recording.' });
    expect(await replacement(replacementId)).toMatchObject({
      ...{ status: 'requested', reason: 'telephone-disconnected', note: 'A recording.', requests: 2 },
      ...{ requestedAt: shop.now(), dueAt: addDays(shop.now(), 7), decidedAt: null, explanation: null, overdue: false },
    });
    await grant(replacementId);
    await shop.lead(leadTypeId);
    expect((await replacement(replacementId)).status).toBe('replaced');
  });

  test('RPL-8: after the window, another reason is recorded and denied at once', async () => {
    const { orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId);
    await deny(replacementId, 'We reached the person.');
    await shop.wait({ days: 5, seconds: 1 });
    await giveBack(orderId, leadId, { reason: 'Disconnected telephone' });
    expect(await replacement(replacementId)).toMatchObject({ status: 'denied', requests: 2 });
    expect((await shop.history(`/api/replacements/${replacementId}`)).map(({ type }) => type)).toEqual([
      ...['ReplacementRequested', 'ChargebackDenied', 'ReplacementRequested', 'ChargebackDenied'],
    ]);
  });

  test('RPL-8: the same request repeated changes nothing; one with another note is refused, before and after a denial', async () => {
    const { orderId, leadId } = await served();
    const same = { reason: 'wrong number', note: 'A bakery.' };
    const different = { status: 409, body: { code: 'return-requested', rule: 'RPL-8' } };
    const replacementId = await giveBack(orderId, leadId, same);
    const before = await shop.history(`/api/replacements/${replacementId}`);
    const checkRepeats = async () => {
      expect(await ask(orderId, leadId, same)).toMatchObject({ status: 201, body: { events: [] } });
      for (const other of [{ note: 'A shop.' }, { note: undefined }])
        expect(await ask(orderId, leadId, { ...same, ...other })).toMatchObject(different);
    };
    await checkRepeats();
    expect(await shop.history(`/api/replacements/${replacementId}`)).toEqual(before);
    await deny(replacementId, 'We reached the person.');
    await checkRepeats();
    expect((await replacement(replacementId)).status).toBe('denied');
  });

  test('RPL-8: equal requests at the same moment are one, with a note too; different ones are not answered as one', async () => {
    const [one, two] = [await served(), await served()];
    const together = (of: { orderId: string; leadId: string }, details: readonly object[]) =>
      Promise.all(
        details.map((more) => {
          const body = { orderId: of.orderId, leadId: of.leadId, reason: 'wrong number', ...more };
          return shop.server.call('POST', '/api/replacements', body);
        }),
      );
    const equal = await together(one, Array(5).fill({ note: 'A bakery.' }));
    expect(equal.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(equal.filter(({ body }) => body.events.length > 0)).toHaveLength(1);
    const different = await together(two, [
      { note: 'A bakery.' },
      { note: 'A shop.' },
      { reason: 'disconnected telephone' },
    ]);
    expect(different.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe('corrected verdicts', () => {
  const correct = (replacementId: string, verdict: string, explanation?: string) =>
    shop.try('POST', `/api/replacements/${replacementId}/correct`, { verdict, explanation }, VERIFIED);
  const goodwill = (replacementId: string) =>
    shop.try('POST', `/api/replacements/${replacementId}/goodwill`, undefined, VERIFIED);
  const types = async (path: string) => (await shop.history(path)).map(({ type }) => type);

  test('RPL-10: a denial is corrected at any time, with a reason; the lead is withdrawn and a replacement comes', async () => {
    const { leadTypeId, orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId);
    await deny(replacementId, 'We reached the person.');
    await shop.wait({ days: 60 });
    const path = `/api/replacements/${replacementId}/correct`;
    expect(await shop.try('POST', path, { verdict: 'granted' }, { 'leadger-actor': 'staff:ada' })).toMatchObject({
      body: { code: 'reason-missing' },
    });
    expect((await correct(replacementId, 'granted')).body.events).toEqual(['VerdictCorrected']);
    expect((await shop.history(`/api/replacements/${replacementId}`)).at(-1)).toMatchObject({
      ...{ type: 'VerdictCorrected', actor: 'staff:ada', reason: 'called the number' },
      data: { verdict: 'granted' },
    });
    expect(await replacement(replacementId)).toMatchObject({
      ...{ status: 'granted', correctedAt: shop.now(), explanation: null, goodwill: false },
    });
    expect((await shop.read(`/api/leads/${leadId}`)).withdrawn).toBe(true);
    expect((await order(orderId)).replacementsOwed).toBe(1);
    await shop.lead(leadTypeId);
    expect((await replacement(replacementId)).status).toBe('replaced');
    expect((await correct(replacementId, 'granted')).body.events).toEqual([]);
  });

  test('RPL-10: a grant is corrected until its replacement was delivered; the debt is taken back, the lead stays withdrawn', async () => {
    const { leadTypeId, orderId, leadId } = await served({ quantity: 1 });
    const replacementId = await granted(orderId, leadId);
    expect((await correct(replacementId, 'denied', 'It was your own telephone.')).status).toBe(200);
    expect(await replacement(replacementId)).toMatchObject({
      ...{ status: 'denied', explanation: 'It was your own telephone.', correctedAt: shop.now() },
      correctionRequestedAt: null,
    });
    expect((await order(orderId)).replacementsOwed).toBe(0);
    expect((await shop.read(`/api/leads/${leadId}`)).withdrawn).toBe(true);
    await shop.lead(leadTypeId);
    expect(await deliveries(orderId)).toHaveLength(1);
    expect((await types(`/api/replacements/${replacementId}`)).slice(1)).toEqual([
      ...['ChargebackGranted', 'CorrectionRequested', 'VerdictCorrected'],
    ]);

    // Back again: the stock that waits is delivered at once, and from then on the grant stands.
    await correct(replacementId, 'granted');
    expect((await replacement(replacementId)).status).toBe('replaced');
    const late = await correct(replacementId, 'denied', 'After all not.');
    expect(late).toMatchObject({ status: 409, body: { code: 'replacement-delivered', rule: 'RPL-10' } });
  });

  test('RPL-10: a correction and the delivery at the same moment: one of them counts, never both', async () => {
    const outcomes: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { leadTypeId, orderId, leadId } = await served({ quantity: 1 });
      const replacementId = await granted(orderId, leadId);
      const body = { verdict: 'denied', explanation: 'It was your own telephone.' };
      const correction = () => shop.server.call('POST', `/api/replacements/${replacementId}/correct`, body, VERIFIED);
      await Promise.all(round % 2 ? [correction(), shop.lead(leadTypeId)] : [shop.lead(leadTypeId), correction()]);
      await shop.server.settle();
      const { status, correctionRequestedAt } = await replacement(replacementId);
      const { replacementsDelivered, replacementsOwed } = await order(orderId);
      expect({ replacementsDelivered, replacementsOwed, correctionRequestedAt }).toEqual({
        ...{ replacementsDelivered: status === 'replaced' ? 1 : 0, replacementsOwed: 0, correctionRequestedAt: null },
      });
      expect(await deliveries(orderId)).toHaveLength(status === 'replaced' ? 2 : 1);
      outcomes.push(status);
    }
    expect(['denied', 'replaced']).toEqual(expect.arrayContaining(outcomes));
  });

  test('RPL-10: a verdict that is not there, or that a rule made, is not corrected; a denial says why', async () => {
    const { orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId);
    expect(await correct(replacementId, 'granted')).toMatchObject({ body: { code: 'return-not-decided' } });
    for (const nonsense of [{ verdict: 'denied' }, { verdict: 'granted', explanation: 'x' }, { verdict: 'maybe' }, {}])
      expect(await shop.try('POST', `/api/replacements/${replacementId}/correct`, nonsense, VERIFIED)).toMatchObject({
        status: 400,
      });
    const ruled = await served();
    const denied = await giveBack(ruled.orderId, ruled.leadId, { reason: 'not interested' });
    const refused = { status: 409, body: { code: 'return-beyond-rules', rule: 'RPL-11' } };
    expect(await correct(denied, 'granted')).toMatchObject(refused);
    const customer = { 'leadger-actor': `customer:${ruled.customerId}` };
    for (const verb of ['goodwill', 'correct'])
      expect(
        await shop.try(
          'POST',
          `/api/replacements/${denied}/${verb}`,
          verb === 'correct' ? { verdict: 'granted' } : undefined,
          customer,
        ),
      ).toMatchObject({ status: 403 });
  });

  test('RPL-10: after a corrected denial, another reason may be given inside the window', async () => {
    const { orderId, leadId } = await served();
    const replacementId = await granted(orderId, leadId);
    await correct(replacementId, 'denied', 'It was your own telephone.');
    await giveBack(orderId, leadId, { reason: 'Located outside US & Canada' });
    await grant(replacementId);
    expect((await order(orderId)).replacementsOwed).toBe(1);
  });

  test('RPL-11: goodwill replaces a lead beyond the rules; it is recorded as such, and the lead is not withdrawn', async () => {
    const { leadTypeId, orderId, leadId } = await served();
    const replacementId = await giveBack(orderId, leadId, { reason: 'not interested' });
    expect((await goodwill(replacementId)).body.events).toEqual(['GoodwillGranted']);
    expect((await goodwill(replacementId)).body.events).toEqual([]);
    expect((await shop.history(`/api/replacements/${replacementId}`)).at(-1)).toMatchObject({
      ...{ type: 'GoodwillGranted', actor: 'staff:ada', reason: 'called the number' },
    });
    expect(await replacement(replacementId)).toMatchObject({ status: 'granted', goodwill: true, explanation: null });
    expect((await shop.read(`/api/leads/${leadId}`)).withdrawn).toBe(false);
    await shop.lead(leadTypeId);
    expect(await replacement(replacementId)).toMatchObject({ status: 'replaced', goodwill: true });
  });

  test('RPL-11: goodwill is possible after the window, and can be taken back', async () => {
    const { orderId, leadId } = await served();
    await shop.wait({ days: 6 });
    const replacementId = await giveBack(orderId, leadId);
    await goodwill(replacementId);
    expect((await order(orderId)).replacementsOwed).toBe(1);
    await correct(replacementId, 'denied', 'We had replaced it before.');
    expect(await replacement(replacementId)).toMatchObject({ status: 'denied', goodwill: false });
    expect((await order(orderId)).replacementsOwed).toBe(0);
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
