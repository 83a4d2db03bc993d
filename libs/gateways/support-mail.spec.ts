import { readSupportLetter } from './support-mail.ts';

const read = (headers: readonly string[], body: string | Buffer) =>
  readSupportLetter(Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), Buffer.from(body)]));
const from = ['From: A <a@example.net>', 'To: support@example.org', 'Subject: S'];

test('a text is read in the charset that it names', async () => {
  const type = 'Content-Type: text/plain; charset=iso-8859-1';
  expect(await read([...from, type], Buffer.from('Grüße', 'latin1'))).toMatchObject({ text: 'Grüße' });
});

test('a mail of HTML only is read without its tags and scripts', async () => {
  const html = '<style>p{}</style><p>One &lt;b&gt; &amp; two</p><script>alert(1)</script><p>three</p>';
  expect(await read([...from, 'Content-Type: text/html'], html)).toMatchObject({ text: 'One <b> & two\nthree' });
});

// Work that grows with the square of this would stop a program for hours.
test.each(['<style', '<style>', '</style ', '<', '<p ', '&#', '\n ', '</head', 'a@', '"'])(
  'HTML of half a million characters that are only %j is read at once',
  async (part) => {
    // In one line: of many lines only the first ones are read.
    const html = Buffer.from(`<p>Hello</p>${part.repeat(500_000 / part.length)}`).toString('base64');
    const headers = ['Content-Type: text/html', 'Content-Transfer-Encoding: base64'];
    expect(await read([...from, ...headers], html)).toMatchObject({ text: expect.stringContaining('Hello') });
  },
);

// Each line cost a reader of mails seven microseconds and more than a kilobyte of memory.
test.each([
  ['lines', 'Content-Type: text/plain', '\n'],
  ['folded lines', 'Content-Type: text/plain', '\n '],
  ['parts', 'Content-Type: multipart/mixed; boundary=x', '--x\n'],
  ['parts with a header', 'Content-Type: multipart/mixed; boundary=x', '\n--x\nContent-Type: text/plain\n\n'],
])('a mail of 20 megabytes that are only %s is read at once', async (_, type, part) => {
  expect(await read([...from, type], `Hello${part.repeat((20 * 1024 * 1024) / part.length)}`)).toHaveProperty('text');
});

const longHeaders: readonly (readonly [header: string, part: string])[] = [
  ['To: ', 'a:b;'],
  ['To: ', '"a" <b@c>, '],
  ['References: ', '<a@b> '],
  ['Subject: ', '=?utf-8?q?=61?= '],
  ['Content-Type: text/plain', '; a*0=b'],
];
const long = (header: string, part: string, bytes: number) =>
  (header + part.repeat(Math.floor(bytes / part.length))).trimEnd();

test.each(longHeaders)(
  'a header that is as long as it may be, of %j and many %j, is read at once',
  async (...header) => {
    const mail = await read([...from, long(...header, 127 * 1024)], 'Hello');
    expect(mail).toMatchObject({ from: 'a@example.net', subject: expect.stringMatching(/^[Sa]/), text: 'Hello' });
  },
);

test.each(longHeaders)('a mail with a longer header, of %j and many %j, is not read', async (...header) => {
  expect(await read([...from, long(...header, 129 * 1024)], 'Hello')).toMatchObject({ setAside: 'unreadable' });
});

test('of mails in mails the first ones are read, and the rest is a file', async () => {
  const mails = 'Content-Type: message/rfc822\r\n\r\n'.repeat(500);
  const text = '[The mail has no text.]';
  expect(await read([...from, 'Content-Type: message/rfc822'], mails)).toMatchObject({ files: 1, text });
});

test.each([
  [49, { text: 'Hello' }],
  [51, { setAside: 'unreadable' }],
])('a mail with %i parts in parts', async (depth, expected) => {
  const parts = Array.from(
    { length: depth },
    (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\n\n--b${at}\n`,
  );
  expect(await read([...from, parts.join('')], 'Hello')).toMatchObject(expected);
});

test('of long files the beginning is read, and the text and the files after them', async () => {
  const file = (name: string) =>
    `--x\nContent-Type: application/pdf; name=${name}\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n${`${'QUJD'.repeat(19)}\n`.repeat(20_000)}`;
  const text = '--x\nContent-Type: text/plain\n\nThe text is last.\n--x--\n';
  const mail = await read(
    [...from, 'Content-Type: multipart/mixed; boundary=x'],
    `${file('a.pdf')}${file('b.pdf')}${text}`,
  );
  expect(mail).toMatchObject({ files: 2, text: 'The text is last.' });
});

test('an element that is never closed hides nothing, also not the elements after it', async () => {
  const html = '<head><title>T</title><p>One</p><style>p{}</style><style>Two';
  expect(await read([...from, 'Content-Type: text/html'], html)).toMatchObject({ text: 'One\nTwo' });
});

test('characters of HTML that are written as numbers are read, and what is no character stays', async () => {
  const html = '<p>&#8211;&#x2026;&#X41; &#0;&#xd800;&#9999999;</p>';
  const text = '–…A &#0;&#xd800;&#9999999;';
  expect(await read([...from, 'Content-Type: text/html'], html)).toMatchObject({ text });
});

test('control characters, halves of characters and long texts are cleaned and cut, and ends of lines stay', async () => {
  const letter = await read(
    [...from, 'Content-Type: text/plain; charset=utf-8'],
    `one\r\n\ttwo\0\u001b[31m${'x'.repeat(30_000)}`,
  );
  expect(letter.setAside).toBeUndefined();
  expect(letter.text).toMatch(/^one\n\ttwo\ufffd+\[31mx+\n\n\[The mail was longer\.\]$/);
  expect(letter.text.length).toBeLessThanOrEqual(10_000);
});

test('a mail without a Message-ID is known by all of it', async () => {
  const [first, again, other] = await Promise.all([read(from, 'one'), read(from, 'one'), read(from, 'two')]);
  expect(again).toEqual(first);
  expect(other).not.toMatchObject({ messageId: (first as { messageId: string }).messageId });
});

test.each([
  ['no sender', ['Subject: S'], 'text', 'no-sender'],
  ['a sender that is no address', ['From: nobody'], 'text', 'no-sender'],
  ['no subject, no text and no files', from.slice(0, 2), ' \r\n', 'empty'],
  ['the sender of bounces', ['From: MAILER-DAEMON@example.net'], 'text', 'automatic'],
  ['a filter that says spam', [...from, 'X-Spam-Status: Yes, score=9'], 'text', 'spam'],
])('%s: the mail is set aside', async (_, headers, body, setAside) => {
  expect(await read(headers as string[], body as string)).toMatchObject({ setAside });
});

test('bytes that are no mail are set aside, and never throw', async () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from([0xff, 0xfe, 0, 0]),
    Buffer.from('\r\n\r\n'),
    Buffer.alloc(2000, '('),
  ])
    expect(await readSupportLetter(bytes)).toMatchObject({ setAside: expect.any(String) });
});
