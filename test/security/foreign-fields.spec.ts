import { request } from 'node:http';
import type { EventStore } from '#event-store/port';
import { type Json, type Operation, readDocument } from '#test/e2e/api-document';
import { ExampleCalls } from '#test/e2e/example-calls';
import { type Server, startServer } from '#test/e2e/server';
import { EVENT_STORE } from '#wiring/tokens';

/*
 * Fields that no form has: what decides about rights, owners and money, and names by which JavaScript reaches its prototypes. Each body of the
 * document is tried with them, in each of its objects, by whoever may do everything: so only the check of fields can refuse it.
 */

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
let calls: ExampleCalls;
beforeAll(async () => {
  server = await startServer({ start: '2026-03-01T09:30:00.000Z' });
  api = await readDocument(server);
  calls = new ExampleCalls(server, api);
  const setting = ['openStore', 'setStatementDescriptor', 'defineLeadType', 'setPrice', 'registerCustomer'];
  for (const id of setting) await calls.call(id);
});
afterAll(() => server.stop());
afterEach(() => {
  expect(server.errors.splice(0)).toEqual([]);
  for (const object of [{}, JSON.parse('{}'), structuredClone({}), Object.create(Object.prototype)] as Json[])
    expect(object.polluted).toBeUndefined();
});

const NOT_TAKEN: Json = {
  ...{ roles: ['administrator'], role: 'administrator', stores: 'all', storeId: 'main', isAdmin: true, admin: true },
  ...{ customerId: 'nobody', memberId: 'nobody', actor: 'staff:local', caller: { kind: 'process' }, kind: 'process' },
  ...{ status: 'open', emailProved: true, verifier: {}, authenticated: 'session', pricePerLeadCents: 1, totalCents: 1 },
  ...{ paidAt: '2026-03-01T09:30:00.000Z', at: '2026-03-01T09:30:00.000Z', commandId: 'x', position: '1', revision: 0 },
};

const resolved = (schema: Json): Json => {
  const { allOf = [], ...own } = schema.$ref ? api.document.components.schemas[schema.$ref.split('/').at(-1)] : schema;
  return Object.assign({}, ...allOf.map(resolved), own);
};

interface Place {
  readonly path: readonly string[];
  readonly schema: Json;
}

/** The objects in an example that have fields of their own. Records take any name. */
function objectsIn(value: Json, schema: Json, path: readonly string[] = []): Place[] {
  const { properties, additionalProperties, items, anyOf = [] } = resolved(schema);
  if (Array.isArray(value))
    return items ? value.slice(0, 1).flatMap((one) => objectsIn(one, items, [...path, '0'])) : [];
  if (typeof value !== 'object' || value === null) return [];
  const fits = anyOf.find((one: Json) => Object.keys(value).every((name) => name in (resolved(one).properties ?? {})));
  if (fits) return objectsIn(value, fits, path);
  const own = properties && !additionalProperties ? [{ path, schema: { properties } }] : [];
  const below = Object.entries<Json>(properties ?? {}).flatMap(([name, member]) =>
    objectsIn(value[name], member, [...path, name]),
  );
  return [...own, ...below];
}

function changedAt(body: Json, [name, ...below]: readonly string[], change: (object: Json) => Json): Json {
  if (name === undefined) return change(body);
  const copy = Array.isArray(body) ? [...body] : { ...body };
  copy[name] = changedAt(body[name], below, change);
  return copy;
}

interface Form {
  readonly operation: Operation;
  readonly body: Json;
  readonly places: readonly Place[];
}

const forms = (): Form[] =>
  api.operations.flatMap((operation) => {
    const schema = operation.operation.requestBody?.content?.['application/json']?.schema;
    // There is no form before a key has one.
    if (!schema || operation.id === 'sendLeadForm') return [];
    const body = calls.bodyOf(operation);
    return [{ operation, body, places: objectsIn(body, schema) }];
  });

const head = () => server.application.get<EventStore>(EVENT_STORE).head();
const send = (operation: Operation, text: string) =>
  server.call(operation.method, calls.addressOf(operation), text, {
    'content-type': 'application/json',
    'leadger-reason': 'a test',
  });

test('a field that a form does not have is refused by its name, in each object of each body, and nothing is stored', async () => {
  const before = await head();
  const faults: string[] = [];
  let tried = 0;
  for (const { operation, body, places } of forms())
    for (const { path, schema } of places) {
      const extra = Object.entries(NOT_TAKEN).filter(([name]) => !(name in schema.properties));
      const hostile = changedAt(body, path, (object) => ({ ...object, ...Object.fromEntries(extra) }));
      const { status, body: problem } = await send(operation, JSON.stringify(hostile));
      tried += extra.length;
      const named = new Set(problem.errors?.map(({ field }: { field: string }) => field.split('.').at(-1)));
      const missed = extra.map(([name]) => name).filter((name) => !named.has(name));
      if (status !== 400 || missed.length > 0)
        faults.push(`${operation.id} at [${path}]: ${status} ${problem.detail?.slice(0, 200)}, not named: ${missed}`);
    }
  console.log(`${tried} foreign fields in ${forms().length} bodies`);
  expect(faults).toEqual([]);
  expect(tried).toBeGreaterThan(1000);
  expect(await head()).toBe(before);
});

