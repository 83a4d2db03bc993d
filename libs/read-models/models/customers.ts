import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { sealed } from '#domain/kernel/events';
import { mailKinds } from '#domain/notifications/kinds';
import { column } from '../engine/columns.ts';
import { modelOfStreams, table } from '../engine/model.ts';
import { exampleBox, exampleIds } from './examples.ts';

export const customerRow = z.object({
  customerId: column.id().describe('Id of the customer.'),
  storeId: column.id().describe('Store whose customer it is.'),
  businessAssociation: column
    .json(sealed)
    .nullable()
    .describe('Company or programme that the customer works for (ACC-5). Null: it was erased.'),
  businessKey: column.text().describe('Equal for customers of one business (DLV-3): a keyed hash of its name.'),
  timeZone: column.text().describe("IANA time zone in which the customer's days begin."),
  registeredAt: column.instant().describe('When the customer registered.'),
  email: column.json(sealed).nullable().describe('E-mail address, the user name (ACC-1). Null: none was given.'),
  newEmail: column
    .json(sealed)
    .nullable()
    .describe('E-mail address that waits to be confirmed by the link sent there (ACC-4). Null: none waits.'),
  name: column.json(sealed).nullable().describe('Name of the customer. Null: none was given.'),
  postalAddress: column.json(sealed).nullable().describe('Postal address of the customer. Null: none was given.'),
  emailProved: column
    .flag()
    .describe('Whether the owner of the address opened a link that was sent there: before, nobody signs in (ACC-6).'),
  hasPassword: column.flag().describe('Whether a password was set.'),
  mailsOff: column.json(z.array(z.enum(mailKinds))).describe('Kinds of mails that the customer does not want (NTF-2).'),
  revision: column.revision(),
});
export type CustomerRow = z.infer<typeof customerRow>;

export const customerExample: CustomerRow = {
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
  businessAssociation: exampleBox,
  businessKey: 'Vh3cQ0uXb1nT8sKzR5yLpA',
  timeZone: 'America/New_York',
  registeredAt: '2026-03-01T09:30:00.000Z',
  email: exampleBox,
  newEmail: null,
  name: exampleBox,
  postalAddress: null,
  emailProved: true,
  hasPassword: true,
  mailsOff: ['leads-delivered'],
  revision: 1,
};

export const customerTable = table(customerRow, {
  name: 'customers',
  key: 'customerId',
  family: 'customer',
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: ['registered_at DESC, customer_id DESC', 'store_id, registered_at DESC, customer_id DESC'],
});

export const customers = modelOfStreams({
  name: 'customers',
  table: customerTable,
  never: 'a customer who was never registered',
  on: {
    CustomerRegistered: (customer, fact) => customer.create(registered(fact)),
    BusinessAssociationChanged: (customer, { data: { businessAssociation, businessKey } }) =>
      customer.set({ businessAssociation, businessKey }),
    BusinessKeysRenewed: (customer, { data: { businessKey } }) => customer.set({ businessKey }),
    BusinessAssociationSealed: (customer, { data: { businessAssociation = null, businessKey } }) =>
      customer.set({ businessAssociation, businessKey }),
    TimeZoneChanged: (customer, { data }) => customer.set({ timeZone: data.timeZone }),
    NameChanged: (customer, { data }) => customer.set({ name: data.name }),
    PostalAddressChanged: (customer, { data }) => customer.set({ postalAddress: data.postalAddress }),
    EmailChangeRequested: (customer, { data }) => customer.set({ newEmail: data.email }),
    EmailChanged: (customer, { data }) => customer.set({ email: data.email, newEmail: null, emailProved: true }),
    AddressConfirmed: (customer) => customer.set({ emailProved: true }),
    PasswordSet: (customer, { data: { how } }) =>
      customer.set({ hasPassword: true, ...(how === 'recovered' && { emailProved: true }) }),
    MailPreferencesChanged: (customer, { data }) => customer.set({ mailsOff: data.off }),
  },
});

const registered = ({ stream, revision, data }: FactOf<'CustomerRegistered'>): CustomerRow => ({
  customerId: idOf(stream),
  storeId: data.storeId,
  businessAssociation: data.businessAssociation,
  businessKey: data.businessKey,
  timeZone: data.timeZone,
  registeredAt: data.at,
  email: data.email ?? null,
  newEmail: null,
  name: data.name ?? null,
  postalAddress: data.postalAddress ?? null,
  emailProved: false,
  hasPassword: false,
  mailsOff: [],
  revision,
});
