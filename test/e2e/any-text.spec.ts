import fc from 'fast-check';
import { withoutDirections } from '#domain/kernel/text';
import { type Json, type Operation, ownRead, readDocument } from './api-document.ts';
import { ExampleCalls } from './example-calls.ts';
import { type Reply, type Server, startServer } from './server.ts';
import { nameOf, type TextField, textFieldsOf, withText } from './text-fields.ts';

/** Milliseconds. About two thousand requests, on a busy machine. */
const FAR_AWAY = 900_000;
const RUNS = 2;

let server: Server;
let api: Awaited<ReturnType<typeof readDocument>>;
let calls: ExampleCalls;
let number = 0;

/** What there must be, so that requests are about something. */
const setting = [
  ...['openStore', 'setStatementDescriptor', 'defineLeadType', 'setPrice', 'registerCustomer', 'defineCoupon'],
  ...['placeOrder', 'receiveLead', 'requestReplacement', 'openTicket', 'startCheckout', 'quoteCheckout'],
];

beforeAll(async () => {
  server = await startServer({ start: '2026-03-01T09:30:00.000Z' });
  api = await readDocument(server);
  calls = new ExampleCalls(server, api);
  for (const id of setting) await calls.call(id);
}, FAR_AWAY);
afterAll(() => server.stop());

/** A lead to the only open order. */
async function deliver(): Promise<void> {
  const { items } = (await server.call('GET', `/api/orders?status=open&limit=200&waitFor=${await server.position()}`))
    .body;
  for (const { orderId } of items) await server.call('POST', `/api/orders/${orderId}/cancel`);
  // Leads that were received before are delivered first.
  const large = { quantity: 500, dailyMaximum: undefined };
  await calls.call('placeOrder', {
    ...large,
    couponCode: undefined,
    loyalty: undefined,
    expectedTotalCents: undefined,
  });
  await calls.call('receiveLead', { contact: { telephone: numberOfNobody() } });
}

/** The policy has been changed by texts that were accepted. */
const approvedReason = async (): Promise<string> =>
  (await server.call('GET', '/api/policy')).body.policy.approvedReturnReasons[0];

const numberOfNobody = (): string => `+1213${5_550_000 + ++number}`;
const addressOfNobody = (): string => `person${++number}@example.org`;
const without = (body: Json, ...names: string[]) =>
  Object.fromEntries(Object.entries(body).filter(([n]) => !names.includes(n)));
const freshCustomer = () => calls.call('registerCustomer', { email: addressOfNobody(), password: undefined });

/** ACC-7: an order names a customer, or an account of an address. */
const withAccount = (body: Json, field: string | undefined): Json =>
  field === 'account'
    ? {
        ...without(body, 'customerId', 'couponCode', 'password'),
        account: {
          ...without(calls.bodyOf(calls.operation('registerCustomer')), 'password', 'mailsOff', 'leadDelivery'),
          email: addressOfNobody(),
        },
      }
    : without(body, 'account');

/** What happens first, so that a request can be accepted, and what is different in its body. */
const before: Readonly<Record<string, (body: Json, path: readonly string[]) => Json>> = {
  openStore: (body) => ({ ...body, storeId: `store-${++number}` }),
  defineLeadType: (body) => ({ ...body, leadTypeId: `type-${++number}` }),
  defineCoupon: (body) => ({ ...body, couponCode: `CODE ${++number}` }),
  registerCustomer: (body, [field]) =>
    field === 'email' || field === 'password'
      ? { ...body, email: addressOfNobody() }
      : without(body, 'email', 'password'),
  receiveLead: (body) => ({
    ...body,
    contact: { ...body.contact, telephone: numberOfNobody(), email: addressOfNobody() },
  }),
  async publishPolicy(_, [field, changed]) {
    if (field === 'policy') return { policy: (await server.call('GET', '/api/policy')).body.policy };
    return { changes: changed === 'renewalCadences' ? { renewalCadences: [{ name: 'weekly', days: 7 }] } : {} };
  },
  async setPassword(body) {
    await freshCustomer();
    return without(body, 'currentPassword');
  },
  placeOrder: (body, [field]) =>
    withAccount(
      without({ ...body, expectedTotalCents: undefined }, ...['couponCode', 'loyalty'].filter((one) => one !== field)),
      field,
    ),
  startCheckout: (body, [field]) => withAccount(body, field),
  async requestReplacement() {
    await deliver();
    return { ...calls.bodyOf(calls.operation('requestReplacement')), reason: await approvedReason() };
  },
  async denyReplacement(body) {
    await deliver();
    await calls.call('requestReplacement', { reason: await approvedReason() });
    return body;
  },
  async placeCheckout(body) {
    await calls.call('startCheckout', { loyalty: undefined });
    return { ...body, expectedTotalCents: undefined };
  },
  exportPerson: () => ({ person: {} }),
  erasePerson: () => ({ person: {} }),
  suppress: () => ({ person: {} }),
  liftSuppressions: () => ({ person: {} }),
  async answerTicket(body) {
    await calls.call('openTicket');
    return body;
  },
  async addTicketMessage(body) {
    await calls.call('openTicket');
    return body;
  },
};

