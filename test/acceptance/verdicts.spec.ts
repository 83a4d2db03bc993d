import { addDays, addSeconds } from '#domain/kernel/instants';
import { returnsOf, VERIFIED } from './returning.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const { order, replacement, deliveries, story, giveBack, grant, deny, granted, served } = returnsOf(() => shop);

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
    expect((await order(two.orderId)).replacementsOwed).toBe(1);
  });

  test('RPL-8: a verdict is not given twice, so that no reason is lost; a repeat of the same request is answered as the first', async () => {
    const refused = { status: 409, body: { code: 'already-decided', rule: 'RPL-8' } };
    const verdicts = [
      ['grant', undefined],
      ['goodwill', undefined],
      ['correct', { verdict: 'granted' }],
    ] as const;
    for (const [verdict, body] of verdicts) {
      const { orderId, leadId } = await served();
      const returned = await giveBack(orderId, leadId);
      if (verdict === 'correct') await deny(returned, 'It rang.');
      const send = (headers: object) =>
        shop.try('POST', `/api/replacements/${returned}/${verdict}`, body, { ...VERIFIED, ...headers });
      const first = await send({ 'idempotency-key': verdict });
      expect([first.status, first.body.events.length]).toEqual([200, 1]);
      expect((await send({ 'idempotency-key': verdict })).body).toEqual(first.body);
      expect(await send({ 'leadger-reason': 'really a wrong number' })).toMatchObject(refused);
      expect((await order(orderId)).replacementsOwed).toBe(1);
    }
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
    expect((await correct(replacementId, 'granted')).body.code).toBe('already-decided');
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
    expect((await goodwill(replacementId)).body.code).toBe('already-decided');
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
