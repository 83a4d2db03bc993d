import { sandboxPayments } from '#gateways/payments';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
/** A provider that says more than a name. */
const chatty = {
  ...sandboxPayments(),
  capture: async () => ({
    captured: true as const,
    reference: `pi_\0\ud800${'x'.repeat(9000)}`,
    providerCustomerId: 'cus_\0',
  }),
};
beforeAll(async () => {
  shop = await openShop({ payments: chatty });
});
afterAll(() => shop.stop());

const ndjson = { 'content-type': 'application/x-ndjson' };
const person = (number: number) => ({ firstName: 'Ann', telephone: `+1213555${String(number).padStart(4, '0')}` });

test('CHK-4: an order is paid and shown, whatever the payment provider calls the payment', async () => {
  const orderId = await shop.order(await shop.customer());
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'open' });
  const [captured] = (await shop.history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'PaymentCaptured');
  expect(captured?.data).toMatchObject({
    reference: expect.stringMatching(/^pi_\ufffd\ufffdx+$/),
    providerCustomerId: 'cus_\ufffd',
  });
  expect(captured?.data.reference).toHaveLength(2000);
  expect((await shop.read('/api/receipts')).items).toMatchObject([{ orderId }]);
});

test('DLV-9: a lead with a text that no row can store costs its line of the file, and never the order that others go to', async () => {
  const customerId = await shop.customer();
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(customerId, { leadTypeId, quantity: 6 });
  const lead = (number: number, changes: object = {}) => ({
    leadTypeId,
    source: 'fair',
    contact: person(number),
    ...changes,
  });
  const lines = [
    lead(1),
    lead(2),
    lead(3, { source: 'a\0b' }),
    lead(4, { source: 'a\ud800' }),
    lead(5, { contact: { ...person(5), lastName: 'O\0' } }),
    lead(6, { contact: { ...person(6), comment: '\udfff' } }),
    lead(7, { leadTypeId: 'exclusive\0' }),
    lead(8, { source: 'x'.repeat(201) }),
    ...[9, 10, 11, 12].map((number) => lead(number)),
  ];
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  const report = await shop.ask('POST', '/api/leads/batches', body, 200, ndjson);
  expect(report).toMatchObject({ received: 6, rejected: 6 });
  expect(
    report.rejections.map(({ line, reason }: { line: number; reason: string }) => `${line} ${reason.split(':')[0]}`),
  ).toEqual([...['3 source', '4 source', '5 contact.lastName', '6 contact.comment', '7 leadTypeId', '8 source']]);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ deliveredLeads: 6, status: 'filled' });
  expect((await shop.read(`/api/customers/${customerId}/leads`)).items).toHaveLength(6);
});

test('DLV-9: a text is found in whatever form it is typed, and has as many characters as people count', async () => {
  const customerId = await shop.customer();
  const leadTypeId = await shop.leadType();
  await shop.order(customerId, { leadTypeId, quantity: 1 });
  await shop.lead(leadTypeId, {
    contact: { ...person(20), firstName: 'Zoe\u0308', comment: '\u{1f600}'.repeat(2000) },
  });
  const [found] = (await shop.read(`/api/customers/${customerId}/leads?search=${encodeURIComponent('zo\u00eb')}`))
    .items;
  expect(found.contact).toMatchObject({ firstName: 'Zo\u00eb', comment: '\u{1f600}'.repeat(2000) });
});