/** What the policy allows is changed last. */
/** The first account ends the trial, in which all others are asked; and a form has few tries, with the fields of a lead. */
const textFields = (): TextField[] =>
  api.operations
    .filter(({ id }) => id !== 'addFirstAdministrator' && id !== 'sendLeadForm')
    .toSorted((a, b) => Number(a.id === 'publishPolicy') - Number(b.id === 'publishPolicy'))
    .flatMap((operation) => textFieldsOf(api.document, operation));

const textsIn = (value: Json): string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries<Json>(value).flatMap(([name, member]) => [name, ...textsIn(member)]);
};

/** What no answer shows: secrets, and what is only compared. */
/** An order without sign-in shows nothing of its account. */
const neverShown = /^account\.|(password|currentPassword|paymentToken|token|couponCode|insteadOf|webhookUrl)$/i;
const onlyAsked =
  /^(signIn|requestPasswordRecovery|exportPerson|erasePerson|suppress|liftSuppressions|quoteCheckout|useCoupon)$/;

/** Where what was accepted is shown: the thing that was made, or the one that was changed. */
async function readBack(operation: Operation, reply: Reply): Promise<string[]> {
  const position = await server.position();
  const same = api.operations.find(({ method, path }) => method === 'GET' && path === operation.path);
  const own = same ?? ownRead(api.operations, operation);
  const address = reply.headers.get('location') ?? (own && calls.addressOf(own));
  if (!address) return [];
  const waiting = await server.call('GET', `${address}?waitFor=${position}`);
  const read = waiting.status === 400 ? await server.call('GET', address) : waiting;
  return textsIn(read.body);
}

const character = fc.oneof(
  fc.integer({ min: 0, max: 0x10ffff }),
  fc.integer({ min: 0, max: 0x9f }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
  fc.integer({ min: 0x20, max: 0x7e }),
);
/** All of Unicode, halves of characters and controls too; half of them without these. */
const anyText = fc.oneof(
  fc.array(character, { minLength: 1, maxLength: 30 }).map((codes) => String.fromCodePoint(...codes)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 15 }),
);
const known = [
  'Zoe\u0308 \u{1f600} \u540d',
  '\0',
  'a\0b',
  'a\ud800',
  'a\nb',
  'a\u202eb',
  'constructor',
  '__proto__',
  'x'.repeat(12_000),
];

/** @returns whether it was accepted */
async function sendText({ operation, path }: TextField, text: string): Promise<boolean> {
  const prepared = await before[operation.id]?.(calls.bodyOf(operation), path);
  const body = withText(prepared ?? calls.bodyOf(operation), path, text);
  const reply = await calls.send(operation, body);
  await server.settle();
  if (reply.status >= 500) throw new Error(`${JSON.stringify(text)} was answered ${reply.status}: ${reply.text}`);
  if (reply.status >= 300) return false;
  if (neverShown.test(path.join('.')) || onlyAsked.test(operation.id)) return true;
  const composed = text.normalize('NFC');
  const shown = await readBack(operation, reply);
  const forms = [composed, composed.trim(), withoutDirections(composed).trim()];
  if (!forms.some((form) => shown.includes(form)))
    throw new Error(`${JSON.stringify(text)} is not shown: ${JSON.stringify(shown).slice(0, 300)}`);
  return true;
}

