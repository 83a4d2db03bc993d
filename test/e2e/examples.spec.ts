import { createServer } from 'node:http';
import { addSeconds } from '#domain/kernel/instants';
import type { EventStore } from '#event-store/port';
import type { MailGateway } from '#gateways/mail';
import { exampleIds } from '#read-models/models/examples';
import { totpCode } from '#requests/totp';
import { EVENT_STORE, MAILS } from '#wiring/tokens';
import { exampleBody, type Json, neededHeaders, type Operation, readDocument } from './api-document.ts';
import { type Server, startServer } from './server.ts';

interface Step {
  /** The operation that is called with the examples of its parameters and its body. */
  readonly call: string;
  /** Replaces examples that cannot be sent twice. */
  readonly with?: Json;
  /** The content type, if the operation accepts several. Default: the first. */
  readonly contentType?: string;
  /** Additional query parameters. */
  readonly query?: Record<string, string>;
  /** The kind of mail whose link contains the token to send. */
  readonly tokenOf?: string;
  /** A code of the authenticator app that was offered last: of so many steps after now. Each counts once. */
  readonly code?: number;
  /** The id of the examples that the answer's customer has from then on. */
  readonly customerAs?: string;
}

const anotherPerson = (telephone: string) => ({ contact: { firstName: 'Grace', telephone } });

/** ACC-7: a coupon needs a sign-in. */
const withoutSignIn = {
  customerId: undefined,
  couponCode: undefined,
  expectedTotalCents: 23_750,
  account: {
    email: 'grace@example.com',
    storeId: exampleIds.storeId,
    businessAssociation: 'Hopper Travel',
    timeZone: 'UTC',
  },
};

/** Every operation of the API, from opening a store to granting a return, called with its examples. */
const story: readonly (string | Step)[] = [
  ...[
    'getHealth',
    'getLiveness',
    'getReadiness',
    'getMetrics',
    'openStore',
    'listStores',
    'setStatementDescriptor',
    'getStatementDescriptor',
  ],
  ...['defineLeadType', 'listLeadTypes', 'setPrice', 'listPrices', 'publishPolicy', 'getPolicy', 'listPolicyVersions'],

  { call: 'placeOrder', with: withoutSignIn },
  { call: 'getLinkedOrder', tokenOf: 'order-confirmed' },
  'cancelLinkedOrder',

  'registerCustomer',
  { call: 'confirmEmailChange', tokenOf: 'address-confirmation' },
  ...['listCustomers', 'getCustomer', 'signIn', 'setPassword', 'requestPasswordRecovery'],
  { call: 'completePasswordRecovery', tokenOf: 'password-recovery' },
  'requestEmailChange',
  { call: 'confirmEmailChange', tokenOf: 'address-change' },
  ...['changeName', 'changePostalAddress', 'changeBusinessAssociation', 'changeTimeZone', 'changeMailPreferences'],
  ...['chooseLeadDelivery', 'getLeadDelivery'],

  ...['defineCoupon', 'placeOrder', 'listOrders', 'getOrder', 'receiveLead', 'getLead', 'getLeadHistory'],
  ...['listDeliveredLeads', 'getDeliveredLead', 'downloadDeliveredLeads', 'rateContact'],
  ...['pauseOrder', 'restartOrder', 'changeDailyMaximum', 'changePaymentCard', 'getOrderHistory'],
  // The sandbox refuses this amount: so there is something to be retried, and settled.
  { call: 'giveBack', with: { amountCents: 662 } },
  ...['listProgrammes', 'getProgramme', 'holdProgramme', 'activateProgramme', 'getProgrammeHistory'],

  ...['requestReplacement', 'listReplacements', 'getReplacement', 'grantReplacement', 'getReplacementHistory'],
  { call: 'receiveLead', with: anotherPerson('+1 212 555 0146') },
  { call: 'requestReplacement', with: { reason: 'wrong number' } },
  'denyReplacement',

  { call: 'defineCoupon', with: { couponCode: 'SUMMER 26' } },
  'startCheckout',
  'quoteCheckout',
  { call: 'useCoupon', with: { couponCode: 'SUMMER 26' } },
  { call: 'giveAlternativeCoupon', with: { insteadOf: 'SUMMER 26' } },
  ...['listCoupons', 'useCoupon', 'getCheckout', 'placeCheckout'],
  { call: 'receiveLeadBatch', query: { leadTypeId: 'shared-fresh', source: 'fair-2026' } },
  {
    call: 'receiveLeadBatch',
    contentType: 'application/x-ndjson',
    query: { leadTypeId: 'shared-fresh', source: 'fair-2026' },
  },
  ...['listStock', 'listAttention'],
  // A ticket that is open already is taken up without an effect.
  ...['openTicket', 'takeUpLetter', 'listTickets', 'getTicket', 'answerTicket', 'addTicketMessage', 'closeTicket'],
  'getTicketHistory',
  ...['listMails', 'getMail', 'getMailCopy', 'listWebhooks', 'getWebhook', 'retryWebhook', 'listWholeHistory'],

  {
    call: 'registerCustomer',
    with: { email: 'grace@example.org', businessAssociation: 'Hopper Vitamins' },
    customerAs: exampleIds.otherCustomerId,
  },
  ...['mergeBusinesses', 'listBusinessMerges', 'takeBusinessMergeBack'],
];

