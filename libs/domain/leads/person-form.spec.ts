import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';
import { normaliseEmail, normaliseTelephone } from './person-form.ts';

describe('the normal form of a telephone number', () => {
  it.each(['(212) 555-0142', '212.555.0142', '+1 212 555 0142', '1-212-555-0142', '2125550142', '212 555 0142 ext. 7'])(
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

  it('is the one that the version before gave, with the table of its library', () => {
    const formBefore = (telephone: string) => {
      const number = parsePhoneNumberFromString(telephone, 'US');
      return number?.isPossible() ? number.number : undefined;
    };
    const digits = fc.stringMatching(/^\d{3,15}$/);
    const written = fc.oneof(
      digits,
      digits.map((number) => `+${number}`),
      digits.map((number) => `011${number}`),
      digits.map((number) => `+1${number} x12`),
      fc.stringMatching(/^[+(]?[\d() .\-/]{5,25}( ?(ext\.?|x|#) ?\d{1,5})?$/),
      fc.string(),
    );
    fc.assert(
      fc.property(written, (text) => expect(normaliseTelephone(text)).toBe(formBefore(text))),
      { numRuns: 5000 },
    );
  });
});

describe('the normal form of an e-mail address', () => {
  it('DLV-4: ignores case and surrounding space, and nothing else', () => {
    expect(normaliseEmail(' Ann.Lee@Example.COM ')).toBe('ann.lee@example.com');
    expect(normaliseEmail('annlee@example.com')).not.toBe(normaliseEmail('ann.lee@example.com'));
    expect(normaliseEmail('ann+leads@example.com')).toBe('ann+leads@example.com');
  });

  it('has an internationalised domain in its ASCII form, however it was written', () => {
    for (const written of [
      'ann@bücher.example',
      'Ann@BÜCHER.example',
      'ann@bu\u0308cher.example',
      'ann@xn--bcher-kva.EXAMPLE',
    ])
      expect(normaliseEmail(written)).toBe('ann@xn--bcher-kva.example');
    expect(normaliseEmail('ann@xn--a.example')).toBe('ann@xn--a.example');
  });

  it('is the one that the version before gave, for every address that it accepted', () => {
    const accepted = fc.oneof(
      fc.emailAddress(),
      fc.stringMatching(/^[A-Za-z0-9_'+.-]{1,9}@(xn--)?[A-Za-z0-9-]{1,9}\.[A-Za-z]{2,4}$/),
    );
    fc.assert(
      fc.property(accepted, (email) => {
        fc.pre(z.email().safeParse(email).success);
        expect(normaliseEmail(email)).toBe(email.trim().normalize('NFC').toLowerCase());
      }),
      { numRuns: 2000 },
    );
  });
});

/** Each line: the kind, a text as JSON, and its form as JSON, `null` for none. It is never changed; lines may be added. */
const golden = readFileSync(new URL('./person-form.golden.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t') as [kind: string, text: string, form: string]);

it('the forms of texts that may be hashed in a log somewhere never change', () => {
  const forms = golden.map(([kind, text]) => {
    const form = kind === 'email' ? normaliseEmail(JSON.parse(text)) : normaliseTelephone(JSON.parse(text));
    return [kind, text, JSON.stringify(form ?? null)];
  });
  expect(forms).toEqual(golden);
  expect(golden.length).toBeGreaterThan(500);
});
