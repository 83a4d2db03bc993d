import { domainToASCII } from 'node:url';
import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import { numberingPlans } from './numbering-plans.ts';

/**
 * The normal form of telephone numbers and e-mail addresses. Person keys are hashes of it, and they are stored for ever: so
 * what these functions return for a text never changes, whatever version of a library or of Node they use. The table
 * `person-form.golden.tsv` checks that. A later version may only give a form to texts that had none.
 */

const TWO_DIGITS = /\p{Nd}.*\p{Nd}/su;

/** Numbers without a country are US numbers. */
const DEFAULT_COUNTRY = 'US';

/**
 * The number in E.164, without its extension. Undefined for text that is no telephone number. A number of possible length is
 * accepted even if it cannot exist: such leads arrive and are returned, and the same bad number must be recognised.
 */
export function normaliseTelephone(telephone: string): string | undefined {
  // The library would say the same, by an exception, which takes far longer.
  if (!TWO_DIGITS.test(telephone)) return undefined;
  const number = parsePhoneNumberFromString(telephone, DEFAULT_COUNTRY, numberingPlans);
  return number?.isPossible() ? number.number : undefined;
}

/**
 * Case and surrounding space do not matter; dots, and what follows a plus, do. Version 2 gives internationalised domains in
 * their ASCII form. Version 1 accepted none, and gave all other addresses as this one does.
 */
export function normaliseEmail(email: string): string {
  const text = email.trim().normalize('NFC').toLowerCase();
  const domainAt = text.lastIndexOf('@') + 1;
  const domain = text.slice(domainAt);
  const inAscii = ASCII.test(domain) ? domain : domainToASCII(domain);
  return inAscii === '' ? text : text.slice(0, domainAt) + inAscii;
}

const ASCII = /^[\x20-\x7e]*$/;

/** Whether the domain has an ASCII form. */
export function hasAsciiDomain(email: string): boolean {
  const form = normaliseEmail(email);
  return ASCII.test(form.slice(form.lastIndexOf('@') + 1));
}
