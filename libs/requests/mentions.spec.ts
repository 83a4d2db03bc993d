import { mentions } from './mentions.ts';

const person = {
  firstName: 'José',
  lastName: 'de la Cruz',
  telephone: '(212) 555-0143',
  email: 'Jose.Cruz@example.org',
  city: 'New York',
};

it.each([
  ['part of a name, in any case', 'CRU'],
  ['a name without its accent', 'jose'],
  ['words in any order, from several fields', 'york josé'],
  ['an e-mail address', 'jose.cruz@EXAMPLE.org'],
  ['the telephone number as it stands there', '(212) 555-0143'],
  ['the telephone number written otherwise', '+1 212.555.0143'],
  ['the end of the telephone number', '0143'],
])('DLV-9: a person is found by %s', (_, search) => {
  expect(mentions(person, search)).toBe(true);
});

it.each([
  ['a word that stands nowhere', 'jose smith'],
  ['another number', '+1 212 555 0144'],
  ['signs without a digit', '+()'],
])('DLV-9: a person is not found by %s', (_, search) => {
  expect(mentions(person, search)).toBe(false);
});

it('DLV-9: a person without a telephone number is found by digits in other fields', () => {
  expect(mentions({ email: 'a@example.org', postalCode: '10001' }, '10001')).toBe(true);
  expect(mentions({ email: 'a@example.org' }, '10001')).toBe(false);
});
