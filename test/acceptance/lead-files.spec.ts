import { openShop, type Shop } from './shop.ts';

let shop: Shop;
let other: Shop;
beforeAll(async () => {
  [shop, other] = [await openShop(), await openShop()];
});
afterAll(() => Promise.all([shop.stop(), other.stop()]));

const upload = (to: Shop, file: string, query = '', type = 'text/csv') =>
  to.ask('POST', `/api/leads/batches?leadTypeId=exclusive-aged&source=page${query}`, file, 200, {
    'content-type': type,
  });
const buyer = async (of: Shop): Promise<string> => {
  const customerId = await of.customer();
  await of.order(customerId, { leadTypeId: 'exclusive-aged', quantity: 20 });
  return customerId;
};
// biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client does, without our types
const leadsOf = async (of: Shop, customerId: string): Promise<any[]> =>
  (await of.read(`/api/customers/${customerId}/leads`)).items.toSorted((one: OfPerson, two: OfPerson) =>
    one.contact.telephone.localeCompare(two.contact.telephone),
  );
const contactsOf = async (of: Shop, customerId: string) =>
  (await leadsOf(of, customerId)).map(({ contact }) => contact);
interface OfPerson {
  readonly contact: { readonly telephone: string };
}

test('DLV-9: what a customer has downloaded is imported again, unchanged', async () => {
  const contacts = [
    { firstName: '=1+1', lastName: "'=2", telephone: '+12125550171', comment: 'two\r\nlines, "quoted"\nand\rmore' },
    { firstName: "'01", lastName: '"=0"', telephone: '+12125550172', postalCode: '01234', address: '-1 "A", @home' },
    { firstName: '="01"', lastName: "''", telephone: '+12125550173 ext. 12', state: '+49', city: "'s-Example" },
    { firstName: 'José', telephone: '+12125550174', extraFields: { 'Job, title': '=baker', 'a "b"': '01\n2' } },
  ];
  const agreed = { text: "=I agree;\r\n'1', said I", at: '2026-02-01T09:59:58.000Z' };
  const proven = { page: 'https://west.example/?a=1,2', ip: '2001:db8::7', certificate: 'https://proof.example/9' };
  const consents = [{ ...agreed, ...proven }, agreed, undefined, { ...agreed, ip: '198.51.100.7' }];
  const customerId = await buyer(shop);
  const leads = contacts.map((contact, index) => ({ contact, consent: consents[index] }));
  const objects = leads.map((lead) => `${JSON.stringify(lead)}\n`).join('');
  await upload(shop, objects, '', 'application/x-ndjson');
  const file = await shop.read(`/api/customers/${customerId}/leads.csv`);

  const elsewhere = await buyer(other);
  expect(await upload(other, file)).toMatchObject({ rows: 4, received: 4, reading: { exportOf: 'Leadger' } });
  expect(await contactsOf(other, elsewhere)).toEqual(contacts);
  const shown = (await leadsOf(other, elsewhere)).map(({ consent }) => consent ?? undefined);
  expect(shown).toEqual(consents);
  expect(await upload(shop, file)).toMatchObject({ rows: 4, received: 0, known: 4 });
});

test('DLV-11: an extension is shown, and the person is known by the number without it', async () => {
  const customerId = await buyer(shop);
  const file = 'phone,email\n212 555 0181 ext. 12,\n(212) 555-0181,\n+1 212 555 0181 x7,a181@example.com\n';
  expect(await upload(shop, file)).toMatchObject({ rows: 3, received: 1, known: 1, duplicates: 1 });
  const [contact] = await contactsOf(shop, customerId);
  expect(contact).toEqual({ telephone: '212 555 0181 ext. 12' });
});

test('DLV-9: columns that are kept are shown to the buyer, and found', async () => {
  const customerId = await buyer(shop);
  const file = 'phone,Wants to move\n+1 212 555 0191,in spring\n';
  await upload(shop, file, '&unknownColumns=keep');
  const [contact] = await contactsOf(shop, customerId);
  expect(contact).toEqual({ telephone: '+1 212 555 0191', extraFields: { 'Wants to move': 'in spring' } });
  const { items } = await shop.read(`/api/customers/${customerId}/leads?search=spring`);
  expect(items).toHaveLength(1);
});