/** The end of the story. An operation that no step names is called before it: a plain route needs no step of its own. */
const end: readonly (string | Step)[] = [
  ...['cancelProgramme', 'cancelOrder'],
  // Nothing waits for an approval.
  ...['exportPerson', 'erasePerson'].map((call) => ({ call, with: { approvalId: undefined } })),
  ...['listDamagedStreams'],
  ...['listParkedItems', 'listReadModels', 'pauseReadModel', 'resumeReadModel', 'retryReadModel', 'rebuildReadModel'],
  // From here on it is no trial any more.
  ...['addFirstAdministrator', { call: 'signIn', with: { token: true } }],
  ...['offerTotp', { call: 'confirmTotp', code: -1 }, { call: 'proveFactor', code: 0 }, 'issueRecoveryCodes'],
  ...['beginPasskey', 'beginPasskeyProof'],
  ...['offerTotp', { call: 'confirmTotp', code: 0 }, 'getFactors', 'removeFactor'],
  'changeStaffPassword',
  ...['addStaffMember', 'listStaffMembers', 'listSessionsOfMember', 'changeStaffRoles', 'inviteStaffMember'],
  { call: 'acceptInvitation', tokenOf: 'staff-invitation' },
  ...[
    'endSessionsOfMember',
    'resetFactors',
    'removeStaffMember',
    'issueApiKey',
    'sendLeadForm',
    'listApiKeys',
    'rotateApiKey',
    'revokeApiKey',
  ],
  ...['listSessions', 'endOtherSessions', 'signOut'],
];

/** A passkey signs a new challenge. A feed does not end, nothing is parked here, the rebuild has already finished, no renewal came too late, each payment is known, each mail was sent, and there is one session. */
const NOT_IN_THE_STORY = [
  ...['followFeed', 'retryParkedItem', 'cancelReadModelRebuild', 'releaseMissedRenewal', 'skipMissedRenewal'],
  ...['resolvePayment', 'retryMail', 'acknowledgeMailFailure', 'endSession', 'addPasskey', 'signInWithPasskey'],
];

/** Milliseconds. About ninety requests, on a busy machine. */
const FAR_AWAY = 600_000;

/** The token in their answers is that of the session from then on. */
const OPENS_SESSION = ['signIn', 'confirmTotp', 'proveFactor', 'removeFactor', 'changeStaffPassword'];

/** As whom the story asks: in a trial, nothing needs to be said. */
const who: Record<string, string> = {};
const TOKEN = 'token-of-the-link';
const REASON = 'asked by telephone';

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
/** A program of the customer, which accepts every lead. */
const program = createServer((_, response) => response.end());
beforeAll(async () => {
  // The instant of the examples.
  server = await startServer({ start: '2026-03-01T09:30:00.000Z' });
  api = await readDocument(server);
  await new Promise<void>((listening) => program.listen(0, '127.0.0.1', listening));
}, FAR_AWAY);
afterAll(async () => {
  await server.stop();
  program.close();
});

/** Maps an id or token of the examples to the one that the server created or sent. */
const actual = new Map<string, string>();

const withActual = (text: string): string =>
  [...actual].reduce((replaced, [example, real]) => replaced.replaceAll(example, real), text);

