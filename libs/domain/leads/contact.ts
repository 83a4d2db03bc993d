import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';

const line = z.string().trim().min(1).max(200);

/** The contact details of a lead. All of them are personal data, and stored only in sealed boxes. */
export const contact = z
  .strictObject({
    firstName: line.describe('The first name.'),
    lastName: line.describe('The last name.'),
    telephone: z
      .string()
      .trim()
      .min(1)
      .max(50)
      .describe('The telephone number, with its country unless it is one of the US.'),
    email: z.string().trim().max(254).pipe(z.email()).describe('The e-mail address.'),
    address: line.describe('Street and number.'),
    city: line.describe('The city.'),
    state: line.describe('The state.'),
    postalCode: z.string().trim().min(1).max(20).describe('The postal code.'),
    country: line.describe('The country.'),
    bestTimeToCall: line.describe('When the person wants to be called.'),
    comment: z.string().trim().min(1).max(2000).describe('What the person wrote.'),
  })
  .partial()
  .refine(({ telephone, email }) => telephone !== undefined || email !== undefined, {
    error: 'a contact has a telephone number or an e-mail address',
  })
  .refine(({ telephone }) => telephone === undefined || normaliseTelephone(telephone) !== undefined, {
    path: ['telephone'],
    error: 'not a telephone number',
  });
export type Contact = z.infer<typeof contact>;

/**
 * The number in E.164; without a country it is read as a US number. Undefined for text that is no telephone number. A
 * number of possible length is accepted even if it cannot exist: such leads arrive and are returned, and the same bad
 * number must be recognised.
 */
export function normaliseTelephone(telephone: string): string | undefined {
  const number = parsePhoneNumberFromString(telephone, 'US');
  return number?.isPossible() ? number.number : undefined;
}

/** The form in which addresses are compared: case and surrounding space do not matter. */
export const normaliseEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase();
