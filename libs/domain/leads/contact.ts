import { z } from 'zod';
import { isSeen, NOTHING_SEEN, withoutDirections } from '../kernel/text.ts';
import { hasAsciiDomain, normaliseTelephone } from './person-form.ts';

/** Its sender cannot correct it: telephones copy directions with a number, for example. */
const text = z.string().overwrite(withoutDirections).trim().min(1).refine(isSeen, NOTHING_SEEN);
const line = text.max(200);

/** As zod's own, but the domain may be internationalised. */
const EMAIL =
  /^(?!\.)(?!.*\.\.)[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+-]@([\p{L}\p{N}][\p{L}\p{N}\p{M}-]*\.)+(\p{L}[\p{L}\p{M}]+|[Xx][Nn]--[A-Za-z0-9-]+)$/u;

/** The contact details of a lead. All of them are personal data, and stored only in sealed boxes. */
export const contact = z
  .strictObject({
    firstName: line.describe('The first name.'),
    lastName: line.describe('The last name.'),
    telephone: text.max(50).describe('The telephone number, with its country unless it is one of the US.'),
    email: z
      .string()
      .trim()
      .max(254)
      .pipe(z.email({ pattern: EMAIL }))
      .refine(hasAsciiDomain, 'Invalid email address')
      .describe('The e-mail address.'),
    address: line.describe('Street and number.'),
    city: line.describe('The city.'),
    state: line.describe('The state.'),
    postalCode: text.max(20).describe('The postal code.'),
    country: line.describe('The country.'),
    bestTimeToCall: line.describe('When the person wants to be called.'),
    comment: text.max(2000).describe('What the person wrote.'),
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