/** The path of an operation with the examples of its required parameters. A read waits for all earlier commands. */
async function addressOf({ path, operation }: Operation, also: Record<string, string> = {}): Promise<string> {
  const query = new URLSearchParams(also);
  let filled = path;
  for (const { name, in: where, required, schema } of operation.parameters ?? []) {
    if (where === 'path') filled = filled.replace(`{${name}}`, schema.example);
    if (where === 'query' && required) query.set(name, schema.example);
    if (name === 'waitFor') query.set(name, await server.position());
  }
  return `${filled}?${query}`;
}

/** The body of an operation: JSON made of the examples of its fields, or the example of a file. */
function bodyOf({ operation }: Operation, { with: changes, contentType, code }: Step): { type?: string; body?: Json } {
  const { content = {} } = operation.requestBody ?? {};
  const type = contentType ?? Object.keys(content)[0];
  if (type === undefined) return {};
  const { schema, example } = content[type];
  if (type !== 'application/json') return { type, body: example };
  const codes = code === undefined ? {} : { code: totpCode(secret, addSeconds(server.clock.now(), code * 30)) };
  const body = { ...exampleBody({ document: api.document, schema }), ...changes, ...codes };
  if ('webhookUrl' in body) body.webhookUrl = programUrl();
  return { type, body: JSON.parse(withActual(JSON.stringify(body))) };
}

/** Of the authenticator app. */
let secret = '';

const programUrl = () => `http://127.0.0.1:${(program.address() as { port: number }).port}/leads`;

/** From now on, the ids in the answer replace those of its example. */
function learn(example: Json, answer: Json): void {
  for (const [name, value] of Object.entries<Json>(example ?? {}))
    if (/Id$/.test(name) && typeof value === 'string' && value.length === 36) actual.set(value, answer[name]);
}

const stepOf = (step: string | Step): Step => (typeof step === 'string' ? { call: step } : step);

function unnamed(): string[] {
  const named = new Set([...story, ...end].map((step) => stepOf(step).call));
  return api.operations.map(({ id }) => id).filter((id) => !named.has(id) && !NOT_IN_THE_STORY.includes(id));
}

/** What the link in the newest mail of a kind has. */
async function tokenIn(kind: string): Promise<string> {
  const position = await server.position();
  const { items } = (await server.call('GET', `/api/mails?kind=${kind}&waitFor=${position}`, undefined, who)).body;
  const text = (await server.application.get<MailGateway>(MAILS).copyOf?.(items[0].mailId)) ?? '';
  return /\?(?:token|link)=([\w.-]+)/.exec(text.replace(/=\r?\n/g, '').replaceAll('=3D', '='))?.[1] as string;
}

/** What the story sent: the name of the field → its texts. */
const sent = new Map<string, Set<string>>([['reason of a request', new Set([REASON])]]);

function note(value: Json, field: string): void {
  if (typeof value === 'string') sent.set(field, (sent.get(field) ?? new Set()).add(value));
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) note(member, Array.isArray(value) ? field : name);
}

async function play(step: Step): Promise<void> {
  const { call, query, tokenOf } = step;
  const operation = api.operations.find(({ id }) => id === call) as Operation;
  if (tokenOf) actual.set(TOKEN, await tokenIn(tokenOf));
  const { type, body } = bodyOf(operation, step);
  note(body, 'file');
  const reason = { ...who, 'leadger-reason': REASON, ...(type && { 'content-type': type }) };
  const headers = { ...reason, ...(await neededHeaders(server, api.operations, operation)) };
  const reply = await server.call(operation.method, withActual(await addressOf(operation, query)), body, headers);
  await server.settle();
  // Of two mails of a kind, one is the newest.
  await server.clock.moveTo(addSeconds(server.clock.now(), 1));
  const { content = {} } = operation.operation.responses[reply.status] ?? {};
  expect({ call, accepted: reply.status < 300, text: reply.text }).toEqual({ call, accepted: true, text: reply.text });
  if (call === 'receiveLeadBatch') expect(reply.body).toMatchObject({ received: 1, rejected: 0 });
  const { schema, example } = content['application/json'] ?? {};
  if (call === 'offerTotp') secret = reply.body.secret;
  if (OPENS_SESSION.includes(call) && reply.body.token && !reply.body.customerId)
    who.authorization = `Bearer ${reply.body.token}`;
  if (!schema) return;
  expect({ call, faults: api.faultsOf(schema, reply.body) }).toEqual({ call, faults: [] });
  if (step.customerAs) actual.set(step.customerAs, reply.body.customerId);
  else learn(example, reply.body);
  // Processes created the mails, messages and receipts, so a list is the first answer with their ids.
  if (['listMails', 'listWebhooks', 'listCoupons', 'listReceipts'].includes(call))
    learn(example.items[0], reply.body.items[0]);
}

