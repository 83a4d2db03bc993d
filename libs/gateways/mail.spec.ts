import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type MailGateway, type Message, mailFiles, smtpMail } from './mail.ts';

const message = (to = 'ada@example.org'): Message => ({
  messageId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33@store.example',
  from: { name: 'Main store', address: 'no-reply@store.example' },
  to,
  subject: 'Chargeback Granted – ✓',
  text: 'Hello,\n\nyou are right.\n',
  html: '<p>you are right.</p>',
  date: new Date('2026-03-02T15:00:00Z'),
});

describe('a mail server', () => {
  let server: SMTPServer;
  let gateway: MailGateway;
  const received: string[] = [];
  const start = async (options: SMTPServerOptions = {}) => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _, done) {
        let text = '';
        stream.on('data', (part: Buffer) => {
          text += part;
        });
        stream.on('end', () => {
          received.push(text);
          done();
        });
      },
      ...options,
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    gateway = smtpMail({ url: `smtp://127.0.0.1:${port}` });
  };
  afterEach(async () => {
    gateway.close();
    await new Promise<void>((resolve) => server.close(resolve));
    received.length = 0;
  });

  it('receives the whole mail, with an id that is always the same', async () => {
    await start();
    expect(await gateway.send(message())).toEqual({ accepted: true });
    expect(await gateway.send(message())).toEqual({ accepted: true });
    expect(received).toHaveLength(2);
    for (const mail of received) {
      expect(mail).toContain('Message-ID: <0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33@store.example>');
      expect(mail).toContain('To: ada@example.org');
      expect(mail).toMatch(/text\/plain[\s\S]*text\/html/);
    }
  });

  it('refuses an address permanently: that is a result, without the text of the server', async () => {
    const refusal = Object.assign(new Error('5.1.1 <ada@example.org>: no such user'), { responseCode: 550 });
    await start({ onRcptTo: (_, __, done) => done(refusal) });
    expect(await gateway.send(message())).toEqual({
      accepted: false,
      answer: { status: 550, enhanced: { subject: 1, detail: 1 } },
    });
  });

  it.each<[string, number, string, boolean]>([
    ['a user who does not exist', 550, '5.1.1 no such user', true],
    ['a host that takes no mails', 556, '5.1.10 recipient address has null MX', true],
    ['a mailbox that is closed', 550, '5.2.1 disabled', true],
    ['a mailbox that is full for good', 552, '5.2.2 over quota', true],
    ['a domain without that user', 550, '5.4.1 recipient address rejected: access denied', true],
    ['a mailbox, by a code of the protocol that says nothing', 550, '5.5.0 mailbox unavailable', true],
    ['a mail that is too big', 552, '5.3.4 message too big', true],
    ['what a mail contains', 550, '5.6.0 other or undefined media error', true],
    ['a user, with a code that says nothing', 550, '5.0.0 user unknown', true],
    ['a mailbox that belongs to somebody else now', 550, '5.7.17 mailbox owner has changed', true],
    ['a user, without an enhanced code', 550, 'no such user', true],
    ['a user, by a code of addresses that says nothing', 550, '5.1.0 address rejected', true],
    ['a user, in whatever words', 550, '5.1.1 <relay@example.org>: user unknown in relay recipient table', true],
    ['a user with a name like a word of the store', 550, '<blackwell.sender@example.org>: no such user', true],
    ['a host that has no name', 550, '5.4.4 unable to route: domain not found', true],
    ['a domain that does not exist', 550, '5.4.310 DNS domain does not exist', true],
    ['a mail that is too big, without an enhanced code', 552, 'message size exceeds fixed limit', true],
    ['a mailbox that is full, without an enhanced code', 552, 'mailbox quota exceeded', true],
    ['a store that may not relay', 550, '5.7.1 relaying denied', false],
    ['a store that may not relay, without an enhanced code', 550, 'relay not permitted', false],
    ['a store by a rule', 554, '5.7.1 service unavailable; client host blocked', false],
    ['a store by a rule, without an enhanced code', 554, 'transaction failed', false],
    ['a store that did not sign in', 530, '5.7.0 authentication required', false],
    ['the sender', 550, '5.1.8 sender address rejected', false],
    ['all mails, for want of room', 552, '5.3.1 mail system full', false],
    ['a mail for an unknown reason', 550, '5.5.0 not now', false],
    ['a store that may not relay, by a code that says nothing', 550, '5.5.0 mailbox unavailable: relay denied', false],
    ['a command', 503, '5.5.1 bad sequence of commands', false],
    ['a command, with the status of a mailbox', 550, '5.5.1 no such user', false],
    ['an argument', 501, '5.5.4 unsupported option', false],
    ['too many recipients', 550, '5.5.3 too many recipients of a user', false],
    ['the store in any words of the system', 550, '5.3.0 mailbox not ready', false],
    ['a session that ends, whatever code it adds', 521, '5.7.1 no mail from here', false],
    ['a store that did not sign in, whatever code it adds', 530, '5.2.0 sign in first', false],
    ['a password', 535, '5.7.8 bad credentials', false],
    ['a password, without an enhanced code', 535, 'no such user', false],
    ['a store whose mails are not signed', 550, '5.7.26 unauthenticated mail', false],
    ['the sender, without an enhanced code', 550, 'sender verify failed', false],
    ['the sender, by a code of addresses that says nothing', 550, '5.1.0 sender rejected', false],
    ['a store that did not sign in, by a code that says nothing', 550, '5.1.0 authentication required', false],
    ['a store that sent its share of a day', 550, '5.4.5 daily user sending limit exceeded', false],
    ['such a store, by a code of addresses', 550, "5.1.90 you've reached your daily limit for recipients", false],
    ['such a store, by a code of routes', 550, '5.4.6 unusual sending activity detected', false],
    ['such a store, by a code of mailboxes', 550, '5.2.0 mail send limit exceeded', false],
    ['such a store, without an enhanced code', 550, 'domain has exceeded the max emails per hour', false],
    ['a store that may not relay, by a code of routes', 550, '5.4.1 relay access denied', false],
    ['a store that may not relay, in the words of qmail', 553, "that domain isn't in my list of rcpthosts", false],
    ['a store by a rule, by a code of mailboxes', 550, '5.2.0 rejected by local policy', false],
    ['a store by a rule, by a code of contents', 550, '5.6.0 rejected by DMARC', false],
    ['a store by a rule, in other words', 550, 'administrative prohibition', false],
    ['a mail for any reason, by a code of mailboxes', 554, '5.2.0 submission failed', false],
    ['a name of the store', 550, 'access denied - invalid HELO name', false],
    ['for want of a directory', 550, '5.4.3 directory server failure', false],
  ])('refuses %s (%s): that is final only when it is about the address', async (_, responseCode, text, isFinal) => {
    await start({ onRcptTo: (_, __, done) => done(Object.assign(new Error(text), { responseCode })) });
    const sent = gateway.send(message());
    if (isFinal) expect(await sent).toMatchObject({ accepted: false, answer: { status: responseCode } });
    else
      await expect(sent).rejects.toMatchObject({
        failed: { failure: 'answered', status: responseCode },
        isAboutMail: false,
      });
  });

  it.each<[string, number, string, boolean]>([
    ['a mailbox is full', 452, '4.2.2 over quota', true],
    ['a mailbox is busy', 450, 'mailbox busy', true],
    ['the server is full', 452, '4.3.1 insufficient storage', false],
    ['the server asks to come again', 450, '4.7.1 greylisted', false],
    ['the server is busy', 421, '4.3.2 try later', false],
    ['the server ends the session', 421, '4.4.2 connection timed out', false],
  ])(
    'cannot take a mail now, because %s: the failure says whom it is about',
    async (_, responseCode, text, isAboutMail) => {
      await start({ onRcptTo: (_, __, done) => done(Object.assign(new Error(text), { responseCode })) });
      await expect(gateway.send(message())).rejects.toMatchObject({
        failed: { failure: 'answered', status: responseCode },
        isAboutMail,
      });
    },
  );

  it.each([
    ['is busy', { onRcptTo: (_, __, done) => done(Object.assign(new Error('later'), { responseCode: 451 })) }],
    ['requires a password that it does not receive', { authOptional: false }],
  ] satisfies [string, SMTPServerOptions][])('%s: the result is not known', async (_, options) => {
    await start(options);
    await expect(gateway.send(message())).rejects.toThrow();
  });

  it.each([
    ['is busy', 451, { failure: 'answered', status: 451 }],
    ['gets the whole mail and drops the line', undefined, { failure: 'not-confirmed' }],
  ])('%s: the failure says so', async (_, responseCode, failed) => {
    await start({
      onData(stream, session, done) {
        stream.resume();
        stream.on('end', () => {
          if (responseCode !== undefined) return done(Object.assign(new Error('later'), { responseCode }));
          for (const one of server.connections) if (one.session.id === session.id) one._socket.destroy();
        });
      },
    });
    await expect(gateway.send(message())).rejects.toMatchObject({ failed, isAboutServer: false });
  });

  it('drops the line before it has the whole mail: the mail was not sent', async () => {
    await start({
      onData(_, session) {
        for (const one of server.connections) if (one.session.id === session.id) one._socket.destroy();
      },
    });
    const long = { ...message(), text: 'x'.repeat(30_000_000) };
    await expect(gateway.send(long)).rejects.toMatchObject({ failed: { failure: 'unreachable' } });
  });

  it('receives many mails over one connection', async () => {
    let connections = 0;
    await start({
      onConnect(_, done) {
        connections += 1;
        done();
      },
    });
    for (let count = 0; count < 3; count += 1) await gateway.send(message());
    expect([received.length, connections]).toEqual([3, 1]);
  });

  it('receives one recipient, also when the address looks like several', async () => {
    const recipients: string[] = [];
    await start({
      onRcptTo({ address }, _, done) {
        recipients.push(address);
        done();
      },
    });
    await gateway.send(message('ada@example.org, eve@example.org')).catch(() => {});
    await gateway.send(message('ada@example.org\r\nBcc: eve@example.org')).catch(() => {});
    expect(recipients.filter((address) => address === 'eve@example.org')).toEqual([]);
  });
});

