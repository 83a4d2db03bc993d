import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const asProgram = { 'leadger-actor': 'system:forms' };
const consent = {
  text: 'I agree that agents call me about life insurance.',
  at: '2026-03-02T10:59:58-04:00',
  page: 'https://west.example/quote?name=Ann',
  ip: '2001:db8::7',
  certificate: 'https://certificates.example/9f2c',
};
const shown = { ...consent, at: '2026-03-02T14:59:58.000Z' };
let people = 0;
const send = (more: object) => {
  people += 1;
  const contact = { telephone: `+1 212 555 ${5000 + people}` };
  return shop.try('POST', '/api/leads', { leadTypeId: 'exclusive-fresh', source: 'form', contact, ...more }, asProgram);
};

test('DLV-12: evidence of consent is stored sealed, and shown to staff and to the buyer until the person is erased', async () => {
  const customerId = await shop.customer();
  await shop.order(customerId, { quantity: 1 });
  const { leadId } = (await send({ consent })).body;
  expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ consent: shown, consentedAt: shown.at });
  const bought = `/api/customers/${customerId}/leads/${leadId}`;
  expect(await shop.read(bought)).toMatchObject({ consent: shown });
  const [received] = await shop.history(`/api/leads/${leadId}`);
  expect(received?.data).toMatchObject({ consentedAt: shown.at, consent: shown });
  const log = JSON.stringify(await shop.log());
  for (const secret of [consent.ip, consent.text, 'name=Ann', 'certificates.example'])
    expect(log).not.toContain(secret);
  const reason = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked for it' };
  await shop.ask('POST', '/api/persons/erasures', { person: { leadId } }, 200, reason);
  expect(await shop.read(bought)).toMatchObject({ consent: null });
});

test('DLV-12: evidence that is none is refused with its field', async () => {
  const wrong = async (more: object) => (await send({ consent: { ...consent, ...more } })).body.errors[0].field;
  expect(await wrong({ page: 'javascript:alert(1)' })).toBe('consent.page');
  expect(await wrong({ certificate: 'http://certificates.example/9f2c' })).toBe('consent.certificate');
  expect(await wrong({ ip: '1.2.3' })).toBe('consent.ip');
  expect(await wrong({ at: 'yesterday' })).toBe('consent.at');
  expect(await wrong({ text: '' })).toBe('consent.text');
  expect(await wrong({ note: 'x' })).toBe('consent.note');
});

test('DLV-12: a store may require consent; a lead without it is refused, also in a file', async () => {
  expect((await send({})).status).toBe(201);
  await shop.publish({ changes: { consentRequired: true } });
  expect(await send({})).toMatchObject({ status: 409, body: { code: 'consent-missing', rule: 'DLV-12' } });
  expect((await send({ consent })).status).toBe(201);
  const row = (more: object) => ({ contact: { email: `agreed${people}@example.org` }, ...more });
  const file = [row({}), row({ consent })].map((one) => JSON.stringify(one)).join('\n');
  const path = '/api/leads/batches?leadTypeId=exclusive-fresh&source=file';
  const reply = await shop.server.call('POST', path, file, { ...asProgram, 'content-type': 'application/x-ndjson' });
  expect(reply.body).toMatchObject({ received: 1, rejected: 1, rejections: [{ line: 1 }] });
  await shop.server.settle();
  await shop.publish({ changes: { consentRequired: null } });
  expect((await send({})).status).toBe(201);
});

test('DLV-12: consent that was given in the future, or before there were forms, is refused; the tolerance of the policy counts', async () => {
  const at = (time: string) => send({ consent: { ...consent, at: time } });
  const tolerated = new Date(Date.parse(shop.now()) + 4 * 60_000).toISOString();
  expect(await at(tolerated)).toMatchObject({ status: 201 });
  for (const wrong of [
    new Date(Date.parse(shop.now()) + 6 * 60_000).toISOString(),
    '1970-01-01T00:00:00Z',
    '1989-12-31T23:59:59Z',
  ])
    expect(await at(wrong)).toMatchObject({ status: 409, body: { code: 'consent-at-wrong', rule: 'DLV-12' } });
});
