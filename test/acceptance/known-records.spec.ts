import { checkLaws } from '#audit/laws/laws';
import { addSeconds } from '#domain/kernel/instants';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { EVENT_STORE } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  const { laws } = await checkLaws(shop.server.application.get<EventStore>(EVENT_STORE), { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, broken]) => broken !== 0)).toEqual([]);
  await shop.stop();
});

interface Sent {
  readonly telephone: string;
  readonly email: string;
  readonly source: string;
  readonly capturedAt?: string;
}
interface Answer {
  readonly as: 'new' | 'known' | 'duplicate' | 'rejected';
  readonly leadId?: string;
}

let people = 0;
const person = (more: Partial<Sent> = {}): Sent => {
  people += 1;
  const telephone = `+1 213 555 ${3000 + people}`;
  return { telephone, email: `known-${people}@example.org`, source: 'form', ...more };
};
const leadTypeId = 'exclusive-fresh';

async function post({ telephone, email, ...record }: Sent, headers: Record<string, string> = {}): Promise<Answer> {
  const body = { leadTypeId, ...record, contact: { telephone, email } };
  const { leadId, known, duplicate } = await shop.ask('POST', '/api/leads', body, 201, headers);
  return { as: known ? 'known' : duplicate ? 'duplicate' : 'new', leadId };
}

async function upload(rows: string, type: string): Promise<Answer> {
  const path = `/api/leads/batches?leadTypeId=${leadTypeId}`;
  const { body } = await shop.try('POST', path, rows, { 'content-type': type });
  const { received, known, duplicates, rejected } = body;
  expect(received + known + duplicates + rejected).toBe(1);
  return { as: received ? 'new' : known ? 'known' : duplicates ? 'duplicate' : 'rejected' };
}

let keys = 0;
const routes: Readonly<Record<string, (record: Sent) => Promise<Answer>>> = {
  'the form': (record) => post(record),
  'the form with a key': (record) => {
    keys += 1;
    return post(record, { 'idempotency-key': `known-${keys}` });
  },
  CSV: ({ telephone, email, source, capturedAt = '' }) =>
    upload(`phone,email,source,captured at\n${telephone},${email},${source},${capturedAt}\n`, 'text/csv'),
  NDJSON: ({ telephone, email, ...record }) =>
    upload(JSON.stringify({ ...record, contact: { telephone, email } }), 'application/x-ndjson'),
};
const names = Object.keys(routes);
const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));
const by = (name: string) => routes[name] as (record: Sent) => Promise<Answer>;

const recordsOf = async (): Promise<number> =>
  (await shop.log()).filter(({ type }) => type === 'LeadReceived' || type === 'DuplicateReceived').length;

describe.each(pairs)('DLV-11: a record that comes by %s, and then by %s', (first, second) => {
  test('is known when it was captured at the same instant, whenever it comes', async () => {
    const record = person({ capturedAt: addSeconds(shop.now(), -86_400) });
    expect((await by(first)(record)).as).toBe('new');
    const before = await recordsOf();
    await shop.wait({ hours: 30 });
    expect((await by(second)({ ...record, telephone: record.telephone.replaceAll(' ', '') })).as).toBe('known');
    expect(await recordsOf()).toBe(before);
  });

  test('is known within an hour without a capture instant, and a duplicate after it', async () => {
    const record = person();
    expect((await by(first)(record)).as).toBe('new');
    await shop.wait({ seconds: 3600 });
    expect((await by(second)(record)).as).toBe('known');
    await shop.wait({ seconds: 1 });
    expect((await by(second)(record)).as).toBe('duplicate');
    expect((await by(first)(record)).as).toBe('known');
  });

  test('is known when it is a duplicate that was received before', async () => {
    const record = person();
    await post({ ...record, source: 'fair' });
    expect((await by(first)(record)).as).toBe('duplicate');
    const before = await recordsOf();
    expect((await by(second)(record)).as).toBe('known');
    expect(await recordsOf()).toBe(before);
  });

  test('is a duplicate when it differs', async () => {
    const record = person({ capturedAt: addSeconds(shop.now(), -60) });
    await by(first)(record);
    const others: Partial<Sent>[] = [
      { source: 'fair' },
      { capturedAt: addSeconds(shop.now(), -61) },
      { email: person().email },
    ];
    for (const other of others) expect((await by(second)({ ...record, ...other })).as).toBe('duplicate');
  });
});

test('DLV-11: of one record that comes on all routes at once, one lead is stored, and the answers name it', async () => {
  const record = person();
  const answers = await Promise.all([...names, ...names].map((name) => by(name)(record)));
  expect(answers.map(({ as }) => as).sort()).toEqual([...Array(7).fill('known'), 'new']);
  expect(new Set(answers.flatMap(({ leadId }) => (leadId === undefined ? [] : [leadId]))).size).toBe(1);
});

test('DLV-11: a request with a key gets its first answer for ever, and its key is not used for another record', async () => {
  const record = person();
  const { leadId } = await post(record);
  const key = { 'idempotency-key': 'known-for-ever' };
  expect(await post(record, key)).toEqual({ as: 'known', leadId });
  await shop.wait({ days: 2 });
  expect(await post(record, key)).toEqual({ as: 'known', leadId });
  const { telephone, email, source } = person();
  const other = { leadTypeId, source, contact: { telephone, email } };
  expect(await shop.try('POST', '/api/leads', other, key)).toMatchObject({ status: 422 });
});

test('DLV-6: a lead that was captured in the future is refused on every route, but for a tolerance of the policy', async () => {
  const captured = (seconds: number) => person({ capturedAt: addSeconds(shop.now(), seconds) });
  for (const name of names) expect((await by(name)(captured(300))).as).toBe('new');
  const { telephone, email, ...record } = captured(301);
  expect(await shop.try('POST', '/api/leads', { leadTypeId, ...record, contact: { telephone, email } })).toMatchObject({
    status: 409,
    body: { code: 'captured-in-future', errors: [{ field: 'capturedAt' }] },
  });
  expect((await by('CSV')(captured(301))).as).toBe('rejected');
  expect((await by('NDJSON')(captured(301))).as).toBe('rejected');
  await shop.publish({ changes: { captureToleranceMinutes: 60 } });
  for (const name of names) expect((await by(name)(captured(3600))).as).toBe('new');
  expect((await by('CSV')(captured(3601))).as).toBe('rejected');
});
