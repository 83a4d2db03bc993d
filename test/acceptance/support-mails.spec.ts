import { addDays } from '#domain/kernel/instants';
import type { Message } from '#gateways/mail';
import { authorized, openSupport, type Support, type Ticket } from './support-letters.ts';

const FRIDAY = '2026-06-12T16:00:00.000Z';

let support: Support;
beforeAll(async () => {
  support = await openSupport({ start: FRIDAY });
});
afterAll(() => support.shop.stop());
afterEach(() => support.closeAll());

/** The only open ticket. */
const ticket = async (): Promise<Ticket> => {
  const open = await support.queue();
  expect(open).toHaveLength(1);
  return open[0] as Ticket;
};
let people = 0;
const customer = async () => {
  people += 1;
  const email = `customer${people}@example.org`;
  return { email, customerId: await support.shop.customer({ email, password: 'open, grey wombat' }) };
};

test('SUP-3: a mail of a customer to support is a ticket of the customer, due as any other', async () => {
  const { email, customerId } = await customer();
  expect(await support.send({ from: email.toUpperCase() })).toBe(true);
  expect(await support.queue()).toMatchObject([
    {
      ...{ customerId, storeId: 'main', subject: 'Late leads', dueAt: addDays(FRIDAY, 4), status: 'open' },
      messages: [{ actor: 'system:mailbox', text: 'Nothing came.' }],
    },
  ]);
});

test('SUP-3: the answer is a mail in the same thread, and a reply to it is a message of the ticket', async () => {
  const { email } = await customer();
  await support.send({
    from: email,
    headers: { 'Message-ID': '<first@mail.example>', References: '<before@mail.example>' },
  });
  const { ticketId } = await ticket();
  const sent = await support.answer(ticketId);
  expect(sent).toMatchObject({
    to: email,
    thread: ['before@mail.example', 'first@mail.example'],
    threadSubject: 'Re: Late leads',
    replyTo: support.address.replace('@', `+${ticketId}@`),
  });
  await support.send({
    from: email,
    subject: 'Re: Our answer',
    text: 'No.',
    headers: { 'In-Reply-To': `<${sent.messageId}>` },
  });
  expect(await support.queue()).toMatchObject([
    { ticketId, messages: ['Nothing came.', 'They come today.', 'No.'].map((text) => ({ text })) },
  ]);
});

test('SUP-3: a mail names its ticket by address or by subject, too', async () => {
  const { email } = await customer();
  await support.send({ from: email });
  const { ticketId } = await ticket();
  await support.send({ from: email, to: support.address.replace('@', `+${ticketId}@`), text: 'By address.' });
  await support.send({ from: email, subject: `About [${ticketId}]`, text: 'By subject.' });
  expect(await support.queue()).toMatchObject([
    { ticketId, messages: ['Nothing came.', 'By address.', 'By subject.'].map((text) => ({ text })) },
  ]);
});

test('SUP-3: who knows the id of a ticket of another opens a new one', async () => {
  const { email } = await customer();
  await support.send({ from: email });
  const { ticketId } = await ticket();
  await support.send({ from: 'stranger@example.net', subject: `Re: [${ticketId}]` });
  const found = await support.queue();
  expect(found).toHaveLength(2);
  expect(found.find((one) => one.ticketId === ticketId)?.messages).toHaveLength(1);
});

test('SUP-3: somebody without an account gets an answer, too, and nothing tells that there is none', async () => {
  const { email, customerId } = await customer();
  const { headers: _, ...known } = await support.bring(support.written({ from: email }));
  const { headers: __, ...unknown } = await support.bring(support.written({ from: 'new@example.net' }));
  expect(unknown).toEqual(known);
  const stranger = (await support.queue()).find((one) => one.customerId !== customerId);
  const before = support.mails.sent.length;
  for (const { ticketId } of await support.queue()) await support.answer(ticketId);
  const [first, second] = support.mails.sent.slice(before).toSorted((a) => (a.to === email ? -1 : 1)) as [
    Message,
    Message,
  ];
  expect([first.to, second.to]).toEqual([email, 'new@example.net']);
  expect(second.subject).toBe(first.subject);
  expect(second.replyTo).toContain('+');
  await support.send({
    from: 'new@example.net',
    subject: 'Re',
    headers: { References: `<${second.messageId}>` },
    text: 'Thanks.',
  });
  expect(await support.queue()).toMatchObject([
    { customerId: stranger?.customerId, messages: [{}, {}, { text: 'Thanks.' }] },
  ]);
  const log = JSON.stringify(await support.shop.log());
  for (const secret of ['new@example.net', 'Thanks.', 'letter-', 'mail.example']) expect(log).not.toContain(secret);
});

test('SUP-3: a mail that comes twice, also at the same time, is taken once', async () => {
  const { email } = await customer();
  const mail = support.written({ from: email });
  const replies = await Promise.all([support.bring(mail), support.bring(mail), support.bring(mail)]);
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
  await support.bring(mail);
  expect(await support.queue()).toMatchObject([{ messages: [{ text: 'Nothing came.' }] }]);
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
  expect(await support.send({ from: 'robot@example.net', headers: headers as Record<string, string> })).toBe(false);
  expect(await support.queue()).toEqual([]);
});

test('SUP-3: our own mail that comes back makes no ticket', async () => {
  expect(await support.send({ from: support.address })).toBe(false);
  expect(await support.send({ from: support.address.replace('support', 'no-reply') })).toBe(false);
  expect(await support.queue()).toEqual([]);
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
  await support.send({ from: email, headers, text });
  const { ticketId, messages } = await ticket();
  expect(messages).toMatchObject([{ text: 'See the file.' }]);
  expect((await support.answer(ticketId)).text).toContain('we did not see what you attached');
  expect((await support.shop.history(`/api/tickets/${ticketId}`))[0]?.data.letter).toMatchObject({
    attachmentsRefused: 1,
  });
});

test('SUP-3: a mail without the secret is not taken', async () => {
  for (const headers of [{}, { authorization: 'Bearer another-secret' }])
    expect(
      await support.bring(support.written({ from: 'a@example.net' }), headers as Record<string, string>),
    ).toMatchObject({
      status: 401,
      body: { code: 'bad-mail-secret' },
    });
  expect(await support.queue()).toEqual([]);
});

test('SUP-3: a provider may bring the mail as JSON', async () => {
  const { email } = await customer();
  const body = {
    RawEmail: support.written({ from: email, to: 'undisclosed@example.net' }),
    OriginalRecipient: support.address,
  };
  expect((await support.shop.try('POST', '/api/support-mails', body, authorized)).body).toEqual({ taken: true });
  expect(await support.queue()).toMatchObject([{ subject: 'Late leads' }]);
});