/** Texts that a field of a form of its own takes, and almost takes. */
const knownOf = (name: string): readonly string[] => {
  if (/telephone$/.test(name))
    return ['+1 212 555 0177', '+1 212 555 0177\0', '+1 212\ud800 555 0177', '+1 212\n555 0177'];
  if (/password$/i.test(name)) return ['Zoe\u0308 \u{1f600} \u540d, a long one'];
  if (/email$/i.test(name)) return ['zo@exe\u0301mple.org', 'z\0o@example.org', 'zo@example.org\ud800'];
  if (/webAddress|webhookUrl/.test(name)) return ['https://x.example/\0', 'https://x.example/\udc00'];
  return /[Zz]one$/.test(name) ? ['UTC', 'UTC\0'] : [];
};

/** Fields that take only what there is, what has a form of its own, what a verdict came before, or what there is after a trial. All others must have taken some text. */
const choosy =
  /(webAddress|webhookUrl|[Zz]one|cadence|couponCode|insteadOf|currency|token|email|telephone|signIn password|changeStaffPassword (currentP|p)assword|(signIn|proveFactor|confirmTotp) code|(confirmTotp|addPasskey) currentPassword|addPasskey name|(signIn|proveFactor|addPasskey|signInWithPasskey) passkey.*|completePasswordRecovery password|acceptInvitation password|addStaffMember name|issueApiKey origins.*|issueApiKey form.thanksPage|requestReplacement reason|correctReplacement explanation|consent.(page|ip|certificate))$/;

test(
  'any text in any field is refused, or stored and shown as it is',
  async () => {
    const accepted = new Set<string>();
    const faults: string[] = [];
    for (const field of textFields()) {
      const send = async (text: string) => {
        if (await sendText(field, text)) accepted.add(nameOf(field));
      };
      const examples = [...known, ...knownOf(nameOf(field))].map((text): [string] => [text]);
      await fc
        .assert(fc.asyncProperty(anyText, send), {
          numRuns: examples.length + RUNS,
          examples,
          includeErrorInReport: true,
        })
        .catch((error: Error) => faults.push(`${nameOf(field)}: ${error.message}`));
    }
    expect(faults).toEqual([]);
    const refused = textFields().filter((field) => !accepted.has(nameOf(field)));
    expect(refused.map(nameOf).filter((name) => !choosy.test(name))).toEqual([]);
  },
  FAR_AWAY,
);

/** Paths and queries: as bytes, which need not be UTF-8. */
const bytes = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((some) => [...some].map(percent).join(''));
const percent = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`;

test(
  'any bytes in a path, a query or a reason are refused, or found to be nothing',
  async () => {
    const reads = api.operations.filter(({ id, method }) => method === 'GET' && id !== 'followFeed');
    for (const { path, operation } of reads) {
      const query = (operation.parameters ?? []).filter((one: Json) => one.in === 'query').map((one: Json) => one.name);
      const ask = async (text: string) => {
        const addresses = [
          path.replace(/\{\w+\}/g, text),
          ...query.map((name: string) => `${path.replace(/\{\w+\}/g, 'x')}?${name}=${text}`),
        ];
        for (const address of addresses) {
          const { status, text: answer } = await server.call('GET', address);
          if (status >= 500 && status !== 503) throw new Error(`${address} was answered ${status}: ${answer}`);
        }
      };
      await fc.assert(fc.asyncProperty(bytes, ask), { numRuns: 3, examples: [['%00'], ['%ed%a0%80'], ['%ff']] });
    }
  },
  FAR_AWAY,
);

test('nothing is parked after all that, and nothing failed unexpectedly', async () => {
  const position = await server.position();
  await server.call('GET', `/api/orders?waitFor=${position}`);
  const { readModels } = (await server.call('GET', '/health')).body;
  expect(readModels.filter(({ parked }: Json) => parked > 0)).toEqual([]);
  expect((await server.call('GET', '/api/processes/parked')).body.items).toEqual([]);
  expect(server.errors).toEqual([]);
});
