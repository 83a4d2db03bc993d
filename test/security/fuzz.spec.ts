import fc from 'fast-check';
import { addSeconds } from '#domain/kernel/instants';
import { exampleIds } from '#read-models/models/examples';
import { bearer, endTrial, PASSWORD, signInto } from '#test/acceptance/staff';
import { type Json, type Operation, readDocument } from '#test/e2e/api-document';
import { ExampleCalls } from '#test/e2e/example-calls';
import { type Server, startServer } from '#test/e2e/server';
import { countersInMemory } from '#wiring/attempt-counters';
import { HostileValues, ODD_TEXTS } from './hostile-values.ts';

/*
 * Requests that are made of the document of the API: each is answered as the document says, and none makes the program fail.
 * `LEADGER_FUZZ_CASES=2000 LEADGER_FUZZ_SEED=7 npm run test:security -- fuzz -t "orders"` is one group, longer; the seed of a run is in its
 * output.
 */
const CASES = Number(process.env.LEADGER_FUZZ_CASES ?? 60);
const SEED = Number(process.env.LEADGER_FUZZ_SEED ?? 20_260_302);
/** Milliseconds. Thousands of requests, on a busy machine. */
const FAR_AWAY = 3_600_000;

/** The first account ends the trial, in which all routes are tried; a feed never ends. */
const NOT_CALLED = ['addFirstAdministrator', 'followFeed'];

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
let calls: ExampleCalls;
let values: HostileValues;
const slowest: [milliseconds: number, request: string][] = [];
let tried = 0;

/** What there must be, so that requests are about something. */
const setting = [
  ...['openStore', 'setStatementDescriptor', 'defineLeadType', 'setPrice', 'registerCustomer', 'defineCoupon'],
  ...['placeOrder', 'receiveLead', 'requestReplacement', 'openTicket', 'startCheckout', 'quoteCheckout', 'giveBack'],
  'issueApiKey',
];

/** Throttles that forget at once: they have tests of their own, and would answer most requests here. */
const forgetful = () => {
  const counters = countersInMemory();
  return { ...counters, of: (limit: Parameters<typeof counters.of>[0]) => counters.of({ ...limit, seconds: 0.001 }) };
};

beforeAll(async () => {
  server = await startServer({ start: '2026-03-01T09:30:00.000Z', http: { attempts: forgetful() } });
  api = await readDocument(server);
  calls = new ExampleCalls(server, api);
  for (const id of setting) await calls.call(id);
  values = new HostileValues(api.document, knownAs);
}, FAR_AWAY);
afterAll(async () => {
  console.log(`${tried} requests, seed ${SEED}; the slowest took ${JSON.stringify(slowest.slice(0, 5))}`);
  await server.stop();
});

/** A trial has no staff and no sessions. What is tried with them, an administrator asks for, who signs in again when a session ended. */
const AFTER_THE_TRIAL = ['api-keys', 'sign-in', 'staff'];
let asking: Record<string, string> = {};
let memberId = exampleIds.memberId as string;
/** Of the administrator. One of the requests may change it. */
let password = PASSWORD;

async function withStaff(): Promise<void> {
  ({ headers: asking } = await endTrial(server, 'grace@example.com'));
  const member = { email: 'sam@example.com', roles: ['support'], stores: 'all' };
  ({ memberId } = (await server.call('POST', '/api/staff-members', member, asking)).body);
}

/** A code of an authenticator counts once, so that time must pass. */
async function signInAgain(): Promise<Record<string, string>> {
  await server.clock.moveTo(addSeconds(server.clock.now(), 60));
  return bearer(await signInto(server, 'grace@example.com', password));
}

const rightAddressOf = (operation: Operation): string =>
  calls.addressOf(operation).replaceAll(exampleIds.memberId, memberId);

/** Ids that the server gave, by the names of fields and parameters. */
const knownAs = (name: string): string[] => {
  const operation = api.operations.find(({ path }) => path.endsWith(`{${name}}`));
  return operation ? [decodeURIComponent(rightAddressOf(operation).split('/').at(-1) as string)] : [];
};

