import { type PersonName, type PostalAddress, personName, postalAddress } from '#domain/accounts/personal';
import { exampleIds } from '#read-models/models/examples';
import { Conforming, Email, Id, Line, NewPassword, TimeZone } from './fields.ts';

export const addressExample = {
  address: '12 Elm Street',
  city: 'Albany',
  state: 'NY',
  postalCode: '12207',
  country: 'US',
};

/** What a new account is made of, but for its address. */
export class AccountDetailsBody {
  @Id({ description: 'The store of the customer.', example: exampleIds.storeId })
  storeId!: string;

  @Line({ description: 'The company or programme that the customer works for (ACC-5).', example: 'ABC Vitamins' })
  businessAssociation!: string;

  @TimeZone({ description: "The IANA time zone in which the customer's days begin.", example: 'America/New_York' })
  timeZone!: string;

  @NewPassword({ description: 'The password. It needs an e-mail address, and may be set later.', optional: true })
  password?: string;

  @Conforming(personName, { description: "The customer's name.", example: { firstName: 'Ada' }, optional: true })
  name?: PersonName;

  @Conforming(postalAddress, { description: "The customer's postal address.", example: addressExample, optional: true })
  postalAddress?: PostalAddress;
}

export class RegisterCustomerBody extends AccountDetailsBody {
  @Email({
    description:
      'The e-mail address, which is the user name (ACC-1). It gets a link by which it is proved, before which nobody signs in with it (ACC-6).',
    optional: true,
  })
  email?: string;
}
