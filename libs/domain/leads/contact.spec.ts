import { contact, normaliseEmail, normaliseTelephone } from './contact.ts';

describe('a contact', () => {
  it.each(['(212) 555-0142', '212.555.0142', '+1 212 555 0142', '1-212-555-0142', '2125550142'])(
    'DLV-4: %s is one and the same telephone number',
    (written) => {
      expect(normaliseTelephone(written)).toBe('+12125550142');
    },
  );

  it('knows numbers of other countries, and what is none', () => {
    expect(normaliseTelephone('+44 20 7946 0018')).toBe('+442079460018');
    expect(normaliseTelephone('call me')).toBeUndefined();
    expect(normaliseTelephone('123')).toBeUndefined();
  });

  it('DLV-4: compares e-mail addresses without regard to case', () => {
    expect(normaliseEmail(' Ann.Lee@Example.COM ')).toBe('ann.lee@example.com');
  });

  it('has a telephone number or an e-mail address, and nothing unknown', () => {
    expect(contact.safeParse({ firstName: 'Ann', telephone: '212 555 0142' }).success).toBe(true);
    expect(contact.safeParse({ email: 'ann@example.com' }).success).toBe(true);
    expect(contact.safeParse({ firstName: 'Ann' }).success).toBe(false);
    expect(contact.safeParse({ telephone: 'none' }).success).toBe(false);
    expect(contact.safeParse({ telephone: '212 555 0142', shoeSize: '42' }).success).toBe(false);
  });
});
