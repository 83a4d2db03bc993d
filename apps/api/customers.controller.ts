import { Body, Controller, Get, Inject, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type PersonName, type PostalAddress, personName, postalAddress } from '#domain/accounts/personal';
import { type MailKind, mailKinds } from '#domain/notifications/kinds';
import type { CustomerRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import type { OpenedLeadDelivery } from '#wiring/accounts';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { READ_MODELS, VAULT } from '#wiring/tokens';
import { CommandRoute, etagOf } from './answers.ts';
import { Asking } from './caller.ts';
import { Conforming, Email, FieldNames, Id, Line, OneOf, Password, Sort, TimeZone, WebAddress } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

const addressExample = { address: '12 Elm Street', city: 'Albany', state: 'NY', postalCode: '12207', country: 'US' };

class RegisterCustomerBody {
  @Id({ description: 'whose customer', example: 'main' })
  storeId!: string;

  @Line({ description: 'the company or programme the customer works for (ACC-5)', example: 'ABC Vitamins' })
  businessAssociation!: string;

  @TimeZone({ description: "where the customer's days begin", example: 'America/New_York' })
  timeZone!: string;

  @Email({ description: 'the user name (ACC-1)', optional: true })
  email?: string;

  @Password({ description: 'with an e-mail address only; may be chosen later', optional: true })
  password?: string;

  @Conforming(personName, { description: 'what the customer is called', example: { firstName: 'Ada' }, optional: true })
  name?: PersonName;

  @Conforming(postalAddress, { description: 'where the customer lives', example: addressExample, optional: true })
  postalAddress?: PostalAddress;
}

class ChangeNameBody {
  @Conforming(personName, { description: 'what the customer is called', example: { firstName: 'Ada' } })
  name!: PersonName;
}

class ChangePostalAddressBody {
  @Conforming(postalAddress, { description: 'where the customer lives', example: addressExample })
  postalAddress!: PostalAddress;
}

class RequestEmailChangeBody {
  @Email({ description: 'The new address. It gets a link by which it is confirmed.', example: 'ada.byron@example.com' })
  email!: string;
}

class ConfirmEmailChangeBody {
  @Line({ description: 'from the link', example: 'token-of-the-link' })
  token!: string;
}

class SetPasswordBody {
  @Password({ description: 'from now on' })
  password!: string;

  @Password({ description: 'the present one, where there is one', optional: true })
  currentPassword?: string;
}

class ChangeMailPreferencesBody {
  @Conforming(z.array(z.enum(mailKinds)).max(mailKinds.length), {
    description: 'kinds of mails that the customer does not want; all others are sent',
    example: ['leads-delivered'],
  })
  mailsOff!: MailKind[];
}

class ChooseLeadDeliveryBody {
  @OneOf(['digest', 'each'], {
    description: 'mails: one an hour about all new leads, or one about each, with its contact',
    example: 'digest',
  })
  mails!: 'digest' | 'each';

  @WebAddress({
    description: 'each lead is sent there, signed as Standard Webhooks has it',
    example: 'https://crm.example/leads',
    optional: true,
  })
  webhookUrl?: string;
}

const leadDelivery = z.object({
  mails: z.enum(['digest', 'each']),
  webhookUrl: z.string().nullable(),
  signingSecret: z.string().nullable().describe('what calls are signed with; keep it to yourself'),
}) satisfies z.ZodType<OpenedLeadDelivery>;

class ChangeBusinessAssociationBody {
  @Line({ description: 'the company or programme the customer works for (ACC-5)', example: 'Best Travel Club' })
  businessAssociation!: string;
}

class ChangeTimeZoneBody {
  @TimeZone({ description: 'holds for orders placed from now on', example: 'America/Chicago' })
  timeZone!: string;
}

const customer = z.object({
  customerId: z.string(),
  storeId: z.string(),
  businessAssociation: z.string(),
  businessKey: z.string().describe('what businesses are compared by (DLV-3)'),
  timeZone: z.string(),
  registeredAt: z.string(),
  email: z.string().nullable().describe('the user name (ACC-1); null when there is none, or the customer was erased'),
  newEmail: z.string().nullable().describe('waits to be confirmed by the link that went there (ACC-4)'),
  name: personName.nullable(),
  postalAddress: postalAddress.nullable(),
  hasPassword: z.boolean(),
  mailsOff: z.array(z.string()).describe('kinds of mails that are switched off (NTF-2)'),
  revision: z.int(),
}) satisfies z.ZodType<Omit<CustomerRow, SealedColumn>>;

const customerExample = {
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  businessAssociation: 'ABC Vitamins',
  businessKey: 'abcvitamins',
  timeZone: 'America/New_York',
  registeredAt: '2026-03-01T09:30:00.000Z',
  email: 'ada@example.com',
  newEmail: null,
  name: { firstName: 'Ada', lastName: 'Byron' },
  postalAddress: null,
  hasPassword: true,
  mailsOff: ['leads-delivered'],
  revision: 1,
};

const sealedColumns = ['email', 'newEmail', 'name', 'postalAddress'] as const;
type SealedColumn = (typeof sealedColumns)[number];

class CustomersQuery extends PageQuery {
  @Id({ description: 'customers of this store only', example: 'main', optional: true })
  storeId?: string;

  @Sort('registeredAt', '-registeredAt')
  sort?: string;

  @FieldNames(customer)
  fields?: string;
}

@ApiTags('customers')
@Controller('api/customers')
export class CustomersController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];
  readonly #vault: Vault;

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#vault = vault;
  }

  @Post()
  @CommandRoute({
    summary: 'Register a customer',
    answers: 'customerId',
    records: ['CustomerRegistered', 'PasswordSet'],
    creates: '/api/customers/:id',
  })
  registerCustomer(@Body() body: RegisterCustomerBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.accounts.register(body, caller);
  }

  @Get()
  @ReadRoute({
    summary: 'Customers, newest first',
    answer: listOf('Customer', customer),
    example: { items: [customerExample] },
  })
  async listCustomers(@Query() query: CustomersQuery) {
    const page = await this.#queries.listCustomers(pageRequest(query));
    return { ...page, items: await Promise.all(page.items.map((row) => this.#opened(row))) };
  }

  @Get(':customerId')
  @ReadRoute({
    summary: 'A customer; its revision is the ETag',
    answer: named('Customer', customer),
    example: customerExample,
  })
  async getCustomer(
    @IdOf('customer') customerId: string,
    @Query() _: ReadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = await this.#queries.findCustomer(customerId);
    if (!found) throw notFound('customer', customerId);
    reply.header('etag', etagOf(found.revision));
    return this.#opened(found);
  }

  @Put(':customerId/business-association')
  @CommandRoute({
    summary: 'Change whom a customer works for (ACC-4)',
    answers: 'customerId',
    records: ['BusinessAssociationChanged'],
  })
  changeBusinessAssociation(
    @IdOf('customer') customerId: string,
    @Body() { businessAssociation }: ChangeBusinessAssociationBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.changeBusinessAssociation(customerId, businessAssociation, caller);
  }

  @Put(':customerId/time-zone')
  @CommandRoute({
    summary: "Change where a customer's days begin",
    answers: 'customerId',
    records: ['TimeZoneChanged'],
  })
  changeTimeZone(
    @IdOf('customer') customerId: string,
    @Body() { timeZone }: ChangeTimeZoneBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.changeTimeZone(customerId, timeZone, caller);
  }

  @Put(':customerId/name')
  @CommandRoute({
    summary: 'Change what a customer is called (ACC-4)',
    answers: 'customerId',
    records: ['NameChanged'],
  })
  changeName(
    @IdOf('customer') customerId: string,
    @Body() { name }: ChangeNameBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.changeName(customerId, name, caller);
  }

  @Put(':customerId/postal-address')
  @CommandRoute({
    summary: 'Change where a customer lives (ACC-4)',
    answers: 'customerId',
    records: ['PostalAddressChanged'],
  })
  changePostalAddress(
    @IdOf('customer') customerId: string,
    @Body() { postalAddress: address }: ChangePostalAddressBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.changePostalAddress(customerId, address, caller);
  }

  @Put(':customerId/email')
  @CommandRoute({
    summary: 'Ask for another e-mail address: it holds once it is confirmed from there (ACC-4)',
    answers: 'customerId',
    records: ['EmailChangeRequested'],
  })
  requestEmailChange(
    @IdOf('customer') customerId: string,
    @Body() { email }: RequestEmailChangeBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.requestEmailChange(customerId, email, caller);
  }

  @Post(':customerId/email/confirm')
  @CommandRoute({
    summary: 'Confirm an e-mail address by the link that went there',
    answers: 'customerId',
    records: ['EmailChanged'],
  })
  confirmEmailChange(
    @IdOf('customer') customerId: string,
    @Body() { token }: ConfirmEmailChangeBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.confirmEmailChange(customerId, token, caller);
  }

  @Put(':customerId/password')
  @CommandRoute({
    summary: 'Choose a password, or another one (ACC-1, ACC-4)',
    answers: 'customerId',
    records: ['PasswordSet'],
  })
  setPassword(
    @IdOf('customer') customerId: string,
    @Body() body: SetPasswordBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.setPassword(customerId, body, caller);
  }

  @Put(':customerId/mail-preferences')
  @CommandRoute({
    summary: 'Switch kinds of mails off and on (NTF-2)',
    answers: 'customerId',
    records: ['MailPreferencesChanged'],
  })
  changeMailPreferences(
    @IdOf('customer') customerId: string,
    @Body() { mailsOff }: ChangeMailPreferencesBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.changeMailPreferences(customerId, mailsOff, caller);
  }

  @Get(':customerId/lead-delivery')
  @ReadRoute({
    summary: 'How a customer gets its leads (DLV-9)',
    answer: named('LeadDelivery', leadDelivery),
    example: { mails: 'digest', webhookUrl: 'https://crm.example/leads', signingSecret: 'whsec_c2VjcmV0IHNlY3JldA==' },
  })
  async getLeadDelivery(@IdOf('customer') customerId: string, @Query() _: ReadQuery): Promise<OpenedLeadDelivery> {
    if (!(await this.#queries.findCustomer(customerId))) throw notFound('customer', customerId);
    return this.#requests.accounts.leadDelivery(customerId);
  }

  @Put(':customerId/lead-delivery')
  @CommandRoute({
    summary: 'Choose how a customer gets its leads (DLV-9)',
    answers: 'customerId',
    records: ['LeadDeliveryChosen'],
  })
  chooseLeadDelivery(
    @IdOf('customer') customerId: string,
    @Body() body: ChooseLeadDeliveryBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.accounts.chooseLeadDelivery(customerId, body, caller);
  }

  async #opened(row: CustomerRow): Promise<z.infer<typeof customer>> {
    const open = async (column: SealedColumn) => {
      const box = row[column];
      return [column, (box && (await this.#vault.open(box))) ?? null] as const;
    };
    return { ...row, ...Object.fromEntries(await Promise.all(sealedColumns.map(open))) } as z.infer<typeof customer>;
  }
}
