import { Body, Controller, Get, Inject, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { leadMailChoices, wrongPassword } from '#domain/accounts/customer';
import { type PersonName, type PostalAddress, personName, postalAddress } from '#domain/accounts/personal';
import { type MailKind, mailKinds } from '#domain/notifications/kinds';
import { customerExample, customerRow } from '#read-models/models/customers';
import { exampleIds } from '#read-models/models/examples';
import { damaged } from '#read-models/queries/damaged';
import { customerListing } from '#read-models/queries/support';
import { type OpenedLeadDelivery, openedLeadDelivery } from '#requests/lead-delivery';
import type { Queries } from '#requests/queries';
import { keyMissing } from '#requests/query-tools';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { addressExample, RegisterCustomerBody } from './account-body.ts';
import { answerAlike } from './alike.ts';
import { Asking } from './caller.ts';
import {
  Conforming,
  Email,
  FieldNames,
  Flag,
  GivenPassword,
  Id,
  Line,
  NewPassword,
  OneOf,
  Sort,
  TimeZone,
  WebAddress,
} from './fields.ts';
import { FormThrottle } from './form-throttle.ts';
import { IdOf, notFound } from './ids.ts';
import { Network } from './network.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { type AnsweredReceipt, CommandRoute, Problems } from './responses.ts';
import { named } from './schemas.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

class ChangeNameBody {
  @Conforming(personName, { description: "The customer's name.", example: { firstName: 'Ada' } })
  name!: PersonName;
}

class ChangePostalAddressBody {
  @Conforming(postalAddress, { description: "The customer's postal address.", example: addressExample })
  postalAddress!: PostalAddress;
}

class RequestEmailChangeBody {
  @Email({
    description:
      'The new address. It gets a link by which it is confirmed. Where it has an account already, the answer is the same, and its owner gets another mail (ACC-2).',
    example: 'ada.byron@example.com',
  })
  email!: string;

  @GivenPassword({ description: 'The present password, of a customer who signed in.', optional: true })
  currentPassword?: string;
}

class ConfirmEmailChangeBody {
  @Line({ description: 'The token in the link.', example: 'token-of-the-link' })
  token!: string;
}

class SetPasswordBody {
  @NewPassword({ description: 'The new password.' })
  password!: string;

  @GivenPassword({ description: 'The present password, where there is one.', optional: true })
  currentPassword?: string;
}

class ChangeMailPreferencesBody {
  @Conforming(z.array(z.enum(mailKinds)).max(mailKinds.length), {
    description: 'Kinds of mails that the customer does not want. All others are sent.',
    example: ['leads-delivered'],
  })
  mailsOff!: MailKind[];
}

class ChooseLeadDeliveryBody {
  @OneOf(leadMailChoices, {
    description: 'One mail an hour about all new leads (digest), or one about each lead with its contact (each).',
    example: 'digest',
  })
  mails!: (typeof leadMailChoices)[number];

  @WebAddress({
    description: 'Where each lead is sent, signed by the rules of Standard Webhooks.',
    example: 'https://crm.example/leads',
    optional: true,
  })
  webhookUrl?: string;

  @Flag({
    description:
      'True makes a new secret for signing the calls to the same address; for a day they are signed with the former one, too. Otherwise the secret stays until the address changes.',
    example: false,
    optional: true,
  })
  newSigningSecret?: boolean;
}

class ChangeBusinessAssociationBody {
  @Line({ description: 'The company or programme that the customer works for (ACC-5).', example: 'Best Travel Club' })
  businessAssociation!: string;
}

class ChangeTimeZoneBody {
  @TimeZone({
    description: 'The IANA time zone. It is used for orders placed from now on.',
    example: 'America/Chicago',
  })
  timeZone!: string;
}

const isWrongPassword = ({ outcome }: Receipt): boolean =>
  outcome.kind === 'refused' && outcome.refusal.code === wrongPassword.code;

/** A customer with the sealed fields opened. */
const customer = customerRow
  .extend({
    businessAssociation: z
      .string()
      .nullable()
      .describe('Company or programme that the customer works for (ACC-5). Null: the customer was erased.'),
    email: z.string().nullable().describe('The user name (ACC-1). Null: there is none, or the customer was erased.'),
    newEmail: z.string().nullable().describe('Waits to be confirmed by the link sent there (ACC-4). Null: none waits.'),
    name: personName.nullable().describe('Name of the customer. Null: none was given, or the customer was erased.'),
    postalAddress: postalAddress
      .nullable()
      .describe('Postal address of the customer. Null: none was given, or the customer was erased.'),
    keyMissing,
    damaged,
  })
  .meta({ id: 'Customer' });

const openedExample: z.infer<typeof customer> = {
  keyMissing: false,
  damaged: false,
  ...customerExample,
  businessAssociation: 'ABC Vitamins',
  email: 'ada@example.com',
  newEmail: null,
  name: { firstName: 'Ada', lastName: 'Byron' },
  postalAddress: null,
};

class CustomersQuery extends PageQuery {
  @Id({ description: 'Customers of this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Sort(customerListing)
  sort?: string;

  @FieldNames(customer)
  fields?: string;
}

@ApiTags('customers')
@Controller('api/customers')
export class CustomersController {
  readonly #requests: Requests;
  readonly #queries: Queries;
  readonly #throttle: SignInThrottle;
  readonly #forms: FormThrottle;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(SignInThrottle) throttle: SignInThrottle,
    @Inject(FormThrottle) forms: FormThrottle,
  ) {
    this.#forms = forms;
    this.#requests = requests;
    this.#queries = queries;
    this.#throttle = throttle;
  }

  @Post()
  @CommandRoute({
    summary:
      'Register a customer. With an address that has an account, the answer is the same, and its owner gets a mail (ACC-2)',
    idName: 'customerId',
    records: ['CustomerRegistered', 'PasswordSet', 'AddressConfirmationRequested'],
    creates: '/api/customers/:id',
    hidesPlace: true,
  })
  @Problems(429)
  async registerCustomer(
    @Body() body: RegisterCustomerBody,
    @Asking() context: RequestContext,
    @Network() network: string,
  ): Promise<AnsweredReceipt> {
    await this.#forms.countAccount(network, context.caller);
    const receipt = this.#requests.accounts.register(body, context);
    return body.email === undefined ? receipt : answerAlike(receipt);
  }

  @Get()
  @ReadRoute({
    summary: 'Customers, newest first',
    answer: listOf(customer),
    example: { items: [openedExample] },
  })
  listCustomers(@Query() query: CustomersQuery, @Reading() reader: Reader) {
    return this.#queries.accounts.list(reader, pageRequest(query));
  }

  @Get(':customerId')
  @ReadRoute({
    summary: 'A customer; its revision is the ETag',
    answer: customer,
    example: openedExample,
  })
  async getCustomer(@IdOf('customer') customerId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.accounts.get(reader, { customerId });
    if (!found) throw notFound('customer', customerId);
    return found;
  }

  @Put(':customerId/business-association')
  @CommandRoute({
    summary: 'Change the business association of a customer (ACC-4)',
    idName: 'customerId',
    records: ['BusinessAssociationChanged'],
  })
  changeBusinessAssociation(
    @IdOf('customer') customerId: string,
    @Body() { businessAssociation }: ChangeBusinessAssociationBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.changeBusinessAssociation(customerId, businessAssociation, context);
  }

  @Put(':customerId/time-zone')
  @CommandRoute({
    summary: 'Change the time zone of a customer',
    idName: 'customerId',
    records: ['TimeZoneChanged'],
  })
  changeTimeZone(
    @IdOf('customer') customerId: string,
    @Body() { timeZone }: ChangeTimeZoneBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.changeTimeZone(customerId, timeZone, context);
  }

  @Put(':customerId/name')
  @CommandRoute({
    summary: 'Change the name of a customer (ACC-4)',
    idName: 'customerId',
    records: ['NameChanged'],
  })
  changeName(
    @IdOf('customer') customerId: string,
    @Body() { name }: ChangeNameBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.changeName(customerId, name, context);
  }

  @Put(':customerId/postal-address')
  @CommandRoute({
    summary: 'Change the postal address of a customer (ACC-4)',
    idName: 'customerId',
    records: ['PostalAddressChanged'],
  })
  changePostalAddress(
    @IdOf('customer') customerId: string,
    @Body() { postalAddress: address }: ChangePostalAddressBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.changePostalAddress(customerId, address, context);
  }

  @Post(':customerId/reset-factors')
  @CommandRoute({
    summary:
      'Take away the second factors of a customer who lost them: support, with a reason. All sessions of the customer end, who signs in with the password then',
    idName: 'customerId',
    records: ['FactorsReset'],
    takesNothing: true,
    // Factors have a revision of their own, which no read of the customer says.
    ifMatch: 'none',
  })
  resetCustomerFactors(@IdOf('customer') customerId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.factors.resetOfCustomer(customerId, context);
  }

  @Put(':customerId/email')
  @CommandRoute({
    summary: 'Request another e-mail address: it is used once it is confirmed by the link sent there (ACC-4)',
    idName: 'customerId',
    records: ['EmailChangeRequested'],
  })
  requestEmailChange(
    @IdOf('customer') customerId: string,
    @Body() { email, currentPassword }: RequestEmailChangeBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.requestEmailChange(customerId, { email, currentPassword }, context);
  }

  @Post(':customerId/email/confirm')
  @CommandRoute({
    summary:
      'Confirm an e-mail address by the link that was sent there: of a new account (ACC-6), or a new one (ACC-4)',
    idName: 'customerId',
    records: ['AddressConfirmed'],
    hidesPlace: true,
  })
  confirmEmailChange(
    @IdOf('customer') customerId: string,
    @Body() { token }: ConfirmEmailChangeBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.confirmAddress(customerId, token, context);
  }

  @Put(':customerId/password')
  @CommandRoute({
    summary: 'Set or change the password (ACC-1, ACC-4)',
    idName: 'customerId',
    records: ['PasswordSet'],
  })
  @Problems(429)
  setPassword(
    @IdOf('customer') customerId: string,
    @Body() body: SetPasswordBody,
    @Asking() context: RequestContext,
    @Network() network: string,
  ): Promise<Receipt> {
    const set = () => this.#requests.passwords.set(customerId, body, context);
    return this.#throttle.attemptSignedIn(network, customerId, set, isWrongPassword);
  }

  @Put(':customerId/mail-preferences')
  @CommandRoute({
    summary: 'Switch kinds of mails off and on (NTF-2)',
    idName: 'customerId',
    records: ['MailPreferencesChanged'],
  })
  changeMailPreferences(
    @IdOf('customer') customerId: string,
    @Body() { mailsOff }: ChangeMailPreferencesBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.accounts.changeMailPreferences(customerId, mailsOff, context);
  }

  @Get(':customerId/lead-delivery')
  @ReadRoute({
    summary: 'How leads are delivered to a customer (DLV-9)',
    answer: named('LeadDelivery', openedLeadDelivery),
    example: {
      mails: 'digest',
      webhookUrl: 'https://crm.example/leads',
      signingSecret: 'whsec_c2VjcmV0IHNlY3JldA==',
      revision: 2,
      keyMissing: false,
    },
  })
  async getLeadDelivery(
    @IdOf('customer') customerId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
  ): Promise<OpenedLeadDelivery> {
    const found = await this.#queries.leadDelivery.get(reader, { customerId });
    if (!found) throw notFound('customer', customerId);
    return found;
  }

  @Put(':customerId/lead-delivery')
  @CommandRoute({
    summary: 'Choose how leads are delivered to a customer (DLV-9)',
    idName: 'customerId',
    records: ['LeadDeliveryChosen'],
  })
  chooseLeadDelivery(
    @IdOf('customer') customerId: string,
    @Body() body: ChooseLeadDeliveryBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.leadDelivery.choose(customerId, body, context);
  }
}
