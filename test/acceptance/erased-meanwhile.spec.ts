import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLaws } from '#audit/laws/laws';
import { idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { hashOfEvent } from '#event-store/event-hash';
import type { EventStore } from '#event-store/port';
import { type MailGateway, mailFiles } from '#gateways/mail';
import type { PaymentGateway } from '#gateways/payments';
import { sandboxRefunds } from '#gateways/refunds';
import type { Vault } from '#vault/vault';
import { EVENT_STORE, VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* A person is erased while something about the person is under way: nothing of it is left, and nothing more happens. */

let shop: Shop;
let folder: string;
let customersProgram: Server;
/** Calls of webhooks, and charges that the provider carried out. */
const seen = { calls: 0, charges: 0 };
let isAway = false;
/** The provider carries out charges, and its answers do not arrive. */
let isSilent = false;

const payments: PaymentGateway = {
  ...sandboxRefunds(),
  async capture() {
    if (isAway) throw new Error('no answer');
    seen.charges += 1;
    if (isSilent) throw new Error('no answer');
    return { captured: true, reference: `pay_${seen.charges}` };
  },
};
const untilSent = { promise: Promise.resolve() };

function slowMails(): MailGateway {
  const files = mailFiles(folder);
  const send: MailGateway['send'] = async (message) => {
    await untilSent.promise;
    return files.send(message);
  };
  return { ...files, send };
}

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'leadger-meanwhile-')), 'mails');
  shop = await openShop({ payments, mails: slowMails() });
  customersProgram = createServer((request, response) => {
    seen.calls += 1;
    request.resume();
    response.writeHead(isAway ? 500 : 200).end();
  });
  await new Promise<void>((resolve) => customersProgram.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await shop.stop();
  customersProgram.close();
  await rm(join(folder, '..'), { recursive: true });
});
beforeEach(() => {
  isAway = false;
  isSilent = false;
});

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'asked by letter' };
const erase = async (person: object) => {
  const { status, body } = await shop.server.call('POST', '/api/persons/erasures', { person }, support);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
};
const typesOf = async (id: string) =>
  (await shop.log()).filter(({ stream }) => stream.endsWith(id)).map(({ type }) => type);

/** The next box with this purpose is made, and its request waits. */
function holdSealOf(purpose: string): { sealed: Promise<void>; release: () => void } {
  const vault = shop.server.application.get<Vault>(VAULT);
  const { seal } = vault;
  const [sealed, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  vault.seal = async (subject, forWhat, value) => {
    const box = await seal.call(vault, subject, forWhat, value);
    if (forWhat !== purpose) return box;
    vault.seal = seal;
    sealed.resolve();
    await released.promise;
    return box;
  };
  return { sealed: sealed.promise, release: released.resolve };
}

test('a lead that is being received when its person is erased is erased too, and nobody gets it', async () => {
  const leadTypeId = await shop.leadType();
  const orderId = await shop.order(await shop.customer(), { leadTypeId });
  const contact = { telephone: '+1 212 555 1001', email: 'late@example.org', firstName: 'Zoë' };
  const held = holdSealOf('contact');
  const receiving = shop.try('POST', '/api/leads', { leadTypeId, source: 'web', contact });
  await held.sealed;
  expect(await erase({ telephone: contact.telephone })).toEqual({ customers: 0, leads: 0 });
  held.release();
  const { leadId } = (await receiving).body;
  expect(await shop.read(`/api/leads/${leadId}`)).toMatchObject({ contact: null, withdrawn: true, openPlaces: 0 });
  expect((await shop.read(`/api/orders/${orderId}`)).deliveredLeads).toBe(0);
  const facts = (await shop.log()).filter(({ type }) => type === 'PersonErased');
  expect(facts.at(-1)?.data.subjects).toEqual([`lead-${leadId}`]);
  await expect(shop.server.application.get<Vault>(VAULT).seal(`lead-${leadId}`, 'note', 1)).rejects.toMatchObject({
    code: 'person-erased',
  });
});

test('an order that is being placed when its customer is erased is cancelled, and charged nothing', async () => {
  const customerId = await shop.customer();
  const charges = seen.charges;
  // The reason is sealed last.
  const held = holdSealOf('reason');
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' };
  const placing = shop.try('POST', '/api/orders', order, support);
  await held.sealed;
  await erase({ customerId });
  held.release();
  const { orderId } = (await placing).body;
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled' });
  expect(seen.charges).toBe(charges);
});

test('an order whose card is being sealed when its customer is erased is refused', async () => {
  const customerId = await shop.customer();
  const held = holdSealOf('payment-token');
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' };
  const placing = shop.try('POST', '/api/orders', order);
  await held.sealed;
  await erase({ customerId });
  held.release();
  expect(await placing).toMatchObject({ status: 409, body: { code: 'person-erased' } });
});

test('a return that is being requested when its customer is erased ends', async () => {
  const leadTypeId = await shop.leadType();
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { leadTypeId });
  const leadId = await shop.lead(leadTypeId);
  const held = holdSealOf('reason');
  const requesting = shop.try('POST', '/api/replacements', { orderId, leadId, reason: 'wrong number' }, support);
  await held.sealed;
  await erase({ customerId });
  held.release();
  const { replacementId } = (await requesting).body;
  expect(await shop.read(`/api/replacements/${replacementId}`)).toMatchObject({ status: 'ended' });
});

