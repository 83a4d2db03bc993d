import fc from 'fast-check';
import { splitName } from './full-name.ts';

it.each([
  ['Ann Example', 'Ann', 'Example'],
  ['Mary Ann Example', 'Mary Ann', 'Example'],
  ['Ludwig van der Example', 'Ludwig', 'van der Example'],
  ['Ana de la Example', 'Ana', 'de la Example'],
  ['Example, Cleo', 'Cleo', 'Example'],
  ['van der Example, Cleo M.', 'Cleo M.', 'van der Example'],
  ['Ann Example Jr.', 'Ann', 'Example Jr.'],
  ['Ann Example, Jr.', 'Ann', 'Example, Jr.'],
  ['Prince', 'Prince', undefined],
  ['  Ann   Example ', 'Ann', 'Example'],
])('the name %s is %s and %s', (fullName, firstName, lastName) => {
  expect(splitName(fullName)).toEqual({ firstName, ...(lastName && { lastName }) });
});

it('no letter of a name is lost', () => {
  const letters = (text: string) => [...text.replace(/[\s,]/g, '')].sort().join('');
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'B', ' ', ',', '.', 'van ', 'Jr') }), (name) => {
      const { firstName = '', lastName = '' } = splitName(name);
      expect(letters(firstName + lastName)).toBe(letters(name));
    }),
  );
});
