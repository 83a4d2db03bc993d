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
    ['änn@example.com', true],
    ['ann@bü cher.example', false],
    ['ann@bücher.example:80', false],
    ['ann@a\u200d.example', false],
    ['ann@example', false],
    ['a..b@example.com', false],
  ])('with the e-mail address %s is accepted: %s', (email, accepted) => {
    expect(contact.safeParse({ email }).success).toBe(accepted);
  });

  it.each(['2.12556E+09', '4,42079E+11'])('with the telephone number %s is refused by name', (telephone) => {
    const { error } = contact.safeParse({ telephone });
    expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringMatching(/^in scientific notation/)]);
  });

  it('has extra fields with names of one line, up to a bound', () => {
    const accepts = (extraFields: object) => contact.safeParse({ telephone: '+1 212 555 0142', extraFields }).success;
    expect(accepts({ 'job title': 'baker\nand cook' })).toBe(true);
    expect(accepts({ 'two\nlines': 'x' })).toBe(false);
    expect(accepts({ job: '' })).toBe(false);
    expect(accepts({ job: 7 })).toBe(false);
    expect(accepts(Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`c${index}`, 'x'])))).toBe(false);
    expect(accepts(Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`c${index}`, 'x'.repeat(2000)])))).toBe(
      false,
    );
  });
});
