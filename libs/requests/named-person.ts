import { z } from 'zod';
import { ID, telephoneLine } from '#domain/kernel/text';
import { contact } from '#domain/leads/contact';
import { normaliseTelephone } from '#domain/leads/person-form';
import { exampleIds } from '#read-models/models/examples';

const id = z.string().regex(ID, 'must be an id: letters, digits, dots and dashes, at most 100');

const reached = {
  telephone: telephoneLine()
    .refine((number) => normaliseTelephone(number) !== undefined, {
      error: 'must be a telephone number, with its country unless it is one of the US',
    })
    .describe('Telephone number of the person.'),
  email: z
    .string()
    .max(254)
    .refine((address) => contact.shape.email.safeParse(address).success, 'must be an e-mail address')
    .describe('E-mail address of the person, as a lead or as a customer; also one of before.'),
};

/** A person who need not be known to the store. */
export const personReached = z
  .strictObject(reached)
  .partial()
  .refine(({ telephone, email }) => telephone !== undefined || email !== undefined, {
    error: 'must have a telephone number or an e-mail address',
  });
export type PersonReached = z.infer<typeof personReached>;

/** By what a person is named: one of these. All records of the person are found by it. API and command line check it so. */
export const namedPerson = z
  .strictObject({
    customerId: id
      .describe('Id of the customer who the person is, or of a writer to support without an account.')
      .meta({ example: exampleIds.customerId }),
    leadId: id.describe('Id of a lead that the person is.').meta({ example: exampleIds.leadId }),
    ...reached,
  })
  .partial()
  .refine((names) => Object.values(names).filter((name) => name !== undefined).length === 1, {
    error: 'must have exactly one of: customerId, leadId, telephone, email',
  });
export type NamedPerson = z.infer<typeof namedPerson>;