test(
  'the examples are accepted one after another, and the answers are what the document says',
  async () => {
    for (const step of [...story, ...unnamed()]) await play(stepOf(step));
  },
  FAR_AWAY,
);

/** The ETag of each read of the API. */
async function etags(): Promise<Record<string, string | null>> {
  const reads = api.operations.filter(
    ({ id, method, path }) => method === 'GET' && path.startsWith('/api/') && id !== 'followFeed',
  );
  const found: Record<string, string | null> = {};
  for (const read of reads) {
    const { status, headers } = await server.call('GET', withActual(await addressOf(read)));
    if (status === 200) found[read.id] = headers.get('etag');
  }
  return found;
}

test(
  'the ETag of a read stays while time passes and nothing is recorded',
  async () => {
    const before = await etags();
    expect(Object.keys(before).length).toBeGreaterThan(40);
    const position = await server.position();
    await server.clock.moveTo(addSeconds(server.clock.now(), 60));
    await server.settle();
    expect(await server.position()).toBe(position);
    expect(await etags()).toEqual(before);
  },
  FAR_AWAY,
);

test(
  'the examples that end something are accepted, too',
  async () => {
    for (const step of end) await play(stepOf(step));
  },
  FAR_AWAY,
);

/** Fields whose texts people type, or which tell who they are. */
const personal =
  /^(reason of a request|firstName|lastName|email|telephone|address|line[12]|city|postalCode|comment|bestTimeToCall|businessAssociation|password|currentPassword|paymentToken|webhookUrl|token|subject|message|answer|note|explanation|text|page|ip|certificate)$/;

/**
 * Fields that are about the store, or choices from its lists. `name`: of a store, a lead type, a cadence. `reason`: of a return;
 * its codes, with hyphens, are the names of the labels. `code`: of an authenticator app, good for once.
 */
const plain =
  /^(\w+Ids?|name|code|webAddress|statementDescriptor|exclusivity|freshness|usualDelivery|agesInto|currency|expectedCurrency|(approved|invalid)ReturnReasons|businessTimeZone|timeZone|state|country|mailsOff|mails|couponCode|insteadOf|cadence|source|capturedAt|reason|[a-z]+(-[a-z]+)+|verdict|at|suppression|file|roles|stores|origins|thanksPage|expiresAt|id|type|clientDataJSON|authenticatorData|signature|userHandle)$/;

test('each field is personal or plain: add it to one of the two lists', () => {
  expect([...sent.keys()].filter((field) => !personal.test(field) && !plain.test(field))).toEqual([]);
});

test('no text that a person typed is in the log, as it is or in base64', async () => {
  const typed = [...sent].flatMap(([field, texts]) => (personal.test(field) ? [...texts] : []));
  // Shorter ones are in other words by chance.
  const texts = typed.filter((text) => text.length > 5);
  expect(texts.length).toBeGreaterThan(20);
  const stored: string[] = [];
  for await (const { type, data, metadata } of server.application.get<EventStore>(EVENT_STORE).readAll())
    for (const bytes of [data, metadata]) {
      const text = Buffer.from(bytes).toString();
      const found = texts.filter((one) => text.includes(one) || text.includes(inBase64(one)));
      stored.push(...found.map((one) => `${type}: ${one}`));
    }
  expect(stored).toEqual([]);
});

/** Without the ends, which depend on what stands around it. */
const inBase64 = (text: string): string => Buffer.from(JSON.stringify(text)).toString('base64').slice(0, -4);

test('what is not called is an operation', () => {
  expect(api.operations.map(({ id }) => id)).toEqual(expect.arrayContaining(NOT_IN_THE_STORY));
});
