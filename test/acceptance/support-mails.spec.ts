import { addDays } from '#domain/kernel/instants';
import { mailDomainOf } from '#domain/kernel/web-address';
import { type Message, mailInMemory } from '#gateways/mail';
import { supportMail } from '#gateways/support-mail';
import { openShop, type Shop } from './shop.ts';

const FRIDAY = '2026-06-12T16:00:00.000Z';
const SECRET = 'a secret of the provider'.replaceAll(' ', '-');
const mails = mailInMemory();
let shop: Shop;
let support: string;
let letters = 0;

beforeAll(async () => {
  shop = await openShop({ start: FRIDAY, mails, supportMail: supportMail({ secret: SECRET }) });
  const { items } = await shop.ask('GET', '/api/stores');
  support = `support@${mailDomainOf(items[0].webAddress)}`;
});
afterAll(() => shop.stop());

const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'looked the order up' };
const authorized = { authorization: `Basic ${Buffer.from(`leadger:${SECRET}`).toString('base64')}` };

interface Written {
  readonly from: string;
  readonly to?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
const written = ({ from, to = support, subject = 'Late leads', text = 'Nothing came.', headers = {} }: Written) => {
  letters += 1;
  const all = { 'Message-ID': `<letter-${letters}@mail.example>`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`From: Wombat <${from}>`, `To: ${to}`, `Subject: ${subject}`, ...lines, '', text, ''].join('\r\n');
};
const bring = (mail: string, headers: Record<string, string> = authorized) =>
  shop.try('POST', '/api/support-mails', mail, { 'content-type': 'message/rfc822', ...headers });
const send = async (letter: Written): Promise<boolean> => {
  const { status, body } = await bring(written(letter));
  expect(status).toBe(200);
  return body.taken;
};
const queue = async () => (await shop.read('/api/tickets?status=open')).items;
const answer = async (ticketId: string): Promise<Message> => {
  await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'They come today.' }, 200, staff);
  return mails.sent.at(-1) as Message;
};
let people = 0;
const customer = async () => {
  people += 1;
  const email = `customer${people}@example.org`;
  return { email, customerId: await shop.customer({ email, password: 'open, grey wombat' }) };
};

afterEach(async () => {
  for (const { ticketId } of await queue())
    await shop.ask('POST', `/api/tickets/${ticketId}/close`, undefined, 200, staff);
});

test('SUP-3: a mail of a customer to support is a ticket of the customer, due as any other', async () => {
  const { email, customerId } = await customer();
  expect(await send({ from: email.toUpperCase() })).toBe(true);
  expect(await queue()).toMatchObject([
    {
      ...{ customerId, storeId: 'main', subject: 'Late leads', dueAt: addDays(FRIDAY, 4), status: 'open' },
      messages: [{ actor: 'system:mailbox', text: 'Nothing came.' }],
    },
  ]);
});

test('SUP-3: the answer is a mail in the same thread, and a reply to it is a message of the ticket', async () => {
  const { email } = await customer();
  await send({ from: email, headers: { 'Message-ID': '<first@mail.example>', References: '<before@mail.example>' } });
  const [{ ticketId }] = await queue();
  const sent = await answer(ticketId);
  expect(sent).toMatchObject({
    to: email,
    thread: ['before@mail.example', 'first@mail.example'],
    threadSubject: 'Re: Late leads',
    replyTo: support.replace('@', `+${ticketId}@`),
  });
  await send({
    from: email,
    subject: 'Re: Our answer',
    text: 'No.',
    headers: { 'In-Reply-To': `<${sent.messageId}>` },
  });
  expect(await queue()).toMatchObject([
    { ticketId, messages: ['Nothing came.', 'They come today.', 'No.'].map((text) => ({ text })) },
  ]);
});

test('SUP-3: a mail names its ticket by address or by subject, too', async () => {
  const { email } = await customer();
  await send({ from: email });
  const [{ ticketId }] = await queue();
  await send({ from: email, to: support.replace('@', `+${ticketId}@`), text: 'By address.' });
  await send({ from: email, subject: `About [${ticketId}]`, text: 'By subject.' });
  expect(await queue()).toMatchObject([
    { ticketId, messages: ['Nothing came.', 'By address.', 'By subject.'].map((text) => ({ text })) },
  ]);
});

