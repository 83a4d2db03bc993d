import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openShop, type Shop } from './shop.ts';

/* What a person who is a lead may see: all about that person with every customer, and nothing about the customers. */

let shop: Shop;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-exports-'));
  shop = await openShop({ directory });
});
afterAll(async () => {
  await shop.stop();
  await rm(directory, { recursive: true });
});

const support = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'Mr. Buyer was rude' };

interface Entry {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

async function historyOf(leadId: string): Promise<readonly Entry[]> {
  const { asLead } = await shop.ask('POST', '/api/persons/exports', { person: { leadId } }, 200, support);
  return asLead[0].history;
}

/** An order of a customer who gets each lead by mail and by webhook. */
async function buyer(leadTypeId: string) {
  const customerId = await shop.customer({ email: `buyer-of-${leadTypeId}@example.org` });
  const delivery = { mails: 'each', webhookUrl: 'https://buyer.example/leads' };
  await shop.ask('PUT', `/api/customers/${customerId}/lead-delivery`, delivery, 200, support);
  return { customerId, orderId: await shop.order(customerId, { leadTypeId }) };
}

test('a lead is exported with what was recorded at its customers: passed on by mail and webhook, rated, returned', async () => {
  const leadTypeId = await shop.leadType();
  const { customerId, orderId } = await buyer(leadTypeId);
  const [leadId, other] = [await shop.lead(leadTypeId), await shop.lead(leadTypeId)];
  await shop.ask('PUT', `/api/customers/${customerId}/leads/${leadId}/rating`, { rating: 2 }, 200, support);
  await shop.ask('PUT', `/api/customers/${customerId}/leads/${other}/rating`, { rating: 5 }, 200, support);
  const back = { orderId, leadId, reason: 'wrong number', note: 'She says that she never asked.' };
  const { replacementId } = await shop.ask('POST', '/api/replacements', back, 201, support);
  const denial = { explanation: 'Mr. Buyer, you have called the wrong number.' };
  await shop.ask('POST', `/api/replacements/${replacementId}/deny`, denial, 200, support);
  const history = await historyOf(leadId);
  const types = history.map(({ type }) => type);
  expect(types).toEqual(
    expect.arrayContaining([
      'LeadReceived',
      'LeadAssigned',
      'ContactAdded',
      'ContactRated',
      'MailWished',
      'MailSent',
      'WebhookWished',
      'ReplacementRequested',
      'ChargebackDenied',
    ]),
  );
  const dataOf = (type: string) => history.filter((entry) => entry.type === type).map(({ data }) => data);
  expect(dataOf('ContactRated')).toEqual([{ leadId, rating: 2 }]);
  expect(dataOf('ReplacementRequested')).toMatchObject([{ note: back.note }]);
  expect(dataOf('ChargebackDenied')).toEqual([{ orderId, leadId }]);
  expect(dataOf('MailWished')).toMatchObject([{ kind: 'leads-delivered', facts: { leadId } }]);
  expect(JSON.stringify(history)).not.toContain('Mr. Buyer');
});

test('a mail about a replacement goes with the lead that it shows, and tells nothing of the returned one', async () => {
  const leadTypeId = await shop.leadType();
  const { orderId } = await buyer(leadTypeId);
  const returned = await shop.lead(leadTypeId);
  const back = { orderId, leadId: returned, reason: 'wrong number', note: 'Xqnote' };
  const { replacementId } = await shop.ask('POST', '/api/replacements', back, 201, support);
  await shop.ask('POST', `/api/replacements/${replacementId}/grant`, {}, 200, support);
  await shop.wait({ seconds: 60 });
  const leadId = await shop.lead(leadTypeId, { contact: { firstName: 'Xqfirst', telephone: '+1 212 555 7001' } });
  await shop.wait({ seconds: 60 });
  const copies = async () => {
    const files = await readdir(join(directory, 'mails'));
    const texts = await Promise.all(files.map((file) => readFile(join(directory, 'mails', file), 'utf8')));
    return texts.filter((text) => text.includes('Xqfirst')).length;
  };
  expect(await copies()).toBe(1);
  const history = await historyOf(leadId);
  expect(history.map(({ type }) => type)).toEqual(expect.arrayContaining(['MailSent', 'WebhookWished']));
  expect(JSON.stringify(history)).not.toContain('Xqnote');
  await shop.ask('POST', '/api/persons/erasures', { person: { leadId } }, 200, support);
  expect(await copies()).toBe(0);
});
