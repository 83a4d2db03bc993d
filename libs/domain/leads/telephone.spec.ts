import { normaliseTelephone } from './person-form.ts';
import { isInScientificNotation, withCountry } from './telephone.ts';

describe('a telephone number of a country', () => {
  it.each([
    ['020 7946 0018', 'GB', '+442079460018'],
    ['0044 20 7946 0018', 'GB', '+442079460018'],
    ['0044 20 7946 0018', 'US', '+442079460018'],
    ['(00) 44 20 7946 0018', 'US', '+442079460018'],
    ['00 1 212 555 0142', 'DE', '+12125550142'],
    ['011 1 212 555 0142', 'GB', '+12125550142'],
    ['0113 496 0123', 'GB', '+441134960123'],
    ['030 23125 142 Durchwahl 7', 'DE', '030 23125 142 Durchwahl 7'],
    ['030 23125 142 ext. 7', 'DE', '+493023125142 ext. 7'],
    ['+1 212 555 0142', 'DE', '+1 212 555 0142'],
    ['011 44 20 7946 0018', 'US', '011 44 20 7946 0018'],
    ['212 555 0142 x7', 'US', '212 555 0142 x7'],
    ['call me', 'GB', 'call me'],
    ['4.42079E+11', 'GB', '4.42079E+11'],
  ] as const)('%s in %s is %s', (written, country, expected) => {
    expect(withCountry(written, country)).toBe(expected);
  });

  it('is understood without the country, and the same person with and without its extension', () => {
    for (const written of ['020 7946 0018', '0044 20 7946 0018', '020 7946 0018 ext. 12'])
      expect(normaliseTelephone(withCountry(written, 'GB'))).toBe('+442079460018');
    expect(normaliseTelephone('011 44 20 7946 0018')).toBe('+442079460018');
  });

  it.each(['4.42079E+11', '2,12556E+09', '1E10', '2.12556e9'])('%s is in scientific notation', (text) => {
    expect(isInScientificNotation(text)).toBe(true);
  });

  it.each(['212 555 0142', '+12125550142', '212-555-0142 e7', 'E10'])('%s is not', (text) => {
    expect(isInScientificNotation(text)).toBe(false);
  });
});
