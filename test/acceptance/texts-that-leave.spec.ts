import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { logLines } from '#apps/cli/export';
import { customerStream } from '#domain/accounts/customer';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { mailInMemory } from '#gateways/mail';
import { CommandHandler } from '#requests/command-handler';
import { eventsAreElsewhere } from '#test/event-stores/event-stores';
import type { Vault } from '#vault/vault';
import { VAULT } from '#wiring/tokens';
import { openShop, type Shop } from './shop.ts';

/* Versions before took any character in contacts and names, and the log has them for ever. */

/** NUL, what a terminal acts on, half a character, and what turns the direction of a text. */
const bad = (name: string) => `${name}\0\u001b[31m\ud800\u009b\u202e!`;
const shown = (name: string) => `${name}\ufffd\ufffd[31m\ufffd\ufffd!`;
const MUST_NOT_LEAVE = /(?![\t\r\n])[\p{Cc}\p{Cs}]|[\u202a-\u202e\u2066-\u2069]/u;

const contactWith = (form: typeof bad) => ({
  firstName: form('Ann'),
  lastName: 'Example',
  comment: `${form('call')}\n\tlater`,
  extraFields: { [form('job')]: form('baker') },
});
const numbers = { telephone: '+1 213 555 0199', email: 'ann@example.org' };
const stored = { ...contactWith(bad), ...numbers, telephone: `\u202a${numbers.telephone}\u202c` };
const clean = { ...contactWith(shown), ...numbers };

let shop: Shop;
let directory: string;
const mails = mailInMemory();
const calls: string[] = [];
const program = createServer((message, reply) => {
  void text(message).then((body) => {
    calls.push(body);
    reply.writeHead(204).end();
  });
});
let customerId: string;
let leadId: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-texts-'));
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  const webhookUrl = `http://127.0.0.1:${(program.address() as AddressInfo).port}/leads`;
  shop = await openShop({ mails, directory: join(directory, 'store') });
  customerId = await shop.customer({ email: 'pat.buyer@example.org' });
  await rename(customerId, { firstName: bad('Pat'), lastName: 'Buyer' });
  const delivery = { mails: 'each', webhookUrl };
  await shop.ask('PUT', `/api/customers/${customerId}/lead-delivery`, delivery, 200, {
    'leadger-actor': `customer:${customerId}`,
  });
  const leadTypeId = await shop.leadType();
  await shop.order(customerId, { leadTypeId });
  leadId = await shop.olderLead(leadTypeId, stored);
});
afterAll(async () => {
  await shop.stop();
  await new Promise((resolve) => program.close(resolve));
  await rm(directory, { recursive: true });
});

/** As a version before stored a name. */
async function rename(id: string, name: object): Promise<void> {
  const { application, clock } = shop.server;
  const stream = customerStream(id);
  const box = await application.get<Vault>(VAULT).seal(stream, 'name', name);
  const commandId = deriveId('older name', id);
  const caller = trialCaller(`customer:${id}`);
  const cause = { commandId, correlationId: commandId, actor: caller.actor };
  const command = { type: 'ChangeName', at: clock.now(), name: box } as const;
  expect(await application.get(CommandHandler).execute({ stream, command, caller, cause })).toMatchObject({
    kind: 'accepted',
  });
}

/** All texts of a value, also the names of members, each on a line. */
const textsIn = (value: unknown): string => {
  if (typeof value === 'string') return `${value}\n`;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, member]) => `${name}\n${textsIn(member)}`)
    .join('');
};
const reason = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'a letter' };

test('DLV-9: what an older version stored is in the log as it was', async () => {
  const received = (await shop.log()).find(({ stream }) => stream === `lead-${leadId}`);
  expect(await shop.opened(received?.data.contact)).toEqual(stored);
});

test.each([
  ['the list of leads', async () => shop.read(`/api/customers/${customerId}/leads`)],
  ['a delivered lead', async () => shop.read(`/api/customers/${customerId}/leads/${leadId}`)],
  ['a lead', async () => shop.read(`/api/leads/${leadId}`)],
  ['the history of a lead', async () => shop.ask('GET', `/api/leads/${leadId}/history`)],
  ['the export of a person', async () => shop.ask('POST', '/api/persons/exports', { person: { leadId } }, 200, reason)],
  ['the message to a program', async () => JSON.parse(calls.find((body) => body.includes('lead.delivered')) as string)],
])('BCK-1: %s shows the contact with a mark for each character that cannot be shown', async (_, read) => {
  const answer = textsIn(await read());
  expect(answer).not.toMatch(MUST_NOT_LEAVE);
  for (const one of textsIn(clean).split('\n').filter(Boolean)) expect(answer).toContain(one);
});

// Where the events are elsewhere, the log in the directory has those of other programs, too, which an export of it cannot read.
(eventsAreElsewhere ? test.skip : test)('BCK-1: the opened log shows the contact in the same way', async () => {
  const lines: string[] = [];
  for await (const line of logLines({ directory: join(directory, 'store') }, { opened: true })) lines.push(line);
  const answer = textsIn(JSON.parse(lines.find((line) => line.includes('LeadReceived')) as string));
  expect(answer).not.toMatch(MUST_NOT_LEAVE);
  for (const one of textsIn(clean).split('\n').filter(Boolean)) expect(answer).toContain(one);
});

test('DLV-9: the file of delivered leads has no such character, and the name of its person is found', async () => {
  const csv: string = await shop.read(`/api/customers/${customerId}/leads.csv?search=${encodeURIComponent('ann')}`);
  expect(csv).not.toMatch(MUST_NOT_LEAVE);
  for (const one of [clean.firstName, clean.telephone, shown('call'), shown('baker')]) expect(csv).toContain(one);
});

test('NTF-1: mails about the lead have no such character', async () => {
  const sent = mails.sent.filter(({ text }) => text.includes(numbers.telephone));
  expect(sent).toHaveLength(1);
  for (const { from, subject, text, html } of mails.sent)
    expect(textsIn({ from, subject, text, html })).not.toMatch(MUST_NOT_LEAVE);
  expect(sent[0]?.text).toContain(`Hello ${shown('Pat')},`);
  for (const one of [clean.firstName, shown('job'), shown('baker')]) expect(sent[0]?.text).toContain(one);
});

test('CHK-8, CHK-6: receipts and what is known of a customer have no such character', async () => {
  const [{ receiptId }] = (await shop.read('/api/receipts')).items;
  const page: string = await shop.ask('GET', `/api/receipts/${receiptId}/html`);
  expect(page).toContain(`${shown('Pat')} Buyer`);
  const customer = await shop.read(`/api/customers/${customerId}`);
  const whole = await shop.ask('GET', `/api/customers/${customerId}/whole-history`, undefined, 200, reason);
  for (const answer of [page, customer, whole]) expect(textsIn(answer)).not.toMatch(MUST_NOT_LEAVE);
  expect(textsIn(whole)).toContain(shown('Pat'));
});
