import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/core';
import { numberingPlans } from './numbering-plans.ts';
import { normaliseTelephone } from './person-form.ts';

/** Spreadsheets write long numbers so, and the last digits are lost. */
const SCIENTIFIC = /^\s*[+-]?\d+(?:[.,]\d+)?e[+-]?\d+\s*$/i;

export const isInScientificNotation = (text: string): boolean => SCIENTIFIC.test(text);

/** A country that telephone numbers can be of, by its two letters (ISO 3166). */
export type CountryOfNumbers = CountryCode;

export const isCountry = (code: string): code is CountryOfNumbers => Object.hasOwn(numberingPlans.countries, code);

/** What is dialled in front of the country: 00 in most countries, 011 in North America. */
const DIALLED_ABROAD = /^[\s(]*(?:00|011)[\s)-]*(?=[1-9])/;

/**
 * A telephone number as people of a country write it, so that it is understood without knowing the country: `020 7946 0018`
 * of GB is `+442079460018`. An extension is kept. Text that is understood already, or is no telephone number, stays as it is.
 */
export function withCountry(telephone: string, country: CountryOfNumbers): string {
  if (isInScientificNotation(telephone) || telephone.trimStart().startsWith('+')) return telephone;
  const dialled = DIALLED_ABROAD.test(telephone) ? [telephone.replace(DIALLED_ABROAD, '+')] : [];
  // Numbers of the US are understood as they are written. Most are, and reading a number takes time.
  if (country === 'US' && (dialled.length === 0 || normaliseTelephone(telephone) !== undefined)) return telephone;
  for (const text of country === 'US' ? dialled : [telephone, ...dialled]) {
    const number = parsePhoneNumberFromString(text, country, numberingPlans);
    if (number?.isPossible()) return number.ext ? `${number.number} ext. ${number.ext}` : number.number;
  }
  return telephone;
}
