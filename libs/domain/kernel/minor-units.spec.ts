import {
  currencies,
  decimalOf,
  formatMoney,
  isCurrency,
  minorDigitsOf,
  minorUnitsOf,
  tellMoney,
} from './minor-units.ts';

it.each([
  [1250, 'USD', '12.50 USD', '$12.50'],
  [5, 'USD', '0.05 USD', '$0.05'],
  [-5, 'USD', '-0.05 USD', '-$0.05'],
  [0, 'EUR', '0.00 EUR', '€0.00'],
  [1250, 'JPY', '1250 JPY', '¥1,250'],
  [500, 'ISK', '500 ISK', 'ISK 500'],
  [1250, 'KWD', '1.250 KWD', 'KWD 1.250'],
  [7, 'CLF', '0.0007 CLF', 'CLF 0.0007'],
  // CLDR shows these without decimals; ISO 4217 has two and three digits.
  [12345, 'AFN', '123.45 AFN', 'AFN 123.45'],
  [12345, 'IQD', '12.345 IQD', 'IQD 12.345'],
  [9_007_199_254_740_991, 'USD', '90071992547409.91 USD', '$90,071,992,547,409.91'],
])('%s minor units of %s are %s', (minorUnits, currency, told, formatted) => {
  expect(tellMoney(minorUnits, currency)).toBe(told);
  expect(formatMoney(minorUnits, currency).replaceAll('\u00a0', ' ')).toBe(formatted);
});

it('a currency of the past, which older versions took, has two digits, and is none for a price', () => {
  expect(tellMoney(1250, 'DEM')).toBe('12.50 DEM');
  expect([isCurrency('DEM'), isCurrency('XXX'), isCurrency('USD'), isCurrency('usd')]).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

it('each currency is listed once, with 0, 2, 3 or 4 digits', () => {
  expect(currencies.length).toBe(new Set(currencies.map(([code]) => code)).size);
  for (const [code, digits] of currencies) {
    expect(code).toMatch(/^[A-Z]{3}$/);
    expect([0, 2, 3, 4]).toContain(digits);
    expect(minorDigitsOf(code)).toBe(digits);
  }
  expect(decimalOf(1, 'USD')).toBe('0.01');
});

it.each([
  ['12.50', 'USD', 1250],
  ['12.5', 'USD', 1250],
  ['12', 'USD', 1200],
  ['12.5000', 'USD', 1250],
  ['-0.05', 'USD', -5],
  ['1250', 'JPY', 1250],
  ['1250.00', 'JPY', 1250],
  ['1.250', 'KWD', 1250],
  ['90071992547409.91', 'USD', 9_007_199_254_740_991],
  ['12.505', 'USD', undefined],
  ['0.5', 'JPY', undefined],
  ['90071992547409.92', 'USD', undefined],
  ['1e3', 'USD', undefined],
  ['1,250.00', 'USD', undefined],
  ['', 'USD', undefined],
  [' 1', 'USD', undefined],
])('"%s" %s is %s minor units', (decimal, currency, expected) => {
  expect(minorUnitsOf(decimal, currency)).toBe(expected);
});
