import { type AddressInfo, connect, createServer, type Server as TcpServer } from 'node:net';
import { addDays } from '#domain/kernel/instants';
import { systemClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { imapMailbox, type Mailbox } from '#gateways/mailbox';
import { supportMail } from '#gateways/support-mail';
import { takeSupportMail } from '#requests/support-mails';
import { openShop, type Shop } from '#test/acceptance/shop';
import { waitUntil } from '#test/wait-until';
import { ACTIVITIES, REQUESTS } from '#wiring/tokens';
import { describeWithImap, type MailServer, startMailServer } from './mail-server.ts';

const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'looked the order up' };

interface Ticket {
  readonly ticketId: string;
  readonly subject: string;
  readonly setAside: string | null;
  readonly answerTo: string;
  readonly messages: readonly { readonly text: string }[];
}

/** Between the program and the mail server. It cuts the connection within a mail as often as it is told. */
async function startCuttingWire(
  target: number,
): Promise<{ port: number; cutNext: (times: number) => void; server: TcpServer }> {
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(upstream);
    let bytes = 0;
    upstream.on('data', (data) => {
      bytes += data.length;
      if (cuts === 0 || bytes < 50_000) return void client.write(data);
      cuts -= 1;
      client.write(data.subarray(0, 10));
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cutNext(times) {
      cuts = times;
    },
    server,
  };
}

describeWithImap('mails as people write them', () => {
  let server: MailServer;
  let shop: Shop;
  let wire: Awaited<ReturnType<typeof startCuttingWire>>;
  let mailbox: Mailbox;
  const told: string[] = [];
  const mails = mailInMemory();
  const read = (port?: number) => {
    const url = new URL(server.url);
    if (port) url.port = String(port);
    return imapMailbox({ url: url.href, clock: systemClock(), tell: (line) => void told.push(line) });
  };

  beforeAll(async () => {
    server = await startMailServer();
    wire = await startCuttingWire(Number(new URL(server.url).port));
    mailbox = read(wire.port);
    shop = await openShop({ mails, supportMail: supportMail({}), mailbox, start: new Date().toISOString() });
  });
  afterAll(async () => {
    await shop.stop();
    wire.server.close();
    await server.stop();
  });

  const list = async (status: string): Promise<readonly Ticket[]> =>
    (await shop.read(`/api/tickets?limit=200&status=${status}`)).items;
  const all = async () => (await Promise.all(['open', 'answered', 'closed', 'set-aside'].map(list))).flat();
  const of = async (from: string) => (await all()).filter(({ answerTo }) => answerTo === from);
  const isAllTaken = async () => (await server.flags()).every((flags) => flags.includes('$LeadgerTaken'));
  let letters = 0;
  const plain = (from: string, text: string, headers: readonly string[] = []) => {
    letters += 1;
    return [
      ...[`From: ${from}`, 'To: support@example.org', 'Subject: Late leads', `Message-ID: <p${letters}@mail.example>`],
      ...[...headers, '', text, ''],
    ].join('\r\n');
  };
  const withHeaders = (from: string, headers: readonly string[], body: string | Buffer) =>
    Buffer.concat([
      Buffer.from([`From: ${from}`, 'To: support@example.org', ...headers, '', ''].join('\r\n'), 'latin1'),
      Buffer.from(body as string, 'latin1'),
    ]);
  const take = async (...given: (string | Buffer)[]) => {
    for (const mail of given) await server.deliver(mail);
    await waitUntil(isAllTaken);
  };

  test.each<[string, string, readonly string[], string, { subject?: string; texts: string[]; setAside?: string }]>([
    [
      'Outlook, HTML only in Windows-1252 and quoted-printable',
      'outlook@example.net',
      [
        'Subject: =?Windows-1252?Q?Keine_Leads_=96_wo_sind_sie=3F?=',
        'Message-ID: <AM0PR@eurprd.outlook.com>',
        'MIME-Version: 1.0',
        'Content-Type: text/html; charset="Windows-1252"',
        'Content-Transfer-Encoding: quoted-printable',
        'X-MS-Has-Attach:',
      ],
      '<html><head><style>p {color:red}</style></head><body><p>Gr=FC=DFe &#8211; 5&nbsp;=80 &amp; mehr&#x2026;</p><p>Zw=\r\nei</p></body></html>',
      { subject: 'Keine Leads – wo sind sie?', texts: ['Grüße – 5 € & mehr…\nZwei'] },
    ],
    [
      'a subject in base64, in two words that cut a letter apart',
      'base64@example.net',
      [
        `Subject: =?UTF-8?B?${Buffer.from('Où sont mes ').toString('base64')}?=`,
        ` =?UTF-8?B?${Buffer.from('prospects ? 🙂').toString('base64')}?=`,
        'Message-ID: <b64@mail.example>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: base64',
      ],
      Buffer.from('Écrivez-moi.\n').toString('base64'),
      { subject: 'Où sont mes prospects ? 🙂', texts: ['Écrivez-moi.'] },
    ],
    [
      'a mail that is forwarded as an attachment',
      'forward@example.net',
      [
        'Subject: Fwd: Your lead',
        'Message-ID: <fwd@mail.example>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=b',
      ],
      [
        ...['--b', 'Content-Type: text/plain', '', 'See below.', '--b', 'Content-Type: message/rfc822', ''],
        ...['From: x@example.com', 'Subject: inner', '', 'Inner text', '--b--', ''],
      ].join('\r\n'),
      { subject: 'Fwd: Your lead', texts: [expect.stringMatching(/^See below\.[\s\S]*Inner text$/)] },
    ],
    [
      'an empty body under a subject',
      'empty@example.net',
      ['Subject: Call me', 'Message-ID: <empty@mail.example>'],
      '',
      { subject: 'Call me', texts: ['[The mail has no text.]'] },
    ],
    [
      'no Date, no Message-ID, no subject',
      'nodate@example.net',
      [],
      'Hello',
      { subject: 'Without a subject', texts: ['Hello'] },
    ],
    [
      'a Date in the future',
      'future@example.net',
      ['Subject: Soon', 'Message-ID: <future@mail.example>', 'Date: Fri, 31 Dec 2038 23:59:59 +0000'],
      'From the future',
      { texts: ['From the future'] },
    ],
    [
      'MIME without an end',
      'broken@example.net',
      [
        'Subject: Broken',
        'Message-ID: <broken@mail.example>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary="never',
      ],
      '--never\r\nContent-Type: text/plain; charset=no-such-charset\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!SGVsbG8=\r\n',
      { subject: 'Broken', texts: [] },
    ],
    [
      'an answer of a program in the name of a person',
      'absent@example.net',
      ['Subject: Out of office', 'Message-ID: <ooo@mail.example>', 'Auto-Submitted: auto-replied (vacation)'],
      'Back on Monday',
      { texts: ['Back on Monday'], setAside: 'automatic' },
    ],
  ])('%s', async (_, from, headers, body, { texts, ...expected }) => {
    await take(withHeaders(`"Wombat, Jr." <${from}>`, headers, body));
    const found = await of(from);
    expect(found).toMatchObject([expected]);
    if (texts.length > 0) expect(found.flatMap(({ messages }) => messages.map(({ text }) => text))).toEqual(texts);
  });

  test('a file of 20 MB is not taken, its mail is, and the answer says so in the thread', async () => {
    const body = [
      ...['--b', 'Content-Type: text/plain', '', 'A large file.', '--b', 'Content-Type: application/zip; name=x.zip'],
      ...['Content-Transfer-Encoding: base64', 'Content-Disposition: attachment; filename=x.zip', ''],
      ...['QUFB'.repeat(5 * 1024 * 1024), '--b--', ''],
    ].join('\r\n');
    const headers = [
      'Subject: Large',
      'Message-ID: <large@mail.example>',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
    ];
    await take(withHeaders('large@example.net', headers, body));
    const [{ ticketId, messages } = { ticketId: '', messages: [] }] = await of('large@example.net');
    expect(messages).toMatchObject([{ text: 'A large file.' }]);
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Seen.' }, 200, staff);
    expect(mails.sent.at(-1)).toMatchObject({
      to: 'large@example.net',
      thread: ['large@mail.example'],
      threadSubject: 'Re: Large',
    });
    expect(mails.sent.at(-1)?.text).toContain('we did not see what you attached');
  });

  test('a reply without a reference opens a ticket, and so does one of another address, or about the ticket of another', async () => {
    await take(plain('first@example.net', 'Mine.'));
    const [{ ticketId } = { ticketId: '' }] = await of('first@example.net');
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Seen.' }, 200, staff);
    const reference = `In-Reply-To: <${mails.sent.at(-1)?.messageId}>`;
    await take(
      plain('first@example.net', 'Without a reference.'),
      plain('second@example.net', 'Another address.', [reference]),
      plain('third@example.net', 'A guess.', [`X-Subject: ${ticketId}`]).replace('Late leads', `Re: [${ticketId}]`),
    );
    const mine = (await all()).find((one) => one.ticketId === ticketId);
    expect(mine?.messages).toHaveLength(2);
    for (const [from, count] of [
      ['first@example.net', 2],
      ['second@example.net', 1],
      ['third@example.net', 1],
    ] as const)
      expect(await of(from)).toHaveLength(count);
  });

  test('a hundred mails at once, while connections are cut within mails, are a hundred tickets', async () => {
    wire.cutNext(3);
    const filling = 'Nothing came. '.repeat(100);
    for (let index = 0; index < 100; index += 1)
      await server.deliver(plain(`many${index}@example.net`, `${index} ${filling}`));
    await waitUntil(isAllTaken);
    const found = (await all()).filter(({ answerTo }) => answerTo?.startsWith('many'));
    expect(new Set(found.map(({ answerTo }) => answerTo)).size).toBe(100);
    expect(found).toHaveLength(100);
    expect(mailbox.status()).toEqual({ failing: 0 });
  });

  test('a mailbox that is restored, with new ids and without marks, brings nothing twice, also no reply', async () => {
    await take(plain('restored@example.net', 'Call me.'));
    const [{ ticketId } = { ticketId: '' }] = await of('restored@example.net');
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'When?' }, 200, staff);
    await take(plain('restored@example.net', 'At noon.', [`In-Reply-To: <${mails.sent.at(-1)?.messageId}>`]));
    await shop.ask('POST', `/api/tickets/${ticketId}/answer`, { answer: 'Good.' }, 200, staff);
    const before = (await all()).flatMap(({ messages }) => messages).length;
    await server.shutDown();
    await server.restore();
    await server.start();
    expect((await server.flags()).flat()).not.toContain('$LeadgerTaken');
    await waitUntil(isAllTaken);
    expect((await all()).flatMap(({ messages }) => messages)).toHaveLength(before);
  });

  test('a mail that came while the program was off for weeks is taken', async () => {
    await server.deliver(plain('weeks@example.net', 'Long ago.'), new Date(addDays(systemClock().now(), -20)));
    await waitUntil(async () => (await of('weeks@example.net')).length === 1);
  });

  test('a mail that cannot be recorded now waits, is told by the mailbox, and is taken later', async () => {
    let broken = true;
    const other = read();
    void other.run(async (raw) => {
      if (broken) throw new Error('the store is away');
      const { application } = shop.server;
      const taking = {
        requests: application.get(REQUESTS),
        activities: application.get(ACTIVITIES),
        mail: supportMail({}),
      };
      await takeSupportMail(taking, raw);
    });
    await mailbox.stop();
    await server.deliver(plain('waits@example.net', 'I wait.'));
    await waitUntil(() => other.status().failing > 0);
    expect(other.status()).toMatchObject({ failing: 1, lastError: 'a mail cannot be recorded: it failed' });
    expect(await of('waits@example.net')).toEqual([]);
    broken = false;
    await server.deliver(plain('next@example.net', 'Wake up.'));
    await waitUntil(async () => (await of('waits@example.net')).length === 1);
    await waitUntil(() => other.status().failing === 0);
    await other.stop();
  });
});
