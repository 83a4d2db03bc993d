import { systemClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { imapMailbox } from '#gateways/mailbox';
import { readSupportLetter, supportMail } from '#gateways/support-mail';
import type { Requests } from '#requests/requests';
import { openShop, type Shop } from '#test/acceptance/shop';
import { waitUntil } from '#test/wait-until';
import { REQUESTS } from '#wiring/tokens';
import { describeWithImap, type MailServer, startMailServer } from './mail-server.ts';

const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'looked the order up' };

describeWithImap('the mailbox of support', () => {
  let server: MailServer;
  let shop: Shop;
  const told: string[] = [];
  const mails = mailInMemory();
  const read = () => imapMailbox({ url: server.url, clock: systemClock(), tell: (line) => void told.push(line) });

  beforeAll(async () => {
    server = await startMailServer();
    const options = { mails, supportMail: supportMail({}), mailbox: read() };
    shop = await openShop({ ...options, start: new Date().toISOString() });
  });
  afterAll(async () => {
    await shop.stop();
    await server.stop();
  });

  const letter = (id: string, text: string, more: readonly string[] = []) =>
    [
      ...['From: someone@example.net', 'To: support@example.org', 'Subject: Late', `Message-ID: <${id}@mail.example>`],
      ...more,
      '',
      text,
      '',
    ].join('\r\n');
  const takeAsAnother = async (raw: Uint8Array) => {
    const { support } = shop.server.application.get<Requests>(REQUESTS);
    await support.takeLetter(await readSupportLetter(raw), supportMail({}));
  };
  const tickets = async () => (await shop.read('/api/tickets')).items;
  const texts = async () =>
    (await tickets()).flatMap(({ messages }: { messages: { text: string }[] }) => messages.map(({ text }) => text));

  test('SUP-3: a mail in the mailbox is taken when it comes, and marked; a list is marked only', async () => {
    await server.deliver(letter('one', 'Nothing came.'));
    await server.deliver(letter('list', 'News.', ['List-Id: <news.example.net>']));
    await waitUntil(async () => (await server.flags()).every((flags) => flags.includes('$LeadgerTaken')));
    expect(await texts()).toEqual(['Nothing came.']);
    expect(await server.flags()).toEqual([['$LeadgerTaken'], ['$LeadgerTaken']]);
  });

  test('SUP-3: a mail that was recorded and not marked, and two programs at the same time, make no second ticket', async () => {
    await server.unmark();
    const others = [read(), read()];
    for (const other of others) void other.run(takeAsAnother);
    await server.deliver(letter('two', 'Still nothing.'));
    await waitUntil(async () => (await server.flags()).every((flags) => flags.includes('$LeadgerTaken')));
    await Promise.all(others.map((other) => other.stop()));
    expect((await texts()).sort()).toEqual(['Nothing came.', 'Still nothing.']);
  });

  test('SUP-3: the answer and the reply to it stand in one thread', async () => {
    const all = await tickets();
    const { ticketId } = all.find((one: { messages: { text: string }[] }) => one.messages[0]?.text === 'Nothing came.');
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Today.' }, 200, staff);
    const sent = mails.sent.at(-1);
    expect(sent).toMatchObject({ to: 'someone@example.net', thread: ['one@mail.example'] });
    await server.deliver(letter('three', 'Thanks.', [`In-Reply-To: <${sent?.messageId}>`]));
    await waitUntil(async () => (await texts()).includes('Thanks.'));
    const { messages } = (await tickets()).find((one: { ticketId: string }) => one.ticketId === ticketId);
    expect(messages.map(({ text }: { text: string }) => text)).toEqual(['Nothing came.', 'Today.', 'Thanks.']);
  });

  test('SUP-3: a server that went away is called again', async () => {
    await server.shutDown();
    await waitUntil(() => told.length > 0);
    const failing = {
      part: 'effect',
      name: 'read-mailbox',
      count: 1,
      reason: expect.stringMatching(/^the mailbox: it/),
    };
    expect((await shop.ask('GET', '/health')).status).toBe('green');
    await shop.wait({ seconds: 661 });
    expect(await shop.ask('GET', '/health')).toMatchObject({ status: 'yellow', degradedBy: [failing] });
    const { text } = await shop.try('GET', '/metrics');
    expect(text).toMatch(/leadger_wishes_failing_seconds\{process="support-mailbox",what="read-mailbox"\} 6\d\d/);
    await server.start();
    await server.deliver(letter('four', 'Back again.'));
    await waitUntil(async () => (await texts()).includes('Back again.'));
    expect(told.join()).not.toContain('wombat');
    await waitUntil(async () => (await shop.ask('GET', '/health')).status === 'green');
    const looks = shop.server.log.map((line) => JSON.parse(line)).filter((line) => line.name === 'read-mailbox');
    expect(looks.find(({ taken }) => taken === 1)).toMatchObject({ level: 30, kind: 'effect', outcome: 'done' });
    const { text: metrics } = await shop.try('GET', '/metrics');
    for (const outcome of ['done', 'failed'])
      expect(metrics).toMatch(
        new RegExp(`leadger_activities_total\\{kind="effect",name="read-mailbox",outcome="${outcome}"\\} [1-9]`),
      );
  });
});