/** Members by which a merge or a path would reach `Object.prototype`: as JSON, since a literal would set a prototype. */
const POLLUTION = [
  '"__proto__":{"polluted":true}',
  '"__pr\\u006fto__":{"polluted":true}',
  '"constructor":{"prototype":{"polluted":true}}',
  '"prototype":{"polluted":true}',
];

test('a member that reaches a prototype is refused, in each object of each body', async () => {
  const before = await head();
  const faults: string[] = [];
  for (const { operation, body, places } of forms())
    for (const { path } of places)
      for (const member of POLLUTION) {
        const marked = JSON.stringify(changedAt(body, path, (object) => ({ ...object, '{mark}': 0 })));
        const { status, text } = await send(operation, marked.replace('"{mark}":0', member));
        if (status !== 400) faults.push(`${operation.id} at [${path}] with ${member}: ${status} ${text.slice(0, 200)}`);
      }
  expect(faults).toEqual([]);
  expect(await head()).toBe(before);
});

test('neither a query nor an id that reaches a prototype is known anywhere', async () => {
  const faults: string[] = [];
  for (const operation of api.operations.filter(({ id, method }) => method === 'GET' && id !== 'followFeed')) {
    const reads = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].filter(() => operation.path.includes('{'));
    const queries = [
      '__proto__=1',
      '__proto__[polluted]=1',
      '__proto__.polluted=1',
      'constructor[prototype][polluted]=1',
    ];
    const addresses = [
      ...reads.map((id) => operation.path.replaceAll(/\{\w+\}/g, id)),
      ...queries.map((query) => `${calls.addressOf(operation)}?${query}`),
    ];
    const takesQuery = operation.operation.parameters?.some((one: Json) => one.in === 'query');
    for (const address of addresses) {
      const { status } = await server.call('GET', address, undefined, { 'leadger-reason': 'a test' });
      if (status >= 500) faults.push(`${address}: ${status}`);
      if (address.includes('?') && takesQuery && status !== 400)
        faults.push(`${address}: ${status}, but it is unknown`);
      if (!address.includes('?') && status < 300 && !EMPTY_FOR_NOBODY.has(operation.id))
        faults.push(`${address}: ${status}`);
    }
  }
  expect(faults).toEqual([]);
});

/** Lists about something say that there is nothing. */
const EMPTY_FOR_NOBODY: ReadonlySet<string> = new Set<string>([]);

test('headers and cookies with such names change nothing', async () => {
  const names = ['__proto__', 'constructor', 'prototype', '__defineGetter__', 'toString'];
  const ask = (headers: string[]) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { host, port } = new URL(server.url);
      const sent = request({
        host: '127.0.0.1',
        port,
        path: '/api/orders',
        headers: ['Host', host, ...headers] as never,
      });
      sent.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject);
      sent.end();
    });
  for (const name of names) {
    expect(await ask([name, '{"polluted":true}'])).toBe(200);
    expect(await ask(['Cookie', `${name}=polluted; __Host-leadger-session=${name}`])).toBe(200);
    expect(await ask(['Leadger-Actor', name])).toBe(400);
    expect(await ask(['Authorization', `Bearer ${name}`])).toBe(401);
  }
});

test('lines of files with such names are no columns and no fields of a lead', async () => {
  const file = (path: string, type: string, text: string) => server.call('POST', path, text, { 'content-type': type });
  const leads = '/api/leads/batches?leadTypeId=shared-fresh&source=fair-2026';
  const lines = POLLUTION.map((member, index) => `{${member},"telephone":"+1 212 555 ${3000 + index}"}`).join('\n');
  const csv = ['__proto__', 'constructor', 'prototype', 'toString', 'telephone'];
  const answers = [
    await file(leads, 'application/x-ndjson', lines),
    await file(leads, 'text/csv', `${csv.join(',')}\npolluted,polluted,polluted,polluted,+1 212 555 3010\n`),
    await file('/api/suppressions/batches?list=others', 'text/csv', `${csv.join(',')}\na,b,c,d,+1 212 555 3020\n`),
  ];
  for (const { status } of answers) expect(status).toBeLessThan(500);
  await server.settle();
  const rows = await server.call('GET', `/api/stock?waitFor=${await server.position()}`);
  expect(rows.status).toBe(200);
});
