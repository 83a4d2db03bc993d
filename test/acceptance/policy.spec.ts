import { addDays, addSeconds } from '#domain/kernel/instants';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const inForce = () => shop.ask('GET', '/api/policy');
const versions = async () => (await shop.ask('GET', '/api/policy/versions')).items;
const asAda = { 'leadger-actor': 'staff:ada' };
const versionsPath = '/api/policy/versions';
/** The ETag of the policy, which a publication names (POL-2). */
const seen = async () => ({ 'if-match': (await shop.try('GET', '/api/policy')).headers.get('etag') as string });
const send = async (body: object, headers: Record<string, string> = {}) =>
  shop.try('POST', versionsPath, body, { ...asAda, ...(await seen()), ...headers });
const from = (effectiveFrom?: string) => (effectiveFrom === undefined ? {} : { effectiveFrom });
/** Publishes the current policy with changes: an edited copy. */
const publish = async (changes: object, effectiveFrom?: string) => {
  const { policy } = await inForce();
  return send({ policy: { ...policy, ...changes }, ...from(effectiveFrom) });
};
/** Publishes single fields. */
const change = (changes: object, effectiveFrom?: string) => send({ changes, ...from(effectiveFrom) });

const weekly = { name: 'weekly', days: 7 };

test('POL-1: a policy is published with a version, an author and the instant at which it takes effect', async () => {
  const before = await inForce();
  const [publishedAt, from] = [shop.now(), addDays(shop.now(), 1)];
  const published = await publish({ returnWindowDays: 9 }, from);
  expect(published).toMatchObject({ status: 201, body: { events: ['PolicyPublished'] } });
  const next = {
    version: before.version + 1,
    author: 'staff:ada',
    effectiveFrom: from,
    policy: { ...before.policy, returnWindowDays: 9 },
  };
  const changes = [{ field: 'returnWindowDays', from: 5, to: 9 }];
  expect((await versions()).at(-1)).toEqual({ ...next, publishedAt, changes, reason: null });
  const revision = before.revision + 1;
  await shop.wait({ days: 1, seconds: -0.001 });
  expect(await inForce()).toEqual({ ...before, revision });
  await shop.wait({ seconds: 0.001 });
  expect(await inForce()).toEqual({ ...next, revision });
});

test('POL-1: a policy scheduled for later takes effect then, even if an earlier one was published afterwards', async () => {
  const [tomorrow, nextWeek] = [addDays(shop.now(), 1), addDays(shop.now(), 7)];
  expect((await change({ returnWindowDays: 12 }, nextWeek)).status).toBe(201);
  expect((await change({ returnWindowDays: 11 }, tomorrow)).status).toBe(201);
  const days = async () => (await inForce()).policy.returnWindowDays;
  await shop.wait({ days: 1 });
  expect(await days()).toBe(11);
  await shop.wait({ days: 6 });
  expect(await days()).toBe(12);
});

test('POL-1: a policy is never changed or removed; a later policy leaves it unchanged', async () => {
  const before = await versions();
  expect((await change({ verificationDays: 8 })).status).toBe(201);
  expect((await versions()).slice(0, before.length)).toEqual(before);
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    for (const path of ['/api/policy', '/api/policy/versions', '/api/policy/versions/1'])
      expect((await shop.try(method, path)).status).toBe(404);
});

test('POL-1: only staff publish a policy; a customer is refused', async () => {
  const before = await versions();
  const { policy } = await inForce();
  const headers = await seen();
  const asCustomer = { 'leadger-actor': `customer:${await shop.customer()}`, 'leadger-reason': 'please' };
  for (const saw of [{}, headers])
    expect(await shop.try('POST', versionsPath, { policy }, { ...asCustomer, ...saw })).toMatchObject({
      status: 403,
      body: { code: 'staff-only', rule: 'POL-1' },
    });
  expect(await versions()).toEqual(before);
});

