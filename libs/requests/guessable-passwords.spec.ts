import { refuseGuessable } from './guessable-passwords.ts';

const known = ['pat.buyer@mail.example', 'West Coast Leads'];

test.each([
  ['common', 'passwordpassword'],
  ['common, whatever its case', '1QAZ2wsx3edc4rfv'],
  ['a common one again and again', 'iloveyouiloveyouilove'],
  ['two common ones', 'password12345678'],
  ['a common one with a year', '!!sunshine2026!!'],
  ['one character', 'aaaaaaaaaaaaaaaaaaaa'],
  ['some characters again and again', 'ab1ab1ab1ab1ab1ab1'],
  ['a row of digits', '123456789012345678'],
  ['a row of keys', 'qwertyuiopasdfgh'],
  ['the alphabet, backwards', 'zyxwvutsrqponmlk'],
  ['the address', 'Pat.Buyer@mail.example'],
  ['made of the address', 'patbuyer-patbuyer-1'],
  ['made of the name of the store', 'WestCoastLeads2026'],
])('a password that is %s is refused', async (_, password) => {
  expect(await refuseGuessable(password, known)).toMatchObject({ code: 'password-guessable', field: 'password' });
});

test.each([
  'correct horse battery',
  'a coast for leads and otters',
  'pat.buyer likes 7 green otters',
  '\u5c71\u7530 \u592a\u90ce \u306e \u732b \u306f \u767d\u3044 \u3067\u3059',
  'k3Vq9Zt1Lw8Xr2Nd',
])('%s is none of them', async (password) => expect(await refuseGuessable(password, known)).toBeUndefined());

test('of an account without an address nothing is known', async () => {
  expect(await refuseGuessable('k3Vq9Zt1Lw8Xr2Nd', [undefined, undefined])).toBeUndefined();
});
