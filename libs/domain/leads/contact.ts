import { z } from 'zod';
import { line as oneLine, severalLines, telephoneLine, withoutDirections } from '../kernel/text.ts';
import { hasAsciiDomain, normaliseTelephone } from './person-form.ts';
import { isInScientificNotation } from './telephone.ts';

/** Their sender cannot correct them: telephones copy directions with a number, for example. */
const line = (most?: number) => oneLine(most, withoutDirections);
const text = (most: number) => severalLines(most, withoutDirections);
/** Lead ads have ids as long as card numbers. */
const cell = severalLines(2000, withoutDirections, 'alone');

/** As zod's own, but the local part and the domain may be internationalised (RFC 6531). */
const EMAIL =
  /^(?!\.)(?!.*\.\.)[\p{L}\p{N}\p{M}_'+\-.]*[\p{L}\p{N}\p{M}_+-]@([\p{L}\p{N}][\p{L}\p{N}\p{M}-]*\.)+(\p{L}[\p{L}\p{M}]+|[Xx][Nn]--[A-Za-z0-9-]+)$/u;

const MOST_EXTRA_FIELDS = 100;
const MOST_EXTRA_CHARACTERS = 10_000;

/** Lists show whole contacts, so one must not be as large as a file. */
const isSmall = (fields: Readonly<Record<string, string>>): boolean =>
  Object.keys(fields).length <= MOST_EXTRA_FIELDS &&
  Object.entries(fields).flat().join('').length <= MOST_EXTRA_CHARACTERS;

/** What is in scientific notation is refused as such. */
const isTelephone = (text: string): boolean => isInScientificNotation(text) || normaliseTelephone(text) !== undefined;

/** The contact details of a lead. All of them are personal data, and stored only in sealed boxes. */
export const contact = z
  .strictObject({
    firstName: line().describe('The first name.'),
    lastName: line().describe('The last name.'),
    telephone: telephoneLine(withoutDirections).describe(
      'The telephone number, with its country unless it is one of the US.',
    ),
    email: z
      .string()
      .normalize('NFC')
      .trim()
      .max(254)
      .pipe(z.email({ pattern: EMAIL }))
      .refine(hasAsciiDomain, 'Invalid email address')
      .describe('The e-mail address.'),
    address: text(200).describe('Street and number. It may have several lines, as address books export them.'),
    city: line().describe('The city.'),
    state: line().describe('The state.'),
    postalCode: line(20).describe('The postal code.'),
    country: line().describe('The country.'),
    bestTimeToCall: line().describe('When the person wants to be called.'),
    comment: text(2000).describe('What the person wrote.'),
    extraFields: z
      .record(line(100), cell)
      .refine(isSmall, `more than ${MOST_EXTRA_FIELDS} fields, or than ${MOST_EXTRA_CHARACTERS} characters in all`)
      .describe('What else a file says about the person: the name of each column, and its text.'),
  })
  .partial()
  .refine(({ telephone, email }) => telephone !== undefined || email !== undefined, {
    error: 'a contact has a telephone number or an e-mail address',
  })
  .refine(({ telephone = '' }) => !isInScientificNotation(telephone), {
    path: ['telephone'],
    error:
      'in scientific notation, as spreadsheets write long numbers, so its last digits are lost: format the column as text',
  })
  .refine(({ telephone }) => telephone === undefined || isTelephone(telephone), {
    path: ['telephone'],
    error: 'not a telephone number',
  });
export type Contact = z.infer<typeof contact>;
