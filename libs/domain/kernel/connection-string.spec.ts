import { withoutPasswords } from './connection-string.ts';

test.each([
  ['postgres://leadger:geheim@db.example.com:5432/leadger', 'postgres://***@db.example.com:5432/leadger'],
  ['postgres://leadger:ge@heim@db/leadger', 'postgres://***@db/leadger'],
  [
    'postgres://db/leadger?user=leadger&password=geheim&sslmode=require',
    'postgres://db/leadger?user=leadger&password=***&sslmode=require',
  ],
  ['postgres://db/leadger?sslkey=/k.pem&sslpassword=geheim', 'postgres://db/leadger?sslkey=/k.pem&sslpassword=***'],
  [
    'esdb+discover://admin:geheim@a:2113,b:2113?tls=true&userCertFile=/c.pem&userKeyFile=/k.pem',
    'esdb+discover://***@a:2113,b:2113?tls=true&userCertFile=/c.pem&userKeyFile=/k.pem',
  ],
  ['smtps://user:geheim@mail.example.com', 'smtps://***@mail.example.com'],
  ['postgres://leadger:ge/h?e#im@db/leadger', 'postgres://***@db/leadger'],
  ["postgres://leadger:ge'heim@db/leadger", 'postgres://***@db/leadger'],
  ['postgres//leadger:geheim@db/leadger', 'postgres//***@db/leadger'],
  ['esdb:/admin:geheim@one:2113', 'esdb:/***@one:2113'],
])('the connection string %s is shown as %s', (written, shown) => {
  expect(withoutPasswords(written)).toBe(shown);
});

test('a text is shown without the credentials of each connection string in it', () => {
  expect(withoutPasswords('from esdb://a:geheim@one:2113 to "postgres://b:geheim@two/x": no answer')).toBe(
    'from esdb://***@one:2113 to "postgres://***@two/x": no answer',
  );
});

test('a text without a connection string stays as it is', () => {
  const text = 'mail to jane@example.com failed, see http://127.0.0.1:3000/health?full=1';
  expect(withoutPasswords(text)).toBe(text);
});

// A stranger can have the text of an error be as long as a request may be. Work that grows with its square would stop a program.
test.each(['a', 'a/', '/', 'a:', '?', '&pass', 'a@', ' ', '"'])(
  'a text of a million times %j is read at once',
  (part) => {
    const text = part.repeat(1_000_000);
    expect(withoutPasswords(text)).toBe(text);
  },
);
