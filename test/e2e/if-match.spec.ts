import { mailing, tokenInMail } from '#test/mail-copies';
import { exampleBody, type Json, type Operation, ownRead, readDocument, takesIfMatch } from './api-document.ts';
import { type Server, startServer } from './server.ts';

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
/** Parameter of a path → the id of something that exists. */
const ids: Record<string, string> = {};
beforeAll(async () => {
  server = await startServer();
  api = await readDocument(server);
  const customer = { storeId: 'main', businessAssociation: 'Looks first', timeZone: 'America/New_York' };
  ids.customerId = await created('/api/customers', 'customerId', { ...customer, email: 'ada@example.com' });
  const webhook = { mails: 'each', webhookUrl: 'http://127.0.0.1:9/leads' };
  await changed(`/api/customers/${ids.customerId}/lead-delivery`, webhook);
  const selection = { customerId: ids.customerId, leadTypeId: 'exclusive-fresh', quantity: 4 };
  const loyalty = { cadence: 'weekly' };
  ids.orderId = await created('/api/orders', 'orderId', { ...selection, loyalty, paymentToken: 'tok_ok' });
  await server.settle();
  const lead = { leadTypeId: 'exclusive-fresh', source: 'page', contact: { telephone: '+1 212 555 0181' } };
  ids.leadId = await created('/api/leads', 'leadId', lead);
  await server.settle();
  ids.checkoutId = await created('/api/checkouts', 'checkoutId', selection);
  const bad = { orderId: ids.orderId, leadId: ids.leadId, reason: 'wrong number' };
  ids.replacementId = await created('/api/replacements', 'replacementId', bad);
  const question = { customerId: ids.customerId, subject: 'Leads', message: 'Where are they?' };
  ids.ticketId = await created('/api/tickets', 'ticketId', question);
  Object.assign(ids, { storeId: 'main', leadTypeId: 'shared-aged' });
  await created('/api/coupons', 'couponCode', { couponCode: 'SEEN', storeIds: ['main'], discount: { percent: 5 } });
  await server.settle();
  ids.couponId = (await read('/api/coupons')).body.items[0].couponId;
  ids.refundId = await created(`/api/orders/${ids.orderId}/refunds`, 'refundId', { amountCents: 100 });
  await server.settle();
  ids.token = await linkOfAnOrder();
  ids.mailId = (await read('/api/mails')).body.items[0].mailId;
  ids.webhookId = (await read('/api/webhooks')).body.items[0].webhookId;
}, 600_000);
afterAll(() => server.stop());

const reason = { 'leadger-reason': 'a test' };

/** ACC-7: of an order without sign-in. */
async function linkOfAnOrder(): Promise<string> {
  const account = { email: 'walk.in@example.org', storeId: 'main', businessAssociation: 'Walk-in', timeZone: 'UTC' };
  const order = { leadTypeId: 'exclusive-fresh', quantity: 1, paymentToken: 'tok_ok', account };
  const orderId = await created('/api/orders', 'orderId', order);
  await server.settle();
  const { customerId } = (await read(`/api/orders/${orderId}`)).body;
  return tokenInMail(mailing(server), customerId, 'order-confirmed');
}

async function created(path: string, idName: string, body: Json): Promise<string> {
  const reply = await server.call('POST', path, body, reason);
  expect([path, reply.status, reply.text]).toEqual([path, 201, reply.text]);
  return reply.body[idName];
}

async function changed(path: string, body: Json): Promise<void> {
  const reply = await server.call('PUT', path, body, reason);
  expect([path, reply.status, reply.text]).toEqual([path, 200, reply.text]);
}

async function read(path: string) {
  const position = await server.position();
  return server.call('GET', `${path}?waitFor=${position}`);
}

const filled = (path: string): string => path.replace(/\{(\w+)\}/g, (_, name) => ids[name] as string);

test('every command accepts the ETag of the read of what it changes, and refuses an older one', async () => {
  // In a trial nobody has factors. `test/acceptance/second-factors` has these.
  const ofOthers = ({ path }: Operation) => !path.startsWith('/api/factors');
  const commands = api.operations.filter(
    (operation) => takesIfMatch(operation) && ownRead(api.operations, operation) && ofOthers(operation),
  );
  expect(commands.length).toBeGreaterThan(25);
  const wrong: unknown[] = [];
  for (const { id, method, path, operation } of commands) {
    const { path: readPath } = ownRead(api.operations, { id, method, path, operation }) as Operation;
    const etag = (await read(filled(readPath))).headers.get('etag') as string;
    const schema = operation.requestBody?.content['application/json']?.schema;
    const body = schema && exampleBody({ document: api.document, schema });
    const send = (ifMatch: string) => server.call(method, filled(path), body, { 'if-match': ifMatch, ...reason });
    const older = etag.replace(/^"\d+/, '"999');
    const replies = [await send(older), await send(etag)];
    const [stale, fresh] = replies.map(({ status }) => status);
    // A rule of the store may refuse the command: then the ETag was accepted.
    if (stale !== 412 || ![200, 201, 404, 409].includes(fresh as number))
      wrong.push({ id, readPath, etag, replies: replies.map(({ status, text }) => `${status} ${text}`) });
    await server.settle();
  }
  expect(wrong).toEqual([]);
});

test('the ETag of a list, which has no revision, is another one than that of anything that exists', async () => {
  const etag = (await read('/api/orders')).headers.get('etag') as string;
  const paused = await server.call('POST', `/api/orders/${ids.orderId}/pause`, {}, { 'if-match': etag });
  expect(paused).toMatchObject({ status: 412, body: { code: 'revision-mismatch' } });
});