test('POL-1: a policy for a past instant is refused, even by a millisecond; one for the current instant is accepted', async () => {
  const before = await versions();
  expect(await change({ verificationDays: 9 }, addSeconds(shop.now(), -0.001))).toMatchObject({
    status: 409,
    body: { code: 'policy-in-the-past', rule: 'POL-1', errors: [{ field: 'effectiveFrom' }] },
  });
  expect(await versions()).toEqual(before);
  expect((await change({ verificationDays: 9 }, shop.now())).status).toBe(201);
  expect((await inForce()).policy.verificationDays).toBe(9);
});

test('POL-1: two policies published at the same time are two versions, once the second author has seen the first', async () => {
  const before = await versions();
  const publishAgainAndAgain = async (verificationDays: number) => {
    for (;;) {
      const { status } = await change({ verificationDays });
      if (status === 201) return;
      expect(status).toBe(412);
    }
  };
  await Promise.all([publishAgainAndAgain(10), publishAgainAndAgain(11)]);
  expect((await versions()).map((one: { version: number }) => one.version)).toEqual(
    Array.from({ length: before.length + 2 }, (_, index) => index + 1),
  );
});

test.each([
  ['days that are negative', { returnWindowDays: -5 }, 'policy.returnWindowDays'],
  ['no days at all', { verificationDays: 0 }, 'policy.verificationDays'],
  ['half a customer', { maximumCustomersPerSharedLead: 2.5 }, 'policy.maximumCustomersPerSharedLead'],
  ['a list of no reasons', { approvedReturnReasons: [] }, 'policy.approvedReturnReasons'],
  ['an empty reason', { invalidReturnReasons: ['not interested', ''] }, 'policy.invalidReturnReasons'],
  ['a bonus above 100 percent', { sharedBonusPercents: [10, 101] }, 'policy.sharedBonusPercents'],
  ['a zone that does not exist', { businessTimeZone: 'Moon/Tranquility' }, 'policy.businessTimeZone'],
  ['a holiday that is not a date', { holidays: ['2026-02-30'] }, 'policy.holidays'],
  ['a missing number', { freshAfterDays: undefined }, 'policy.freshAfterDays'],
  ['an unknown number', { colourOfMoney: 'green' }, 'policy'],
])('POL-1: nonsense is refused, and the field named: %s', async (_, changes, field) => {
  const before = await versions();
  const { status, body } = await publish(changes);
  expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid-request' });
  expect(body.errors[0].field.startsWith(field)).toBe(true);
  expect(await versions()).toEqual(before);
});

test.each([
  ['a bonus ladder that decreases', { sharedBonusPercents: [10, 20, 10] }, 'sharedBonusPercents', /sharedBonusMayFall/],
  ['leads that are aged before they are fresh', { freshAfterDays: 40 }, 'agedAfterDays', /freshAfterDays/],
  [
    'a reason that is both approved and invalid',
    { invalidReturnReasons: ['wrong number'] },
    'approvedReturnReasons',
    /wrong number/,
  ],
  ['a reason of spaces', { approvedReturnReasons: ['wrong number', ' '] }, 'approvedReturnReasons', /space/],
  ['a cadence that is named twice', { renewalCadences: [weekly, weekly] }, 'renewalCadences', /twice/],
  ['a cadence of a minute', { renewalCadences: [{ name: 'x', days: 1 / 1440 }] }, 'renewalCadences', /a day/],
  ['a notice as long as a week', { renewalNoticeDays: 7 }, 'renewalNoticeDays', /renewalCadences/],
])('POL-1: what contradicts itself is refused, and the field named: %s', async (_, changes, field, detail) => {
  const before = await versions();
  const { status, body } = await publish(changes);
  expect({ status, code: body.code, rule: body.rule, field: body.errors[0].field }).toEqual({
    status: 409,
    code: 'policy-contradicts-itself',
    rule: 'POL-1',
    field: `policy.${field}`,
  });
  expect(body.detail).toMatch(detail);
  expect(await versions()).toEqual(before);
});

