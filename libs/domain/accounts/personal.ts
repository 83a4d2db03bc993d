import { z } from 'zod';

/** One line: a name appears in mails and must not add paragraphs there. */
const line = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u, 'must be one line of text');

/** A customer's name. Personal data: sealed wherever it is stored. */
export const personName = z.strictObject({ firstName: line, lastName: line }).partial();
export type PersonName = z.infer<typeof personName>;

export const postalAddress = z
  .strictObject({
    address: line,
    city: line,
    state: line,
    postalCode: line.max(20),
    country: line,
  })
  .partial({ state: true, postalCode: true });
export type PostalAddress = z.infer<typeof postalAddress>;
