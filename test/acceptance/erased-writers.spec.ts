import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSupport, staff } from './support-letters.ts';

/* Somebody without an account who wrote to support is a person like any other: exported, erased, and new afterwards. */

/** In every address, text and subject. */
const CANARY = 'Canary7Xw';
const FROM = `${CANARY}@example.net`;
let directory: string;
let support: Awaited<ReturnType<typeof openSupport>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-writers-'));
  support = await openSupport({ start: '2026-06-12T16:00:00.000Z', directory });
});
afterAll(async () => {
  await support.shop.stop();
  await rm(directory, { recursive: true });
});

const found = (person: object) => support.shop.ask('POST', '/api/persons/exports', { person }, 200, staff);
const erase = (person: object) => support.shop.ask('POST', '/api/persons/erasures', { person }, 200, staff);

async function filesWith(content: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const bytes = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return files.filter((_, index) => bytes[index]?.toLowerCase().includes(content.toLowerCase()));
}

test('SUP-2: a writer without an account is found, exported and erased by the address, and a later mail begins anew', async () => {
  const { shop } = support;
  const first = support.written({ from: FROM, subject: `${CANARY} asks`, text: `I am ${CANARY}.` });
  await support.bring(first);
  await support.send({ from: FROM.toUpperCase(), headers: { 'X-Spam-Flag': 'YES' }, text: `Aside ${CANARY}.` });
  const [ticket] = await support.queue();
  const { customerId = '', ticketId = '' } = ticket ?? {};
  const answer = await support.answer(ticketId);
  const reply = support.written({ from: FROM, text: 'Thanks.', headers: { 'In-Reply-To': `<${answer.messageId}>` } });
  await support.bring(reply);
  const leadTypeId = await shop.leadType();
  const leadId = await shop.lead(leadTypeId, { contact: { telephone: '+1 212 555 0177', email: FROM } });

  for (const name of [{ email: FROM }, { customerId }, { leadId }, { telephone: '+1 212 555 0177' }]) {
    const { asCustomer, asLead } = await found(name);
    expect(asCustomer.map((one: { customerId: string }) => one.customerId)).toEqual([customerId]);
    expect(asLead).toHaveLength(1);
    for (const text of [`I am ${CANARY}.`, `Aside ${CANARY}.`, `${CANARY} asks`, 'They come today.', 'Thanks.'])
      expect(JSON.stringify(asCustomer)).toContain(text);
  }

  expect(await erase({ email: FROM })).toEqual({ customers: 1, leads: 1 });
  expect((await found({ email: FROM })).asCustomer).toEqual([]);
  expect(JSON.stringify((await shop.read(`/api/tickets/${ticketId}`)).messages)).not.toContain(CANARY);
  expect(await support.queue()).toEqual([]);
  expect(await support.aside()).toEqual([]);
  expect(JSON.stringify((await found({ customerId })).asCustomer)).not.toContain('Thanks.');

  // What is in a mailbox still, or comes from the provider again.
  await support.bring(first);
  await support.bring(reply);
  expect(await support.queue()).toEqual([]);

  expect(await support.send({ from: FROM, text: 'It is me again.' })).toBe(true);
  const [anew] = await support.queue();
  expect(anew).toMatchObject({ messages: [{ text: 'It is me again.' }] });
  expect(anew?.customerId).not.toBe(customerId);
  expect((await support.answer(anew?.ticketId as string)).to).toBe(FROM);
  expect((await found({ email: FROM })).asCustomer).toMatchObject([{ customerId: anew?.customerId }]);
  expect(await erase({ email: FROM })).toMatchObject({ customers: 1 });
  expect(await erase({ email: FROM })).toMatchObject({ customers: 0 });
  expect(await filesWith('ticket-closed-by-nobody')).toEqual([]);
  expect((await filesWith('TicketOpened')).length).toBeGreaterThan(0);
  expect(await filesWith(CANARY)).toEqual([]);
  expect(await filesWith(Buffer.from(FROM).toString('base64').slice(0, -4))).toEqual([]);
  expect(shop.server.errors).toEqual([]);
});

test('SUP-3: a customer who was erased writes as somebody without an account', async () => {
  const { shop } = support;
  const email = 'was-a-customer@example.org';
  const customerId = await shop.customer({ email });
  await support.send({ from: email, text: 'As a customer.' });
  await erase({ customerId });
  expect(await support.send({ from: email, text: 'As a stranger.' })).toBe(true);
  const [anew] = await support.queue();
  expect(anew?.customerId).not.toBe(customerId);
  expect((await found({ email })).asCustomer).toMatchObject([{ customerId: anew?.customerId }]);
  await erase({ email });
  expect(await support.queue()).toEqual([]);
});