test('POL-1: a bonus ladder may decrease if the request confirms that this is intended', async () => {
  expect((await publish({ sharedBonusPercents: [10, 20, 10], sharedBonusMayFall: true })).status).toBe(201);
});

describe('two members of staff', () => {
  test('POL-2: two members of staff who publish from the same copy do not undo each other: the second one is told to look again', async () => {
    const { policy } = await inForce();
    const sawTheSame = await seen();
    const ada = { policy: { ...policy, returnWindowDays: 20 } };
    const bob = { policy: { ...policy, renewalNoticeDays: 2 } };
    expect((await send(ada, sawTheSame)).status).toBe(201);
    expect(await send(bob, sawTheSame)).toMatchObject({
      status: 412,
      body: { code: 'revision-mismatch', errors: [{ field: 'if-match' }] },
    });
    expect((await inForce()).policy).toEqual(ada.policy);
    expect((await send({ changes: { renewalNoticeDays: 2 } }, await seen())).status).toBe(201);
    expect((await inForce()).policy).toEqual({ ...ada.policy, renewalNoticeDays: 2 });
  });

  test('POL-2: two members of staff who publish at the same moment: one of them wins, whichever form they send', async () => {
    const { policy } = await inForce();
    const sawTheSame = await seen();
    const replies = await Promise.all([
      send({ changes: { returnWindowDays: 21 } }, sawTheSame),
      send({ policy: { ...policy, renewalNoticeDays: 1 } }, sawTheSame),
      send({ changes: { returnWindowDays: 23 } }, sawTheSame),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 412, 412]);
  });

  test('POL-2: two members of staff cannot publish without saying which versions they saw', async () => {
    const before = await versions();
    const { policy } = await inForce();
    for (const ifMatch of [{}, { 'if-match': '*' }])
      for (const body of [{ changes: { returnWindowDays: 22 } }, { policy }])
        expect(await shop.try('POST', versionsPath, body, { ...asAda, ...ifMatch })).toMatchObject({
          status: 428,
          body: { code: 'policy-not-seen', rule: 'POL-2', errors: [{ field: 'if-match' }] },
        });
    expect(await versions()).toEqual(before);
  });

  test('POL-2: two members of staff may publish by the ETag of the policy in force, or by that of the list of versions', async () => {
    for (const path of ['/api/policy', versionsPath]) {
      const etag = { 'if-match': (await shop.try('GET', path)).headers.get('etag') as string };
      const { policy } = await inForce();
      const days = policy.returnWindowDays + 1;
      expect((await send({ changes: { returnWindowDays: days } }, etag)).status).toBe(201);
      expect((await send({ changes: { returnWindowDays: days + 1 } }, etag)).status).toBe(412);
    }
  });

  test('POL-2: two members of staff may go on with the ETag of their own publication', async () => {
    const { headers } = await send({ changes: { returnWindowDays: 24 } });
    const etag = { 'if-match': headers.get('etag') as string };
    expect((await send({ changes: { returnWindowDays: 25 } }, etag)).status).toBe(201);
    expect((await send({ changes: { returnWindowDays: 26 } }, etag)).status).toBe(412);
  });

  test('POL-2: two members of staff who repeat a publication with its key get the first answer, although its ETag is old by then', async () => {
    const [body, headers] = [{ changes: { returnWindowDays: 27 } }, { ...(await seen()), 'idempotency-key': 'again' }];
    const first = await send(body, headers);
    const count = (await versions()).length;
    expect(await send(body, headers)).toMatchObject({ status: 201, body: first.body });
    expect(await versions()).toHaveLength(count);
  });
});