interface Case {
  readonly address: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

const parametersOf = ({ operation }: Operation, where: string): Json[] =>
  (operation.parameters ?? []).filter((one: Json) => one.in === where);

const encoded = (text: unknown): string => encodeURIComponent(String(text).toWellFormed());

/** Mostly the right address. */
function addressOf(operation: Operation): fc.Arbitrary<string> {
  const right = rightAddressOf(operation);
  const parameters = parametersOf(operation, 'path');
  const strange = parameters.map(({ name, schema }) =>
    values.of(schema, name).map((value) => `{${name}} ${encoded(value) || 'x'}`),
  );
  if (strange.length === 0) return fc.constant(right);
  const other = fc.tuple(...strange).map((filled) =>
    filled.reduce((path, one) => {
      const [name = '', value = ''] = one.split(' ');
      return path.replace(name, value.slice(0, 400).replace(/%.?$/, ''));
    }, operation.path),
  );
  return fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: other });
}

/** Some parameters of the query, and now and then one that the route does not know. */
function queryOf(operation: Operation): fc.Arbitrary<string> {
  const one = ({ name, schema }: Json) => values.of(schema, name).map((value) => `${encoded(name)}=${encoded(value)}`);
  const known = parametersOf(operation, 'query').filter(({ required }) => required !== true);
  const needed = parametersOf(operation, 'query').filter(({ required }) => required === true);
  const unknown = fc.constantFrom(...ODD_TEXTS).map((name) => `${encoded(name).slice(0, 90)}=1`);
  const some = known.length === 0 ? fc.constant<string[]>([]) : fc.array(fc.oneof(...known.map(one)), { maxLength: 3 });
  return fc
    .tuple(fc.tuple(...needed.map(one)), some, fc.option(unknown, { freq: 9, nil: '' }))
    .map(([always, more, strange]) => [...always, ...more, strange].filter((part) => part !== '').join('&'));
}

const LATIN = /[^\x20-\x7e]/g;
function headersOf(operation: Operation): fc.Arbitrary<Record<string, string>> {
  const named = parametersOf(operation, 'header').filter(({ name }) => name !== 'Leadger-Actor');
  const right = { 'leadger-reason': 'asked by telephone' };
  const arbitraries = named.map(({ name, schema }) => [
    name.toLowerCase(),
    values.of(schema, name).map((value) => String(value).replace(LATIN, '?').trim().slice(0, 500)),
  ]);
  const some = fc.record(Object.fromEntries(arbitraries), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
  return fc
    .oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: some })
    .map((strange) => ({ ...right, ...strange }));
}

/** JSON of its schema, or a file of lines. */
function bodyOf(operation: Operation): fc.Arbitrary<{ type?: string; text?: string }> {
  const contents = Object.entries<Json>(operation.operation.requestBody?.content ?? {});
  if (contents.length === 0)
    return fc.constantFrom({}, ...(operation.method === 'GET' ? [] : [{ type: 'application/json', text: '{}' }]));
  return fc.oneof(
    ...contents.map(([type, { schema, example }]) =>
      type === 'application/json'
        ? values.body(schema, calls.bodyOf(operation)).map((body) => ({ type, text: JSON.stringify(body) }))
        : linesOf(String(example)).map((text) => ({ type, text })),
    ),
  );
}

const linesOf = (example: string): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...example.split('\n')), fc.constantFrom(...ODD_TEXTS), fc.json()), {
      maxLength: 12,
    })
    .map((lines) => lines.join('\n').toWellFormed());

const casesOf = (operation: Operation): fc.Arbitrary<Case> =>
  fc
    .tuple(addressOf(operation), queryOf(operation), headersOf(operation), bodyOf(operation))
    .map(([path, query, headers, { type, text }]) => ({
      address: query === '' ? path : `${path}?${query}`,
      headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
      ...(text !== undefined && { body: text }),
    }));

