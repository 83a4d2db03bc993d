import { contact } from './contact.ts';

describe('a contact', () => {
  it('has a telephone number or an e-mail address, and nothing unknown', () => {
    expect(contact.safeParse({ firstName: 'Ann', telephone: '212 555 0142' }).success).toBe(true);
    expect(contact.safeParse({ email: 'ann@example.com' }).success).toBe(true);
    expect(contact.safeParse({ firstName: 'Ann' }).success).toBe(false);
    expect(contact.safeParse({ telephone: 'none' }).success).toBe(false);
    expect(contact.safeParse({ telephone: '212 555 0142', shoeSize: '42' }).success).toBe(false);
  });

  it.each([
    ['ann@example.com', true],
    ['ann@bücher.example', true],
    ['ann@xn--bcher-kva.example', true],
    ['ann@пример.рф', true],
    ['ann@xn--e1afmkfd.xn--p1ai', true],
    ['änn@example.com', false],
    ['ann@bü cher.example', false],
    ['ann@bücher.example:80', false],
    ['ann@a\u200d.example', false],
    ['ann@example', false],
    ['a..b@example.com', false],
  ])('with the e-mail address %s is accepted: %s', (email, accepted) => {
    expect(contact.safeParse({ email }).success).toBe(accepted);
  });
});
