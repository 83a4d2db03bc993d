import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Message, mailFiles } from '#gateways/mail';
import { authorized, openSupport, staff } from './support-letters.ts';

const FRIDAY = '2026-06-12T16:00:00.000Z';
let support: Awaited<ReturnType<typeof openSupport>>;

beforeAll(async () => {
  support = await openSupport({ start: FRIDAY });
});
afterAll(() => support.shop.stop());
afterEach(() => support.closeAll());

const texts = (tickets: readonly { readonly messages: readonly { readonly text: string | null }[] }[]) =>
  tickets.flatMap(({ messages }) => messages.map(({ text }) => text));
const reasons = async () => (await support.aside()).map(({ setAside }) => setAside);

test('SUP-3: a reply that is brought twice stands in its ticket once, also after others', async () => {
  const from = 'reply@example.net';
  await support.send({ from });
  const [{ ticketId } = { ticketId: '' }] = await support.queue();
  const reply = support.written({ from, subject: `Re: [${ticketId}]`, text: 'Once.' });
  await support.bring(reply);
  await support.send({ from, subject: `Re: [${ticketId}]`, text: 'Another.' });
  await support.bring(reply);
  expect(texts(await support.queue())).toEqual(['Nothing came.', 'Once.', 'Another.']);
});

test('SUP-3: two mails with one Message-ID are both kept where they say different things', async () => {
  const headers = { 'Message-ID': '<always-the-same@form.example>' };
  for (const text of ['The first.', 'The second.', 'The first.'])
    await support.send({ from: 'form@example.net', text, headers });
  expect(texts(await support.queue()).sort()).toEqual(['The first.', 'The second.']);
});

test('SUP-3: an address opens so many tickets a day as the policy says; later mails are set aside, and none is lost', async () => {
  const { shop } = support;
  await shop.publish({ changes: { ticketsByMailADay: 3 } });
  const from = 'machine@example.net';
  const sent = Array.from({ length: 5 }, (_, index) => `Mail ${index}.`);
  const mails = sent.map((text) => support.written({ from, text }));
  await Promise.all(mails.map((mail) => support.bring(mail)));
  for (const mail of mails) await support.bring(mail);
  expect(await support.queue()).toHaveLength(3);
  expect(await reasons()).toEqual(['too-many', 'too-many']);
  expect(texts([...(await support.queue()), ...(await support.aside())]).sort()).toEqual(sent);

  const [{ ticketId } = { ticketId: '' }] = await support.queue();
  expect(await support.send({ from: 'another@example.net' })).toBe(true);
  expect(await support.send({ from, subject: `[${ticketId}]`, text: 'A reply is no new ticket.' })).toBe(true);
  await shop.wait({ days: 1 });
  expect(await support.send({ from, text: 'The next day.' })).toBe(true);
  await shop.publish({ changes: { ticketsByMailADay: null } });
});

test.each([
  ['automatic', { 'Auto-Submitted': 'auto-replied' }],
  ['spam', { 'X-Spam-Flag': 'YES' }],
  ['automatic', { 'Return-Path': '<>' }],
])('SUP-3: what is %s is listed with that reason, and support makes a ticket of it', async (reason, headers) => {
  const { shop } = support;
  const written = { from: `${reason}@example.net`, subject: 'About leads', headers: headers as Record<string, string> };
  const mail = support.written(written);
  await support.bring(mail);
  await support.bring(mail);
  expect(await support.queue()).toEqual([]);
  expect((await shop.read('/api/tickets')).items.some((one: { status: string }) => one.status === 'set-aside')).toBe(
    false,
  );
  const listed = await support.aside();
  expect(listed).toMatchObject([
    { setAside: reason, subject: 'About leads', answerTo: written.from, messages: [{ text: 'Nothing came.' }] },
  ]);
  const path = `/api/tickets/${listed[0]?.ticketId}`;
  expect(await shop.try('POST', `${path}/answer`, { answer: 'No.' }, staff)).toMatchObject({
    ...{ status: 409, body: { code: 'ticket-set-aside' } },
  });
  for (const headers of [{ 'leadger-actor': 'staff:ada' }, { 'leadger-actor': `customer:${listed[0]?.customerId}` }])
    expect((await shop.try('POST', `${path}/take-up`, undefined, headers)).status).toBeGreaterThanOrEqual(400);
  expect(await support.queue()).toEqual([]);
  await shop.ask('POST', `${path}/take-up`, undefined, 200, staff);
  await shop.ask('POST', `${path}/take-up`, undefined, 200, staff);
  await support.bring(mail);
  expect(await support.aside()).toEqual([]);
  expect(await support.queue()).toMatchObject([
    { ticketId: listed[0]?.ticketId, messages: [{ actor: 'system:mailbox', text: 'Nothing came.' }] },
  ]);
  const answer = await support.answer(listed[0]?.ticketId as string);
  expect(answer).toMatchObject({ to: written.from, threadSubject: 'Re: About leads' });
});

