import { type Server, startServer } from './server.ts';

let server: Server;
let customerId: string;
let orderId: string;
beforeAll(async () => {
  server = await startServer();
  const customer = { storeId: 'main', businessAssociation: 'Asks often', timeZone: 'America/New_York' };
  customerId = (await server.call('POST', '/api/customers', customer)).body.customerId;
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 4, paymentToken: 'tok_ok' };
  orderId = (await server.call('POST', '/api/orders', order)).body.orderId;
  await server.settle();
});
afterAll(() => server.stop());

const read = async (path: string, headers: Record<string, string> = {}) => {
  const position = await server.position();
  return server.call('GET', `${path}?waitFor=${position}`, undefined, headers);
};
const paths = (): [string, string][] => [
  ['a row', `/api/orders/${orderId}`],
  ['a list', '/api/orders'],
  ['the state of a stream', `/api/customers/${customerId}/lead-delivery`],
];

test('a client that already has the answer gets 304 without a body, until the answer changes', async () => {
  for (const [what, path] of paths()) {
    const first = await read(path);
    const etag = first.headers.get('etag') as string;
    const same = await read(path, { 'if-none-match': `"older", W/${etag}` });
    expect([what, same.status, same.text, same.headers.get('etag')]).toEqual([what, 304, '', etag]);
    expect((await read(path, { 'if-none-match': '*' })).status).toBe(304);
    expect((await read(path, { 'if-none-match': '"older"' })).text).toBe(first.text);
  }
});

test('a list, or a row with a forecast, keeps its ETag while time passes, and has a new one when it changes', async () => {
  const lead = { leadTypeId: 'exclusive-fresh', source: 'page', contact: { telephone: '+1 212 555 0181' } };
  await server.call('POST', '/api/leads', lead);
  await server.settle();
  const before = await Promise.all([`/api/orders/${orderId}`, '/api/orders'].map((path) => read(path)));
  await server.clock.moveTo('2026-03-03T15:00:00.000Z');
  expect(before[0]?.body.expectedFilledAt).not.toBeNull();
  const [row, list] = before.map(({ headers }) => headers.get('etag') as string) as [string, string];
  expect((await read(`/api/orders/${orderId}`, { 'if-none-match': row })).status).toBe(304);
  expect((await read('/api/orders', { 'if-none-match': list })).status).toBe(304);
  const changed = await server.call('POST', `/api/orders/${orderId}/pause`, {}, { 'if-match': row });
  expect(changed.status).toBe(200);
  expect((await read(`/api/orders/${orderId}`, { 'if-none-match': row })).status).toBe(200);
  expect((await read('/api/orders', { 'if-none-match': list })).status).toBe(200);
  const late = await server.call('POST', `/api/orders/${orderId}/restart`, {}, { 'if-match': row });
  expect(late).toMatchObject({ status: 412, body: { code: 'revision-mismatch' } });
});

test('a missing resource is never answered with 304', async () => {
  expect((await server.call('GET', '/api/orders/none', undefined, { 'if-none-match': '*' })).status).toBe(404);
});

test('a row has the revision of its stream, also after a change that it does not show', async () => {
  const page = `/api/customers/${customerId}`;
  const actor = { 'leadger-actor': `customer:${customerId}` };
  const chosen = await server.call('PUT', `${page}/lead-delivery`, { mails: 'each' }, actor);
  expect(chosen.status).toBe(200);
  const row = await read(page);
  expect(row.body.revision).toBe(chosen.body.revision);
  const etag = row.headers.get('etag') as string;
  const change = { timeZone: 'America/Denver' };
  expect(await server.call('PUT', `${page}/time-zone`, change, { ...actor, 'if-match': etag })).toMatchObject({
    status: 200,
  });
});
