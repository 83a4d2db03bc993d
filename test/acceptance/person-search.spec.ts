import fc from 'fast-check';
import { trialCaller } from '#domain/kernel/caller';
import type { CommandOf } from '#domain/ledger';
import { ticketStream } from '#domain/support/ticket';
import { seal } from '#requests/account-seals';
import { CommandHandler } from '#requests/command-handler';
import type { Vault } from '#vault/vault';
import { VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* However a person is named, the same records are found: all that have a telephone number or an e-mail address in common. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const erase = (person: object) => shop.ask('POST', '/api/persons/erasures', { person }, 200, support);

async function found(person: object): Promise<readonly string[]> {
  const { asCustomer, asLead } = await shop.ask('POST', '/api/persons/exports', { person }, 200, support);
  const customerIds = asCustomer.map(({ customerId }: { customerId: string }) => customerId);
  return [...customerIds, ...asLead.map(({ leadId }: { leadId: string }) => leadId)].sort();
}

let people = 0;
const number = () => `+1 212 555 ${String(2000 + ++people)}`;
const address = () => `somebody-${++people}@example.org`;

async function confirmNewAddress(customerId: string, email: string): Promise<void> {
  const as = { 'leadger-actor': `customer:${customerId}` };
  await shop.ask('PUT', `/api/customers/${customerId}/email`, { email }, 200, as);
  const asked = (await shop.log()).filter(
    ({ type, stream }) => type === 'EmailChangeRequested' && stream.endsWith(customerId),
  );
  const token = await shop.opened(asked.at(-1)?.data.token);
  await shop.ask('POST', `/api/customers/${customerId}/email/confirm`, { token });
}

test('a person with two numbers and one address is found, and erased, by each of them', async () => {
  const leadTypeId = await shop.leadType();
  const [email, first, second] = [address(), number(), number()];
  const leads = [
    await shop.lead(leadTypeId, { contact: { telephone: first, email } }),
    await shop.olderLead(leadTypeId, { telephone: second, email }),
    await shop.olderLead(leadTypeId, { telephone: second }),
  ];
  const customerId = await shop.customer({ email: email.toUpperCase() });
  const all = [customerId, ...leads].sort();
  for (const name of [
    { telephone: first },
    { telephone: second },
    { email },
    { customerId },
    { leadId: leads[0] },
    { leadId: leads[2] },
  ])
    expect([name, await found(name)]).toEqual([name, all]);
  expect(await erase({ telephone: first })).toEqual({ customers: 1, leads: 3 });
  for (const leadId of leads)
    expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ contact: null, withdrawn: true, openPlaces: 0 });
  expect(await shop.read(`/api/customers/${customerId}`)).toMatchObject({ email: null });
  for (const name of [{ telephone: second }, { email }, { leadId: leads[0] }])
    expect(await found(name)).toEqual(leads.sort());
});

test('a customer is found by an address of before until somebody else has it', async () => {
  const [former, present] = [address(), address()];
  const customerId = await shop.customer({ email: former });
  await confirmNewAddress(customerId, present);
  const leadId = await shop.lead(undefined, { contact: { email: former } });
  for (const name of [{ email: former }, { email: present }, { customerId }, { leadId }])
    expect(await found(name)).toEqual([customerId, leadId].sort());
  const next = await shop.customer({ email: former });
  expect(await found({ email: former })).toEqual([next, leadId].sort());
  expect(await found({ customerId })).toEqual([customerId]);
  await erase({ customerId: next });
  // A repeat of that erasure must not find who had the address before.
  expect(await erase({ email: former })).toEqual({ customers: 0, leads: 1 });
  expect(await found({ customerId })).toEqual([customerId]);
});

test('an address that was asked for and not confirmed finds its customer, and leads from the customer to nobody', async () => {
  const [present, wished] = [address(), address()];
  const customerId = await shop.customer({ email: present });
  const as = { 'leadger-actor': `customer:${customerId}` };
  await shop.ask('PUT', `/api/customers/${customerId}/email`, { email: wished }, 200, as);
  const leadId = await shop.lead(undefined, { contact: { email: wished } });
  expect(await found({ email: wished })).toEqual([customerId, leadId].sort());
  expect(await found({ customerId })).toEqual([customerId]);
  expect(await found({ leadId })).toEqual([leadId]);
});

/** The customer asks to be called back. */
const askForCall = async (customerId: string, telephone: string): Promise<string> => {
  const ticket = { customerId, subject: 'Call me', message: 'Please call me.', callBack: { telephone } };
  const as = { 'leadger-actor': `customer:${customerId}` };
  return (await shop.ask('POST', '/api/tickets', ticket, 201, as)).ticketId;
};

