import { z } from 'zod';
import { line } from '../kernel/text.ts';

/** A customer's name. Personal data: sealed wherever it is stored. It appears in mails, and must not add paragraphs there. */
export const personName = z
  .strictObject({ firstName: line().describe('The first name.'), lastName: line().describe('The last name.') })
  .partial();
export type PersonName = z.infer<typeof personName>;

export const postalAddress = z
  .strictObject({
    address: line().describe('Street and number.'),
    city: line().describe('The city.'),
    state: line().describe('The state.'),
    postalCode: line(20).describe('The postal code.'),
    country: line().describe('The country.'),
  })
  .partial({ state: true, postalCode: true });
export type PostalAddress = z.infer<typeof postalAddress>;