test('SUP-3: our own mails, also under the name of another, are set aside as such', async () => {
  await support.send({ from: 'customer@example.net' });
  const [{ ticketId } = { ticketId: '' }] = await support.queue();
  const { messageId } = await support.answer(ticketId);
  await support.send({ from: support.address, text: 'Ours.' });
  await support.send({ from: 'forwarder@example.net', headers: { 'Message-ID': `<${messageId}>` } });
  expect(await reasons()).toEqual(['own-mail', 'own-mail']);
});

test('SUP-3: a mail without an address to answer, or too large, is kept as far as it can be read', async () => {
  const { shop } = support;
  const anonymous = ['Subject: Hello', 'Message-ID: <n@mail.example>', '', 'Who am I?', ''].join('\r\n');
  await support.bring(anonymous);
  const [listed] = await support.aside();
  expect(listed).toMatchObject({ setAside: 'no-sender', subject: 'Hello', messages: [{ text: 'Who am I?' }] });
  const refused = await shop.try('POST', `/api/tickets/${listed?.ticketId}/take-up`, undefined, staff);
  expect(refused).toMatchObject({ status: 409, body: { code: 'ticket-without-address' } });
  await support.closeAll();

  const large = support.written({ from: 'large@example.net', text: 'x'.repeat(30 * 1024 * 1024) });
  await support.bring(large);
  expect(await support.aside()).toMatchObject([{ setAside: 'too-large', subject: 'Late leads' }]);
});

test('SUP-3: a mail whose text stands in the subject is a ticket; one that says nothing is set aside', async () => {
  expect(await support.send({ from: 'short@example.net', subject: 'Please call', text: '' })).toBe(true);
  expect(await support.send({ from: 'short@example.net', subject: '', text: '' })).toBe(false);
  expect(await reasons()).toEqual(['empty']);
});

test('SUP-3: what became of mails is counted, by reason', async () => {
  const count = async (result: string) => {
    const { text } = await support.shop.try('GET', '/metrics');
    return Number(new RegExp(`leadger_support_mails_total\\{result="${result}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  };
  const before = await count('spam');
  await support.send({ from: 'spam@example.net', headers: { 'X-Spam-Flag': 'YES' } });
  expect(await count('spam')).toBe(before + 1);
  expect(await count('opened')).toBeGreaterThan(0);
});

test('SUP-3: a provider without the secret sets nothing aside', async () => {
  const { authorization: _, ...none } = authorized;
  await support.bring(support.written({ from: 'x@example.net', headers: { 'X-Spam-Flag': 'YES' } }), none);
  expect(await support.aside()).toEqual([]);
});

test('SUP-3: two stores that write to each other end at once: what each sends is set aside by the other', async () => {
  const other = await openSupport({ start: FRIDAY });
  const directory = await mkdtemp(join(tmpdir(), 'leadger-two-stores-'));
  const copies = mailFiles(directory);
  const asSent = async (message: Message) => {
    await copies.send(message);
    return (await copies.copyOf?.(message.messageId)) as string;
  };
  try {
    const webAddress = 'https://other.example';
    await other.shop.ask('PUT', '/api/stores/main/web-address', { webAddress }, 200, staff);
    await other.send({ from: support.address, to: 'support@other.example', text: 'From a person of the first store.' });
    for (const { ticketId } of await other.queue()) await other.answer(ticketId);
    expect(other.mails.sent.map(({ to }) => to)).toEqual([support.address]);
    const before = support.mails.sent.length;
    for (const message of other.mails.sent) await support.bring(await asSent(message));
    expect(await support.queue()).toEqual([]);
    expect(new Set(await reasons())).toEqual(new Set(['automatic']));
    expect(support.mails.sent).toHaveLength(before);
  } finally {
    await rm(directory, { recursive: true });
    await other.shop.stop();
  }
});