describe('a version of the policy', () => {
  test('POL-2: a version that is planned for later changes what it names and nothing else, also when others are published between', async () => {
    const { policy } = await inForce();
    const [tomorrow, nextWeek] = [addDays(shop.now(), 1), addDays(shop.now(), 7)];
    await change({ returnWindowDays: 30 }, nextWeek);
    // An edited copy of the whole policy is no other: it changes the fields in which it differs.
    await publish({ verificationDays: 14 }, nextWeek);
    await change({ renewalNoticeDays: 1, returnWindowDays: 31 }, tomorrow);
    await change({ pausesThatKeepTheLadder: 4 });
    const now = { ...policy, pausesThatKeepTheLadder: 4 };
    const then = { ...now, renewalNoticeDays: 1, returnWindowDays: 31 };
    expect((await inForce()).policy).toEqual(now);
    await shop.wait({ days: 1 });
    expect((await inForce()).policy).toEqual(then);
    expect((await versions()).slice(-4).map((one: { policy: object }) => one.policy)).toEqual([
      { ...then, returnWindowDays: 30 },
      { ...then, returnWindowDays: 30, verificationDays: 14 },
      then,
      now,
    ]);
    await shop.wait({ days: 6 });
    expect((await inForce()).policy).toEqual({ ...then, returnWindowDays: 30, verificationDays: 14 });
  });

  test('POL-2: a version that takes effect by itself is not undone by an older copy of the whole policy', async () => {
    const { policy: copy, version: seenVersion } = await inForce();
    await change({ returnWindowDays: 40 }, addDays(shop.now(), 1));
    const etag = await seen();
    await shop.wait({ days: 1 });
    const edited = { ...copy, verificationDays: 15 };
    expect(await send({ policy: edited }, etag)).toMatchObject({
      status: 409,
      body: { code: 'policy-copy-unclear', rule: 'POL-2', errors: [{ field: 'seenVersion' }] },
    });
    expect((await send({ policy: edited, seenVersion }, etag)).status).toBe(201);
    expect((await inForce()).policy).toEqual({ ...copy, returnWindowDays: 40, verificationDays: 15 });
  });

  test('POL-2: a version leaves out again what a policy may leave out, and nothing else', async () => {
    await change({ sharedPersonDays: 90 });
    expect((await inForce()).policy.sharedPersonDays).toBe(90);
    await change({ sharedPersonDays: null });
    expect((await inForce()).policy).not.toHaveProperty('sharedPersonDays');
    expect(await change({ returnWindowDays: null })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'changes.returnWindowDays' }] },
    });
  });

  test('POL-2: a version is refused when it or a planned one would contradict itself by it, and the field named', async () => {
    const { policy } = await inForce();
    await change({ freshAfterDays: policy.agedAfterDays - 1 }, addDays(shop.now(), 2));
    expect(await change({ agedAfterDays: policy.agedAfterDays - 1 })).toMatchObject({
      status: 409,
      body: {
        code: 'policy-contradicts-itself',
        detail: expect.stringMatching(/^version \d+, planned for .*: agedAfterDays must be more than freshAfterDays$/),
        errors: [{ field: 'changes.agedAfterDays' }],
      },
    });
    await change({ freshAfterDays: policy.freshAfterDays }, addDays(shop.now(), 2));
    expect((await change({ agedAfterDays: policy.agedAfterDays - 1 })).status).toBe(201);
    await shop.wait({ days: 2 });
  });

  test('POL-2: a version that changes nothing is not recorded', async () => {
    const before = await versions();
    const { policy, version: seenVersion } = await inForce();
    expect(await send({ policy, seenVersion })).toMatchObject({ status: 201, body: { events: [] } });
    expect(await versions()).toEqual(before);
  });
});

test('POL-2: the history of the policy says who published what, when and why, and what it changed', async () => {
  const { policy } = await inForce();
  const reason = { 'leadger-reason': 'as we promised at the fair' };
  const changes = { sharedPersonDays: 60, returnWindowDays: 50 };
  await send({ changes }, { ...reason, 'leadger-actor': 'staff:bob' });
  expect((await versions()).at(-1)).toMatchObject({
    author: 'staff:bob',
    publishedAt: shop.now(),
    effectiveFrom: shop.now(),
    reason: 'as we promised at the fair',
    changes: [
      { field: 'sharedPersonDays', from: null, to: 60 },
      { field: 'returnWindowDays', from: policy.returnWindowDays, to: 50 },
    ],
    policy: { ...policy, ...changes },
  });
  const [first] = await versions();
  expect(first).toMatchObject({ version: 1, author: 'system:first-start' });
  expect(first.changes).toContainEqual({ field: 'returnWindowDays', from: null, to: 5 });
});

