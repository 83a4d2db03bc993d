import { hasCardNumber, withoutCardNumbers } from './card-numbers.ts';

/** Numbers that payment providers publish for tests. */
const cards = [
  '4242424242424242',
  '4000 0566 5566 5556',
  '5555-5555-5555-4444',
  '2223 0031 2200 3222',
  '3782 822463 10005',
  '6011111111111117',
  '3056 9300 0902 0004',
  '3566002020360505',
  '6205500000000000004',
  '4222222222222',
  '\uff14\uff12\uff14\uff12 4242 4242 4242',
  '4242\u00a04242\u00a04242\u00a04242',
  '4242  4242  4242  4242',
  '4242.4242.4242.4242',
  '4242,4242,4242,4242',
  '4242 - 4242 - 4242 - 4242',
  '4242\u20134242\u20134242\u20134242',
  '4242\u20104242\u22124242\u20114242',
  '4242\t4242\t4242\t4242',
  '4242 4242\r\n4242 4242',
  '42\u200b42 4242\u202e 4242 4242',
  '\u0664\u0662\u0664\u0662 \u0664\u0662\u0664\u0662 \u0664\u0662\u0664\u0662 \u0664\u0662\u0664\u0662',
  '\u{1d7dc}\u{1d7da}\u{1d7dc}\u{1d7da}4242 4242 4242',
  '3782.822463.10005',
  '42424242\u201342424242',
  '424242\u22124242\u00ad4242\u201142',
  '42424242\t42424242',
];

test.each(cards)('%s is a card number, alone and among other text and numbers', (card) => {
  expect(hasCardNumber(card)).toBe(true);
  expect(hasCardNumber(`my card is ${card}, 12/27 123`)).toBe(true);
  expect(hasCardNumber(`order 17 ${card} 123`)).toBe(true);
});

test.each([
  ['with another check digit', '4242424242424241'],
  ['that no card begins with', '1000000000000008'],
  ['of another length', '42424242424242424'],
  ['in an id', 'ad_4242424242424242'],
  ['in a hyphened id', 'f9daf23b-4242-4242-4242-424242424242'],
  ['in an address of the web', 'https://page.example/?ad=4242424242424242'],
  ['of a telephone with its country', 'call +49 1512 3456784'],
  ['of the time, in milliseconds', '1772353800000'],
  ['of an address of a network', 'from 4242.4242.4242.42427'],
  ['of a list', '4242, 42424, 242, 4242'],
  ['of a version', 'v4242.4242.4242.4242'],
  ['of short numbers in a list', '4, 24, 24, 24, 24, 24, 24, 24, 2'],
  ['of amounts', '4242.42, 4242.42, 42424.24'],
  ['of ids, one in a line', '42424242\n42424242'],
  ['of a telephone beside another', '+49 1512 3456784\n+1 212 555 0143'],
  ['in an id with long hyphens', 'f9daf23b\u20104242\u20104242\u20104242\u2010424242424242'],
  ['with too many digits', '4242424242424242'.repeat(3)],
])('a number %s is none', (_, text) => expect(hasCardNumber(text)).toBe(false));

test('it is taken out of a text that cannot be refused, and all else stays', () => {
  expect(withoutCardNumbers('my card 4242 4242-4242 4242 ends, order 17')).toBe('my card [card number] ends, order 17');
  expect(withoutCardNumbers('17 4242424242424242 5555555555554444 9')).toBe('17 [card number] [card number] 9');
  expect(withoutCardNumbers('4242.4242.4242.4242, \u0664\u0662424242 42424242!')).toBe('[card number], [card number]!');
  expect(withoutCardNumbers('\u2462 \uff14\uff12')).toBe('\u2462 \uff14\uff12');
  expect(withoutCardNumbers('Hello,\n\nit is 42424242\u201342424242.\n\nBye 1\n2')).toBe(
    'Hello,\n\nit is [card number].\n\nBye 1\n2',
  );
  expect(withoutCardNumbers('call 212 555 0143 4567 890')).toBe('call 212 555 0143 4567 890');
});

test('a long text of single digits is looked through in no time', () => {
  expect(hasCardNumber('1 '.repeat(50_000))).toBe(false);
  expect(hasCardNumber('1\n\u2013'.repeat(50_000))).toBe(false);
  expect(hasCardNumber('1234 . '.repeat(30_000))).toBe(false);
  expect(hasCardNumber('\u0664.'.repeat(50_000))).toBe(false);
});
