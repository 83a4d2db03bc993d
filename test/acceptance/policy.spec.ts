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
/** Publishes the current policy with changes. */
const publish = async (changes: object, effectiveFrom?: string) => {
  const { policy } = await inForce();
  const body = { policy: { ...policy, ...changes }, ...(effectiveFrom && { effectiveFrom }) };
  return shop.try('POST', '/api/policy/versions', body, asAda);
};

const weekly = { name: 'weekly', days: 7 };

test('POL-1: a policy is published with a version, an author and the instant at which it takes effect', async () => {
  const before = await inForce();
  const from = addDays(shop.now(), 1);
  const published = await publish({ returnWindowDays: 9 }, from);
  expect(published).toMatchObject({ status: 201, body: { events: ['PolicyPublished'] } });
  const next = {
    version: before.version + 1,
    author: 'staff:ada',
    effectiveFrom: from,
    policy: { ...before.policy, returnWindowDays: 9 },
  };
  expect((await versions()).at(-1)).toEqual(next);
  await shop.wait({ days: 1, seconds: -0.001 });
  expect(await inForce()).toEqual(before);
  await shop.wait({ seconds: 0.001 });
  expect(await inForce()).toEqual(next);
});

test('POL-1: a policy scheduled for later takes effect then, even if an earlier one was published afterwards', async () => {
  const [tomorrow, nextWeek] = [addDays(shop.now(), 1), addDays(shop.now(), 7)];
  await publish({ returnWindowDays: 12 }, nextWeek);
  await publish({ returnWindowDays: 11 }, tomorrow);
  const days = async () => (await inForce()).policy.returnWindowDays;
  await shop.wait({ days: 1 });
  expect(await days()).toBe(11);
  await shop.wait({ days: 6 });
  expect(await days()).toBe(12);
});

test('POL-1: a policy is never changed or removed; a later policy leaves it unchanged', async () => {
  const before = await versions();
  await publish({ verificationDays: 8 });
  expect((await versions()).slice(0, before.length)).toEqual(before);
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    for (const path of ['/api/policy', '/api/policy/versions', '/api/policy/versions/1'])
      expect((await shop.try(method, path)).status).toBe(404);
});

test('POL-1: only staff publish a policy; a customer is refused', async () => {
  const before = await versions();
  const { policy } = await inForce();
  const asCustomer = { 'leadger-actor': `customer:${await shop.customer()}`, 'leadger-reason': 'please' };
  expect(await shop.try('POST', '/api/policy/versions', { policy }, asCustomer)).toMatchObject({
    status: 403,
    body: { code: 'staff-only', rule: 'POL-1' },
  });
  expect(await versions()).toEqual(before);
});

test('POL-1: a policy for a past instant is refused, even by a millisecond; one for the current instant is accepted', async () => {
  const before = await versions();
  expect(await publish({ verificationDays: 9 }, addSeconds(shop.now(), -0.001))).toMatchObject({
    status: 409,
    body: { code: 'policy-in-the-past', rule: 'POL-1', errors: [{ field: 'effectiveFrom' }] },
  });
  expect(await versions()).toEqual(before);
  expect((await publish({ verificationDays: 9 }, shop.now())).status).toBe(201);
  expect((await inForce()).policy.verificationDays).toBe(9);
});

test('POL-1: two policies published at the same time are two versions', async () => {
  const before = await versions();
  await Promise.all([publish({ verificationDays: 10 }), publish({ verificationDays: 11 })]);
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