test('POL-2: the decisions of each version are listed, page by page', async () => {
  await change({ restartPausedAfterDays: 5 });
  const { version } = await inForce();
  const [orderId, leadId] = [await shop.order(await shop.customer()), await shop.lead()];
  await change({ restartPausedAfterDays: 7 });
  const next = await shop.order(await shop.customer());
  const decisions = async (path: string) => shop.ask('GET', `${versionsPath}/${path}`);
  const all = (await decisions(`${version}/decisions`)).items;
  const told = (items: { stream: string; type: string }[]) => items.map(({ stream, type }) => `${type} ${stream}`);
  expect(told(all)).toEqual([
    `OrderPlaced order-${orderId}`,
    `LeadReceived lead-${leadId}`,
    `LeadAssigned lead-${leadId}`,
    `LeadDelivered order-${orderId}`,
  ]);
  expect(all[0]).toMatchObject({ revision: 0, at: shop.now(), actor: 'staff:local' });
  const first = await decisions(`${version}/decisions?limit=3`);
  const second = await decisions(`${version}/decisions?limit=3&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items]).toEqual(all);
  expect(second).not.toHaveProperty('nextCursor');
  expect(told((await decisions(`${version + 1}/decisions`)).items)).toEqual([`OrderPlaced order-${next}`]);
  for (const none of [0, version + 2, 'x'])
    expect(await shop.try('GET', `${versionsPath}/${none}/decisions`)).toMatchObject({
      status: 404,
      body: { code: 'policy-version-unknown' },
    });
  expect((await shop.try('GET', `${versionsPath}/1/decisions?cursor=x`)).body.code).toBe('bad-cursor');
  for (const open of [orderId, next]) await shop.ask('POST', `/api/orders/${open}/cancel`);
});

test('POL-1: every decision that used a policy records its version', async () => {
  const decide = async () => {
    const { version } = await inForce();
    const leadTypeId = await shop.leadType({ freshness: 'real-time', agesInto: 'exclusive-fresh' });
    const joining = { leadTypeId, dailyMaximum: { leads: 5 }, loyalty: { cadence: 'once-a-month' } };
    const orderId = await shop.order(await shop.customer(), joining);
    const leadId = await shop.lead(leadTypeId);
    const aReturn = { orderId, leadId, reason: 'wrong number' };
    const { replacementId: id } = await shop.ask('POST', '/api/replacements', aReturn);
    await shop.ask('POST', `/api/orders/${orderId}/pause`);
    const unsold = await shop.lead(leadTypeId);
    await shop.wait({ days: 1 });
    await shop.ask('POST', `/api/orders/${orderId}/cancel`);
    const happened = [
      ...(await shop.history(`/api/orders/${orderId}`)),
      ...(await shop.history(`/api/replacements/${id}`)),
      ...(await shop.history(`/api/leads/${unsold}`)),
    ] as readonly { type: string; policyVersion?: number }[];
    const citing = happened.filter(({ policyVersion }) => policyVersion !== undefined);
    return { version, citing: citing.map(({ type, policyVersion }) => [type, policyVersion]) };
  };
  for (const changes of [{}, { restartPausedAfterDays: 6 }]) {
    await publish(changes);
    const { version, citing } = await decide();
    expect(citing).toEqual(
      ['OrderPlaced', 'LeadDelivered', 'OrderPaused', 'ReplacementRequested', 'LeadReceived', 'LeadAged'].map(
        (type) => [type, version],
      ),
    );
  }
});
