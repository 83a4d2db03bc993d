import {
  beginningOfLinks,
  isHostName,
  mailDomainOf,
  normalStoreAddress,
  normalWebAddress,
  wrongInStoreAddress,
  wrongInWebAddress,
} from './web-address.ts';

describe('a web address', () => {
  it.each([
    ['https://x.example', 'https://x.example'],
    ['https://x.example/', 'https://x.example'],
    ['HTTPS://X.Example:443/Shop/', 'https://x.example/Shop/'],
    ['http://x.example:8080/a//b', 'http://x.example:8080/a//b'],
    ['https://bücher.example/ä', 'https://xn--bcher-kva.example/%C3%A4'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.0.0.1', 'http://127.0.0.1'],
    ['https://x.example/a/../b', 'https://x.example/b'],
  ])('%s is kept as %s, which is its normal form', (written, normal) => {
    expect(wrongInStoreAddress(written)).toBeUndefined();
    expect(normalWebAddress(written)).toBe(normal);
    expect(wrongInStoreAddress(normal)).toBeUndefined();
    expect(normalWebAddress(normal)).toBe(normal);
  });

  it.each([
    ['https://x.example/shop/', 'https://x.example/shop'],
    ['https://x.example/b//', 'https://x.example/b'],
    ['https://x.example/', 'https://x.example'],
  ])('of a store, %s is kept as %s: links are made below it', (written, normal) => {
    expect(normalStoreAddress(written)).toBe(normal);
    expect(beginningOfLinks(written)).toBe(normal);
  });

  const begins = 'must be an address that begins with https:// or http://';
  const seen = 'must have no spaces and no invisible characters';
  const host = 'must name a host';
  it.each([
    ['https:x.example', begins],
    ['https:/x.example', begins],
    ['https:///x.example', begins],
    ['https:\\\\x.example', begins],
    ['https://\\x.example', begins],
    [' https://x.example', begins],
    ['//x.example', begins],
    ['x.example', begins],
    ['', begins],
    ['ftp://x.example', begins],
    ['https://x.example/a\u200bb', seen],
    ['https://x\u200b.example', seen],
    ['https://x.example/\u202egpj', seen],
    ['https://x.example/a b', seen],
    ['https://x.example/\u2800', seen],
    ['https://x.example/\n', seen],
    ['https://x.example:0', 'must name a port from 1 to 65535'],
    ['https://x.example:65536', host],
    ['https://x.example.', host],
    ['https://x..example', host],
    ['https://.example', host],
    ['https://*.example', host],
    ['https://-x.example', host],
    ['https://x_y.example', host],
    ['https://x.example:99999', host],
    ['https://x%00.example', host],
    [`https://${'x'.repeat(64)}.example`, host],
    ['https://x.example?a', 'no quotes'],
    ['https://x.example/#a', 'no quotes'],
    ['https://x.example/a\\b', 'no quotes'],
    ['https://user:secret@x.example', 'must not contain a user name or a password'],
    [`https://x.example/${'x'.repeat(500)}`, 'must have at most 500 characters'],
  ])('%j is refused: %s', (written, why) => {
    expect(wrongInWebAddress(written)).toContain(why);
    expect(wrongInStoreAddress(written)).toContain(why);
  });

  it.each(['https://1.2.3.4', 'https://[2001:db8::1]/leads', 'http://16909060', 'http://0x7f.1.example:80'])(
    '%s is one of a program; a store, which sends mails from it, needs a name',
    (written) => {
      expect(wrongInWebAddress(written)).toBeUndefined();
      if (!written.includes('example')) expect(wrongInStoreAddress(written)).toContain('mails are sent from it');
    },
  );
});

it('a host has a name', () => {
  expect(['x.example', 'localhost', 'a-b.c1.example', 'xn--bcher-kva.example'].map(isHostName)).not.toContain(false);
  expect(['', '.', 'x.', 'a..b', '*.x', 'a b', '-a', 'a-'].map(isHostName)).not.toContain(true);
});

it('what a store of an older version was opened with begins links and is a sender all the same', () => {
  expect(['https:x.example', 'https:/x.example', 'https:///x.example/'].map(beginningOfLinks)).toEqual(
    Array.from({ length: 3 }, () => 'https://x.example'),
  );
  expect(beginningOfLinks('https://x.example/shop/')).toBe('https://x.example/shop');
  expect(
    ['https:/x.example.', 'http://127.0.0.1', 'https://1.2.3.4/a', 'http://[2001:db8::1]:80'].map(mailDomainOf),
  ).toEqual(['x.example', '[127.0.0.1]', '[1.2.3.4]', '[IPv6:2001:db8::1]']);
});