test('a return that is being granted when its customer is erased ends, and nothing is owed', async () => {
  const leadTypeId = await shop.leadType();
  const customerId = await shop.customer();
  const orderId = await shop.order(customerId, { leadTypeId });
  const leadId = await shop.lead(leadTypeId);
  const back = { orderId, leadId, reason: 'wrong number' };
  const { replacementId } = await shop.ask('POST', '/api/replacements', back, 201);
  const held = holdSealOf('reason');
  const granting = shop.try('POST', `/api/replacements/${replacementId}/grant`, {}, support);
  await held.sealed;
  const erasing = erase({ customerId });
  held.release();
  await Promise.all([granting, erasing]);
  await shop.server.settle();
  expect(await shop.read(`/api/replacements/${replacementId}`)).toMatchObject({ status: 'ended' });
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ replacementsOwed: 0 });
});

test('a ticket that is being opened when its customer is erased is closed', async () => {
  const customerId = await shop.customer();
  const held = holdSealOf('reason');
  const opening = shop.try('POST', '/api/tickets', { customerId, subject: 'Leads', message: 'Where?' }, support);
  await held.sealed;
  await erase({ customerId });
  held.release();
  const { ticketId } = (await opening).body;
  expect(await shop.read(`/api/tickets/${ticketId}`)).toMatchObject({ status: 'closed', subject: null });
});

test('a charge and a renewal that wait for the provider are not carried out after the erasure', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const loyalty = { cadence: 'weekly' };
  const [first, second] = [await shop.customer(), await shop.customer()];
  const renewed = await shop.order(first, { leadTypeId, loyalty });
  await shop.wait({ days: 3 });
  isAway = true;
  await shop.wait({ days: 4 });
  const placed = await shop.order(second, { leadTypeId, loyalty });
  expect(await typesOf(renewed)).toContain('RenewalBegun');
  const charges = seen.charges;
  for (const customerId of [first, second]) await erase({ customerId });
  isAway = false;
  await shop.wait({ days: 10 });
  expect(seen.charges).toBe(charges);
  for (const orderId of [renewed, placed]) {
    expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled' });
    expect(await shop.read(`/api/programmes/${orderId}`)).toMatchObject({ status: 'cancelled' });
  }
});

