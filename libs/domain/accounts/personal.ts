import { z } from 'zod';
import { nameIn } from '../kernel/names.ts';

/** One line: a name appears in mails and must not add paragraphs there. */
const line = nameIn(z.string().trim().min(1).max(200));

/** A customer's name. Personal data: sealed wherever it is stored. */
export const personName = z
  .strictObject({ firstName: line.describe('The first name.'), lastName: line.describe('The last name.') })
  .partial();
export type PersonName = z.infer<typeof personName>;

export const postalAddress = z
  .strictObject({
    address: line.describe('Street and number.'),
    city: line.describe('The city.'),
    state: line.describe('The state.'),
    postalCode: line.max(20).describe('The postal code.'),
    country: line.describe('The country.'),
  })
  .partial({ state: true, postalCode: true });
export type PostalAddress = z.infer<typeof postalAddress>;
