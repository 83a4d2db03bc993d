import { isPosition, numbersOf } from './position-text.ts';

test('a position is one number of at least 16 digits, or the one of its commit and a smaller one of its preparation', () => {
  expect(numbersOf('0000000000000042')).toEqual({ commit: 42n, prepare: 42n });
  expect(numbersOf('0000000000000042.0000000000000041')).toEqual({ commit: 42n, prepare: 41n });
  expect(isPosition('9223372036854775807')).toBe(true);
});

test.each([
  ['beyond 63 bits', '9223372036854775808'],
  ['beyond 63 bits', '18446744073709551614'],
  ['beyond 64 bits, where a server would cut it to a small one', '18446744073709551658'],
  ['with a preparation beyond 63 bits', '9223372036854775808.9223372036854775807'],
  ['with more zeros than it needs', '00000000000000042'],
  ['with fewer digits than it needs', '42'],
  ['that says the same number twice', '0000000000000042.0000000000000042'],
  ['prepared after its commit', '0000000000000042.0000000000000043'],
  ['that is no number', 'here'],
])('a position %s is none: %s', (_, written) => expect(isPosition(written)).toBe(false));