test('a charge whose answer was lost before its customer was erased is unknown, not declined, and staff see it', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const [first, second] = [await shop.customer(), await shop.customer()];
  const renewed = await shop.order(first, { leadTypeId, loyalty: { cadence: 'weekly' } });
  isSilent = true;
  await shop.wait({ days: 7 });
  const placed = await shop.order(second, { leadTypeId });
  expect(seen.charges).toBeGreaterThan(2);
  const { charges } = seen;
  for (const customerId of [first, second]) await erase({ customerId });
  isSilent = false;
  await shop.wait({ days: 1 });
  expect(seen.charges).toBe(charges);
  const results = (await shop.log()).filter(
    ({ type, stream }) => /Unknown$|Declined$|Captured/.test(type) && [renewed, placed].includes(idOf(stream)),
  );
  expect(results.map(({ type, stream }) => [type, idOf(stream)])).toEqual([
    ['PaymentCaptured', renewed],
    ['PaymentUnknown', placed],
    ['RenewalUnknown', renewed],
  ]);
  expect(results.slice(1).map(({ data }) => data)).toMatchObject([
    { chargeKey: deriveId('capture-payment', placed), amountCents: 1000, currency: 'USD' },
    { chargeKey: deriveId('charge-renewal', renewed, '1', '1'), renewalNumber: 1, attempt: 1, amountCents: 1000 },
  ]);
  const { items } = await shop.read('/api/attention?reason=payment-unknown');
  const orderIds = items.map(({ orderId }: { orderId: string }) => orderId);
  expect(orderIds).toEqual(expect.arrayContaining([renewed, placed]));
});

/** An order and a renewal whose charges have no answer, and whose customers are erased. */
async function unknownPayments(): Promise<readonly [string, string]> {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const [first, second] = [await shop.customer(), await shop.customer()];
  const renewed = await shop.order(first, { leadTypeId, quantity: 1, loyalty: { cadence: 'weekly' } });
  for (let delivered = 0; delivered < 2; delivered += 1) await shop.lead(leadTypeId);
  expect(await shop.read(`/api/orders/${renewed}`)).toMatchObject({ status: 'filled' });
  isSilent = true;
  await shop.wait({ days: 7 });
  const placed = await shop.order(second, { leadTypeId });
  for (const customerId of [first, second]) await erase({ customerId });
  isSilent = false;
  await shop.wait({ days: 1 });
  expect(await unknownNow()).toEqual(expect.arrayContaining([placed, renewed]));
  return [placed, renewed];
}
const unknownNow = async () =>
  (await shop.read('/api/attention?reason=payment-unknown')).items.map(({ orderId }: { orderId: string }) => orderId);
const resolve = (orderId: string, body: object, headers: object = support) =>
  shop.try('POST', `/api/orders/${orderId}/unknown-payment/resolve`, body, headers as Record<string, string>);

test('CHK-6: staff record that an unknown payment or renewal was captured, and the money is given back', async () => {
  for (const [index, orderId] of (await unknownPayments()).entries()) {
    const found = { result: 'captured', reference: `pay_found_${index}` };
    expect(await resolve(orderId, found, { 'leadger-actor': 'staff:ada' })).toMatchObject({ status: 400 });
    const etag = (await shop.try('GET', `/api/orders/${orderId}`)).headers.get('etag') as string;
    const stale = await resolve(orderId, found, { ...support, 'if-match': '"0"' });
    expect(stale).toMatchObject({ status: 412, body: { code: 'revision-mismatch' } });
    expect(await resolve(orderId, found, { ...support, 'if-match': etag })).toMatchObject({ status: 200 });
    await shop.server.settle();
    expect(await unknownNow()).not.toContain(orderId);
    const { items } = await shop.read(`/api/refunds?orderId=${orderId}`);
    expect(items).toMatchObject([{ renewalNumber: index, cause: 'captured-too-late', status: 'made' }]);
    const receipts = await shop.read(`/api/receipts?orderId=${orderId}`);
    expect(receipts.items.map(({ kind }: { kind: string }) => kind).sort()).toEqual(
      index === 0 ? ['charge', 'refund'] : ['charge', 'charge', 'refund'],
    );
    expect(await typesOf(orderId)).not.toContain('OrderReopened');
    expect(await resolve(orderId, { result: 'not-captured' })).toMatchObject({
      status: 409,
      body: { code: 'payment-captured' },
    });
  }
});

test('CHK-4: staff record that an unknown payment or renewal was not captured, and it waits for nobody', async () => {
  for (const orderId of await unknownPayments()) {
    expect(await resolve(orderId, { result: 'not-captured' })).toMatchObject({ status: 200 });
    expect(await unknownNow()).not.toContain(orderId);
    expect((await shop.read(`/api/refunds?orderId=${orderId}`)).items).toEqual([]);
    expect(await resolve(orderId, { result: 'captured' })).toMatchObject({ body: { code: 'finding-incomplete' } });
  }
});