/** @returns what is wrong with the answer */
async function faultsOf(operation: Operation, { address, headers, body }: Case): Promise<string[]> {
  const since = performance.now();
  const init = { method: operation.method, headers: { ...headers, ...asking }, ...(body !== undefined && { body }) };
  const reply = await fetch(server.url + address, init);
  const text = await reply.text();
  if (text.includes('"token-ended"')) asking = await signInAgain();
  note(performance.now() - since, `${operation.method} ${address.slice(0, 100)}`);
  const { status } = reply;
  if (operation.id === 'changeStaffPassword' && status === 200) ({ password } = JSON.parse(body ?? ''));
  if (status >= 500) return [`was answered ${status}: ${text.slice(0, 300)}`];
  const type = (reply.headers.get('content-type') ?? '').split(';')[0] as string;
  const documented = operation.operation.responses[status];
  if (!documented)
    return BEFORE_ANY_ROUTE.test(text)
      ? []
      : [`was answered ${status}, which the document does not name: ${text.slice(0, 300)}`];
  const content = documented.content?.[type];
  if (!content) return [`was answered ${status} as ${type}, which the document does not name`];
  if (!/json$/.test(type)) return [];
  const faults = api.faultsOf(content.schema, JSON.parse(text));
  return faults.filter((fault) => !isLeftOut(fault, address)).map((fault) => `${status}: ${fault}`);
}

/** Where `fields` names some, the items of a list have no others. */
function isLeftOut(fault: string, address: string): boolean {
  const fields = new URL(address, server.url).searchParams.get('fields')?.split(',');
  const [, missing] = /^\/items\/\d+ must have required property '(\w+)'/.exec(fault) ?? [];
  return fields !== undefined && missing !== undefined && !fields.includes(missing);
}

/** Of what is no request of any route: the document names them once for all. */
const BEFORE_ANY_ROUTE =
  /"code":"(malformed-request|no-such-route|address-too-long|body-too-large|headers-too-large|unsupported-media-type)"/;

function note(milliseconds: number, request: string): void {
  tried += 1;
  slowest.push([Math.round(milliseconds), request]);
  slowest.sort(([one], [other]) => other - one).splice(20);
}

/** @returns each kind of fault once, with the first request that shows it */
async function fuzz(operation: Operation, numRuns: number): Promise<string[]> {
  const found = new Map<string, string>();
  for (const request of fc.sample(casesOf(operation), { numRuns, seed: SEED }))
    for (const fault of await faultsOf(operation, request)) {
      const kind = fault.replace(/".*"/s, '');
      if (!found.has(kind)) found.set(kind, `${operation.id} ${fault}\n  ${JSON.stringify(request).slice(0, 1500)}`);
    }
  return [...found.values()];
}

const GROUPS = [
  ...[
    'attention',
    'business-merges',
    'catalogue',
    'checkout',
    'coupons',
    'customers',
    'delivered leads',
    'leads',
    'mails',
  ],
  ...['operations', 'orders', 'persons', 'policy', 'programmes', 'receipts', 'refunds', 'replacements', 'support'],
  ...['suppressions', 'webhooks', ...AFTER_THE_TRIAL],
];

const groupsOf = () =>
  Map.groupBy(
    api.operations.filter(({ id }) => !NOT_CALLED.includes(id)),
    ({ operation }) => operation.tags[0] as string,
  );

test('the groups are those of the document', () => {
  expect([...groupsOf().keys()].toSorted()).toEqual(GROUPS.toSorted());
});

test.each(GROUPS)(
  '%s: what is sent there is answered as the document says',
  async (group) => {
    if (group === AFTER_THE_TRIAL[0]) await withStaff();
    const operations = groupsOf().get(group) ?? [];
    const faults: string[] = [];
    for (const operation of operations) faults.push(...(await fuzz(operation, Math.ceil(CASES / operations.length))));
    await server.settle();
    expect(faults).toEqual([]);
  },
  FAR_AWAY,
);

test(
  'nothing failed unexpectedly meanwhile, and nothing is parked',
  async () => {
    expect(server.errors).toEqual([]);
    const { readModels } = (await server.call('GET', '/health')).body;
    expect(readModels.filter(({ parked }: Json) => parked > 0)).toEqual([]);
    asking = await signInAgain();
    expect((await server.call('GET', '/api/processes/parked', undefined, asking)).body.items).toEqual([]);
  },
  FAR_AWAY,
);
