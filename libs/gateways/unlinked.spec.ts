import fc from 'fast-check';
import { unlinked } from './unlinked.ts';

it.each([
  ['see https://evil.example/x?y=1.', 'see https[:]//evil[.]example/x?y=1.'],
  ['HTTP://EVIL.EXAMPLE', 'HTTP[:]//EVIL[.]EXAMPLE'],
  ['www.evil.example', 'www[.]evil[.]example'],
  ['evil.com', 'evil[.]com'],
  ['(evil.co.uk:8080/a)', '(evil[.]co[.]uk:8080/a)'],
  ['//evil.example', '//evil[.]example'],
  ['http://[::1]/', 'http[:]//[::1]/'],
  ['http://1.2.3.4/', 'http[:]//1[.]2[.]3[.]4/'],
  ['mailto:pat@evil.example', 'mailto:pat@evil[.]example'],
  ['pat@evil.example/x', 'pat@evil[.]example/x'],
  ['\u0437\u043b\u043e.\u0440\u0444', '\u0437\u043b\u043e[.]\u0440\u0444'],
  ['evil\u3002com', 'evil[.]com'],
])('%s is no link', (text, shown) => expect(unlinked(text)).toBe(shown));

it.each([
  'pat@example.org',
  '<pat@example.org>,',
  '212.555.0143',
  'J.R.Smith',
  'Dr. Ada',
  'after 5. Thanks',
  '9-12 a.m.',
  'yes...',
])('%s stays as it is', (text) => expect(unlinked(text)).toBe(text));

/** What mail programs make links of: an address with a scheme, or a host with the name of a country or of a kind. */
const LINK = /\w:\/\/|(?<![@\w.-])(?:[\w-]+\.)+[a-z]{2,}(?![\w@])/i;

it('no text has a link afterwards', () => {
  const part = fc.constantFrom(
    'http',
    'https',
    '://',
    'www',
    '.',
    'evil',
    'com',
    '/',
    ' ',
    '@',
    'a',
    ':',
    '-',
    '1',
    '(',
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 10 }).map((parts) => parts.join('')),
      (text) => {
        const words = unlinked(text).split(/\s+/);
        expect({ text, links: words.filter((word) => LINK.test(word) && !/^[<(]?[^\s@/:<>()]+@/.test(word)) }).toEqual({
          text,
          links: [],
        });
      },
    ),
    { numRuns: 3000 },
  );
});