test('a card whose token an older version stored as it is is not charged after the erasure', async () => {
  // Without an e-mail address there is no box whose key tells that the customer was erased.
  const customerId = await shop.customer();
  const model = await shop.order(customerId);
  const placed = (await shop.log()).find(({ stream }) => stream === `order-${model}`);
  const orderId = deriveId('order of an older version', customerId);
  const id = deriveId('event of an older version', customerId);
  const { schemaVersion: _, ...cause } = placed?.metadata ?? {};
  const stored = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const data = stored({ ...placed?.data, paymentToken: 'tok_ok' });
  isAway = true;
  const event = { id, type: 'OrderPlaced', data, metadata: stored({ ...cause, commandId: id }) };
  await shop.server.application.get<EventStore>(EVENT_STORE).append(`order-${orderId}`, [event], 'no-stream');
  await shop.server.settle();
  const { charges } = seen;
  await erase({ customerId });
  isAway = false;
  await shop.wait({ days: 1 });
  expect(seen.charges).toBe(charges);
  expect(await shop.read(`/api/orders/${orderId}`)).toMatchObject({ status: 'cancelled' });
});

test('a paused order does not restart, and a checkout under way ends without an order', async () => {
  const leadTypeId = await shop.leadType({ qualifiesForLoyaltyRewards: true });
  const customerId = await shop.customer();
  const paused = await shop.order(customerId, { leadTypeId, loyalty: { cadence: 'once-a-month' } });
  await shop.ask('POST', `/api/orders/${paused}/pause`);
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', { customerId, leadTypeId, quantity: 2 });
  await erase({ customerId });
  const placing = await shop.try('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' });
  expect(placing).toMatchObject({ status: 409, body: { code: 'person-erased' } });
  const again = await shop.try('POST', '/api/checkouts', { customerId, leadTypeId, quantity: 2 });
  expect(again).toMatchObject({ status: 409, body: { code: 'person-erased' } });
  await shop.wait({ days: 10 });
  expect(await typesOf(paused)).not.toContain('OrderRestarted');
  expect(await shop.read(`/api/checkouts/${checkoutId}`)).toMatchObject({ status: 'abandoned' });
});

test('a webhook that failed before is not called again, and a mail that waits is not sent', async () => {
  const leadTypeId = await shop.leadType();
  const customerId = await shop.customer({ email: 'buyer@example.org' });
  const { port } = customersProgram.address() as AddressInfo;
  const program = { mails: 'digest', webhookUrl: `http://127.0.0.1:${port}/leads` };
  await shop.ask('PUT', `/api/customers/${customerId}/lead-delivery`, program, 200, support);
  await shop.order(customerId, { leadTypeId });
  isAway = true;
  await shop.lead(leadTypeId);
  const { calls } = seen;
  expect(calls).toBe(1);
  await erase({ customerId });
  isAway = false;
  await shop.wait({ days: 2 });
  expect(seen.calls).toBe(calls);
  const results = (await shop.log()).filter(
    ({ type, data }) => type === 'MailWithheld' && data.customerId === customerId,
  );
  expect(results.map(({ data }) => [data.kind, data.reason])).toContainEqual(['leads-delivered', 'erased']);
});

test('a mail that is being written when its customer is erased leaves no copy', async () => {
  const customerId = await shop.customer({ email: 'reader@example.org' });
  await shop.order(customerId);
  await shop.server.settle();
  expect(await readdir(folder)).not.toEqual([]);
  const sending = Promise.withResolvers<void>();
  untilSent.promise = sending.promise;
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' };
  expect(await shop.server.call('POST', '/api/orders', order)).toMatchObject({ status: 201 });
  await erase({ customerId });
  expect(await readdir(folder)).toEqual([]);
  sending.resolve();
  await shop.server.settle();
  expect(await readdir(folder)).toEqual([]);
});

test('the laws hold', async () => {
  // The log's own clock is that of its last event.
  await shop.customer();
  const events = shop.server.application.get<EventStore>(EVENT_STORE);
  const { laws } = await checkLaws(events, { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, broken]) => broken > 0)).toEqual([]);
});