test('SUP-3: who knows the id of a ticket of another opens a new one', async () => {
  const { email } = await customer();
  await send({ from: email });
  const [{ ticketId }] = await queue();
  await send({ from: 'stranger@example.net', subject: `Re: [${ticketId}]` });
  const found = await queue();
  expect(found).toHaveLength(2);
  expect(found.find((one: { ticketId: string }) => one.ticketId === ticketId).messages).toHaveLength(1);
});

test('SUP-3: somebody without an account gets an answer, too, and nothing tells that there is none', async () => {
  const { email, customerId } = await customer();
  const { headers: _, ...known } = await bring(written({ from: email }));
  const { headers: __, ...unknown } = await bring(written({ from: 'new@example.net' }));
  expect(unknown).toEqual(known);
  const [stranger] = (await queue()).filter((one: { customerId: string }) => one.customerId !== customerId);
  const before = mails.sent.length;
  for (const { ticketId } of await queue()) await answer(ticketId);
  const [first, second] = mails.sent.slice(before).toSorted((a) => (a.to === email ? -1 : 1)) as [Message, Message];
  expect([first.to, second.to]).toEqual([email, 'new@example.net']);
  expect(second.subject).toBe(first.subject);
  expect(second.replyTo).toContain('+');
  await send({
    from: 'new@example.net',
    subject: 'Re',
    headers: { References: `<${second.messageId}>` },
    text: 'Thanks.',
  });
  expect(await queue()).toMatchObject([{ customerId: stranger.customerId, messages: [{}, {}, { text: 'Thanks.' }] }]);
  const log = JSON.stringify(await shop.log());
  for (const secret of ['new@example.net', 'Thanks.', 'letter-', 'mail.example']) expect(log).not.toContain(secret);
});

test('SUP-3: a mail that comes twice, also at the same time, is taken once', async () => {
  const { email } = await customer();
  const mail = written({ from: email });
  const replies = await Promise.all([bring(mail), bring(mail), bring(mail)]);
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
  await bring(mail);
  expect(await queue()).toMatchObject([{ messages: [{ text: 'Nothing came.' }] }]);
});

test.each([
  ['an automatic answer', { 'Auto-Submitted': 'auto-replied' }],
  ['an absence', { 'X-Auto-Response-Suppress': 'All' }],
  ['a list', { 'List-Id': '<news.example.net>' }],
  ['a bulk mail', { Precedence: 'bulk' }],
  ['a bounce', { 'Return-Path': '<>' }],
  ['a report', { 'Content-Type': 'multipart/report; boundary=x' }],
  ['spam', { 'X-Spam-Flag': 'YES' }],
])('SUP-3: %s makes no ticket', async (_, headers) => {
  expect(await send({ from: 'robot@example.net', headers: headers as Record<string, string> })).toBe(false);
  expect(await queue()).toEqual([]);
});

test('SUP-3: our own mail that comes back makes no ticket', async () => {
  expect(await send({ from: support })).toBe(false);
  expect(await send({ from: support.replace('support', 'no-reply') })).toBe(false);
  expect(await queue()).toEqual([]);
});

test('SUP-3: files are not taken, and the answer says so', async () => {
  const { email } = await customer();
  const text = [
    '--x',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'See the file.',
    '--x',
    'Content-Type: application/pdf',
    'Content-Disposition: attachment; filename="wombat.pdf"',
    '',
    'secret bytes',
    '--x--',
  ].join('\r\n');
  const headers = { 'MIME-Version': '1.0', 'Content-Type': 'multipart/mixed; boundary=x' };
  await send({ from: email, headers, text });
  const [{ ticketId, messages }] = await queue();
  expect(messages).toMatchObject([{ text: 'See the file.' }]);
  expect((await answer(ticketId)).text).toContain('we did not see what you attached');
  expect((await shop.history(`/api/tickets/${ticketId}`))[0]?.data.letter).toMatchObject({ attachmentsRefused: 1 });
});

test('SUP-3: a mail without the secret is not taken', async () => {
  for (const headers of [{}, { authorization: 'Bearer another-secret' }])
    expect(await bring(written({ from: 'a@example.net' }), headers as Record<string, string>)).toMatchObject({
      status: 401,
      body: { code: 'bad-mail-secret' },
    });
  expect(await queue()).toEqual([]);
});

test('SUP-3: a provider may bring the mail as JSON', async () => {
  const { email } = await customer();
  const body = { RawEmail: written({ from: email, to: 'undisclosed@example.net' }), OriginalRecipient: support };
  expect((await shop.try('POST', '/api/support-mails', body, authorized)).body).toEqual({ taken: true });
  expect(await queue()).toMatchObject([{ subject: 'Late leads' }]);
});
