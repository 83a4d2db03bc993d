import { canBePassword, formsOfPassword, LEAST_BESIDE_ANOTHER_FACTOR, wrongInNewPassword } from './password.ts';

describe('a password (ACC-2, RFC 8265)', () => {
  it.each([
    'correct horse battery',
    'viele p\u00e4ssw\u00f6rter',
    '\u043c\u043e\u0439 \u043f\u0430\u0440\u043e\u043b\u044c \u0434\u043e\u043c\u0430 \u{1f600}',
    '\u{1f600}'.repeat(15),
    '\u0928\u0947\u092a\u0932\u200d\u0915\u0916 \u0917 1234567',
    'x'.repeat(200),
  ])('%j can be chosen', (password) => expect(wrongInNewPassword(password)).toBeUndefined());

  it.each([
    ['short', '12345678901234'],
    ['short once its letters are composed', 'e\u0301'.repeat(14)],
    ['long', 'x'.repeat(201)],
  ])('one that is too %s cannot', (_, password) =>
    expect(wrongInNewPassword(password)).toMatch(/15 to 200 characters/),
  );

  it.each([
    ['a control character', 'of a common thief\u0007'],
    ['NUL', '123456789012345\0'],
    ['a half of a character', '123456789012345\ud83d'],
    ['an invisible character', '123456789012\u200b345'],
    ['a joiner that joins nothing', '123456789012 \u200d 34'],
    ['a line separator', '123456789012\u2028345'],
    ['a private character', '123456789012345\ue000'],
    ['a code that is no character', '123456789012345\u{e0fff}'],
    ['an old Hangul letter', '123456789012345\u1100'],
  ])('one with %s cannot', (_, password) => expect(wrongInNewPassword(password)).toMatch(/must not contain/));

  it('may be shorter beside another factor', () => {
    expect(wrongInNewPassword('8 digits', LEAST_BESIDE_ANOTHER_FACTOR)).toBeUndefined();
    expect(wrongInNewPassword('7 digit', LEAST_BESIDE_ANOTHER_FACTOR)).toMatch(/8 to 200 characters/);
  });

  it('is the same in every form of its letters and spaces, but not in another case or width', () => {
    const hashed = (password: string) => formsOfPassword(password)[0];
    expect(hashed('Zoe\u0308 123\u00a0x\u3000y')).toBe(hashed('Zo\u00eb 123 x y'));
    expect(hashed('zo\u00eb')).not.toBe(hashed('Zo\u00eb'));
    expect(hashed('\uff21')).not.toBe(hashed('A'));
  });

  it('may have been hashed by an older version in the form in which it is typed, composed or decomposed', () => {
    expect(formsOfPassword('correct horse')).toEqual(['correct horse']);
    for (const typed of ['Zo\u00eb\u00a0x', 'Zoe\u0308\u00a0x'])
      expect(formsOfPassword(typed)).toEqual(
        expect.arrayContaining(['Zo\u00eb x', 'Zo\u00eb\u00a0x', 'Zoe\u0308\u00a0x']),
      );
  });

  it('that an older version took may be checked', () => {
    expect(['12345678\u200b', '\0\0\0\0\0\0\0\0', 'x'.repeat(200)].map(canBePassword)).toEqual([true, true, true]);
    expect(['', '123456789012345\ud83d', 'x'.repeat(201)].map(canBePassword)).toEqual([false, false, false]);
  });
});
