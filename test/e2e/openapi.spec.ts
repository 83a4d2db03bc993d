import { z } from 'zod';
import { type Server, startServer } from './server.ts';

// biome-ignore lint/suspicious/noExplicitAny: the document is read as any client reads it
type Json = any;

let server: Server;
let document: Json;
beforeAll(async () => {
  server = await startServer();
  document = (await server.call('GET', '/api/openapi.json')).body;
});
afterAll(() => server.stop());

const operations = (): { name: string; path: string; method: string; operation: Json }[] =>
  Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );

/** The schema with every reference replaced by what it refers to. */
const resolved = (schema: Json): Json => {
  if (Array.isArray(schema)) return schema.map(resolved);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.$ref) return resolved(document.components.schemas[schema.$ref.split('/').at(-1)]);
  return Object.fromEntries(Object.entries(schema).map(([key, member]) => [key, resolved(member)]));
};

const faultsOf = (schema: Json, example: Json): string[] =>
  (z.fromJSONSchema(resolved(schema), { defaultTarget: 'openapi-3.0' }).safeParse(example).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

/** A body made of the examples of its fields. */
const exampleBody = (schema: Json): Json =>
  Object.fromEntries(
    Object.entries<Json>(resolved(schema).properties)
      .filter(([, field]) => field.example !== undefined)
      .map(([name, field]) => [name, field.example]),
  );

test('it names every route that there is', () => {
  expect(operations().map(({ name }) => name)).toMatchInlineSnapshot(`
[
  "GET /api/stores",
  "POST /api/stores",
  "PUT /api/statement-descriptor",
  "GET /api/lead-types",
  "POST /api/lead-types",
  "GET /api/prices",
  "POST /api/prices",
  "GET /api/policy",
  "GET /api/policy/versions",
  "POST /api/policy/versions",
  "POST /api/checkouts",
  "GET /api/checkouts/{checkoutId}",
  "POST /api/checkouts/{checkoutId}/coupon",
  "POST /api/checkouts/{checkoutId}/place",
  "POST /api/coupons",
  "GET /api/coupons",
  "POST /api/coupons/alternatives",
  "POST /api/customers",
  "GET /api/customers",
  "GET /api/customers/{customerId}",
  "PUT /api/customers/{customerId}/business-association",
  "PUT /api/customers/{customerId}/time-zone",
  "PUT /api/customers/{customerId}/name",
  "PUT /api/customers/{customerId}/postal-address",
  "PUT /api/customers/{customerId}/email",
  "POST /api/customers/{customerId}/email/confirmation",
  "PUT /api/customers/{customerId}/password",
  "PUT /api/customers/{customerId}/mail-preferences",
  "GET /api/customers/{customerId}/lead-delivery",
  "PUT /api/customers/{customerId}/lead-delivery",
  "GET /api/customers/{customerId}/leads",
  "GET /api/customers/{customerId}/leads/{leadId}",
  "GET /api/customers/{customerId}/leads.csv",
  "PUT /api/customers/{customerId}/leads/{leadId}/rating",
  "POST /api/orders",
  "GET /api/orders",
  "GET /api/orders/{orderId}",
  "POST /api/orders/{orderId}/pause",
  "POST /api/orders/{orderId}/restart",
  "POST /api/orders/{orderId}/cancel",
  "POST /api/orders/{orderId}/daily-maximum",
  "POST /api/orders/{orderId}/payment-card",
  "GET /api/orders/{orderId}/history",
  "GET /api/attention",
  "GET /api/feed",
  "GET /api/programmes",
  "GET /api/programmes/{orderId}",
  "POST /api/programmes/{orderId}/hold",
  "POST /api/programmes/{orderId}/activate",
  "POST /api/programmes/{orderId}/cancel",
  "GET /api/programmes/{orderId}/history",
  "POST /api/leads",
  "POST /api/leads/batches",
  "GET /api/leads/{leadId}",
  "GET /api/stock",
  "GET /api/leads/{leadId}/history",
  "GET /api/replacements",
  "POST /api/replacements",
  "GET /api/replacements/{replacementId}",
  "GET /api/replacements/{replacementId}/history",
  "POST /api/replacements/{replacementId}/grant",
  "POST /api/replacements/{replacementId}/deny",
  "GET /api/mails",
  "GET /api/mails/{mailId}",
  "GET /api/mails/{mailId}/copy",
  "GET /api/webhooks",
  "GET /api/webhooks/{webhookId}",
  "POST /api/webhooks/{webhookId}/replay",
  "GET /api/tickets",
  "POST /api/tickets",
  "GET /api/tickets/{ticketId}",
  "POST /api/tickets/{ticketId}/answer",
  "POST /api/tickets/{ticketId}/messages",
  "POST /api/tickets/{ticketId}/close",
  "GET /api/tickets/{ticketId}/history",
  "GET /api/customers/{customerId}/whole-history",
  "GET /api/processes/parked",
  "POST /api/processes/parked/{id}/retry",
  "GET /api/read-models",
  "POST /api/read-models/{name}/pause",
  "POST /api/read-models/{name}/resume",
  "POST /api/read-models/{name}/retry",
  "POST /api/read-models/{name}/rebuild",
  "POST /api/read-models/{name}/rebuild/cancel",
  "POST /api/sign-ins",
  "POST /api/password-recoveries",
  "POST /api/password-recoveries/completions",
  "GET /health",
  "GET /metrics",
]
`);
});

test('every operation has a summary, an answer with an example, and a problem for each way to fail', () => {
  const incomplete = operations().flatMap(({ name, operation }) => {
    const good = Object.entries<Json>(operation.responses).filter(([status]) => status.startsWith('2'));
    const hasExample = good.some(([, { content }]) =>
      Object.values<Json>(content ?? {}).some(({ example }) => example),
    );
    return operation.summary && operation.tags?.length && hasExample ? [] : [name];
  });
  expect(incomplete).toEqual([]);
});

test('every example is what its schema says', () => {
  const faults = operations().flatMap(({ name, operation }) =>
    Object.entries<Json>(operation.responses).flatMap(([status, { content }]) =>
      Object.values<Json>(content ?? {}).flatMap(({ schema, example }) =>
        faultsOf(schema, example).map((fault) => `${name} ${status} ${fault}`),
      ),
    ),
  );
  expect(faults).toEqual([]);
});

test('a schema finds fault with an example that it does not describe', () => {
  const { schema } = document.paths['/api/customers/{customerId}'].get.responses[200].content['application/json'];
  expect(faultsOf(schema, { customerId: 7 })).not.toEqual([]);
});

test('every field of every body has a description, and an example where it must be there', () => {
  const bare = Object.entries<Json>(document.components.schemas)
    .filter(([name]) => name.endsWith('Body'))
    .flatMap(([name, { properties, required = [] }]) =>
      Object.entries<Json>(properties)
        .filter(
          ([field, { description, example }]) => !description || (required.includes(field) && example === undefined),
        )
        .map(([field]) => `${name}.${field}`),
    );
  expect(bare).toEqual([]);
});

test('every body made of the examples is well-formed: at most a rule says no', async () => {
  const refused: string[] = [];
  for (const { name, method, path, operation } of operations()) {
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (!schema) continue;
    const body = exampleBody(schema);
    expect(faultsOf(schema, body)).toEqual([]);
    const { status, body: answer } = await server.call(method, path.replaceAll(/{\w+}/g, 'some'), body, {
      'leadger-reason': 'it is tried',
    });
    if (![200, 201, 202, 404, 409].includes(status)) refused.push(`${name}: ${status} ${answer.detail}`);
  }
  expect(refused).toEqual([]);
});

test('the page and all that it needs come from this server', async () => {
  const page = await server.call('GET', '/api/docs');
  expect(page.headers.get('content-type')).toMatch('text/html');
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
  expect(links).toHaveLength(4);
  for (const link of links) {
    const { status, text } = await server.call('GET', link);
    expect({ link, status, empty: text === '' }).toEqual({ link, status: 200, empty: false });
  }
});

test('rows of read models are named schemas, and each of their fields is described', () => {
  const names = [
    'Attention',
    'Customer',
    'DeliveredLead',
    'Lead',
    'LeadTypeStock',
    'Mail',
    'Order',
    'OrderWithProgress',
  ];
  const more = ['Programme', 'ProgrammeWithRenewals', 'Renewal', 'Replacement', 'Ticket', 'Webhook'];
  const { schemas } = document.components;
  for (const name of [...names, ...more]) {
    const fields = Object.entries<Json>(schemas[name]?.properties ?? {});
    expect([name, fields.length > 0]).toEqual([name, true]);
    expect(fields.filter(([, field]) => !field.description).map(([field]) => `${name}.${field}`)).toEqual([]);
  }
});