/** As an older version took it: it kept no hash of the number. */
async function olderTicket(customerId: string, telephone: string): Promise<void> {
  const { application, clock, settle } = shop.server;
  const box = (purpose: 'subject' | 'message' | 'telephone', text: string) =>
    seal(application.get<Vault>(VAULT), customerId, purpose, text);
  const command: CommandOf<'ticket'> = {
    ...({ type: 'OpenTicket', at: clock.now(), customerId, storeId: 'main' } as const),
    subject: await box('subject', 'Call me'),
    message: await box('message', 'Please call me.'),
    callBackTelephone: await box('telephone', telephone),
    answerPolicy: { policyVersion: 1, ...(await shop.ask('GET', '/api/policy')).policy },
  };
  const caller = trialCaller(`customer:${customerId}`);
  const cause = { commandId: `older-${customerId}`, correlationId: `older-${customerId}`, actor: caller.actor };
  const stream = ticketStream(`older-${customerId}`);
  const outcome = await application.get(CommandHandler).execute({ stream, command, caller, cause });
  expect(outcome).toMatchObject({ kind: 'accepted' });
  await settle();
}

test.each([
  ['', askForCall],
  [' of an older version', olderTicket],
])('who left only a telephone number with a ticket%s is found, and erased, by it', async (_, write) => {
  const telephone = number();
  const customerId = await shop.customer();
  await write(customerId, telephone);
  const leadId = await shop.lead(undefined, { contact: { telephone } });
  const written = telephone.replace('+1 212 ', '(212) ');
  for (const name of [{ telephone: written }, { customerId }, { leadId }])
    expect([name, await found(name)]).toEqual([name, [customerId, leadId].sort()]);
  expect(JSON.stringify(await shop.log())).not.toContain(telephone.replace(/\D/g, '').slice(-7));
  expect(await erase({ telephone })).toEqual({ customers: 1, leads: 1 });
  expect((await shop.read(`/api/tickets?customerId=${customerId}`)).items).toMatchObject([{ callBackTelephone: null }]);
  expect(await found({ telephone })).toEqual([leadId]);
});

test('a lead with an internationalised address is found by it', async () => {
  const leadId = await shop.lead(undefined, { contact: { email: 'ann@bücher.example' } });
  for (const email of ['ann@bücher.example', 'Ann@xn--bcher-kva.example'])
    expect(await found({ email })).toEqual([leadId]);
});

/** Which of a few telephone numbers and addresses a lead has. */
const contact = fc
  .record({ telephone: fc.nat({ max: 3 }), email: fc.nat({ max: 3 }) }, { requiredKeys: [] })
  .filter((one) => Object.keys(one).length > 0);

interface Recorded {
  readonly id: string;
  readonly by: object;
  readonly names: readonly string[];
}

/** What belongs together, in the simplest way: groups are merged until no two have anything in common. */
function personsAmong(all: readonly Recorded[]): readonly (readonly Recorded[])[] {
  const persons: Recorded[][] = [];
  for (const one of all) {
    const same = persons.filter((person) => person.some(({ names }) => names.some((name) => one.names.includes(name))));
    for (const person of same) persons.splice(persons.indexOf(person), 1);
    persons.push([...same.flat(), one]);
  }
  return persons;
}

test('from every record, number and address of a person the same records are found', async () => {
  const drawn = [
    fc.array(contact, { minLength: 2, maxLength: 6 }),
    fc.uniqueArray(fc.nat({ max: 3 }), { maxLength: 2 }),
    fc.array(fc.nat({ max: 3 }), { minLength: 2, maxLength: 2 }),
  ] as const;
  const property = fc.asyncProperty(...drawn, async (leads, customers, callBacks) => {
    const numbers = Array.from({ length: 4 }, number);
    const addresses = Array.from({ length: 4 }, address);
    const all: Recorded[] = [];
    for (const { telephone = -1, email = -1 } of leads) {
      const contact = { telephone: numbers[telephone], email: addresses[email] };
      const leadId = await shop.lead(undefined, { contact });
      all.push({ id: leadId, by: { leadId }, names: Object.values(contact).filter((name) => name !== undefined) });
    }
    for (const [index, email] of customers.entries()) {
      const customerId = await shop.customer({ email: addresses[email] });
      const names = [addresses[email], numbers[callBacks[index] as number]] as [string, string];
      await askForCall(customerId, names[1]);
      all.push({ id: customerId, by: { customerId }, names });
    }
    for (const person of personsAmong(all)) {
      const names = new Set(person.flatMap((one) => one.names));
      const ways = [...names].map((name) => (name.includes('@') ? { email: name } : { telephone: name }));
      // The same record within an hour is known, and one lead.
      const records = [...new Set(person.map(({ id }) => id))].sort();
      for (const way of [...ways, ...person.map(({ by }) => by)])
        expect([way, await found(way)]).toEqual([way, records]);
    }
  });
  await fc.assert(property, { numRuns: 8 });
});
