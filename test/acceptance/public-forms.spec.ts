import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const asVisitor = { 'leadger-actor': 'customer:visitor' };
type Contact = { readonly telephone: string; readonly email: string };
type Headers = Readonly<Record<string, string>>;

let people = 0;
function person(): Contact {
  people += 1;
  return { telephone: `+1 212 555 ${6000 + people}`, email: `visitor-${people}@example.org` };
}
let keys = 0;
function key(): string {
  keys += 1;
  return `key-${keys}`;
}

const send = (contact: object, headers: Headers = {}, more: object = {}) =>
  shop.try(
    'POST',
    '/api/leads',
    { leadTypeId: 'exclusive-aged', source: 'form', contact, ...more },
    { ...asVisitor, ...headers },
  );

const upload = ({ telephone, email }: Contact) =>
  shop.server.call(
    'POST',
    '/api/leads/batches?leadTypeId=exclusive-aged&source=form',
    `telephone,email\n${telephone},${email}\n${telephone},\n`,
    { ...asVisitor, 'content-type': 'text/csv' },
  );

/** How the store may know a person before a form is sent. */
const persons: Readonly<Record<string, (contact: Contact) => Promise<unknown>>> = {
  'has the same record of': (contact) => send(contact),
  'has the same record, with a key, of': (contact) => send(contact, { 'idempotency-key': key() }),
  'has another record of': (contact) => send(contact, {}, { source: 'fair' }),
  'never sells': (contact) => shop.ask('POST', '/api/suppressions', { person: contact }, 200, asVisitor),
  'withdrew the lead of': async (contact) => {
    await send(contact);
    await shop.ask('POST', '/api/suppressions', { person: contact }, 200, asVisitor);
  },
  async erased(contact) {
    await send(contact);
    const reason = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked for it' };
    await shop.ask('POST', '/api/persons/erasures', { person: { email: contact.email } }, 200, reason);
  },
};

/** Requests of one sender, and what may differ between them. */
const probes: Readonly<Record<string, (contact: Contact) => readonly (() => ReturnType<typeof send>)[]>> = {
  'once and again': (contact) => [() => send(contact), () => send(contact)],
  'with a key, and another body with the same key'(contact) {
    const used = { 'idempotency-key': key() };
    const other = person();
    return [() => send(contact, used), () => send(other, used), () => send(contact, used), () => send(other, used)];
  },
  'with a key, and another source with the same key'(contact) {
    const used = { 'idempotency-key': key() };
    return [() => send(contact, used), () => send(contact, used, { source: 'fair' })];
  },
  'with two keys': (contact) => [
    () => send(contact, { 'idempotency-key': key() }),
    () => send(contact, { 'idempotency-key': key() }),
  ],
  'with a key, and without one': (contact) => [
    () => send(contact, { 'idempotency-key': key() }),
    () => send(contact),
    () => send(contact),
  ],
  'with a revision': (contact) => ['"3"', '"0"', '"-1"', '*'].map((seen) => () => send(contact, { 'if-match': seen })),
  'with a revision and a key': (contact) =>
    ['"3"', '"-1"'].map((seen) => () => send(contact, { 'if-match': seen, 'idempotency-key': key() })),
  'as a file': (contact) => [() => upload(contact), () => upload(contact)],
  'with a reason': (contact) => [() => send(contact, { 'leadger-reason': 'asked for a call' })],
  'with a reason and a key': (contact) => [
    () => send(contact, { 'leadger-reason': 'asked for a call', 'idempotency-key': key() }),
  ],
};

/** All of the answers that does not differ by chance: an id only counts by whether it was answered before. */
async function answersTo(requests: readonly (() => ReturnType<typeof send>)[]) {
  const ids: string[] = [];
  const answers: object[] = [];
  for (const request of requests) {
    const { status, body, headers } = await request();
    const { leadId, code, events, received, rejected } = body;
    if (!ids.includes(leadId)) ids.push(leadId);
    const shown = ['etag', 'leadger-position', 'location'].filter((name) => headers.get(name) !== null);
    answers.push({
      status,
      code,
      events,
      received,
      rejected,
      keys: Object.keys(body),
      lead: ids.indexOf(leadId),
      shown,
    });
  }
  return answers;
}

describe.each(Object.entries(probes))('DLV-11, DLV-12: a form that is sent %s', (_, probe) => {
  test.each(Object.entries(persons))('tells nobody that the store %s the person', async (_, known) => {
    const unknown = await answersTo(probe(person()));
    const contact = person();
    await known(contact);
    expect(await answersTo(probe(contact))).toEqual(unknown);
  });
});
