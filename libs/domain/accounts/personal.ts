import { z } from 'zod';

const line = z.string().trim().min(1).max(200);

/** What a customer is called. Personal data: sealed wherever it is kept. */
export const personName = z.strictObject({ firstName: line, lastName: line }).partial();
export type PersonName = z.infer<typeof personName>;

export const postalAddress = z
  .strictObject({
    address: line,
    city: line,
    state: line,
    postalCode: z.string().trim().min(1).max(20),
    country: line,
  })
  .partial({ state: true, postalCode: true });
export type PostalAddress = z.infer<typeof postalAddress>;