describe('mails as files', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'leadger-mails-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('exist once, however often they are sent, and can be read again', async () => {
    const gateway = mailFiles(join(directory, 'mails'));
    await gateway.send(message());
    await gateway.send(message());
    const names = await readdir(join(directory, 'mails'));
    expect(names).toEqual(['0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33.eml']);
    const text = await readFile(join(directory, 'mails', names[0] as string), 'utf8');
    expect(text).toContain('Subject: =?UTF-8?');
    expect(text).toContain('Date: Mon, 02 Mar 2026 15:00:00 +0000');
    expect(await gateway.copyOf?.(message().messageId)).toBe(text);
    expect(await gateway.copyOf?.('../../etc/passwd')).toBeUndefined();
  });

  it('are removed when their date is older, whatever the time of the file; other files stay', async () => {
    const gateway = mailFiles(join(directory, 'mails'));
    await gateway.forgetBefore?.('2026-03-02T15:00:00.001Z');
    await gateway.send(message());
    await gateway.send({ ...message(), messageId: 'newer@store.example', date: new Date('2026-03-02T15:00:01Z') });
    await gateway.send({ ...message(), messageId: 'older@store.example', date: new Date('2026-03-01T15:00:00Z') });
    await writeFile(join(directory, 'mails', 'older.eml.part'), 'Date: Sun, 01 Mar 2026 15:00:00 +0000\r\n');
    await writeFile(join(directory, 'mails', 'notes.txt'), 'mine');
    const names = async () => (await readdir(join(directory, 'mails'))).sort();
    await gateway.forgetBefore?.('2026-03-02T15:00:00.000Z');
    expect(await names()).toEqual(['0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33.eml', 'newer.eml', 'notes.txt']);
    await gateway.forgetBefore?.('2026-03-02T15:00:00.001Z');
    expect(await names()).toEqual(['newer.eml', 'notes.txt']);
  });

  it('are removed without a date too, by the time of the file: a crash left half of one', async () => {
    const gateway = mailFiles(directory);
    const [old, recent] = [join(directory, 'old.eml.part'), join(directory, 'recent.eml.part')];
    for (const path of [old, recent]) await writeFile(path, 'From: ');
    await utimes(old, new Date('2026-03-01T15:00:00Z'), new Date('2026-03-01T15:00:00Z'));
    await gateway.forgetBefore?.('2026-03-02T15:00:00.000Z');
    expect(await readdir(directory)).toEqual(['recent.eml.part']);
  });
});
